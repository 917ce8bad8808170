"""A report as plain mappings, lists and texts: all that the page's template may see."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from itertools import groupby, pairwise
from math import isfinite
from typing import TYPE_CHECKING, Any

from kpi_engine.api.formatting import (
    direction,
    for_people,
    format_cell,
    format_change,
    format_period,
    format_unit,
    format_value,
    one_line,
    verdict,
    visible,
)
from kpi_engine.builtin.outputs.html.sparkline import HEIGHT, WIDTH, sparkline
from kpi_engine.builtin.outputs.words import unit_words, words

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from kpi_engine.api import Breakdown, Card, Column, Comparison, Failure, Measure, Report, Section, Trend
    from kpi_engine.api.formatting import Verdict
    from kpi_engine.api.reports import Value

Mapped = dict[str, Any]


def page(report: Report) -> Mapped:
    """Give the template everything it writes, formatted in the report's language."""
    language = "fr" if report.language == "fr" else "en"
    sections = [_section(section, number, report) for number, section in enumerate(report.sections, 1)]
    return {
        "language": language,
        "words": words(language).mapping(),
        "title": one_line(report.title),
        "period": one_line(report.period),
        "unfinished": report.unfinished,
        "as_of": format_period(report.as_of, "minute", language),
        "notices": [one_line(notice) for notice in report.notices],
        "comparisons": _legend(report),
        "groups": _contents(sections),
        "sections": sections,
    }


def _legend(report: Report) -> list[str]:
    """Say once, for the whole page, which earlier periods the numbers are compared with."""
    said = words(report.language).mapping()
    all_comparisons = [c for section in report.sections for card in section.cards for c in card.comparisons]
    return list(dict.fromkeys(f"{one_line(c.label)} ({said[c.name]})" for c in all_comparisons))


def _contents(sections: Sequence[Mapped]) -> list[Mapped]:
    return [{"title": group, "sections": list(members)} for group, members in groupby(sections, lambda s: s["group"])]


def _section(section: Section, number: int, report: Report) -> Mapped:
    return {
        "id": f"section-{number}",
        "title": one_line(section.title),
        "group": one_line(section.group),
        "cards": [_card(card, f"kpi-{number}-{place}", report) for place, card in enumerate(section.cards, 1)],
        "table": _table(section.table, report) if section.table else None,
        "failures": [{"label": visible(kpi), **_failure(failure)} for kpi, failure in section.failures.items()],
    }


def _card(card: Card, anchor: str, report: Report) -> Mapped:
    measure = card.measure
    return {
        "id": anchor,
        "label": one_line(measure.label),
        "description": one_line(measure.description),
        "badge": words(report.language).status(measure.status),
        "notice": one_line(measure.notice),
        "value": format_value(card.value, measure, report.language, currency=report.currency),
        "known": card.value is not None,
        "unit": _unit(measure, report),
        "comparisons": [_comparison(comparison, measure, report) for comparison in card.comparisons],
        "trend": _trend(card.trend, measure, report) if card.trend and _drawable(card.trend) else None,
        "table": _table(card.breakdown, report) if card.breakdown else None,
        "failure": _failure(card.failure) if card.failure else None,
    }


def _unit(measure: Measure, report: Report) -> str:
    return visible(unit_words(format_unit(measure), report.language))


def _failure(failure: Failure) -> Mapped:
    return {"code": visible(failure.code), "message": one_line(failure.message), "hint": one_line(failure.hint)}


def _comparison(comparison: Comparison, measure: Measure, report: Report) -> Mapped:
    return {
        "label": one_line(comparison.label),
        "relation": words(report.language).mapping()[comparison.name],
        "value": format_value(comparison.value, measure, report.language, currency=report.currency),
        "change": format_change(comparison.change, comparison.kind, report.language),
        **_judged(comparison.change, comparison.verdict, report),
    }


