"""Rows fetched as values are those that come as Arrow, and become the same Arrow."""

from datetime import date
from decimal import Decimal

import duckdb
import pytest
from arro3.core import DataType, Table

import kpi_engine
from kpi_engine.errors import DataError
from kpi_engine.execution.answers import answered
from kpi_engine.execution.fetching import Sizes, as_arrow, fetching
from kpi_engine.results import Answered

PLAIN = {
    "BOOLEAN": "true", "TINYINT": "-7::TINYINT", "SMALLINT": "-700::SMALLINT", "INTEGER": "70000::INTEGER", "BIGINT": "7000000000::BIGINT",
    "HUGEINT": "(-99999999999999999999999999999999999999)::HUGEINT", "UTINYINT": "255::UTINYINT", "USMALLINT": "65535::USMALLINT",
    "UINTEGER": "4294967295::UINTEGER", "UBIGINT": "18446744073709551615::UBIGINT", "FLOAT": "1.1::FLOAT", "DOUBLE": "0.1::DOUBLE",
    "DECIMAL(10,2)": "1.50::DECIMAL(10,2)", "DECIMAL(38,8)": "(-123456789012345678901234567890.12345678)::DECIMAL(38,8)",
    "DECIMAL(18,0)": "150::DECIMAL(18,0)", "VARCHAR": "'é'",
}  # fmt: skip
DATED = {"DATE": "DATE '2026-01-31'", "TIMESTAMP": "TIMESTAMP '2026-01-31 23:59:59.123456'"}


@pytest.fixture
def cursor():
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'Europe/Paris'")
        yield connection


def statement(expression):
    return f"SELECT {expression} AS x, 1 AS n UNION ALL SELECT NULL, 2 ORDER BY n"


@pytest.mark.parametrize("kind", [*PLAIN, *DATED])
def test_values_and_types_are_those_that_come_as_arrow(cursor, kind):
    query = statement({**PLAIN, **DATED}[kind])
    by_arrow, _ = answered(*as_arrow(cursor, query), ["x"])
    at_once, _ = answered(*fetching(["x"])(cursor, query), ["x"])
    assert isinstance(at_once.columns, dict)
    assert at_once.types == by_arrow.types == {"x": kind, "n": "INTEGER"}
    assert repr(at_once.lists()) == repr(by_arrow.lists())
    assert len(at_once) == len(by_arrow) == 2
    assert at_once.table.schema.equals(by_arrow.table.schema)
    assert at_once.table["x"].to_pylist() == by_arrow.table["x"].to_pylist()


@pytest.mark.parametrize(
    "expression",
    [
        "DATE 'infinity'",
        "TIMESTAMPTZ '2026-01-01 10:00:00+00'",
        "TIME '10:00:00'",
        "'a'::ENUM('a')",
        "{'a': 1}",
        "[1, 2]",
    ],
)
def test_rows_of_other_types_come_as_arrow(cursor, expression):
    columns, types = fetching(["n"])(cursor, statement(expression))
    assert isinstance(columns, Table)
    assert types == as_arrow(cursor, statement(expression))[1]
    assert columns["x"].to_pylist() == as_arrow(cursor, statement(expression))[0]["x"].to_pylist()


def test_no_rows_are_no_rows(cursor):
    found, _ = answered(*fetching([])(cursor, "SELECT 1 AS x WHERE false"), ["x"])
    assert (found.lists(), len(found), found.table.num_rows) == ({"x": []}, 0, 0)


def test_a_number_that_arrow_has_no_room_for_is_exact_as_a_value_and_refused_as_arrow(cursor):
    longest = 170141183460469231731687303715884105727
    found, _ = answered(*fetching([])(cursor, f"SELECT {longest}::HUGEINT AS x"), ["x"])
    assert found.lists() == {"x": [longest]}
    with pytest.raises(DataError, match="more than 38 digits") as refused:
        _ = found.table
    assert refused.value.code == "overflow"


