"""Distinct entities of many overlapping stretches of time, without repeating an entity for each stretch.

Problem: who was active in the last 28 days is asked for every day, and an entity belongs to 28 of the answers. Shape: an entity is in
a piece of time once, whatever the number of its rows, and *arrives* there from the piece that it was in before. A stretch has an
entity once, if it is counted where it arrives from outside the stretch. So it is enough to know how many entities arrived in each
piece from each other; from where matters only as far back as a stretch reaches that holds both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.catalogue.resolved import ROWS
from kpi_engine.formula.trees import column, integer, named
from kpi_engine.sql.rendering import Constants, alias, constants

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PIECE = "__piece"
ENTITY = "__entity"
BEFORE = "__before"
_REACH = "__reach"


def own_column(name: str) -> exp.Column:
    """Name a column of the rows at hand."""
    return column(name, ROWS)


def counted_arrivals(rows: exp.Select, keys: Sequence[str], reach: Mapping[int, int]) -> exp.Select:
    """Count the entities that arrive in each piece from each other, for each member of `keys`.

    `rows` has every entity once for each piece it is in; `reach` gives, for each piece, the first that shares a stretch with it.
    """
    columns = {PIECE: Constants("INT", list(reach)), "low": Constants("INT", list(reach.values()))}
    before, low = own_column(BEFORE), column("low", _REACH)
    counted = exp.Select(
        expressions=[
            own_column(PIECE),
            named(exp.Case().when(exp.GTE(this=before, expression=low), before), BEFORE),
            *(own_column(key) for key in keys),
            named(exp.Count(this=own_column(ENTITY)), ENTITY),
        ]
    ).from_(exp.Subquery(this=_arriving(rows, keys), alias=alias(ROWS)), copy=False)
    here = exp.EQ(this=own_column(PIECE), expression=column(PIECE, _REACH))
    table = exp.Subquery(this=constants(columns), alias=alias(_REACH))
    counted = counted.join(table, on=here, join_type="inner", copy=False)
    return counted.group_by(*(integer(n + 1) for n in range(2 + len(keys))), copy=False)


def _arriving(rows: exp.Select, keys: Sequence[str]) -> exp.Select:
    """Give each entity, at each piece it is in, the piece that it was in before."""
    before = exp.Window(
        this=exp.Lag(this=own_column(PIECE)),
        partition_by=[*(own_column(key) for key in keys), own_column(ENTITY)],
        order=exp.Order(expressions=[exp.Ordered(this=own_column(PIECE), nulls_first=False)]),
    )
    select = exp.Select(expressions=[exp.Star(), named(before, BEFORE)])
    return select.from_(exp.Subquery(this=rows, alias=alias(ROWS)), copy=False)


def arrived_since(first: exp.Expr) -> exp.Expr:
    """Say that an entity was in no piece of a stretch before this one; the stretch begins with the piece `first`."""
    before = own_column(BEFORE)
    unknown = exp.Is(this=before, expression=exp.Null())
    return exp.Paren(this=exp.Or(this=unknown, expression=exp.LT(this=before, expression=first)))
