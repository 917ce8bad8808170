"""What every engine that computes leaves is held against."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from oracle_cases import made
from oracle_checking import WrongError, check
from oracle_texts import arguments, create, definitions
from scattered import in_duckdb, scattered, tables_of

if TYPE_CHECKING:
    from collections.abc import Mapping

FIXTURE = Path(__file__).parents[1] / "data" / "fixture"
PROJECT = {"project": "fixture", "calendar": {"timezone": "Europe/Paris"}, "definitions": ["marketing"], "datasets": {}}


def fixture_connection() -> duckdb.DuckDBPyConnection:
    """Give the tables of the marketing fixture."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    for name in ("schema.sql", "fixture.sql"):
        connection.execute((FIXTURE / name).read_text(encoding="utf-8"))
    return connection


def marketing_as_worked_out_by_hand(store: Any, plugin: Mapping[str, str], folder: Path) -> None:
    """Ask for every KPI of the marketing fixture; each answer is the one that was worked out by hand."""
    connection = fixture_connection()
    with scattered(connection, PROJECT, {"there": (store, tables_of(connection))}, folder, plugin) as engine:
        assert [each for each in engine.check() if each.severity == "error"] == []
        for case in json.loads((FIXTURE / "expected.json").read_text(encoding="utf-8")):
            kpi, by = case["kpi"], case.get("by", [])
            rows = engine.run(kpi, by=by, period=case["period"]).rows()
            got = {tuple(row[name] for name in by): float(row[kpi]) for row in rows}
            wanted = {(): case["value"]} if "value" in case else {(name,): v for name, v in case["rows"].items()}
            assert got == {key: pytest.approx(value, rel=1e-9) for key, value in wanted.items()}, kpi


def as_the_oracle(
    seed: int, places: int, store: Any, plugin: Mapping[str, str], folder: Path, questions: int = 3
) -> int:
    """Scatter a random project over sources of an engine, and one of DuckDB's own; every answer is the oracle's."""
    model, asked = made(Random(seed), questions)  # noqa: S311 - the same case again
    connection = duckdb.connect()
    create(connection, model)
    names = tables_of(connection)
    stores = {n: store if n != 2 else in_duckdb for n in range(places)}
    where = {f"s{n}": (stores[n], names[n::places]) for n in range(places)}
    answered = 0
    with scattered(connection, definitions(model), where, folder, plugin) as engine:
        for question in asked:
            try:
                answered += check(engine, model, question)
            except WrongError as wrong:
                raise WrongError(f"seed {seed}: {arguments(question)}: {wrong}") from None
    return answered
