"""Every rule of a source fails for its own fault, and for no other's."""

from __future__ import annotations

import json
import sqlite3
import threading
from contextlib import closing
from dataclasses import replace

import pytest
from arro3.core import Array, DataType
from arro3.core import Table as Arrow
from planted_faults import failing, rules, with_more
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from kpi_engine.api import (
    Checkpoint,
    Contract,
    DataError,
    Rows,
    SourceContext,
    SourceError,
    Stream,
    Table,
    nearest,
)
from kpi_engine.builtin.sources.duckdb import DuckdbSource
from kpi_engine.builtin.sources.files import FilesSource
from kpi_engine.testing import SourceCase, SourceKit, SqlSourceKit, StreamCase, StreamSourceKit


class Settings(BaseModel):
    """Settings of the good ones."""

    model_config = ConfigDict(extra="forbid")
    path: str = Field(description="The file.")
    password: SecretStr = Field(description="The password.")


def unknown(name):
    return SourceError(f"there is no table `{name}`", code="unknown_table", hint=nearest(name, ["sales"]))


class Good:
    """Sales out of a file of JSON."""

    name = "good"
    Config = Settings

    def __init__(self, config, context):
        self.config = config
        self.file = context.root / config.path

    def tables(self):
        return [Table("sales", {"id": "BIGINT", "shop": "VARCHAR"})]

    def scan(self, scan):
        if scan.table != "sales":
            raise unknown(scan.table)
        rows = json.loads(self.file.read_text())
        return Arrow.from_pydict(
            {
                "id": Array([row[0] for row in rows], DataType.int64()),
                "shop": Array([row[1] for row in rows], DataType.string()),
            }
        )

    def version(self, table):
        return self.file.read_text()

    def contract(self, table):
        return {"id": Contract(additivity="non_additive"), "*": Contract(restated="3 days")}

    def close(self):
        pass


@pytest.fixture
def case(tmp_path, monkeypatch):
    monkeypatch.setenv("SALES_PASSWORD", "canary-in-a-coalmine")
    file = tmp_path / "sales.json"
    file.write_text('[[1, "Lyon"], [2, "Paris"]]')
    settings = {"path": "sales.json", "password": {"env": "SALES_PASSWORD"}}
    return SourceCase(
        Good, settings, "sales", tmp_path, lambda: file.write_text('[[1, "Lyon"], [2, "Paris"], [3, "Nice"]]')
    )


class LaxSettings(Settings):
    model_config = ConfigDict(extra="ignore")


class SilentSettings(Settings):
    speed: int = 1


class OpenSettings(Settings):
    api_token: str = Field("", description="The token.")


class Counting(Good):
    """Sales that count how often they were read."""

    times = 0


def other_rows(self, scan):
    self.times += 1
    rows = Good.scan(self, scan)
    return (
        rows
        if self.times == 1
        else Arrow.from_pydict({"id": Array([self.times] * 2, DataType.int64()), "shop": rows["shop"]})
    )


def wanted_only(self, scan):
    return Good.scan(self, scan).slice(0, 1) if scan.columns else Good.scan(self, scan)


def more_columns(self, scan):
    rows = Good.scan(self, scan)
    return Arrow.from_pydict({"id": rows["id"], "shop": rows["shop"], "more": rows["id"]})


def no_rows(self, scan):
    return Good.scan(self, scan).slice(0, 0)


def vague(self, scan):
    if scan.table != "sales":
        raise SourceError(f"there is no {scan.table}")
    return Good.scan(self, scan)


def close_once(self):
    if self.file is None:
        raise ValueError("closed")
    self.file = None


class OneThread(Good):
    """Sales for one thread."""

    def __init__(self, config, context):
        super().__init__(config, context)
        self.thread = threading.get_ident()

    def tables(self):
        if threading.get_ident() != self.thread:
            raise RuntimeError("another thread")
        return super().tables()


