"""GA4's export: repeated records, session ids that two visitors share, no consent, the day's table beside the finished one."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

import kpi_engine

PARIS = ZoneInfo("Europe/Paris")


def event(
    visitor,
    when,
    name,
    session,
    page=None,
    *,
    number=1,
    order=1,
    ms=None,
    group="Organic Search",
    source="google",
    **params,
):
    """Make an event as the export has it: whole numbers are texts, each parameter has its value in one of four fields."""
    moment = datetime.fromisoformat(when)
    empty = {"string_value": None, "int_value": None, "float_value": None, "double_value": None}
    found = []
    if session is not None:
        found += [("ga_session_id", "int_value", str(session)), ("ga_session_number", "int_value", str(number))]
    if page is not None:
        found.append(("page_location", "string_value", f"https://acme.example{page}"))
    if ms is not None:
        found.append(("engagement_time_msec", "int_value", str(ms)))
    kinds = {str: "string_value", int: "int_value", float: "double_value"}
    found += [
        (key, kinds[type(value)], str(value) if isinstance(value, int) else value) for key, value in params.items()
    ]
    campaign = {"default_channel_group": group, "source": source, "medium": "organic", "campaign_name": "(organic)"}
    return {
        "event_date": moment.astimezone(PARIS).strftime("%Y%m%d"), "event_timestamp": str(int(moment.timestamp() * 1_000_000)),
        "event_name": name, "event_params": [{"key": key, "value": {**empty, kind: value}} for key, kind, value in found],
        "event_bundle_sequence_id": 7, "batch_page_id": 3, "batch_ordering_id": order, "batch_event_index": 1, "stream_id": "5551",
        "user_pseudo_id": visitor, "device": {"category": "mobile"}, "geo": {"country": "France"},
        "traffic_source": {"name": "(direct)", "medium": "(none)", "source": "(direct)"},  # of the visitor's first visit: not used
        "session_traffic_source_last_click": {"cross_channel_campaign": campaign} if group else None,
    }  # fmt: skip


EVENTS = [
    event("ann.1", "2026-01-05T10:00:00+00:00", "page_view", 111, "/blog/one?utm=x", ms=0),
    event("ann.1", "2026-01-05T10:00:40+00:00", "user_engagement", 111, "/blog/one", ms=40_000),
    event("ann.1", "2026-01-05T10:00:41+00:00", "page_view", 111, "/", order=2),
    event("ann.1", "2026-01-05T10:01:00+00:00", "page_view", 111, "/blog/one", order=3),
    event("ann.1", "2026-01-05T10:01:20+00:00", "user_engagement", 111, "/blog/one", ms=20_500),
    event("ann.1", "2026-01-05T10:02:00+00:00", "generate_lead", 111, "/blog/one"),
    # another visitor with the same session id
    event("bob.2", "2026-01-05T10:00:00+00:00", "page_view", 111, "/pricing", group="Paid Search"),
    # over midnight in Paris, which is 23:00 in UTC: one visit, in January
    event("ann.1", "2026-01-31T22:50:00+00:00", "page_view", 222, "/", number=2, group="Cross-network", source="google"),
    event("ann.1", "2026-01-31T23:10:00+00:00", "page_view", 222, "/blog/two", number=2, group="Cross-network", order=2),
    # the same order, sent twice; and one of another value
    event("bob.2", "2026-02-02T09:00:00+00:00", "purchase", 333, "/thanks", number=2, group="Email", value=49.9, currency="EUR", transaction_id="T1"),
    event("bob.2", "2026-02-02T09:05:00+00:00", "purchase", 333, "/thanks", number=2, group="Email", value=49.9, currency="EUR", transaction_id="T1"),
    event("bob.2", "2026-02-02T09:06:00+00:00", "purchase", 333, "/thanks", number=2, group="Email", value=20, currency="EUR", transaction_id="T2"),
    # no consent: neither visitor nor session
    event(None, "2026-01-06T10:00:00+00:00", "page_view", None, "/blog/one"),
    event(None, "2026-01-06T10:00:01+00:00", "generate_lead", None, "/blog/one"),
    # no rule of GA4's fits
    event("eve.3", "2026-01-31T23:30:00+00:00", "page_view", 444, "/", group="Unassigned"),
]  # fmt: skip
INTRADAY = [{**each, "session_traffic_source_last_click": None} for each in EVENTS[7:9]]
"""The table of the day, which was not deleted yet; it does not know where sessions come from."""
RULES = [
    {"event_name": "generate_lead", "conversion_type": "ebook", "is_direct_request": True},
    {"event_name": "purchase", "conversion_type": "purchase", "is_direct_request": False},
]
OWN = """
datasets:
  sessions: {override: partial, sql: select * from ga4_sessions}
  page_views: {override: partial, sql: select * from ga4_page_views}
  conversions: {override: partial, sql: select * from ga4_conversions}
