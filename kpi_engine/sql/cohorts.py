"""Cohorts: the first row of each entity, once for each age that is over, or once for each later row, with the age of that.

Problem: a cohort's size is asked for beside what it did at every age, and must hold the same entities as that: those whose unit of that
age is over. Shape: first rows are numbered by the calendar unit they lie in; an age is a difference of two such numbers, and the ages
of a row that are over are a range, which is unnested. Later rows are known as far as their own unit is over, so that both agree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.catalogue.resolved import AGE, GIVEN, ROWS
from kpi_engine.formula.trees import column, every_column, integer, named
from kpi_engine.sql.conversions import KEY, LATER, TIME, chosen, later_rows, not_after, of_later
from kpi_engine.sql.joins import joined, local
from kpi_engine.sql.rendering import alias, where

if TYPE_CHECKING:
    from kpi_engine.calendar import Units
    from kpi_engine.planning.nodes import Cohort, Read
    from kpi_engine.sql.rendering import Rendering

_UNIT = "__unit"


def followed(read: Read, cohort: Cohort, rendering: Rendering) -> exp.Subquery:
    """Render the rows of a cohort, or the later rows that are given to them."""
    first = exp.Subquery(this=_first(read, cohort, rendering), alias=alias(ROWS))
    own = column(_UNIT, ROWS)
    tests: list[exp.Expr] = []
    if cohort.oldest is not None:
        tests.append(exp.LT(this=_plus(own, cohort.oldest), expression=integer(cohort.until)))
    if read.converted is None:
        columns: list[exp.Expr] = [every_column(ROWS)]
        if cohort.oldest is None:
            over = exp.Sub(this=integer(cohort.until), expression=own)
            ages = exp.Anonymous(this="range", expressions=[integer(0), over])
            columns.append(named(exp.Anonymous(this="unnest", expressions=[ages]), AGE))
        select = exp.Select(expressions=columns).from_(first, copy=False)
        return exp.Subquery(this=where(select, tests), alias=alias(ROWS))
    later = numbered(of_later(TIME), cohort.units)
    age = exp.Sub(this=later, expression=own)
    select = exp.Select(expressions=[every_column(ROWS), of_later(GIVEN), named(age, AGE)]).from_(first, copy=False)
    rows = exp.Subquery(this=later_rows(read.converted, rendering), alias=alias(LATER))
    on: list[exp.Expr] = [
        exp.EQ(this=column(f"{KEY}{n}", ROWS), expression=of_later(f"{KEY}{n}")) for n in range(len(cohort.keys))
    ]
    assert read.time is not None  # noqa: S101 - what has an age has a time
    on.append(not_after(column(TIME, ROWS), read.time, of_later(TIME), read.converted.time))
    select = select.join(rows, on=exp.and_(*on), join_type="inner", copy=False)
    return exp.Subquery(
        this=where(select, [*tests, exp.LT(this=later, expression=integer(cohort.until))]), alias=alias(ROWS)
    )


def _first(read: Read, cohort: Cohort, rendering: Rendering) -> exp.Select:
    """Give the first row of each entity: its keys, its time, and the number of the unit that lies in."""
    assert read.time is not None  # noqa: S101 - what has an age has a time
    time = local(read.time.expression.tree, read.time.kind, read.time.zone, rendering.zone)
    columns = [
        every_column(ROWS),
        named(time, TIME),
        named(numbered(time, cohort.units), _UNIT),
        *(named(key.tree, f"{KEY}{n}") for n, key in enumerate(cohort.keys)),
    ]
    select = exp.Select(expressions=columns).from_(rendering.relations.rows(read.dataset, ROWS), copy=False)
    select = joined(select, read, [*cohort.keys, *cohort.filter, read.time.expression], rendering)
    known = [exp.Not(this=exp.Is(this=tree, expression=exp.Null())) for tree in (time, *(k.tree for k in cohort.keys))]
    select = where(select, [*known, *(each.tree for each in sorted(cohort.filter, key=lambda e: e.text))])
    first = chosen(read, time, [key.tree for key in cohort.keys], rendering, first=True)
    select.set("qualify", exp.Qualify(this=first))
    return select


def numbered(time: exp.Expr, units: Units) -> exp.Expr:
    """Give the number of the calendar unit that a local time lies in."""
    if units.of == "days":
        day = exp.cast(time, "date")
        place: exp.Expr = _plus(
            exp.Paren(this=exp.Sub(this=day, expression=exp.cast(exp.Literal.string("0001-01-01"), "date"))), 1
        )
    else:
        years = exp.Mul(this=exp.Year(this=time), expression=integer(12))
        place = exp.Add(this=years, expression=exp.Sub(this=exp.Month(this=time), expression=integer(1)))
    place = _plus(place, -units.before)
    return exp.Paren(
        this=exp.IntDiv(this=exp.Paren(this=place), expression=integer(units.length)) if units.length > 1 else place
    )


def _plus(tree: exp.Expr, number: int) -> exp.Expr:
    if number == 0:
        return tree
    kind = exp.Add if number > 0 else exp.Sub
    return kind(this=tree, expression=integer(abs(number)))
