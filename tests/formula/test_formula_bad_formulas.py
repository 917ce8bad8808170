"""Formulas that broke engines of this kind: each has exactly one outcome here, and none leaks, hangs or gives what is no number."""

from __future__ import annotations

import math
from pathlib import Path

import duckdb
import pytest
import yaml

import kpi_engine

CORPUS = yaml.safe_load((Path(__file__).parent / "bad_formulas.yaml").read_text(encoding="utf-8"))
OUTCOMES = {"refused", "unknown", "value", "error"}
LIMIT = 2.0
"""Seconds that a formula may take before it counts as hanging."""


def formula(case):
    """Put a long formula together."""
    text = CORPUS[case]["formula"]
    return text if isinstance(text, str) else "".join(part["text"] * part["times"] for part in text)


@pytest.fixture(scope="module")
def connection():
    made = duckdb.connect()
    made.execute("CREATE TABLE orders(id INT, tenant_id INT, region VARCHAR, amount DECIMAL(18,2), email VARCHAR)")
    made.execute(
        "INSERT INTO orders VALUES (1, 1, 'north', 10, 'a@x'), (2, 1, 'north', 20, 'b@x'), (3, 2, 'south', 5, 'c@x')"
    )
    made.execute("CREATE TABLE salaries AS SELECT 424242 AS salary")
    made.execute("CREATE SEQUENCE s")
    yield made
    made.close()


def engine(connection, **kpi):
    given = {"inputs": {"orders": {"from": "orders", **kpi.pop("input", {})}}, "formula": "count(orders)", **kpi}
    dataset = {
        "table": "orders",
        "columns": {"amount": {"type": "decimal(18,2)"}},
        "dimensions": {"region": kpi.pop("dimension", {})},
    }
    given.pop("dimension", None)
    return kpi_engine.open({"datasets": {"orders": dataset}, "kpis": {"k": given}}, connection)


def test_the_corpus_is_whole():
    assert list(CORPUS) == sorted(CORPUS, key=lambda name: list(CORPUS).index(name))
    assert {f"F{number:02}" for number in range(1, 78)} | {"L1", "L2", "L3"} == set(CORPUS)
    for case, entry in CORPUS.items():
        assert len(OUTCOMES & entry.keys()) == 1, case
        assert entry.keys() <= {"formula"} | OUTCOMES, case


@pytest.mark.parametrize("case", CORPUS)
def test_as_a_formula(connection, case):
    entry = CORPUS[case]
    with engine(connection, formula=formula(case)) as opened:
        found = [d.code for d in opened.check()]
        if "refused" in entry:
            assert entry["refused"] in found
            with pytest.raises(kpi_engine.KpiError) as caught:
                opened.run("k", timeout=LIMIT)
            assert caught.value.code in found
            return
        assert found == []
        if "error" in entry:
            with pytest.raises(kpi_engine.KpiError) as caught:
                opened.run("k", timeout=LIMIT)
            assert caught.value.code == entry["error"]
            return
        (row,) = opened.run("k", timeout=LIMIT).rows()
    assert row["k"] == entry.get("value")
    assert row["k"] is None or math.isfinite(row["k"])


@pytest.mark.parametrize("case", [case for case, entry in CORPUS.items() if "refused" in entry])
def test_as_a_condition(connection, case):
    """What no formula may say no condition may say: not that of an input, of a request, of a dimension or of a query."""
    text = formula(case)
    asked = [
        (engine(connection, input={"where": text or " "}), {}),
        (engine(connection, dimension={"sql": text or " "}), {"by": "region"}),
        (engine(connection), {"where_sql": text or " "}),
    ]
    for opened, request in asked:
        with opened, pytest.raises(kpi_engine.KpiError) as caught:
            opened.run("k", timeout=LIMIT, **request)
        assert not isinstance(caught.value, kpi_engine.TimeoutExceeded)
        assert "424242" not in str(caught.value)


@pytest.mark.parametrize("case", [case for case, entry in CORPUS.items() if "refused" in entry])
def test_nothing_is_left_behind(connection, case):
    before = connection.execute("SELECT count(*) FROM duckdb_tables()").fetchone()
    with engine(connection, formula=formula(case)) as opened:
        opened.check()
    assert connection.execute("SELECT count(*) FROM duckdb_tables()").fetchone() == before
    assert connection.execute("SELECT count(*) FROM orders").fetchone() == (3,)
