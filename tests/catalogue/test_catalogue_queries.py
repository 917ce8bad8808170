"""The query of a dataset: its tables must be there, and what it may not do is refused with its place."""

from __future__ import annotations

import duckdb
import pytest
from marked import PROJECT, write_project

import kpi_engine

QUERIES = {
    "an unknown table": ("select * from ⟨unknown_table:laeds⟩", "no dataset `laeds`, and no table of that name in the source `web`", "`leads`"),
    "an unknown table in a join": ("select l.* from leads l join ⟨unknown_table:sesions⟩ s on s.id = l.session_id", "`sesions`", "`sessions`"),
    "an unknown table in a query inside": ("select * from leads where lead_id in (select id from ⟨unknown_table:sesions⟩)", "`sesions`", "`sessions`"),
    "an unknown table in a with": ("with x as (select * from ⟨unknown_table:laeds⟩) select * from x", "`laeds`", "`leads`"),
    "a name that its with does not reach": (
        "select * from (with x as (select 1 as a) select * from x) y join ⟨unclear_table:x⟩ on x.a = y.a", "`x`", "another name",
    ),
    "a table hidden by its own with": ("with leads as (select * from ⟨unclear_table:leads⟩) select * from leads", "`leads`", "another name"),
    "a name made twice": (
        "with x as (select * from leads), ⟨duplicate_name:x⟩ as (select * from sessions) select * from x", "twice", "another name",
    ),
    "a function as a table": ("select * from ⟨unknown_function:read_csv⟩('/etc/passwd')", "`read_csv`", "source"),
    "a list of numbers as a table": ("select * from ⟨unknown_function:range⟩(1000000000)", "`range`", "source"),
    "a quoted path as a table": ("select * from ⟨bad_table:'/etc/passwd'⟩", "is a text", "source"),
    "a path in double quotes": ('select * from ⟨outside_source:"/etc/passwd"⟩', "outside", "own folder"),
    "a path that climbs": ('select * from ⟨outside_source:"../kpi.yaml"⟩', "outside", "own folder"),
    "another schema": ("select * from ⟨bad_table:information_schema.tables⟩", "schema", "source"),
    "a query without end": (
        "with recursive ⟨recursive_query:r as (select 1 as n union all select n + 1 from r)⟩ select * from r", "recursive", "never end",
    ),
    "every row with every row": ("select * from leads, ⟨cross_join:sessions⟩", "every row", "on a.id = b.id"),
    "a parameter": ("select * from leads where amount > ⟨parameter_in_query::factor⟩", "`:factor`", "`where` of the input"),
    "a template": ("select ⟨template:{{⟩ column }} from leads", "template", ":name"),
    "two statements": ("select 1⟨operator:;⟩ drop table leads", "`;`", "nothing after it"),
    "another statement": ("⟨not_a_query:copy⟩ leads to 'x.csv'", "one `select`", "begin with"),
    "an attachment": ("⟨not_a_query:attach⟩ 'x.db'", "one `select`", "begin with"),
    "an unknown function": ("select ⟨unknown_function:conct⟩(channel, note) as x from leads", "`conct`", "`concat`"),
    "a function that grows": ("select ⟨unknown_function:repeat⟩(note, 1000000) as x from leads", "`repeat`", ""),
    "a replacement that grows": ("select ⟨bad_replace:replace(note, 'x', 'xx')⟩ as x from leads", "no longer", "split_part"),
    "a pattern of many parts": ("select * from leads where ⟨like:note like '%a%b%'⟩", "at most two", "regexp_matches"),
    "a pattern from the data": ("select * from leads where ⟨like:note ilike channel⟩", "fixed pattern", "regexp_matches"),
    "texts that double and double": (
        (
            "with a as (select note || note || note || note || note as x from leads),"
            " b as (select x || x || x || x || x as x from a), c as (select ⟨text_growth:x || x || x as x⟩ from b) select * from c"
        ),
        "64 times", "fewer",
    ),
    "a sample": ("select * from leads using sample ⟨not_allowed:3⟩", "sample", ""),
    "an unparsable query": ("select note frm ⟨syntax:leads⟩", "`leads` cannot stand here", "before it"),
}  # fmt: skip


@pytest.mark.parametrize("case", QUERIES)
def test_a_mistake_in_a_query(check, case):
    query, message, hint = QUERIES[case]
    found = check(f"datasets:\n  own:\n    sql: |\n      {query}\n")
    assert message in found[0].message
    assert hint in found[0].hint


GOOD = {
    "all columns": "select * from leads",
    "all but one": "select * exclude (note) from leads",
    "another dataset": "select account_id from followers",
    "its own name is a table": "select * from own_table",
    "a file by its name": 'select * from "leads.csv"',
    "a query by name": "with x as (select * from leads) select * from x",
    "queries by name, one over the other": "with x as (select * from leads), y as (select * from x) select y.* from y join x on x.lead_id = y.lead_id",
    "queries inside": "select (select max(amount) from leads) as m, * from leads where exists (select 1 from sessions where id = session_id)",
    "windows": "select *, row_number() over (partition by channel order by created_at) as n from leads qualify n = 1",
    "groups": "select channel, sum(amount) filter (where amount > 5) as a from leads group by channel having count(*) > 0 order by a limit 5",
    "unions": "select channel from leads union all select channel from page_views",
    "a short pattern": "select * from leads where note like '%x%' or note ilike 'x%'",
    "a trailing semicolon": "select * from leads;",
    "a comment": "select * from leads -- all of them",
    "keys of several columns": "select md5(concat(channel, '-', note)) as k, channel || '/' || note as j from leads",
}


@pytest.mark.parametrize("case", GOOD)
def test_what_a_query_may_be(check, case, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "own_table.csv").write_text("a\n1\n")
    check(f"datasets:\n  own_table: {{sql: select * from own_table}}\n  own:\n    sql: |\n      {GOOD[case]}\nkpis:\n"
          "  rows: {inputs: [own], formula: count(own)}\n")  # fmt: skip
    with kpi_engine.open(tmp_path) as engine:
        assert engine.run("rows").rows()[0]["rows"] >= 1


def test_the_tables_of_a_connection():
    connection = duckdb.connect()
    connection.execute("CREATE TABLE orders AS SELECT 1 AS id")
    definitions = {
        "datasets": {"own": {"sql": "select * from ordrs"}},
        "kpis": {"n": {"inputs": ["own"], "formula": "count(own)"}},
    }
    with kpi_engine.open(definitions, connection) as engine:
        (found,) = engine.check()
        assert (found.code, found.hint) == ("unknown_table", "did you mean `orders`?")
        with pytest.raises(kpi_engine.KpiError, match="ordrs"):
            engine.run("n")
    connection.close()


def test_a_query_cannot_leave_its_source(tmp_path):
    """Nothing that is no table of the source is read, also when nobody checks before running."""
    (tmp_path / "secret.csv").write_text("a\n1\n")
    queries = [
        'select * from "../secret.csv"',
        f'select * from "{tmp_path}/secret.csv"',
        'select * from "./../secret"',
        "select * from duckdb_settings",
    ]
    for number, query in enumerate(queries):
        folder = tmp_path / str(number)
        folder.mkdir()
        write_project(folder, {"kpi.yaml": PROJECT, "definitions/own.yaml": f"datasets:\n  own:\n    sql: |\n      {query}\nkpis:\n"
                                                                           "  rows: {inputs: [own], formula: count(own)}\n"})  # fmt: skip
        with kpi_engine.open(folder) as engine, pytest.raises(kpi_engine.KpiError):
            engine.run("rows")
