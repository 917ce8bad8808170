"""What the plugin asks of Snowflake gives what DuckDB would: on fakesnow, which answers by Snowflake's protocol and computes on DuckDB.

So the statements are known to be read, the protocol and the types of answers are those of the connector, and the numbers are right where
DuckDB understands Snowflake's words as Snowflake does. It is no proof of what Snowflake itself computes.
"""

from __future__ import annotations

import duckdb
import pytest
from in_snowflake import HERE, storing
from kpi_source_snowflake.columns import column_of, known_as
from kpi_source_snowflake.session import connected
from kpi_source_snowflake.settings import SnowflakeSettings
from kpi_source_snowflake.source import SnowflakeSource
from leaf_proofs import as_the_oracle, marketing_as_worked_out_by_hand
from pydantic import ValidationError
from scattered import scattered
from snowflake.connector.errors import ProgrammingError

from kpi_engine.api import DataError, SourceContext, SourceError, SqlSource

DATASETS = {"sales": {"time": "day", "dimensions": {"shop": None}}}
ACCOUNT = {"account": "a-b", "user": "reader", "database": "shop"}


@pytest.fixture
def project(server, tmp_path):
    """Open a project over one table that statements make."""
    engines = []

    def made(create, kpis):
        name = f"T{abs(hash(str(tmp_path)))}"
        server.run(name, *create)
        store = lambda *_: {"plugin": "snowflake", **server.settings(name)}  # noqa: E731
        definitions = {"datasets": DATASETS, "kpis": kpis}
        engines.append(scattered(duckdb.connect(), definitions, {"there": (store, ("sales",))}, tmp_path, HERE))
        return engines[-1]

    yield made
    for each in engines:
        each.close()


def kpi(formula):
    return {"inputs": ["sales"], "formula": formula}


def source(server, database, tmp_path, **more):
    settings = {**server.settings(database), "password": server.password, **more}
    return SnowflakeSource(SnowflakeSettings(**settings), SourceContext("shop", tmp_path))


def test_the_marketing_fixture_gives_the_numbers_worked_out_by_hand(server, tmp_path):
    marketing_as_worked_out_by_hand(storing(server), HERE, tmp_path)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("places", [1, 3])
def test_random_projects_answer_as_the_oracle_does(server, tmp_path, seed, places):
    as_the_oracle(700 + seed, places, storing(server), HERE, tmp_path)


def test_only_aggregates_travel(project, monkeypatch):
    create = [
        "CREATE TABLE SALES (DAY DATE, SHOP VARCHAR, AMOUNT NUMBER(12, 2))",
        """INSERT INTO SALES SELECT DATEADD(day, MOD(n, 90), '2026-01-01'::DATE), 'shop ' || MOD(n, 7), n
           FROM (SELECT ROW_NUMBER() OVER (ORDER BY 1) AS n FROM TABLE(GENERATOR(ROWCOUNT => 20000)))""",
    ]
    engine = project(create, {"sold": kpi("sum(amount)")})
    plain, counts = SnowflakeSource.query, []

    def counting(source, sql):
        rows = plain(source, sql)
        counts.append(rows.num_rows)
        return rows

    monkeypatch.setattr(SnowflakeSource, "query", counting)
    result = engine.run("sold", by="shop", grain="month", period="2026-Q1")
    assert sum(row["sold"] for row in result.rows()) == sum(range(1, 20001))
    assert counts == [21]


def test_numbers_come_back_exactly(project):
    """A sum is a floating-point number on fakesnow, so the largest stands for large numbers, and decimals are small."""
    create = [
        "CREATE TABLE SALES (DAY DATE, SHOP VARCHAR, BIG NUMBER(38), AMOUNT NUMBER(20, 4), RATE FLOAT)",
        "INSERT INTO SALES VALUES ('2026-01-01', 'a', 9007199254740993, 12345678.0001, 0.1), ('2026-01-02', 'a', 9007199254740993, 0.0002, 0.2)",
    ]
    kpis = {"big": kpi("max(big)"), "amount": kpi("sum(amount)"), "rate": kpi("sum(rate)")}
    row = project(create, kpis).run(list(kpis), period="2026-01").rows()[0]
    assert (int(row["big"]), str(row["amount"]), row["rate"]) == (9007199254740993, "12345678.0003", 0.1 + 0.2)


