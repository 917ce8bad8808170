"""How a CSV file is written: its delimiter, its way with quotes, the lines above its header, and the header itself.

DuckDB's own detection takes lines that it cannot place for comments or for a preamble and leaves them out without a word. So the dialect
is settled here from the header and the first rows, and DuckDB is told all of it.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, replace
from io import StringIO
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _csv import Reader
    from collections.abc import Sequence

DELIMITERS = (",", ";", "\t", "|")
ROWS = 1000
"""How many rows are looked at."""

_EXCEL_HINT = re.compile(r'"?sep=(.)"?[\r\n]*')
"""The first line that Excel writes or reads to tell the delimiter."""


@dataclass(frozen=True)
class Wanted:
    """What the settings say of a dialect; None is for the file to say."""

    delimiter: str | None = None
    quote: str = '"'
    escape: str | None = None
    skip: int = 0
    decimal: str | None = None
    """The decimal separator, which is then no delimiter."""


@dataclass(frozen=True)
class Dialect:
    """How a CSV file is written."""

    delimiter: str
    quote: str
    escape: str
    skip: int
    """How many lines stand above the header: those the settings name, blank ones, and Excel's `sep=;`."""
    first: tuple[str, ...]
    """The first row: the header, where there is one."""
    uniform: bool
    """Whether all rows end with the same line ending."""
    doubt: str = ""
    """Where and why a row does not fit the first one; empty when all that were looked at do."""
    fitting: float = 1.0
    """The share of rows that fit the first one."""
    splits_body: bool = False
    """Whether all rows below the first have one number of values, and more than one."""


def dialect_of(sample: str, wanted: Wanted, *, whole: bool) -> Dialect:
    """Say how a CSV file is written, from its beginning; `whole` says that the sample is all of it."""
    lines = [*StringIO(sample, newline="")]
    skip, hinted = _above_header(lines, wanted.skip)
    known = wanted.delimiter or hinted
    delimiters = (known,) if known else tuple(one for one in DELIMITERS if one != wanted.decimal)
    tried = [
        _tried(lines, Dialect(delimiter, wanted.quote, escape, skip, (), uniform=True), whole=whole)
        for delimiter in delimiters
        for escape in _escapes(wanted, sample)
    ]
    return max(tried, key=_plausibility)


def _escapes(wanted: Wanted, sample: str) -> tuple[str, ...]:
    if not wanted.quote:
        return ("",)
    if wanted.escape:
        return (wanted.escape,)
    return (wanted.quote, "\\") if f"\\{wanted.quote}" in sample else (wanted.quote,)


def _plausibility(dialect: Dialect) -> tuple[bool, float, int]:
    """Prefer what splits the header or all rows below it, then what fits most rows: a file is one column only where nothing splits it."""
    width = len(dialect.first)
    return (width > 1 or dialect.splits_body, dialect.fitting, width)


def _above_header(lines: Sequence[str], skip: int) -> tuple[int, str | None]:
    """Count the lines above the header, and read the delimiter where Excel's first line tells it."""
    hint = None
    while skip < len(lines):
        found = _EXCEL_HINT.fullmatch(lines[skip]) if skip == 0 else None
        if found:
            hint = found[1]
        elif lines[skip].strip("\r\n"):
            break
        skip += 1
    return skip, hint


def _tried(lines: Sequence[str], dialect: Dialect, *, whole: bool) -> Dialect:
    """Read the sample in this dialect, and note how well it fits."""
    rows, ends, broken = _rows(lines, dialect, whole=whole)
    if not rows:
        return replace(dialect, doubt=broken or "there is no row", fitting=0)
    width = len(rows[0][1])
    misfits = [(line, len(row)) for line, row in rows if len(row) != width]
    doubt = f"line {misfits[0][0]} has {misfits[0][1]} values, the first row has {width}" if misfits else broken
    fitting = (len(rows) - len(misfits)) / (len(rows) + bool(broken))
    first = tuple(name.strip(" ") for name in rows[0][1])
    body = {len(row) for _, row in rows[1:]} if len(rows) > 2 else set()  # noqa: PLR2004 - one row is no pattern
    splits_body = len(body) == 1 and max(body) > 1
    return replace(dialect, first=first, uniform=len(ends) <= 1, doubt=doubt, fitting=fitting, splits_body=splits_body)


def _rows(lines: Sequence[str], dialect: Dialect, *, whole: bool) -> tuple[list[tuple[int, list[str]]], set[str], str]:
    """Give the rows with their line numbers, their line endings, and where reading broke off.

    The last row of a sample that was cut off is left out: it may go on.
    """
    reader = _reader(lines[dialect.skip :], dialect)
    rows: list[tuple[int, list[str]]] = []
    ends = {_ending(line) for line in lines[: dialect.skip]}
    broken = ""
    try:
        for row in islice(reader, ROWS):
            line = dialect.skip + reader.line_num
            if row:
                rows.append((line, row))
            ends.add(_ending(lines[line - 1]))
    except csv.Error as error:
        if whole or "unexpected end" not in str(error):
            broken = f"line {dialect.skip + reader.line_num}: a quote is out of place"
    if not whole and len(rows) > 1:
        rows.pop()
    return rows, ends - {""}, broken


def _ending(line: str) -> str:
    return line[len(line.rstrip("\r\n")) :]


def _reader(lines: Sequence[str], dialect: Dialect) -> Reader:
    if not dialect.quote:
        return csv.reader(lines, delimiter=dialect.delimiter, quoting=csv.QUOTE_NONE)
    doubled = dialect.escape == dialect.quote
    return csv.reader(
        lines,
        delimiter=dialect.delimiter,
        quotechar=dialect.quote,
        doublequote=doubled,
        escapechar=None if doubled else dialect.escape,
        skipinitialspace=dialect.delimiter != " ",
        strict=True,
    )
