"""The benchmarks run, the engine's answers are those of the hand-written SQL, and the report is complete. No time is asserted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
PEERS = """
import duckdb
SYSTEMS = []

def main():
    con = duckdb.connect()
    con.execute("CREATE TABLE visits (visit_id INT, visitor_id INT, ts TIMESTAMP, channel TEXT, landing_section TEXT,"
                " duration_s INT, converted BOOLEAN, revenue DECIMAL(10, 2))")
    con.execute("INSERT INTO visits VALUES (1, 1, '2024-01-05', 'email', 'blog', 10, true, 7), (2, 1, '2024-02-05', 'email', 'shop', 20, false, NULL)")
    con.execute("CREATE TABLE leads AS SELECT 1 AS lead_id, TIMESTAMP '2024-01-05' AS created_at, 'email' AS channel")
    con.execute("CREATE TABLE spend AS SELECT 1 AS spend_id, DATE '2024-01-06' AS day, 'email' AS channel, 12.5::DECIMAL(12, 2) AS amount")
    (system,) = [each() for each in SYSTEMS]
    system.setup(con)
    for workload in "abcde":
        found = con.execute(system.compile(workload))
        print(workload, found.description[0][0], found.fetchone()[-1], len(found.fetchall()) + 1)
"""


def ran(*arguments: object, code: int = 0) -> str:
    """Run a script of the benchmarks; give what it prints."""
    done = subprocess.run(
        [sys.executable, *(str(each) for each in arguments)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def report(folder: Path, *sections: str) -> list[dict[str, object]]:
    """Run sections at small size; give the lines, which must be in every form of the report."""
    file, page = folder / "figures.json", folder / "page.md"
    file.unlink(missing_ok=True)
    run = ("--small", "--only", *sections, "--json", file, "--markdown", page)
    printed = ran(BENCHMARKS / "run.py", folder / "data", *run)
    found = json.loads(file.read_text(encoding="utf-8"))
    for key in ("duckdb", "python", "sqlglot", "processor", "cores", "repeats", "rows"):
        assert found["about"][key], key
    for line in found["lines"]:
        assert f"{line['name']} " in printed
        assert f"| {line['name']} | {line['says']} |" in page.read_text(encoding="utf-8")
    return found["lines"]


@pytest.fixture
def modules(monkeypatch):
    """The modules of the benchmarks, by name, forgotten again after the test."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    names = [file.stem for file in BENCHMARKS.glob("*.py")]
    for name in names:
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield __import__
    for name in names:
        sys.modules.pop(name, None)


def test_requests_are_answered_as_by_hand(tmp_path, modules):
    lines = report(tmp_path, "requests", "windows")
    expected = [*modules("workloads").WORKLOADS, *modules("windows").WORKLOADS]
    assert [line["name"] for line in lines] == [each.name for each in expected]
    assert {line["name"]: line["answers"] for line in lines} == {each.name: "equal" for each in expected}
    assert all(line["value"] > 0 and line["beside"] > 0 and line["limit"] > 0 for line in lines)


def test_streams_of_a_third_party_are_answered_as_files_are(tmp_path, modules):
    pytest.importorskip("pyarrow")
    lines = report(tmp_path, "scans")
    names = [
        name
        for each in modules("scans").WORKLOADS
        for name in (each.name, f"{each.name}-by-hand", f"{each.name}-as-arrow")
    ]
    assert {line["name"]: line["answers"] for line in lines} == dict.fromkeys(names, "equal")


def test_requests_to_a_server_are_answered_as_by_hand(tmp_path, modules):
    pytest.importorskip("adbc_driver_postgresql")
    lines = {line["name"]: line["answers"] for line in report(tmp_path, "push-down", "a")}
    lines.pop("a")
    assert lines in ({}, {each.name: "equal" for each in modules("pushdown").WORKLOADS})
    assert lines or not os.environ.get("CI"), "no PostgreSQL server is installed"


def test_what_the_engine_refuses_is_said(tmp_path, modules):
    workloads = modules("workloads")
    modules("data").write(tmp_path, 100)
    refused = workloads.Workload("new", "a new shape", {"kpis": "unheard_of"}, "SELECT 1 AS unheard_of")
    first, second = workloads.figures((refused, workloads.WORKLOADS[0]), {}, tmp_path, 1)
    assert (first.answers, first.outcome, first.value) == ("refused: unknown_kpi", "refused", None)
    assert second.answers == "equal"


def test_planning_is_measured_with_its_growth(tmp_path):
    lines = {line["name"]: line for line in report(tmp_path, "planning")}
    limits = {name: line["limit"] for name, line in lines.items() if line["beside"] is None}
    assert limits == {
        "plan-kpis": 25,
        "plan-kpis-read": None,
        "plan-kpis-total": 25,
        "plan-kpis-total-read": None,
        "plan-wide": 200,
        "plan-wide-read": None,
        "plan-wide-sql": 300,
    }
    growth = {f"growth-{what}-{times}" for what in ("kpis", "dimensions") for times in (2, 4)}
    assert {name for name, line in lines.items() if line["beside"]} == growth


