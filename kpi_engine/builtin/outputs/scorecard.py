"""The scorecards of a report, for the terminal: a line per KPI, and below it one per member of its breakdown."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.text import Text

from kpi_engine.api.formatting import (
    format_cell,
    format_change,
    format_unit,
    format_value,
    one_line,
    verdict,
    visible,
)
from kpi_engine.builtin.outputs.layout import Head, Stack, change, failed, fitted, grid, headers, needed, spark
from kpi_engine.builtin.outputs.words import unit_words, words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import RenderableType

    from kpi_engine.api import Breakdown, Card, Column, Comparison, Report, Section
    from kpi_engine.api.reports import Value


@dataclass(frozen=True)
class Line:
    """One line: a KPI, or a member of its breakdown; `earlier` holds a value and its change for each comparison."""

    label: Text
    value: Text = field(default_factory=Text)
    unit: Text = field(default_factory=Text)
    earlier: tuple[tuple[Text, Text], ...] = ()
    trend: tuple[float | None, ...] = ()
    failure: Text | None = None
    notice: Text | None = None


@dataclass(frozen=True)
class Detail:
    """How much of a line is shown."""

    units: bool = False
    earlier: bool = False
    comparisons: int = 2
    trend: int = 0
    """The number of periods drawn."""


DETAILS = (
    Detail(units=True, earlier=True, trend=24),
    Detail(units=True, earlier=True, trend=12),
    Detail(earlier=True, trend=12),
    Detail(units=True, trend=12),
    Detail(trend=12),
    Detail(),
    Detail(comparisons=1),
    Detail(comparisons=0),
)
"""From the most to the least."""


@dataclass(frozen=True)
class Board:
    """What all scorecards of a report share, so that their columns stand below each other."""

    report: Report
    compared: Mapping[str, str]
    """The comparisons there are: the earlier period in words, by name."""
    detail: Detail
    widths: tuple[int, ...]

    @property
    def heads(self) -> list[Head]:
        """The columns that are shown."""
        return _heads(self.compared, self.detail, self.report)


def compared(report: Report) -> dict[str, str]:
    """Name the comparisons of a report, each with its earlier period in words."""
    cards = [card for section in report.sections for card in section.cards]
    return {comparison.name: one_line(comparison.label) for card in cards for comparison in card.comparisons}


def board(report: Report, width: int) -> Board:
    """Choose the most detail that fits the terminal, for all sections together."""
    periods = compared(report)
    lines = [line for section in report.sections for card in section.cards for line in _lines(card, periods, report)]
    for detail in DETAILS:
        stacks = _stacks(lines, periods, detail, report)
        if needed(stacks) <= width:
            break
    return Board(report, periods, detail, fitted(stacks, width))


def scorecard(section: Section, shared: Board) -> Iterator[RenderableType]:
    """Give a role's KPIs, one below the other."""
    heads = shared.heads
    yield headers(heads, shared.widths)
    for card in section.cards:
        for line in _lines(card, shared.compared, shared.report):
            yield (
                _failed_line(line, shared)
                if line.failure
                else grid(heads, shared.widths, [_cells(line, shared.detail)])
            )
            if line.notice:
                yield Padding(line.notice, (0, 0, 0, 2))


def _failed_line(line: Line, shared: Board) -> RenderableType:
    """Put the reason where the numbers would stand; below the label where there is no room beside it."""
    label, *others = shared.widths
    rest = sum(others) + 2 * (len(others) - 1)
    reason = line.failure or Text()
    if rest < label:
        return Text.assemble(line.label, "\n  ", reason)
    return grid((Head("", right=False), Head("", right=False)), (label, rest), [(line.label, reason)])


def _stacks(lines: Sequence[Line], periods: Mapping[str, str], detail: Detail, report: Report) -> list[Stack]:
    rows = [_cells(line, detail) for line in lines if not line.failure]
    heads = _heads(periods, detail, report)
    return [Stack(head, tuple(row[place] for row in rows)) for place, head in enumerate(heads)]


