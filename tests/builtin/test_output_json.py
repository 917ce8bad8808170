import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal

import output_samples as samples
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from kpi_engine.api import Breakdown, Column, Measure, Output, Report, Section
from kpi_engine.builtin.outputs.json import JsonOutput, exact
from kpi_engine.builtin.outputs.settings import JsonConfig


def rendered(report, **options) -> bytes:
    target = io.BytesIO()
    JsonOutput(JsonConfig(**options)).render(report, target)
    return target.getvalue()


def document(report):
    return json.loads(rendered(report))


def test_it_is_an_output_and_refuses_options_it_does_not_know():
    assert isinstance(JsonOutput(JsonConfig()), Output)
    with pytest.raises(ValidationError):
        JsonConfig(pretty=True)


def test_a_table_is_columns_rows_totals_and_what_its_kpis_are():
    found = document(samples.table())
    assert list(found) == ["columns", "rows", "totals", "measures"]
    assert found["measures"]["visits"] == {
        "unit": "visits",
        "format": "integer",
        "additivity": "additive",
        "additive_over": [],
    }
    assert found["measures"]["site_conversion_rate"]["additivity"] == "non_additive"
    assert found["columns"][:3] == ["channel", "period", "visits"]
    assert list(found["rows"][0]) == found["columns"]
    assert found["rows"][0] == {
        "channel": "email",
        "period": "2026-07-01",
        "visits": 1373,
        "visits__previous_year": 1201,
        "visits__previous_year_change": 0.1432,
        "site_conversion_rate": 0.031,
        "site_conversion_rate__previous_year_points": 0.004,
    }
    assert found["rows"][3]["channel"] is None
    assert found["rows"][3]["site_conversion_rate"] == 0.125


def test_totals_have_no_dimensions_so_that_they_are_not_taken_for_a_missing_member():
    assert list(document(samples.table())["totals"]) == document(samples.table())["columns"][2:]
    assert document(samples.table(totals=False))["totals"] is None


def test_failures_stand_beside_a_table_only_where_there_are_any():
    found = document(samples.table(failures=True))
    assert list(found) == ["columns", "rows", "totals", "measures", "failures"]
    assert found["failures"]["visits_lost"] == {
        "code": "unknown_column",
        "message": "column `lost` is not there",
        "hint": "did you mean `cost`?",
    }


def test_a_request_of_which_everything_failed_has_no_rows():
    failures = samples.table(failures=True).sections[0].failures
    report = Report("t", "en", "p", (Section("s", failures=failures),), datetime(2026, 1, 1, tzinfo=UTC))
    assert document(report) == {
        "columns": [],
        "rows": [],
        "totals": None,
        "measures": {},
        "failures": document(samples.table(failures=True))["failures"],
    }


def test_a_scorecard_gives_every_kpi_with_all_that_is_known_of_it():
    found = document(samples.scorecard(unfinished=True))
    assert list(found) == ["title", "language", "period", "as_of", "unfinished", "notices", "sections"]
    assert found["as_of"] == "2026-09-17T08:30:00+00:00"
    assert found["unfinished"] is True
    kpis = [kpi for section in found["sections"] for kpi in section["kpis"]]
    assert len(kpis) == 37
    assert list(found["sections"][0]) == ["role", "title", "group", "kpis"]
    visitors = kpis[0]
    assert visitors["value"] == 18432
    assert visitors["comparisons"][0] == {
        "name": "previous_period",
        "label": "Q2 2026",
        "value": 16630,
        "change": pytest.approx(0.10836, abs=1e-5),
    }
    assert visitors["trend"]["grain"] == "month"
    assert visitors["trend"]["points"][0]["period"] == "2024-10-01"
    assert visitors["breakdown"] is visitors["failure"] is None


def test_a_rate_is_compared_in_points_and_a_failure_and_a_breakdown_are_told():
    kpis = {kpi["id"]: kpi for section in document(samples.scorecard())["sections"] for kpi in section["kpis"]}
    assert "points" in kpis["blog_traffic_share"]["comparisons"][0]
    assert kpis["social_roi"]["failure"]["code"] == "missing_rate"
    assert kpis["share_of_voice"]["value"] is None
    assert kpis["share_of_voice"]["trend"]["points"][0]["value"] is None
    assert kpis["ave"]["status"] == "deprecated_practice"
    assert kpis["ave"]["notice"]
    breakdown = kpis["visits_by_channel"]["breakdown"]
    assert breakdown["rows"][0]["channel"] == "organic_search"
    assert breakdown["totals"]["visits_by_channel"] == 64218


def test_a_scorecard_and_a_table_in_one_report_stand_in_its_sections():
    both = samples.scorecard().sections[:1] + samples.table().sections
    report = Report("t", "en", "p", both, datetime(2026, 1, 1, tzinfo=UTC))
    assert [list(section)[3] for section in document(report)["sections"]] == ["kpis", "columns"]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (2**53, "9007199254740992"),
        (2**53 + 1, '"9007199254740993"'),
        (-(2**60), '"-1152921504606846976"'),
        (Decimal("12.30"), "12.3"),
        (Decimal("0.1"), "0.1"),
        (Decimal("12345678901234567.89"), '"12345678901234567.89"'),
        (Decimal("NaN"), "null"),
        (float("inf"), "null"),
        (float("nan"), "null"),
        (True, "true"),
        (date(2026, 7, 1), '"2026-07-01"'),
        (None, "null"),
    ],
)
def test_a_number_is_a_number_where_that_is_exact(value, written):
    assert json.dumps(exact(value), allow_nan=False) == written


@given(st.one_of(st.decimals(-(10**20), 10**20), st.integers(), st.floats(allow_nan=False, allow_infinity=False)))
def test_the_same_number_is_read_back(value):
    read = json.loads(json.dumps(exact(value)), parse_float=Decimal)
    assert Decimal(str(read)) == Decimal(repr(value)) if isinstance(value, float) else Decimal(read) == value


@given(st.text())
def test_any_text_comes_back_as_it_was_and_steers_no_terminal(text):
    columns = (Column("name", "Name", "dimension"), Column("n", "N", "value", Measure("n", "N")))
    report = Report(
        "t", "en", "p", (Section("s", table=Breakdown(columns, ((text, 1),))),), datetime(2026, 1, 1, tzinfo=UTC)
    )
    data = rendered(report)
    assert json.loads(data)["rows"] == [{"name": text, "n": 1}]
    assert not set(data.decode()) & {"\x1b", "\x7f", "\x9b", "\u202e", "\u2066", "\u2028"}


def test_the_same_report_gives_the_same_bytes():
    assert rendered(samples.scorecard()) == rendered(samples.scorecard())
    assert rendered(samples.table(), indent=0).count(b"\n") == 1
