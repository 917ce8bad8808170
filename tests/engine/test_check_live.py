"""`check(live=True)`: definitions compared with the rows of the data."""

from __future__ import annotations

import duckdb
import pytest

import kpi_engine
from kpi_engine.execution.database import Database

DEFINITIONS = """\
datasets:
  sales:
    table: sales
    key: id
    time: day
    times: {paid: paid_on}
    columns:
      amount: {type: "decimal(18,2)"}
      day: {type: date}
      paid_on: {type: date}
    joins:
      store: {to: stores, keys: [store_id]}
      price: {to: prices, keys: [store_id], valid: [since, until]}
    dimensions:
      kind: {sql: "case channel when 'a' then 'A' when 'b' then 'B' end"}
      first: {sql: "case when channel = 'a' then 'A' else null end"}
      region: {sql: "case when store.region = 'north' then 'N' end"}
  stores:
    table: stores
    key: store_id
    columns: {store_id: {type: bigint}}
  prices:
    table: prices
    columns: {store_id: {type: bigint}, since: {type: date}, until: {type: date}}
kpis:
  turnover: {inputs: [sales], formula: sum(amount)}
"""
SALES = "id,day,paid_on,amount,store_id,channel\n1,2026-01-01,,1.5,1,a\n2,2026-01-02,2026-01-03,2.5,2,b\n3,2026-02-02,,3.5,,\n"
TABLES = {
    "sales": SALES,
    "stores": "store_id,region\n1,north\n2,\n",
    "prices": "store_id,since,until,price\n1,2026-01-01,2026-02-01,3\n1,2026-02-01,,4\n2,2026-01-01,,5\n",
}


@pytest.fixture(params=["csv", "parquet", "duckdb"])
def compare(request, tmp_path):
    """Write the project with other tables or definitions, and compare them; in files and databases, where nothing is text."""
    kind = request.param

    def run(definitions=DEFINITIONS, **tables):
        plugin = "duckdb, path: data/shop.duckdb" if kind == "duckdb" else "files, path: data"
        for folder in ("data", "definitions", "rows"):
            (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / "kpi.yaml").write_text(
            f"project: shop\nsources: {{shop: {{plugin: {plugin}}}}}\n", encoding="utf-8"
        )
        (tmp_path / "definitions" / "all.yaml").write_text(definitions, encoding="utf-8")
        for name, text in {**TABLES, **tables}.items():
            file = tmp_path / ("data" if kind == "csv" else "rows") / f"{name}.csv"
            file.write_text(text, encoding="utf-8")
            if kind == "parquet":
                duckdb.execute(f"COPY (FROM '{file}') TO '{tmp_path}/data/{name}.parquet'")
            elif kind == "duckdb":
                with duckdb.connect(f"{tmp_path}/data/shop.duckdb") as connection:
                    connection.execute(f"CREATE OR REPLACE TABLE {name} AS FROM '{file}'")
        with kpi_engine.open(tmp_path) as engine:
            return engine.check(live=True)

    return run


def said(found):
    """Give each finding as severity, code, the text it underlines, and message."""
    return [
        (each.severity, each.code, each.place.text[each.place.column - 1 :][: each.place.length], each.message)
        for each in found
    ]


def test_data_that_agree_with_the_definitions(compare):
    assert compare() == []


def test_a_key_that_stands_twice_and_one_that_is_unknown(compare):
    assert said(compare(sales=SALES + "2,2026-01-02,,1,1,a\n2,2026-01-02,,1,1,a\n,2026-01-02,,1,1,a\n,2026-01-02,,1,1,a\n")) == [
        ("error", "key_not_unique", "id", "the key `id` of dataset `sales` is not unique in its data: 2 (3 rows)"),
        ("warning", "key_is_null", "id", "the key `id` of dataset `sales` is unknown in 2 of 7 rows"),
    ]  # fmt: skip


def test_of_many_keys_a_few_are_shown(compare):
    rows = "".join(f"{n},2026-01-02,,1,1,a\n" * 2 for n in range(10, 18))
    ((severity, code, _, message),) = said(compare(sales=SALES + rows))
    assert (severity, code) == ("error", "key_not_unique")
    assert ": 10 (2 rows), 11 (2 rows), 12 (2 rows), 13 (2 rows), 14 (2 rows) and 3 more" in message


