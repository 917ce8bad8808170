"""What can be wrong with a dataset, all of it at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING
from zoneinfo import available_timezones

from kpi_engine.calendar import parse_duration
from kpi_engine.catalogue.declared import TYPES, is_type
from kpi_engine.catalogue.exchange import rates_faults
from kpi_engine.catalogue.faults import Fault, LeftOut, empty, faults_of, unknown
from kpi_engine.catalogue.graph import cycle, depth, in_a_circle, made_of, origins_below
from kpi_engine.catalogue.terms import contradictions
from kpi_engine.errors import KpiError, nearest
from kpi_engine.formula.gate import Mistake, Refused, read
from kpi_engine.formula.units import parse as parse_unit

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from kpi_engine.catalogue.names import Names
    from kpi_engine.definitions.models import Column, Dataset, Join

MOST_LEVELS = 50
"""So many datasets may be made of one another in a row."""


@dataclass(frozen=True)
class Origins:
    """Where the datasets of a project come from, and what can be wrong with that before any data are looked at."""

    datasets: Mapping[str, Dataset]
    sources: Collection[str]
    left_out: LeftOut

    def faults(self, dataset_id: str) -> list[Fault]:
        """Find every mistake in what a dataset is made of."""
        model = self.datasets[dataset_id]
        found = [
            *self._empty(model),
            *self._one_origin(model),
            *self._source(model),
            *restated_faults(model.restated, ()),
        ]
        return [*found, *self._query(dataset_id), *self._transform(dataset_id)]

    def is_sound(self, dataset_id: str) -> bool:
        """Whether a dataset, and all that it is made of, can be read as far as definitions say."""
        if cycle(dataset_id, self._below):
            return False
        return not any(self._has_faults(each) for each in made_of(dataset_id, self._below))

    def _has_faults(self, dataset_id: str) -> bool:
        if dataset_id not in self._faulty:
            self._faulty[dataset_id] = bool(self.faults(dataset_id))
        return self._faulty[dataset_id]

    @cached_property
    def _below(self) -> Callable[[str], list[str]]:
        return origins_below(self.datasets)

    @cached_property
    def _depths(self) -> dict[str, int]:
        return {}

    @cached_property
    def _faulty(self) -> dict[str, bool]:
        return {}

    def _empty(self, model: Dataset) -> Iterator[Fault]:
        """A key without a value is not as good as no key: where `sql` is empty, a table was not meant."""
        for key in ("source", "table", "sql", "transform", "from_"):
            if key in model.model_fields_set and not str(getattr(model, key)).strip():
                yield Fault((key.rstrip("_"),), empty(key.rstrip("_")), on_key=True)

    def _one_origin(self, model: Dataset) -> Iterator[Fault]:
        given = [key for key in ("table", "sql", "transform") if getattr(model, key)]
        if len(given) > 1:
            message = f"a dataset has one origin, and this has {' and '.join(f'`{key}`' for key in given)}"
            yield Fault((given[1],), Mistake("two_origins", message, hint="keep one of them"), on_key=True)
        if model.from_ and not model.transform:
            hint = "for a table of a source write `table:`, for a query `sql:`"
            yield Fault(
                ("from",), Mistake("from_without_transform", "`from` goes with `transform`", hint=hint), on_key=True
            )
        if model.options and not model.transform:
            mistake = Mistake("options_without_transform", "`options` are those of a `transform`", hint="remove them")
            yield Fault(("options",), mistake, on_key=True)

    def _source(self, model: Dataset) -> Iterator[Fault]:
        if model.source and model.source not in self.sources:
            mistake = unknown(model.source, self.sources, self.left_out, "source")
            hint = mistake.hint if mistake.hint.startswith("did") else "declare it in kpi.yaml under `sources:`"
            yield Fault(("source",), Mistake(mistake.code, mistake.message, 0, mistake.length, hint, mistake.follows))

    def _query(self, dataset_id: str) -> Iterator[Fault]:
        model = self.datasets[dataset_id]
        if not model.sql.strip():
            return
        try:
            read(model.sql, "query")
        except Refused as refused:
            yield from faults_of(("sql",), refused.mistakes)
            return
        if not model.transform:
            yield from self._cycle(dataset_id, "sql")

    def _transform(self, dataset_id: str) -> Iterator[Fault]:
        model = self.datasets[dataset_id]
        if not model.transform:
            return
        if not model.from_:
            mistake = Mistake("missing_key", "a transform needs `from`: the dataset it reads", hint="add `from:`")
            yield Fault(("transform",), mistake, on_key=True)
        elif model.from_ not in self.datasets:
            yield Fault(("from",), unknown(model.from_, self.datasets, self.left_out, "dataset"))
        else:
            yield from self._cycle(dataset_id, "from")

    def _cycle(self, dataset_id: str, key: str) -> Iterator[Fault]:
        """A circle is said once, at the first of its members; what leads into it only follows."""
        found = cycle(dataset_id, self._below)
        if found:
            first = next(name for name in self.datasets if name in found)
            message = in_a_circle("dataset", found)
            hint = "take one of them out of the circle"
            yield Fault((key,), Mistake("dataset_cycle", message, hint=hint, follows=dataset_id != first), on_key=True)
        elif (levels := depth(dataset_id, self._below, self._depths)) > MOST_LEVELS:
            message = f"more than {MOST_LEVELS} datasets are made of one another here"
            follows = levels > MOST_LEVELS + 1
            yield Fault((key,), Mistake("too_deep", message, hint="make fewer of them", follows=follows), on_key=True)


def dataset_faults(dataset_id: str, names: Names, origins: Origins) -> list[Fault]:
    """Find every mistake in a dataset's definition."""
    model = names.datasets[dataset_id]
    return [
        *origins.faults(dataset_id),
        *(fault for name, column in model.columns.items() for fault in _column(dataset_id, name, column, names)),
        *(
            Fault(("key", name), _unknown(dataset_id, name, names))
            for name in model.key
            if _lacks(dataset_id, name, names)
        ),
        *_times(dataset_id, names),
        *_dimensions(dataset_id, names),
        *(
            fault
            for name, join in model.joins.items()
            for fault in _join(dataset_id, name, join, names, origins.left_out)
        ),
        *_snapshot(dataset_id, model, names),
        *rates_faults(dataset_id, model, names),
    ]


