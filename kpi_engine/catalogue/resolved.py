"""What the catalogue hands on: KPIs and inputs with every name resolved, frozen."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from sqlglot import exp

from kpi_engine.formula.analysis import conjuncts
from kpi_engine.formula.trees import nodes, sql

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kpi_engine.calendar import AgeUnit, Coverage, Duration, FirstDay, Grain
    from kpi_engine.definitions.models import Kpi
    from kpi_engine.formula.units import Unit

ROWS = "r"
"""The table name of a dataset's own columns in a resolved tree; a column reached through joins stands in `r.join.join`."""
INPUT = "input\x1f"
"""The table name, in a formula's outer tree, of the columns that stand for KPI inputs; no text that passes the gate can hold it."""
VALUE = "__value"
"""The column, among the rows of a `per` input over a KPI, that holds the KPI's value."""

GIVEN = "__given"
"""The column, among rows to which others are given, that holds what is aggregated of those."""

AGE = "__age"
"""The column, among the rows of a cohort, that holds how many units after the cohort's own a row counts."""

Additivity = Literal["additive", "semi_additive", "non_additive"]


@dataclass(frozen=True, eq=False)
class Expr:
    """A syntax tree that nobody changes, compared and hashed by its text."""

    tree: exp.Expr = field(repr=False)

    @cached_property
    def text(self) -> str:
        """As SQL."""
        return sql(self.tree)

    @cached_property
    def nodes(self) -> tuple[exp.Expr, ...]:
        """All the nodes it has."""
        return tuple(nodes(self.tree))

    @cached_property
    def kinds(self) -> frozenset[type[exp.Expr]]:
        """The kinds of nodes it has."""
        return frozenset(map(type, self.nodes))

    @cached_property
    def tables(self) -> frozenset[str]:
        """The tables whose columns stand in it."""
        return frozenset(node.table for node in self.nodes if isinstance(node, exp.Column))

    @cached_property
    def conjuncts(self) -> tuple[Expr, ...]:
        """The conditions that it joins with `and`."""
        parts = conjuncts(self.tree)
        return (self,) if parts == (self.tree,) else tuple(map(Expr, parts))

    def __eq__(self, other: object) -> bool:
        """Compare by text."""
        return isinstance(other, Expr) and self.text == other.text

    def __hash__(self) -> int:
        """Hash the text."""
        return hash(self.text)


@dataclass(frozen=True)
class Age:
    """The dimension `name`: how many units of the calendar lie between two moments."""

    name: str
    unit: AgeUnit


@dataclass(frozen=True)
class Followed:
    """Rows of which the first of each entity makes a cohort, which is followed from age to age; `keys` are the entity's trees."""

    keys: tuple[Expr, ...]
    age: Age


@dataclass(frozen=True)
class Conversion:
    """Each row is given to one row of `base`, of the same entity, at or before it: the last one, or the `first`.

    `keys` say what is the same: pairs of trees, over the rows here and over those of `base`. With an `age` the rows of `base` are
    cohorts, and a row counts at the age at which it comes.
    """

    base: ResolvedInput
    keys: tuple[tuple[Expr, Expr], ...]
    within: Duration | None
    first: bool
    age: Age | None = None


@dataclass(frozen=True)
class KeptMembers:
    """The members of the dimension `name` for which a `condition` on the KPIs that it names holds, over all time."""

    name: str
    condition: Expr


@dataclass(frozen=True)
class ResolvedInput:
    """An input with its modifiers read: `target` is a dataset's or a KPI's id.

    `where` is resolved over the rows of a dataset; of a KPI it is as written, and resolved in every dataset under it.
    """

    alias: str
    target: str
    kind: Literal["dataset", "kpi"]
    where: Expr | None = None
    time: str = ""
    take: Literal["closing", "opening", "first", "last", "rows"] = "rows"
    across: frozenset[str] = frozenset()
    across_all: bool = False
    offset: Duration | FirstDay | Literal["period"] | None = None
    covers: Coverage | None = None
    per: tuple[str, ...] = ()
    conversion: Conversion | None = None
    followed: Followed | None = None
    unit: Grain | None = None
    """The unit of time of which it has a row each, where `per` names one."""
    among: frozenset[KeptMembers] = frozenset()

    @property
    def age(self) -> Age | None:
        """The age by which it is counted, where it is a cohort or what a cohort does."""
        return self.followed.age if self.followed else self.conversion.age if self.conversion else None

    @cached_property
    def has_modifiers(self) -> bool:
        """Whether what it reads is read otherwise because of it: at another time, over more, or less of what lies under a KPI."""
        of_kpi = self.kind == "kpi" and (self.where is not None or bool(self.among))
        return of_kpi or bool(self.offset or self.covers or self.across or self.across_all)

    @property
    def is_rows(self) -> bool:
        """Whether it stands inside aggregates."""
        return self.kind == "dataset" or bool(self.per)


@dataclass(frozen=True)
class ResolvedAggregate:
    """An aggregate over the rows of one input; `argument` is None for `count(*)`, trees are over the input's rows.

    `currencies` are the amounts in it whose currency stands in a column, each with that column.
    """

    function: str
    input: str
    argument: Expr | None
    filter: tuple[Expr, ...] = ()
    fraction: float | None = None
    currencies: tuple[tuple[Expr, Expr], ...] = ()


@dataclass(frozen=True)
class ResolvedKpi:
    """A KPI that can be planned: `outer` is over the columns `aggregate.n` and `input.alias`."""

    id: str
    model: Kpi
    outer: Expr
    inputs: Mapping[str, ResolvedInput]
    aggregates: tuple[ResolvedAggregate, ...]
    unit: Unit | None
    additivity: Additivity


@dataclass(frozen=True)
class TimeColumn:
    """When a row counts: an expression over its rows, and what kind of time it gives.

    `date`: a day of the local calendar. `local`: a timestamp without a zone, in `zone` or else in the project's.
    `instant`: a timestamp with a zone.
    """

    expression: Expr
    kind: Literal["date", "local", "instant"]
    zone: str = ""