def test_a_key_of_two_columns(compare):
    definitions = DEFINITIONS.replace("key: id", "key: [channel, store_id]")
    found = said(compare(definitions, sales=SALES + "9,2026-01-01,,1,2,b\n10,2026-01-01,,1,,b\n"))
    assert [(code, underlined) for _, code, underlined, _ in found] == [
        ("key_not_unique", "[channel, store_id]"),
        ("key_is_null", "channel"),
        ("key_is_null", "store_id"),
    ]
    assert "b / 2 (2 rows)" in found[0][3]
    assert "`store_id` of dataset `sales` is unknown in 2 of 5 rows" in found[2][3]


def test_joins_that_lead_nowhere(compare):
    rows = "7,2026-01-01,,1,9,a\n8,2026-01-01,,1,9,a\n9,2026-01-01,,1,8,a\n"
    found = said(compare(sales=SALES + rows))
    assert found == [
        ("warning", "dangling_keys", "store", "the join `store` of dataset `sales` leads nowhere in 3 of 6 rows: `stores` has no row for 9 (2 rows), 8 (1 row)"),
        ("warning", "dangling_keys", "price", "the join `price` of dataset `sales` leads nowhere in 3 of 6 rows: `prices` has no row for 9 (2 rows), 8 (1 row)"),
    ]  # fmt: skip


def test_a_join_to_a_key_that_stands_twice_counts_each_row_once(compare):
    found = said(compare(stores="store_id,region\n1,north\n1,south\n", sales=SALES))
    assert [code for _, code, _, _ in found] == ["dangling_keys", "key_not_unique"]
    assert "in 1 of 3 rows: `stores` has no row for 2 (1 row)" in found[0][3]


def test_times_that_are_unknown_or_far_off(compare):
    found = said(compare(sales=SALES + "7,,0900-01-01,1,1,a\n8,9999-12-31,,1,1,a\n"))
    assert [(severity, code, underlined) for severity, code, underlined, _ in found] == [
        ("warning", "time_is_null", "day"),
        ("warning", "time_out_of_range", "day"),
        ("warning", "time_out_of_range", "paid_on"),
    ]
    assert "`day` of dataset `sales` is unknown in 1 of 5 rows" in found[0][3]
    assert "in 1 of 5 rows: it goes from 2026-01-01 to 9999-12-31" in found[1][3]
    assert "`paid` of dataset `sales` lies before 1900" in found[2][3]


def test_members_that_no_rule_names(compare):
    rows = "7,2026-01-01,,1,1,c\n8,2026-01-01,,1,1,c\n9,2026-01-01,,1,1,d\n"
    stores = "store_id,region\n1,north\n2,south\n"
    found = said(compare(sales=SALES + rows, stores=stores))
    assert [(severity, code) for severity, code, _, _ in found] == [("warning", "member_without_rule")] * 2
    assert found[0][2:] == (
        "\"case channel when 'a' then 'A' when 'b' then 'B' end\"",
        "no rule of the dimension `kind` names `channel` c (2 rows), d (1 row), of 6 rows of dataset `sales`",
    )
    assert (
        found[1][3]
        == "no rule of the dimension `region` names `store.region` south (1 row), of 6 rows of dataset `sales`"
    )


def test_two_rows_that_are_valid_at_one_time(compare):
    prices = "store_id,since,until,price\n1,2026-01-01,2026-02-01,3\n1,2026-01-15,,4\n2,2026-01-01,,5\n"
    assert said(compare(prices=prices)) == [
        ("error", "key_not_unique", "[since, until]", "two rows of dataset `prices` are valid at one time for `store_id` 1")
    ]  # fmt: skip


def test_values_that_are_not_of_their_declared_type(compare):
    rows = "7,2026-01-01,,much,1,a\n8,2026-13-01,,1,1,a\n9,2026-01-01,,many,1,a\n2,2026-01-01,,1,1,a\n"
    found = said(compare(sales=SALES + rows))
    errors = [(code, underlined, message) for severity, code, underlined, message in found if severity == "error"]
    assert [(code, underlined) for code, underlined, _ in errors] == [
        ("key_not_unique", "id"),
        ("bad_value", '"decimal(18,2)"'),
        ("bad_value", "date"),
    ]
    assert "much" in errors[1][2]
    assert "2026-13-01" in errors[2][2]
    assert "and so is 1 other" in errors[1][2] or "in 2 of 7 rows" in errors[1][2]