def _heads(periods: Mapping[str, str], detail: Detail, report: Report) -> list[Head]:
    said = words(report.language)
    labels = list(periods.values())[: detail.comparisons]
    return [
        Head(said.kpi, right=False, fold=24 if detail.comparisons else 8),
        Head(said.value),
        *([Head("", right=False)] if detail.units else []),
        *(Head(text) for label in labels for text in ((label, "") if detail.earlier else (label,))),
        *([Head(said.trend, right=False)] if detail.trend else []),
    ]


def _cells(line: Line, detail: Detail) -> list[Text]:
    return [
        line.label,
        line.value,
        *([line.unit] if detail.units else []),
        *(cell for pair in line.earlier[: detail.comparisons] for cell in (pair if detail.earlier else pair[1:])),
        *([Text(spark(line.trend[-detail.trend :]), "cyan")] if detail.trend else []),
    ]


def _lines(card: Card, periods: Mapping[str, str], report: Report) -> Iterator[Line]:
    """Give a KPI's own line, then one per member of its breakdown, and one for its total."""
    yield _own_line(card, periods, report)
    table = card.breakdown
    if table and not card.failure:
        for row in table.rows:
            yield from _member_lines(table, row, periods, report)
        if table.totals is not None:
            yield from _member_lines(table, table.totals, periods, report, words(report.language).total)


def _own_line(card: Card, periods: Mapping[str, str], report: Report) -> Line:
    measure = card.measure
    value = format_value(card.value, measure, report.language, currency=report.currency)
    notice = words(report.language).colon.join(
        filter(None, (words(report.language).status(measure.status), one_line(measure.notice)))
    )
    found: dict[str, Comparison] = {comparison.name: comparison for comparison in card.comparisons}
    return Line(
        label=Text(one_line(measure.label)),
        value=Text("" if card.breakdown else value, "bold"),
        unit=Text("" if card.breakdown else visible(unit_words(format_unit(measure), report.language)), "dim"),
        earlier=tuple(_earlier(found.get(name), card, report) for name in periods),
        trend=tuple(value for _, value in card.trend.points) if card.trend else (),
        failure=failed(card.failure, report.language) if card.failure else None,
        notice=Text(f"! {notice}", "yellow") if notice else None,
    )


def _earlier(comparison: Comparison | None, card: Card, report: Report) -> tuple[Text, Text]:
    if comparison is None:
        return Text(), Text()
    value = format_value(comparison.value, card.measure, report.language, currency=report.currency)
    written = format_change(comparison.change, comparison.kind, report.language)
    return Text(value, "dim"), change(comparison.change, written, comparison.verdict)


def _member_lines(
    table: Breakdown, row: Sequence[Value], periods: Mapping[str, str], report: Report, total: str = ""
) -> Iterator[Line]:
    """Give a line for each value of a breakdown's row: for most, one."""
    cells = {column.key: (column, value) for column, value in zip(table.columns, row, strict=True)}
    texts = {key: written(column, value, report) for key, (column, value) in cells.items()}
    member = total or " · ".join(texts[key].plain for key, (column, _) in cells.items() if not column.measure)
    values = [key for key, (column, _) in cells.items() if column.role == "value"]
    for key in values:
        label = f"{member} · {one_line(cells[key][0].label)}" if len(values) > 1 else member
        yield Line(
            label=Text(f"  {label}"),
            value=texts[key],
            earlier=tuple(_member_earlier(f"{key}__{name}", texts) for name in periods),
        )


def _member_earlier(key: str, texts: Mapping[str, Text]) -> tuple[Text, Text]:
    changes = (f"{key}_change", f"{key}_points")
    return texts.get(key, Text()), next((texts[name] for name in changes if name in texts), Text())


def written(column: Column, value: Value, report: Report) -> Text:
    """Write a table's cell; a change gets its arrow and its sign."""
    text = format_cell(value, column, report.language, currency=report.currency)
    if (
        column.role in ("change", "points")
        and column.measure
        and (value is None or isinstance(value, int | float | Decimal))
    ):
        return change(value, text, verdict(value, column.measure.better))
    return Text(text, "dim" if column.role == "earlier" else "")