SOURCE_FAULTS = {
    "test_it_has_the_shape_of_its_kind": with_more(Good, name="Not A Word"),
    "test_it_says_what_it_is": with_more(Good, __doc__=None),
    "test_its_settings_say_what_they_are": with_more(Good, Config=SilentSettings),
    "test_settings_that_are_not_known_are_refused": with_more(Good, Config=LaxSettings),
    "test_secrets_are_secret": with_more(Good, Config=OpenSettings),
    "test_tables_are_named": with_more(Good, tables=lambda self: [*Good.tables(self), Table("sales", {"id": "BIGINT", "shop": "VARCHAR"})]),
    "test_columns_have_types": with_more(Good, tables=lambda _: [Table("sales", {"id": "KLINGON", "shop": "VARCHAR"})]),
    "test_rows_have_the_columns_that_were_announced": with_more(Good, scan=more_columns),
    "test_the_table_can_be_read": with_more(Good, scan=no_rows),
    "test_it_can_be_read_again": with_more(Counting, scan=other_rows),
    "test_columns_that_are_wanted_are_advice": with_more(Good, scan=wanted_only),
    "test_a_table_that_is_not_there_is_said": with_more(Good, scan=vague),
    "test_secrets_are_not_said": with_more(Good, __repr__=lambda self: f"<{self.config.password.get_secret_value()}>"),
    "test_it_may_be_closed_twice": with_more(Good, close=close_once),
    "test_it_may_be_asked_from_another_thread": OneThread,
    "test_its_version_changes_with_its_data": with_more(Good, version=lambda _, __: "always the same"),
    "test_its_contract_is_of_its_columns": with_more(Good, contract=lambda _, __: {"reach": Contract()}),
}  # fmt: skip


def test_a_good_source_breaks_no_rule(case):
    assert failing(SourceKit, case) == set()


def test_every_rule_of_a_source_has_a_planted_fault():
    assert sorted(SOURCE_FAULTS) == rules(SourceKit)


@pytest.mark.parametrize("rule", sorted(SOURCE_FAULTS))
def test_a_rule_fails_for_its_fault_and_no_other(case, rule):
    assert failing(SourceKit, replace(case, plugin=SOURCE_FAULTS[rule])) == {rule}


class SqlSettings(BaseModel):
    """Settings of the source over SQLite."""

    model_config = ConfigDict(extra="forbid")
    path: str = Field(description="The file.")


class Sql:
    """Sales out of a SQLite database."""

    name = "lite"
    Config = SqlSettings
    dialect = "sqlite"
    TYPES = {"id": "BIGINT", "shop": "VARCHAR"}  # noqa: RUF012

    def __init__(self, config, context):
        self.file = context.root / config.path

    def tables(self):
        return [Table("sales", self.TYPES)]

    def query(self, sql):
        try:
            return self.answered(sql)
        except sqlite3.Error as error:
            raise SourceError(f"SQLite: {error}", code="query_failed", hint="look at the statement") from None

    def answered(self, sql):
        with closing(self.connected()) as connection:
            cursor = connection.execute(sql)
            rows = cursor.fetchall()
            return Arrow.from_pydict(
                {
                    head[0]: Array([row[n] for row in rows], self.kind([row[n] for row in rows]))
                    for n, head in enumerate(cursor.description)
                }
            )

    def connected(self):
        return sqlite3.connect(f"file:{self.file}?mode=ro", uri=True)

    def kind(self, values):
        return DataType.int64() if all(isinstance(value, int) for value in values) else DataType.string()


@pytest.fixture
def lite(tmp_path):
    with closing(sqlite3.connect(tmp_path / "sales.sqlite")) as connection, connection:
        connection.executescript(
            "create table sales (id integer, shop text); insert into sales values (1, 'Lyon'), (2, 'Paris')"
        )
    return SourceCase(Sql, {"path": "sales.sqlite"}, "sales", tmp_path)


class Shared(Sql):
    """Sales over one connection that every thread writes its question into."""

    def __init__(self, config, context):
        super().__init__(config, context)
        self.barrier = threading.Event()
        self.busy = threading.Lock()

    def query(self, sql):
        if not self.busy.acquire(blocking=False):
            raise SourceError("busy", hint="wait")
        try:
            if "How many" not in sql and "FROM" not in sql:
                self.barrier.wait(0.05)
            return super().query(sql)
        finally:
            self.busy.release()


def raw(self, sql):
    return self.answered(sql)


