"""Scorecards: an engine's answers put together as a report, and a report put through an output."""

from __future__ import annotations

import io
import os
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from kpi_engine.api import Breakdown, Card, Comparison, Failure, Report, Section, Trend
from kpi_engine.calendar import (
    Duration,
    Span,
    as_far,
    parse_moment,
    parse_period,
    previous,
    shift,
    span_label,
    year_before,
)
from kpi_engine.calendar import label as period_label
from kpi_engine.describing import text, unresolved_measure
from kpi_engine.errors import KpiError, OutputError, PluginError, TimeoutExceeded
from kpi_engine.restating import provisional

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime

    from kpi_engine.api import Measure
    from kpi_engine.calendar import Period
    from kpi_engine.definitions import ProjectFile
    from kpi_engine.engine import Engine
    from kpi_engine.plugins import Plugins
    from kpi_engine.results import Result

TREND_MONTHS = 13
"""How many months a trend goes back, so that the month of a year before is on it."""
TITLE_LABELS = 3
"""How many KPIs the title of a table names; one of more is called after the project."""
BREAKDOWN_ROWS = 10
"""How many members a scorecard shows of a KPI that means nothing without a split."""


def scorecards(
    engine: Engine, roles: Sequence[str], *, period: Any, compare: str | Iterable[str], like_for_like: bool,  # noqa: ANN401
    where: Mapping[str, Any] | None, as_of: Any, language: str | None, trend: bool, timeout: float | None,  # noqa: ANN401
) -> Report:  # fmt: skip
    """Compute the scorecards of roles for one period."""
    language = language or engine.project.settings.language
    calendar = engine.calendar
    moment = parse_moment(as_of, calendar)
    asked = parse_period(period, calendar, moment)
    compared = tuple(
        name.strip().replace("-", "_").replace(" ", "_")
        for name in ((compare,) if isinstance(compare, str) else compare)
    )
    request = {"period": period, "where": where, "as_of": moment, "timeout": timeout, "language": language}
    labels = _comparison_labels(asked, compared, engine, language, moment if like_for_like else None)
    comparing = {"compare": compared, "like_for_like": like_for_like}
    sections = tuple(
        _section(engine, role, request, comparing, labels, language, asked if trend else None) for role in roles
    )
    head = masthead(engine.project.settings, language)
    shown = [kpi for role in roles for kpi in engine.kpis(role)]
    late = provisional(shown, asked.span, moment, engine.catalogue, language)
    return Report(
        title=head.title,
        language=language,
        period=period_label(asked, language, calendar=calendar),
        sections=sections,
        as_of=_last_instant(moment),
        unfinished=asked.kind != "all" and asked.span.end is not None and asked.span.end > moment,
        notices=tuple(filter(None, [head.notice, late])),
        currency=head.currency,
        provisional=bool(late),
    )


@dataclass(frozen=True)
class Masthead:
    """What a project says of itself above its numbers."""

    title: str
    notice: str
    currency: str


def masthead(settings: ProjectFile, language: str) -> Masthead:
    """Say it in a language."""
    return Masthead(
        text(settings.label, language) or settings.project, text(settings.notice, language), settings.currency
    )


def table_report(engine: Engine, result: Result, *, totals: bool = True) -> Report:
    """Put the answer to a request into a report of one table."""
    return table_under(masthead(engine.project.settings, result.language), result, totals=totals)


def table_under(head: Masthead, result: Result, *, totals: bool) -> Report:
    """Put the answer to a request below what its project says of itself."""
    labels = [measure.label for measure in result.measures().values()]
    named = ", ".join(labels) if len(labels) <= TITLE_LABELS else head.title
    section = Section(title=named, table=result.breakdown(totals=totals), failures=result.failures)
    return Report(
        title=head.title, language=result.language, period=result.period, sections=(section,), as_of=_last_instant(result.as_of),
        unfinished=result.unfinished, notices=tuple(filter(None, [head.notice, result.provisional])), currency=head.currency,
        provisional=bool(result.provisional),
    )  # fmt: skip


def failures_of(report: Report) -> dict[str, Failure]:
    """Give the KPIs of a report that have no number because they failed, by id."""
    cards = {
        card.measure.id: card.failure
        for section in report.sections
        for card in section.cards
        if card.failure is not None
    }
    return {kpi_id: failure for section in report.sections for kpi_id, failure in section.failures.items()} | cards


def _last_instant(as_of: datetime) -> datetime:
    """Give the last instant that counts: a bound at midnight is said as the end of the day before."""
    return as_of - timedelta(minutes=1) if as_of.time() == as_of.min.time() else as_of


def rendered(
    plugins: Plugins, report: Report, output: str, target: str | Path | IO[bytes] | None, options: Mapping[str, Any]
) -> bytes:
    """Render a report with an output plugin, and put what is finished in place at once, so that a failure leaves the old file."""
    made = plugins.output(output)
    stream = None if target is None or isinstance(target, str | Path) else target
    buffer = _Draft(terminal=stream is not None and stream.isatty())
    try:
        config = plugins.configure(made, options)
        maker = plugins.make("output", made, config)
        plugins.call("output", maker, "render", report, buffer)
    except PluginError as error:
        if error.code != "plugin_failed":
            raise
        hint = "this is a fault of the plugin; choose another output"
        raise OutputError(error.message, code="output_failed", hint=hint) from error
    content = buffer.getvalue()
    if stream is not None:
        stream.write(content)
        stream.flush()
    elif isinstance(target, str | Path):
        write_atomically(Path(target), content)
    return content


