"""The plan: a tree of four kinds of node.

    Derive      evaluates formulas, then keeps, sorts and cuts
    └── Align       sets summaries side by side on one frame: members × periods
        └── Summarise   groups rows by the split and by coverage
            └── Read        gives rows: of a dataset, or of a finished Derive below

Nodes are frozen and hold syntax trees of expressions, never SQL text. A column of a Read's rows stands in the table `r` or
`r.join.join`; a summary's columns in an outer expression stand in the table `s.N`, N being the number of a `Reach` of the Align; an earlier value stands in the table `v`,
and a member or limit of the frame in the table `f`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from kpi_engine.calendar import Bucket, Duration, Span, Units
    from kpi_engine.catalogue import Expr, TimeColumn


@dataclass(frozen=True)
class Level:
    """Rows that hold until the next reading of the same entity: `of` are the entity's columns, `keep` how long at most."""

    of: tuple[Expr, ...]
    keep: Duration | None


@dataclass(frozen=True)
class Edge:
    """Rows of the first, or the last, time of a stretch at which `filter` leaves an entity any; `of` are the entity's columns."""

    of: tuple[Expr, ...]
    last: bool
    filter: frozenset[Expr] = frozenset()


@dataclass(frozen=True)
class Among:
    """Rows whose `expression` is one of the members of `name` that the plan `below` keeps.

    A member that it does not know is one without rows: it is kept where the conditions `absent` hold, if there are any.
    """

    expression: Expr
    name: str
    below: Derive
    absent: tuple[Expr, ...] = ()


@dataclass(frozen=True)
class Rate:
    """What one unit of the currency that stands in `currency` is worth in `to` at a row's own time: the column `rate` of the table `name`.

    `dataset` holds the rates. One row of it is valid at an instant: the last, for as long as it is kept.
    """

    name: str
    currency: Expr
    to: str
    dataset: str


@dataclass(frozen=True)
class Top:
    """The members of `name` that the plan `below` keeps, each with its position; rows have that of the member that `expression` is, if any."""

    expression: Expr
    name: str
    below: Derive


@dataclass(frozen=True)
class Converted:
    """The rows of `dataset`, each given to one row of the Read: of the same `keys`, at or before it, the last or the `first`.

    `keys` are pairs of expressions, over these rows and over the Read's. `filter` is over these rows, `base` over the Read's, which
    both hold before rows are given to one another. `argument` is what is aggregated of these rows; they are known until `as_of`.
    """

    dataset: str
    time: TimeColumn
    keys: tuple[tuple[Expr, Expr], ...]
    as_of: datetime
    within: Duration | None = None
    first: bool = False
    filter: frozenset[Expr] = frozenset()
    base: frozenset[Expr] = frozenset()
    argument: Expr | None = None
    rates: tuple[Rate, ...] = ()


@dataclass(frozen=True)
class Cohort:
    """Only the first row of each of `keys`, once for each age at which its unit is over, in the column `AGE`.

    Ages are counted in `units`; `until` is the number of the first unit that is not over. With `oldest` a row stands there once,
    if that age of it is over. Rows that are given to it are known as long as their own unit is over. `filter` holds before the first
    row is looked for.
    """

    keys: tuple[Expr, ...]
    units: Units
    until: int
    filter: frozenset[Expr] = frozenset()
    oldest: int | None = None


@dataclass(frozen=True)
class Read:
    """Rows of a dataset, or of the plan `below`; `time` says when each counts, `level` that each holds until the next, `edge` which count."""

    dataset: str
    time: TimeColumn | None = None
    level: Level | None = None
    below: Derive | None = None
    edge: Edge | None = None
    among: tuple[Among, ...] = ()
    converted: Converted | None = None
    cohort: Cohort | None = None
    top: Top | None = None


@dataclass(frozen=True)
class Cell:
    """One stretch of coverage: rows of `span`, and of the `others` where a period is made of several, grouped by `split`.

    Over levels the rows that hold at the end of the span are taken, however long before they were read. Over the plan below,
    `below` names its periods instead.
    """

    id: int
    span: Span
    split: frozenset[str]
    below: tuple[int, ...] | None = None
    aggregates: frozenset[int] = frozenset()
    """The numbers of the aggregates that are asked for here: only their rows make a member seen."""
    others: tuple[Span, ...] = ()

    @property
    def spans(self) -> tuple[Span, ...]:
        """All its stretches."""
        return (self.span, *self.others)


@dataclass(frozen=True)
class Aggregate:
    """An aggregate of a summary: the rows that every one of `filter` is true for; `argument` None counts rows."""

    function: str
    argument: Expr | None
    filter: frozenset[Expr]
    fraction: float | None = None


