"""What can be wrong with a dataset, all of it at once."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import available_timezones

from sqlglot import exp
from sqlglot.errors import SqlglotError

from kpi_engine.calendar import parse_duration
from kpi_engine.catalogue.kpis import Fault
from kpi_engine.errors import KpiError, nearest
from kpi_engine.formula.gate import Mistake, Refused, read

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kpi_engine.catalogue.names import Names
    from kpi_engine.definitions.models import Dataset, Join


def query_tables(query: exp.Expr) -> tuple[str, ...]:
    """Name the tables that a dataset's query reads, without the ones it defines itself."""
    own = {cte.alias for cte in query.find_all(exp.CTE)}
    return tuple(dict.fromkeys(table.name for table in query.find_all(exp.Table) if table.name not in own))


def dataset_faults(dataset_id: str, names: Names, sources: Mapping[str, object]) -> list[Fault]:
    """Find every mistake in a dataset's definition."""
    model = names.datasets[dataset_id]
    faults = [*_origin(dataset_id, model, names, sources)]
    if any(fault.path[0] in {"sql", "table", "transform", "from"} for fault in faults):
        return faults
    return [
        *faults,
        *_columns(dataset_id, model, names),
        *_times(dataset_id, names),
        *_dimensions(dataset_id, names),
        *(fault for name, join in model.joins.items() for fault in _join(dataset_id, name, join, names)),
        *_snapshot(dataset_id, model, names),
    ]


def _origin(dataset_id: str, model: Dataset, names: Names, sources: Mapping[str, object]) -> Iterator[Fault]:
    given = [key for key in ("table", "sql", "transform") if getattr(model, key)]
    if len(given) > 1:
        message = f"a dataset has one origin, and this has {' and '.join(f'`{key}`' for key in given)}"
        yield Fault((given[1],), Mistake("two_origins", message, hint="keep one of them"))
    if model.source and model.source not in sources:
        hint = nearest(model.source, sources) or "declare it in kpi.yaml under `sources:`"
        yield Fault(("source",), Mistake("unknown_source", f"there is no source `{model.source}`", 0, len(model.source), hint))
    if model.sql:
        yield from _query(dataset_id, model, names)
    if model.transform:
        yield from _transform(dataset_id, model, names)
    elif model.from_:
        yield Fault(("from",), Mistake("from_without_transform", "`from` goes with `transform`", hint="for a table of a source write `table:`"))


def _query(dataset_id: str, model: Dataset, names: Names) -> Iterator[Fault]:
    try:
        query = read(model.sql, "query")
    except Refused as refused:
        for mistake in refused.mistakes:
            yield Fault(("sql",), mistake)
        return
    if cycle := origin_cycle(dataset_id, names.datasets):
        yield Fault(("sql",), Mistake("dataset_cycle", f"the datasets are made of one another: {' → '.join(cycle)}"))
    for table in query.find_all(exp.Table):
        if table.args.get("db") or not isinstance(table.this, exp.Identifier):
            yield Fault(("sql",), Mistake("bad_table", f"`{table.sql('duckdb')}` is not the name of a table of the project"))


def origin_cycle(dataset_id: str, datasets: Mapping[str, Dataset]) -> tuple[str, ...]:
    """Give the cycle that a dataset's origins form, or nothing."""
    path: list[str] = []

    def visit(current: str) -> tuple[str, ...]:
        if current in path:
            return (*path[path.index(current) :], current)
        path.append(current)
        for below in origins(current, datasets):
            if found := visit(below):
                return found
        path.pop()
        return ()

    return visit(dataset_id)


def origins(dataset_id: str, datasets: Mapping[str, Dataset]) -> tuple[str, ...]:
    """Name the datasets that a dataset is made of: those its query or its transform reads."""
    model = datasets[dataset_id]
    if model.transform:
        return (model.from_,) if model.from_ in datasets else ()
    if not model.sql:
        return ()
    try:
        tables = query_tables(read(model.sql, "query"))
    except Refused:
        return ()
    return tuple(table for table in tables if table in datasets and table != dataset_id)


def _transform(dataset_id: str, model: Dataset, names: Names) -> Iterator[Fault]:
    if not model.from_:
        yield Fault(("transform",), Mistake("missing_key", "a transform needs `from`: the dataset it reads"))
    elif model.from_ not in names.datasets:
        hint = nearest(model.from_, names.datasets)
        yield Fault(("from",), Mistake("unknown_dataset", f"there is no dataset `{model.from_}`", 0, len(model.from_), hint))
    elif cycle := origin_cycle(dataset_id, names.datasets):
        yield Fault(("from",), Mistake("dataset_cycle", f"the datasets are made of one another: {' → '.join(cycle)}"))


