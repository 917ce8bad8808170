"""One request over a database, a Parquet file and a synced stream: as if all the data lay in one DuckDB."""

from __future__ import annotations

import json
import random
from datetime import date, timedelta
from threading import Barrier

import duckdb
import pytest
from adbc_driver_postgresql import dbapi
from in_postgres import PLUGIN
from kpi_source_postgres.source import PostgresSource

import kpi_engine
from kpi_engine.execution.database import Database

CHANNELS = ("search", "email", "social", None)
SCHEMA = {
    "type": "SCHEMA",
    "stream": "visits",
    "key_properties": ["id"],
    "schema": {
        "properties": {
            "id": {"type": "integer"},
            "day": {"type": "string", "format": "date"},
            "channel": {"type": ["null", "string"]},
        }
    },
}
DEFINITIONS = {
    "datasets": {
        "leads": {"key": "id", "time": "day", "dimensions": ["channel"]},
        "spend": {"time": "day", "dimensions": ["channel"]},
        "visits": {"key": "id", "time": "day", "dimensions": ["channel"]},
    },
    "kpis": {
        "lead_count": {"inputs": ["leads"], "formula": "count(leads)"},
        "people": {"inputs": ["leads"], "formula": "count(distinct person)"},
        "cost": {"inputs": ["spend"], "formula": "sum(amount)", "unit": "EUR"},
        "visit_count": {"inputs": ["visits"], "formula": "count(visits)"},
        "cost_per_lead": {"inputs": ["cost", "lead_count"], "formula": "cost / lead_count"},
        "lead_rate": {"inputs": ["lead_count", "visit_count"], "formula": "lead_count / visit_count"},
    },
}
ASKED = {
    "by": "channel",
    "grain": "month",
    "period": "2026-01..2026-06",
    "compare": "previous_period",
    "as_of": "2026-12-31",
}


@pytest.fixture
def data():
    drawn = random.Random(7)  # noqa: S311 - rows of a test

    def rows(count):
        days = (date(2026, 1, 1) + timedelta(days=drawn.randrange(180)) for _ in range(count))
        return [(n, day.isoformat(), drawn.choice(CHANNELS)) for n, day in enumerate(days)]

    leads = [(*row, f"person {drawn.randrange(60)}") for row in rows(400)]
    spend = [(*row[1:], f"{drawn.randrange(100_000) / 100:.2f}") for row in rows(90)]
    return leads, spend, rows(3000)


def project(folder, sources, of):
    (folder / "definitions").mkdir(parents=True)
    (folder / "kpi.yaml").write_text(json.dumps({"project": "p", "sources": sources}))
    datasets = {name: {**model, "source": of[name]} for name, model in DEFINITIONS["datasets"].items()}
    (folder / "definitions" / "all.yaml").write_text(json.dumps({**DEFINITIONS, "datasets": datasets}))
    return folder


def in_one_database(folder, data):
    with duckdb.connect(folder / "all.duckdb") as there:
        for name, columns, rows in zip(("leads", "spend", "visits"), COLUMNS, data, strict=True):
            there.execute(f"CREATE TABLE {name} ({columns})")
            there.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(rows[0]))})", rows)
        there.execute(f"COPY spend TO '{folder}/spend.parquet'")
    one = {"all": {"plugin": "duckdb", "path": "../all.duckdb"}}
    return project(folder / "one", one, dict.fromkeys(DEFINITIONS["datasets"], "all"))


COLUMNS = (
    "id BIGINT, day DATE, channel VARCHAR, person VARCHAR",
    "day DATE, channel VARCHAR, amount DECIMAL(12,2)",
    "id BIGINT, day DATE, channel VARCHAR",
)


def in_three_places(folder, data, dsn, schema="federation"):
    leads, _, visits = data
    with dbapi.connect(dsn, autocommit=True) as there, there.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA {schema}")
        cursor.execute(f"CREATE TABLE {schema}.leads ({COLUMNS[0]})")
        written = ", ".join(f"({n}, '{day}', {text(channel)}, {text(person)})" for n, day, channel, person in leads)
        cursor.execute(f"INSERT INTO {schema}.leads VALUES {written}")
    of = {"leads": "crm", "spend": "ads", "visits": "web"}
    sources = {
        "crm": {"plugin": "postgres", "dsn": {"env": "KPI_TEST_POSTGRES"}, "schema": schema},
        "ads": {"plugin": "files", "path": "data"},
        "web": {"plugin": "singer", "file": "visits.ndjson"},
    }
    made = project(folder / "three", sources, of)
    (made / "plugins").mkdir()
    (made / "plugins" / "postgres_here.py").write_text(PLUGIN)
    (made / "data").mkdir()
    (folder / "spend.parquet").rename(made / "data" / "spend.parquet")
    records = [
        {"type": "RECORD", "stream": "visits", "record": dict(zip(("id", "day", "channel"), row, strict=True))}
        for row in visits
    ]
    (made / "visits.ndjson").write_text("".join(json.dumps(each) + "\n" for each in [SCHEMA, *records]))
    return made


def text(value):
    return "NULL" if value is None else f"'{value}'"


def test_three_places_answer_as_one_database(dsn, tmp_path, data):
    one = in_one_database(tmp_path, data)
    three = in_three_places(tmp_path, data, dsn)
    kpis = list(DEFINITIONS["kpis"])
    with kpi_engine.open(one) as engine:
        expected = engine.run(kpis, **ASKED)
        rows, totals = expected.rows(), expected.totals()
    with kpi_engine.open(three) as engine:
        engine.sync()
        answer = engine.run(kpis, **ASKED)
        said = engine.explain(kpis, **ASKED)
        assert answer.rows() == rows
        assert answer.totals() == totals
    assert len(rows) == len(CHANNELS) * 6
    assert any(row["cost_per_lead"] for row in rows)
    assert "postgres" in said


def test_leaves_are_computed_at_the_same_time(dsn, tmp_path, data, monkeypatch):
    """Neither PostgreSQL nor DuckDB begins to answer before the other has been asked."""
    in_one_database(tmp_path, data)
    three = in_three_places(tmp_path, data, dsn, "together")
    met = Barrier(2)
    there, here = PostgresSource.query, Database.tables

    def waiting_there(source, sql):
        if "COUNT" in sql:
            met.wait(60)
        return there(source, sql)

    def waiting_here(database, queries, *given, **named):
        if any("spend.parquet" in each and "__leaf" not in each for each in queries):
            met.wait(60)
        return here(database, queries, *given, **named)

    with kpi_engine.open(three) as engine:
        engine.sync()
        expected = engine.run("cost_per_lead", **ASKED).rows()
        monkeypatch.setattr(PostgresSource, "query", waiting_there)
        monkeypatch.setattr(Database, "tables", waiting_here)
        assert engine.run("cost_per_lead", **ASKED).rows() == expected
        monkeypatch.undo()
        said = engine.explain(list(DEFINITIONS["kpis"]), **ASKED)
    assert said.count("aggregates travel") == 1
    assert said.count("at the same time") == 2
