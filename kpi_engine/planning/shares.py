"""Shares of a total: which KPIs have one, and how it is computed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.catalogue.resolved import INPUT, Expr
from kpi_engine.catalogue.typing import scaled_part
from kpi_engine.errors import RequestError
from kpi_engine.formula.trees import bracketed, column, integer
from kpi_engine.planning.ranking import share_of
from kpi_engine.planning.shaping import EARLIER

if TYPE_CHECKING:
    from kpi_engine.catalogue import Catalogue, ResolvedInput, ResolvedKpi

_PARTS = frozenset({"sum", "count", "count_if", "count_distinct"})
"""Aggregates of which a member has a part: of amounts, of rows, of entities."""
_WORDS = {"avg": "an average", "median": "a median", "min": "a smallest value", "max": "a largest value"}


def share_columns(kpi_id: str, total: exp.Expr) -> dict[str, Expr]:
    """Give a KPI's total and its share of that: unknown where the total is unknown, zero or negative, as a percentage of it says nothing."""
    hidden = f"__total__{kpi_id}"
    known = exp.GT(this=bracketed(total), expression=integer(0))
    share = exp.Div(this=column(kpi_id, EARLIER), expression=column(hidden, EARLIER))
    return {
        hidden: Expr(exp.Case(ifs=[exp.If(this=known, true=total)])),
        share_of(kpi_id): Expr(share),
    }


def refuse_share(kpi_id: str, over: frozenset[str], catalogue: Catalogue) -> None:
    """Refuse the share of what is no part of a whole: of a ratio, of an average."""
    if why := _why_no_part(catalogue.kpi(kpi_id), over, catalogue):
        message = f"`{kpi_id}` has no share of a total: {why}, and what the members have of it are no parts of a whole"
        hint = "ask for the share of a sum or a count that it is made of"
        raise RequestError(message, code="bad_share", hint=hint)


def _why_no_part(kpi: ResolvedKpi, over: frozenset[str], catalogue: Catalogue) -> str:
    """Say why a KPI is no sum of sums and counts; nothing where it is one."""
    waiting = [(kpi, kpi.outer.tree)]
    seen = {kpi.id}
    while waiting:
        holder, tree = waiting.pop()
        inner = scaled_part(tree)
        if inner is not None:
            waiting.append((holder, inner))
        elif isinstance(tree, exp.Add | exp.Sub):
            waiting += [(holder, tree.right), (holder, tree.left)]
        elif not isinstance(tree, exp.Column):
            return "it is a ratio" if isinstance(tree, exp.Div) else "its formula is no sum of sums and counts"
        elif why := _of_leaf(holder, tree, over):
            return why
        elif tree.table == INPUT and (below := holder.inputs[tree.name].target) not in seen:
            seen.add(below)
            waiting.append((catalogue.kpi(below), catalogue.kpi(below).outer.tree))
    return ""


def _of_leaf(kpi: ResolvedKpi, leaf: exp.Column, over: frozenset[str]) -> str:
    if leaf.table == INPUT:
        return _ignoring(kpi.inputs[leaf.name])
    aggregate = kpi.aggregates[int(leaf.name)]
    if aggregate.function not in _PARTS:
        return f"it is {_WORDS.get(aggregate.function, f'`{aggregate.function}`')}"
    source = kpi.inputs[aggregate.input]
    if source.age is not None and source.age.name in over:
        return f"it is counted again at every `{source.age.name}`"
    return _ignoring(source)


def _ignoring(source: ResolvedInput) -> str:
    if source.across_all:
        return "it is the same for every member (`across: all`)"
    ignored = ", ".join(f"`{name}`" for name in sorted(source.across))
    return f"it is the same for every member of {ignored} (`across`)" if ignored else ""
