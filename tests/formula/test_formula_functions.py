"""Every function of the published lists computes what it says, through the engine, on the DuckDB that is installed."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from decimal import Decimal

import duckdb
import pytest
from arro3.core import Table

import kpi_engine
from kpi_engine.formula import functions
from kpi_engine.formula.gate import read
from kpi_engine.sql.lowering import lowered

ROWS = """
CREATE TABLE numbers AS SELECT * FROM (VALUES
  (1, 'a', 10.0::DOUBLE, 4, TRUE, 'Blog ', TIMESTAMPTZ '2026-03-29 00:30:00+00', DATE '2026-03-29', 1.25::DECIMAL(18,2)),
  (2, 'a', 20.0, 9, FALSE, 'shop', TIMESTAMPTZ '2026-03-29 02:30:00+00', DATE '2026-03-30', 2.50),
  (3, 'b', 40.0, NULL, NULL, NULL, NULL, NULL, NULL),
  (4, 'b', -30.0, 0, TRUE, 'blog/é', TIMESTAMPTZ '2026-03-29 01:30:00+00', DATE '2026-04-01', -0.75)
) AS t(id, grp, x, y, yes, word, moment, day, amount)
"""
"""Ten, twenty, forty and minus thirty, with unknown values in the third row."""

AGGREGATES = {
    "sum(x)": 40.0,
    "sum(y)": 13,
    "sum(amount)": Decimal("3.00"),
    "count(numbers)": 4,
    "count(*)": 4,
    "count(y)": 3,
    "count(distinct grp)": 2,
    "count_if(x > 10)": 2,
    "count_if(yes)": 2,
    "avg(x)": 10.0,
    "avg(y)": 13 / 3,
    "min(x)": -30.0,
    "max(y)": 9,
    "median(x)": 15.0,
    "median(y)": 4.0,
    "quantile_cont(x, 0.5)": 15.0,
    "quantile_cont(x, 0.9)": 34.0,
    "quantile_disc(x, 0.5)": 10.0,
    "quantile_disc(y, 1)": 9,
    "approx_quantile(y, 0.5)": 4,
    "stddev(y)": math.sqrt(sum((v - 13 / 3) ** 2 for v in (4, 9, 0)) / 2),
    "sum(x) filter (where grp = 'a')": 30.0,
    "count_if(yes) filter (where x > 0)": 1,
    "sum(x) filter (where yes is null)": 40.0,
}

SCALARS = {
    "coalesce(max(y) filter (where id = 3), 7)": 7,
    "coalesce(max(y) filter (where id = 3), max(y) filter (where id = 3), 8)": 8,
    "nullif(count(*), 4)": None,
    "nullif(count(*), 5)": 4,
    "abs(min(x))": 30.0,
    "round(avg(y))": 4.0,
    "round(avg(y), 2)": 4.33,
    "round(sum(amount) / 8, 1)": 0.4,
    "floor(avg(y))": 4,
    "ceil(avg(y))": 5,
    "sign(min(x))": -1,
    "sqrt(max(y))": 3.0,
    "sqrt(min(x))": None,
    "exp(sum(y) - 13)": 1.0,
    "exp(1000 * max(y))": None,
    "ln(exp(2))": 2.0,
    "ln(min(y))": None,
    "ln(min(x))": None,
    "log10(max(y) * 1000 / 9)": 3.0,
    "log10(min(y))": None,
    "power(max(y), 2)": 81.0,
    "power(min(x), 0.5)": None,
    "power(min(y), -1)": None,
    "power(max(x), 1000)": None,
    "least(min(x), 5)": -30.0,
    "greatest(min(x), 5, count(*))": 5.0,
    "greatest(max(y) filter (where id = 3), 5)": 5,
    "count_if(lower(word) = 'shop')": 1,
    "count_if(upper(word) = 'SHOP')": 1,
    "count_if(upper(word) = 'BLOG/É')": 1,
    "count_if(trim(word) = 'Blog')": 1,
    "sum(length(word))": 5 + 4 + 6,
    "count_if(contains(word, 'lo'))": 2,
    "count_if(contains(word, '%'))": 0,
    "count_if(starts_with(word, 'sh'))": 1,
    "count_if(ends_with(word, 'op'))": 1,
    "sum(date_diff('hour', timestamptz '2026-03-29 00:00:00+00', moment))": 0 + 2 + 1,
    "sum(date_diff('minute', timestamptz '2026-03-29 00:00:00+00', moment))": 30 + 150 + 90,
    "max(date_diff('second', timestamptz '2026-03-29 00:00:00+00', moment))": 9000,
    "cast(sum(x) as bigint)": 40,
    "cast(sum(amount) as decimal(18, 1))": Decimal("3.0"),
    "count_if(cast(x as varchar) = '10.0')": 1,
    "count_if(cast(moment as date) = date '2026-03-29')": 3,
    "count_if(cast(word as boolean))": "error",
    "if(sum(x) > 0, 1, 2)": 1,
    "if(sum(x) < 0, 1)": None,
    "sum(if(yes, x, 0))": -20.0,
    "case when sum(x) > 100 then 1 when sum(x) > 10 then 2 else 3 end": 2,
    "sum(case grp when 'a' then 1 else 2 end)": 6,
    "count(*) / 8": 0.5,
    "count(*) / 0": None,
    "count(*) / (min(y))": None,
    "1 / 3 * 3": 1.0,
    "sum(x) * 2 - -1 + 3": 84.0,
    "count_if(day between date '2026-03-29' and date '2026-03-30')": 2,
    "count_if(grp in ('a', 'z'))": 2,
    "count_if(grp not in ('a'))": 2,
    "count_if(not yes)": 1,
    "count_if(yes is not true)": 2,
    "count_if(yes is null)": 1,
    "count_if(yes is not null and x <> 10 or y = 9)": 2,
    "count_if(yes is distinct from true)": 2,
    "count_if(yes is not distinct from null)": 1,
    "count_if(moment < timestamptz '2026-03-29 01:00:00+00')": 1,
    "count(*) * :factor": 10.0,
}


def functions_of(texts):
    """Name the functions that texts call."""
    return {
        name
        for name in {f.name for f in (*functions.AGGREGATES, *functions.SCALARS)}
        if any(f"{name}(" in text for text in texts)
    }


def test_every_function_of_formulas_is_run():
    listed = {function.name for function in (*functions.AGGREGATES, *functions.SCALARS)}
    assert functions_of([*AGGREGATES, *SCALARS]) == listed - {"first", "last"}  # of inputs by units of time


@pytest.fixture(scope="module")
def connection():
    made = duckdb.connect()
    made.execute("SET TimeZone = 'UTC'")
    made.execute(ROWS)
    yield made
    made.close()


def definitions(formula, dataset=None):
    return {
        "datasets": {"numbers": dataset or {"table": "numbers"}},
        "kpis": {"k": {"inputs": ["numbers"], "formula": formula}},
        "parameters": {"factor": {"type": "number", "default": 2.5}},
    }


@pytest.mark.parametrize("formula", [*AGGREGATES, *SCALARS])
def test_a_function_of_formulas(connection, formula):
    expected = {**AGGREGATES, **SCALARS}[formula]
    with kpi_engine.open(definitions(formula), connection) as engine:
        assert [str(d) for d in engine.check()] == []
        if expected == "error":
            with pytest.raises(kpi_engine.KpiError):
                engine.run("k")
            return
        (row,) = engine.run("k").rows()
    if isinstance(expected, float):
        assert row["k"] == pytest.approx(expected, rel=1e-12)
    else:
        assert row["k"] == expected
    assert not isinstance(row["k"], float) or math.isfinite(row["k"])


def clock(*parts):
    return instant(*parts).replace(tzinfo=None)


def instant(*parts):
    return datetime(*parts, tzinfo=UTC)


QUERIES = {
    "date_trunc('month', day)": date(2026, 3, 1),
    "date_trunc('hour', moment)": instant(2026, 3, 29, 0),
    "date_diff('hour', moment, moment)": 0,
    "extract(year from day)": 2026,
    "extract(hour from moment)": 0,
    "extract(year from strptime('29/03/2026', '%d/%m/%Y'))": 2026,
    "x is distinct from abs(x)": False,
    "x is not distinct from coalesce(null, x)": True,
    "strptime('29/03/2026', '%d/%m/%Y')": clock(2026, 3, 29),
    "try_strptime('nothing', '%d/%m/%Y')": None,
    "try_strptime('29/03/2026', '%d/%m/%Y')": clock(2026, 3, 29),
    "strftime(day, '%Y-%m')": "2026-03",
    "try_cast(word as int)": None,
    "try_cast('12' as int)": 12,
    "cast('12' as int)": 12,
    "regexp_extract(word, '([a-z]+)', 1)": "log",
    "regexp_extract(word, '[A-Z]')": "B",
    "regexp_matches(word, 'l.g')": True,
    "split_part('a/b/c', '/', 2)": "b",
    "substring('abcdef', 2, 3)": "bcd",
    "substring('abcdef', 4)": "def",
    "strpos('abc', 'c')": 3,
    "left(word, 2)": "Bl",
    "right(trim(word), 2)": "og",
    "concat(grp, '-', word)": "a-Blog ",
    "grp || '/' || trim(word)": "a/Blog",
    "replace(word, 'og', 'a')": "Bla ",
    "md5('a')": "0cc175b9c0f1b6a831c399e269772661",
    "to_timestamp(86400)": instant(1970, 1, 2),
    "make_timestamptz(1000000)": instant(1970, 1, 1, 0, 0, 1),
    "7 % 4": 3,
    "x / 0": None,
    "1 / 2": 0.5,
    "ln(0)": None,
    "sqrt(-1)": None,
    "log10(1000)": 3.0,
    "round(1.25, 1)": Decimal("1.3"),
    "word like 'Bl%'": True,
    "word ilike '%LOG%'": True,
    "moment + interval 1 day": instant(2026, 3, 30, 0, 30),
    "day - interval '1' day": clock(2026, 3, 28),
    "moment at time zone 'Europe/Paris'": clock(2026, 3, 29, 1, 30),
    "row_number() over (order by x)": 2,
    "rank() over (order by grp)": 1,
    "dense_rank() over (order by grp desc)": 2,
    "lag(x) over (order by id)": None,
    "lead(x) over (order by id)": 20.0,
    "lead(x, 2) over (order by id)": 40.0,
    "first_value(x) over (order by id desc)": -30.0,
    "last_value(x) over (order by id rows between unbounded preceding and unbounded following)": -30.0,
    "sum(x) over (partition by grp)": 30.0,
    "(select max(x) from numbers)": 40.0,
    "any_value(word) over ()": "Blog ",
    "case when yes then 'y' else 'n' end": "y",
    "coalesce(null, word)": "Blog ",
}

LISTS = {
    "lookup(params, 'key', 'id', 'value.whole')": 7,
    "lookup(params, 'key', 'page', 'value.text')": "/blog",
    "lookup(params, 'key', 'page', 'value.whole')": None,
    "lookup(params, 'key', 'twice', 'value.whole')": 1,
    "lookup(params, 'key', 'it''s', 'value.whole')": None,
    "lookup(none, 'key', 'id', 'value.whole')": None,
    "lookup(empty, 'key', 'id', 'value.whole')": None,
}
RECORDS = """
    create or replace table lists as select
      [{'key': 'twice', 'value': {'text': null, 'whole': 1}}, {'key': 'id', 'value': {'text': null, 'whole': 7}},
       {'key': 'page', 'value': {'text': '/blog', 'whole': null}}, {'key': 'twice', 'value': {'text': null, 'whole': 2}}] as params,
      params[1:0] as empty, case when false then params end as none
