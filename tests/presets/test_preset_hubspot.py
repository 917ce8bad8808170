"""HubSpot's contacts: all properties are texts, moments in two forms, merged and archived contacts, stages that were skipped."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

import kpi_engine

PROPERTIES = (
    "createdate", "hs_analytics_source", "hs_analytics_source_data_1", "hs_analytics_source_data_2", "country",
    "first_conversion_event_name", "hs_merged_object_ids", "hs_lifecyclestage_marketingqualifiedlead_date",
    "hs_v2_date_entered_marketingqualifiedlead", "hs_lifecyclestage_salesqualifiedlead_date", "hs_v2_date_entered_salesqualifiedlead",
    "hs_lifecyclestage_opportunity_date", "hs_v2_date_entered_opportunity", "hs_lifecyclestage_customer_date",
    "hs_v2_date_entered_customer", "hs_first_outreach_date",
)  # fmt: skip


def contact(number, created, *, archived=False, **properties):
    return {"id": number, "archived": archived, **dict.fromkeys(PROPERTIES, ""), "createdate": created, **properties}


def millis(text):
    return str(int(datetime.fromisoformat(text).timestamp() * 1000))


CONTACTS = [
    contact("101", "2026-01-05T10:00:00.000Z", hs_analytics_source="ORGANIC_SEARCH", country="France",
            hs_lifecyclestage_marketingqualifiedlead_date=millis("2026-01-07T09:00:00+00:00"),
            hs_v2_date_entered_marketingqualifiedlead="2026-02-20T09:00:00.000Z",  # entered again: the first time counts
            hs_lifecyclestage_salesqualifiedlead_date="2026-01-10T09:00:00.000Z", hs_first_outreach_date="2026-02-02T09:00:00.000Z",
            hs_lifecyclestage_customer_date="2026-03-03T09:00:00.000Z"),
    contact("102", millis("2026-01-06T10:00:00+00:00"), hs_analytics_source="PAID_SEARCH", hs_merged_object_ids="103;104",
            hs_v2_date_entered_marketingqualifiedlead="2026-01-08T09:00:00.000Z"),
    contact("103", "2026-01-04T10:00:00.000Z", hs_analytics_source="DIRECT_TRAFFIC"),  # merged into 102, still in the store
    contact("104", "2026-01-04T11:00:00.000Z", hs_analytics_source="DIRECT_TRAFFIC",
            hs_lifecyclestage_customer_date="2026-03-04T09:00:00.000Z"),
    contact("105", "2026-01-09T10:00:00.000Z", archived=True, hs_analytics_source="EMAIL_MARKETING"),
    contact("106", "2026-01-20T10:00:00.000Z", hs_analytics_source="EMAIL_MARKETING",
            hs_lifecyclestage_customer_date=millis("2026-02-10T09:00:00+00:00")),  # skipped all stages
    contact("107", "2026-01-31 23:30:00", hs_analytics_source="NEW_KIND"),  # in UTC, as warehouses write it: February in Paris
    contact("1020", "2026-01-25T10:00:00.000Z", hs_analytics_source="OFFLINE",
            hs_lifecyclestage_salesqualifiedlead_date="2026-01-26T09:00:00.000Z"),  # accepted, never contacted
]  # fmt: skip
OWN = "datasets:\n  leads: {override: partial, sql: select * from hubspot_leads}\n"
NESTED = (
    """
  hubspot_contacts:
    override: partial
    sql: |
      select id, archived,
