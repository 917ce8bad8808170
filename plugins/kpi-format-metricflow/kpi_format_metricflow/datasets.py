"""Semantic models as datasets: their joins, and every dimension within reach."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kpi_format_metricflow.model import GRAINS, ONE_SIDE, PARTS
from kpi_format_metricflow.names import Names, column_of, is_column, spelled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kpi_format_metricflow.model import Dimension, Entity, Manifest, Measure, SemanticModel, Spine

HOPS = 2
"""So many joins lie between a measure and a dimension at most."""
METRIC_TIME = "metric_time"
_EXTRACTED = {"dow": "isodow"}
_NOT_HERE = frozenset({"nanosecond"})


@dataclass(frozen=True)
class Reached:
    """A semantic model within reach: the entities and the models on the way to it, and the path of joins that leads there."""

    model: SemanticModel
    entities: tuple[str, ...] = ()
    passed: tuple[SemanticModel, ...] = ()
    path: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rows:
    """The rows of a semantic model in one role: dated by a time, joined to by a key, or as levels of some entities."""

    model: str
    time: str = ""
    key: tuple[str, ...] = ()
    levels: tuple[str, ...] | None = None


@dataclass
class Datasets:
    """Makes datasets as they are asked for; `dimension_names` are the same for all of them."""

    manifest: Manifest
    names: Names
    dimension_names: Names = field(default_factory=Names)
    unit_names: Names = field(
        default_factory=lambda: Names(taken={"period", *GRAINS, *(f"{grain}s" for grain in GRAINS)})
    )
    made: dict[Rows, str] = field(default_factory=dict)
    definitions: dict[str, dict[str, Any]] = field(default_factory=dict)

    def of_measure(self, measure: Measure) -> str:
        """Name the dataset that a measure is taken of."""
        model = self.model(measure.model)
        time = measure.time or (model.time if model else "")
        level = measure.non_additive
        return self.dataset(Rows(measure.model, time, (), level.groups if level else None))

    def of_model(self, model: SemanticModel) -> str:
        """Name the dataset of a semantic model, dated by its own time."""
        return self.dataset(Rows(model.name, model.time))

    def of_spine(self, spine: Spine) -> str:
        """Name the dataset of a spine: its rows are moments."""
        rows = Rows(f"spine {spine.table}")
        if rows not in self.made:
            name = self.made[rows] = self.names.name(f"dataset {spine.table}".removeprefix("dataset "))
            labels = [(f"{METRIC_TIME}__{grain}", f"{spine.column}__{grain}") for grain in grains(spine.grain)]
            labels += [(f"{METRIC_TIME}__extract_{part}", f"{spine.column}__extract_{part}") for part in PARTS]
            labels += [(f"{METRIC_TIME}__{custom}", column) for custom, column in spine.custom]
            self.definitions[name] = {
                "sql": _select(spine.table, _cuts(spine.column, spine.column, spine.grain)),
                "key": spine.column,
                "time": {"column": spine.column, "label": METRIC_TIME},
                "columns": {spine.column: {"type": "timestamp"}},
                "dimensions": {
                    self.dimension_names.name(label): {"path": path, "label": label} for label, path in labels
                },
            }
        return self.made[rows]

    def units(self) -> dict[str, dict[str, Any]]:
        """Give the units of time that a spine of days names; time that the spine does not reach lies in none of them."""
        spine = self.manifest.custom_spine
        if spine is None:
            return {}
        rows = {"from": self.of_spine(spine), "day": spine.column, "outside": "nothing"}
        return {self.unit_names.name(name): {**rows, "name": column, "label": name} for name, column in spine.custom}

    def dataset(self, rows: Rows) -> str:
        """Name the dataset for rows in a role, and make it where it is not there yet."""
        if rows not in self.made:
            model = self.model(rows.model)
            if model is None:
                raise KeyError(rows.model)
            own = rows.time == model.time and not rows.key and rows.levels is None
            role = [] if own else [*(["by", *rows.key] if rows.key else ["at", rows.time]), *(rows.levels or ())]
            role += ["levels"] if rows.levels is not None else []
            self.made[rows] = self.names.name("_".join([model.name, *role]))
            self.definitions[self.made[rows]] = {}
            self.definitions[self.made[rows]] |= self._definition(model, rows)
        return self.made[rows]

    def model(self, name: str) -> SemanticModel | None:
        """Give a semantic model by name."""
        return next((each for each in self.manifest.models if each.name == name), None)

    def _definition(self, model: SemanticModel, rows: Rows) -> dict[str, Any]:
        found: dict[str, Any] = {"sql": _select(model.table, self._computed(model))}
        if model.label:
            found["label"] = model.label
        if model.description:
            found["description"] = model.description
        if key := rows.key or _key(model):
            found["key"] = [self.column(model, name) for name in key]
        if joins := self._joins(model):
            found["joins"] = joins
        time = model.dimension(rows.time) if rows.time else None
        if time is not None and not rows.key:
            found["time"] = {"column": _time_column(time), "label": _dundered(model, time.name)}
            found["columns"] = {_time_column(time): {"type": "timestamp"}}
        if rows.levels is not None:
            found["snapshot"] = {"of": [self.column(model, name) for name in rows.levels]}
        if not rows.key:
            found["dimensions"] = {
                self.dimension_names.name(label): {"path": path, "label": label}
                for label, path in self._reachable(model, time).items()
            }
        return found

    def _computed(self, model: SemanticModel) -> list[tuple[str, str]]:
        """Give the columns that the table does not have: expressions, and times cut by grains."""
        found = [(_entity_column(e), e.expression) for e in model.entities if not is_column(e.expression)]
        for one in model.dimensions:
            if one.grain:
                found += _cuts(one.name, one.expression, one.grain)
            elif not is_column(one.expression):
                found.append((_dimension_column(one), one.expression))
        for measure in self.manifest.measures:
            if measure.model == model.name and measure_column(measure) == f"m__{measure.name}":
                found.append((f"m__{measure.name}", measure.expression))
        return found

    def column(self, model: SemanticModel, name: str) -> str:
        """Give the column of an entity, or of a dimension."""
        entity = next((each for each in model.entities if each.name == name), None)
        if entity is not None:
            return _entity_column(entity)
        one = model.dimension(name)
        if one is None:
            return name
        return _time_column(one) if one.grain else _dimension_column(one)

    def _joins(self, model: SemanticModel) -> dict[str, dict[str, Any]]:
        """Give the joins to the one side: by each entity, to each semantic model whose rows it identifies."""
        found: dict[str, dict[str, Any]] = {}
        for entity, other in self._neighbours(model):
            names = (entity.name, *_shared(model, other))
            keys = {self.column(model, name): self.column(other, name) for name in names}
            found[_join_name(entity, other)] = self._join(other, names, keys)
        for each in self._reached(model):
            if each.passed and len(each.path) == 1:
                found[each.path[0]] = self._far_join(model, each)
        spine = self.manifest.custom_spine
        for one in model.dimensions if spine is not None else ():
            if spine is not None and one.grain and one.grain in grains("microsecond", "day"):
                found[_spine_join(one)] = {"to": self.of_spine(spine), "keys": {f"{one.name}__day": spine.column}}
        return found

    def _join(self, other: SemanticModel, names: tuple[str, ...], keys: dict[str, str]) -> dict[str, Any]:
        join: dict[str, Any] = {"to": self.dataset(Rows(other.name, "", names)), "keys": keys}
        if bounds := _validity(other):
            join["valid"] = [column_of(bound.expression) for bound in bounds]
        return join

    def _far_join(self, model: SemanticModel, there: Reached) -> dict[str, Any]:
        """Join a model behind another directly: by its key there, and by the partitions that it shares with this one."""
        (between,) = there.passed
        first = next(e for e, other in self._neighbours(model) if other is between and e.name == there.entities[0])
        near = (there.entities[-1], *_shared(between, there.model))
        keys = {
            f"{_join_name(first, between)}.{self.column(between, name)}": self.column(there.model, name)
            for name in near
        }
        beyond = _beyond(model, there.passed, there.model)
        keys |= {self.column(model, name): self.column(there.model, name) for name in beyond}
        return self._join(there.model, (*near, *beyond), keys)

    def _neighbours(self, model: SemanticModel) -> Iterator[tuple[Entity, SemanticModel]]:
        for entity in model.entities:
            for other in self.manifest.models:
                there = next((e for e in other.entities if e.name == entity.name and e.type in ONE_SIDE), None)
                both_dated = entity.type == "natural" and there is not None and there.type == "natural"
                if other is not model and there is not None and not both_dated:
                    yield entity, other

    def _reachable(self, model: SemanticModel, time: Dimension | None) -> dict[str, str]:
        """Give every dimension within reach as its name there and its path here; of two of one name the nearest is meant."""
        found: dict[str, str] = {}
        for own in model.own_entities:
            for label, path in self._elements(model):
                found.setdefault(f"{own}__{label}", path)
        for each in model.entities:
            found.setdefault(each.name, _entity_column(each))
        if time is not None:
            for suffix, path in self._times(time):
                found.setdefault(f"{METRIC_TIME}__{suffix}", path)
        for there in self._reached(model):
            for label, path in self._elements(there.model):
                found.setdefault("__".join((*there.entities, label)), ".".join((*there.path, path)))
        return found

    def _reached(self, model: SemanticModel) -> Iterator[Reached]:
        """Go to every semantic model over joins, nearest first."""
        frontier = [Reached(model)]
        for _ in range(HOPS):
            following = [
                self._further(model, here, entity, other)
                for here in frontier
                for entity, other in self._neighbours(here.model)
                if other is not model and entity.name not in here.entities
            ]
            yield from following
            frontier = following

    def _further(self, model: SemanticModel, here: Reached, entity: Entity, other: SemanticModel) -> Reached:
        """Go one join further; directly, where a partition is shared that the model between has not."""
        entities = (*here.entities, entity.name)
        if not here.entities:
            return Reached(other, entities, (), (_join_name(entity, other),))
        passed = (*here.passed, here.model)
        if _beyond(model, passed, other):
            return Reached(other, entities, passed, (spelled("_".join((*entities, other.name))),))
        return Reached(other, entities, passed, (*here.path, _join_name(entity, other)))

    def _elements(self, model: SemanticModel) -> Iterator[tuple[str, str]]:
        for each in model.entities:
            yield each.name, _entity_column(each)
        for one in model.dimensions:
            if one.grain:
                yield from ((f"{one.name}__{suffix}", path) for suffix, path in self._times(one))
            else:
                yield one.name, _dimension_column(one)

    def _times(self, one: Dimension) -> Iterator[tuple[str, str]]:
        for grain in grains(one.grain):
            yield grain, f"{one.name}__{grain}"
        for part in PARTS:
            yield f"extract_{part}", f"{one.name}__extract_{part}"
        spine = self.manifest.custom_spine
        if spine is not None and one.grain in grains("microsecond", "day"):
            yield from ((custom, f"{_spine_join(one)}.{column}") for custom, column in spine.custom)


def grains(first: str, last: str = "year") -> tuple[str, ...]:
    """Give the grains from one to another that times can be cut by."""
    start = GRAINS.index(first) if first in GRAINS else GRAINS.index("day")
    return tuple(each for each in GRAINS[start : GRAINS.index(last) + 1] if each not in _NOT_HERE)


def measure_column(measure: Measure) -> str:
    """Give what a measure aggregates: a column, a number, or the column that holds its expression."""
    text = measure.expression.strip()
    return text if is_column(text) or text.isdigit() else f"m__{measure.name}"


def _cuts(name: str, expression: str, grain: str) -> list[tuple[str, str]]:
    moment = f"(cast({expression} as timestamp))"
    cut = [(f"{name}__{each}", f"date_trunc('{each}', {moment})") for each in grains(grain)]
    parts = [(f"{name}__extract_{part}", f"extract({_EXTRACTED.get(part, part)} from {moment})") for part in PARTS]
    return [*cut, *parts]


def _select(table: str, computed: list[tuple[str, str]]) -> str:
    columns = "".join(f",\n  {expression} as {name}" for name, expression in computed)
    return f'select *{columns}\nfrom "{table}"'


def _entity_column(entity: Entity) -> str:
    return column_of(entity.expression) if is_column(entity.expression) else f"e__{entity.name}"


def _dimension_column(one: Dimension) -> str:
    return column_of(one.expression) if is_column(one.expression) else f"d__{one.name}"


def _time_column(one: Dimension) -> str:
    """Date rows by the column itself, or by the start of the unit where only that is meant."""
    fine = one.grain in GRAINS[: GRAINS.index("day") + 1]
    return column_of(one.expression) if fine and is_column(one.expression) else f"{one.name}__{one.grain}"


def _key(model: SemanticModel) -> tuple[str, ...]:
    own = next((e.name for e in model.entities if e.type == "primary"), "")
    return (own,) if own else ()


def _shared(model: SemanticModel, other: SemanticModel) -> list[str]:
    """Name the partitions that two models share."""
    return [each.name for each in model.dimensions if each.partition and _is_partition(other, each.name)]


def _beyond(model: SemanticModel, passed: tuple[SemanticModel, ...], other: SemanticModel) -> list[str]:
    """Name the partitions that two models share, and none of those on the way between them."""
    return [name for name in _shared(model, other) if not any(_is_partition(each, name) for each in passed)]


def _is_partition(model: SemanticModel, name: str) -> bool:
    one = model.dimension(name)
    return one is not None and one.partition


def _validity(model: SemanticModel) -> list[Dimension]:
    found = {each.validity: each for each in model.dimensions if each.validity}
    return [found["start"], found["end"]] if {"start", "end"} <= found.keys() else []


def _dundered(model: SemanticModel, name: str) -> str:
    return f"{model.own_entities[0]}__{name}" if model.own_entities else name


def _join_name(entity: Entity, other: SemanticModel) -> str:
    return spelled(f"{entity.name}_{other.name}")


def _spine_join(one: Dimension) -> str:
    return spelled(f"{one.name}_day")