"""

GROUPED = {
    "any_value(grp)": "a",
    "arg_max(word, x)": "shop",
    "arg_min(id, x)": 1,
    "bool_or(yes)": True,
    "bool_and(yes)": False,
    "count(distinct grp)": 1,
    "count_if(yes)": 1,
    "sum(x) filter (where yes)": 10.0,
    "median(x)": 15.0,
    "quantile_cont(x, 0.5)": 15.0,
    "quantile_disc(x, 0.5)": 10.0,
    "stddev(x)": math.sqrt(50),
}


def test_every_function_of_queries_is_run():
    texts = [*QUERIES, *LISTS, *GROUPED]
    assert {f.name for f in functions.DATASET_FUNCTIONS if not any(f"{f.name}(" in text for text in texts)} == set()


@pytest.mark.parametrize("call", LISTS)
def test_a_value_is_found_in_a_list_of_records(connection, call):
    connection.execute(RECORDS)
    assert value(connection, f"select {call} as v from lists") == LISTS[call]


def value(connection, query):
    """Read a dataset's query, make division and functions safe as the engine does, and give the value of its first row."""
    tree = lowered(read(query, "query").copy())
    return Table.from_arrow(connection.cursor().sql(tree.sql("duckdb", comments=False)))["v"].to_pylist()[0]


@pytest.mark.parametrize("expression", QUERIES)
def test_a_function_of_queries(connection, expression):
    found = value(connection, f"select {expression} as v from numbers order by id limit 1")
    expected = QUERIES[expression]
    if isinstance(found, datetime) and isinstance(expected, date) and not isinstance(expected, datetime):
        found = found.date()
    assert found == (pytest.approx(expected) if isinstance(expected, float) else expected)


@pytest.mark.parametrize("expression", GROUPED)
def test_an_aggregate_of_queries(connection, expression):
    found = value(connection, f"select {expression} as v from numbers group by grp order by grp limit 1")
    expected = GROUPED[expression]
    assert found == (pytest.approx(expected) if isinstance(expected, float) else expected)
