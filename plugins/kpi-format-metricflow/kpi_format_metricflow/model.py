"""What MetricFlow definitions say, the same for both generations of their spelling."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kpi_engine.api import Diagnostic, Place

GRAINS = (
    "nanosecond", "microsecond", "millisecond", "second", "minute", "hour", "day", "week", "month", "quarter", "year",
)  # fmt: skip
PARTS = ("year", "quarter", "month", "day", "dow", "doy")
ONE_SIDE = frozenset({"primary", "unique", "natural"})
"""Entities that a row has to itself, at any one time."""


@dataclass(frozen=True)
class Entity:
    """A key: `type` is primary, unique, natural or foreign."""

    name: str
    type: str
    expression: str
    place: Place


@dataclass(frozen=True)
class Dimension:
    """An attribute; a `grain` makes it a time."""

    name: str
    expression: str
    place: Place
    grain: str = ""
    partition: bool = False
    validity: str = ""
    """`start` or `end` where it says since or until when a row holds."""


@dataclass(frozen=True)
class NonAdditive:
    """Of which rows a level is taken: those of the first or the last time, for each of the groups."""

    dimension: str
    choice: str
    groups: tuple[str, ...]


@dataclass(frozen=True)
class Measure:
    """An aggregate over the rows of a semantic model."""

    name: str
    model: str
    aggregation: str
    expression: str
    place: Place
    time: str = ""
    fraction: float | None = None
    discrete: bool = False
    approximate: bool = False
    non_additive: NonAdditive | None = None


@dataclass(frozen=True)
class Spine:
    """A table of all days, or of all moments of another grain; `custom` are its columns that name other units of time."""

    table: str
    column: str
    grain: str
    custom: tuple[tuple[str, str], ...] = ()
    """Pairs of name and column."""


@dataclass(frozen=True)
class SemanticModel:
    """Rows, and what they may be split by."""

    name: str
    table: str
    place: Place
    label: str = ""
    description: str = ""
    entities: tuple[Entity, ...] = ()
    dimensions: tuple[Dimension, ...] = ()
    primary_entity: str = ""
    time: str = ""

    @property
    def own_entities(self) -> tuple[str, ...]:
        """Name the entities by which its own dimensions are called: each that a row has to itself."""
        own = [each.name for each in self.entities if each.type in ONE_SIDE]
        return tuple(dict.fromkeys([*([self.primary_entity] if self.primary_entity else []), *own]))

    def dimension(self, name: str) -> Dimension | None:
        """Give a dimension by name."""
        return next((each for each in self.dimensions if each.name == name), None)


@dataclass(frozen=True)
class MetricInput:
    """A metric or a measure that another is made of."""

    name: str
    place: Place
    alias: str = ""
    filters: tuple[tuple[str, Place], ...] = ()
    offset_window: str = ""
    offset_to_grain: str = ""
    join_to_spine: bool = False
    fill: str = ""


@dataclass(frozen=True)
class Conversion:
    """Which rows lead to which others."""

    base: MetricInput
    conversion: MetricInput
    entity: str
    calculation: str
    window: str
    constants: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Metric:
    """A number: simple and cumulative ones are of one measure or metric, the others of several metrics."""

    name: str
    type: str
    place: Place
    label: str = ""
    description: str = ""
    filters: tuple[tuple[str, Place], ...] = ()
    inputs: tuple[MetricInput, ...] = ()
    of_measure: bool = False
    """Whether its input is a measure, not a metric."""
    expression: str = ""
    expression_place: Place | None = None
    window: str = ""
    to_date: str = ""
    period_aggregate: str = "first"
    conversion: Conversion | None = None
    grain: str = ""
    """The grain of a request that names none."""


@dataclass(frozen=True)
class Manifest:
    """All that was read."""

    models: tuple[SemanticModel, ...] = ()
    measures: tuple[Measure, ...] = ()
    metrics: tuple[Metric, ...] = ()
    spines: tuple[Spine, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = field(default=())

    def measure(self, name: str) -> Measure | None:
        """Give a measure by name."""
        return next((each for each in self.measures if each.name == name), None)

    def metric(self, name: str) -> Metric | None:
        """Give a metric by name."""
        return next((each for each in self.metrics if each.name == name), None)

    @property
    def custom_spine(self) -> Spine | None:
        """Give the spine of days that names other units of time."""
        return next((each for each in self.spines if each.custom and each.grain == "day"), None)