"""


@pytest.fixture
def engine(preset):
    tables = {"events": [*INTRADAY, *EVENTS], "ga4_conversion_events": RULES}
    return preset("marketing, ga4", tables, OWN, calendar="{timezone: Europe/Paris}")


def visits():
    """Work visits out by hand: the first moment of each visitor and session id, on the clock of Paris."""
    found: dict[tuple, datetime] = {}
    for each in EVENTS:
        numbers = [one["value"]["int_value"] for one in each["event_params"] if one["key"] == "ga_session_id"]
        if each["user_pseudo_id"] and numbers:
            moment = datetime.fromtimestamp(int(each["event_timestamp"]) / 1e6, UTC).astimezone(PARIS)
            key = (each["user_pseudo_id"], numbers[0])
            found[key] = min(found.get(key, moment), moment)
    return found


def months(engine, *kpis):
    return engine.run(list(kpis), grain="month", period="2026-01..2026-02", as_of="2026-06-30").rows()


def january(engine, *kpis, **request):
    return engine.run(list(kpis), period="2026-01", as_of="2026-06-30", **request).rows()


@pytest.mark.parametrize("preset", ["files", "duckdb"], indirect=True)
def test_visits_and_visitors(engine, mistakes):
    assert mistakes(engine) == []
    rows = months(engine, "visits", "unique_visitors", "returning_visitors")
    for number, row in enumerate(rows, start=1):
        inside = {key for key, moment in visits().items() if moment.month == number}
        assert row["visits"] == len(inside)
        assert row["unique_visitors"] == len({visitor for visitor, _ in inside})
    assert [row["visits"] for row in rows] == [3, 2]
    assert [row["returning_visitors"] for row in rows] == [1, 1]


def test_channels_are_those_of_the_sessions_last_click(engine):
    rows = months(engine, "visits", "visit_channel_coverage")
    assert [row["visit_channel_coverage"] for row in rows] == [1, pytest.approx(1 / 2)]
    by_channel = january(engine, "visits_by_channel", by="channel")
    assert {row["channel"]: row["visits_by_channel"] for row in by_channel if row["visits_by_channel"]} == {
        "organic_search": 1, "paid_search": 1, "cross_network": 1,
    }  # fmt: skip
    assert january(engine, "organic_search_visits") == [{"organic_search_visits": 1}]


@pytest.mark.parametrize("preset", ["files", "duckdb"], indirect=True)
def test_time_on_the_blog_is_counted_once_per_page_and_session(engine):
    (row,) = january(engine, "blog_avg_time", "blog_unique_visitors", "blog_traffic_share")
    assert row["blog_avg_time"] == pytest.approx((40 + 20.5) / 1)
    assert row["blog_unique_visitors"] == 1
    assert row["blog_traffic_share"] == pytest.approx(1 / 3)
    rows = engine.run("blog_unique_visitors", period="2026-02", as_of="2026-06-30").rows()
    assert rows == [{"blog_unique_visitors": 1}]  # the page was viewed after midnight


def test_landing_pages_have_no_parameters(engine):
    rows = january(engine, "visits", by="landing_page")
    assert {row["landing_page"]: row["visits"] for row in rows} == {"/blog/one": 1, "/pricing": 1, "/": 1}


def test_requests_without_consent_count_and_have_no_channel(engine):
    (row,) = january(engine, "direct_requests", "organic_search_conversions", "conversion_attribution_coverage")
    assert row == {
        "direct_requests": 2,
        "organic_search_conversions": 1,
        "conversion_attribution_coverage": pytest.approx(1 / 2),
    }


@pytest.mark.parametrize("preset", ["files", "duckdb"], indirect=True)
def test_an_order_that_was_sent_twice_is_one(engine):
    (row,) = engine.run(["purchases", "purchase_value"], period="2026-02", as_of="2026-06-30").rows()
    assert row["purchases"] == 2
    assert float(row["purchase_value"]) == pytest.approx(69.9)


def test_late_events_make_the_last_days_provisional(engine):
    for kpi in ("visits", "direct_requests", "blog_unique_visitors", "site_conversion_rate"):
        assert "3 days" in engine.run(kpi, period="2026-01", as_of="2026-02-02").provisional, kpi
        assert not engine.run(kpi, period="2026-01", as_of="2026-02-10").provisional, kpi


def test_without_rules_of_ones_own_conversions_are_refused(preset):
    engine = preset("marketing, ga4", {"events": EVENTS}, OWN)
    with pytest.raises(kpi_engine.KpiError, match="ga4_conversion_events"):
        engine.run("direct_requests", period="2026-01", as_of="2026-06-30")
    assert january(engine, "visits") == [{"visits": 4}]