def _judged(change: float | Decimal | None, judgement: Verdict, report: Report) -> Mapped:
    """Say which way a change goes, and whether it is good news, in words as well as for the colour."""
    said = words(report.language)
    way = direction(change)
    news = {"good": said.better, "bad": said.worse}.get(judgement, "") if way in ("up", "down") else ""
    level = said.level if way == "level" else ""
    return {"direction": way, "verdict": judgement if news else "neutral", "news": news or level}


def _drawable(trend: Trend) -> bool:
    """Say whether there is a line to draw: a chart says something from the second known value on."""
    return sum(value is not None for _, value in trend.points) > 1


def _trend(trend: Trend, measure: Measure, report: Report) -> Mapped:
    language = report.language
    texts = [format_value(value, measure, language, currency=report.currency) for _, value in trend.points]
    days = [format_period(day, trend.grain, language) for day, _ in trend.points]
    drawn = sparkline([value for _, value in trend.points], unfinished=report.unfinished)
    return {
        **asdict(drawn),
        "width": WIDTH,
        "height": HEIGHT,
        "first_day": days[0],
        "last_day": days[-1],
        "said": _said(trend, measure, days, texts, report),
        "periods": [
            {"x": left, "width": round(right - left, 1), "text": f"{day}{words(language).colon}{text}"}
            for (left, right), day, text in zip(pairwise(drawn.edges), days, texts, strict=True)
        ],
    }


def _said(trend: Trend, measure: Measure, days: Sequence[str], texts: Sequence[str], report: Report) -> str:
    """Describe the chart for those who do not see it."""
    said = words(report.language)
    known = [value for _, value in trend.points if value is not None]
    low, high = (min(known), max(known)) if known else (None, None)
    return said.trend_said.format(
        label=one_line(measure.label),
        first=days[0],
        last=days[-1],
        start=texts[0],
        end=texts[-1],
        low=format_value(low, measure, report.language, currency=report.currency),
        high=format_value(high, measure, report.language, currency=report.currency),
    )


def _table(breakdown: Breakdown, report: Report) -> Mapped:
    table = for_people(breakdown, report.language)
    barred = next((place for place, column in enumerate(table.columns) if column.role == "value"), None)
    largest = max((_size(row[barred]) for row in table.rows), default=0.0) if barred is not None else 0.0
    return {
        "columns": [
            {"label": one_line(column.label), "kind": _kind(column), "barred": place == barred}
            for place, column in enumerate(table.columns)
        ],
        "rows": [
            [
                _cell(value, column, report) | {"bar": _bar(value, largest) if place == barred else None}
                for place, (value, column) in enumerate(zip(row, table.columns, strict=True))
            ]
            for row in table.rows
        ],
        "totals": _totals(table, report),
    }


def _kind(column: Column) -> str:
    """Name what stands in a column, for its style."""
    return "number" if column.measure else "day" if column.role == "period" else "member"


def _totals(table: Breakdown, report: Report) -> list[Mapped] | None:
    if table.totals is None:
        return None
    cells = [_cell(value, column, report) for value, column in zip(table.totals, table.columns, strict=True)]
    empty = [cell if column.measure else cell | {"text": ""} for cell, column in zip(cells, table.columns, strict=True)]
    return [cell | {"bar": None} for cell in empty]


def _cell(value: Value, column: Column, report: Report) -> Mapped:
    text = format_cell(value, column, report.language, currency=report.currency)
    cell: Mapped = {"text": text, "kind": _kind(column), "direction": "", "verdict": "", "news": ""}
    if column.role not in ("change", "points") or not column.measure or isinstance(value, str | date):
        return cell
    return cell | _judged(value, verdict(value, column.measure.better), report)


def _bar(value: Value, largest: float) -> float:
    """Give the length of a bar, of 100 for the largest."""
    return round(100 * _size(value) / largest, 1) if largest else 0.0


def _size(value: Value) -> float:
    if value is None or isinstance(value, str | date) or not isfinite(value):
        return 0.0
    return max(0.0, float(value))
