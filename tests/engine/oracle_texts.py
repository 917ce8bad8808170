"""The oracle's models and questions as the engine reads them: definitions, tables, arguments of `run`."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    import duckdb
    from oracle_model import Condition, Dataset, Formula, Input, Kpi, Model, Question

TYPES = {
    "int": "BIGINT", "money": "DECIMAL(18,2)", "float": "DOUBLE", "text": "VARCHAR", "bool": "BOOLEAN",
    "date": "DATE", "local": "TIMESTAMP", "utc": "TIMESTAMP", "instant": "TIMESTAMPTZ",
}  # fmt: skip
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
SIGNS = {"eq": "=", "ne": "<>", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
OPERATORS = {"ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}


def literal(value: Any) -> str:
    """Write a value as SQL."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return (
            f"TIMESTAMPTZ '{value.isoformat(sep=' ')}'" if value.tzinfo else f"TIMESTAMP '{value.isoformat(sep=' ')}'"
        )
    if isinstance(value, date):
        return f"DATE '{value.isoformat()}'"
    if isinstance(value, int | float | Decimal):
        return str(value)
    return "'" + value.replace("'", "''") + "'"


def definitions(model: Model) -> dict[str, Any]:
    """Write a model as the definitions of a project."""
    almanac = model.almanac
    return {
        "calendar": {
            "timezone": almanac.zone, "week_start": WEEKDAYS[almanac.week_start], "fiscal_year_start": MONTHS[almanac.fiscal_start - 1],
        },
        "datasets": {name: _dataset(dataset) for name, dataset in model.datasets.items()},
        "kpis": {name: _kpi(kpi) for name, kpi in model.kpis.items()},
    }  # fmt: skip


def _dataset(dataset: Dataset) -> dict[str, Any]:
    found: dict[str, Any] = {
        "dimensions": {name: None if path == name else path for name, path in dataset.dimensions.items()},
        "columns": {name: {"zone": "UTC"} for name, kind in dataset.types.items() if kind == "utc"},
        "joins": {
            name: {"to": link.to, "keys": dict(link.keys), **({"valid": list(link.valid)} if link.valid else {})}
            for name, link in dataset.joins.items()
        },
        "times": dict(dataset.times),
    }
    if dataset.key:
        found["key"] = list(dataset.key)
    if dataset.time:
        found["time"] = dataset.time
    if dataset.entity:
        keep = "forever" if dataset.keep_days is None else f"{dataset.keep_days} days"
        found["snapshot"] = {"of": list(dataset.entity), "keep": keep}
    return found


def _kpi(kpi: Kpi) -> dict[str, Any]:
    found: dict[str, Any] = {
        "inputs": {name: _input(each) for name, each in kpi.inputs.items()},
        "formula": formula(kpi.formula),
    }
    if kpi.percent:
        found["format"] = "percent"
    if kpi.empty_unknown:
        found["empty"] = "unknown"
    return found


def _input(used: Input) -> dict[str, Any]:
    found: dict[str, Any] = {"from": used.source}
    if used.where is not None:
        found["where"] = condition(used.where)
    if used.offset is not None:
        found["offset"] = used.offset if isinstance(used.offset, str) else f"{used.offset[0]} {used.offset[1]}"
    for name in ("time", "take"):
        if getattr(used, name):
            found[name] = getattr(used, name)
    if used.covers:
        key, value = {
            "all": ("all_time", True),
            "to_date": ("to_date", used.covers[-1]),
            "window": ("window", " ".join(map(str, used.covers[1:]))),
        }[used.covers[0]]
        found[key] = value
    for name in ("across", "per"):
        if values := list(getattr(used, name)):
            found[name] = sorted(values) if name == "across" else values
    return found


def condition(each: Condition) -> str:
    """Write a condition in the formula language."""
    kind, *rest = each
    if kind == "not":
        return f"not ({condition(rest[0])})"
    if kind in {"and", "or"}:
        return f" {kind} ".join(f"({condition(part)})" for part in rest)
    if kind == "null":
        return f"{rest[0]} is null"
    if kind == "in":
        return f"{rest[0]} in ({', '.join(literal(value) for value in rest[1])})"
    return f"{rest[0]} {SIGNS[kind]} {literal(rest[1])}"


def formula(each: Formula) -> str:
    """Write a formula."""
    kind = each[0]
    if kind in {"num", "input"}:
        return str(each[1])
    if kind == "coalesce":
        return f"coalesce({formula(each[1])}, {each[2]})"
    if kind == "agg":
        _, function, name, path, where = each
        column = name if path is None else f"{name}.{path}"
        call = {"distinct": f"count(distinct {column})", "known": f"count({column})"}.get(
            function, f"{function}({column})"
        )
        return call if where is None else f"{call} filter (where {condition_of(where, name)})"
    return f"({formula(each[1])}) {kind} ({formula(each[2])})"


def condition_of(each: Condition, name: str) -> str:
    """Write a condition inside an aggregate, each column with its input before it."""
    kind, *rest = each
    if kind in {"not", "and", "or"}:
        return condition_prefixed(kind, [condition_of(part, name) for part in rest])
    return condition((kind, f"{name}.{rest[0]}", *rest[1:]))


def condition_prefixed(kind: str, parts: list[str]) -> str:
    """Join conditions that are already written."""
    return f"not ({parts[0]})" if kind == "not" else f" {kind} ".join(f"({part})" for part in parts)


def create(connection: duckdb.DuckDBPyConnection, model: Model) -> None:
    """Make the model's tables in a DuckDB database."""
    for name, dataset in model.datasets.items():
        columns = ", ".join(f'"{column}" {TYPES[kind]}' for column, kind in dataset.types.items())
        connection.execute(f'CREATE TABLE "{name}" ({columns})')
        tuples = [f"({', '.join(literal(row[column]) for column in dataset.types)})" for row in dataset.rows]
        if tuples:
            connection.execute(f'INSERT INTO "{name}" VALUES {", ".join(tuples)}')


def arguments(question: Question, as_of: str) -> dict[str, Any]:
    """Write a question as the arguments of `run`."""
    found: dict[str, Any] = {
        "kpis": list(question.kpis),
        "by": list(question.by),
        "as_of": as_of,
        "where": _where(question.where),
    }
    if question.grain:
        found["grain"] = question.grain
    if question.period.text:
        found["period"] = question.period.text
    if question.compare:
        found["compare"] = list(question.compare)
    return found


def _where(conditions: Iterable[Condition]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for each in conditions:
        if each[0] == "not" and each[1][0] == "in":
            found.setdefault(each[1][1], {})["not_in"] = list(each[1][2])
        elif each[0] == "not":
            found.setdefault(each[1][1], {})["is_null"] = False
        elif each[0] == "null":
            found.setdefault(each[1], {})["is_null"] = True
        else:
            found.setdefault(each[1], {})[OPERATORS.get(each[0], "=" if each[0] == "eq" else "in")] = (
                list(each[2]) if each[0] == "in" else each[2]
            )
    return found
