"""A report as the terminal shows it, from top to bottom: heading, scorecards, tables, legend."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from kpi_engine.api.formatting import for_people, format_period, one_line, visible
from kpi_engine.builtin.outputs.layout import Head, Stack, blocks, failed, fitted, grid, headers
from kpi_engine.builtin.outputs.scorecard import board, compared, scorecard, written
from kpi_engine.builtin.outputs.words import words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from kpi_engine.api import Breakdown, Report, Section


def parts(report: Report, width: int) -> Iterator[RenderableType]:
    """Give what is printed, one below the other."""
    yield from _heading(report)
    shared = board(report, width)
    for section in report.sections:
        yield from _title(section, width)
        yield from scorecard(section, shared) if section.cards else ()
        yield from _table(section.table, report, width) if section.table else ()
        for kpi, failure in section.failures.items():
            yield Text.assemble((visible(kpi), "bold"), "  ", failed(failure, report.language))
    if _judges(report):
        said = words(report.language)
        yield Text(f"\n✓ {said.better}  ✗ {said.worse}", "dim")


def _judges(report: Report) -> bool:
    """Say whether there are changes, whose signs must be explained."""
    tables = [section.table for section in report.sections if section.table]
    changes = (column.role in ("change", "points") for table in tables for column in table.columns)
    return bool(compared(report)) or any(changes)


def _heading(report: Report) -> Iterator[Text]:
    said = words(report.language)
    earlier = ", ".join(f"{label} ({said.mapping()[name]})" for name, label in compared(report).items())
    facts = (
        one_line(report.period),
        f"{said.compared_with} {earlier}" if earlier else "",
        f"{said.as_of} {format_period(report.as_of, 'minute', report.language)}",
    )
    yield Text(one_line(report.title), "bold")
    yield Text(" · ".join(filter(None, facts)))
    warnings = (said.unfinished if report.unfinished else "", *(one_line(notice) for notice in report.notices))
    for warning in filter(None, warnings):
        yield Text(f"! {warning}", "yellow")


def _title(section: Section, width: int) -> Iterator[Text]:
    group = f"  {one_line(section.group)}" if section.group else ""
    yield Text.assemble("\n", (one_line(section.title), "bold"), (group, "dim"))
    yield Text("─" * width, "dim")


def _table(table: Breakdown, report: Report, width: int) -> Iterator[RenderableType]:
    """Give a table; columns that do not fit follow below, beside the same dimensions."""
    stacks = _stacks(for_people(table, report.language), report)
    leading = [stack for stack in stacks if not stack.head.right]
    others = [stack for stack in stacks if stack.head.right]
    for number, block in enumerate(blocks(leading, others, width)):
        if number:
            yield Text("")
        yield from _block(block, width, totals=table.totals is not None)


def _block(stacks: list[Stack], width: int, *, totals: bool) -> Iterator[RenderableType]:
    heads, widths = [stack.head for stack in stacks], fitted(stacks, width)
    rows = list(zip(*(stack.cells for stack in stacks), strict=True))
    body, last = (rows[:-1], rows[-1:]) if totals else (rows, [])
    yield headers(heads, widths)
    yield grid(heads, widths, body)
    if last:
        yield Text("─" * min(width, sum(widths) + 2 * len(widths) - 2), "dim")
        yield grid(heads, widths, last)


def _stacks(table: Breakdown, report: Report) -> list[Stack]:
    """Give the columns; the totals, where there are any, are the last cell of each, and named in the first."""
    total = [Text(words(report.language).total)] if table.totals is not None else []
    stacks = [] if table.columns and table.columns[0].measure is None else [_names(len(table.rows), total)]
    for place, column in enumerate(table.columns):
        cells = [written(column, row[place], report) for row in table.rows]
        if table.totals is not None and column.measure:
            cells.append(written(column, table.totals[place], report))
        elif table.totals is not None:
            cells += [Text("")] if stacks else total
        labels = column.measure is None
        stacks.append(
            Stack(
                Head(one_line(column.label), right=not labels, fold=14 if column.role == "dimension" else 0),
                tuple(cells),
            )
        )
    return stacks


def _names(rows: int, total: list[Text]) -> Stack:
    """Make a first column for a table that has numbers only."""
    return Stack(Head("", right=False, fold=8), (*[Text("")] * rows, *total))
