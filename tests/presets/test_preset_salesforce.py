"""Salesforce: deleted rows, converted leads that are no customers yet, days without a time, currencies, statuses of one's own."""

from __future__ import annotations

import csv
from collections import Counter
from decimal import Decimal

import pytest

import kpi_engine

LEADS = [  # id, created, status, source, country, converted, converted on, opportunity, deleted
    ("00Q1", "2026-01-05T10:00:00.000+0000", "Qualified", "Web", "FR", "true", "2026-01-20", "0061", "false"),
    (
        "00Q2",
        "2026-01-06T10:00:00.000+0000",
        "Qualified",
        "Partner",
        "FR",
        "true",
        "2026-01-21",
        "0061",
        "false",
    ),  # the same deal
    ("00Q3", "2026-01-07T10:00:00.000+0000", "Qualified", "Web", "BE", "true", "2026-01-22", "0062", "false"),  # lost
    (
        "00Q4",
        "2026-01-08T10:00:00.000+0000",
        "Qualified",
        "Web",
        "BE",
        "true",
        "2026-01-23",
        "0063",
        "false",
    ),  # still open
    (
        "00Q5",
        "2026-01-09T10:00:00.000+0000",
        "Qualified",
        "Web",
        "FR",
        "true",
        "2026-01-24",
        "",
        "false",
    ),  # to a contact only
    ("00Q6", "2026-01-10T10:00:00.000+0000", "Marketing Qualified", "Event", "FR", "false", "", "", "true"),  # deleted
    (
        "00Q7",
        "2026-01-11T10:00:00.000+0000",
        "Marketing Qualified",
        "Partner",
        "FR",
        "false",
        "",
        "",
        "false",
    ),  # created as such
    ("00Q8", "2026-01-31T23:30:00.000+0000", "New", "", "", "false", "", "", "false"),  # February in Paris
    (
        "00Q9",
        "2026-01-12T10:00:00.000+0000",
        "Recycled",
        "Web",
        "FR",
        "true",
        "2026-01-28",
        "0066",
        "false",
    ),  # won, deal deleted
]
OPPORTUNITIES = [  # id, amount, currency, close date, stage, probability, closed, won, source, deleted
    ("0061", "1000.10", "EUR", "2026-02-01", "Closed Won", "100", "true", "true", "Web", "false"),
    ("0062", "500.00", "EUR", "2026-02-02", "Closed Lost", "0", "true", "false", "Web", "false"),
    ("0063", "9000.00", "EUR", "2026-02-03", "Negotiation", "90", "false", "false", "Web", "false"),
    ("0064", "", "EUR", "2026-02-04", "Closed Won", "100", "true", "true", "Partner", "false"),  # no lead, no amount
    ("0065", "70.05", "USD", "2026-03-05", "Closed Won", "100", "true", "true", "Web", "false"),
    ("0066", "777.00", "EUR", "2026-02-06", "Closed Won", "100", "true", "true", "Web", "true"),
]
HISTORY = [  # id, lead, when, field, old, new
    ("1", "00Q1", "2026-01-06T08:00:00.000+0000", "Status", "New", "Marketing Qualified"),
    ("2", "00Q1", "2026-01-07T08:00:00.000+0000", "Status", "Marketing Qualified", "Accepted"),
    ("3", "00Q1", "2026-02-01T08:00:00.000+0000", "Status", "Accepted", "Working - Contacted"),
    ("4", "00Q1", "2026-02-03T08:00:00.000+0000", "Status", "Working - Contacted", "Marketing Qualified"),  # recycled
    ("5", "00Q1", "2026-02-04T08:00:00.000+0000", "Owner", "Ann", "Bob"),
    ("6", "00Q3", "2026-01-09T08:00:00.000+0000", "Status", "Marketing Qualified", "Accepted"),
]
STATUSES = [("Marketing Qualified", "mql"), ("Accepted", "sal"), ("Working - Contacted", "contacted")]
CHANNELS = [("Web", "organic_search"), ("Partner", "referral")]
HEADS = {
    "Lead": "Id,CreatedDate,Status,LeadSource,Country,IsConverted,ConvertedDate,ConvertedOpportunityId,IsDeleted",
    "Opportunity": "Id,Amount,CurrencyIsoCode,CloseDate,StageName,Probability,IsClosed,IsWon,LeadSource,IsDeleted",
    "LeadHistory": "Id,LeadId,CreatedDate,Field,OldValue,NewValue",
    "salesforce_statuses": "status,stage",
    "channels": "lead_source,channel",
}
ROWS = {
    "Lead": LEADS,
    "Opportunity": OPPORTUNITIES,
    "LeadHistory": HISTORY,
    "salesforce_statuses": STATUSES,
    "channels": CHANNELS,
}
OWN = """
datasets:
  leads: {override: partial, sql: select * from salesforce_leads}
  deals: {override: partial, sql: select * from salesforce_deals}
  salesforce_channels: {override: partial, table: channels}
"""


