"""`kpi run` and `kpi explain`: requests from the command line."""

from __future__ import annotations

import csv
import io
import json

import pytest

import kpi_engine

pytestmark = pytest.mark.usefixtures("shop")


def answer(ran):
    assert ran.code == 0, ran.err
    return json.loads(ran.out)


def test_the_answer_as_json_is_columns_rows_and_totals(kpi):
    found = answer(kpi("run", "visits", "--by", "channel", "--output", "json"))
    assert found == {
        "columns": ["channel", "visits"],
        "rows": [
            {"channel": "direct", "visits": 1},
            {"channel": "email", "visits": 2},
            {"channel": "été", "visits": 1},
            {"channel": None, "visits": 1},
        ],
        "measures": {"visits": {"additive_over": [], "additivity": "additive", "format": "integer", "unit": "visits"}},
        "totals": {"visits": 5},
    }


def test_the_command_line_asks_what_python_asks(kpi, shop):
    with kpi_engine.open(shop) as engine:
        result = engine.run(
            ["visits", "revenue"], by=["channel", "city"], grain="month", period="2026-Q1", where={"score": {"gte": 2}},
            having={"visits": {"gte": 1}}, compare=["previous_period", "previous_year"], order=["-visits", "city"], limit=3,
            as_of="2026-03-15", dense=False,
        )  # fmt: skip
        expected = [[str(value) if value is not None else "" for value in row.values()] for row in result.rows()]
    ran = kpi(
        "run", "visits,revenue", "--by", "channel", "--by", "city", "--grain", "month", "--period", "2026-Q1", "--where", "score>=2",
        "--having", "visits>=1", "--compare", "previous-period,previous_year", "--order", "-visits,city", "--limit", "3",
        "--as-of", "2026-03-15", "--sparse", "--output", "csv", "--option", "formula_guard=false",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    head, *rows = csv.reader(io.StringIO(ran.out))
    assert head == [*result.keys, "unfinished"]
    assert [row[:-1] for row in rows] == expected
    assert len(rows) == 3


@pytest.mark.parametrize(
    ("conditions", "visits"),
    [
        (["channel=email"], 2),
        (["channel=email,direct"], 3),
        (["channel!=email"], 2),
        (["channel=NULL"], 1),
        (["channel is not null"], 4),
        (["city='Paris, Texas'"], 1),
        (["city='NULL'"], 1),
        (["city=O'Hara"], 1),
        (["channel=été"], 1),
        (["is_own=true"], 3),
        (["is_own=false", "channel=email"], 1),
        (["score=10"], 1),
        (["score>=9"], 2),
        (["score in 1,2"], 2),
        (["score between 2 and 9"], 3),
        (["score>1", "score<10"], 3),
        (["day>=2026-02-14"], 2),
        (["day=2026-03-31"], 1),
        (["city contains y"], 2),
        (["city starts with Ly"], 2),
    ],
)
def test_a_value_takes_the_type_of_its_dimension(kpi, conditions, visits):
    options = [word for condition in conditions for word in ("--where", condition)]
    assert answer(kpi("run", "visits", *options, "--output", "json"))["totals"] == {"visits": visits}


def test_a_number_is_never_compared_with_a_text_letter_by_letter(kpi):
    ran = kpi("run", "visits", "--where", "channel>=5")
    assert ran.code == 3
    assert "bad_filter_value" in ran.err


def test_a_condition_in_the_formula_language(kpi):
    found = answer(kpi("run", "visits", "--where-sql", "channel = 'email' or score > 8", "--output", "json"))
    assert found["totals"] == {"visits": 3}


@pytest.mark.parametrize(
    ("settings", "value"),
    [
        ([], 10),
        (["factor=3"], 15),
        (["factor=0.5"], 2.5),
        (["limit=4"], 40),
        (["strict=true"], None),
        (["factor=1", "limit=2"], 10),
    ],
)
def test_parameters_have_the_types_they_are_declared_with(kpi, settings, value):
    options = [word for setting in settings for word in ("--parameter", setting)]
    assert answer(kpi("run", "scaled", *options, "--output", "json"))["totals"]["scaled"] == value


@pytest.mark.parametrize(
    ("setting", "why"),
    [
        ("factor=much", "expected a number"),
        ("factor=nan", "expected a number"),
        ("limit=1.5", "expected a whole number"),
        ("strict=1", "expected `true` or `false`"),
        ("facter=1", "did you mean `factor`?"),
        ("factor", "write NAME=VALUE"),
    ],
)
def test_a_parameter_that_does_not_fit_is_refused(kpi, setting, why):
    ran = kpi("run", "scaled", "--parameter", setting)
    assert (ran.code, ran.out) == (3, "")
    assert why in ran.err


@pytest.mark.parametrize(
    ("args", "code", "why"),
    [
        ([], 3, "name the KPIs"),
        (["visits", "--role", "team"], 3, "not both"),
        (["vists"], 3, "did you mean `visits`?"),
        (["--role", "teem"], 3, "did you mean `team`?"),
        (["visits", "--by", "chanel"], 3, "did you mean `channel`?"),
        (["visits", "--period", "2026-Q9"], 3, "2026-Q9"),
        (["visits", "--period", "2026-Q2..2026-Q1"], 3, "reversed_period"),
        (["visits", "--grain", "moon"], 3, "moon"),
        (["visits", "--compare", "tomorrow"], 3, "tomorrow"),
        (["visits", "--as-of", "2026-02-30"], 3, "28 days"),
        (["visits", "--limit", "-1"], 3, "limit"),
        (["visits", "--limit", "x"], 3, "--limit"),
        (["visits", "--timeout", "0"], 3, "--timeout"),
        (["visits", "--where-sql", "pg_sleep(9) = 1"], 3, "where_sql"),
        (["visits", "--where", "channel"], 3, "--where"),
        (["visits", "--option", "width"], 3, "--option"),
        (["visits", "--option", "width=50", "--option", "width=60"], 3, "twice"),
        (["visits", "--lmit", "3"], 3, "--limit"),
        (["visits", "--output", "cvs"], 2, "did you mean `csv`?"),
        (["visits", "--output", "csv", "--option", "nope=1"], 2, "nope"),
        (["visits", "--disable-plugin", "csv", "--output", "csv"], 2, "disabled"),
        (["visits", "--disable", "builtin"], 2, "files"),
        (["visits", "--project", "nowhere"], 2, "nowhere"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_a_reason(kpi, args, code, why):
    ran = kpi("run", *args)
    assert (ran.code, ran.out) == (code, "")
    assert why in ran.err
    assert "Traceback" not in ran.err


def test_data_that_contradict_the_definitions(kpi, shop):
    file = shop / "data" / "sessions.csv"
    file.write_text(file.read_text(encoding="utf-8").replace("10.50", "ten"), encoding="utf-8")
    ran = kpi("run", "revenue")
    assert (ran.code, ran.out) == (2, "")
    assert "ten" in ran.err


def test_a_kpi_with_a_mistake_is_refused_with_its_place(kpi, break_kpi):
    break_kpi("formula: sum(amount)", "formula: sum(amuont)")
    ran = kpi("run", "revenue")
    assert (ran.code, ran.out) == (1, "")
    assert "all.yaml" in ran.err
    assert "^^^^^^" in ran.err
    assert kpi("run", "visits").code == 0


def test_a_failing_kpi_of_a_role_does_not_stop_the_others(kpi, break_kpi):
    break_kpi("formula: sum(amount)", "formula: sum(amuont)")
    ran = kpi("run", "--role", "team", "--output", "json")
    found = json.loads(ran.out)
    assert ran.code == 1
    assert found["rows"] == [{"visits": 5, "revenue": None}]
    assert list(found["failures"]) == ["revenue"]


def test_definitions_left_out_are_said_and_end_a_role_with_1(kpi, break_kpi):
    break_kpi("formula: sum(amount)", "formulo: sum(amount)")
    alone, role = kpi("run", "visits"), kpi("run", "--role", "team")
    assert (alone.code, role.code) == (0, 1)
    assert "`kpi check` shows them" in alone.err
    assert "`kpi check` shows them" in role.err


def test_nothing_is_computed_with_settings_that_have_a_mistake(kpi, shop):
    (shop / "kpi.yaml").write_text("project: shop\nlanguage: de\n", encoding="utf-8")
    for args in (["run", "visits"], ["report"], ["explain", "visits"]):
        ran = kpi(*args)
        assert (ran.code, ran.out) == (1, "")
        assert "kpi.yaml:2" in ran.err


def test_labels_numbers_and_dates_follow_the_language(kpi):
    ran = kpi(
        "run",
        "visits",
        "--by",
        "channel",
        "--grain",
        "month",
        "--period",
        "2026-02",
        "--compare",
        "previous-period",
        "--language",
        "fr",
    )
    assert ran.code == 0
    assert all(word in ran.out for word in ("Canal", "Visites, période précédente", "février 2026", "Total"))
    assert "Channel" not in ran.out


def test_a_single_row_needs_no_total_below_it(kpi):
    assert "Total" not in kpi("run", "visits").out
    assert "Total" in kpi("run", "visits", "--by", "channel").out
    assert answer(kpi("run", "visits", "--output", "json"))["totals"] == {"visits": 5}


def test_a_file_is_written_in_the_form_its_name_says(kpi, shop):
    for name, beginning in {"a.json": "{", "b.csv": "visits", "c.html": "<!DOCTYPE html>", "d.txt": "shop"}.items():
        ran = kpi("run", "visits", "--out", name)
        assert (ran.code, ran.out) == (0, ""), ran.err
        assert (shop / name).read_text(encoding="utf-8").startswith(beginning)
        assert f"Wrote {name}" in ran.err
    assert kpi("run", "visits", "--out", "e.csv", "--output", "json").code == 0
    assert (shop / "e.csv").read_text(encoding="utf-8").startswith("{")


def test_a_dash_as_file_is_standard_output(kpi, shop):
    ran = kpi("run", "visits", "--out", "-", "--output", "json")
    assert json.loads(ran.out)["totals"] == {"visits": 5}
    assert not (shop / "-").exists()


def test_what_cannot_be_written_leaves_what_was_there(kpi, shop):
    (shop / "taken").mkdir()
    for target in ("taken", "missing/a.csv", "kpi.yaml/a.csv"):
        ran = kpi("run", "visits", "--out", target, "--output", "csv")
        assert (ran.code, ran.out) == (2, "")
        assert "unwritable" in ran.err
    assert sorted(file.name for file in shop.iterdir()) == ["data", "definitions", "kpi.yaml", "taken"]


def test_a_failing_output_leaves_the_old_file(kpi, shop):
    (shop / "a.csv").write_text("old", encoding="utf-8")
    assert kpi("run", "visits", "--out", "a.csv", "--option", "nope=1").code == 2
    assert (shop / "a.csv").read_text(encoding="utf-8") == "old"


def test_explaining_gives_the_plan_and_the_sql(kpi):
    ran = kpi("explain", "own_share", "--by", "channel", "--period", "2026-Q1", "--where", "score>=2")
    assert ran.code == 0
    assert all(word in ran.out for word in ("Formulas", "Plan", "SQL", "SELECT", "own_visits / visits"))
    assert ran.err == ""


def test_the_project_is_found_from_a_folder_below(kpi, shop, monkeypatch):
    monkeypatch.chdir(shop / "data")
    assert answer(kpi("run", "visits", "--output", "json"))["totals"] == {"visits": 5}
    monkeypatch.chdir(shop.parent)
    for project in ("shop", "shop/kpi.yaml", shop):
        assert answer(kpi("run", "visits", "--output", "json", "--project", project))["totals"] == {"visits": 5}
    outside = kpi("run", "visits")
    assert outside.code == 2
    assert "kpi init NAME" in outside.err
    assert "kpi demo" in outside.err
