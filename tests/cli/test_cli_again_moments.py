"""A request that is asked as of now, again at a later moment: rows after that moment are not counted, and all before it are."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from asking_again import planned, settled, without_cache  # noqa: F401 - fixtures
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

EVENTS = """
datasets:
  events:
    table: events
    key: id
    time: day
    times: {clock: local, instant: instant, abroad: abroad}
    columns:
      local: {type: timestamp}
      instant: {type: timestamptz}
      abroad: {type: timestamp, zone: America/New_York}
kpis:
  by_day: {inputs: [events], formula: count(events)}
  by_clock: {inputs: {e: {from: events, time: clock}}, formula: count(e)}
  by_instant: {inputs: {e: {from: events, time: instant}}, formula: count(e)}
  by_abroad: {inputs: {e: {from: events, time: abroad}}, formula: count(e)}
  to_date: {inputs: {e: {from: events, time: clock, to_date: month}}, formula: count(e)}
  window: {inputs: {e: {from: events, time: instant, window: 7 days}}, formula: count(e)}
  hours: {inputs: {e: {from: events, time: instant, window: 5 hours}}, formula: count(e)}
  ever: {inputs: {e: {from: events, time: clock, all_time: true}}, formula: count(e)}
  before: {inputs: {e: {from: events, time: instant, offset: 1 month}}, formula: count(e)}
"""
KPIS = ("by_day", "by_clock", "by_instant", "by_abroad", "to_date", "window", "hours", "ever", "before")
PERIODS = ("", "today", "this month", "year to date", "month to date", "last 7 days", "yesterday", "2026-10", "2026")
PARIS = ZoneInfo("Europe/Paris")


@pytest.fixture(autouse=True)
def clocks(shop):
    """A row for each ten minutes around the moments that are asked for."""
    (shop / "definitions" / "events.yaml").write_text(EVENTS)
    start, lines = datetime(2026, 10, 23, tzinfo=ZoneInfo("UTC")), ["id,day,local,instant,abroad"]
    for number in range(6 * 24 * 5):
        at = start + timedelta(minutes=10 * number)
        local, abroad = at.astimezone(PARIS), at.astimezone(ZoneInfo("America/New_York"))
        lines.append(
            f"{number},{local:%Y-%m-%d},{local:%Y-%m-%d %H:%M},{at:%Y-%m-%d %H:%M:%S+00},{abroad:%Y-%m-%d %H:%M}"
        )
    (shop / "data" / "events.csv").write_text("\n".join([*lines, ""]))


@pytest.mark.slow
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(KPIS),
    st.sampled_from(PERIODS),
    st.sampled_from(("", "day", "hour", "month")),
    st.sampled_from(("", "previous_period", "previous_year")),
    st.lists(st.integers(0, 5 * 24 * 60 * 60 * 10**6), min_size=2, max_size=3),
)
def test_as_of_now_is_as_of_the_moment_it_is_asked(kpi, kpi_id, period, grain, compare, moments):
    """The end of daylight saving time, on 25 October, is among the moments."""
    options = {"--period": period, "--grain": grain, "--compare": compare, "--output": "csv"}
    request = [kpi_id, *(word for option, value in options.items() if value for word in (option, value))]
    for moment in sorted(moments):
        at = datetime(2026, 10, 23, tzinfo=ZoneInfo("UTC")) + timedelta(microseconds=moment)
        with time_machine.travel(at, tick=False):
            assert kpi("run", *request) == without_cache(kpi, *request)


def test_later_the_same_day_no_new_plan_is_needed(kpi, planned):
    answers = []
    for hour in (9, 11, 18):
        with time_machine.travel(f"2026-10-24T{hour:02}:05:00.5+00:00", tick=False):
            answers.append(kpi("run", "by_instant", "--period", "today", "--output", "csv").out.split()[1])
    assert answers == ["67,true", "79,true", "121,true"]
    assert len(planned) == 1
    with time_machine.travel("2026-10-25T09:05:00.5+00:00", tick=False):
        kpi("run", "by_instant", "--period", "today", "--output", "csv")
    assert len(planned) == 2