def _lacks(dataset_id: str, name: str, names: Names) -> bool:
    return names.spelling(dataset_id, name) is None


def _unknown(dataset_id: str, name: str, names: Names) -> Mistake:
    hint = nearest(name, names.schema(dataset_id) or {})
    return Mistake("unknown_column", f"dataset `{dataset_id}` has no column `{name}` in its data", 0, len(name), hint)


def _column(dataset_id: str, name: str, column: Column, names: Names) -> Iterator[Fault]:
    path = ("columns", name)
    if _lacks(dataset_id, name, names):
        yield Fault(path, _unknown(dataset_id, name, names), on_key=True)
    if column.type and not is_type(column.type):
        mistake = Mistake("unknown_type", f"`{column.type}` is not a type", 0, len(column.type), TYPES)
        yield Fault((*path, "type"), mistake)
    if column.zone and column.zone not in available_timezones():
        hint = nearest(column.zone, available_timezones())
        close = hint if hint.startswith("did") else "write a place, such as Europe/Paris"
        mistake = Mistake("unknown_timezone", f"`{column.zone}` is not a time zone", 0, len(column.zone), close)
        yield Fault((*path, "zone"), mistake)
    elif (clash := names.zone_twice(dataset_id, name)) is not None:
        yield Fault((*path, "zone"), replace(clash, length=len(column.zone), follows=False))
    if column.currency and _lacks(dataset_id, column.currency, names):
        yield Fault((*path, "currency"), _unknown(dataset_id, column.currency, names))
    yield from unit_faults(column.unit, (*path, "unit"))
    yield from contradictions(name, column, names.terms(dataset_id))
    yield from restated_faults(column.restated, path)


def restated_faults(restated: str, path: tuple[str, ...]) -> Iterator[Fault]:
    """Check how it is written how long figures still change."""
    if restated:
        try:
            parse_duration(restated)
        except KpiError as error:
            yield Fault((*path, "restated"), Mistake(error.code, error.message, 0, len(restated), error.hint))


def unit_faults(unit: str, path: tuple[str, ...]) -> Iterator[Fault]:
    """Check how a unit is written."""
    try:
        parse_unit(unit or "1")
    except ValueError:
        hint = "write names with `*` and `/` between them, such as `EUR / lead`"
        yield Fault(path, Mistake("bad_unit", f"`{unit}` is not a unit", 0, len(unit), hint))


def _times(dataset_id: str, names: Names) -> Iterator[Fault]:
    model = names.datasets[dataset_id]
    for name, time in {"": model.time, **model.times}.items():
        if time is None:
            continue
        path = ("times", name) if name else ("time",)
        if bool(time.column) == bool(time.sql):
            message = "a time is a column or an expression" + (
                ", and this is both" if time.sql else ", and this is neither"
            )
            yield Fault(path, Mistake("bad_time", message, hint="write `column:` or `sql:`"), on_key=True)
            continue
        try:
            names.time(dataset_id, name)
        except Refused as refused:
            unread = names.schema(dataset_id) is None
            known = [m for m in refused.mistakes if not (unread and m.code in {"bad_time_type", "unknown_column"})]
            yield from _named(path, "sql" if time.sql else "", time.column or time.sql, known)


