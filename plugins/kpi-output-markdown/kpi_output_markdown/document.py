"""The output `markdown`: a report as headings, tables and notes."""

from __future__ import annotations

from decimal import Decimal
from typing import IO, TYPE_CHECKING, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from kpi_engine.api.formatting import (
    direction,
    for_people,
    format_cell,
    format_change,
    format_period,
    format_unit,
    format_value,
    verdict,
)
from kpi_output_markdown.texts import bold, escaped, table
from kpi_output_markdown.words import Words, words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from kpi_engine.api import Breakdown, Card, Column, Comparison, Failure, Report, Section
    from kpi_engine.api.reports import Value

_ARROWS = {"up": "▲ ", "down": "▼ ", "level": "= ", "unknown": ""}


class MarkdownConfig(BaseModel):
    """How the document fits into its surroundings."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    level: int = Field(default=1, ge=1, le=5)
    """The level of the title's heading; sections are one below."""


class MarkdownOutput:
    """Write a report as GitHub Markdown, in the report's language."""

    name: ClassVar[str] = "markdown"
    Config: ClassVar[type[BaseModel]] = MarkdownConfig
    suffix: ClassVar[str] = ".md"

    def __init__(self, config: MarkdownConfig) -> None:
        self.config = config

    def render(self, report: Report, target: IO[bytes]) -> None:
        """Write the report to `target` as UTF-8, one block of lines below the other."""
        blocks = ["\n".join(block) for block in document(report, self.config.level)]
        target.write(("\n\n".join(block for block in blocks if block) + "\n").encode())


def document(report: Report, level: int = 1) -> Iterator[list[str]]:
    """Give the blocks of a report: the title, what must be said beside the numbers, then each section."""
    said = words(report.language)
    ended = f" ({said.unfinished})" if report.unfinished else ""
    when = format_period(report.as_of, "minute", report.language)
    yield [f"{'#' * level} {escaped(report.title)}"]
    yield [f"{bold(escaped(report.period))}{ended}, {said.as_of} {escaped(when)}"]
    for notice in report.notices:
        yield [f"> {escaped(notice)}"]
    for section in report.sections:
        yield from _section(section, report, said, level + 1)


def _section(section: Section, report: Report, said: Words, level: int) -> Iterator[list[str]]:
    group = f"{escaped(section.group)} · " if section.group else ""
    yield [f"{'#' * level} {group}{escaped(section.title)}"]
    if section.cards:
        yield [*_scorecard(section.cards, report, said)]
        yield [*_notes(section.cards, said)]
        for card in section.cards:
            if card.breakdown and not card.failure:
                yield [bold(escaped(card.measure.label))]
                yield [*_breakdown(card.breakdown, report, said)]
    if section.table:
        yield [*_breakdown(section.table, report, said)]
    yield [_failure(kpi, failure, said) for kpi, failure in section.failures.items()]


def _scorecard(cards: Sequence[Card], report: Report, said: Words) -> Iterator[str]:
    """Give one row per KPI: its value, its unit, and each earlier value with the change since."""
    compared: dict[str, str] = {comparison.name: comparison.label for card in cards for comparison in card.comparisons}
    earlier = [head for label in compared.values() for head in (escaped(label), said.change)]
    heads = [said.kpi, said.value, said.unit, *earlier]
    right = [False, True, False, *(True for _ in earlier)]
    return table(heads, right, (_card(card, compared, report, said) for card in cards))


def _card(card: Card, compared: Mapping[str, str], report: Report, said: Words) -> list[str]:
    found: dict[str, Comparison] = {comparison.name: comparison for comparison in card.comparisons}
    earlier = [cell for name in compared for cell in _compared(found.get(name), card, report, said)]
    label = escaped(card.measure.label)
    if card.failure:
        return [label, said.failed, "", *("" for _ in earlier)]
    value = "" if card.breakdown else format_value(card.value, card.measure, report.language, currency=report.currency)
    return [label, bold(escaped(value)), escaped(format_unit(card.measure)), *earlier]


def _compared(comparison: Comparison | None, card: Card, report: Report, said: Words) -> tuple[str, str]:
    if comparison is None:
        return "", ""
    value = format_value(comparison.value, card.measure, report.language, currency=report.currency)
    text = format_change(comparison.change, comparison.kind, report.language)
    return escaped(value), _change(comparison.change, text, comparison.verdict, said)


def _notes(cards: Sequence[Card], said: Words) -> Iterator[str]:
    """Give what a reader must know of single KPIs: why one has no number, why another is not to be trusted."""
    for card in cards:
        if card.failure:
            yield _failure(card.measure.label, card.failure, said)
        if card.measure.notice:
            yield f"- {bold(escaped(card.measure.label))}{said.colon}{escaped(card.measure.notice)}"


def _failure(label: str, failure: Failure, said: Words) -> str:
    hint = f" ({escaped(failure.hint)})" if failure.hint else ""
    return f"- {bold(escaped(label))}, {said.failed}{said.colon}{escaped(failure.message)}{hint}"


def _breakdown(breakdown: Breakdown, report: Report, said: Words) -> Iterator[str]:
    """Give a table as it is, and its totals in bold as the last row."""
    shown = for_people(breakdown, report.language)
    columns = shown.columns
    rows = [[_cell(*pair, report, said) for pair in zip(columns, row, strict=True)] for row in shown.rows]
    if shown.totals is not None:
        rows.append(_totals(columns, shown.totals, report, said))
    return table(
        [escaped(column.label) for column in columns], [column.measure is not None for column in columns], rows
    )


def _totals(columns: Sequence[Column], totals: Sequence[Value], report: Report, said: Words) -> list[str]:
    cells = [
        "" if column.measure is None else bold(_cell(column, value, report, said))
        for column, value in zip(columns, totals, strict=True)
    ]
    first = next((place for place, column in enumerate(columns) if column.measure is None), None)
    return cells if first is None else [*cells[:first], bold(said.total), *cells[first + 1 :]]


def _cell(column: Column, value: Value, report: Report, said: Words) -> str:
    text = format_cell(value, column, report.language, currency=report.currency)
    if column.role in ("change", "points") and column.measure and isinstance(value, int | float | Decimal):
        return _change(value, text, verdict(value, column.measure.better), said)
    return escaped(text)


def _change(change: float | Decimal | None, text: str, judgement: str, said: Words) -> str:
    """Write a change with an arrow for its way, and a word for whether it is good news."""
    news = {"good": f" ({said.better})", "bad": f" ({said.worse})"}.get(judgement, "")
    way = direction(change)
    return f"{_ARROWS[way]}{escaped(text)}{news if way in ('up', 'down') else ''}"
