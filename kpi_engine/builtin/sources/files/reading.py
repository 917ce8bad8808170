"""The arguments of DuckDB's readers for the files of a table.

CSV: `delim`, `quote`, `escape`, `comment`, `skip`, `header`, `names`, `types`, `nullstr`, `decimal_separator`, `dateformat`,
`timestampformat`, `sample_size`, `strict_mode`, `union_by_name`, `hive_partitioning`. Lines: the CSV reader with `columns` and
`auto_detect: false`. JSON: `format`, `columns`, `sample_size`, `union_by_name`, `hive_partitioning`. Parquet: `union_by_name`,
`hive_partitioning`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from kpi_engine.api import DataError, FileRelation, SourceError
from kpi_engine.builtin.sources.files.dialects import ROWS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from kpi_engine.builtin.sources.files.dialects import Dialect
    from kpi_engine.builtin.sources.files.settings import TableSettings
    from kpi_engine.builtin.sources.files.texts import Text

EVERY = -1
"""Types are inferred from every row, at about half a second for each 100 MB: in a column that begins with whole numbers DuckDB would
round the others without a word."""
LARGE = 1 << 20
"""A file of more characters is looked at once for all statements; a smaller one is looked at in less time than that takes."""
ISO = "%Y-%m-%d"
_WHOLE = re.compile(r"U?(?:TINY|SMALL|BIG|HUGE)INT|U?INT(?:EGER|\d+)?|LONG|SHORT|SIGNED", re.IGNORECASE)
_FRACTIONAL = re.compile(r"DOUBLE|FLOAT|REAL|DECIMAL\(\d+,\s*[1-9]\d*\)", re.IGNORECASE)

_FIXED: Mapping[str, Any] = {"comment": "", "hive_partitioning": False}
"""No row is a comment (a post may begin with `#`), and no folder's name is a column."""

_JSON_KEY = re.compile(r'"json"\s*:')
"""A column that DuckDB calls `json` is one only where a record has that key."""

IMPOSSIBLE = "\x01\x02\x03\x04"
"""A delimiter that no line of text has."""


def csv_relation(
    texts: Sequence[Text],
    dialects: Sequence[Dialect],
    settings: TableSettings,
    decimal: str | None,
    types: Mapping[str, str],
) -> FileRelation:
    """Say how DuckDB is to read CSV files: the types that no definition declares, and how dates are written, it finds in all rows."""
    dialect = _common(texts, dialects)
    header = not settings.columns if settings.header is None else settings.header
    for text, one in zip(texts, dialects, strict=True):
        _refuse_twins(text.file, one.first if header and not settings.columns else ())
    names = _names(texts[0].file, dialect, settings, header=header)
    known = names or tuple(dict.fromkeys(name for one in dialects for name in one.first))
    options = {
        **_FIXED,
        "delim": dialect.delimiter,
        "quote": dialect.quote,
        "escape": dialect.escape,
        "skip": dialect.skip,
        "header": header,
        "nullstr": ["", *settings.null],
        "names": list(names),
        "decimal_separator": decimal,
        "dateformat": settings.date_format or None,
        "timestampformat": settings.timestamp_format or None,
        "strict_mode": None if all(one.uniform for one in dialects) else False,
        "union_by_name": len(texts) > 1 or None,
    }
    bare = _relation("csv", [text.path for text in texts], options)
    declared = _not_rounding(_csv_types(known, types), bare)
    return _typed(bare, declared, is_large=len(texts) == 1 and texts[0].size > LARGE)


def _typed(bare: FileRelation, declared: Mapping[str, str], *, is_large: bool) -> FileRelation:
    """Say the type of each column, so that DuckDB need not look at all rows for it with each statement; dates may have to be found there."""
    types, is_plain = _sniffed(bare, declared) if is_large else ({}, False)
    found = {"types": {**types, **declared}} if is_plain else {"types": dict(declared), "sample_size": EVERY}
    return _relation("csv", bare.paths, {**bare.options, **found})


def _sniffed(bare: FileRelation, declared: Mapping[str, str]) -> tuple[dict[str, str], bool]:
    """Have DuckDB look at all rows of a file: the types of its columns, and whether they say all, because no date is written in a way of its own.

    Nothing of one that it cannot read, which is told where it is read.
    """
    import duckdb

    call, values = _call(bare, f", sample_size = {EVERY}" + (", types = $types" if declared else ""))
    query = f"SELECT Columns, DateFormat, TimestampFormat FROM {call.replace('read_csv', 'sniff_csv', 1)}"
    values |= {"paths": bare.paths[0], **({"types": dict(declared)} if declared else {})}
    try:
        with duckdb.connect() as connection:
            [(columns, date, timestamp)] = connection.execute(query, values).fetchall()
    except duckdb.Error:
        return {}, False
    return {each["name"]: each["type"] for each in columns}, date in (None, ISO) and not timestamp


