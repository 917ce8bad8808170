"""Google Ads by the BigQuery Data Transfer Service: millionths, settings repeated by day, two currencies, conversions in fractions."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

import pytest

import kpi_engine

STATS = [  # segments_date, customer, campaign, device, network, impressions, clicks, cost_micros, conversions, value
    ("2026-01-30", 111, 1, "DESKTOP", "SEARCH", 100, 10, 12_340_000, 0.5, 40.0),
    ("2026-01-30", 111, 1, "MOBILE", "SEARCH", 50, 5, 1_234_567, 0.25, 0.0),
    ("2026-01-30", 111, 1, "MOBILE", "SEARCH_PARTNERS", 10, 1, 400, 0.0, 0.0),
    ("2026-01-31", 111, 2, "MOBILE", "CONTENT", 5000, 20, 7_700_000, 1.0, 10.0),
    ("2026-02-01", 111, 1, "DESKTOP", "SEARCH", 80, 8, 9_990_000, 2.0, 0.0),
    ("2026-02-01", 111, 3, "DESKTOP", "MIXED", 80, 8, 1_000_000, 0.0, 0.0),
    ("2026-02-01", 222, 9, "DESKTOP", "SEARCH", 10, 1, 5_000_000, 0.0, 0.0),
]
CAMPAIGNS = [  # customer, campaign, name, type, _DATA_DATE: one row for each day
    (111, 1, "Brand", "SEARCH", "2026-01-30"),
    (111, 1, "Brand FR", "SEARCH", "2026-02-01"),
    (111, 2, "Banners", "DISPLAY", "2026-01-30"),
    (111, 2, "Banners", "DISPLAY", "2026-02-01"),
    (111, 3, "Everything", "PERFORMANCE_MAX", "2026-02-01"),
    (222, 9, "US", "SEARCH", "2026-02-01"),
]
CUSTOMERS = [
    (111, "EUR", "Europe/Paris", "2026-01-30"),
    (111, "EUR", "Europe/Paris", "2026-02-01"),
    (222, "USD", "America/New_York", "2026-02-01"),
]
CHANNELS = {1: "paid_search", 2: "display", 3: "cross_network", 9: "paid_search"}
OWN = "datasets:\n  spend: {override: partial, sql: select * from google_ads_spend}\n"
REQUESTS = [
    {"conversion_id": str(number), "session_id": None, "visitor_id": None, "occurred_at": f"2026-01-{day}T10:00:00Z",
     "conversion_type": "ebook", "is_direct_request": True, "lead_id": None, "value": None, "currency": None}
    for number, day in enumerate(("05", "06", "07", "20"))
]  # fmt: skip
SESSION = dict.fromkeys(
    (
        "site_id",
        "visitor_id",
        "session_number",
        "source",
        "medium",
        "campaign",
        "channel",
        "landing_path",
        "device",
        "country",
    )
)


def tables(stats=STATS):
    names = (
        "segments_date", "customer_id", "campaign_id", "segments_device", "segments_ad_network_type", "metrics_impressions",
        "metrics_clicks", "metrics_cost_micros", "metrics_conversions", "metrics_conversions_value",
    )  # fmt: skip
    campaigns = ("customer_id", "campaign_id", "campaign_name", "campaign_advertising_channel_type", "_DATA_DATE")
    customers = ("customer_id", "customer_currency_code", "customer_time_zone", "_DATA_DATE")
    return {
        "ads_CampaignBasicStats": [dict(zip(names, row, strict=True)) for row in stats],
        "ads_Campaign": [dict(zip(campaigns, row, strict=True)) for row in CAMPAIGNS],
        "ads_Customer": [dict(zip(customers, row, strict=True)) for row in CUSTOMERS],
    }


def euros(month, key):
    """Add costs up by hand, exactly."""
    found = defaultdict(Decimal)
    for day, customer, campaign, *_, micros, _, _ in STATS:
        if day.startswith(month) and customer == 111:
            found[key(campaign)] += Decimal(micros) / 1_000_000
    return dict(found)


@pytest.mark.parametrize("preset", ["files", "duckdb"], indirect=True)
def test_spend_is_exact_by_channel_and_month(preset, mistakes):
    engine = preset("marketing, google_ads", tables(), OWN)
    assert mistakes(engine) == []
    for month in ("2026-01", "2026-02"):
        rows = engine.run(
            "marketing_spend", by="channel", period=month, where={"currency": "EUR"}, as_of="2026-06-30"
        ).rows()
        assert {row["channel"]: row["marketing_spend"] for row in rows if row["marketing_spend"]} == euros(
            month, CHANNELS.get
        )
    (row,) = engine.run("marketing_spend", period="2026-01", as_of="2026-06-30").rows()
    assert row["marketing_spend"] == Decimal("21.274967")


@pytest.mark.parametrize("preset", ["files", "duckdb"], indirect=True)
def test_settings_that_are_repeated_for_each_day_multiply_nothing(preset):
    engine = preset("marketing, google_ads", tables(), OWN)
    rows = engine.run("marketing_spend", by="campaign", period="2026-01", as_of="2026-06-30").rows()
    wanted = euros("2026-01", {1: "Brand FR", 2: "Banners"}.get)
    assert {row["campaign"]: row["marketing_spend"] for row in rows if row["marketing_spend"]} == wanted


def test_accounts_in_two_currencies_are_not_added_up(preset):
    engine = preset("marketing, google_ads", tables(), OWN)
    with pytest.raises(kpi_engine.DataError) as caught:
        engine.run("marketing_spend", period="2026-02", as_of="2026-06-30")
    assert caught.value.code == "mixed_currencies"
    rows = engine.run("marketing_spend", by="currency", period="2026-02", as_of="2026-06-30").rows()
    assert {row["currency"]: row["marketing_spend"] for row in rows} == {"EUR": Decimal("10.99"), "USD": 5}


def test_an_account_of_an_unknown_currency_is_not_added_to_others(preset):
    known = tables()
    known["ads_Customer"] = [row for row in known["ads_Customer"] if row["customer_id"] == 111]
    engine = preset("marketing, google_ads", known, OWN)
    with pytest.raises(kpi_engine.DataError) as caught:
        engine.run("marketing_spend", period="2026-02", as_of="2026-06-30")
    assert caught.value.code == "mixed_currencies"
    rows = engine.run("marketing_spend", by="currency", period="2026-02", as_of="2026-06-30").rows()
    assert {row["currency"]: row["marketing_spend"] for row in rows} == {"EUR": Decimal("10.99"), "XXX": 5}


def test_spend_is_divided_by_the_requests_of_ones_own(preset):
    sessions = [{"session_id": "s", "started_at": "2026-01-05T10:00:00Z", **SESSION}]
    engine = preset("marketing, google_ads", {**tables(), "web_conversion": REQUESTS, "web_session": sessions}, OWN)
    (row,) = engine.run("cost_per_conversion", period="2026-01", as_of="2026-06-30").rows()
    assert float(row["cost_per_conversion"]) == pytest.approx(21.274967 / 4)


def test_recent_spend_is_provisional_for_days_and_conversions_for_weeks(preset):
    own = OWN + "kpis:\n  ad_conversions: {inputs: [google_ads_results], formula: sum(conversions)}\n"
    engine = preset("marketing, google_ads", tables(), own)
    spend = engine.run("marketing_spend", period="2026-01", as_of="2026-02-02")
    assert spend.provisional
    assert not engine.run("marketing_spend", period="2026-01", as_of="2026-02-20").provisional
    conversions = engine.run("ad_conversions", period="2026-01", as_of="2026-02-20")
    assert conversions.provisional
    assert conversions.rows()[0]["ad_conversions"] == pytest.approx(1.75)
    assert not engine.run("ad_conversions", period="2026-01", as_of="2026-06-30").provisional