def _dimensions(dataset_id: str, names: Names) -> Iterator[Fault]:
    for name, dimension in names.datasets[dataset_id].dimensions.items():
        path = ("dimensions", name)
        if "sql" in dimension.model_fields_set and not dimension.sql.strip():
            yield Fault((*path, "sql"), empty("sql"), on_key=True)
            continue
        if dimension.path and dimension.sql:
            mistake = Mistake(
                "two_origins", "a dimension is a path or an expression, and this is both", hint="keep one of them"
            )
            yield Fault((*path, "sql"), mistake, on_key=True)
        try:
            names.dimension(dataset_id, name)
        except Refused as refused:
            mistakes = [replace(m, follows=m.follows and m.code != "path_too_long") for m in refused.mistakes]
            yield from _named(path, "sql" if dimension.sql else "", dimension.path or name, mistakes)


def _named(path: tuple[str, ...], key: str, written: str, mistakes: Iterable[Mistake]) -> Iterator[Fault]:
    """Give mistakes their key; those of a column or path that is only named are mistakes of the whole name."""
    for mistake in mistakes:
        yield Fault((*path, key), mistake) if key else Fault(path, replace(mistake, offset=0, length=len(written)))


def _join(dataset_id: str, name: str, join: Join, names: Names, left_out: LeftOut) -> Iterator[Fault]:
    path = ("joins", name)
    if join.to not in names.datasets:
        yield Fault((*path, "to"), unknown(join.to, names.datasets, left_out, "dataset"))
        return
    unknown_keys = [
        *(
            Fault((*path, "keys", here), _unknown(dataset_id, here, names), on_key=True)
            for here in join.keys
            if not names.is_path(dataset_id, here) and _lacks(dataset_id, here, names)
        ),
        *_far_keys(dataset_id, name, join, names),
        *(
            Fault((*path, "keys", h), _unknown(join.to, there, names))
            for h, there in join.keys.items()
            if _lacks(join.to, there, names)
        ),
    ]
    yield from unknown_keys
    if not unknown_keys:
        yield from _to_the_key(path, join, names)
    for column in join.valid or ():
        if _lacks(join.to, column, names):
            yield Fault((*path, "valid"), _unknown(join.to, column, names))
    if join.valid and names.datasets[dataset_id].time is None:
        mistake = Mistake(
            "no_time", f"`valid` needs a time, and dataset `{dataset_id}` has none", hint="give it `time:`"
        )
        yield Fault((*path, "valid"), mistake, on_key=True)


def _far_keys(dataset_id: str, name: str, join: Join, names: Names) -> Iterator[Fault]:
    """A key may be reached over another join, which must be there without this one."""
    for here in join.keys:
        if not names.is_path(dataset_id, here):
            continue
        path = ("joins", name, "keys", here)
        if name in _needed(dataset_id, here, names):
            message = f"the join `{name}` of dataset `{dataset_id}` is needed for its own key `{here}`"
            hint = "name a column that is reached without this join"
            yield Fault(path, Mistake("join_in_circle", message, 0, len(here), hint), on_key=True)
            continue
        try:
            names.key(dataset_id, here)
        except Refused as refused:
            yield from (
                Fault(path, replace(each, offset=0, length=len(here)), on_key=True) for each in refused.mistakes
            )


def _needed(dataset_id: str, key: str, names: Names) -> set[str]:
    """Name the joins of a dataset that a key is reached over, and those that the keys of these are."""
    found: set[str] = set()
    waiting = [key]
    while waiting:
        first = waiting.pop().partition(".")[0]
        if first not in found:
            found.add(first)
            keys = names.datasets[dataset_id].joins[first].keys
            waiting += [each for each in keys if names.is_path(dataset_id, each)]
    return found


def _to_the_key(path: tuple[str, ...], join: Join, names: Names) -> Iterator[Fault]:
    """A join goes to one row, so that it can never repeat a row; a mistake in the key there is said there."""
    target = names.datasets[join.to]
    wrong_there = any(_lacks(join.to, name, names) for name in target.key)
    if join.valid or wrong_there or set(join.keys.values()) == set(target.key):
        return
    key = f"is `{', '.join(target.key)}`" if target.key else "is not declared"
    hint = (
        "join on that key, or say between which columns a row is `valid:`"
        if target.key
        else f"declare `key:` in `{join.to}`"
    )
    message = f"a join goes to one row of `{join.to}`, whose key {key}"
    yield Fault((*path, "keys"), Mistake("join_not_to_key", message, hint=hint), on_key=True)


def _snapshot(dataset_id: str, model: Dataset, names: Names) -> Iterator[Fault]:
    if model.snapshot is None:
        return
    if model.time is None:
        mistake = Mistake(
            "no_time", "a snapshot needs `time`: when each level was read", hint="add `time:` to the dataset"
        )
        yield Fault(("snapshot",), mistake, on_key=True)
    for name in model.snapshot.of:
        if _lacks(dataset_id, name, names):
            yield Fault(("snapshot", "of", name), _unknown(dataset_id, name, names))
    if model.snapshot.keep != "forever":
        try:
            parse_duration(model.snapshot.keep)
        except KpiError as error:
            hint = error.hint or "write `forever`, or a length such as `45 days`"
            yield Fault(("snapshot", "keep"), Mistake(error.code, error.message, 0, len(model.snapshot.keep), hint))