def _not_rounding(types: Mapping[str, str], bare: FileRelation) -> Mapping[str, str]:
    """Leave out a column that is declared whole and has other numbers: DuckDB would round them, and the engine tells of them."""
    if not any(map(_WHOLE.fullmatch, types.values())):
        return types
    kinds = _described(bare)
    return {name: kind for name, kind in types.items() if _unrounded(kinds.get(name, kind), kind) == kind}


def _described(bare: FileRelation) -> dict[str, str]:
    import duckdb

    call, values = _call(bare, f", sample_size = {EVERY}")
    try:
        with duckdb.connect() as connection:
            return {
                name: kind for name, kind, *_ in connection.execute(f"DESCRIBE SELECT * FROM {call}", values).fetchall()
            }
    except duckdb.Error:
        return {}  # what is wrong is told where the file is read


def reads(relation: FileRelation) -> bool:
    """Ask DuckDB whether it can read the beginning of a CSV file in the dialect that was found."""
    import duckdb

    call, values = _call(relation)
    try:
        with duckdb.connect() as connection:
            return bool(connection.execute(f"SELECT * FROM {call} LIMIT $rows", {**values, "rows": ROWS}).fetchall())
    except duckdb.Error:
        return False


def check_instants(relation: FileRelation, declared: Collection[str], about: str) -> None:
    """Raise `DataError` where an instant in a declared column cannot be read: DuckDB before 2 makes it unknown, without an error."""
    import duckdb

    if not duckdb.__version__.startswith("1."):
        return
    named = {name.casefold() for name in declared}
    types: Mapping[str, str] = relation.options.get("types", {})
    zoned = {name: kind for name, kind in types.items() if name.casefold() in named and _is_zoned(kind)}
    if not zoned:
        return
    call, values = _call(relation, ", all_varchar = true")
    with duckdb.connect() as connection:
        for name, kind in zoned.items():
            query = f"""
                SELECT value FROM (SELECT COLUMNS(lambda c: c = $column) AS value FROM {call})
                WHERE value IS NOT NULL AND TRY_CAST(value AS {_zoned_type(kind)}) IS NULL LIMIT 1
            """
            found = connection.execute(query, {**values, "column": name}).fetchone()
            if found:
                raise DataError(
                    f"{about}: the column `{name}` holds `{found[0]}`, which is no {kind}",
                    code="bad_value",
                    hint="correct the data, or declare another `type` for the column",
                )


def lines_relation(texts: Sequence[Text]) -> FileRelation:
    """Say how DuckDB is to read logs: one row for each line that is not blank, as it stands, in the column `line`."""
    options = {
        **_FIXED,
        "delim": IMPOSSIBLE,
        "quote": "",
        "escape": "",
        "header": False,
        "auto_detect": False,
        "columns": {"line": "VARCHAR"},
        "nullstr": IMPOSSIBLE[0],
        "strict_mode": False,
    }
    return FileRelation("csv", tuple(str(text.path) for text in texts), options)


def json_relation(texts: Sequence[Text], types: Mapping[str, str]) -> FileRelation:
    """Say how DuckDB is to read JSON: the columns that are there, with the types that the definitions declare."""
    for text in texts:
        if text.head.lstrip().startswith("[") and text.last != "]":
            raise SourceError(
                f"the file {text.file} ends in the middle of its list", code="malformed_file", hint="export it again"
            )
    options = {"hive_partitioning": False, "sample_size": EVERY, "union_by_name": len(texts) > 1 or None}
    bare = _relation("json", [text.path for text in texts], options)
    found = _json_columns(bare, texts)
    declared = {name.casefold(): kind for name, kind in types.items() if kind}
    columns = {name: _unrounded(kind, declared.get(name.casefold(), kind)) for name, kind in found.items()}
    return FileRelation("json", bare.paths, {**bare.options, "columns": columns})


def _unrounded(found: str, declared: str) -> str:
    """Give the declared type of a column, unless it is whole and the numbers in the file are not: then theirs."""
    return found if _WHOLE.fullmatch(declared) and _FRACTIONAL.fullmatch(found) else declared


def parquet_relation(files: Sequence[Path], paths: Sequence[Path]) -> FileRelation:
    """Say how DuckDB is to read Parquet files; their types stand in them."""
    for file in files:
        _check_parquet(file)
    return _relation("parquet", paths, {"hive_partitioning": False, "union_by_name": len(paths) > 1 or None})


def _relation(form: str, paths: Sequence[Path | str], options: Mapping[str, Any]) -> FileRelation:
    """Leave out the arguments that say nothing."""
    given = {name: value for name, value in options.items() if value is not None and value not in ([], {})}
    return FileRelation(form, tuple(str(path) for path in paths), given)