def typed(name):
    """As a tap or a warehouse has them: booleans, numbers and nulls."""
    words = {"true": True, "false": False, "": None}
    return [
        {key: words.get(cell, cell) for key, cell in zip(HEADS[name].split(","), row, strict=True)}
        for row in ROWS[name]
    ]


@pytest.fixture
def opened(preset):
    def opened(zone="Europe/Paris"):
        return preset(
            "marketing, salesforce", {name: typed(name) for name in ROWS}, OWN, calendar=f"{{timezone: {zone}}}"
        )

    return opened


@pytest.fixture
def as_csv(tmp_path):
    """The files of the data export: every cell a text in quotes."""
    for folder in ("data", "definitions"):
        (tmp_path / folder).mkdir()
    for name, rows in ROWS.items():
        with (tmp_path / "data" / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, quoting=csv.QUOTE_ALL).writerows([HEADS[name].split(","), *rows])
    (tmp_path / "definitions" / "own.yaml").write_text(OWN, encoding="utf-8")
    (tmp_path / "kpi.yaml").write_text(
        "project: p\ncalendar: {timezone: Europe/Paris}\nsources: {crm: {plugin: files, path: data}}\n"
        "definitions: [definitions, marketing, salesforce]\n",
        encoding="utf-8",
    )
    with kpi_engine.open(tmp_path) as engine:
        yield engine


KPIS = ["leads_created", "mqls", "sales_accepted_leads", "new_customers"]


def monthly(engine):
    return engine.run(KPIS, grain="month", period="2026-01..2026-02", as_of="2026-06-30").rows()


def expected():
    """Work the funnel out by hand: by month, and only the first time that a stage was reached."""
    alive = [row for row in LEADS if row[8] == "false"]
    created = Counter("02" if row[0] == "00Q8" else "01" for row in alive)
    mql = {
        "00Q1": "2026-01-06",
        "00Q3": "2026-01-07",
        "00Q7": "2026-01-11",
    }  # the third by its status when it was created
    both = {"00Q1": "2026-02-01"}  # accepted in January, contacted in February
    won = {row[0]: row[3] for row in OPPORTUNITIES if row[7] == "true" and row[9] == "false"}
    customers = [won[row[7]] for row in alive if row[7] in won]
    months = [Counter(day[5:7] for day in days) for days in (mql.values(), both.values(), customers)]
    return [dict(zip(KPIS, (created[month], *(each[month] for each in months)), strict=True)) for month in ("01", "02")]


def funnel(rows):
    return [{name: row[name] for name in KPIS} for row in rows]


@pytest.mark.parametrize("preset", ["files", "duckdb"], indirect=True)
def test_the_funnel_by_month(opened, mistakes):
    engine = opened()
    assert mistakes(engine) == []
    assert funnel(monthly(engine)) == expected()
    assert expected()[1] == {"leads_created": 1, "mqls": 0, "sales_accepted_leads": 1, "new_customers": 2}


def test_the_funnel_from_csv_files(as_csv, mistakes):
    assert mistakes(as_csv) == []
    assert funnel(monthly(as_csv)) == expected()


