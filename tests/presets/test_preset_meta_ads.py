"""Meta's Insights: numbers as texts, actions that hold one another, reach that cannot be added up, rows longer than a day."""

from __future__ import annotations

from decimal import Decimal

import pytest

import kpi_engine


def row(day, ad, spend, reach, actions, *, campaign="c1", name="Awareness", stop=None, currency="EUR"):
    return {
        "date_start": day, "date_stop": stop or day, "account_id": "999", "account_currency": currency, "campaign_id": campaign,
        "campaign_name": name, "ad_id": ad, "impressions": "1000", "clicks": "12", "reach": reach, "frequency": "1.25",
        "spend": spend,
        "actions": [{"action_type": kind, "value": value} for kind, value in actions.items()] or None,
    }  # fmt: skip


LEADS = {
    "link_click": "9", "lead": "5", "offsite_conversion.fb_pixel_lead": "3", "onsite_conversion.lead_grouped": "2",
    "omni_purchase": "2", "purchase": "2", "offsite_conversion.fb_pixel_purchase": "2",
}  # fmt: skip
ROWS = [
    row("2026-01-30", "a1", "12.34", "800", LEADS),
    row("2026-01-30", "a2", "0.10", "790", {"link_click": "1"}),
    row(
        "2026-01-31",
        "a1",
        "100.005",
        "700",
        {"lead": "1", "onsite_conversion.lead_grouped": "1"},
        campaign="c2",
        name="Leads",
    ),
    row("2026-02-01", "a1", "7", "650", {}),
]
OWN = """
datasets:
  spend: {override: partial, sql: select * from meta_ads_spend}
"""
MORE = """
kpis:
  meta_leads: {inputs: [meta_ads_results], formula: sum(leads)}
  meta_purchases: {inputs: [meta_ads_results], formula: sum(purchases)}
  meta_clicks: {inputs: [meta_ads_results], formula: sum(link_clicks)}
"""
REACH = """
  reached: {inputs: [meta_ads_results], formula: sum(reach)}
  seen: {inputs: [meta_insights], formula: avg(frequency)}
  highest: {inputs: [meta_ads_results], formula: max(reach)}
"""


@pytest.mark.parametrize("preset", ["files", "duckdb"], indirect=True)
def test_spend_written_as_text_is_exact(preset, mistakes):
    engine = preset("marketing, meta_ads", {"ads_insights": ROWS}, OWN)
    assert mistakes(engine) == []
    rows = engine.run(
        ["marketing_spend", "social_spend"], grain="month", period="2026-01..2026-02", as_of="2026-06-30"
    ).rows()
    january = sum(Decimal(row["spend"]) for row in ROWS if row["date_start"] < "2026-02")
    assert [each["marketing_spend"] for each in rows] == [january, Decimal(7)]
    assert [each["social_spend"] for each in rows] == [Decimal("112.445"), Decimal(7)]


def test_spend_by_campaign_and_network(preset):
    engine = preset("marketing, meta_ads", {"ads_insights": ROWS}, OWN)
    rows = engine.run("marketing_spend", by=["campaign", "network"], period="2026-01", as_of="2026-06-30").rows()
    found = {(each["campaign"], each["network"]): each["marketing_spend"] for each in rows if each["marketing_spend"]}
    assert found == {("Awareness", "meta_ads"): Decimal("12.44"), ("Leads", "meta_ads"): Decimal("100.005")}


@pytest.mark.parametrize("preset", ["files", "duckdb"], indirect=True)
def test_of_actions_that_hold_one_another_the_whole_is_taken(preset):
    engine = preset("marketing, meta_ads", {"ads_insights": ROWS}, OWN + MORE)
    (january,) = engine.run(
        ["meta_leads", "meta_purchases", "meta_clicks"], period="2026-01", as_of="2026-06-30"
    ).rows()
    assert january == {"meta_leads": 6.0, "meta_purchases": 2.0, "meta_clicks": 10.0}
    assert engine.run("meta_leads", period="2026-02", as_of="2026-06-30").rows() == [{"meta_leads": None}]


def test_reach_is_not_added_up(preset, mistakes):
    engine = preset("marketing, meta_ads", {"ads_insights": ROWS}, OWN + MORE + REACH)
    (found,) = [each for each in mistakes(engine) if "reached" in each]
    assert "not_addable" in found
    assert "`reach` may not be added up at all: the dataset `meta_insights` declares so" in found
    assert engine.run("highest", period="2026-01", as_of="2026-06-30").rows() == [{"highest": 800}]


def test_actions_are_provisional_for_28_days(preset):
    engine = preset("marketing, meta_ads", {"ads_insights": ROWS}, OWN + MORE)
    assert "28 days" in engine.run("meta_leads", period="2026-01", as_of="2026-02-20").provisional
    assert not engine.run("marketing_spend", period="2026-01", as_of="2026-02-20").provisional
    assert not engine.run("meta_leads", period="2026-01", as_of="2026-03-20").provisional


@pytest.mark.parametrize("kpi", ["marketing_spend", "meta_leads"])
def test_a_row_for_a_month_is_refused_and_not_counted_on_its_first_day(preset, kpi):
    rows = [*ROWS, row("2026-01-01", "a1", "500", "9000", {"lead": "50"}, stop="2026-01-31")]
    engine = preset("marketing, meta_ads", {"ads_insights": rows}, OWN + MORE)
    with pytest.raises(kpi_engine.KpiError, match="a day, not 2026-01-01 to 2026-01-31"):
        engine.run(kpi, period="2026-01", as_of="2026-06-30")


def test_a_stream_with_typed_numbers_gives_the_same(preset):
    """A tap may have turned the texts into numbers and the days into instants of midnight."""
    rows = [{**each, "spend": float(each["spend"]), "reach": int(each["reach"])} for each in ROWS]
    engine = preset("marketing, meta_ads", {"ads_insights": rows}, OWN)
    (found,) = engine.run("marketing_spend", period="2026-01", as_of="2026-06-30").rows()
    assert found["marketing_spend"] == Decimal("112.445")