@pytest.mark.slow
def test_commands_give_what_bare_duckdb_gives(tmp_path):
    lines = {line["name"]: line for line in report(tmp_path, "commands")}
    again = {f"{name}-again" for name in ("one-kpi", "scorecards", "many-check", "many-run")}
    assert lines.keys() == {
        "python",
        "help",
        "one-kpi",
        "scorecards",
        "many-check",
        "many-run",
        "many-run-checked",
        *again,
    }
    compared = {name: line["answers"] for name, line in lines.items() if line["answers"]}
    assert compared == dict.fromkeys(
        ["one-kpi", "one-kpi-again", "many-run", "many-run-again", "many-run-checked"], "equal"
    )
    limits = {name: line["limit"] for name, line in lines.items() if line["limit"]}
    assert limits == {
        "one-kpi": 500, "one-kpi-again": 250, "many-check": 8000, "many-check-again": 8000, "many-run": 600, "many-run-again": 600, "many-run-checked": 600,
    }  # fmt: skip


@pytest.mark.parametrize("name", ["e", "plan-kpis"])
def test_a_profile_says_where_time_goes(tmp_path, name):
    printed = ran(BENCHMARKS / "run.py", tmp_path, "--small", "--profile", name)
    assert "under the profiler, of which in" in printed
    assert "kpi_engine: with all that they call" in printed
    assert "sqlglot: with all that they call" in printed
    assert ("duckdb: with all that they call" in printed) == (name == "e")


def test_the_engine_takes_part_in_a_script_of_peers(tmp_path):
    script = tmp_path / "peers_script.py"
    script.write_text(PEERS, encoding="utf-8")
    rows = [line.split() for line in ran(BENCHMARKS / "peers.py", script).splitlines()]
    assert rows == [
        ["a", "visits", "2", "1"],
        ["b", "month", "7.0", "24"],
        ["c", "month", "None", "24"],
        ["d", "week", "1", "105"],
        ["e", "channel", "12.5", "24"],
    ]


def test_different_answers_are_counted(modules):
    differences = modules("measuring").differences
    hand = [{"period": 1, "n": 10.0, "m": None}, {"period": 2, "n": 3, "m": 4}]
    assert differences([{**hand[1]}, {**hand[0], "extra": 1}], hand, ["period"]) == 0
    assert differences([{**hand[0], "n": 10.0 + 1e-10}, hand[1]], hand, ["period"]) == 0
    assert differences([*hand, {"period": 3, "n": 0, "m": None}], hand, ["period"]) == 0
    assert differences([*hand, {"period": 3, "n": 1, "m": None}], hand, ["period"]) == 1
    assert differences([{**hand[0], "n": 10.1}, hand[1]], hand, ["period"]) == 1
    assert differences([{**hand[0], "m": 0}, hand[1]], hand, ["period"]) == 1
    assert differences([{"period": 1, "n": 10.0}, hand[1]], hand, ["period"]) == 1
    assert differences([hand[1]], hand, ["period"]) > 0
    assert differences([*hand, hand[1]], hand, ["period"]) > 0


def test_a_line_says_whether_its_target_is_met(modules):
    tables = modules("tables")
    line = tables.Line("requests", "a", "one KPI", 5.0, 4.0, limit=6.0, answers="equal")
    assert line.outcome == "met"
    assert replace(line, value=6.5).outcome == "misses"
    assert replace(line, limit=None).outcome == ""
    assert replace(line, answers="2 differ").outcome == "wrong"
    assert replace(line, value=None, answers="refused: not_yet_supported").outcome == "refused"


def test_tables_of_a_page_are_replaced(modules, tmp_path):
    tables = modules("tables")
    page, about = tmp_path / "page.md", {**tables.machine(), "rows": 1000, "repeats": 5, "duckdb": "2.0.7"}
    page.write_text("# Page\n\nbefore\n", encoding="utf-8")
    first, second = (tables.Line(section, "a", "old") for section in ("requests", "planning"))
    tables.write_markdown(page, about, [first, second])
    tables.write_markdown(page, {**about, "duckdb": "1.5.5"}, [replace(first, says="other version")])
    tables.write_markdown(page, about, [replace(first, says="new")])
    text = page.read_text(encoding="utf-8")
    assert text.startswith("# Page\n\nbefore\n")
    assert [text.count(f"| a | {says} |") for says in ("old", "new", "other version")] == [1, 1, 1]
    assert text.count("<!-- figures: requests, DuckDB 2.0 -->") == 1
