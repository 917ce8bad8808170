"""Arguments of another kind than they take are refused by name, each with a way out; no message tells where the project lies."""

from __future__ import annotations

import math

import duckdb
import pytest

import kpi_engine

WRONG = [
    {"kpis": 5}, {"kpis": [5]}, {"kpis": ["visits", ""]}, {"kpis": None, "role": 5}, {"kpis": None, "role": ["boss"]}, {"by": 5}, {"by": [None]},
    {"grain": 5}, {"where": "channel = 'email'"}, {"where": [("channel", "email")]}, {"where": {5: 1}}, {"where_sql": 5}, {"having": 5},
    {"having": {5: 1}}, {"compare": 5}, {"compare": ["previous_year", "previous_year"]}, {"order": 5}, {"parameters": 5}, {"parameters": {1: 2}},
    {"timeout": 0}, {"timeout": -1}, {"timeout": "x"}, {"timeout": math.inf}, {"timeout": True}, {"dense": "no"}, {"on_error": "ignore"},
]  # fmt: skip


@pytest.fixture
def engine():
    connection = duckdb.connect()
    connection.execute("CREATE TABLE visit AS SELECT 1 AS id, DATE '2026-01-05' AS day, 'email' AS channel")
    datasets = {"visit": {"time": "day", "dimensions": ["channel"]}}
    definitions = {"datasets": datasets, "kpis": {"visits": {"inputs": ["visit"], "formula": "count(visit)"}}}
    with kpi_engine.open(definitions, connection) as opened:
        yield opened
    connection.close()


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_an_argument_of_another_kind(engine, wrong):
    with pytest.raises(kpi_engine.RequestError) as caught:
        engine.run(**{"kpis": ["visits"], "period": "2026", **wrong})
    (argument,) = [name for name, value in wrong.items() if value is not None]
    assert caught.value.code == "bad_request"
    assert f"`{argument}`" in caught.value.message
    assert caught.value.hint


def test_what_is_right_is_taken(engine):
    asked = {
        "by": "channel",
        "where": {"channel": ["email"]},
        "having": {"visits": {">=": 1}},
        "order": ["-visits"],
        "limit": 1,
        "timeout": 30,
    }
    assert engine.run("visits", period="2026", **asked).rows() == [{"channel": "email", "visits": 1}]


@pytest.mark.parametrize("settings", ["path: data", "path: data, tables: {visit: {path: 'v*.csv'}}", "path: nowhere"])
def test_a_message_does_not_tell_where_the_project_lies(tmp_path, settings):
    root = tmp_path / "a folder of nobody's business"
    (root / "data").mkdir(parents=True)
    (root / "kpi.yaml").write_text(f"project: a\nsources: {{files: {{plugin: files, {settings}}}}}\n")
    (root / "definitions").mkdir()
    (root / "definitions" / "a.yaml").write_text(
        "datasets: {visit: {}}\nkpis: {visits: {inputs: [visit], formula: count(visit)}}\n"
    )
    with kpi_engine.open(root) as engine:
        said = [each.message for each in engine.check()]
        with pytest.raises(kpi_engine.SourceError) as caught:
            engine.run("visits")
    assert "nobody's business" not in " ".join([*said, caught.value.message, str(caught.value)])
