"""A plan in words: what is read, how it is summarised, and what is computed from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kpi_engine.calendar import span_label
from kpi_engine.planning.nodes import top_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kpi_engine.catalogue import Catalogue
    from kpi_engine.planning.nodes import Aggregate, Cell, Derive, Sort, Summarise


def explained(plan: Derive, statement: str, catalogue: Catalogue, elsewhere: Sequence[tuple[str, str]] = ()) -> str:
    """Say how a request is computed: each KPI's formula, each read and its summary, what is computed elsewhere, then the statement."""
    lines = ["Formulas"]
    lines += [f"  {name} = {_formula(name, catalogue)}" for name in plan.shown if name in catalogue.project.kpis]
    lines += ["", "Plan", *(f"  {line}" for line in _plan(plan))]
    for title, text in elsewhere:
        lines += ["", title, "", text]
    return "\n".join([*lines, "", "SQL (DuckDB)", "", statement, ""])


def _formula(kpi_id: str, catalogue: Catalogue) -> str:
    model = catalogue.project.kpis[kpi_id]
    inputs = []
    for alias, each in model.inputs.items():
        said = [
            f"{key} {_said(value)}" for key, value in each.model_dump(exclude_defaults=True).items() if key != "from_"
        ]
        inputs.append(f"{alias} is {each.from_}" + (f" ({', '.join(said)})" if said else ""))
    return f"{model.formula}    [{'; '.join(inputs)}]"


def _said(value: object) -> str:
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def _plan(plan: Derive) -> Iterator[str]:
    if (top := top_of(plan)) is not None:
        (rank,) = top.below.ranks.values()
        end = "highest" if rank.descending else "lowest"
        yield f"First choose members of {top.name}, those of the {end} {rank.value}, from the plan:"
        yield from (f"     {line}" for line in _plan(top.below))
    for number, summary in enumerate(plan.align.summaries, 1):
        yield f"{number}. {_read(summary)}"
        if summary.read.below is not None:
            yield from (f"     {line}" for line in _plan(summary.read.below))
        if summary.cells:
            yield f"   over {_cells(summary.cells)}"
        yield "   grouped by " + (
            ", ".join(f"{name} ({e.text})" for name, e in summary.split.items()) if summary.split else "nothing"
        )
        yield from (f"   - {_aggregate(aggregate)}" for aggregate in summary.aggregates)
    periods, split = len(plan.align.periods), ", ".join(plan.align.split)
    frame = f"{periods} period{'s' if periods != 1 else ''}" + (
        f" × the members of {split} seen in any of these stretches" if split else ""
    )
    yield f"Then side by side on {frame}" + ("" if plan.align.dense else ", only those observed")
    if plan.having:
        yield "keeping rows where " + " and ".join(each.text for each in plan.having)
    for name, rank in ((name, rank) for name, rank in plan.ranks.items() if not rank.single):
        yield f"{name} is the place by {rank.value}" + (f" within {', '.join(rank.within)}" if rank.within else "")
    if plan.order:
        yield "sorted by " + ", ".join(map(_sorted_by, plan.order))
    if plan.limit is not None:
        yield f"the first {plan.limit} rows"


def _sorted_by(sort: Sort) -> str:
    if sort.known:
        return f"{sort.column} last"
    return sort.column + (" descending" if sort.descending else "")


def _read(summary: Summarise) -> str:
    read = summary.read
    if read.below is not None:
        return "Read one row per entity, from the plan:"
    time = f", dated by {read.time.expression.text}" if read.time is not None else ", without a time"
    level = f", the last level of each {', '.join(e.text for e in read.level.of)}" if read.level is not None else ""
    kept = "".join(f", of the members of {each.name} that are kept" for each in read.among)
    first = f", the first row of each {', '.join(e.text for e in read.cohort.keys)}" if read.cohort is not None else ""
    given = f", with the rows of {read.converted.dataset} that come after" if read.converted is not None else ""
    return f"Read {read.dataset} once{time}{level}{first}{given}{kept}"


def _cells(cells: tuple[Cell, ...]) -> str:
    spans = list(dict.fromkeys(span_label(span, "en") for cell in cells for span in cell.spans))
    return ", ".join(spans) if len(spans) <= 6 else f"{', '.join(spans[:3])} … {spans[-1]} ({len(spans)} stretches)"  # noqa: PLR2004


def _aggregate(aggregate: Aggregate) -> str:
    what = aggregate.argument.text if aggregate.argument is not None else "rows"
    where = " and ".join(sorted(each.text for each in aggregate.filter))
    return f"{aggregate.function.replace('_', ' ')} of {what}" + (f" where {where}" if where else "")