@dataclass(frozen=True)
class Summarise:
    """Rows grouped by coverage and split; the columns are `cell`, the names of `split`, and `a0`, `a1` … for `aggregates`.

    `rates` are those by which the aggregates convert amounts.
    `leaf` names the table that holds the answer already, with the types of its columns, where it was computed where its data live.
    `until` is the moment from which rows are not known; only where the clock shows the time twice, and cells alone cannot say it.
    """

    read: Read
    split: Mapping[str, Expr]
    cells: tuple[Cell, ...]
    aggregates: tuple[Aggregate, ...]
    rates: tuple[Rate, ...] = ()
    leaf: tuple[str, Mapping[str, str]] | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Reach:
    """How an Align reaches a summary: for each period of the frame the cell that holds its values.

    `present` is whether the cells are the frame's own periods, neither shifted nor compared. `counts` are the aggregates that count
    the rows wanted here, where the frame is not dense: a cell may be another period's too, which wants other rows of it.
    """

    summary: int
    cells: tuple[int, ...]
    present: bool
    counts: tuple[int, ...] = ()


@dataclass(frozen=True)
class Align:
    """Summaries side by side on one frame of the members of `split` × `periods`.

    `dense` False keeps only the members and periods that were observed: in the period itself, or, where `earlier`, in any stretch
    that an input of the period covers. `admits` is there where every other period has a row as well, of unknown members: it holds the
    conditions under which these are asked for. `labels` are further names of the periods: by grain, the start of the unit of each, or
    the name of a unit of the project's own.
    `limits` are numbers beside the periods: for each, the first age at which nothing is known of its cohorts, or None.
    """

    summaries: tuple[Summarise, ...]
    reaches: tuple[Reach, ...]
    split: tuple[str, ...]
    periods: tuple[Bucket, ...]
    dense: bool = True
    earlier: bool = False
    admits: tuple[Expr, ...] | None = None
    labels: Mapping[str, tuple[datetime | str | None, ...]] = field(default_factory=dict)
    limits: tuple[tuple[int | None, ...], ...] = ()
    numbers: tuple[int, ...] = ()
    """What the periods are called instead of by their start, where they are parts of the calendar."""
    stretches: tuple[int, ...] = ()
    """For each period the longer stretch that it lies in, where a member has periods only in those stretches in which it is seen."""


@dataclass(frozen=True)
class Sort:
    """One key of the order of rows: a column of the Derive; with `known`, only whether it has a value."""

    column: str
    descending: bool = False
    known: bool = False


@dataclass(frozen=True)
class Rank:
    """The place of a row by a value, among the rows of its period that have the same `within`: 1, 2, 2, 4.

    An unknown value has none, nor has a row where `apart` is unknown. With `single` no two rows have the same: members decide.
    """

    value: str
    within: tuple[str, ...]
    descending: bool
    apart: str = ""
    single: bool = False


@dataclass(frozen=True, eq=False)
class Derive:
    """Formulas over an Align, then having, order and limit.

    `values` come in order; one may use an earlier one as a column of the table `v`. `shown` names those of the answer.
    `period` is the name of the period's column, empty where the request has no grain; `period_is_date` is False below a day.
    `ranks` are columns made of values. `position` names the column of the split that is unknown for the members that are not among the
    first: these rows are there where `others` says so.
    """

    align: Align
    values: Mapping[str, Expr]
    shown: tuple[str, ...]
    period: str = ""
    period_is_date: bool = True
    having: tuple[Expr, ...] = ()
    order: tuple[Sort, ...] = ()
    limit: int | None = None
    ranks: Mapping[str, Rank] = field(default_factory=dict)
    position: str = ""
    others: bool = False


@dataclass(frozen=True)
class Bounds:
    """The first and last time of a Read's rows before `as_of`: what a request without a period spans."""

    read: Read
    filter: frozenset[Expr]
    as_of: datetime


def chosen_by(read: Read) -> tuple[Derive, ...]:
    """Give the plans of the members that a Read's rows are chosen, or told apart, by."""
    return tuple(each.below for each in (*read.among, *(() if read.top is None else (read.top,))))


def plans_below(read: Read) -> tuple[Derive, ...]:
    """Give the plans that a Read's rows come from, or are chosen by."""
    return (*chosen_by(read), *(() if read.below is None else (read.below,)))


def top_of(derive: Derive) -> Top | None:
    """Give the one choice of members that reads of a plan rely on, also in the plans that its rows come from."""
    return next(filter(None, (top_of_read(summary.read) for summary in derive.align.summaries)), None)


def top_of_read(read: Read) -> Top | None:
    """Give the choice of members that a Read relies on, itself or in the plan that its rows come from."""
    return read.top if read.below is None else top_of(read.below)


def keeping(derive: Derive) -> tuple[Derive, ...]:
    """Give the plans by which rows are chosen, at any depth."""
    found: list[Derive] = []
    for summary in derive.align.summaries:
        found += chosen_by(summary.read)
        found += [below for each in plans_below(summary.read) for below in keeping(each)]
    return tuple(found)


def leaf_reads(derive: Derive) -> tuple[Read, ...]:
    """Give every Read of a dataset in a plan, also in the plans below."""
    found: list[Read] = []
    for summary in derive.align.summaries:
        if summary.read.below is None:
            found.append(summary.read)
        found += [read for below in plans_below(summary.read) for read in leaf_reads(below)]
    return tuple(found)
