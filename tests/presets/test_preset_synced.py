"""A preset over a stream that `kpi sync` keeps: what it fetched is read as files are."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

import kpi_engine

PROPERTIES = (
    "createdate", "hs_analytics_source", "hs_analytics_source_data_1", "hs_analytics_source_data_2", "country",
    "first_conversion_event_name", "hs_merged_object_ids", "hs_lifecyclestage_marketingqualifiedlead_date",
    "hs_v2_date_entered_marketingqualifiedlead", "hs_lifecyclestage_salesqualifiedlead_date", "hs_v2_date_entered_salesqualifiedlead",
    "hs_lifecyclestage_opportunity_date", "hs_v2_date_entered_opportunity", "hs_lifecyclestage_customer_date",
    "hs_v2_date_entered_customer", "hs_first_outreach_date",
)  # fmt: skip
MOMENTS = [name for name in PROPERTIES if name.endswith("date") or "date_entered" in name]


def messages(stream, key, properties, rows):
    yield {"type": "SCHEMA", "stream": stream, "key_properties": [key], "schema": {"properties": properties}}
    yield from ({"type": "RECORD", "stream": stream, "record": row} for row in rows)
    yield {"type": "STATE", "value": {}}


def write(tmp_path, found, definitions, pack):
    (tmp_path / "definitions").mkdir()
    (tmp_path / "tap.ndjson").write_text("".join(json.dumps(each) + "\n" for each in found))
    (tmp_path / "definitions" / "own.yaml").write_text(definitions)
    (tmp_path / "kpi.yaml").write_text(
        "project: p\ncalendar: {timezone: Europe/Paris}\nsources: {vendor: {plugin: singer, file: tap.ndjson}}\n"
        f"definitions: [definitions, marketing, {pack}]\n"
    )
    return kpi_engine.open(tmp_path)


def test_contacts_that_were_fetched(tmp_path):
    """The moments are declared, and the store keeps them as such; a record's fields have columns, as `rest` and `dlt` make them."""
    text, moment = {"type": ["null", "string"]}, {"type": ["null", "string"], "format": "date-time"}
    schema = {f"properties__{name}": moment if name in MOMENTS else text for name in PROPERTIES}
    nothing = dict.fromkeys(schema)
    rows = [
        {**nothing, "id": number, "archived": is_archived, "properties__createdate": created, "properties__hs_merged_object_ids": merged}
        for number, is_archived, created, merged in (
            ("1", False, "2026-01-05T10:00:00Z", "3"), ("2", False, "2026-01-31T23:30:00Z", None),
            ("3", False, "2026-01-04T10:00:00Z", None), ("4", True, "2026-01-04T10:00:00Z", None),
        )
    ]  # fmt: skip
    schema = {"id": {"type": "string"}, "archived": {"type": "boolean"}, **schema}
    own = "datasets:\n  leads: {override: partial, sql: select * from hubspot_leads}\n"
    with write(tmp_path, messages("contacts", "id", schema, rows), own, "hubspot") as engine:
        assert engine.sync().sources[0].status == "done"
        found = engine.run("leads_created", grain="month", period="2026-01..2026-02", as_of="2026-06-30").rows()
    assert [row["leads_created"] for row in found] == [1, 1]


def test_insights_of_a_tap_give_spend_and_refuse_actions(tmp_path):
    """The store keeps lists as JSON text: spend does not need them, and what does says so."""
    text = {"type": ["null", "string"]}
    names = ("date_start", "date_stop", "account_id", "account_currency", "campaign_id", "campaign_name", "ad_id", "impressions",
             "clicks", "reach", "frequency", "spend")  # fmt: skip
    action = {"type": "object", "properties": {"action_type": text, "value": text}}
    schema = {**dict.fromkeys(names, text), "actions": {"type": ["null", "array"], "items": action}}
    values = ("2026-01-05", "2026-01-05", "9", "EUR", "1", "Guide", "7", "10", "1", "9", "1.1", "12.34")
    rows = [{**dict(zip(names, values, strict=True)), "actions": [{"action_type": "lead", "value": "2"}]}]
    own = (
        "datasets:\n  spend: {override: partial, sql: select * from meta_ads_spend}\n"
        "kpis:\n  meta_leads: {inputs: [meta_ads_results], formula: sum(leads)}\n"
    )
    with write(tmp_path, messages("ads_insights", "ad_id", schema, rows), own, "meta_ads") as engine:
        engine.sync()
        (row,) = engine.run("marketing_spend", period="2026-01", as_of="2026-06-30").rows()
        assert row["marketing_spend"] == Decimal("12.34")
        with pytest.raises(kpi_engine.KpiError) as caught:
            engine.run("meta_leads", period="2026-01", as_of="2026-06-30")
        assert caught.value.code == "types_do_not_fit"
        assert "`lookup` reads a list of records, and finds none here" in str(caught.value)
