"""The datasets that a plan reads, and how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kpi_engine.planning.nodes import plans_below
from kpi_engine.sql.conversions import later_expressions
from kpi_engine.sql.joins import reached
from kpi_engine.sql.reading import expressions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kpi_engine.catalogue.names import Names
    from kpi_engine.planning.nodes import Derive, Summarise


@dataclass(frozen=True)
class Dated:
    """A dataset of which at most one row with these keys may be valid at a time."""

    dataset: str
    keys: tuple[str, ...]
    valid: tuple[str, str]


@dataclass(frozen=True)
class Tables:
    """The datasets that a plan reads, those it joins to one row of, and those it joins to the row valid at a time."""

    read: tuple[str, ...]
    joined: tuple[str, ...]
    dated: tuple[Dated, ...] = ()


def tables_of(plan: Derive, names: Names) -> Tables:
    """Name the datasets of a plan, the plans below included."""
    return _together(tables_of_summary(summary, names) for summary in plan.align.summaries)


def tables_of_summary(summary: Summarise, names: Names) -> Tables:
    """Name the datasets of a summary, those of the plans below it included."""
    return _together([tables_read_by(summary, names), *(tables_of(each, names) for each in plans_below(summary.read))])


def tables_read_by(summary: Summarise, names: Names) -> Tables:
    """Name the datasets that a summary reads itself."""
    if summary.read.below is not None:
        return Tables((), ())
    read: dict[str, None] = {}
    joined: dict[str, None] = {}
    dated: dict[Dated, None] = {}
    rates = (*summary.rates, *(summary.read.converted.rates if summary.read.converted else ()))
    joined |= dict.fromkeys(each.dataset for each in rates)
    paths = [(summary.read.dataset, expressions(summary))]
    if (given := summary.read.converted) is not None:
        paths[0][1].extend([*given.base, *(key for _, key in given.keys)])
        paths.append((given.dataset, list(later_expressions(given))))
    if (first := summary.read.cohort) is not None:
        paths[0][1].extend([*first.keys, *first.filter])
    for dataset, every in paths:
        read[dataset] = None
        for hops in reached(dataset, every, names):
            join = names.datasets[names.owner(dataset, hops[:-1])].joins[hops[-1]]
            (read if join.valid else joined)[join.to] = None
            if join.valid:
                dated[Dated(join.to, tuple(join.keys.values()), join.valid)] = None
    return Tables(tuple(read), tuple(joined), tuple(dated))


def _together(every: Iterable[Tables]) -> Tables:
    found = tuple(every)
    read = dict.fromkeys(each for one in found for each in one.read)
    joined = dict.fromkeys(each for one in found for each in one.joined)
    return Tables(tuple(read), tuple(joined), tuple(dict.fromkeys(each for one in found for each in one.dated)))