def test_a_text_that_is_summed_and_a_time_that_is_a_text(compare):
    definitions = DEFINITIONS.replace('      amount: {type: "decimal(18,2)"}\n      day: {type: date}\n', "")
    found = compare(definitions, sales=SALES + "7,soon,,much,1,a\n")
    assert [(each.severity, each.code, each.subject) for each in found] == [
        ("error", "bad_time_type", "dataset sales"),
        ("error", "not_a_number", "kpi turnover"),
    ]


def test_columns_and_tables_that_are_not_there(compare, tmp_path):
    assert {(each.severity, each.code) for each in compare(DEFINITIONS.replace("key: id", "key: ident"))} == {
        ("error", "unknown_column")
    }
    for table in ("missing", "sale"):
        found = compare(DEFINITIONS.replace("table: sales", f"table: {table}"))
        assert [(each.severity, each.code in {"missing_file", "unknown_table"}) for each in found] == [("error", True)]
        with kpi_engine.open(tmp_path) as engine:
            assert [each.severity for each in engine.check()] == ["warning"]


def test_what_cannot_be_read_does_not_hide_the_rest(compare):
    definitions = DEFINITIONS.replace(
        "kpis:\n", "  casts:\n    sql: select cast(channel as integer) as n from sales\n    key: n\nkpis:\n"
    )
    found = said(compare(definitions, stores="store_id,region\n1,north\n1,\n2,\n"))
    assert [(severity, code) for severity, code, _, _ in found] == [("error", "key_not_unique"), ("error", "bad_value")]
    assert found[1][3].startswith("dataset `casts` cannot be compared with its data: ")


@pytest.mark.parametrize("compare", ["parquet"], indirect=True)
def test_each_dataset_is_read_once(compare, monkeypatch):
    statements = []
    tables = Database.tables

    def counted(self, queries, *args, **kwargs):
        queries = list(queries)
        statements.extend(queries)
        return tables(self, queries, *args, **kwargs)

    monkeypatch.setattr(Database, "tables", counted)
    definitions = DEFINITIONS.partition("      region:")[0] + "  stores:" + DEFINITIONS.partition("  stores:")[2]
    assert compare(definitions) == []
    assert sum(each.startswith('SELECT COUNT(*) AS "rows"') for each in statements) == len(statements) - 1 == 3
    (other,) = [each for each in statements if not each.startswith("SELECT COUNT(*)")]
    assert "LEAD(" in other
    assert compare(definitions, sales=SALES + "3,2026-01-02,,1,1,a\n") != []
    assert len(statements) == 9
    assert len([each for each in statements if "sales.parquet" in each]) == 3


def test_data_that_were_handed_in():
    definitions = {
        "datasets": {
            "rows": {"table": "facts", "key": "id", "joins": {"up": {"to": "rows", "keys": {"parent": "id"}}}}
        },
        "kpis": {"n": {"inputs": ["rows"], "formula": "count(rows)"}},
    }
    connection = duckdb.connect()
    connection.execute("CREATE TABLE facts AS SELECT * FROM (VALUES (1, NULL), (2, 1), (2, 7)) AS t(id, parent)")
    with kpi_engine.open(definitions, connection) as engine:
        assert engine.check() == []
        assert [str(each).splitlines()[0] for each in engine.check(live=True)] == [
            "error[key_not_unique]: dataset `rows`, key: the key `id` of dataset `rows` is not unique in its data: 2 (2 rows)",
            "warning[dangling_keys]: dataset `rows`, joins.up: the join `up` of dataset `rows` leads nowhere in 1 of 3 rows: `rows` has no row for 7 (1 row)",
        ]


def test_a_whole_number_that_would_be_rounded_is_none():
    definitions = {
        "datasets": {"rows": {"table": "facts", "key": "id", "columns": {"n": {"type": "integer"}}}},
        "kpis": {"total": {"inputs": ["rows"], "formula": "sum(n)"}},
    }
    for values, found in (
        ("(1, 10.0), (2, 2e9), (3, NULL)", 0),
        ("(1, 10.0), (2, 20.5)", 1),
        ("(1, 1e30), (2, 0.4)", 2),
    ):
        with duckdb.connect() as connection:
            connection.execute("CREATE TABLE facts (id INTEGER, n DOUBLE)")
            connection.execute(f"INSERT INTO facts VALUES {values}")
            with kpi_engine.open(definitions, connection) as engine:
                said_of = [(each.code, each.message) for each in engine.check(live=True)]
                assert len(said_of) == min(found, 1)
                assert all(code == "bad_value" and f"in {found} of 2 rows" in message for code, message in said_of)
