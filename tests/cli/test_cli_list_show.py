"""`kpi list` and `kpi show`: what a project holds."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.usefixtures("shop")


def test_kpis_stand_under_each_of_their_roles(kpi):
    lines = kpi("list").out.splitlines()
    words = [line.split("  ")[0] if not line.startswith(" ") else line.split()[0] for line in lines if line]
    assert words == [
        "Our team", "visits", "revenue", "Press", "revenue", "own_share", "On no scorecard", "own_visits", "scaled", "scaled_twice",
    ]  # fmt: skip
    assert "Chiffre d’affaires" in kpi("list", "--language", "fr").out


def test_the_kpis_of_one_role(kpi):
    ran = kpi("list", "--role", "press")
    assert [line.split()[0] for line in ran.out.splitlines()] == ["Press", "revenue", "own_share"]
    assert kpi("list", "--role", "pres").code == 3


def test_datasets_with_what_kpis_may_be_split_by(kpi):
    assert "sessions" not in kpi("list").out
    ran = kpi("list", "--datasets")
    assert "sessions  (table sessions" in ran.out
    assert "channel, city, is_own, score, day" in ran.out


def test_a_list_for_machines(kpi):
    found = json.loads(kpi("list", "--output", "json", "--datasets").out)
    assert [each["id"] for each in found["kpis"]] == [
        "visits",
        "revenue",
        "own_visits",
        "own_share",
        "scaled",
        "scaled_twice",
    ]
    assert found["kpis"][1]["roles"] == ["team", "press"]
    assert [each["id"] for each in found["datasets"]] == ["sessions"]
    assert "datasets" not in json.loads(kpi("list", "--output", "json").out)


def test_a_kpi_that_cannot_be_computed_is_marked(kpi, break_kpi):
    break_kpi("formula: sum(amount)", "formula: sum(amuont)")
    ran = kpi("list")
    assert ran.code == 0
    marked = [line.split()[0] for line in ran.out.splitlines() if "cannot be computed" in line]
    assert marked == ["revenue", "revenue"]


def facts(ran):
    """Give what is said under each name; what follows on the next line belongs to the name above."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in ran.out.splitlines():
        name = line[:14].strip() or name
        found.setdefault(name, []).append(line[14:])
    return found


def test_all_there_is_to_say_of_a_kpi(kpi, shop):
    ran = kpi("show", "own_share")
    said = facts(ran)
    assert ran.code == 0
    assert ran.out.startswith("own_share  Own share\n")
    assert said["Formula"] == ["own_visits / visits"]
    assert said["Inputs"] == ["kpi own_visits", "kpi visits"]
    assert said["Unit"] == ["%, shown as percent"]
    assert said["Adds up"] == ["no: it is a ratio; totals are computed from the rows"]
    assert said["Split by"] == ["channel, city, is_own, score, day"]
    assert said["Trust"] == ["visits says how far"]
    assert said["Roles"] == ["press"]
    assert said["Defined in"][0].startswith("definitions/all.yaml:")
    line = int(said["Defined in"][0].rpartition(":")[2])
    assert (shop / "definitions" / "all.yaml").read_text(encoding="utf-8").splitlines()[line - 1] == "  own_share:"


def test_modifiers_owner_and_users_are_said(kpi):
    assert facts(kpi("show", "own_visits"))["Inputs"] == ["own is dataset sessions: where is_own"]
    said = facts(kpi("show", "visits"))
    assert said["Owner"] == ["the web team"]
    assert said["Used by"] == ["own_share"]
    assert said["Good news"] == ["when it rises"]
    assert said["Adds up"] == ["yes"]


def test_parameters_of_the_kpis_below_are_said_with_the_projects_values(kpi, shop):
    with (shop / "kpi.yaml").open("a", encoding="utf-8") as file:
        file.write("parameters: {factor: 7}\n")
    said = facts(kpi("show", "scaled_twice"))["Parameters"]
    assert said == [":factor is 7 (number): How much", ":limit is 1 (integer)", ":strict is False (boolean)"]


def test_a_description_for_machines(kpi):
    found = json.loads(kpi("show", "scaled", "--output", "json").out)
    assert (found["id"], found["formula"]) == (
        "scaled",
        "case when :strict then null else count(sessions) * :factor * :limit end",
    )
    assert [each["name"] for each in found["parameters"]] == ["factor", "limit", "strict"]
    assert found["fault"] is None


def test_a_kpi_with_a_mistake_is_shown_as_far_as_it_is_known(kpi, break_kpi):
    break_kpi("formula: sum(amount)", "formula: sum(amuont)")
    ran = kpi("show", "revenue")
    assert ran.code == 1
    assert facts(ran)["Formula"] == ["sum(amuont)"]
    assert "error[unknown_column]" in ran.err
    assert json.loads(kpi("show", "revenue", "--output", "json").out)["fault"]["code"] == "unknown_column"


def test_a_kpi_whose_data_are_missing(kpi, shop):
    (shop / "data" / "sessions.csv").unlink()
    ran = kpi("show", "visits")
    assert ran.code == 2
    assert "missing_file" in ran.err
    assert facts(ran)["Formula"] == ["count(sessions)"]


def test_an_unknown_kpi(kpi):
    ran = kpi("show", "vists")
    assert (ran.code, ran.out) == (3, "")
    assert "did you mean `visits`?" in ran.err
