"""The marketing pack on the fixture that was worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import kpi_engine

FIXTURE = Path(__file__).parents[1] / "data" / "fixture"
CASES = json.loads((FIXTURE / "expected.json").read_text(encoding="utf-8"))
PROJECT = {"project": "fixture", "calendar": {"timezone": "Europe/Paris"}, "definitions": ["marketing"]}


@pytest.fixture
def engine(fixture_connection):
    with kpi_engine.open(PROJECT, fixture_connection) as engine:
        yield engine


@pytest.fixture
def exported(fixture_connection, tmp_path):
    """The same fixture as CSV files in a project folder."""
    tables = [
        row[0] for row in fixture_connection.execute("SELECT table_name FROM information_schema.tables").fetchall()
    ]
    (tmp_path / "data").mkdir()
    for table in tables:
        fixture_connection.execute(f"COPY {table} TO '{tmp_path}/data/{table}.csv' (HEADER)")
    (tmp_path / "kpi.yaml").write_text(
        "project: fixture\ncalendar: {timezone: Europe/Paris}\nsources: {files: {plugin: files, path: data}}\ndefinitions: [marketing]\n",
        encoding="utf-8",
    )
    with kpi_engine.open(tmp_path) as engine:
        yield engine


def close(value):
    return None if value is None else pytest.approx(value, rel=1e-9)


def answer(engine, case):
    by = case.get("by", [])
    rows = engine.run(case["kpi"], by=by, period=case["period"]).rows()
    if not by:
        assert len(rows) == 1
        return float(rows[0][case["kpi"]])
    return {row[by[0]]: float(row[case["kpi"]]) for row in rows}


def wanted(case):
    return close(case["value"]) if "value" in case else {member: close(value) for member, value in case["rows"].items()}


@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join([case["kpi"], *case.get("by", [])]))
def test_the_answers_worked_out_by_hand(engine, case):
    assert answer(engine, case) == wanted(case)


def test_the_same_answers_from_csv_files(exported):
    assert [d for d in exported.check() if d.severity == "error"] == []
    for case in CASES:
        assert answer(exported, case) == wanted(case), case["kpi"]


def test_all_kpis_of_a_role_at_once_are_what_they_are_alone(engine):
    alone = {case["kpi"]: wanted(case) for case in CASES if "value" in case}
    for role in engine.project.roles:
        result = engine.run(role=role, period="2026-01")
        row = result.rows()[0]
        assert set(result.failures) <= {"page_rank", "visits_by_channel"}
        for kpi_id, value in row.items():
            if kpi_id in alone and kpi_id not in result.failures:
                assert float(value) == alone[kpi_id], kpi_id


def test_a_visit_late_in_the_evening_belongs_to_the_next_month_in_paris(engine):
    rows = engine.run("visits", grain="month", period="2026-Q1").rows()
    assert [row["visits"] for row in rows] == [6, 1, 0]


def test_unique_visitors_are_counted_again_for_the_quarter_not_added_up(engine):
    result = engine.run("unique_visitors", grain="month", period="2026-Q1")
    assert [row["unique_visitors"] for row in result.rows()] == [4, 1, 0]
    assert result.totals() == {"unique_visitors": 5}


def test_community_size_closes_each_month_and_the_quarter(engine):
    result = engine.run("social_community_size", by=["network"], grain="month", period="2026-Q1")
    found = {(row["network"], row["period"].month): row["social_community_size"] for row in result.rows()}
    assert found == {
        ("linkedin", 1): 1050, ("linkedin", 2): 1100, ("linkedin", 3): 1100, ("x", 1): 500, ("x", 2): 500, ("x", 3): 500,
    }  # fmt: skip
    assert result.totals() == {"social_community_size": 1600}


def test_share_of_voice_without_any_competitor_is_unknown(fixture_connection):
    fixture_connection.execute("DELETE FROM media_coverage WHERE brand_id <> 'own'")
    with kpi_engine.open(PROJECT, fixture_connection) as engine:
        assert engine.run("share_of_voice", period="2026-01").rows() == [{"share_of_voice": None}]


def test_page_ranks_sum_to_one_per_graph_and_capture_date(fixture_connection):
    fixture_connection.execute(
        "INSERT INTO link_edge(graph_id, captured_on, source, target) VALUES ('h','2026-01-20','p','q'),('g','2026-02-15','a','z')"
    )
    with kpi_engine.open(PROJECT, fixture_connection) as engine:
        rows = engine.run("page_rank", by=["graph", "page"], grain="month", period="2026-Q1").rows()
    sums: dict[tuple[str, object], float] = {}
    for row in rows:
        sums[row["graph"], row["period"]] = sums.get((row["graph"], row["period"]), 0) + (row["page_rank"] or 0)
    assert len(sums) == 6
    assert list(sums.values()) == [pytest.approx(1)] * 6