def renamed(self, sql):
    found = Sql.query(self, sql)
    return found.rename_columns([name.lower() for name in found.column_names])


def without_types(self):
    return [Table("sales")]


def refuse_without_hint(self, sql):
    try:
        return Sql.query(self, sql)
    except SourceError as error:
        if "no_table" in sql and "no_table_has_this_name" in str(error) and "SELECT 1 " not in sql:
            error.hint = ""
        raise


def not_a_source_error(self, sql):
    try:
        return Sql.query(self, sql)
    except SourceError as error:
        if "SELECT 1 " in sql:
            raise DataError("no", hint="look") from error
        raise


SQL_FAULTS = {
    "test_its_dialect_is_known": lambda: with_more(Sql, dialect="klingon"),
    "test_it_counts_where_the_rows_are": lambda: with_more(Sql, query=renamed),
    "test_it_answers_two_threads_at_once": lambda: Shared,
    "test_it_only_reads": lambda: with_more(Sql, connected=lambda self: sqlite3.connect(self.file), query=lambda self, sql: Sql.query(self, sql) if not sql.startswith("CREATE") else Sql.query(self, "SELECT 1 AS a")),
    "test_a_query_that_cannot_be_answered_is_said": lambda: with_more(Sql, query=refuse_without_hint),
    "test_a_table_that_is_not_there_is_said": lambda: with_more(Sql, query=not_a_source_error),
}  # fmt: skip
OF_SQL = sorted(set(rules(SqlSourceKit)) - set(rules(SourceKit)) | {"test_a_table_that_is_not_there_is_said"})


def test_a_good_sql_source_breaks_no_rule(lite):
    assert failing(SqlSourceKit, lite) == set()


def test_every_rule_of_a_sql_source_has_a_planted_fault():
    assert sorted([*SQL_FAULTS, "test_every_column_has_a_type"]) == OF_SQL


@pytest.mark.parametrize("rule", sorted(SQL_FAULTS))
def test_a_rule_of_sql_fails_for_its_fault(lite, rule):
    found = failing(SqlSourceKit, replace(lite, plugin=SQL_FAULTS[rule]()))
    assert rule in found
    assert found & set(OF_SQL) == {rule} or rule == "test_its_dialect_is_known"


def test_tables_without_types_break_the_rules_that_read_by_them(lite):
    assert "test_every_column_has_a_type" in failing(
        SqlSourceKit, replace(lite, plugin=with_more(Sql, tables=without_types))
    )


class StreamSettings(BaseModel):
    """Settings of the stream source."""

    model_config = ConfigDict(extra="forbid")
    key: SecretStr = Field(description="The key of the API.")


ROWS = [(1, "a"), (2, "b"), (3, None)]


class Good2:
    """Deals of an API."""

    name = "deals"
    Config = StreamSettings

    def __init__(self, config, context):
        self.config = config

    def streams(self):
        return [Stream("deals", {"id": "BIGINT"}, key=("id",), cursor="id")]

    def rows(self, since=0):
        kept = [row for row in ROWS if row[0] > since]
        return Arrow.from_pydict(
            {
                "id": Array([r[0] for r in kept], DataType.int64()),
                "name": Array([r[1] for r in kept], DataType.string()),
            }
        )

    def read(self, wanted, state):
        for each in wanted:
            if each.stream.name != "deals":
                raise SourceError(
                    f"there is no stream `{each.stream.name}`", code="unknown_table", hint="there is `deals`"
                )
            yield Rows("deals", self.rows((state or {}).get("id", 0)))
            yield Checkpoint({"id": 3})


class Remembering(Good2):
    """Deals that remember."""

    seen = False

    def rows(self, since=0):
        found = super().rows(2 if self.seen else since)
        self.seen = True
        return found


def read_as(change):
    def read(self, wanted, state):
        yield from change(self, Good2.read(self, wanted, state), state)

    return read


def with_nonsense(self, messages, _):
    yield from messages
    yield "done"


def with_a_tuple(self, wanted, state):
    for each in Good2.read(self, wanted, None):
        yield Checkpoint((1, 2)) if isinstance(each, Checkpoint) else each


