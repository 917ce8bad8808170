"""What a KPI and a column of an answer are, in the reader's language."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from kpi_engine.api import Column, Measure
from kpi_engine.calendar import label as period_label
from kpi_engine.formula.units import COUNT, MONEY, said_in
from kpi_engine.restating import final_until, provisional

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from kpi_engine.calendar import Calendar
    from kpi_engine.catalogue import Catalogue, ResolvedKpi
    from kpi_engine.definitions import Project
    from kpi_engine.planning import Derive, Request

WORDS = {
    "en": {"period": "Period", "previous_period": "previous period", "previous_year": "previous year", "change": "change", "points": "change in points",
           "others": "others", "rank": "rank", "share": "share of the total", "same_part": "same part",
           "sampled": "Estimated from a sample: "},
    "fr": {"period": "Période", "previous_period": "période précédente", "previous_year": "année précédente", "change": "évolution", "points": "évolution en points",
           "others": "autres", "rank": "rang", "share": "part du total", "same_part": "même partie",
           "sampled": "Estimé sur un échantillon : "},
}  # fmt: skip


def text(texts: Mapping[str, str], language: str) -> str:
    """Give a text in a language: that one, else the one for every language, else English, else any."""
    for key in (language, "", "en"):
        if texts.get(key):
            return texts[key]
    return next(iter(texts.values()), "")


def measure_of(kpi: ResolvedKpi, catalogue: Catalogue, language: str, currency: str = "") -> Measure:
    """Say what a KPI is, in a language; `currency` is what a request converts amounts into."""
    model = kpi.model
    format_ = model.format or _format(kpi)
    return Measure(
        id=kpi.id,
        label=text(model.label, language) or kpi.id,
        description=text(model.description, language),
        unit=_unit(kpi, catalogue, currency),
        format=format_,
        decimals=model.decimals,
        better=model.better,
        additivity=kpi.additivity,
        additive_over=model.additive_over if kpi.additivity == "non_additive" else (),
        status=model.status,
        notice=" ".join(filter(None, [text(model.notice, language), _sampled(kpi.id, catalogue, language)])),
    )


def _sampled(kpi_id: str, catalogue: Catalogue, language: str) -> str:
    """Say how the figures of a KPI are estimated, where they are."""
    said = ", ".join(catalogue.caveats([kpi_id]).sampled)
    return f"{WORDS.get(language, WORDS['en'])['sampled']}{said}." if said else ""


def money_unit(kpi: ResolvedKpi) -> str:
    """Write a KPI's unit with `¤` for money of which its columns name no currency; a count of things has no unit of its own."""
    model = kpi.model
    inferred = "" if kpi.unit is None or kpi.unit == COUNT or model.format == "percent" else str(kpi.unit)
    unit = model.unit or inferred
    if model.format != "currency" or (inferred and MONEY not in inferred):
        return unit
    return said_in(unit, MONEY) or MONEY


def _unit(kpi: ResolvedKpi, catalogue: Catalogue, currency: str) -> str:
    """Write a KPI's unit in the currency that its amounts are converted into; without one, as far as it is known."""
    unit = money_unit(kpi)
    if to := catalogue.currency_of(kpi.id, currency):
        return said_in(unit, to)
    if MONEY not in unit:
        return unit
    return kpi.model.unit or (
        said_in(unit, catalogue.project.settings.currency) if kpi.model.format == "currency" else ""
    )


def in_currencies(
    columns: Iterable[Column], money: Mapping[str, str], currencies: Mapping[str, str]
) -> tuple[Column, ...]:
    """Write units of money in the currency that the amounts of an answer were found to be in; `money` holds the units by KPI."""
    found = {kpi_id: said_in(unit, currencies[kpi_id]) for kpi_id, unit in money.items() if kpi_id in currencies}
    return tuple(
        replace(each, measure=replace(each.measure, unit=found[each.measure.id]))
        if each.measure is not None and each.measure.id in found
        else each
        for each in columns
    )


def unresolved_measure(kpi_id: str, project: Project, language: str) -> Measure:
    """Say what is known of a KPI that cannot be computed."""
    model = project.kpis[kpi_id]
    return Measure(
        id=kpi_id, label=text(model.label, language) or kpi_id, description=text(model.description, language), unit=model.unit,
        format=model.format or "number", decimals=model.decimals, better=model.better, status=model.status,
        notice=text(model.notice, language),
    )  # fmt: skip


def _format(kpi: ResolvedKpi) -> Literal["number", "integer", "percent", "duration", "currency"]:
    counts = kpi.aggregates and all(a.function in {"count", "count_distinct"} for a in kpi.aggregates)
    return "integer" if counts and kpi.additivity != "non_additive" else "number"


