"""Columns of an answer beside the KPIs themselves: comparisons with earlier periods, and the currencies that were added."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.catalogue.resolved import Expr, expr
from kpi_engine.planning.shaping import EARLIER

if TYPE_CHECKING:
    from collections.abc import Iterable


def comparison_columns(kpi_id: str, name: str, before: exp.Expr, *, rate: bool) -> dict[str, Expr]:
    """Give the value of an earlier period, and how far the KPI has moved since: in points for a rate, else as a share."""
    earlier = f"{kpi_id}__{name}"
    now, then = (exp.column(column, table=EARLIER, quoted=True) for column in (kpi_id, earlier))
    difference = exp.paren(exp.Sub(this=now, expression=then))
    if rate:
        return {earlier: expr(before), f"{earlier}_points": expr(exp.cast(difference, "double"))}
    change = exp.Div(this=difference, expression=then.copy())
    positive = exp.GT(this=then.copy(), expression=exp.Literal.number(0))
    return {earlier: expr(before), f"{earlier}_change": expr(exp.Case().when(positive, change))}


def currency_checks(kpi_id: str, currencies: Iterable[tuple[exp.Column, exp.Column]]) -> dict[str, Expr]:
    """Keep the lowest and the highest currency in a KPI's sums: where they differ, amounts of two currencies were added."""
    pairs = sorted(currencies, key=lambda pair: pair[0].sql())
    if not pairs:
        return {}
    low, high = (_extreme(name, [pair[side] for pair in pairs]) for side, name in enumerate(("LEAST", "GREATEST")))
    return dict(zip(currency_columns(kpi_id), (expr(low), expr(high)), strict=True))


def currency_columns(kpi_id: str) -> tuple[str, str]:
    """Name the hidden columns that hold the lowest and the highest currency in a KPI's sums."""
    return f"__low__{kpi_id}", f"__high__{kpi_id}"


def _extreme(function: str, columns: list[exp.Column]) -> exp.Expr:
    return columns[0] if len(columns) == 1 else exp.func(function, *columns)
