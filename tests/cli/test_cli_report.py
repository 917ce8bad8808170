"""`kpi report`: scorecards from the command line."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.usefixtures("shop")


def sections(ran):
    return {section["role"]: [card["id"] for card in section["kpis"]] for section in json.loads(ran.out)["sections"]}


def test_all_roles_or_those_that_are_named(kpi):
    everything = {"team": ["visits", "revenue"], "press": ["revenue", "own_share"]}
    asked = ("report", "--period", "2026-Q1", "--output", "json")
    assert sections(kpi(*asked)) == everything
    assert sections(kpi(*asked, "--role", "press")) == {"press": everything["press"]}
    assert sections(kpi(*asked, "--role", "press,team")) == everything
    assert sections(kpi(*asked, "--role", "press", "--role", "team")) == everything


def test_the_quarter_before_and_the_year_before_unless_others_are_asked_for(kpi):
    def comparisons(*args):
        cards = json.loads(kpi("report", "--period", "2026-Q1", "--output", "json", *args).out)["sections"][0]["kpis"]
        return [each["name"] for each in cards[0]["comparisons"]]

    assert comparisons() == ["previous_period", "previous_year"]
    assert comparisons("--compare", "previous-year") == ["previous_year"]
    assert comparisons("--compare", "none") == []


def test_without_a_period_it_is_the_last_quarter(kpi):
    ran = kpi("report", "--as-of", "2026-04-02", "--output", "json")
    found = json.loads(ran.out)
    assert found["period"] == "Q1 2026"
    assert found["sections"][0]["kpis"][0]["value"] == 5


def test_a_filter_and_a_language(kpi):
    ran = kpi("report", "--period", "2026-Q1", "--where", "channel=email", "--language", "fr", "--output", "json")
    found = json.loads(ran.out)
    assert (found["language"], found["period"]) == ("fr", "T1 2026")
    assert found["sections"][0]["title"] == "Notre équipe"
    assert found["sections"][0]["kpis"][0]["value"] == 2


def test_a_failing_kpi_is_shown_as_failed_and_the_rest_is_there(kpi, break_kpi):
    break_kpi("formula: sum(amount)", "formula: sum(amuont)")
    ran = kpi("report", "--period", "2026-Q1", "--output", "json")
    cards = {card["id"]: card for section in json.loads(ran.out)["sections"] for card in section["kpis"]}
    assert ran.code == 1
    assert cards["revenue"]["failure"]["code"] == "unknown_column"
    assert cards["visits"]["value"] == 5
    assert cards["own_share"]["value"] == pytest.approx(0.6)


def test_a_kpi_that_could_not_be_read_is_not_left_out_in_silence(kpi, break_kpi):
    break_kpi("formula: sum(amount)", "formulo: sum(amount)")
    ran = kpi("report", "--period", "2026-Q1")
    assert ran.code == 1
    assert "`kpi check` shows them" in ran.err
    assert "Visits" in ran.out


def test_data_that_are_not_there_fail_the_kpis_that_need_them(kpi, shop):
    (shop / "data" / "sessions.csv").unlink()
    ran = kpi("report", "--period", "2026-Q1", "--output", "json")
    assert ran.code == 1
    assert {card["failure"]["code"] for section in json.loads(ran.out)["sections"] for card in section["kpis"]} == {
        "missing_file"
    }


@pytest.mark.parametrize(
    ("args", "code", "why"),
    [
        (["--role", "pres"], 3, "did you mean `press`?"),
        (["--period", "2026-13"], 3, "2026-13"),
        (["--compare", "last"], 3, "last"),
        (["--language", "de"], 3, "--language"),
        (["--timeout", "-1"], 3, "--timeout"),
        (["--output", "htm"], 2, "did you mean `html`?"),
        (["--out", "nowhere/report.html"], 2, "unwritable"),
        (["visits"], 3, "visits"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_a_reason(kpi, args, code, why):
    ran = kpi("report", *args)
    assert (ran.code, ran.out) == (code, "")
    assert why in ran.err


def test_a_page_is_written_in_place_of_the_old_one(kpi, shop):
    (shop / "report.html").write_text("old", encoding="utf-8")
    ran = kpi("report", "--period", "2026-Q1", "--out", "report.html")
    assert (ran.code, ran.out, ran.err) == (0, "", "Wrote report.html\n")
    assert (shop / "report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
