"""Conversions: each later row given to one earlier row of the same entity, as rows of the earlier ones with what is aggregated of the later."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.catalogue.resolved import GIVEN, ROWS
from kpi_engine.formula.trees import column, every_column, integer, named
from kpi_engine.planning.nodes import Read
from kpi_engine.sql.joins import joined, local
from kpi_engine.sql.rates import with_rates
from kpi_engine.sql.reading import among
from kpi_engine.sql.rendering import alias, where
from kpi_engine.sql.times import Clock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kpi_engine.catalogue import Expr, TimeColumn
    from kpi_engine.planning.nodes import Converted
    from kpi_engine.sql.rendering import Rendering

LATER = "__later"
_NUMBER, TIME, KEY = "__number", "__time", "__k"


def converted(read: Read, conversion: Converted, rendering: Rendering) -> exp.Subquery:
    """Render the rows of a Read once for each row that is given to them."""
    assert read.time is not None  # noqa: S101 - what comes before another has a time
    here = local(read.time.expression.tree, read.time.kind, read.time.zone, rendering.zone)
    there = of_later(TIME)
    tests: list[exp.Expr] = [
        exp.EQ(this=earlier.tree, expression=of_later(f"{KEY}{n}")) for n, (_, earlier) in enumerate(conversion.keys)
    ]
    tests.append(not_after(here, read.time, there, conversion.time))
    if conversion.within is not None:
        length = exp.Interval(
            this=exp.Literal.string(str(conversion.within.count)), unit=exp.var(conversion.within.unit)
        )
        earliest = exp.Sub(this=there, expression=length)
        tests.append(not_after(earliest, conversion.time, here, read.time))
    select = exp.Select(expressions=[every_column(ROWS), of_later(GIVEN)])
    select = select.from_(rendering.relations.rows(read.dataset, ROWS), copy=False)
    looked_at = [*conversion.base, *(key for _, key in conversion.keys), *(each.expression for each in read.among)]
    select = joined(select, read, [*looked_at, read.time.expression], rendering)
    later = exp.Subquery(this=later_rows(conversion, rendering), alias=alias(LATER))
    select = select.join(later, on=exp.and_(*tests), join_type="inner", copy=False)
    asked = [each.tree for each in sorted(conversion.base, key=lambda e: e.text)]
    select = where(select, [*among(read, rendering), *asked])
    select.set("qualify", exp.Qualify(this=chosen(read, here, [of_later(_NUMBER)], rendering, first=conversion.first)))
    return exp.Subquery(this=select, alias=alias(ROWS))


def not_after(here: exp.Expr, earlier: TimeColumn, there: exp.Expr, later: TimeColumn) -> exp.Expr:
    """Say that a row comes at or before another; where one of the times is a day, days are all that can be compared."""
    if (earlier.kind == "date") != (later.kind == "date"):
        here, there = exp.cast(here, "date", copy=False), exp.cast(there, "date", copy=False)
    return exp.LTE(this=here, expression=there)


def chosen(read: Read, time: exp.Expr, of: list[exp.Expr], rendering: Rendering, *, first: bool) -> exp.Expr:
    """Choose one row for each of something: by time, then by its key, so that it is always the same."""
    keys = [rendering.names.column(read.dataset, name) for name in rendering.names.datasets[read.dataset].key]
    order = [exp.Ordered(this=time, desc=not first, nulls_first=False)]
    order += [exp.Ordered(this=each, nulls_first=False) for each in keys]
    number = exp.Window(this=exp.RowNumber(), partition_by=of, order=exp.Order(expressions=order))
    return exp.EQ(this=number, expression=integer(1))


def later_rows(conversion: Converted, rendering: Rendering) -> exp.Select:
    """Give the later rows, numbered: their keys, their time, and what is aggregated of them."""
    time = conversion.time
    columns = [named(key.tree, f"{KEY}{n}") for n, (key, _) in enumerate(conversion.keys)]
    columns.append(named(local(time.expression.tree, time.kind, time.zone, rendering.zone), TIME))
    given = conversion.argument.tree if conversion.argument is not None else integer(1)
    columns.append(named(given, GIVEN))
    columns.append(named(exp.Window(this=exp.RowNumber()), _NUMBER))
    read = Read(conversion.dataset, time)
    select = exp.Select(expressions=columns).from_(rendering.relations.rows(conversion.dataset, ROWS), copy=False)
    found = list(later_expressions(conversion))
    select = joined(select, read, found, rendering)
    select = with_rates(select, time, conversion.rates, found, rendering)
    known = Clock(time, rendering.zone).before(conversion.as_of)
    return where(select, [known, *(each.tree for each in sorted(conversion.filter, key=lambda e: e.text))])


def later_expressions(conversion: Converted) -> Iterator[Expr]:
    """Give all that is computed over the later rows."""
    yield from (key for key, _ in conversion.keys)
    yield conversion.time.expression
    yield from sorted(conversion.filter, key=lambda e: e.text)
    if conversion.argument is not None:
        yield conversion.argument


def of_later(name: str) -> exp.Column:
    """Name a column of the later rows."""
    return column(name, LATER)
