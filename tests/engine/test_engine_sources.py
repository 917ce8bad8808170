"""A project over the built-in sources, through the front door."""

from __future__ import annotations

import duckdb

import kpi_engine

DEFINITIONS = """
datasets:
  orders: {key: id, time: day, dimensions: [country], columns: {amount: {unit: EUR}}}
kpis:
  revenue: {inputs: [orders], formula: sum(amount)}
"""


def test_a_duckdb_file_is_read(tmp_path):
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as connection:
        connection.execute(
            "CREATE TABLE orders AS SELECT 1 AS id, DATE '2026-01-05' AS day, 'FR' AS country, 12.50 AS amount"
        )
    (tmp_path / "definitions").mkdir()
    (tmp_path / "definitions" / "shop.yaml").write_text(DEFINITIONS, encoding="utf-8")
    (tmp_path / "kpi.yaml").write_text(
        "project: shop\nsources: {shop: {plugin: duckdb, path: shop.duckdb}}\n", encoding="utf-8"
    )
    with kpi_engine.open(tmp_path) as engine:
        assert engine.check() == []
        result = engine.run("revenue", by="country", period="2026-01")
        assert [(row["country"], str(row["revenue"])) for row in result.rows()] == [("FR", "12.50")]
        assert b"12.50" in engine.render(result, "csv")
