"""Aggregates as SQL: what the language promises of each, where the engines do not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.catalogue.resolved import VALUE
from kpi_engine.formula.trees import as_double, column, integer
from kpi_engine.sql.rendering import PERIOD_NUMBER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kpi_engine.planning.nodes import Aggregate


def aggregation(aggregate: Aggregate, condition: exp.Expr | None) -> exp.Expr:
    """Render an aggregate over the rows that a condition is true for."""
    argument = aggregate.argument.tree if aggregate.argument is not None else exp.Star()
    if aggregate.function == "stddev":
        return _deviation(argument, condition)
    return _filtered(_call(aggregate, argument), condition)


def can_be_merged(aggregate: Aggregate) -> bool:
    """Whether its value over several groups of rows follows from its parts over each."""
    return aggregate.function in {"sum", "count", "min", "max", "avg"}


def partials(aggregate: Aggregate, condition: exp.Expr | None) -> list[exp.Expr]:
    """Render the parts of an aggregate over one group of rows, from which `merged` makes its value over several."""
    if aggregate.function != "avg":
        return [aggregation(aggregate, condition)]
    return [aggregation(replace(aggregate, function=each), condition) for each in ("sum", "count")]


def merged(aggregate: Aggregate, parts: Sequence[exp.Expr]) -> exp.Expr:
    """Render the value of an aggregate from the columns of its parts."""
    if aggregate.function == "avg":
        total, count = (exp.cast(exp.Sum(this=part), "double") for part in parts)
        return exp.Div(this=total, expression=exp.func("NULLIF", count, exp.Literal.number(0)))
    if aggregate.function == "count":
        return exp.cast(exp.Sum(this=parts[0]), "bigint")
    return {"sum": exp.Sum, "min": exp.Min, "max": exp.Max}[aggregate.function](this=parts[0])


def _filtered(call: exp.Expr, condition: exp.Expr | None) -> exp.Expr:
    return call if condition is None else exp.Filter(this=call, expression=exp.Where(this=condition))


def _deviation(argument: exp.Expr, condition: exp.Expr | None) -> exp.Expr:
    """A deviation of numbers of which one is none is unknown; the engine would raise an error."""
    double = as_double(argument)
    finite = exp.Anonymous(this="isfinite", expressions=[double])
    strange = exp.Count(this=_when(exp.Not(this=finite), integer(1)))
    known = exp.Stddev(this=_when(finite, double))
    none = exp.EQ(this=_filtered(strange, condition), expression=integer(0))
    return _when(none, _filtered(known, condition))


def _when(condition: exp.Expr, value: exp.Expr) -> exp.Expr:
    return exp.Case(ifs=[exp.If(this=condition, true=value)])


def _call(aggregate: Aggregate, argument: exp.Expr) -> exp.Expr:
    if aggregate.function in {"median", "quantile_cont"}:
        argument = as_double(argument)  # halfway between two decimals lies beyond their last digit
    simple = {"sum": exp.Sum, "avg": exp.Avg, "min": exp.Min, "max": exp.Max, "median": exp.Median, "count": exp.Count}
    if aggregate.function in {"first", "last"}:
        number = column(PERIOD_NUMBER, VALUE)
        name = "arg_min" if aggregate.function == "first" else "arg_max"
        return exp.Anonymous(this=name, expressions=[argument, number])
    if aggregate.function in simple:
        return simple[aggregate.function](this=argument)
    if aggregate.function == "count_distinct":
        return exp.Count(this=exp.Distinct(expressions=[argument]))
    fraction = exp.Literal.number(repr(aggregate.fraction))
    return exp.Anonymous(this=aggregate.function, expressions=[argument, fraction])
