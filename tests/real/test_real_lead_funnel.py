"""A marketplace's leads and the deals they became, against pandas."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

PROJECT = "lead_funnel"
PERIOD = "2017-06..2018-11"


@pytest.fixture(scope="module")
def leads(real_data) -> pd.DataFrame:
    """One row per lead, with its deal where there is one; None is the channel that nobody knows."""
    leads, deals = pd.read_csv(real_data("olist_mqls.csv")), pd.read_csv(real_data("olist_closed_deals.csv"))
    both = leads.merge(deals, on="mql_id", how="left", validate="one_to_one")
    both["met"] = pd.to_datetime(both["first_contact_date"]).dt.strftime("%Y-%m-01")
    both["won"] = pd.to_datetime(both["won_date"]).dt.strftime("%Y-%m-01").where(both["won_date"].notna())
    known = both["origin"].notna() & (both["origin"] != "unknown")
    both["channel"] = both["origin"].where(known, "(nobody knows)")
    return both


def counts(frame: pd.DataFrame, *columns: str) -> dict:
    return {_key(key): int(number) for key, number in frame.groupby(list(columns)).size().items()}


def _key(key: object) -> tuple:
    parts = key if isinstance(key, tuple) else (key,)
    return tuple(None if part == "(nobody knows)" else part for part in parts)


def found(rows: list[dict], kpi: str) -> dict:
    """The values other than zero and unknown, by channel and month."""
    return {(row["channel"], row["period"].isoformat()): row[kpi] for row in rows if row[kpi]}


def test_leads_and_customers_by_channel_and_month(engine, leads):
    rows = engine.run(["mqls", "customers"], by=["channel"], grain="month", period=PERIOD).rows()
    assert found(rows, "mqls") == counts(leads, "channel", "met")
    assert found(rows, "customers") == counts(leads[leads["won"].notna()], "channel", "won")


def test_the_frame_is_whole(engine, leads):
    """Every channel has every month, with 0 where nothing happened, and channels that nobody knows are one group."""
    rows = engine.run(["mqls", "customers"], by=["channel"], grain="month", period=PERIOD).rows()
    channels = {_key(channel)[0] for channel in leads["channel"]}
    months = {date(2017 + (month // 12), month % 12 + 1, 1) for month in range(5, 23)}
    assert {(row["channel"], row["period"]) for row in rows} == {(c, m) for c in channels for m in months}
    assert len(rows) == len(channels) * len(months)
    assert all(isinstance(row["mqls"], int) and isinstance(row["customers"], int) for row in rows)


def test_cohort_conversion_by_channel_and_month(engine, leads):
    rows = engine.run("cohort_conversion", by=["channel"], grain="month", period="2017-06..2018-05").rows()
    rates = leads.groupby(["channel", "met"])["won"].agg(lambda won: won.notna().mean())
    wanted = {_key(key): rate for key, rate in rates.items()}
    values = {(row["channel"], row["period"].isoformat()): row["cohort_conversion"] for row in rows}
    assert {key: value for key, value in values.items() if value is not None} == pytest.approx(wanted, rel=1e-12)
    assert {key for key, value in values.items() if value is None} == set(values) - set(wanted)


@pytest.mark.parametrize("period", ["2017-06..2018-05", "2018-Q1", "2018-02"])
def test_a_conversion_of_several_months_is_a_ratio_of_sums(engine, leads, period):
    months = {
        "2017-06..2018-05": None,
        "2018-Q1": ["2018-01-01", "2018-02-01", "2018-03-01"],
        "2018-02": ["2018-02-01"],
    }
    chosen = leads if months[period] is None else leads[leads["met"].isin(months[period])]
    result = engine.run("cohort_conversion", by=["channel"], period=period)
    wanted = {_key(key)[0]: group["won"].notna().mean() for key, group in chosen.groupby("channel")}
    assert {row["channel"]: row["cohort_conversion"] for row in result.rows()} == pytest.approx(wanted, rel=1e-12)
    assert result.totals()["cohort_conversion"] == pytest.approx(chosen["won"].notna().mean(), rel=1e-12)


def test_customers_per_lead_sets_two_tables_side_by_side(engine, leads):
    row = engine.run("customers_per_lead", period="2018-03").totals()
    wanted = (leads["won"] == "2018-03-01").sum() / (leads["met"] == "2018-03-01").sum()
    assert row["customers_per_lead"] == pytest.approx(wanted, rel=1e-12)


def test_a_filter_on_a_channel_reaches_through_the_join(engine, leads):
    row = engine.run(["mqls", "customers", "segments_won"], period=PERIOD, where={"channel": "paid search"}).totals()
    paid = leads[leads["origin"] == "paid search"]
    assert row == {
        "mqls": len(paid),
        "customers": int(paid["won"].notna().sum()),
        "segments_won": paid["business_segment"].nunique(),
    }


def test_a_filter_on_the_channel_nobody_knows(engine, leads):
    row = engine.run(["mqls", "customers"], period=PERIOD, where={"channel": None}).totals()
    unknown = leads[leads["channel"] == "(nobody knows)"]
    assert row == {"mqls": len(unknown), "customers": int(unknown["won"].notna().sum())}


def test_customers_by_quarter_against_the_quarter_before(engine, leads):
    result = engine.run("customers", period="2018-Q2", compare=["previous_period"])
    quarter = pd.to_datetime(leads["won_date"]).dt.to_period("Q").astype(str)
    now, before = int((quarter == "2018Q2").sum()), int((quarter == "2018Q1").sum())
    row = result.totals()
    assert (row["customers"], row["customers__previous_period"]) == (now, before)
    assert row["customers__previous_period_change"] == pytest.approx(now / before - 1, rel=1e-12)