def _columns(dataset_id: str, model: Dataset, names: Names) -> Iterator[Fault]:
    for name, column in model.columns.items():
        path = ("columns", name)
        if names.spelling(dataset_id, name) is None:
            yield Fault(path, _unknown(dataset_id, name, names))
        if column.type and not _is_type(column.type):
            hint = "for example bigint, double, decimal(18,2), varchar, boolean, date, timestamp, timestamptz"
            yield Fault((*path, "type"), Mistake("unknown_type", f"`{column.type}` is not a type", 0, len(column.type), hint))
        if column.zone and column.zone not in available_timezones():
            hint = nearest(column.zone, available_timezones())
            yield Fault((*path, "zone"), Mistake("unknown_timezone", f"`{column.zone}` is not a time zone", 0, len(column.zone), hint))
        if column.currency and names.spelling(dataset_id, column.currency) is None:
            yield Fault((*path, "currency"), _unknown(dataset_id, column.currency, names))
    for name in model.key:
        if names.spelling(dataset_id, name) is None:
            yield Fault(("key",), _unknown(dataset_id, name, names))


def _unknown(dataset_id: str, name: str, names: Names) -> Mistake:
    hint = nearest(name, names.schema(dataset_id) or {})
    return Mistake("unknown_column", f"dataset `{dataset_id}` has no column `{name}` in its data", 0, len(name), hint)


def _is_type(text: str) -> bool:
    try:
        return exp.DataType.build(text, dialect="duckdb").this != exp.DataType.Type.USERDEFINED
    except (SqlglotError, ValueError):
        return False


def _times(dataset_id: str, names: Names) -> Iterator[Fault]:
    model = names.datasets[dataset_id]
    if names.schema(dataset_id) is None:
        return
    for name, time in {"": model.time, **model.times}.items():
        if time is None:
            continue
        try:
            names.time(dataset_id, name)
        except Refused as refused:
            path = ("times", name) if name else ("time",)
            for mistake in refused.mistakes:
                yield Fault((*path, "sql") if time.sql else path, mistake)


def _dimensions(dataset_id: str, names: Names) -> Iterator[Fault]:
    for name, dimension in names.datasets[dataset_id].dimensions.items():
        try:
            names.dimension(dataset_id, name)
        except Refused as refused:
            for mistake in refused.mistakes:
                yield Fault(("dimensions", name, "sql") if dimension.sql else ("dimensions", name), mistake)


def _join(dataset_id: str, name: str, join: Join, names: Names) -> Iterator[Fault]:
    path = ("joins", name)
    if join.to not in names.datasets:
        hint = nearest(join.to, names.datasets)
        yield Fault((*path, "to"), Mistake("unknown_dataset", f"there is no dataset `{join.to}`", 0, len(join.to), hint))
        return
    for here, there in join.keys.items():
        if names.spelling(dataset_id, here) is None:
            yield Fault((*path, "keys"), _unknown(dataset_id, here, names))
        if names.spelling(join.to, there) is None:
            yield Fault((*path, "keys"), _unknown(join.to, there, names))
    target = names.datasets[join.to]
    if not join.valid and set(join.keys.values()) != set(target.key):
        key = f"`{', '.join(target.key)}`" if target.key else "not declared"
        hint = "join on that key, or say between which columns a row is `valid:`" if target.key else f"declare `key:` in `{join.to}`"
        message = f"a join goes to one row of `{join.to}`, whose key is {key}"
        yield Fault((*path, "keys"), Mistake("join_not_to_key", message, hint=hint))
    for column in join.valid or ():
        if names.spelling(join.to, column) is None:
            yield Fault((*path, "valid"), _unknown(join.to, column, names))
    if join.valid and names.datasets[dataset_id].time is None:
        yield Fault((*path, "valid"), Mistake("no_time", f"`valid` needs a time, and dataset `{dataset_id}` has none"))


def _snapshot(dataset_id: str, model: Dataset, names: Names) -> Iterator[Fault]:
    if model.snapshot is None:
        return
    if model.time is None:
        yield Fault(("snapshot",), Mistake("no_time", "a snapshot needs `time`: when each level was read"))
    for name in model.snapshot.of:
        if names.spelling(dataset_id, name) is None:
            yield Fault(("snapshot", "of"), _unknown(dataset_id, name, names))
    if model.snapshot.keep != "forever":
        try:
            parse_duration(model.snapshot.keep)
        except KpiError as error:
            yield Fault(("snapshot", "keep"), Mistake(error.code, error.message, 0, len(model.snapshot.keep), error.hint))
