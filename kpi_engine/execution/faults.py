"""What DuckDB raises, turned into the engine's errors in words for the reader."""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kpi_engine.errors import DataError, KpiError, Place, SourceError, TimeoutExceeded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_CSV = re.compile(r"CSV Error on Line: (\d+)")
_FILE = re.compile(r"^\s*file = (.+)$", re.MULTILINE)
_CELL = re.compile(
    r'converting column "(?P<column>[^"]*)"\. Could not convert string "(?P<value>.*?)" to \'(?P<type>\w+)\'', re.DOTALL
)
_VALUE = re.compile(
    r'Could not convert string [\'"](?P<value>.*?)[\'"] to \'?(?P<type>[\w(), ]+?)(?: when casting from source column (?P<column>\w+))?(?![\w(), ])',
    re.DOTALL,
)
_TOO_LARGE = re.compile(r'Casting value "(?P<value>[^"]*)" to type (?P<type>[\w(), ]+) failed: value is out of range')
_MOMENT = re.compile(
    r'(?P<type>date|timestamp) field (?:value out of range|format)[^:]*: "(?P<value>[^"]*)"|invalid (?P<type2>date|timestamp) field format: "(?P<value2>[^"]*)"'
)
_WORDS = {
    "DECIMAL": "a decimal number", "DOUBLE": "a number", "FLOAT": "a number", "BIGINT": "a whole number", "INTEGER": "a whole number",
    "INT32": "a whole number", "INT64": "a whole number", "DATE": "a date that exists", "TIMESTAMP": "a timestamp", "BOOLEAN": "true or false",
    "BOOL": "true or false",
    "TIMESTAMP WITH TIME ZONE": "an instant",
}  # fmt: skip
_MEND = "correct the data, or declare another `type` for the column"


@contextmanager
def translated(about: str = "", timeout: float | None = None) -> Iterator[None]:
    """Run something of DuckDB's; what it raises becomes one of the engine's errors, about the thing named."""
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        raise translation(error, about, timeout) from error
    except RuntimeError as error:
        if str(error) == "Query interrupted":  # what DuckDB makes of Ctrl-C
            raise KeyboardInterrupt from error
        raise


@contextmanager
def from_the_project(root: Path) -> Iterator[None]:
    """Name files in messages of a source as they lie in the project's folder: where that lies is nobody's business."""
    try:
        yield
    except KpiError as error:
        here = str(root.resolve())
        beside = str(root.resolve().parent)
        error.message = error.message.replace(f"{here}{os.sep}", "").replace(here, ".")
        error.message = error.message.replace(f"{beside}{os.sep}", f"..{os.sep}") if beside != os.sep else error.message
        error.args = (error.message,)
        raise


def translation(error: Exception, about: str, timeout: float | None) -> KpiError:
    """Say what an error of DuckDB's means for the reader."""
    import duckdb

    from kpi_engine.execution.binderwords import said_of

    text = str(error)
    prefix = f"{about}: " if about else ""
    if isinstance(error, duckdb.InterruptException):
        if timeout is None:
            return TimeoutExceeded("the request was stopped before it had finished", code="interrupted")
        return TimeoutExceeded(
            f"the request did not finish within its time of {timeout:g} seconds",
            hint="ask for less, or give a longer `timeout`",
        )
    if found := bad_value(text, prefix):
        return found
    if meant := said_of(text):
        return DataError(prefix + meant.message, code=meant.code, hint=meant.hint)
    for kind, made, code, hint in _KINDS:
        if isinstance(error, getattr(duckdb, kind)):
            said = "a number is too large for its type: " if code == "overflow" else ""
            return made(f"{prefix}{said}{_first_lines(text)}", code=code, hint=hint)
    hint = "look at what the definitions compute here; `kpi explain` shows the statement"
    return SourceError(f"{prefix}{_first_lines(text)}", code="query_failed", hint=hint)


_KINDS: tuple[tuple[str, type[KpiError], str, str], ...] = (
    ("IOException", SourceError, "unreadable", "check that the file is there and can be read"),
    ("ConversionException", DataError, "bad_value", _MEND),
    ("OutOfRangeException", DataError, "overflow", "declare the column with a larger type, such as `type: double`"),
    ("OutOfMemoryException", KpiError, "out_of_memory", "ask for less at once"),
    ("BinderException", DataError, "types_do_not_fit", "check the types of the columns in this formula or condition"),
)


def bad_value(text: str, prefix: str) -> DataError | None:
    """Find the value that is not of its column's type, and where it stands."""
    line, file = _CSV.search(text), _FILE.search(text)
    place = Place(file[1].strip(), int(line[1])) if line and file else None
    if cell := _CELL.search(text):
        message = f"{prefix}`{_short(cell['value'])}` in the column `{cell['column']}` is not {_kind(cell['type'])}"
        return DataError(message, code="bad_value", hint=_MEND, place=place)
    if value := _VALUE.search(text):
        column = f" in the column `{value['column']}`" if value["column"] else ""
        return DataError(
            f"{prefix}`{_short(value['value'])}`{column} is not {_kind(value['type'])}",
            code="bad_value",
            hint=_MEND,
            place=place,
        )
    if large := _TOO_LARGE.search(text):
        message = f"{prefix}`{_short(large['value'])}` does not fit into `{large['type'].lower()}`"
        return DataError(message, code="bad_value", hint="take a type with more digits before the point", place=place)
    if moment := _MOMENT.search(text):
        kind, shown = moment["type"] or moment["type2"], moment["value"] or moment["value2"]
        return DataError(f"{prefix}`{_short(shown)}` is not {_kind(kind)}", code="bad_value", hint=_MEND, place=place)
    return None


def _kind(sql_type: str) -> str:
    name = sql_type.upper().strip()
    return _WORDS.get(name) or _WORDS.get(name.partition("(")[0]) or f"of type {name}"


def _short(value: str) -> str:
    return value if len(value) <= 60 else value[:57] + "…"  # noqa: PLR2004


def _first_lines(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    kept = [line for line in lines if not line.startswith(("LINE ", "^", "Candidate", "Possible", "* "))]
    return re.sub(r"^\w+( \w+){0,2} Error: ", "", " ".join(kept[:4]))
