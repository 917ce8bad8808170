"""The oracle's models and questions as the engine reads them: definitions, tables, arguments of `run`."""
# ruff: noqa: PLR0911, C901 - a line for each form that is written

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from oracle_model import Param

if TYPE_CHECKING:
    from collections.abc import Iterable

    import duckdb
    from oracle_calendar import Almanac
    from oracle_model import Condition, Dataset, Input, Kpi, Model, Question, Term

TYPES = {
    "int": "BIGINT", "money": "DECIMAL(18,2)", "rate": "DECIMAL(18,6)", "float": "DOUBLE", "text": "VARCHAR", "bool": "BOOLEAN",
    "date": "DATE", "local": "TIMESTAMP", "utc": "TIMESTAMP", "instant": "TIMESTAMPTZ",
}  # fmt: skip
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
SIGNS = {"eq": "=", "ne": "<>", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
OPERATORS = {
    "eq": "eq", "ne": "!=", "lt": "<", "le": "lte", "gt": ">", "ge": "gte", "contains": "contains", "starts": "starts_with",
    "ends": "ends_with", "in": "in", "between": "between",
}  # fmt: skip
TEXTS = {"contains": "contains", "starts": "starts_with", "ends": "ends_with"}


def literal(value: Any) -> str:
    """Write a value as SQL."""
    if isinstance(value, Param):
        return f":{value.name}"
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
            "fiscal_year_named_after": almanac.named_after, **({"units": _units(almanac)} if almanac.units else {}),
        },
        "parameters": {name: {"type": kind, "default": default} for name, (kind, default) in model.parameters.items()},
        "datasets": {name: _dataset(dataset) for name, dataset in model.datasets.items()},
        "kpis": {name: _kpi(kpi) for name, kpi in model.kpis.items()},
    }  # fmt: skip


def _units(almanac: Almanac) -> dict[str, Any]:
    said = {
        "first": {"start": "begins", "name": "called"},
        "last": {"start": "begins", "last": "ends", "name": "called"},
        "day": {"day": "day", "name": "called"},
    }
    return {
        each.name: {
            "from": each.of,
            **said[each.form],
            "outside": each.outside,
            **({"year": each.year} if each.year not in {"", each.name} else {}),
        }
        for each in almanac.units
    }


def _dataset(dataset: Dataset) -> dict[str, Any]:
    found: dict[str, Any] = {
        "dimensions": {name: _place(name, path) for name, path in dataset.dimensions.items()},
        "columns": {name: {"zone": "UTC"} for name, kind in dataset.types.items() if kind == "utc"}
        | {name: {"currency": currency} for name, currency in dataset.currencies.items()},
        "joins": {
            name: {"to": link.to, "keys": dict(link.keys), **({"valid": list(link.valid)} if link.valid else {})}
            for name, link in dataset.joins.items()
        },
        "times": {name: _place(name, path) for name, path in dataset.times.items()},
    }
    if (rates := dataset.rates) is not None:
        keep = "forever" if rates.keep is None else f"{rates.keep[0]} {rates.keep[1]}s"
        through = {"through": rates.through} if rates.through else {}
        found["rates"] = {
            "from": "cur",
            "to": "quote",
            "rate": "rate",
            "keep": keep,
            "inverse": rates.inverse,
            **through,
        }
    if dataset.query:
        found["sql"] = dataset.query
    if dataset.key:
        found["key"] = list(dataset.key)
    if dataset.time:
        found["time"] = dataset.time
    if dataset.entity is not None:
        keep = "forever" if dataset.keep is None else f"{dataset.keep[0]} {dataset.keep[1]}s"
        found["snapshot"] = {"of": list(dataset.entity), "keep": keep}
    return found


def _place(name: str, path: Term) -> Any:
    if isinstance(path, str):
        return None if path == name else path
    return {"sql": term(path)}


def _kpi(kpi: Kpi) -> dict[str, Any]:
    found: dict[str, Any] = {
        "inputs": {name: _input(each) for name, each in kpi.inputs.items()},
        "formula": term(kpi.formula),
    }
    if kpi.percent:
        found["format"] = "percent"
    if kpi.empty_unknown:
        found["empty"] = "unknown"
    if kpi.frame != "whole":
        found["frame"] = kpi.frame
    if kpi.currency:
        found["currency"] = kpi.currency
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
    if used.among:
        found["among"] = {name: _judging(having) for name, having in used.among}
    if used.across:
        found["across"] = sorted(used.across)
    if used.per or used.unit:
        found["per"] = [*used.per, *([used.unit] if used.unit else [])]
    if used.conversion is not None:
        conversion = used.conversion
        same = all(here == there for here, there in conversion.keys)
        found["of"] = [here for here, _ in conversion.keys] if same else dict(conversion.keys)
        found["after"] = conversion.after
        if conversion.within:
            found["within"] = f"{conversion.within[0]} {conversion.within[1]}s"
        if conversion.first:
            found["touch"] = "first"
        if conversion.age:
            found["age"] = conversion.age
    return found


def _judging(having: Iterable[tuple[Any, ...]]) -> str:
    return " and ".join(condition((kind, name, *rest)) for name, kind, *rest in having)