"""
    + ",\n".join(f"             properties.{name} as properties__{name}" for name in PROPERTIES)
    + "\n      from contacts\n"
)


def flat(contacts=CONTACTS):
    """As `kpi sync` keeps them, and taps and dlt in their way."""
    return [
        {"id": each["id"], "archived": each["archived"], **{f"properties__{name}": each[name] for name in PROPERTIES}}
        for each in contacts
    ]


def nested(contacts=CONTACTS):
    """As the API gives them."""
    return [
        {
            "id": each["id"],
            "archived": each["archived"],
            "properties": {name: each[name] or None for name in PROPERTIES},
        }
        for each in contacts
    ]


def stage(contacts, *names):
    """Work out by hand when a contact first came to a stage."""
    found = []
    for each in contacts:
        said = [each[name] for name in names if each[name]]
        found.append(min((_moment(text) for text in said), default=None))
    return found


def _moment(text):
    return (
        datetime.fromtimestamp(int(text) / 1000, UTC)
        if text.isdigit()
        else datetime.fromisoformat(text).replace(tzinfo=UTC)
    )


ALIVE = [each for each in CONTACTS if each["id"] not in {"103", "104", "105"}]


@pytest.fixture(params=["flat", "nested"])
def engine(request, preset):
    rows, own = (flat(), OWN) if request.param == "flat" else (nested(), OWN + NESTED)
    return preset("marketing, hubspot", {"contacts": rows}, own, calendar="{timezone: Europe/Paris}")


def test_leads_are_those_that_are_neither_merged_nor_archived(engine, mistakes):
    assert mistakes(engine) == []
    rows = engine.run("leads_created", grain="month", period="2026-01..2026-02", as_of="2026-06-30").rows()
    assert [row["leads_created"] for row in rows] == [len(ALIVE) - 1, 1]
    rows = engine.run("leads_created", by="channel", period="2026-01", as_of="2026-06-30").rows()
    assert {row["channel"]: row["leads_created"] for row in rows if row["leads_created"]} == {
        "organic_search": 1, "paid_search": 1, "email": 1, "offline": 1,
    }  # fmt: skip


@pytest.mark.parametrize("preset", ["files", "duckdb"], indirect=True)
def test_stages_count_when_they_were_first_reached(engine):
    kpis = ["mqls", "sales_accepted_leads", "new_customers"]
    rows = engine.run(kpis, grain="month", period="2026-01..2026-03", as_of="2026-06-30").rows()
    mqls = stage(ALIVE, "hs_lifecyclestage_marketingqualifiedlead_date", "hs_v2_date_entered_marketingqualifiedlead")
    customers = stage(ALIVE, "hs_lifecyclestage_customer_date", "hs_v2_date_entered_customer")
    for number, row in enumerate(rows, start=1):
        assert row["mqls"] == sum(each is not None and each.month == number for each in mqls)
        assert row["new_customers"] == sum(each is not None and each.month == number for each in customers)
    assert [row["mqls"] for row in rows] == [2, 0, 0]
    assert [row["sales_accepted_leads"] for row in rows] == [0, 1, 0]  # the later of accepted and contacted
    assert [row["new_customers"] for row in rows] == [0, 1, 1]


def test_rates_are_of_the_cohort(engine):
    kpis = ["lead_to_mql_rate", "lead_to_customer_rate", "lead_stage_completeness"]
    (row,) = engine.run(kpis, period="2026-01", as_of="2026-06-30").rows()
    assert row["lead_to_mql_rate"] == pytest.approx(2 / 4)
    assert row["lead_to_customer_rate"] == pytest.approx(2 / 4)


def test_a_contact_merged_from_many_is_taken_apart(preset):
    numbers = [str(number) for number in range(1000, 1250)]
    merged = [contact(number, "2026-01-05T10:00:00.000Z") for number in numbers]
    survivor = contact("5", "2026-01-05T10:00:00.000Z", hs_merged_object_ids="; ".join(numbers))
    engine = preset("marketing, hubspot", {"contacts": flat([survivor, *merged])}, OWN)
    assert engine.run("leads_created", period="2026-01", as_of="2026-06-30").rows() == [{"leads_created": 1}]


def test_a_moment_in_another_form_stops_the_request(preset):
    engine = preset("marketing, hubspot", {"contacts": flat([contact("1", "5 January 2026")])}, OWN)
    with pytest.raises(kpi_engine.KpiError, match="5 January 2026"):
        engine.run("leads_created", period="2026-01", as_of="2026-06-30")


def test_a_source_of_ones_own_gets_a_channel(preset):
    own = OWN + "  hubspot_channels: {override: partial, table: channels}\n"
    channels = [{"original_source": "NEW_KIND", "channel": "partners"}]
    engine = preset("marketing, hubspot", {"contacts": flat(), "channels": channels}, own)
    rows = engine.run("leads_created", by="channel", period="2026-01", as_of="2026-06-30").rows()
    assert {row["channel"]: row["leads_created"] for row in rows if row["leads_created"]} == {"partners": 1, None: 4}
