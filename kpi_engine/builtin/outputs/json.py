"""The output `json`: a report for machines, the same bytes for the same report."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import IO, TYPE_CHECKING, ClassVar

from kpi_engine.api.formatting import plain
from kpi_engine.builtin.deferred import Deferred

if TYPE_CHECKING:
    from kpi_engine.api import Breakdown, Card, Comparison, Failure, Measure, Report, Section, Trend
    from kpi_engine.api.reports import Value
    from kpi_engine.builtin.outputs.settings import JsonConfig

_STEERING = re.compile("[\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
"""What would steer a terminal or turn a text; JSON says the same character by its number."""

Json = str | int | float | bool | None | dict[str, "Json"] | list["Json"]


class JsonOutput:
    """Write a report as JSON: a table as columns, rows and totals, a scorecard as sections of KPIs.

    Unknown is null. Dates are ISO texts. A number is a JSON number where that says it exactly: integers beyond 2^53, and
    decimals with more digits than a double holds, are texts.
    """

    name: ClassVar[str] = "json"
    Config = Deferred("kpi_engine.builtin.outputs.settings", "JsonConfig")
    suffix: ClassVar[str] = ".json"

    def __init__(self, config: JsonConfig) -> None:
        self.config = config

    def render(self, report: Report, target: IO[bytes]) -> None:
        """Write the report as UTF-8 JSON, ended by a line break."""
        text = json.dumps(
            _document(report),
            ensure_ascii=False,
            allow_nan=False,
            indent=self.config.indent or None,
        )
        target.write(_STEERING.sub(_escaped, text).encode("utf-8", "backslashreplace") + b"\n")


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found.group()):04x}"


def _document(report: Report) -> Json:
    if len(report.sections) == 1 and is_plain(report.sections[0]):
        table = report.sections[0].table
        starts = [column.unfinished_from for column in table.columns if column.unfinished_from] if table else []
        said: dict[str, Json] = {"unfinished": True} | ({"unfinished_from": starts[0]} if starts else {})
        late = [column.provisional_from for column in table.columns if column.provisional_from] if table else []
        also: dict[str, Json] = {"provisional": True} if report.provisional else {}
        also |= {"provisional_from": late[0]} if late else {}
        return _plain_table(report.sections[0]) | (said if report.unfinished else {}) | also
    return {
        "title": report.title,
        "language": report.language,
        "period": report.period,
        "as_of": report.as_of.isoformat(),
        "unfinished": report.unfinished,
        **({"provisional": True} if report.provisional else {}),
        "notices": list(report.notices),
        "sections": [_section(section) for section in report.sections],
    }


def is_plain(section: Section) -> bool:
    """Say whether a section is the answer to a request, a table, and not a role's scorecard."""
    return not section.cards and (section.table is not None or bool(section.failures))


def _plain_table(section: Section) -> dict[str, Json]:
    table = _table(section.table) if section.table else {"columns": [], "rows": [], "totals": None, "measures": {}}
    failures: Json = {kpi: _failure(failure) for kpi, failure in section.failures.items()}
    return {**table, "failures": failures} if failures else table


def _section(section: Section) -> Json:
    head: dict[str, Json] = {"role": section.role, "title": section.title, "group": section.group}
    return head | (_plain_table(section) if is_plain(section) else {"kpis": [_card(card) for card in section.cards]})


def _card(card: Card) -> Json:
    measure = card.measure
    return {
        "id": measure.id,
        "label": measure.label,
        "value": exact(card.value),
        "unit": measure.unit,
        "format": measure.format,
        "additivity": measure.additivity,
        "additive_over": list(measure.additive_over),
        "better": measure.better,
        "status": measure.status,
        "notice": measure.notice,
        "comparisons": [_comparison(comparison) for comparison in card.comparisons],
        "trend": _trend(card.trend) if card.trend else None,
        "breakdown": _table(card.breakdown) if card.breakdown else None,
        "failure": _failure(card.failure) if card.failure else None,
    }


def _comparison(comparison: Comparison) -> Json:
    change = "points" if comparison.kind == "points" else "change"
    return {
        "name": comparison.name,
        "label": comparison.label,
        "value": exact(comparison.value),
        change: exact(comparison.change),
    }


def _trend(trend: Trend) -> Json:
    return {
        "grain": trend.grain,
        "points": [{"period": plain(period), "value": exact(value)} for period, value in trend.points],
    }


def _table(table: Breakdown) -> dict[str, Json]:
    keys = [column.key for column in table.columns]
    measured = [column.role not in ("dimension", "period", "others", "rank") for column in table.columns]
    return {
        "columns": list(keys),
        "rows": [{key: exact(value) for key, value in zip(keys, row, strict=True)} for row in table.rows],
        "totals": None
        if table.totals is None
        else {key: exact(value) for key, value, shown in zip(keys, table.totals, measured, strict=True) if shown},
        "measures": {
            each.key: _measure(each.measure) for each in table.columns if each.role == "value" and each.measure
        },
    }


def _measure(measure: Measure) -> Json:
    """Say what a column is, so that whoever reads it does not add up what does not add up."""
    return {
        "unit": measure.unit,
        "format": measure.format,
        "additivity": measure.additivity,
        "additive_over": list(measure.additive_over),
    }


def _failure(failure: Failure) -> Json:
    return {"code": failure.code, "message": failure.message, "hint": failure.hint}


def exact(value: Value) -> Json:
    """Write a value as JSON can hold it exactly: as a number where that is the same number, else as a text; unknown as null."""
    match value:
        case bool() | None | str():
            return value
        case int():
            return value if abs(value) <= 2**53 else str(value)
        case float():
            return value if value - value == 0 else None
        case Decimal():
            return _exact_decimal(value)
        case _:
            return plain(value)


def _exact_decimal(value: Decimal) -> Json:
    if not value.is_finite():
        return None
    return float(value) if Decimal(repr(float(value))) == value else plain(value)