@pytest.mark.parametrize("form", ["{}T{}", "{} {}", "{}T{}+00:00", "{} {}Z"])
def test_moments_are_utc_where_they_say_nothing_else(preset, form):
    """A lead of 31 January, half past eleven in the evening in UTC, is one of February in Paris."""
    created = form.format("2026-01-31", "23:30:00")
    lead = {**typed("Lead")[7], "CreatedDate": created}
    engine = preset(
        "marketing, salesforce",
        {**{name: typed(name) for name in ROWS}, "Lead": [lead, typed("Lead")[0]]},
        OWN,
        calendar="{timezone: Europe/Paris}",
    )
    assert [row["leads_created"] for row in monthly(engine)] == [1, 1]


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Asia/Tokyo"])
def test_a_close_date_is_that_day_in_every_zone(opened, zone):
    engine = opened(zone)
    rows = engine.run(
        ["new_customers", "attributed_value"], grain="day", period="2026-01-31..2026-02-01", as_of="2026-06-30"
    ).rows()
    assert [row["new_customers"] for row in rows] == [0, 2]
    assert [row["attributed_value"] for row in rows] == [0, Decimal("1000.10")]


def test_won_amounts_are_counted_once_for_two_leads_of_one_deal(opened):
    rows = opened().run("attributed_value", by="channel", period="2026-02", as_of="2026-06-30").rows()
    found = {row["channel"]: row["attributed_value"] for row in rows if row["attributed_value"]}
    assert found == {"organic_search": Decimal("1000.10")}


@pytest.mark.parametrize("preset", ["files", "duckdb"], indirect=True)
def test_currencies_are_not_added_up(opened):
    engine = opened()
    with pytest.raises(kpi_engine.DataError) as caught:
        engine.run("attributed_value", period="2026-Q1", as_of="2026-06-30")
    assert caught.value.code == "mixed_currencies"
    rows = engine.run("attributed_value", by="currency", period="2026-Q1", as_of="2026-06-30").rows()
    assert {row["currency"]: row["attributed_value"] for row in rows} == {
        "EUR": Decimal("1000.10"),
        "USD": Decimal("70.05"),
    }


def test_a_converted_lead_is_a_customer_only_when_its_deal_is_won(opened):
    (row,) = opened().run(["lead_to_mql_rate", "lead_to_customer_rate"], period="2026-01", as_of="2026-06-30").rows()
    assert row["lead_to_mql_rate"] == pytest.approx(3 / 7)
    assert row["lead_to_customer_rate"] == pytest.approx(2 / 7)


def test_without_rules_of_ones_own_leads_are_refused_and_no_stage_is_guessed(preset):
    engine = preset("marketing, salesforce", {name: typed(name) for name in ROWS if name != "salesforce_statuses"}, OWN)
    with pytest.raises(kpi_engine.KpiError, match="salesforce_statuses"):
        engine.run("mqls", period="2026-01", as_of="2026-06-30")
    assert engine.run("attributed_value", period="2026-02", as_of="2026-06-30").rows()


def test_ids_of_reports_and_of_the_api_are_the_same(preset):
    """Reports write the first 15 characters of the 18 that the API has."""
    lead = {**typed("Lead")[0], "Id": "00Q5g00000AbCdEFAV", "ConvertedOpportunityId": "0065g00000AbCdEAAV"}
    other = {**typed("Lead")[0], "Id": "00Q5g00000AbCdeFAV", "ConvertedOpportunityId": "0065g00000AbCdeAAV"}
    deal = {**typed("Opportunity")[0], "Id": "0065g00000AbCdE"}
    engine = preset(
        "marketing, salesforce",
        {**{name: typed(name) for name in ROWS}, "Lead": [lead, other], "Opportunity": [deal]},
        OWN,
        calendar="{timezone: Europe/Paris}",
    )
    rows = engine.run(["leads_created", "new_customers"], period="2026", as_of="2026-12-31").rows()
    assert rows == [{"leads_created": 2, "new_customers": 1}]
