"""A summary taken apart where its rows lie in many cells: what merges, what is counted anew, and the rest."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.formula.trees import column, integer, named
from kpi_engine.sql.aggregates import can_be_merged
from kpi_engine.sql.rendering import alias, dimension
from kpi_engine.sql.times import atoms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kpi_engine.planning.nodes import Summarise

CELL = "cell"
MANY = 8
"""A row may be counted in as many cells as this, on average, before it pays to read the rows once for each kind of aggregate."""
_PARTS = "__parts"


def is_flow(node: Summarise) -> bool:
    """Whether each row counts at its own time."""
    read = node.read
    return read.time is not None and not any((read.level, read.below, read.edge, read.converted, read.cohort))


def is_entities(node: Summarise) -> bool:
    """Whether it counts the entities of one kind in many overlapping stretches of time, all split alike."""
    return (
        [each.function for each in node.aggregates] == ["count_distinct"]
        and len({cell.split for cell in node.cells}) == 1
        and not any(cell.others for cell in node.cells)
        and _overlaps(node)
    )


def parts(node: Summarise) -> list[tuple[Summarise, tuple[int, ...]]]:
    """Take a summary apart where rows lie in many cells; each part comes with the places of its aggregates in the whole."""
    merged = tuple(n for n, each in enumerate(node.aggregates) if can_be_merged(each))
    counted = tuple(n for n, each in enumerate(node.aggregates) if each.function == "count_distinct")
    others = tuple(n for n in range(len(node.aggregates)) if n not in {*merged, *counted})
    groups = [group for group in (merged, *((n,) for n in counted), others) if group]
    if len(groups) < 2 or not _overlaps(node):  # noqa: PLR2004 - one part is the whole
        return [(node, tuple(range(len(node.aggregates))))]
    return [(_part(node, group), group) for group in groups]


def _overlaps(node: Summarise) -> bool:
    """Whether a row lies in many cells, on average."""
    if not is_flow(node):
        return False
    pieces = atoms(node.cells)
    return pieces.covered > MANY * (len(pieces.bounds) + 1)


def _part(node: Summarise, places: tuple[int, ...]) -> Summarise:
    """Keep some aggregates, the cells that ask for one of them, and what these are split by."""
    renumbered = {place: n for n, place in enumerate(places)}
    cells = tuple(
        replace(cell, aggregates=frozenset(renumbered[n] for n in cell.aggregates if n in renumbered))
        for cell in node.cells
        if not cell.aggregates.isdisjoint(renumbered)
    )
    split = {name: each for name, each in node.split.items() if any(name in cell.split for cell in cells)}
    return replace(node, aggregates=tuple(node.aggregates[n] for n in places), cells=cells, split=split)


def side_by_side(node: Summarise, found: Sequence[tuple[Summarise, tuple[int, ...], exp.Select]]) -> exp.Select:
    """Put the parts of a summary together again: a cell and member has one row in each at most."""
    keys = [CELL, *(dimension(name) for name in node.split)]
    names = [f"a{n}" for n in range(len(node.aggregates))]
    selects = []
    for n, (part, places, rows_of_part) in enumerate(found):
        table = f"{_PARTS}{n}"
        own = {key: column(key, table) for key in (CELL, *(dimension(name) for name in part.split))}
        own |= {f"a{place}": column(f"a{m}", table) for m, place in enumerate(places)}
        columns = [named(own.get(name, exp.Null()), name) for name in (*keys, *names)]
        source = exp.Subquery(this=rows_of_part, alias=alias(table))
        selects.append(exp.Select(expressions=columns).from_(source, copy=False))
    rows: exp.Query = selects[0]
    for each in selects[1:]:
        rows = exp.union(rows, each, distinct=False, copy=False)
    values = [named(exp.Max(this=column(name)), name) for name in names]
    select = exp.Select(expressions=[*(column(key) for key in keys), *values])
    select = select.from_(exp.Subquery(this=rows, alias=alias(_PARTS)), copy=False)
    return select.group_by(*(integer(n + 1) for n in range(len(keys))), copy=False)