def columns_of(plan: Derive, request: Request, catalogue: Catalogue, language: str) -> tuple[Column, ...]:
    """Say what stands in each column of an answer."""
    from kpi_engine.planning.ranking import others_of, rank_of, share_of

    words = WORDS.get(language, WORDS["en"])
    columns = []
    for name in (each for each in plan.align.split if each != plan.position):
        label = dimension_label(name, (*request.kpis, *request.members_of), catalogue, language)
        columns.append(Column(name, label, "dimension"))
        if plan.others and plan.position == others_of(name):
            columns.append(Column(plan.position, f"{label}, {words['others']}", "others"))
    if plan.period:
        period = Column(plan.period, words["period"], "period", grain=request.grain or "")
        final = final_until(_computed(request), request.as_of, catalogue)
        late = _first_after(plan, final) if final is not None else ""
        columns.append(replace(period, unfinished_from=_unfinished_from(plan, request), provisional_from=late))
    own = catalogue.project.settings.calendar.units
    titles = {each: text(own[each].label, language) or each if each in own else each for each in plan.align.labels}
    columns += [Column(f"{plan.period}_{each}", title, "dimension") for each, title in titles.items()]
    measures = {k: _measure(k, request, catalogue, language) for k in request.kpis}
    columns += [Column(kpi_id, measure.label, "value", measure) for kpi_id, measure in measures.items()]
    for name in request.compare:
        part = f", {words['same_part']}" if request.like_for_like and is_unfinished(request) else ""
        for kpi_id, measure in measures.items():
            columns += _comparison(plan, f"{kpi_id}__{name}", measure, f"{measure.label}, {words[name]}{part}", words)
    columns += [_standing(rank_of(each.kpi), "rank", measures[each.kpi], words) for each in request.rank]
    columns += [_standing(share_of(each.kpi), "share", measures[each.kpi], words) for each in request.share]
    return tuple(columns)


def _unfinished_from(plan: Derive, request: Request) -> str:
    """Give the first period that is not over at `as_of`, as the answer writes it."""
    if plan.align.numbers:
        span = request.period.span
        return span.end.date().isoformat() if span.end is not None and span.end > request.as_of else ""
    return _first_after(plan, request.as_of)


def _first_after(plan: Derive, moment: datetime) -> str:
    """Give the first period that ends after a moment, as the answer writes it."""
    starts = (each.start for each in plan.align.periods if each.span.end is not None and each.span.end > moment)
    first = min((start for start in starts if start is not None), default=None)
    if first is None:
        return ""
    return (first.date() if plan.period_is_date else first).isoformat()


def _measure(kpi_id: str, request: Request, catalogue: Catalogue, language: str) -> Measure:
    if kpi_id in request.failed:
        return unresolved_measure(kpi_id, catalogue.project, language)
    return measure_of(catalogue.kpi(kpi_id), catalogue, language, request.currency)


def _comparison(plan: Derive, key: str, measure: Measure, title: str, words: Mapping[str, str]) -> Iterator[Column]:
    yield Column(key, title, "earlier", measure)
    role: Literal["change", "points"] = "points" if f"{key}_points" in plan.shown else "change"
    yield Column(f"{key}_{role}", f"{title}, {words[role]}", role, measure)


def _standing(key: str, role: Literal["rank", "share"], measure: Measure, words: Mapping[str, str]) -> Column:
    return Column(key, f"{measure.label}, {words[role]}", role, measure)


@dataclass(frozen=True)
class Heading:
    """What is said above and beside the numbers of an answer."""

    columns: tuple[Column, ...]
    period: str
    """In words."""
    unfinished: bool
    """Whether the period is not over at the request's `as_of`."""
    money: Mapping[str, str]
    """The units of money whose currency is known once the amounts are, by KPI."""
    provisional: str = ""
    """In words, where figures of the period may still be changed by their source."""


def heading(plan: Derive, request: Request, catalogue: Catalogue, calendar: Calendar, language: str) -> Heading:
    """Say what stands above and beside the numbers of an answer."""
    return Heading(
        columns=columns_of(plan, request, catalogue, language),
        period=period_label(request.period, language, calendar=calendar),
        unfinished=is_unfinished(request),
        money=_money(request, catalogue),
        provisional=provisional(_computed(request), request.period.span, request.as_of, catalogue, language),
    )


def is_unfinished(request: Request) -> bool:
    """Say whether the period of a request, or of its data where it has a grain and names none, is not over at its `as_of`."""
    end = request.period.span.end
    return end is not None and end > request.as_of


def _computed(request: Request) -> list[str]:
    return [each for each in request.kpis if each not in request.failed]


def _money(request: Request, catalogue: Catalogue) -> dict[str, str]:
    units = {kpi_id: money_unit(catalogue.kpi(kpi_id)) for kpi_id in request.kpis if kpi_id not in request.failed}
    return {kpi_id: unit for kpi_id, unit in units.items() if MONEY in unit}


def dimension_label(name: str, kpis: tuple[str, ...], catalogue: Catalogue, language: str) -> str:
    """Give a dimension's label, as the first dataset that has one says it."""
    for kpi_id in kpis:
        for dataset in catalogue.datasets_under(kpi_id):
            dimension = catalogue.project.datasets[dataset].dimensions.get(name)
            if dimension is not None and dimension.label:
                return text(dimension.label, language)
    return name
