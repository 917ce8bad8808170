import csv
import io
from datetime import UTC, datetime

import output_samples as samples
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from kpi_engine.api import Breakdown, Column, Measure, Output, Report, Section
from kpi_engine.builtin.outputs.csv import CsvOutput
from kpi_engine.builtin.outputs.settings import CsvConfig


def rendered(report, **options) -> str:
    target = io.BytesIO()
    CsvOutput(CsvConfig(**options)).render(report, target)
    return target.getvalue().decode()


def rows(report, **options):
    return list(csv.DictReader(io.StringIO(rendered(report, **options), newline="")))


def one_cell(value):
    columns = (Column("name", "Name", "dimension"), Column("n", "N", "value", Measure("n", "N")))
    section = Section("s", table=Breakdown(columns, ((value, -5),)))
    return Report("t", "fr", "p", (section,), datetime(2026, 1, 1, tzinfo=UTC))


def test_it_is_an_output_and_refuses_options_it_does_not_know():
    assert isinstance(CsvOutput(CsvConfig()), Output)
    with pytest.raises(ValidationError):
        CsvConfig(delimiter=";")


def test_a_table_is_its_keys_and_its_rows_without_totals():
    found = rows(samples.table())
    assert len(found) == 4
    assert found[0] == {
        "channel": "email",
        "period": "2026-07-01",
        "visits": "1373",
        "visits__previous_year": "1201",
        "visits__previous_year_change": "0.1432",
        "site_conversion_rate": "0.031",
        "site_conversion_rate__previous_year_points": "0.004",
    }
    assert found[3]["site_conversion_rate"] == "0.125"
    assert found[1]["visits"] == "-5"
    assert found[1]["visits__previous_year_change"] == ""
    assert str(2**60 + 1368) not in rendered(samples.table())


def test_lines_end_as_the_standard_says():
    text = rendered(samples.table())
    assert text.endswith("\r\n")
    assert text.count("\n") == text.count("\r\n") == 5


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-2+3", "@SUM(1)", "\t=1", "\r=1", "\n=1", "\0", "＝1", "＋1", "－1", "＠1"]
)
def test_a_text_that_a_spreadsheet_would_run_is_disarmed_and_a_number_is_not(text):
    assert rows(one_cell(text)) == [{"name": f"'{text}", "n": "-5"}]
    assert rows(one_cell(text), formula_guard=False) == [{"name": text, "n": "-5"}]


@given(st.text())
def test_any_text_comes_back_whole(text):
    assert rows(one_cell(text), formula_guard=False) == [{"name": text, "n": "-5"}]
    assert rows(one_cell(text))[0]["name"].removeprefix("'") == text.removeprefix("'")


def test_an_empty_text_is_told_from_an_unknown_one():
    assert rendered(one_cell("")) == 'name,n\r\n"",-5\r\n'
    assert rendered(one_cell(None)) == "name,n\r\n,-5\r\n"
    columns = tuple(Column(name, name, "dimension") for name in "abc")
    section = Section("s", table=Breakdown(columns, (("", 'a,"b', "=1"), (None, "x\ny", 1.5))))
    text = rendered(Report("t", "en", "p", (section,), datetime(2026, 1, 1, tzinfo=UTC)))
    assert text == 'a,b,c\r\n"","a,""b","\'=1"\r\n,"x\ny",1.5\r\n'
    assert [*csv.reader(io.StringIO(text, newline=""))][1] == ["", 'a,"b', "'=1"]


def test_a_scorecard_is_a_row_per_kpi_and_one_per_member_of_a_breakdown():
    found = rows(samples.scorecard())
    assert len([row for row in found if not row["split"]]) == 37
    assert found[0] == {
        "role": "content_creator",
        "kpi": "blog_unique_visitors",
        "label": "Blog unique visitors",
        "period": "Q3 2026",
        "split": "",
        "value": "18432",
        "unit": "visitors",
        "previous_period": "16630",
        "previous_period_change": found[0]["previous_period_change"],
        "previous_period_points": "",
        "previous_year": "15261",
        "previous_year_change": found[0]["previous_year_change"],
        "previous_year_points": "",
        "status": "active",
        "failure": "",
    }
    assert float(found[0]["previous_period_change"]) == pytest.approx(18432 / 16630 - 1)
    by_kpi = {row["kpi"]: row for row in found if not row["split"]}
    assert by_kpi["blog_traffic_share"]["previous_year_change"] == ""
    assert float(by_kpi["blog_traffic_share"]["previous_year_points"]) == pytest.approx(0.0537)
    assert by_kpi["social_roi"]["failure"].startswith("missing_rate: no rate for USD")
    assert by_kpi["share_of_voice"]["value"] == ""


def test_a_breakdown_has_its_total_in_the_kpis_own_row():
    found = [row for row in rows(samples.scorecard()) if row["kpi"] == "visits_by_channel"]
    assert [(row["split"], row["value"]) for row in found[:3]] == [
        ("", "64218"),
        ("channel=organic_search", "27340"),
        ("channel=direct", "14102"),
    ]
    assert found[1]["previous_period"] == "28874"


def test_numbers_are_the_same_in_every_language():
    french, english = rows(samples.scorecard("fr")), rows(samples.scorecard("en"))
    numeric = ("value", "previous_period", "previous_period_change", "previous_year_points")
    assert [[row[key] for key in numeric] for row in french] == [[row[key] for key in numeric] for row in english]


def test_several_tables_are_parted_by_an_empty_line():
    sections = samples.scorecard().sections[:1] + samples.table().sections
    report = Report("t", "en", "p", sections, datetime(2026, 1, 1, tzinfo=UTC))
    first, second = rendered(report).split("\r\n\r\n")
    assert first.startswith("role,kpi,")
    assert second.startswith("channel,period,")
