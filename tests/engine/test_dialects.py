"""The statements that each dialect is given, over KPIs of every shape: as they are written down, and read by a parser of the dialect.

`UPDATE_GOLDEN_SQL=1` writes them down anew: read what changed before it is kept.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import duckdb
import pytest
import trino_sql_validator
from scattered import scattered
from sqlglot import exp, parse_one

from kpi_engine.sql.dialects import DIALECTS, dialect_of
from kpi_engine.sql.portable import portable, write

GOLDEN = Path(__file__).parent / "golden_sql"
PLUGIN = '''
"""A SQL source without data: it says which tables there are, and gives no rows."""

import pyarrow
from pydantic import BaseModel

from kpi_engine.api import Table, hookimpl

SALES = {
    "id": "BIGINT", "day": "DATE", "at": "TIMESTAMP", "paid": "TIMESTAMPTZ", "shop_id": "INTEGER", "channel": "VARCHAR",
    "amount": "DECIMAL(12,2)", "seconds": "INTEGER", "rate": "DOUBLE", "is_new": "BOOLEAN",
}
SHOPS = {"shop_id": "INTEGER", "region": "VARCHAR"}
STOCK = {"day": "DATE", "shop_id": "INTEGER", "pieces": "BIGINT"}


class Settings(BaseModel):
    dialect: str


class Empty:
    name = "empty"
    Config = Settings

    def __init__(self, config, context):
        self.dialect = config.dialect

    def tables(self):
        return [Table("sales", SALES, ("shop", "sales")), Table("shops", SHOPS, ("shop", "shops")), Table("stock", STOCK, ("shop", "stock"))]

    def query(self, sql):
        return pyarrow.table({"rows": [0]})


@hookimpl
def sources():
    return [Empty]
'''


def of_sales(formula, **more):
    return {"inputs": {"sales": {"from": "sales", **more}}, "formula": formula}


DEFINITIONS = {
    "calendar": {"timezone": "Europe/Paris"},
    "datasets": {
        "sales": {
            "key": "id",
            "time": "paid",
            "dimensions": {"channel": None, "region": "shop.region"},
            "joins": {"shop": {"to": "shops", "keys": "shop_id"}},
        },
        "local": {"table": "sales", "time": "at"},
        "shops": {"key": "shop_id"},
        "stock": {"time": "day", "snapshot": {"of": "shop_id"}},
    },
    "kpis": {
        "orders": of_sales("count(sales)"),
        "revenue": of_sales("sum(sales.amount)"),
        "mean_seconds": of_sales("avg(sales.seconds)"),
        "mean_amount": of_sales("avg(sales.amount)"),
        "channels": of_sales("count(distinct sales.channel)"),
        "spread": of_sales("stddev(sales.seconds)"),
        "middle": of_sales("median(sales.rate)"),
        "of_web": of_sales("sum(sales.amount)", where="channel = 'web' and amount > 0.5"),
        "quoted": of_sales("count_if(channel = 'o''x\\y')"),
        "doubled": of_sales("sum(sales.seconds * 2 + 1)"),
        "known": of_sales("count_if(is_new is not true)"),
        "same": of_sales("count_if(channel is not distinct from 'web')"),
        "longest": of_sales("max(length(sales.channel))"),
        "least": of_sales("min(least(sales.seconds, sales.shop_id))"),
        "found": of_sales("count_if(contains(channel, 'we') or starts_with(channel, 'a'))"),
        "ratio": of_sales("sum(sales.amount / sales.seconds)"),
        "best_day": {"inputs": {"d": {"from": "revenue", "per": "day"}}, "formula": "max(d)"},
        "first_local": {"inputs": ["local"], "formula": "count(local)"},
        "pieces": {"inputs": {"stock": {"from": "stock"}}, "formula": "sum(stock.pieces)"},
    },
}
BY_MONTH = {"grain": "month", "period": "2026-Q1"}
QUESTIONS = [
    *[(name, {"period": "2026-01"}) for name in DEFINITIONS["kpis"] if name != "revenue"],
    ("revenue", {"by": "region", **BY_MONTH}),
    ("orders", {"by": "channel", "period": "2026-01-05..2026-01-20", "compare": "previous_period"}),
]
OTHERS = [name for name in DIALECTS if name != "duckdb"]
"""What needs a translation."""


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Give what the engine says of each question in a dialect: the statements, or why rows travel."""

    def of(dialect):
        folder = tmp_path_factory.mktemp(dialect)
        places = {"there": (lambda *_: {"plugin": "empty", "dialect": dialect}, ("sales", "shops", "stock"))}
        with scattered(duckdb.connect(), DEFINITIONS, places, folder, {"empty": PLUGIN}) as engine:
            return [(f"{name} {question}", _there(engine.explain(name, **question))) for name, question in QUESTIONS]

    return of


def _there(said):
    """Give the statements of a source out of an explanation, and what travels by them."""
    found = re.findall(r"SQL \(\w+, source `there`, as `\w+`: (.*?)\)\n\n(.*?)\n\n(?=SQL )", said, re.DOTALL)
    return [(what, "\n".join(line.strip() for line in text.strip().splitlines())) for what, text in found]


@pytest.mark.parametrize("dialect", OTHERS)
def test_statements_are_those_that_are_written_down(dialect, written):
    asked = written(dialect)
    assert all(parts for _, parts in asked), "each question is answered by the source"
    text = "\n".join(
        f"-- {name}\n" + "\n".join(f"-- {what}\n{sql};" for what, sql in parts) + "\n" for name, parts in asked
    )
    file = GOLDEN / f"{dialect}.sql"
    if os.environ.get("UPDATE_GOLDEN_SQL"):
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


def statements(dialect):
    """Give the statements that are written down."""
    lines = [
        line
        for line in (GOLDEN / f"{dialect}.sql").read_text(encoding="utf-8").splitlines()
        if not line.startswith("-- ")
    ]
    return [each.strip() for each in "\n".join(lines).split(";\n") if each.strip(" \n;")]


@pytest.mark.parametrize("dialect", OTHERS)
def test_statements_are_read_again_as_they_were_written(dialect):
    found = [parse_one(each, read=dialect) for each in statements(dialect)]
    assert len(found) >= len(QUESTIONS)
    for tree in found:
        assert isinstance(tree, exp.Select)
        assert tree.find(exp.Command) is None
        assert parse_one(tree.sql(dialect), read=dialect).sql(dialect) == tree.sql(dialect)


def test_statements_for_trino_are_what_its_grammar_allows():
    refused = [
        (each, found.errors) for each in statements("trino") if not (found := trino_sql_validator.validate(each)).valid
    ]
    assert refused == []
    assert not trino_sql_validator.validate("SELECT 1 FROM (VALUES 1) WHERE").valid


@pytest.mark.parametrize("many", [40, 3000])
def test_a_long_chain_of_conditions_is_written_once_from_end_to_end(many):
    """Many KPIs over one dataset, each with a condition of its own, are one statement; each condition is looked at once."""
    columns = []

    def type_of(node):
        columns.append(node.name)
        return "INTEGER"

    tests = [exp.GT(this=exp.column("seconds", "r"), expression=exp.Literal.number(n)) for n in range(many)]
    tree = exp.Not(this=exp.paren(exp.or_(*tests)))
    written = write(portable(tree, dialect_of("postgres"), type_of), "postgres")
    assert len(columns) == many
    assert (written.count(" OR "), written[:4]) == (many - 1, "NOT ")