def condition(each: Condition, prefix: str = "") -> str:
    """Write a condition in the formula language, each column with a prefix."""
    kind, *rest = each
    if kind == "not":
        return f"not ({condition(rest[0], prefix)})"
    if kind in {"and", "or"}:
        return f" {kind} ".join(f"({condition(part, prefix)})" for part in rest)
    value = term(rest[0], prefix)
    if kind in {"null", "is"}:
        return f"{value} is {'null' if kind == 'null' else literal(rest[1])}"
    if kind == "in":
        return f"{value} in ({', '.join(map(literal, rest[1]))})"
    if kind == "distinct":
        return f"{value} is distinct from {literal(rest[1])}"
    if kind == "between":
        return f"{value} between {literal(rest[1])} and {literal(rest[2])}"
    if kind in TEXTS:
        return f"{TEXTS[kind]}({value}, {literal(rest[1])})"
    return f"{value} {SIGNS[kind]} {literal(rest[1])}"


def term(each: Term, prefix: str = "") -> str:
    """Write a term or a formula."""
    if isinstance(each, str):
        return f"{prefix}{each}"
    kind, *rest = each
    if kind == "lit":
        return literal(rest[0])
    if kind == "input":
        return str(rest[0])
    if kind == "agg":
        return _aggregate(*rest)
    if kind == "case":
        otherwise = "" if rest[2] is None else f" else {term(rest[2], prefix)}"
        return f"case when {condition(rest[0], prefix)} then {term(rest[1], prefix)}{otherwise} end"
    parts = [term(part, prefix) for part in rest]
    if kind in {"+", "-", "*", "/"}:
        return f"({parts[0]}) {kind} ({parts[1]})"
    return f"-({parts[0]})" if kind == "neg" else f"{kind}({', '.join(parts)})"


def _aggregate(function: str, name: str, column: Term, where: Condition | None) -> str:
    inner = (
        name
        if column is None
        else term(column, f"{name}.")
        if function != "count_if"
        else condition(column, f"{name}.")
    )
    if ":" in function:
        kind, fraction = function.split(":")
        call = f"quantile_{kind}({inner}, {fraction})"
    else:
        word = {"distinct": "count(distinct {})", "known": "count({})"}.get(function, function + "({})")
        call = word.format(inner)
    return call if where is None else f"{call} filter (where {condition(where, f'{name}.')})"


def create(connection: duckdb.DuckDBPyConnection, model: Model) -> None:
    """Make the model's tables in a DuckDB database."""
    for name, dataset in model.datasets.items():
        if dataset.query:
            continue
        columns = ", ".join(f'"{column}" {TYPES[kind]}' for column, kind in dataset.types.items())
        connection.execute(f'CREATE TABLE "{name}" ({columns})')
        tuples = [f"({', '.join(literal(row[column]) for column in dataset.types)})" for row in dataset.rows]
        if tuples:
            connection.execute(f'INSERT INTO "{name}" VALUES {", ".join(tuples)}')


def arguments(question: Question) -> dict[str, Any]:
    """Write a question as the arguments of `run`, or of `members` where it names no KPI."""
    found: dict[str, Any] = {"by": list(question.by), "as_of": question.said}
    if question.kpis:
        found = {"kpis": list(question.kpis), **found}
    else:
        found |= {"of": list(question.of), "dated": question.dated}
    where = _where(question.where)
    for operator, moment in question.periods:
        where.setdefault("period", {})[OPERATORS[operator]] = moment.isoformat()
    optional = {
        "where": where,
        "where_sql": question.where_sql and condition(question.where_sql),
        "grain": question.grains[0] if len(question.grains) == 1 else list(question.grains),
        "period": question.period.text,
        "compare": list(question.compare),
        "having": _having(question.having),
        "order": list(question.order),
        "parameters": dict(question.parameters),
        "rank": list(question.rank),
        "share": list(question.share),
        "top": question.top
        and {"first": question.top.first, "of": question.top.of, "by": question.top.by, "others": question.top.others},
        "like_for_like": question.like_for_like,
        "currency": question.currency,
    }
    found |= {name: value for name, value in optional.items() if value}
    if question.limit is not None:
        found["limit"] = question.limit
    return found if question.dense else found | {"dense": False}


def _having(conditions: Iterable[tuple[str, str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, kind, *rest in conditions:
        found.setdefault(name, {}).update(_operator(kind, rest))
    return found


def _operator(kind: str, rest: list[Any]) -> dict[str, Any]:
    if kind == "null":
        return {"is_null": True}
    return {OPERATORS[kind]: rest[0] if len(rest) == 1 and kind != "in" else list(rest[0]) if kind == "in" else rest}


def _where(conditions: Iterable[Condition]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for each in conditions:
        if each[0] == "among":
            _, name, having, by = each
            found.setdefault(name, {})["among"] = {"having": _having(having), **({"by": by} if by != name else {})}
        elif each[0] == "not":
            kind, name, *rest = each[1]
            found.setdefault(name, {}).update({"is_null": False} if kind == "null" else {"not_in": list(rest[0])})
        else:
            kind, name, *rest = each
            found.setdefault(name, {}).update(_operator(kind, rest))
    return found
