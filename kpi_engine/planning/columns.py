"""Columns of an answer beside the KPIs themselves: comparisons with earlier periods, and the currencies that were added."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.catalogue.resolved import Expr
from kpi_engine.formula.trees import as_double, column, integer
from kpi_engine.planning.shaping import EARLIER

if TYPE_CHECKING:
    from collections.abc import Iterable


def comparison_columns(kpi_id: str, name: str, before: exp.Expr, *, rate: bool) -> dict[str, Expr]:
    """Give the value of an earlier period, and how far the KPI has moved since: in points for a rate, else as a share."""
    earlier = f"{kpi_id}__{name}"
    now, then = column(kpi_id, EARLIER), column(earlier, EARLIER)
    difference = exp.Paren(this=exp.Sub(this=now, expression=then))
    if rate:
        return {earlier: Expr(before), f"{earlier}_points": Expr(as_double(difference))}
    change = exp.Div(this=difference, expression=then)
    positive = exp.GT(this=then, expression=integer(0))
    return {earlier: Expr(before), f"{earlier}_change": Expr(exp.Case(ifs=[exp.If(this=positive, true=change)]))}


def currency_checks(kpi_id: str, currencies: Iterable[tuple[exp.Column, exp.Column]]) -> dict[str, Expr]:
    """Keep the lowest and the highest currency in a KPI's sums: where they differ, amounts of two currencies were added."""
    pairs = sorted(currencies, key=lambda pair: pair[0].sql())
    if not pairs:
        return {}
    low, high = (_extreme(name, [pair[side] for pair in pairs]) for side, name in enumerate(("LEAST", "GREATEST")))
    return dict(zip(currency_columns(kpi_id), (Expr(low), Expr(high)), strict=True))


def currency_columns(kpi_id: str) -> tuple[str, str]:
    """Name the columns that hold the lowest and the highest currency."""
    return f"__low__{kpi_id}", f"__high__{kpi_id}"


def _extreme(function: str, columns: list[exp.Column]) -> exp.Expr:
    return columns[0] if len(columns) == 1 else exp.func(function, *columns, copy=False)
