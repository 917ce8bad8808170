"""What a column of SQLite holds, and how it is read.

SQLite keeps a value of any type in any column, has no dates and no decimals. A column is what it is declared as; each value is looked
at while it is read, and one that is something else stops the query with a clear message instead of giving a wrong number.
"""

from __future__ import annotations

REFUSE = "kpi_refuse"
"""The function of a connection that stops a query at a value that is not of its column's type."""
_DIGIT = "[0-9]"
_DAY = f"{_DIGIT * 4}-{_DIGIT * 2}-{_DIGIT * 2}"
_TIME = f"{_DAY}[ T]{_DIGIT * 2}:{_DIGIT * 2}:{_DIGIT * 2}"


def type_of(declared: str) -> str:
    """Give the type of a column in DuckDB's words; empty where nothing that is known is declared.

    >>> type_of("VARCHAR(30)"), type_of("decimal(18,2)"), type_of("datetime"), type_of("")
    ('VARCHAR', 'DOUBLE', 'TIMESTAMP', '')
    """
    written = declared.upper()
    if ("TIME ZONE" in written and "WITHOUT" not in written) or written.startswith("TIMESTAMPTZ"):
        return "TIMESTAMPTZ"
    for parts, found in (
        (("DATETIME", "TIMESTAMP"), "TIMESTAMP"),
        (("DATE",), "DATE"),
        (("BOOL",), "BOOLEAN"),
        (("INT",), "BIGINT"),
        (("CHAR", "CLOB", "TEXT", "UUID"), "VARCHAR"),
        (("REAL", "FLOA", "DOUB", "DEC", "NUMERIC", "NUMBER", "MONEY"), "DOUBLE"),
    ):
        if any(part in written for part in parts):
            return found
    return ""


def type_held(types: set[str]) -> str:
    """Give the type of a column that declares none, from the types of the values that it holds.

    >>> type_held({"integer", "real", "null"}), type_held({"text", "integer"})
    ('DOUBLE', '')
    """
    held = types - {"null"}
    if held <= {"integer"} and held:
        return "BIGINT"
    if held <= {"integer", "real"} and held:
        return "DOUBLE"
    return "VARCHAR" if held == {"text"} or not held else ""


def reading(column: str, kind: str) -> str:
    """Give the expression that reads a column as its type."""
    name = '"' + column.replace('"', '""') + '"'
    refused = f"{REFUSE}({name}, {_text(column)}, {_text(kind)})"
    test, value = {
        "BIGINT": (f"TYPEOF({name}) = 'integer'", name),
        "DOUBLE": (f"TYPEOF({name}) IN ('integer', 'real')", f"CAST({name} AS REAL)"),
        "BOOLEAN": (f"{name} IN (0, 1)", name),
        "VARCHAR": (f"TYPEOF({name}) = 'text'", name),
        "DATE": (f"{name} GLOB '{_DAY}' AND DATE({name}, '+0 days') = {name}", name),
        "TIMESTAMP": (_is_time(name), _moment(name)),
        "TIMESTAMPTZ": (_is_instant(name), _moment(_without_zone(name))),
    }[kind]
    return f"CASE WHEN {name} IS NULL THEN NULL WHEN {test} THEN {value} ELSE {refused} END"


def _is_time(name: str) -> str:
    """A day alone is its midnight; otherwise at most six digits of a second."""
    exists = f"DATE(SUBSTR({name}, 1, 10), '+0 days') = SUBSTR({name}, 1, 10) AND TIME(SUBSTR({name}, 12, 8)) = SUBSTR({name}, 12, 8)"
    fraction = f"(LENGTH({name}) = 19 OR ({name} GLOB '{_TIME}.{_DIGIT}*' AND NOT SUBSTR({name}, 21) GLOB '*[^0-9]*' AND LENGTH({name}) <= 26))"
    return f"(({name} GLOB '{_DAY}' AND DATE({name}, '+0 days') = {name}) OR ({name} GLOB '{_TIME}*' AND {fraction} AND {exists}))"


def _is_instant(name: str) -> str:
    return f"({name} GLOB '*Z' OR {name} GLOB '*+00:00' OR {name} GLOB '*+00') AND {_is_time(_without_zone(name))}"


def _without_zone(name: str) -> str:
    return f"(CASE WHEN {name} GLOB '*Z' THEN SUBSTR({name}, 1, LENGTH({name}) - 1) WHEN {name} GLOB '*+00' THEN SUBSTR({name}, 1, LENGTH({name}) - 3) ELSE SUBSTR({name}, 1, LENGTH({name}) - 6) END)"


def _moment(name: str) -> str:
    """Write all moments in one form, so that texts compare as moments do."""
    plain = f"REPLACE({name}, 'T', ' ')"
    return f"CASE LENGTH({name}) WHEN 10 THEN {name} || ' 00:00:00' WHEN 19 THEN {plain} ELSE RTRIM(RTRIM({plain}, '0'), '.') END"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
