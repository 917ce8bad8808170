"""Which rows an answer has: of which members, and of which periods."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.calendar import Bucket, shown_until
from kpi_engine.catalogue.resolved import Expr
from kpi_engine.formula.analysis import columns, parts
from kpi_engine.formula.trees import rewritten
from kpi_engine.planning.request import AMONG
from kpi_engine.planning.windows import Window, divided

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from kpi_engine.calendar import Calendar, Grain
    from kpi_engine.catalogue import Catalogue
    from kpi_engine.planning.request import Request


def frame_of(request: Request, catalogue: Catalogue) -> str:
    """Say which rows the answer has: what the request says, else the most that one of its KPIs says."""
    if not request.dense:
        return "present"
    asked = {catalogue.project.kpis[each].frame for each in request.kpis if each not in request.failed}
    if not (request.by or request.grain) or not asked:
        return "whole"
    return next(each for each in ("whole", "every_period", "observed") if each in asked)


def admits(request: Request, split: Sequence[str]) -> tuple[Expr, ...]:
    """Give the request's conditions on its own split, for members that are unknown."""
    asked = [each for each in request.where if each.operator != AMONG]
    trees = [each.tree(exp.Null()) for each in asked if each.name in split]
    written = [each.tree for each in request.where_sql.conjuncts] if request.where_sql else []
    own = [each for each in written if columns(each) and all(parts(c)[0] in split for c in columns(each))]
    trees += [rewritten(each, lambda node: exp.Null() if isinstance(node, exp.Column) else node) for each in own]
    return tuple(map(Expr, trees))


def units_of(
    moved: tuple[Window, ...], unit: Grain | None, calendar: Calendar, as_of: datetime
) -> tuple[tuple[tuple[Bucket, Window], ...], tuple[tuple[int, ...], ...]]:
    """Give the periods of a plan below, and which of them each of these windows holds: its units of time, or itself."""
    if unit is not None:
        return divided(moved, unit, calendar, shown_until(as_of, calendar.zone))
    return tuple((Bucket(w.span.start, w.span), w) for w in moved), tuple((n,) for n in range(len(moved)))  # type: ignore[arg-type]