DEFINITIONS = {
    "datasets": {"visits": {"time": "seen", "dimensions": ["channel"]}},
    "kpis": {
        "total": {"inputs": ["visits"], "formula": "sum(amount)"},
    },
}
ROWS = """CREATE TABLE visits AS SELECT * FROM (VALUES (TIMESTAMP '2026-01-02', 'a', 1.25::DECIMAL(10,2)),
  (TIMESTAMP '2026-02-03 04:05', 'b', 2.50)) AS t(seen, channel, amount)"""


@pytest.fixture
def engine(cursor):
    cursor.execute(ROWS)
    with kpi_engine.open(DEFINITIONS, cursor) as engine:
        yield engine


def test_an_answer_by_month_is_the_same_as_rows_and_as_arrow(engine):
    result = engine.run("total", grain="month", period="2026-01..2026-03")
    rows = [
        {"period": date(2026, 1, 1), "total": Decimal("1.25")},
        {"period": date(2026, 2, 1), "total": Decimal("2.50")},
        {"period": date(2026, 3, 1), "total": 0},
    ]
    assert result.rows() == rows
    arrow = Table.from_arrow(result)
    assert {name: arrow[name].to_pylist() for name in arrow.column_names} == {
        name: [row[name] for row in rows] for name in ("period", "total")
    }
    assert arrow.schema.field("period").type == DataType.date32()
    assert len(result) == 3


def test_arrow_can_be_had_once_the_engine_is_closed(engine):
    result = engine.run("total")
    engine.close()
    assert Table.from_arrow(result)["total"].to_pylist() == [Decimal("3.75")]


def answer(rows, kind="VARCHAR"):
    return Answered({"channel": ["x"] * rows}, {"channel": kind})


def test_of_a_split_it_is_known_how_small_it_is_once_it_was_asked_for():
    sizes, split = Sizes(), (("visits",), ("channel",))
    assert not sizes.are_small(split, 1)
    sizes.note(split, 12, answer(24), ())
    assert sizes.are_small(split, 12)
    assert sizes.are_small(split, 5_000)
    assert not sizes.are_small(split, 5_001)
    assert not sizes.are_small((("leads",), ("channel",)), 1)
    sizes.note(split, 1, answer(9), ())
    sizes.note(split, 1, answer(3), ())
    assert not sizes.are_small(split, 1_200)


def test_a_split_by_what_is_not_plain_is_never_small():
    sizes = Sizes()
    sizes.note(("day",), 1, answer(1, "DATE"), ("period",))
    sizes.note(("day",), 1, answer(1), ())
    assert not sizes.are_small(("day",), 1)


@pytest.mark.parametrize("by", [["channel"], ["kind"], ["seen"], ["channel", "kind"]])
@pytest.mark.parametrize("grain", [None, "month"])
def test_an_answer_is_the_same_when_it_is_asked_for_again(cursor, by, grain):
    cursor.execute(ROWS)
    cursor.execute("ALTER TABLE visits ADD COLUMN kind ENUM('old', 'new')")
    cursor.execute("UPDATE visits SET kind = CASE WHEN amount > 2 THEN 'new' END")
    definitions = {**DEFINITIONS, "datasets": {"visits": {"time": "seen", "dimensions": ["channel", "kind", "seen"]}}}
    asked = {"by": by, "grain": grain, "period": "2026-01..2026-03"}
    with kpi_engine.open(definitions, cursor) as engine:
        first, *others = (engine.run("total", **asked) for _ in range(3))
    for each in others:
        assert each.rows() == first.rows()
        assert len(each) == len(first) > 1
        arrow, before = Table.from_arrow(each), Table.from_arrow(first)
        assert arrow.schema.equals(before.schema)
        assert [arrow[n].to_pylist() for n in each.keys] == [before[n].to_pylist() for n in first.keys]
