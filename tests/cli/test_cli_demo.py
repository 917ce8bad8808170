"""`kpi demo`: the main job on the sample company."""

from __future__ import annotations

from datetime import date

import pytest

from kpi_engine.cli.demo import last_full_quarter

ROLES = (
    "Content creators",
    "Social media managers",
    "PR managers",
    "demand-generation manager",
    "Web marketing manager",
    "SEO manager",
)


@pytest.fixture
def made(kpi, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return kpi("demo")


def test_it_shows_writes_and_says_what_is_next(kpi, made, tmp_path, monkeypatch):
    assert made.code == 0
    assert all(role in made.out for role in ROLES)
    assert "Q2 2026" in made.out
    assert "Sample data" in made.out
    page = (tmp_path / "kpi-demo" / "report.html").read_text(encoding="utf-8")
    assert all(role in page for role in ROLES)
    assert [line.split()[0] for line in made.err.splitlines()[:3]] == ["Writing", "Computing", "Wrote"]
    suggested = [line.strip().split("  ")[0] for line in made.err.partition("Next:\n")[2].splitlines()]
    assert suggested[:2] == ["kpi-demo/report.html", "cd kpi-demo"]
    monkeypatch.chdir(tmp_path / "kpi-demo")
    for step in suggested[2:]:
        assert kpi(*step.split()[1:]).code == 0, step
    again = _again(kpi, tmp_path)
    assert again.err == ""
    assert "Responsables des réseaux sociaux" in again.out


def _again(kpi, tmp_path):
    """Run it once more over what it has written, which must stay as the user has it."""
    mine = tmp_path / "kpi-demo" / "definitions" / "acme.yaml"
    mine.write_text(mine.read_text(encoding="utf-8") + "# mine\n", encoding="utf-8")
    data = {file: file.stat().st_mtime_ns for file in (tmp_path / "kpi-demo" / "data").iterdir()}
    ran = kpi("demo", tmp_path / "kpi-demo", "-q", "--language", "fr")
    assert ran.code == 0
    assert mine.read_text(encoding="utf-8").endswith("# mine\n")
    assert {file: file.stat().st_mtime_ns for file in data} == data
    return ran


def test_a_folder_that_holds_something_else_is_not_touched(kpi, shop):
    before = {file: file.read_bytes() for file in shop.rglob("*") if file.is_file()}
    ran = kpi("demo", shop)
    assert (ran.code, ran.out) == (2, "")
    assert "folder_not_empty" in ran.err
    assert {file: file.read_bytes() for file in shop.rglob("*") if file.is_file()} == before


@pytest.mark.parametrize(
    ("last_day", "quarter"),
    [
        ("2026-06-30", "2026-Q2"),
        ("2026-06-29", "2026-Q1"),
        ("2026-12-31", "2026-Q4"),
        ("2026-12-30", "2026-Q3"),
        ("2026-01-01", "2025-Q4"),
    ],
)
def test_the_last_full_quarter(last_day, quarter):
    assert last_full_quarter(date.fromisoformat(last_day)) == quarter


def test_the_notice_is_said_beside_outputs_for_machines_too(kpi, made, tmp_path, monkeypatch):
    assert made.code == 0
    monkeypatch.chdir(tmp_path / "kpi-demo")
    for output in ("json", "csv", "table"):
        ran = kpi("run", "visits", "--period", "2026-06", "--output", output)
        assert ran.code == 0
        assert "generated, not real" in (ran.out if output == "table" else ran.err)
