"""What a file's columns hold, measured over all its rows, and how the file must be read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from kpi_engine.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from duckdb import DuckDBPyConnection
    from sqlglot import exp

    from kpi_engine.api import FileRelation

_TABLE: Final = "table"
_VALUE_LIKE: Final = re.compile(r"[-+]?\d+[.,]\d+|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T ].*)?|\d{1,2}:\d{2}(:\d{2})?")
_NUMBER: Final = re.compile(r"[-+]?\d+")
_DAY: Final = r"\d{4}-\d{1,2}-\d{1,2}"
_MOMENT: Final = r"\d{4}-\d{1,2}-\d{1,2}[T ]\d{1,2}:\d{2}.*"
_ZONE: Final = r"(Z|[+-]\d{2}(:?\d{2})?)"
_COMMA_NUMBER: Final = r"[-+]?\d+(,\d+)?"
_TEXT_FORMATS: Final = (".txt", ".dat")


@dataclass(frozen=True)
class Column:
    """A column: its SQL type as read, and what its values have in common."""

    name: str
    type: str
    filled: int
    """How many rows have a value."""
    distinct: int
    least: str = ""
    greatest: str = ""
    """The first and the last value in the order of SQL, as text."""
    longest: int = 0
    """The length of the longest value, as text."""
    better_type: str = ""
    """A type that fits all values and says more than the type as read: `date`, `timestamp`, `timestamptz` or `decimal(18,2)`."""
    is_currency: bool = False
    """Whether all values are three capital letters."""

    @property
    def kind(self) -> str:
        """What the values are: `text`, `boolean`, `whole`, `real`, `day`, `moment`, or `other`."""
        return _kind(self.better_type.upper() or self.type)


@dataclass(frozen=True)
class Profile:
    """A file: its rows, its columns, and the settings that the source `files` needs to read it as it was read here."""

    file: Path
    rows: int
    columns: tuple[Column, ...]
    settings: Mapping[str, str]
    counts: Mapping[tuple[str, ...], int]
    """How many different pairs of values some pairs of columns have."""


def profiled(file: Path) -> Profile:
    """Measure a file; raise `SourceError` where it is missing, empty, unreadable, without a header or without rows."""
    if not file.is_file():
        there = "is a folder" if file.is_dir() else "is not there"
        raise SourceError(f"the file {file} {there}", code="missing_file", hint="name files, such as data/visits.csv")
    settings = {"format": "csv"} if _ending(file) in _TEXT_FORMATS else {}
    try:
        return _profiled(file, settings)
    except SourceError as error:
        if error.code == "unknown_format":
            hint = "save it as CSV, Parquet or JSON"
            raise SourceError(
                f"it is not known how to read the file {file}", code="unknown_format", hint=hint
            ) from error
        if error.code != "bad_encoding":
            raise
    return _profiled(file, {**settings, "encoding": "cp1252"})


def _profiled(file: Path, settings: dict[str, str]) -> Profile:
    """Measure a file in these settings; once more where its numbers turn out to have a decimal comma."""
    import duckdb

    try:
        with duckdb.connect() as connection:
            connection.sql("set TimeZone = 'UTC'")
            profile, has_commas = _measured(connection, file, settings)
    except duckdb.Error as error:
        reason = str(error).strip().splitlines()[0]
        hint = "open it and look at that place, or export it again"
        raise SourceError(f"the file {file} cannot be read: {reason}", code="malformed_file", hint=hint) from error
    return _profiled(file, {**settings, "decimal": ","}) if has_commas and "decimal" not in settings else profile


def _measured(connection: DuckDBPyConnection, file: Path, settings: Mapping[str, str]) -> tuple[Profile, bool]:
    source = _Reader(file, settings)
    try:
        types = _types(connection, source.relation({}))
        _refuse_no_header(file, types)
        facts = _facts(connection, source.relation({}), types)
        rows = facts[""]["rows"]
        if not rows:
            raise SourceError(
                f"the file {file} has no rows below its header", code="empty_source_file", hint="export it again"
            )
        zoned = _zoned(connection, source, types)
        columns = tuple(_column(name, kind, facts[name], is_zoned=name in zoned) for name, kind in types.items())
        counts = _pair_counts(connection, source.relation({}), _pairs(columns, rows))
    finally:
        source.close()
    has_commas = any(facts[name].get("commas") for name in types)
    return Profile(file, rows, columns, settings, counts), has_commas


class _Reader:
    """Reads one file through the source `files`, as the engine will."""

    def __init__(self, file: Path, settings: Mapping[str, str]) -> None:
        from kpi_engine.api import SourceContext
        from kpi_engine.builtin.sources.files import FilesSource
        from kpi_engine.builtin.sources.files.settings import FilesSettings, TableSettings

        real = file.resolve()
        table = TableSettings.model_validate({"path": real.name, **settings})
        self._source = FilesSource(FilesSettings(tables={_TABLE: table}), SourceContext("data", real.parent))

    def relation(self, types: Mapping[str, str]) -> FileRelation:
        from kpi_engine.api import Scan

        return self._source.relation(Scan(_TABLE, types=types))

    def close(self) -> None:
        self._source.close()


def _select(relation: FileRelation, expressions: Sequence[exp.Expr]) -> str:
    from sqlglot import exp

    from kpi_engine.sql.relations import relation as tree

    return exp.Select(expressions=list(expressions)).from_(tree(relation, "file")).sql("duckdb")


def _types(connection: DuckDBPyConnection, relation: FileRelation) -> dict[str, str]:
    from sqlglot import exp

    found = connection.sql(_select(relation, [exp.Star()]))
    return {name: str(kind) for name, kind in zip(found.columns, found.types, strict=True)}


def _refuse_no_header(file: Path, types: Mapping[str, str]) -> None:
    """Refuse a file whose first line holds values: a date, or a number over numbers that is not a year."""
    for name, kind in types.items():
        number = _NUMBER.fullmatch(name) and _kind(kind) in {"whole", "real"} and not 1900 <= int(name) <= 2100  # noqa: PLR2004
        if _VALUE_LIKE.fullmatch(name) or number:
            raise SourceError(
                f"the file {file} has no header: its first line holds values, such as `{name}`",
                code="no_header",
                hint="write the names of the columns into a first line, such as day,channel,visits",
            )


def _facts(
    connection: DuckDBPyConnection, relation: FileRelation, types: Mapping[str, str]
) -> dict[str, dict[str, Any]]:
    """Measure all columns in one scan; the entry of the empty name holds the number of rows."""
    from sqlglot import exp

    wanted: list[tuple[str, str, exp.Expr]] = [("", "rows", exp.Count(this=exp.Star()))]
    for name, kind in types.items():
        wanted += [(name, fact, tree) for fact, tree in _measures(exp.column(name, quoted=True), _kind(kind))]
    row = connection.sql(
        _select(relation, [exp.alias_(tree, f"f{place}") for place, (_, _, tree) in enumerate(wanted)])
    ).fetchall()[0]
    facts: dict[str, dict[str, Any]] = {name: {} for name in ("", *types)}
    for (name, fact, _), value in zip(wanted, row, strict=True):
        facts[name][fact] = value
    return facts


def _measures(column: exp.Expr, kind: str) -> Iterable[tuple[str, exp.Expr]]:
    from sqlglot import exp

    yield "filled", exp.Count(this=column.copy())
    if kind == "other":
        return
    text = exp.cast(column.copy(), "varchar")
    yield "distinct", exp.Count(this=exp.Distinct(expressions=[column.copy()]))
    yield "least", exp.cast(exp.Min(this=column.copy()), "varchar")
    yield "greatest", exp.cast(exp.Max(this=column.copy()), "varchar")
    yield "longest", exp.Max(this=exp.Length(this=text))
    if kind == "real":
        hundred = exp.Mul(this=exp.Paren(this=column.copy()), expression=exp.Literal.number(100))
        apart = exp.Abs(this=exp.Sub(this=hundred, expression=exp.Round(this=hundred.copy())))
        yield "cents", _all(exp.LT(this=apart, expression=exp.Literal.number("0.000001")))
    if kind == "text":
        yield from _text_measures(text)


def _text_measures(text: exp.Expr) -> Iterable[tuple[str, exp.Expr]]:
    from sqlglot import exp

    shapes = ("day", _DAY, "date"), ("zoned", _MOMENT + _ZONE, "timestamptz"), ("moment", _MOMENT, "timestamp")
    for fact, pattern, kind in shapes:
        fits = exp.TryCast(this=text.copy(), to=exp.DataType.build(kind)).is_(exp.null()).not_()
        yield fact, _all(exp.and_(_matches(text, pattern), fits))
    yield "currency", _all(_matches(text, "[A-Z]{3}"))
    commas = exp.Anonymous(
        this="bool_or", expressions=[exp.Anonymous(this="contains", expressions=[text.copy(), exp.Literal.string(",")])]
    )
    yield "commas", exp.and_(_all(_matches(text, _COMMA_NUMBER)), commas)


def _matches(text: exp.Expr, pattern: str) -> exp.Expr:
    from sqlglot import exp

    return exp.Anonymous(this="regexp_full_match", expressions=[text.copy(), exp.Literal.string(pattern)])


def _all(condition: exp.Expr) -> exp.Expr:
    from sqlglot import exp

    return exp.Anonymous(this="bool_and", expressions=[condition])


def _zoned(connection: DuckDBPyConnection, source: _Reader, types: Mapping[str, str]) -> frozenset[str]:
    """Find columns of instants whose zone was lost as they were read: in the text, they have one."""
    from sqlglot import exp

    names = [name for name, kind in types.items() if _kind(kind) == "moment"]
    relation = source.relation(dict.fromkeys(names, "VARCHAR"))
    if not names or relation.format == "parquet":
        return frozenset()
    tests = [_all(_matches(exp.cast(exp.column(name, quoted=True), "varchar"), _MOMENT + _ZONE)) for name in names]
    row = connection.sql(
        _select(relation, [exp.alias_(test, f"f{place}") for place, test in enumerate(tests)])
    ).fetchall()[0]
    return frozenset(name for name, is_zoned in zip(names, row, strict=True) if is_zoned)


def _column(name: str, kind: str, facts: Mapping[str, Any], *, is_zoned: bool) -> Column:
    return Column(
        name,
        kind,
        filled=facts["filled"],
        distinct=facts.get("distinct") or 0,
        least=str(facts.get("least") or ""),
        greatest=str(facts.get("greatest") or ""),
        longest=facts.get("longest") or 0,
        better_type="timestamptz" if is_zoned else _better(kind, facts),
        is_currency=bool(facts.get("currency")),
    )


def _better(kind: str, facts: Mapping[str, Any]) -> str:
    if facts.get("day"):
        return "date"
    if facts.get("zoned") or "TIME ZONE" in kind:
        return "timestamptz"
    if facts.get("moment"):
        return "timestamp"
    return "decimal(18,2)" if facts.get("cents") and kind in {"DOUBLE", "FLOAT"} else ""


def _pairs(columns: Iterable[Column], rows: int) -> list[tuple[str, str]]:
    """Choose pairs of columns that may be unique together, where no column is so alone."""
    able = [column for column in columns if column.filled == rows and column.kind in {"text", "whole", "day", "moment"}]
    if any(column.distinct == rows for column in able):
        return []
    pairs = [(one, two) for place, one in enumerate(able[:_WIDE]) for two in able[place + 1 : _WIDE]]
    return [(one.name, two.name) for one, two in pairs if one.distinct * two.distinct >= rows]


_WIDE: Final = 12
"""In so many columns, from the left, a key of two is looked for."""


def _pair_counts(
    connection: DuckDBPyConnection, relation: FileRelation, pairs: Sequence[tuple[str, str]]
) -> dict[tuple[str, ...], int]:
    from sqlglot import exp

    if not pairs:
        return {}
    counts = []
    for place, pair in enumerate(pairs):
        row = exp.Anonymous(this="row", expressions=[exp.column(name, quoted=True) for name in pair])
        counts.append(exp.alias_(exp.Count(this=exp.Distinct(expressions=[row])), f"f{place}"))
    return dict(zip(pairs, connection.sql(_select(relation, counts)).fetchall()[0], strict=True))


def _kind(sql_type: str) -> str:
    name = sql_type.partition("(")[0]
    if sql_type.endswith("]") or name in {"STRUCT", "MAP", "UNION", "JSON", "BLOB", "BIT", "INTERVAL", "TIME"}:
        return "other"
    if name.startswith("TIMESTAMP"):
        return "moment"
    if name in {"FLOAT", "DOUBLE", "DECIMAL"}:
        return "real"
    kinds = {"DATE": "day", "BOOLEAN": "boolean", "VARCHAR": "text", "ENUM": "text", "UUID": "text"}
    return kinds.get(name, "whole" if "INT" in name else "other")


def _ending(file: Path) -> str:
    from kpi_engine.builtin.sources.files.folders import ending

    return ending(file)[1]
