"""Members that an input keeps: those of a dimension for which a condition on KPIs holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.catalogue.faults import Fault, faults_of, guess, unknown
from kpi_engine.catalogue.plain import kind_of
from kpi_engine.catalogue.resolved import Expr, KeptMembers
from kpi_engine.catalogue.sqltypes import PARAMETERS, family
from kpi_engine.formula.analysis import columns, parts
from kpi_engine.formula.gate import read
from kpi_engine.formula.mistakes import Mistake, Refused
from kpi_engine.formula.positions import span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kpi_engine.catalogue.surroundings import Surroundings
    from kpi_engine.definitions.models import Input


def kept_members(alias: str, model: Input, around: Surroundings, faults: list[Fault]) -> frozenset[KeptMembers]:
    """Read which members an input keeps; what is wrong with it goes to `faults`."""
    found: set[KeptMembers] = set()
    if model.among and model.after:
        message = "rows that are given to others are kept or not by those"
        mistake = Mistake("bad_conversion", message, hint=f"give the `among` to the input `{model.after}`")
        faults.append(Fault(("inputs", alias, "among"), mistake, on_key=True))
    for name, text in model.among.items():
        place = ("inputs", alias, "among", name)
        faults += [Fault(place, mistake, on_key=True) for mistake in _of_dimension(name, model, around)]
        try:
            condition = read(text, "condition")
        except Refused as refused:
            faults += faults_of(place, refused.mistakes)
            continue
        faults += faults_of(place, [*around.unknown_parameters(condition), *_of_condition(condition, around)])
        found.add(KeptMembers(name, Expr(condition)))
    return frozenset(found)


def _of_dimension(name: str, model: Input, around: Surroundings) -> Iterator[Mistake]:
    for dataset in around.datasets_under(model.from_):
        known = around.names.datasets[dataset].dimensions
        if name not in known:
            message = f"dataset `{dataset}` has no dimension `{name}`, whose members could be kept"
            yield Mistake("unknown_dimension", message, 0, len(name), guess(name, known, "declare it there"))


def _of_condition(condition: exp.Expr, around: Surroundings) -> Iterator[Mistake]:
    named = list(columns(condition))
    for each in named:
        names = parts(each)
        if len(names) > 1 or names[0] not in around.kpis:
            found = unknown(".".join(names), around.kpis, around.left_out, "kpi")
            yield Mistake(found.code, found.message, *span(each), found.hint, found.follows)
    if not named:
        message = "the condition names no KPI, so it keeps all members or none"
        yield Mistake("not_a_condition", message, *span(condition), "compare a KPI: `orders > 2`")

    def leaf(node: exp.Expr) -> str | None:
        declared = around.parameters.get(str(node.this)) if isinstance(node, exp.Placeholder) else None
        if isinstance(node, exp.Placeholder):
            return family(PARAMETERS[declared.type]) if declared is not None else None  # type: ignore[attr-defined]
        return "number"

    if (kind := kind_of(condition, leaf)) not in {None, "boolean"}:
        message = f"this is a {kind}, and a condition is true or false"
        yield Mistake("not_a_condition", message, *span(condition), "compare it with something: `orders > 2`")
