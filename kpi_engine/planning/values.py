"""Values of KPIs, as trees over aggregates, and what a sum over no rows is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.catalogue.resolved import INPUT
from kpi_engine.formula.trees import integer
from kpi_engine.planning.columns import currency_checks, rate_checks
from kpi_engine.planning.rows import Context
from kpi_engine.planning.windows import Offset

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kpi_engine.catalogue import Expr, ResolvedKpi
    from kpi_engine.catalogue.resolved import ResolvedInput
    from kpi_engine.planning.windows import Shift

SMALL = 12
"""An aggregate has about so many nodes once it is a value."""


@dataclass(frozen=True)
class Evaluated:
    """A KPI's value as a tree over the Align, and the pairs of columns that hold the lowest and the highest currency in it.

    `size` is how many nodes the tree has. `unrated` are the columns that say for which currency and time a rate is lacking.
    """

    tree: exp.Expr
    currencies: frozenset[tuple[exp.Expr, exp.Expr]] = frozenset()
    size: int = SMALL
    unrated: frozenset[exp.Expr] = frozenset()


def checks(kpi_id: str, values: Iterable[Evaluated]) -> dict[str, Expr]:
    """Give the columns by which it is seen that amounts of several currencies were added, or that one could not be converted."""
    currencies: set[tuple[exp.Expr, exp.Expr]] = set()
    unrated: set[exp.Expr] = set()
    for each in values:
        currencies |= each.currencies
        unrated |= each.unrated
    return {**currency_checks(kpi_id, currencies), **rate_checks(kpi_id, unrated)}


def values_used(kpi: ResolvedKpi, context: Context) -> list[tuple[str, Context]]:
    """Name the KPIs whose values a formula uses, each with what it stands in."""
    used = [node.name for node in kpi.outer.nodes if isinstance(node, exp.Column) and node.table == INPUT]
    return [(kpi.inputs[name].target, inside_of(context, kpi.inputs[name])) for name in dict.fromkeys(used)]


def inside_of(context: Context, source: ResolvedInput) -> Context:
    """Add an input's modifiers to those it stands in; the order is: compared, offset, then what it covers."""
    if not source.has_modifiers:
        return context
    shifts: tuple[Shift, ...] = context.shifts
    if source.offset is not None:
        shifts = (*shifts, Offset(source.offset))
    if source.covers is not None:
        shifts = (*shifts, source.covers)
    return Context(
        shifts,
        context.across | source.across,
        context.across_all or source.across_all,
        context.where | ({source.where} if source.kind == "kpi" and source.where is not None else frozenset()),
        context.currency,
        context.over,
        context.among | (source.among if source.kind == "kpi" else frozenset()),
    )


def inside_kpi(kpi: ResolvedKpi, context: Context) -> Context:
    """Convert into the currency that the KPI says, unless the request, or a KPI above, says another."""
    return replace(context, currency=kpi.model.currency) if kpi.model.currency and not context.currency else context


def is_zero_of_nothing(kpi: ResolvedKpi, source: ResolvedInput) -> bool:
    """Say whether a sum over no rows is 0: a flow of nothing is, a level of nothing is unknown unless `empty: 0` is written."""
    is_level = source.take != "rows" and not source.per
    return str(kpi.model.empty) == "0" and (not is_level or "empty" in kpi.model.model_fields_set)


def sum_of_nothing_is_zero(total: exp.Expr, count: exp.Expr) -> exp.Expr:
    """Over no rows a sum is 0; where rows exist and all their values are unknown, it is unknown."""
    no_rows = exp.EQ(this=or_zero(count), expression=integer(0))
    zero = exp.Case(ifs=[exp.If(this=no_rows, true=integer(0))])
    return exp.Coalesce(this=total, expressions=[zero])


def or_zero(tree: exp.Expr) -> exp.Expr:
    """Take 0 where nothing is known."""
    return exp.Coalesce(this=tree, expressions=[integer(0)])
