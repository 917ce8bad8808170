"""A period that is not over is marked in every output."""

from __future__ import annotations

import csv
import io
import json

import pytest

pytestmark = pytest.mark.usefixtures("shop")
GRAIN = ("--grain", "month", "--period", "2026-01..2026-03", "--as-of", "2026-02-20")
OVER = ("--grain", "month", "--period", "2026-01..2026-03", "--as-of", "2026-03-31")


def asked(kpi, output, *more):
    ran = kpi("run", "visits", *more, "--output", output)
    assert ran.code == 0, ran.err
    return ran.out


def rows(kpi, *more):
    head, *found = csv.reader(io.StringIO(asked(kpi, "csv", *more)))
    return head, found


@pytest.mark.parametrize(("language", "mark"), [("en", "(not over yet)"), ("fr", "(en cours)")])
@pytest.mark.parametrize("output", ["table", "html"])
def test_people_see_it_above_and_beside_each_such_period(kpi, output, language, mark):
    shown = asked(kpi, output, *GRAIN, "--language", language)
    assert {"en": "Period not over yet", "fr": "Période en cours"}[language] in shown
    assert shown.count(mark) == 2
    assert mark not in asked(kpi, output, *OVER, "--language", language)
    assert "ot over yet" not in asked(kpi, output, *OVER, "--language", "en")


def test_json_says_it_and_from_which_period_on(kpi):
    found = json.loads(asked(kpi, "json", *GRAIN))
    assert (found["unfinished"], found["unfinished_from"]) == (True, "2026-02-01")
    assert "unfinished" not in json.loads(asked(kpi, "json", *OVER))
    whole = json.loads(asked(kpi, "json", "--period", "2026-03", "--as-of", "2026-03-10"))
    assert whole["unfinished"] is True
    assert "unfinished_from" not in whole


def test_csv_has_a_column_that_says_it(kpi):
    head, found = rows(kpi, *GRAIN)
    assert head == ["period", "visits", "unfinished"]
    assert [row[2] for row in found] == ["false", "true", "true"]
    assert rows(kpi, *OVER)[0] == ["period", "visits"]
    assert rows(kpi, "--period", "2026-03", "--as-of", "2026-03-10") == (["visits", "unfinished"], [["0", "true"]])


def test_weeks_that_are_not_over_are_marked(kpi):
    found = kpi(
        "run",
        "visits",
        "--grain",
        "week",
        "--period",
        "2026-03-02..2026-03-15",
        "--as-of",
        "2026-03-08",
        "--output",
        "csv",
    )
    assert [row.rsplit(",", 1)[1] for row in found.out.split()[1:]] == ["false", "true"]


def test_so_does_a_scorecard(kpi):
    ran = kpi("report", "--role", "team", "--period", "2026-03", "--as-of", "2026-03-10", "--output", "csv")
    head, *found = csv.reader(io.StringIO(ran.out))
    assert head[-1] == "unfinished"
    assert {row[-1] for row in found} == {"true"}
    over = kpi("report", "--role", "team", "--period", "2026-02", "--as-of", "2026-03-10", "--output", "csv")
    assert over.out.partition("\n")[0].strip().endswith("failure")


def test_like_for_like_is_said_above_a_scorecard(kpi):
    asked = ("report", "--role", "team", "--period", "2026-03", "--as-of", "2026-03-10", "--compare", "previous-period")
    assert "1–10 Feb 2026 (the period before)" in kpi(*asked, "--like-for-like").out
    assert "February 2026 (the period before)" in kpi(*asked).out


def test_an_answer_that_is_kept_marks_it_again(kpi):
    assert asked(kpi, "table", *GRAIN) == asked(kpi, "table", *GRAIN)
