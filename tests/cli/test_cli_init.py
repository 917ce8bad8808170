"""`kpi init`: projects to begin with."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.usefixtures("here")

ORDERS = "order_id,day,channel,amount\n" + "".join(
    f"{n},2026-0{1 + n % 6}-1{n % 9},{'ab'[n % 2]},{n}.50\n" for n in range(1, 31)
)
CLICKS = "click_id,at,page\n" + "".join(f"c{n},2026-01-0{1 + n % 9}T10:00:00,/p{n % 3}\n" for n in range(1, 31))


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "orders.csv").write_text(ORDERS, encoding="utf-8")
    (tmp_path / "raw" / "clicks.csv").write_text(CLICKS, encoding="utf-8")
    return tmp_path


def steps(ran):
    """Give the commands that are suggested."""
    lines = ran.err.partition("Next:\n")[2].splitlines()
    return [line.strip().split("  ")[0] for line in lines]


def test_a_starter_whose_suggestions_work(kpi, here, monkeypatch):
    ran = kpi("init", "shop")
    assert ran.code == 0
    assert ran.out.splitlines() == [
        "Wrote shop/.kpi/definitions.schema.json",
        "Wrote shop/.kpi/project.schema.json",
        "Wrote shop/data/visits.csv",
        "Wrote shop/definitions/first.yaml",
        "Wrote shop/kpi.yaml",
    ]
    suggested = steps(ran)
    assert suggested[0] == "cd shop"
    monkeypatch.chdir(here / "shop")
    for step in suggested[1:]:
        assert kpi(*step.split()[1:]).code == 0, step
    assert kpi("list").out.startswith("Our team")


def test_files_become_a_project_that_checks(kpi, here, monkeypatch):
    ran = kpi("init", "shop", "--from", "raw/clicks.csv", "raw/orders.csv")
    assert ran.code == 0
    assert "Wrote shop/definitions/orders.yaml" in ran.out
    assert "Checked: No mistakes in" in ran.err
    monkeypatch.chdir(here / "shop")
    for step in steps(ran)[1:]:
        assert kpi(*step.split()[1:]).code == 0, step
    assert json.loads(kpi("run", "orders_count", "--output", "json").out)["totals"] == {"orders_count": 30}


@pytest.mark.parametrize(
    "args",
    [
        ["shop", "--from", "raw/clicks.csv", "--from", "raw/orders.csv"],
        ["shop", "--from=raw/clicks.csv", "raw/orders.csv", "-q"],
        ["-q", "--from", "raw/clicks.csv", "raw/orders.csv", "-q", "shop"],
        ["shop", "-q", "--from", "raw/*.csv"],
    ],
)
def test_files_may_be_named_in_every_usual_way(kpi, here, args):
    ran = kpi("init", *args)
    assert ran.code == 0, ran.err
    assert sorted(file.name for file in (here / "shop" / "data").iterdir()) == ["clicks.csv", "orders.csv"]


def test_a_folder_that_holds_data_becomes_a_project_where_it_is(kpi, here):
    (here / "raw").rename(here / "data")
    ran = kpi("init", ".", "--from", "data/orders.csv")
    assert ran.code == 0
    assert "data/orders.csv" not in ran.out
    assert "cd " not in ran.err
    assert f'project: "{here.name}"' in (here / "kpi.yaml").read_text(encoding="utf-8")
    assert (here / "data" / "orders.csv").read_text(encoding="utf-8") == ORDERS


def test_quiet_says_nothing_of_what_is_next(kpi):
    assert "Next:" not in kpi("init", "shop", "-q").err


@pytest.mark.parametrize(
    ("args", "code", "why"),
    [
        ([], 3, "NAME"),
        (["shop", "--from"], 3, "--from"),
        (["--from", "raw/orders.csv", "shop"], 3, "NAME [--from FILE...]"),
        (["raw"], 2, "folder_not_empty"),
        (["shop", "--from", "raw/order.csv"], 2, "missing_file"),
        (["shop", "more"], 3, "more"),
    ],
)
def test_what_cannot_be_written_is_refused_and_nothing_is_left(kpi, here, args, code, why):
    ran = kpi("init", *args)
    assert (ran.code, ran.out) == (code, "")
    assert why in ran.err
    assert [file.name for file in here.iterdir()] == ["raw"]


def test_a_project_is_never_written_over(kpi, here):
    kpi("init", "shop")
    before = {file: file.read_bytes() for file in (here / "shop").rglob("*") if file.is_file()}
    for more in ([], ["--from", "raw/orders.csv"]):
        assert kpi("init", "shop", *more).code == 2
    assert {file: file.read_bytes() for file in (here / "shop").rglob("*") if file.is_file()} == before


def test_a_name_with_blanks_and_accents(kpi):
    ran = kpi("init", "mon été")
    assert ran.code == 0
    assert steps(ran)[0] == "cd 'mon été'"
