"""The rows of an answer once they are computed: which are kept, and how they are sorted."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.catalogue.resolved import Expr
from kpi_engine.errors import RequestError, nearest, shown
from kpi_engine.formula.analysis import parts
from kpi_engine.formula.trees import column, dialect, rewriting
from kpi_engine.planning.nodes import Rank, Sort
from kpi_engine.planning.request import TEXTUAL

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from kpi_engine.catalogue import Catalogue
    from kpi_engine.planning.nodes import Derive
    from kpi_engine.planning.ranking import FirstMembers, Standing
    from kpi_engine.planning.request import Filter, Request

EARLIER = "v"
"""The table name, in an outer expression, of the values that come before it."""


@dataclass(frozen=True)
class Kept:
    """The plan whose members are kept, and the conditions under which a member without rows is; none where it never is."""

    below: Derive
    absent: tuple[Expr, ...]


def of_nothing(conditions: Iterable[Expr], values: Mapping[str, Expr]) -> tuple[Expr, ...]:
    """Say what conditions on values come to where there are no rows; nothing where they are seen to fail."""
    from sqlglot.optimizer.simplify import simplify

    def without_rows(node: exp.Expr) -> exp.Expr:
        if not isinstance(node, exp.Column):
            return node
        return exp.Paren(this=empty(values[node.name].tree)) if node.table == EARLIER else exp.Null()

    empty = rewriting(without_rows)
    found = tuple(Expr(empty(each.tree)) for each in conditions)
    holds = all(not _fails(simplify(each.tree.copy(), dialect=dialect())) for each in found)
    return found if holds else ()


def _fails(test: exp.Expr) -> bool:
    return isinstance(test, exp.Null) or (isinstance(test, exp.Boolean) and not test.this)


def _is_number(value: object, operator: str) -> bool:
    return value is None or (
        isinstance(value, int | float | Decimal) and (operator == "is_null") == isinstance(value, bool)
    )


def having(condition: Filter, columns: Collection[str], split: tuple[str, ...]) -> Expr:
    """Make a condition on a KPI of the answer."""
    if condition.name not in columns:
        if condition.name in split:
            message = f"`having` names the dimension `{condition.name}`, and filters KPIs"
            raise RequestError(message, code="unknown_column", hint="filter dimensions with `where`")
        message = f"`having` names {shown(condition.name)}, which is not among the KPIs of the answer"
        raise RequestError(message, code="unknown_column", hint=nearest(condition.name, columns))
    values = condition.value if isinstance(condition.value, tuple) else (condition.value,)
    if bad := next((v for v in values if not _is_number(v, condition.operator)), None):
        message = f"`having` compares the KPI `{condition.name}` with {bad!r:.40}, which is no number"
        raise RequestError(message, code="bad_filter_value", hint="for example {gt: 100}; without quotes")
    if condition.operator in TEXTUAL:
        message = f"`having` looks for a text in the KPI `{condition.name}`, which is a number"
        raise RequestError(message, code="bad_filter_value", hint="compare it, for example {gt: 100}")
    return Expr(condition.tree(column(condition.name, EARLIER)))


def order(request: Request, values: Iterable[str]) -> tuple[Sort, ...]:
    """Sort as asked, then by dimensions, then by period, so that the order is always the same."""
    columns = [*request.by, *(["period"] if request.grain else [])]
    known = [*columns, *values]
    for sort in request.order:
        if sort.column not in known:
            raise RequestError(
                f"`order` names {shown(sort.column)}, which is not among the columns",
                code="bad_order",
                hint=nearest(sort.column, known),
            )
    asked = {sort.column for sort in request.order}
    found = (*request.order, *(Sort(name) for name in columns if name not in asked))
    return found if request.top is None else _others_last(found, len(request.order), request.top, columns)


def _others_last(sorts: tuple[Sort, ...], asked: int, top: FirstMembers, columns: list[str]) -> tuple[Sort, ...]:
    """Set the others below all that is sorted by members or values; where none is asked for, members are in the order they were chosen in."""
    place = next(n for n, sort in enumerate(sorts) if sort.column == top.of or sort.column not in columns)
    own = (Sort(top.position) if n >= asked and sort.column == top.of else sort for n, sort in enumerate(sorts))
    found = (*own,)
    return (*found[:place], Sort(top.position, known=True), *found[place:])


def rank(asked: Standing, request: Request, catalogue: Catalogue) -> Rank:
    """Rank a KPI among members of the answer, the best first; where no direction is better, the highest."""
    apart = "" if request.top is None else request.top.position
    within = tuple(name for name in request.by if name not in asked.over)
    return Rank(asked.kpi, within, best_is_high(asked.kpi, catalogue), apart)


def best_is_high(kpi_id: str, catalogue: Catalogue) -> bool:
    """Say whether the highest value of a KPI is the best, or no worse than others."""
    return catalogue.project.kpis[kpi_id].better != "lower"


def as_earlier(node: exp.Expr) -> exp.Expr:
    """Take a KPI that a condition names from the values that come before it."""
    return column(parts(node)[0], EARLIER) if isinstance(node, exp.Column) else node