@pytest.mark.parametrize("text", ["o'x", "back\\slash", "%s", "%(a)s", ":name", "?", "line\nbreak", "ä", "😀", "$$"])
def test_a_text_is_what_is_written(project, text):
    literal = text.replace("\\", "\\\\").replace("'", "''")
    create = [
        "CREATE TABLE SALES (DAY DATE, SHOP VARCHAR)",
        f"INSERT INTO SALES VALUES ('2026-01-01', '{literal}'), ('2026-01-01', 'b')",
    ]
    engine = project(create, {"n": kpi("count(sales)")})
    assert engine.run("n", by="shop", period="2026-01", where={"shop": text}).rows() == [{"shop": text, "n": 1}]


def test_explain_shows_the_statement_of_the_warehouse(project):
    create = ["CREATE TABLE SALES (DAY DATE, SHOP VARCHAR)", "INSERT INTO SALES VALUES ('2026-01-01', 'a')"]
    said = project(create, {"n": kpi("count(sales)")}).explain("n", by="shop", period="2026-01")
    assert "SQL (snowflake, source `there`, as `__leaf0`: aggregates travel)" in said
    assert '"PUBLIC"."SALES"' in said
    assert """COLLATE("SHOP", 'utf8') AS "shop\"""" in said


def test_many_rows_come_in_batches(server, tmp_path):
    made = source(server, "MANY", tmp_path)
    rows = made.query('SELECT ROW_NUMBER() OVER (ORDER BY 1) AS "n" FROM TABLE(GENERATOR(ROWCOUNT => 50001))')
    assert (rows.num_rows, len(rows.to_batches())) == (50001, 3)
    assert max(map(int, rows["n"].to_pylist())) == 50001
    assert made.query('SELECT 1 AS "n" WHERE 1 = 0').num_rows == 0
    made.close()


def test_tables_of_another_schema_are_written_with_its_name(server, tmp_path):
    server.run(
        "SCHEMAS", "CREATE SCHEMA CRM", "CREATE TABLE CRM.LEADS (ID NUMBER)", "CREATE TABLE PUBLIC.VISITS (ID NUMBER)"
    )
    for schema, names in (("public", ["crm.leads", "visits"]), ('"CRM"', ["leads", "public.visits"])):
        made = source(server, "schemas", tmp_path, schema=schema)
        assert isinstance(made, SqlSource)
        assert sorted(each.name for each in made.tables()) == names
        made.close()


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        (("NUMBER", 18, 0), "BIGINT"), (("NUMBER", 38, 0), "HUGEINT"), (("NUMBER", 38, 10), "DECIMAL(38,10)"), (("FLOAT", None, None), "DOUBLE"),
        (("TIMESTAMP_NTZ", None, None), "TIMESTAMP"), (("TIMESTAMP_LTZ", None, None), "TIMESTAMPTZ"), (("TEXT", None, None), "VARCHAR"),
    ],
)  # fmt: skip
def test_columns_are_what_they_are_read_as(written, kind):
    assert column_of("A", *written) == (kind, '"A"')


def test_a_moment_with_a_zone_of_its_own_is_an_instant():
    assert column_of('A"b', "TIMESTAMP_TZ", None, None) == ("TIMESTAMPTZ", 'CAST("A""b" AS TIMESTAMP_LTZ)')
    assert column_of("A", "VARIANT", None, None) is None


def test_names_that_differ_by_their_letters_only_are_left_out():
    assert known_as(["AMOUNT", "amount", "Shop", "SHOP_ID"]) == {"Shop": "Shop", "SHOP_ID": "shop_id"}


