"""Ranks of rows, and rows that are given the position of their member."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.formula.trees import column, identifier, named
from kpi_engine.planning.ranking import TOP
from kpi_engine.sql.finite import finite
from kpi_engine.sql.rendering import PERIOD_NUMBER, alias, dimension

if TYPE_CHECKING:
    from kpi_engine.planning.nodes import Derive, Rank, Top

RANKED = "__ranked"
"""The rows of a plan with their ranks."""


def ranked(node: Derive, rows: str) -> exp.Select:
    """Add a plan's ranks to its rows."""
    columns = [named(_rank(each, node.align.split), name) for name, each in node.ranks.items()]
    return exp.Select(expressions=[exp.Star(), *columns]).from_(exp.Table(this=identifier(rows)), copy=False)


def placed(select: exp.Select, top: Top | None) -> exp.Select:
    """Give each row the position of its member, where it is one of the first; the unknown member is one like any other."""
    if top is None:
        return select
    rows = exp.Table(this=identifier(TOP), alias=alias(TOP))
    same = exp.NullSafeEQ(this=column(dimension(top.name), TOP), expression=top.expression.tree)
    return select.join(rows, on=same, join_type="left", copy=False)


def first_members(top: Top, below: exp.Select) -> exp.Select:
    """Give the first members and their positions as a table."""
    columns = [named(column(top.name), dimension(top.name)), *(column(name) for name in top.below.shown)]
    return exp.Select(expressions=columns).from_(exp.Subquery(this=below, alias=alias(TOP)), copy=False)


def _rank(each: Rank, split: tuple[str, ...]) -> exp.Expr:
    value = finite(column(each.value))
    order = [exp.Ordered(this=value, desc=each.descending, nulls_first=False)]
    if each.single:
        order += [exp.Ordered(this=column(dimension(name)), desc=False, nulls_first=False) for name in split]
        return exp.Window(this=exp.RowNumber(), order=exp.Order(expressions=order))
    tests = [_is_known(value)]
    groups: list[exp.Expr] = [column(PERIOD_NUMBER), *(column(dimension(name)) for name in each.within)]
    if each.apart:
        there = _is_known(column(dimension(each.apart)))
        tests.append(there)
        groups.append(there)
    place = exp.Window(this=exp.Anonymous(this="rank"), partition_by=groups, order=exp.Order(expressions=order))
    return exp.Case(ifs=[exp.If(this=exp.and_(*tests, copy=False), true=place)])


def _is_known(tree: exp.Expr) -> exp.Expr:
    return exp.Not(this=exp.Is(this=tree, expression=exp.Null()))