def _common(texts: Sequence[Text], dialects: Sequence[Dialect]) -> Dialect:
    """Give the one dialect of all files of a table; raise `SourceError` when two differ."""
    first = dialects[0]
    for text, dialect in zip(texts, dialects, strict=True):
        if (dialect.delimiter, dialect.skip) != (first.delimiter, first.skip):
            raise SourceError(
                f"the files of one table are written differently: {texts[0].file.name} {_in_words(first)}, "
                f"{text.file.name} {_in_words(dialect)}",
                code="mixed_dialects",
                hint="make them alike, or make each kind a table of its own in the source's settings",
            )
    return max(dialects, key=lambda dialect: dialect.escape != dialect.quote)


def _in_words(dialect: Dialect) -> str:
    return f"has the delimiter {dialect.delimiter!r} and its header in line {dialect.skip + 1}"


def _refuse_twins(file: Path, header: Sequence[str]) -> None:
    """Refuse two columns of one name: DuckDB, to which small and capital letters are the same, would rename one."""
    seen: dict[str, str] = {}
    for name in header:
        if name and name.casefold() in seen:
            raise SourceError(
                f"the file {file} has two columns of one name: `{seen[name.casefold()]}` and `{name}`",
                code="duplicate_column",
                hint="rename one in the header, or name all columns in the source's settings: `columns: […]` with `header: true`",
            )
        seen[name.casefold()] = name


def _names(file: Path, dialect: Dialect, settings: TableSettings, *, header: bool) -> tuple[str, ...]:
    """Give the names of the columns where no header gives them."""
    width = len(dialect.first)
    if settings.columns and len(settings.columns) != width:
        raise SourceError(
            f"the file {file} has {width} columns, and the settings name {len(settings.columns)}",
            code="bad_settings",
            hint="`columns` names all columns, from left to right",
        )
    return settings.columns if settings.columns or header else tuple(f"column{number}" for number in range(width))


def _csv_types(columns: Sequence[str], types: Mapping[str, str]) -> dict[str, str]:
    """Give the declared types of the columns that are there, by the columns' own names."""
    spelled = {name.casefold(): name for name in columns}
    return {spelled[name.casefold()]: kind for name, kind in types.items() if kind and name.casefold() in spelled}


def _is_zoned(kind: str) -> bool:
    return "TZ" in kind.upper() or "TIME ZONE" in kind.upper()


def _zoned_type(kind: str) -> str:
    return "TIMESTAMPTZ" if kind.upper().startswith("TIMESTAMP") else "TIMETZ"


def _call(relation: FileRelation, more: str = "") -> tuple[str, dict[str, Any]]:
    """Write a call of the CSV reader in the relation's dialect, and its arguments by name."""
    names = (
        "delim",
        "quote",
        "escape",
        "comment",
        "skip",
        "header",
        "nullstr",
        "names",
        "union_by_name",
        "strict_mode",
        "decimal_separator",
        "dateformat",
        "timestampformat",
    )
    values = {name: relation.options[name] for name in names if name in relation.options}
    arguments = "".join(f", {name} = ${name}" for name in values)
    return f"read_csv($paths{arguments}{more})", {**values, "paths": list(relation.paths)}


def _json_columns(relation: FileRelation, texts: Sequence[Text]) -> dict[str, str]:
    """Ask DuckDB which columns JSON files have; raise `SourceError` when they hold no records."""
    import duckdb

    query = "SELECT * FROM read_json($paths, sample_size = $sample, union_by_name = $union, hive_partitioning = false) LIMIT 0"
    values = {
        "paths": list(relation.paths),
        "sample": relation.options["sample_size"],
        "union": relation.options.get("union_by_name", False),
    }
    named = ", ".join(text.file.name for text in texts)
    try:
        with duckdb.connect() as connection:
            found = connection.sql(query, params=values)
            columns = dict(zip(found.columns, (str(kind) for kind in found.types), strict=True))
    except duckdb.Error as error:
        raise SourceError(
            f"{named} cannot be read as JSON: {str(error).splitlines()[0]}", code="malformed_file"
        ) from error
    if list(columns) == ["json"] and not any(_JSON_KEY.search(text.head) for text in texts):
        raise SourceError(
            f"{named} holds no records",
            code="empty_source_file",
            hint="a JSON file holds a list of objects, or one object on each line",
        )
    return columns


def _check_parquet(file: Path) -> None:
    """Raise `SourceError` where a Parquet file is empty or cut off: it begins and ends with its mark."""
    with file.open("rb") as stream:
        start = stream.read(4)
        stream.seek(max(0, file.stat().st_size - 4))
        end = stream.read(4)
    if not start:
        raise SourceError(
            f"the file {file} is empty", code="empty_source_file", hint="export it again, or take it away"
        )
    if start != end or start not in (b"PAR1", b"PARE"):
        raise SourceError(f"the file {file} is no complete Parquet file", code="malformed_file", hint="export it again")
