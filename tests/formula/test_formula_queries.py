"""The gate for the queries of datasets: what shapes raw data is let through, what could leak, hang or fill the memory is not."""

from __future__ import annotations

import pytest

from kpi_engine.formula.gate import Refused, read
from kpi_engine.formula.queries import GROWTH, tables

REFUSED = {
    "select * from read_csv('/etc/passwd')": ("unknown_function", "read_csv"),
    "select * from t join glob('/*') g on true": ("unknown_function", "glob"),
    "select * from t, range(10)": ("unknown_function", "range"),
    "select * from abs(1)": ("table_function", "abs"),
    "select * from t, unnest(a)": ("unknown_function", "unnest"),
    "select * from generate_series(1, 1000000000)": ("unknown_function", "generate_series"),
    "select * from query('select 1')": ("unknown_function", "query"),
    "select * from '/etc/passwd'": ("bad_table", "'/etc/passwd'"),
    "select * from main.t": ("bad_table", "main.t"),
    "select * from a.b.t": ("bad_table", "a.b.t"),
    "with recursive r as (select 1) select * from r": ("recursive_query", "r as (select 1)"),
    "select * from a, b": ("cross_join", "b"),
    "select * from a cross join b": ("cross_join", "b"),
    "select * from a natural join b": ("not_allowed", "b"),
    "select * from a positional join b": ("not_allowed", "b"),
    "select * from a join lateral (select 1) x on true": ("not_allowed", "(select 1) x"),
    "copy t to 'x'": ("not_a_query", "copy"),
    "attach 'x'": ("not_a_query", "attach"),
    "install httpfs": ("not_a_query", "install"),
    "insert into t values (1)": ("not_a_query", "insert"),
    "values (1)": ("not_a_query", "values"),
    "describe t": ("not_a_query", "describe"),
    "select 1; drop table t": ("operator", ";"),
    "select a from t where b = :p": ("parameter_in_query", ":p"),
    "select a from t where b = $1": ("operator", "$"),
    "select {{ a }} from t": ("template", "{{"),
    "select a[1] from t": ("operator", "["),
    "select a -> 'b' from t": ("operator", "->"),
    "select random() from t": ("unknown_function", "random"),
    "select now() from t": ("unknown_function", "now"),
    "select repeat(a, 1000) from t": ("unknown_function", "repeat"),
    "select getenv('X')": ("unknown_function", "getenv"),
    "select columns(*) from t": ("unknown_function", "columns"),
    "select string_agg(a, ',') from t": ("unknown_function", "string_agg"),
    "select a from t where a like '%x%y%'": ("like", "a like '%x%y%'"),
    "select a from t where a like 'x_'": ("like", "a like 'x_'"),
    "select a from t where a like b": ("like", "a like b"),
    r"select a from t where a ilike 'x\%'": ("like", r"a ilike 'x\%'"),
    "select a from t where a like 'x!%' escape '!'": ("not_allowed", "a like 'x!%' escape '!'"),
    "select a from t where a similar to 'x'": ("not_allowed", "a similar to 'x'"),
    "select a from t where a glob 'x*'": ("not_allowed", "a glob 'x*'"),
    "select replace(a, 'x', 'xy') from t": ("bad_replace", "replace(a, 'x', 'xy')"),
    "select replace(a, b, 'x') from t": ("bad_replace", "replace(a, b, 'x')"),
    "select replace(a, 'x', b) from t": ("bad_replace", "replace(a, 'x', b)"),
    "select strftime(a, b) from t": ("bad_format", "strftime(a, b)"),
    "select abs(a) filter (where b) from t": ("bad_filter", "abs(a) filter (where b)"),
    "with x as (select 1), x as (select 2) select * from x": ("duplicate_name", "x"),
    "with x as (select * from x) select * from x": ("unclear_table", "x"),
    "select * from (with x as (select 1) select * from x) y join x on y.a = x.a": ("unclear_table", "x"),
    "select * from t using sample 3": ("not_allowed", "3"),
    "select * from t for update": ("not_allowed", ""),
    "select * from t limit 3 offset 2": ("not_allowed", "2"),
    "select cast(a as json) from t": ("unknown_type", "cast(a as json)"),
    "select 1e999": ("not_finite", "1e999"),
    "select nosuch(a) from t": ("unknown_function", "nosuch"),
    "select lower(a, b) from t": ("bad_arguments", "lower(a, b)"),
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_refused(text):
    code, underlined = REFUSED[text]
    with pytest.raises(Refused) as caught:
        read(text, "query")
    (mistake,) = caught.value.mistakes
    assert mistake.code == code
    if underlined:
        assert text[mistake.offset : mistake.offset + mistake.length] == underlined


KEPT = [
    "select * from t",
    "from t",
    "from t select a where b",
    "select * exclude (a) from t",
    "select distinct a, b as c from t as u where c > 1 group by all having count(*) > 1 order by a limit 3",
    "select distinct on (a) a, b from t order by a, b",
    "with x(a) as (select 1), y as (select * from x) select * from y join x using (a)",
    "select * from (values (1, 'a'), (2, 'b')) v(n, s)",
    "select a.* from a left join b on a.k = b.k inner join c on c.k = b.k",
    "select * from a semi join b on a.k = b.k",
    "select * from a asof join b on a.t >= b.t",
    "select (select max(x) from t) as m, case when exists (select 1 from u where u.k = t.k) then 1 end from t",
    "select a from t where k in (select k from u) and k not in ('a', 'b')",
    "select a from t union all select a from u except select a from v",
    "select row_number() over w as n from t window w as (partition by a order by b desc nulls last) qualify n = 1",
    "select sum(a) over (order by b rows between 3 preceding and current row) from t",
    "select date_trunc('month', d), extract(year from d), d + interval 1 day, d at time zone 'UTC', a::int % 2 from t",
    "select a || '-' || b as k, concat(a, b) as l, md5(a) from t",
    "select a from t where a like '%x%' or a not ilike 'x%' or a like 'x'",
    "select replace(a, 'xy', 'z'), replace(a, 'x', ''), strftime(d, '%Y') from t",
    "select sum(a) filter (where b), count(distinct c), any_value(d), arg_max(e, f) from t",
    "select a from t;",
    "select '{{ a }}; -- x' as b from t -- the end",
]


@pytest.mark.parametrize("text", KEPT)
def test_what_is_let_through_reads_the_same_again(text):
    tree = read(text, "query")
    written = tree.sql("duckdb", comments=False)
    assert read(written, "query").sql("duckdb", comments=False) == written


def test_the_tables_of_a_query():
    query = read("with x as (select * from a) select * from x join b on x.k = (select max(k) from c)", "query")
    assert {table.name for table in tables(query)} == {"a", "b", "c"}


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("select a || a as x from t", 2),
        ("select concat(a, b, c) as x from t", 3),
        ("select a || a as x, x || x as y, y || y as z from t", 8),
        ("with x as (select a || a as b from t) select b || b || b as c from x", 6),
        ("select c || c as d from (select a || b as c from t) s", 4),
        ("select a from t union all select b || b from t", 2),
        ("with x as (select max(a || a) as b from t) select (select b || b from x) as c from t", 4),
    ],
)
def test_how_long_a_text_can_become(text, times):
    """As many times as long as the longest column is what the query may make, and not one more."""
    assert read(text, "query")
    repeated = GROWTH // times + 1
    longer = f"with q as ({text}) select {' || '.join(['v'] * repeated)} as w from q"
    with pytest.raises(Refused) as caught:
        read(longer, "query")
    assert [mistake.code for mistake in caught.value.mistakes] == ["text_growth"]
    shorter = f"with q as ({text}) select {' || '.join(['v'] * (GROWTH // times))} as w from q"
    assert read(shorter, "query")


def test_texts_that_are_fixed_count_by_their_length():
    assert read("select a || '" + "x" * 900 + "' as b from t", "query")
    with pytest.raises(Refused):
        read("select a || '" + "x" * 1100 + "' as b from t", "query")


@pytest.mark.parametrize("query", ["(values (1))", "(values exists exists exists)", "((values (1), (2)))"])
def test_values_alone_are_no_query(query):
    with pytest.raises(Refused) as caught:
        read(query, "query")
    assert [each.code for each in caught.value.mistakes] == ["not_a_query"]