def with_new_rows(self, messages, state):
    yield from messages
    if state:
        yield Rows(
            "deals", Arrow.from_pydict({"id": Array([9], DataType.int64()), "name": Array(["z"], DataType.string())})
        )


def without_key(self, since=0):
    return Arrow.from_pydict({"name": Array(["a"], DataType.string())})


def that_cannot_stop(self, messages, _):
    try:
        yield from messages
    except GeneratorExit:
        raise ValueError("stopped") from None


def vague_stream(self, wanted, state):
    if wanted[0].stream.name != "deals":
        raise SourceError("no")
    yield from Good2.read(self, wanted, state)


STREAM_FAULTS = {
    "test_it_has_the_shape_of_its_kind": {"name": ""},
    "test_it_says_what_it_is": {"__doc__": " "},
    "test_its_settings_say_what_they_are": {"Config": type("Config", (StreamSettings,), {"__annotations__": {"a": int}, "a": 1})},
    "test_settings_that_are_not_known_are_refused": {"Config": type("Config", (StreamSettings,), {"model_config": {"extra": "allow"}})},
    "test_secrets_are_secret": {"Config": type("Config", (StreamSettings,), {"__annotations__": {"api_key": str}, "api_key": Field("", description="Key.")})},
    "test_streams_are_named": {"streams": lambda self: [*Good2.streams(self)] * 2},
    "test_columns_have_types": {"streams": lambda _: [Stream("deals", {"id": "KLINGON"}, key=("id",))]},
    "test_it_gives_messages_of_what_is_wanted": {"read": read_as(with_nonsense)},
    "test_rows_have_their_key_and_their_cursor": {"rows": without_key},
    "test_its_state_can_be_kept": {"read": with_a_tuple},
    "test_it_goes_on_from_its_state": {"read": read_as(with_new_rows)},
    "test_it_can_be_stopped_early": {"read": read_as(that_cannot_stop)},
    "test_a_stream_that_is_not_there_is_said": {"read": vague_stream},
    "test_secrets_are_not_said": {"__repr__": lambda self: self.config.key.get_secret_value()},
}  # fmt: skip


@pytest.fixture
def deals(tmp_path, monkeypatch):
    monkeypatch.setenv("DEALS_KEY", "canary-in-a-stream")
    return StreamCase(Good2, {"key": {"env": "DEALS_KEY"}}, "deals", tmp_path)


def test_a_good_stream_source_breaks_no_rule(deals):
    assert failing(StreamSourceKit, deals) == set()


def test_every_rule_of_a_stream_source_has_a_planted_fault():
    assert sorted([*STREAM_FAULTS, "test_it_remembers_nothing"]) == rules(StreamSourceKit)


@pytest.mark.parametrize("rule", sorted(STREAM_FAULTS))
def test_a_rule_of_streams_fails_for_its_fault_and_no_other(deals, rule):
    assert failing(StreamSourceKit, replace(deals, plugin=with_more(Good2, **STREAM_FAULTS[rule]))) == {rule}


def test_a_stream_source_that_remembers_is_found(deals):
    assert failing(StreamSourceKit, replace(deals, plugin=Remembering)) == {"test_it_remembers_nothing"}


class TestDuckdb(SourceKit):
    @pytest.fixture
    def case(self, tmp_path):
        import duckdb

        with duckdb.connect(str(tmp_path / "shop.duckdb")) as connection:
            connection.execute("create table sales as select 1 as id, 'Lyon' as shop")
        return SourceCase(DuckdbSource, {"path": "shop.duckdb"}, "sales", tmp_path)


class TestFiles(SourceKit):
    @pytest.fixture
    def case(self, tmp_path):
        (tmp_path / "data").mkdir()
        file = tmp_path / "data" / "sales.csv"
        file.write_text("id,shop\n1,Lyon\n2,Paris\n")
        return SourceCase(
            FilesSource,
            {"path": "data"},
            "sales",
            tmp_path,
            lambda: file.write_text("id,shop\n1,Lyon\n2,Paris\n3,Nice\n"),
        )


def test_a_kit_without_a_case_is_no_test():
    assert not SourceKit.__test__
    assert TestFiles.__test__
    assert SourceContext  # the kit makes sources as the engine does
