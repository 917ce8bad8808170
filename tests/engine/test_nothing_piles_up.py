"""One engine for many requests: open files, threads and temporary files are as many at the end as they were soon after the beginning."""

from __future__ import annotations

import gc
import os
import tempfile
import threading

import duckdb
import pytest

import kpi_engine

linux = pytest.mark.skipif(not os.path.exists("/proc/self/fd"), reason="/proc")  # noqa: PTH110
DEFINITIONS = """
datasets:
  facts: {table: fact, source: data, key: id, time: day, columns: {day: {type: date}}, dimensions: [g]}
  others: {table: other, source: base}
roles: {team: {label: Team}}
kpis:
  n: {role: team, inputs: [facts], formula: count(facts)}
  o: {role: team, inputs: [others], formula: sum(a)}
  bad: {role: team, inputs: [facts], formula: sum(nothing)}
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Write a project whose file is copied to be read, because it is not UTF-8, and which has temporary files of its own."""
    for folder in ("data", "definitions", "temporary"):
        (tmp_path / folder).mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "kpi.yaml").write_text(
        "project: many\nsources:\n  data: {plugin: files, path: data, encoding: cp1252}\n  base: {plugin: duckdb, path: base.duckdb}\n"
    )
    (tmp_path / "definitions" / "all.yaml").write_text(DEFINITIONS)
    with duckdb.connect(str(tmp_path / "base.duckdb")) as connection:
        connection.execute("CREATE TABLE other AS SELECT 5 AS a")
    return tmp_path


def write(project, rows):
    """Write the file anew, as another file in its place."""
    lines = "".join(f"{n},2026-01-{n % 28 + 1:02},{'éa'[n % 2]}\n" for n in range(rows))
    (project / "new.csv").write_bytes(f"id,day,g\n{lines}".encode("cp1252"))
    (project / "new.csv").replace(project / "data" / "fact.csv")


def held(project):
    """Count open files, threads and temporary files."""
    gc.collect()
    return len(os.listdir("/proc/self/fd")), threading.active_count(), len([*(project / "temporary").rglob("*")])  # noqa: PTH208


def ask(engine, project, turn):
    """Ask one thing of many kinds; the data are others now and then."""
    if turn % 4 == 0:
        write(project, 20 + turn % 12)
    how = ({"by": "g"}, {"grain": "month", "period": "2026-01"}, {"timeout": 60}, {"where": {"g": "é"}})[turn % 4]
    assert engine.run("n", **how, as_of="2026-12-31").totals()["n"] == (20 + turn // 4 * 4 % 12) // (
        2 if turn % 4 == 3 else 1
    )
    with pytest.raises(kpi_engine.DefinitionError):
        engine.run("bad")
    engine.render(engine.run(["n", "o", "bad"], on_error="collect", as_of="2026-12-31"), "json")


@linux
@pytest.mark.parametrize("turns", [28, pytest.param(1_000, marks=pytest.mark.slow)])
def test_many_requests_hold_no_more_than_a_few(project, turns):
    write(project, 20)
    with kpi_engine.open(project) as engine:
        for turn in range(12):
            ask(engine, project, turn)
        before = held(project)
        for turn in range(12, turns):
            ask(engine, project, turn)
        assert all(now <= then for now, then in zip(held(project), before, strict=True)), (before, held(project))
    assert not [*(project / "temporary").iterdir()]


@linux
def test_many_engines_leave_nothing(project):
    write(project, 20)
    with kpi_engine.open(project) as engine:
        engine.run(["n", "o"])
    before = held(project)
    for _ in range(8):
        with kpi_engine.open(project) as engine:
            assert engine.run(["n", "o"]).rows() == [{"n": 20, "o": 5}]
    assert held(project) == before