class _Draft(io.BytesIO):
    """What an output writes to before it is put in place; it is a terminal where its target is one."""

    def __init__(self, *, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


def write_atomically(target: Path, content: bytes) -> None:
    """Write a file whole or not at all; what stood there before stays until the new one is complete."""
    temporary: str | None = None
    try:
        if target.exists() and not target.is_file() and not target.is_dir():
            target.write_bytes(
                content
            )  # a device or a pipe holds nothing that could be lost, and must not be replaced by a file
            return
        target = target.resolve()
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask())
        Path(temporary).replace(target)
    except OSError as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        hint = "choose another place; what stood there before is untouched"
        raise OutputError(
            f"{target} cannot be written: {error.strerror or error}", code="unwritable", hint=hint
        ) from error
    except BaseException:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        raise


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


def _comparison_labels(
    period: Period, compared: Sequence[str], engine: Engine, language: str, open_at: datetime | None
) -> dict[str, str]:
    """Say which earlier periods are compared with; `open_at` is the moment up to which, where only the same part of them is."""
    calendar = engine.calendar
    spans = {
        "previous_period": lambda: previous(period, calendar),
        "previous_year": lambda: year_before(period.span, calendar, period.grain),
    }
    found = {}
    for name in (each for each in compared if each in spans):
        span, grain = spans[name](), period.grain
        if open_at is not None and period.span.end is not None and period.span.end > open_at:
            far = as_far(open_at, period.span, span, calendar, grain, yearly=name == "previous_year")
            part = Span(span.start, far)
            span, grain = part, grain if part == span else None
        found[name] = span_label(span, language, grain=grain, calendar=calendar)
    return found


def _section(
    engine: Engine, role: str, request: Mapping[str, Any], comparing: Mapping[str, Any], labels: Mapping[str, str], language: str,
    trend_to: Period | None,
) -> Section:  # fmt: skip
    project = engine.project
    model = project.roles[role]
    group = project.groups.get(model.group)
    kpis = engine.kpis(role)
    plain = [kpi_id for kpi_id in kpis if not project.kpis[kpi_id].split]
    cards: dict[str, Card] = {}
    if plain:
        result = engine.run(plain, **request, **comparing, on_error="collect")
        trends = _trends(engine, [k for k in plain if k not in result.failures], request, trend_to)
        row = result.rows()[0]
        cards = {k: _card(engine, k, result, row, labels, language, trends.get(k)) for k in plain}
    for kpi_id in kpis:
        if kpi_id not in cards:
            cards[kpi_id] = _split_card(engine, kpi_id, request, language)
    return Section(
        title=text(model.label, language) or role,
        group=text(group.label, language) if group else "",
        role=role,
        cards=tuple(cards[kpi_id] for kpi_id in kpis),
    )


def _card(
    engine: Engine,
    kpi_id: str,
    result: Result,
    row: Mapping[str, Any],
    labels: Mapping[str, str],
    language: str,
    trend: Trend | None,
) -> Card:
    if kpi_id in result.failures:
        return Card(unresolved_measure(kpi_id, engine.project, language), failure=result.failures[kpi_id])
    measure = result.measures()[kpi_id]
    comparisons = tuple(_comparison(kpi_id, name, words, row, measure) for name, words in labels.items())
    return Card(measure, row[kpi_id], comparisons, trend)


def _comparison(kpi_id: str, name: str, words: str, row: Mapping[str, Any], measure: Measure) -> Comparison:
    key = f"{kpi_id}__{name}"
    points = f"{key}_points" in row
    change = row[f"{key}_points" if points else f"{key}_change"]
    wanted = {"higher": 1, "lower": -1, "neither": 0}[measure.better]
    moved = wanted * (change or 0)
    verdict = "good" if moved > 0 else "bad" if moved < 0 else "neutral"
    return Comparison(name, words, row[key], change, "points" if points else "relative", verdict)  # type: ignore[arg-type]


def _trends(engine: Engine, kpis: Sequence[str], request: Mapping[str, Any], period: Period | None) -> dict[str, Trend]:
    """Give each KPI month by month up to the period's end."""
    if period is None or period.span.end is None or not kpis:
        return {}
    end = min(period.span.end, request["as_of"])
    start = shift(end, Duration(TREND_MONTHS, "month")).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    months = Span(start if _starts_month(end) else shift(start, Duration(1, "month"), 1), end)
    span = (months.start.date(), _last_day(end))  # type: ignore[union-attr]
    result = engine.run(list(kpis), **{**request, "period": span}, grain="month", on_error="collect")
    rows = result.rows()
    return {
        kpi_id: Trend(
            "month", tuple((row["period"], None if row[kpi_id] is None else float(row[kpi_id])) for row in rows)
        )
        for kpi_id in kpis
        if kpi_id not in result.failures
    }


def _starts_month(moment: datetime) -> bool:
    return moment.day == 1 and moment.time() == moment.min.time()


def _last_day(end: datetime) -> date:
    return (end - timedelta(microseconds=1)).date()


def _split_card(engine: Engine, kpi_id: str, request: Mapping[str, Any], language: str) -> Card:
    """Show a KPI that means nothing without a split by its largest members."""
    split = engine.project.kpis[kpi_id].split
    try:
        result = engine.run(kpi_id, by=split, **request, order=f"{kpi_id} desc", limit=BREAKDOWN_ROWS)
        measure = result.measures()[kpi_id]
    except TimeoutExceeded:
        raise
    except KpiError as error:
        return Card(
            unresolved_measure(kpi_id, engine.project, language), failure=Failure(error.code, error.message, error.hint)
        )
    found = result.breakdown(totals=False)
    return Card(measure, breakdown=Breakdown(found.columns, found.rows))
