from __future__ import annotations

from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from kpi_engine.calendar import Span

bounds = st.none() | st.datetimes(datetime(1990, 1, 1), datetime(1990, 1, 20))  # noqa: DTZ001 - local times
spans = st.builds(Span, bounds, bounds)
moments = st.datetimes(datetime(1989, 12, 30), datetime(1990, 1, 22))  # noqa: DTZ001 - local times


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_the_start_lies_in_a_span_and_the_end_does_not() -> None:
    span = Span(at("2026-01-01"), at("2026-02-01"))
    assert span.contains(at("2026-01-01"))
    assert not span.contains(at("2026-02-01"))


def test_a_span_without_bounds_holds_everything() -> None:
    assert Span(None, None).contains(at("1900-01-01"))
    assert not Span(None, None).is_empty


def test_a_span_that_ends_where_it_starts_is_empty() -> None:
    assert Span(at("2026-01-01"), at("2026-01-01")).is_empty
    assert not Span(at("2026-01-01"), None).is_empty


@given(spans, spans, moments)
def test_an_intersection_holds_exactly_what_both_hold(one: Span, other: Span, moment: datetime) -> None:
    assert one.intersect(other).contains(moment) == (one.contains(moment) and other.contains(moment))


@given(spans, moments, moments)
def test_clipping_keeps_exactly_what_lies_before_the_end(span: Span, end: datetime, moment: datetime) -> None:
    assert span.clip_end(end).contains(moment) == (span.contains(moment) and moment < end)


def test_clipping_before_the_start_leaves_an_empty_span_at_the_start() -> None:
    start = at("2026-08-01")
    assert Span(start, at("2026-09-01")).clip_end(at("2026-07-15")) == Span(start, start)
