"""The version of a table changes with every change that is seen, and is not said where it would be no proof."""

from __future__ import annotations

import pytest
from adbc_driver_postgresql import dbapi
from kpi_source_postgres.source import PostgresSettings, PostgresSource

from kpi_engine.api import SourceContext


@pytest.fixture
def there(dsn, tmp_path):
    """Give a connection that may write, in a schema of its own."""
    with dbapi.connect(dsn, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA v{abs(hash(str(tmp_path)))}")
        cursor.execute(f"SET search_path = v{abs(hash(str(tmp_path)))}")
        cursor.execute("CREATE TABLE sales (id BIGINT, day DATE)")
        yield cursor


@pytest.fixture
def version(dsn, tmp_path):
    """Give what says the version of a table."""
    source = PostgresSource(
        PostgresSettings(dsn=dsn, schema=f"v{abs(hash(str(tmp_path)))}"), SourceContext("shop", tmp_path)
    )
    yield source.version
    source.close()


def test_it_stays_while_nothing_is_written_and_changes_with_what_is(there, version):
    for statement in (
        "INSERT INTO sales VALUES (1, '2026-01-01')",
        "UPDATE sales SET day = '2026-01-02'",
        "DELETE FROM sales",
        "TRUNCATE sales",
        "ALTER TABLE sales ADD COLUMN shop TEXT",
        "DROP TABLE sales; CREATE TABLE sales (id BIGINT, day DATE)",
    ):
        before = version("sales")
        assert before is not None
        assert version("sales") == before
        for each in statement.split("; "):
            there.execute(each)
        assert version("sales") != before, statement


def test_what_is_not_committed_is_not_seen_and_what_is_committed_late_is(there, version):
    there.execute("BEGIN")
    there.execute("INSERT INTO sales VALUES (1, '2026-01-01')")
    open_ = version("sales")
    assert version("sales") == open_
    there.execute("COMMIT")
    assert version("sales") not in (open_, None)


def test_two_tables_have_two(there, version):
    there.execute("CREATE TABLE leads (id BIGINT)")
    assert version("leads") != version("sales")


@pytest.mark.parametrize(
    "statements",
    [
        ("CREATE VIEW other AS SELECT current_date AS day FROM sales",),
        ("CREATE UNLOGGED TABLE other (id BIGINT)",),
        ("CREATE TABLE other (id BIGINT)", "ALTER TABLE other ENABLE ROW LEVEL SECURITY"),
        ("CREATE TABLE other (id BIGINT) PARTITION BY LIST (id)", "CREATE UNLOGGED TABLE part PARTITION OF other DEFAULT"),
        ("SELECT 1",),
    ],
)  # fmt: skip
def test_where_it_would_be_no_proof_there_is_none(there, version, statements):
    for each in statements:
        there.execute(each)
    assert version("other") is None


def test_an_extension_that_may_keep_rows_elsewhere_leaves_no_table_with_one(there, version):
    there.execute("CREATE EXTENSION postgres_fdw")
    try:
        assert version("sales") is None
    finally:
        there.execute("DROP EXTENSION postgres_fdw")
    assert version("sales") is not None


def test_tables_of_partitions_and_materialized_views_have_one(there, version):
    there.execute("CREATE TABLE other (id BIGINT) PARTITION BY LIST (id)")
    there.execute("CREATE TABLE part PARTITION OF other DEFAULT")
    there.execute("CREATE MATERIALIZED VIEW copy AS SELECT * FROM sales")
    assert None not in (version("other"), version("copy"))


def test_a_server_that_is_not_there_says_none(tmp_path):
    source = PostgresSource(PostgresSettings(dsn="postgresql://kpi@127.0.0.1:9/none"), SourceContext("shop", tmp_path))
    assert source.version("sales") is None
