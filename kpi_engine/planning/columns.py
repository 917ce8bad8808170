"""Columns of an answer beside the KPIs themselves: comparisons with earlier periods, and the currencies that were added."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.catalogue.resolved import Expr
from kpi_engine.formula.trees import as_double, column, integer
from kpi_engine.planning.shaping import EARLIER

if TYPE_CHECKING:
    from collections.abc import Iterable


_LOW, _HIGH, UNRATED = "__low__", "__high__", "__unrated__"
CHECKS = (_LOW, _HIGH, UNRATED)
"""How columns begin that hold what is looked at before an answer is given."""


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


def currency_checks(kpi_id: str, currencies: Iterable[tuple[exp.Expr, exp.Expr]]) -> dict[str, Expr]:
    """Keep the lowest and the highest currency in a KPI's sums: where they differ, amounts of two currencies were added."""
    pairs = sorted(currencies, key=lambda pair: pair[0].sql())
    if not pairs:
        return {}
    low, high = (_extreme(name, [pair[side] for pair in pairs]) for side, name in enumerate(("LEAST", "GREATEST")))
    return dict(zip(currency_columns(kpi_id), (Expr(low), Expr(high)), strict=True))


def rate_checks(kpi_id: str, unrated: Iterable[exp.Expr]) -> dict[str, Expr]:
    """Keep for which currency and time a KPI lacks a rate: the first of them."""
    columns = sorted(unrated, key=lambda each: each.sql())
    return {unrated_column(kpi_id): Expr(_extreme("LEAST", columns))} if columns else {}


def or_refused(condition: Expr, checks: Iterable[str]) -> Expr:
    """Keep a row that will be refused as well: one that mixes currencies, or lacks a rate, has no value to be dropped for."""
    tree = condition.tree
    for name in checks:
        here = column(name, EARLIER)
        if name.startswith(UNRATED):
            tree = _either(tree, exp.Not(this=exp.Is(this=here, expression=exp.Null())))
        elif name.startswith(_LOW):
            high = column(_HIGH + name.removeprefix(_LOW), EARLIER)
            tree = _either(tree, exp.NEQ(this=here, expression=high))
    return condition if tree is condition.tree else Expr(exp.Paren(this=tree))


def _either(left: exp.Expr, right: exp.Expr) -> exp.Expr:
    return exp.Or(this=exp.Paren(this=left), expression=right)


def unrated_column(kpi_id: str) -> str:
    """Name the column that says for which currency and time a KPI lacks a rate."""
    return f"{UNRATED}{kpi_id}"


def currency_columns(kpi_id: str) -> tuple[str, str]:
    """Name the columns that hold the lowest and the highest currency."""
    return f"{_LOW}{kpi_id}", f"{_HIGH}{kpi_id}"


def _extreme(function: str, columns: list[exp.Expr]) -> exp.Expr:
    return columns[0] if len(columns) == 1 else exp.func(function, *columns, copy=False)
