"""`kpi check`: every mistake at once."""

from __future__ import annotations

import json
import re

import pytest

from kpi_engine.cli.writing import painted
from kpi_engine.errors import Diagnostic, Place

pytestmark = pytest.mark.usefixtures("shop")


def test_a_project_without_mistakes(kpi, shop):
    for args in (["check"], ["check", "."], ["check", "kpi.yaml"], ["check", shop]):
        ran = kpi(*args)
        assert (ran.code, ran.out, ran.err) == (0, "No mistakes in 6 KPIs and 1 dataset\n", "")


def test_every_mistake_is_shown_with_its_place_and_the_mend(kpi, break_kpi):
    break_kpi("formula: sum(amount)", "formula: sum(amuont)")
    break_kpi("quality: visits", "quality: vists")
    break_kpi("inputs: [scaled]", "inputs: [scalded]")
    ran = kpi("check")
    assert ran.code == 1
    assert ran.err == ""
    for code, line, underlined in [
        ("unknown_column", "formula: sum(amuont)", "^^^^^^"),
        ("unknown_kpi", "quality: vists", "^^^^^"),
        ("unknown_input", "inputs: [scalded]", "^^^^^^^"),
    ]:
        lines = ran.out.splitlines()
        (number,) = [number for number, each in enumerate(lines) if line in each and "│" in each]
        assert f"error[{code}]" in lines[number - 1]
        assert lines[number + 1].split() == ["│", underlined]
        assert "did you mean" in lines[number + 2]
    assert ran.out.endswith("\n3 errors in 6 KPIs and 1 dataset\n")
    assert re.search(r"definitions/all\.yaml:\d+:\d+: error\[", ran.out)


def test_a_warning_alone_is_no_failure(kpi, shop):
    (shop / "data" / "sessions.csv").unlink()
    ran = kpi("check")
    assert ran.code == 0
    assert "warning[missing_file]" in ran.out
    assert ran.out.endswith("\n1 warning in 6 KPIs and 1 dataset\n")


def test_a_kpi_that_cannot_be_read_is_counted(kpi, break_kpi):
    break_kpi("formula: sum(amount)", "formulo: sum(amount)")
    assert kpi("check").out.endswith("\n1 error in 6 KPIs and 1 dataset\n")


def test_a_time_zone_that_does_not_exist_is_a_mistake(kpi, shop):
    text = (shop / "kpi.yaml").read_text(encoding="utf-8")
    (shop / "kpi.yaml").write_text(text.replace("Europe/Paris", "Europe/Pari"), encoding="utf-8")
    ran = kpi("check")
    assert ran.code == 1
    assert "kpi.yaml:2:22: error[unknown_timezone]" in ran.out


def test_mistakes_for_machines(kpi, break_kpi):
    break_kpi("formula: sum(amount)", "formula: sum(amuont)")
    ran = kpi("check", "--output", "json")
    found = json.loads(ran.out)
    (mistake,) = found["diagnostics"]
    assert ran.code == 1
    assert found["summary"] == "1 error in 6 KPIs and 1 dataset"
    assert (mistake["severity"], mistake["code"], mistake["subject"]) == ("error", "unknown_column", "kpi revenue")
    assert mistake["file"].endswith("all.yaml")
    assert (mistake["column"], mistake["length"]) == (18, 6)
    assert json.loads(kpi("check", "--output", "json", "nowhere").out or "null") is None


@pytest.mark.parametrize("project", ["nowhere", "data"])
def test_a_folder_that_is_no_project(kpi, project):
    ran = kpi("check", project)
    assert (ran.code, ran.out) == (2, "")
    assert "no_project" in ran.err
    assert "kpi init NAME" in ran.err


def test_colour_changes_no_word():
    mistake = Diagnostic("bad_value", "wrong", Place("a.yaml", 3, 5, 2, "  a: bc"), "write `cd`")
    shown = painted(mistake, color=True)
    assert re.sub(r"\x1b\[[0-9;]*m", "", shown) == painted(mistake, color=False) == str(mistake)
    assert "\x1b[31m\x1b[1merror[bad_value]" in shown
    assert re.search(r"\x1b\[31m\x1b\[1m\s*\^\^\x1b", shown)


def test_definitions_compared_with_the_data(kpi, shop, break_kpi):
    assert kpi("check", "--live").out == "No mistakes in 6 KPIs and 1 dataset\n"
    break_kpi("      city:\n", "      city: {sql: \"case city when 'Lyon' then 'L' when 'NULL' then 'N' end\"}\n")
    ran = kpi("check", "--live")
    assert (ran.code, ran.err) == (0, "")
    assert "warning[member_without_rule]: no rule of the dimension `city` names `city` O'Hara (1 row), Paris" in ran.out
    with (shop / "data" / "sessions.csv").open("a", encoding="utf-8") as file:
        file.write("5,2026-03-31,email,Lyon,true,5,0.00\n")
    ran = kpi("check", "--live", "--output", "json")
    assert ran.code == 1
    (key, _) = json.loads(ran.out)["diagnostics"]
    assert (key["severity"], key["code"], key["subject"]) == ("error", "key_not_unique", "dataset sessions")
    assert (key["line"], key["column"], key["length"]) == (4, 10, 2)
    assert kpi("check").code == 0


def test_data_that_cannot_be_read_cannot_be_compared(kpi, shop):
    (shop / "data" / "sessions.csv").unlink()
    ran = kpi("check", "--live")
    assert ran.code == 1
    assert "error[missing_file]" in ran.out