def test_what_is_not_there_is_said_without_the_password(tmp_path):
    settings = SnowflakeSettings(**ACCOUNT, password="hunter2", address="http://127.0.0.1:9", login_timeout=2)  # noqa: S106
    made = SnowflakeSource(settings, SourceContext("shop", tmp_path))
    with pytest.raises(SourceError, match="the database `SHOP` of the source `shop`") as caught:
        made.tables()
    assert caught.value.code == "query_failed"
    assert "hunter2" not in str(caught.value)
    made.close()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "one of `password`, `token` and `private_key_file`"),
        ({"password": "a", "token": "b"}, "one of `password`, `token` and `private_key_file`"),
        ({"password": "a", "private_key_passphrase": "b"}, "opens a `private_key_file`"),
        ({"password": "a", "address": "http://shop.example.com"}, "begins with `https://`"),
        ({"password": "a", "address": "https://u:p@shop.example.com"}, "has a host"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, said):
    with pytest.raises(ValidationError, match=said):
        SnowflakeSettings(**ACCOUNT, **settings)


@pytest.mark.parametrize(
    ("proof", "options"),
    [
        ({"password": "p"}, {"password": "p"}),
        ({"token": "t"}, {"authenticator": "PROGRAMMATIC_ACCESS_TOKEN", "token": "t"}),
        (
            {"private_key_file": "key.p8", "private_key_passphrase": "w"},
            {"authenticator": "SNOWFLAKE_JWT", "private_key_file": "/shop/key.p8", "private_key_file_pwd": "w"},
        ),
        ({"password": "p", "role": "READER", "warehouse": "SMALL"}, {"role": "READER", "warehouse": "SMALL"}),
        (
            {"password": "p", "address": "https://shop.example.com"},
            {"host": "shop.example.com", "port": 443, "protocol": "https"},
        ),
        ({"password": "p", "schema": '"crm data"'}, {"database": "SHOP", "schema": '"crm data"'}),
    ],
)
def test_the_connector_is_given_what_the_settings_say(monkeypatch, tmp_path, proof, options):
    given = {}
    monkeypatch.setattr("snowflake.connector.connect", lambda **more: given.update(more))
    root = tmp_path if "private_key_file" not in proof else type(tmp_path)("/shop")
    connected(SnowflakeSettings(**ACCOUNT, **proof), root)
    assert {name: given[name] for name in options} == options
    session = given["session_parameters"]
    assert (session["TIMEZONE"], session["QUOTED_IDENTIFIERS_IGNORE_CASE"], session["ROWS_PER_RESULTSET"]) == (
        "UTC",
        False,
        0,
    )


@pytest.mark.parametrize(
    "statement", ["CREATE TABLE never (a INT)", "DELETE FROM SALES", "INSERT INTO SALES VALUES (1)"]
)
def test_nothing_but_a_query_is_run(server, tmp_path, statement):
    server.run("KEPT", "CREATE OR REPLACE TABLE SALES (ID NUMBER)", "INSERT INTO SALES VALUES (7)")
    made = source(server, "KEPT", tmp_path)
    with pytest.raises(SourceError):
        made.query(statement)
    made.close()
    assert server.run("KEPT", "SELECT ID FROM SALES") == [(7,)]


def test_a_session_that_is_over_is_opened_again(server, tmp_path):
    made = source(server, "OVER", tmp_path)
    assert made.query('SELECT 1 AS "one"')["one"].to_pylist()
    made._connection._rest = None  # noqa: SLF001 - as when it is over
    with pytest.raises(SourceError):
        made.query('SELECT 1 AS "one"')
    assert made.query('SELECT 1 AS "one"')["one"].to_pylist()
    made.close()


def test_a_request_that_is_stopped_stops_the_queries_of_its_session(server, tmp_path, monkeypatch):
    made, said = source(server, "STOPPED", tmp_path), []
    made.interrupt()
    with made._cursor() as running:  # noqa: SLF001 - a query that runs
        monkeypatch.setattr(type(running), "execute", lambda _, sql: said.append(sql))
        monkeypatch.setattr(type(made._connection), "session_id", 4711)  # noqa: SLF001
        made.interrupt()
    assert said == ["SELECT SYSTEM$CANCEL_ALL_QUERIES(4711)"]
    made.close()


def test_a_number_that_is_too_large_is_said(tmp_path):
    made = SnowflakeSource(SnowflakeSettings(**ACCOUNT, password="p"), SourceContext("shop", tmp_path))  # noqa: S106
    error = ProgrammingError(msg="Number out of representable range", errno=100046, sqlstate="22003")
    assert (made._said(error).code, type(made._said(error))) == ("overflow", DataError)  # noqa: SLF001
