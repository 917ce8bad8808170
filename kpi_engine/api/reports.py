"""What an output is given: a report, as plain frozen data in which every number is already computed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kpi_engine.api.sources import ArrowStream

Value = int | float | Decimal | str | bool | date | datetime | None
"""One cell. Unknown is `None`."""


@dataclass(frozen=True)
class Measure:
    """What a KPI is, in the report's language: enough to format, label and judge its values."""

    id: str
    label: str
    description: str = ""
    unit: str = ""
    """`visits`, `EUR`, `EUR / lead`; empty for a pure number."""
    format: Literal["number", "integer", "percent", "duration", "currency"] = "number"
    """How it is written: `percent` shows 0.031 as 3.1 %, `duration` shows seconds as 1:02, `currency` shows the unit as money."""
    decimals: int | None = None
    """Digits after the point, where the definition says so."""
    better: Literal["higher", "lower", "neither"] = "neither"
    """Which direction is good news."""
    additivity: Literal["additive", "semi_additive", "non_additive"] = "non_additive"
    """Whether values may be added up; an output adds nothing up in any case, and may say so."""
    additive_over: tuple[str, ...] = ()
    """Dimensions over which values may be added up all the same, as the definition declares and the data confirm."""
    status: str = "active"
    notice: str = ""
    """What a reader must know before using the number, such as that the practice is discredited."""

    def adds_up_over(self, name: str) -> bool:
        """Whether values may be added up over a dimension, or over the `period`."""
        if self.additivity == "additive" or name in self.additive_over:
            return True
        return self.additivity == "semi_additive" and name != "period"


@dataclass(frozen=True)
class Comparison:
    """An earlier value beside the present one."""

    name: Literal["previous_period", "previous_year"]
    label: str
    """The earlier period in words: `Q2 2026`."""
    value: Value
    change: float | None
    """Relative (0.1 is +10 %), or in fractions of one for a rate (0.01 is one point); None where it cannot be said."""
    kind: Literal["relative", "points"]
    verdict: Literal["good", "bad", "neutral"] = "neutral"


@dataclass(frozen=True)
class Trend:
    """A KPI period by period, for a small chart; the last one may be unfinished."""

    grain: str
    points: tuple[tuple[date, float | None], ...]


@dataclass(frozen=True)
class Failure:
    """Why a KPI has no number."""

    code: str
    message: str
    hint: str = ""


@dataclass(frozen=True)
class Column:
    """One column of a table. `role` says what stands in it; `measure` is there for every role but `dimension`, `period` and `others`.

    `others` follows a dimension: true in a row of all members that were not asked for one by one, whose member is None.
    """

    key: str
    label: str
    role: Literal["dimension", "period", "value", "earlier", "change", "points", "others", "rank", "share"]
    measure: Measure | None = None
    grain: str = ""
    """For the period: how long one is, so that a quarter is written as Q3 2026 and not as its first day."""
    unfinished_from: str = ""
    """For the period: the first one that is not over yet, as an ISO date or time; empty where all are."""
    provisional_from: str = ""
    """For the period: the first one whose figures the source may still change, as an ISO date or time; empty where none is."""


@dataclass(frozen=True)
class Breakdown:
    """A table: its columns, its rows in order, and the totals as a row apart (None where none was asked for)."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]
    totals: tuple[Value, ...] | None = None
    """One cell per column; the cells of dimensions and period are None."""
    arrow: ArrowStream | None = None
    """The same rows as Arrow, for outputs that write files of many rows."""


@dataclass(frozen=True)
class Card:
    """One KPI of a scorecard: its value now, earlier values beside it, its trend, or why there is no value."""

    measure: Measure
    value: Value = None
    comparisons: tuple[Comparison, ...] = ()
    trend: Trend | None = None
    breakdown: Breakdown | None = None
    """For a KPI that means nothing without a split: its values by that split, instead of `value`."""
    failure: Failure | None = None


@dataclass(frozen=True)
class Section:
    """One part of a report: the scorecard of a role (`cards`), or a table (`table`)."""

    title: str
    group: str = ""
    role: str = ""
    cards: tuple[Card, ...] = ()
    table: Breakdown | None = None
    failures: Mapping[str, Failure] = field(default_factory=dict)
    """For a table: the KPIs that were asked for and failed, by id."""


@dataclass(frozen=True)
class Report:
    """All that an output needs."""

    title: str
    language: str
    """`fr` or `en`: for the output's own words, and for how numbers and dates are written."""
    period: str
    """The period in words, in the report's language."""
    sections: tuple[Section, ...]
    as_of: datetime
    unfinished: bool = False
    """Whether the period is not over yet at `as_of`."""
    notices: tuple[str, ...] = ()
    """What must be said wherever the numbers are shown, such as that the data are made up."""
    currency: str = ""
    provisional: bool = False
    """Whether the source may still change figures of the period; `notices` says so in words."""
