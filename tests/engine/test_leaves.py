"""Queries run where their data live: every plan gives the same answer cut at every border of sources and cut nowhere."""

from __future__ import annotations

import sys
from random import Random
from threading import Barrier, BrokenBarrierError

import duckdb
import pytest
from number_projects import connected, table
from oracle_cases import made
from oracle_checking import WrongError, check
from oracle_texts import arguments, create, definitions
from scattered import in_duckdb, scattered, tables_of

import kpi_engine

VISITS = (
    'id INT, "at" TIMESTAMP, channel VARCHAR, page_id INT, seconds INT, amount DECIMAL(10,2), currency VARCHAR, note VARCHAR',
    ", ".join(
        f"({n}, TIMESTAMP '2026-0{1 + n % 3}-1{n % 9} 10:00:00', '{'ab'[n % 2]}', {n % 5}, {n % 60}, {n}.25, 'EUR', 'long {n}')"
        for n in range(300)
    ),
)
PAGES = ("page_id INT, section VARCHAR, words INT", ", ".join(f"({n}, '{'xyz'[n % 3]}', {n * 100})" for n in range(4)))
SPEND = ("day DATE, channel VARCHAR, cost DECIMAL(10,2)", "('2026-01-03', 'a', 10.10), ('2026-02-03', 'b', 20.20)")
TABLES = {"visits": VISITS, "pages": PAGES, "spend": SPEND}
DEFINITIONS = {
    "calendar": {"timezone": "Europe/Paris"},
    "datasets": {
        "visits": {
            "key": "id",
            "time": "at",
            "columns": {"amount": {"currency": "currency"}},
            "dimensions": {"channel": None, "section": "page.section", "page_id": None},
            "joins": {"page": {"to": "pages", "keys": "page_id"}},
        },
        "pages": {"key": "page_id", "dimensions": {"section": None}},
        "spend": {"time": "day", "dimensions": {"channel": None}},
    },
    "kpis": {
        "hits": {"inputs": ["visits"], "formula": "count(visits)"},
        "visitors": {"inputs": ["visits"], "formula": "count(distinct page_id)"},
        "long": {"inputs": {"v": {"from": "visits", "where": "seconds > 30"}}, "formula": "sum(v.seconds)"},
        "revenue": {"inputs": ["visits"], "formula": "sum(amount)"},
        "cost_per_visit": {"inputs": ["spend", "visits"], "formula": "sum(spend.cost) / count(visits)"},
        "best_day": {
            "inputs": {"d": {"from": "hits", "per": "day"}},
            "formula": "max(d)",
        },
    },
}
ONE = {"all": (in_duckdb, ("visits", "pages", "spend"))}
TWO = {"web": (in_duckdb, ("visits", "pages")), "money": (in_duckdb, ("spend",))}
THREE = {"web": (in_duckdb, ("visits",)), "cms": (in_duckdb, ("pages",)), "money": (in_duckdb, ("spend",))}


def here(connection, tables, folder):
    """Copy tables into a database that DuckDB attaches, so that no other engine computes them."""
    return {**in_duckdb(connection, tables, folder), "plugin": "duckdb"}


BESIDE = {"web": (in_duckdb, ("visits", "pages")), "money": (here, ("spend",))}
AROUND = {"web": (here, ("visits",)), "cms": (in_duckdb, ("pages",)), "money": (in_duckdb, ("spend",))}
QUESTIONS = (
    {"kpis": ["hits", "long", "revenue"], "by": "channel", "grain": "month", "period": "2026-Q1"},
    {"kpis": ["hits", "visitors"], "by": "section", "period": "2026-02", "compare": "previous_period"},
    {"kpis": "cost_per_visit", "by": "channel", "grain": "month", "period": "2026-Q1"},
    {"kpis": "best_day", "by": "section", "grain": "month", "period": "2026-Q1"},
    {
        "kpis": "hits",
        "by": ["section", "channel"],
        "grain": "month",
        "having": {"hits": {">": 20}},
        "order": "-hits",
    },
    {
        "kpis": ["hits", "visitors", "best_day"],
        "by": "section",
        "period": "2026-Q1",
        "top": {"first": 1, "others": True},
        "rank": "hits",
        "share": "visitors",
    },
    {
        "kpis": "cost_per_visit",
        "by": "channel",
        "grain": "month",
        "period": "2026-Q1",
        "top": {"first": 1, "by": "hits"},
    },
    {
        "kpis": ["hits", "best_day"],
        "by": "channel",
        "period": "2026-02",
        "as_of": "2026-02-14",
        "compare": "previous_period",
        "like_for_like": True,
    },
    {
        "kpis": "cost_per_visit",
        "by": "channel",
        "grain": "month",
        "where": {"channel": {"among": {"having": {"long": {">": 0}}}}},
    },
)


@pytest.fixture
def opened(tmp_path):
    """Open the project with its tables in some sources, beside the one over a single DuckDB."""
    engines = []

    def made(places, tables=TABLES, changes=None):
        connection = connected(tables)
        said = {**DEFINITIONS, **(changes or {})}
        engines.append(scattered(connection, said, places, tmp_path))
        engines.append(kpi_engine.open(said, connection))
        return engines[-2], engines[-1]

    yield made
    for each in engines:
        each.close()


def asked(engine):
    """Give what the sources were asked for: each time the source, the statement, the rows that travelled, the thread."""
    return sys.modules[engine.plugins.source("elsewhere").__module__].asked


@pytest.mark.parametrize("places", [ONE, TWO, THREE, BESIDE, AROUND], ids=["one", "two", "three", "beside", "around"])
def test_tables_in_other_engines_give_the_answers_of_one_duckdb(opened, places):
    engine, whole = opened(places)
    assert [each.code for each in engine.check(live=True)] == [each.code for each in whole.check(live=True)]
    for question in QUESTIONS:
        got, wanted = engine.run(**question), whole.run(**question)
        assert table(got) == table(wanted)
        assert [type(value) for row in table(got) for value in row] == [type(v) for row in table(wanted) for v in row]
        assert got.totals() == wanted.totals()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("sources", [1, 2, 6])
def test_random_projects_scattered_over_sources_answer_as_the_oracle_does(seed, sources, tmp_path):
    model, questions = made(Random(7000 + seed), 2)  # noqa: S311 - the same case again
    connection = duckdb.connect()
    create(connection, model)
    names = tables_of(connection)
    places = {f"s{n}": (in_duckdb, names[n::sources]) for n in range(sources)}
    with scattered(connection, definitions(model), places, tmp_path) as engine:
        for question in questions:
            try:
                check(engine, model, question)
            except WrongError as wrong:
                raise WrongError(f"{arguments(question)}: {wrong}") from None


@pytest.mark.parametrize("seed", range(8))
def test_random_projects_partly_here_answer_as_the_oracle_does(seed, tmp_path):
    model, questions = made(Random(7100 + seed), 3)  # noqa: S311 - the same case again
    connection = duckdb.connect()
    create(connection, model)
    names = tables_of(connection)
    places = {"there": (in_duckdb, names[::2]), "here": (here, names[1::2])}
    with scattered(connection, definitions(model), {k: v for k, v in places.items() if v[1]}, tmp_path) as engine:
        for question in questions:
            try:
                check(engine, model, question)
            except WrongError as wrong:
                raise WrongError(f"{arguments(question)}: {wrong}") from None


def test_what_is_here_is_summarised_while_other_engines_compute(opened):
    engine, _ = opened(BESIDE)
    said = engine.explain("cost_per_visit", by="channel", period="2026-Q1")
    assert "aggregates travel" in said
    assert "SQL (DuckDB, as `__leaf1`: at the same time)" in said


def test_only_aggregates_travel(opened):
    engine, _ = opened(TWO)
    engine.run("hits", by="section", grain="month", period="2026-Q1")
    rows = [count for _, sql, count, _ in asked(engine) if "GROUP BY" in sql]
    assert max(rows) <= 3 * 4
    assert "aggregates travel" in engine.explain("hits", by="section", grain="month", period="2026-Q1")


def test_a_join_across_sources_brings_the_columns_and_rows_that_it_needs(opened):
    engine, _ = opened(THREE)
    engine.run("long", by="section", period="2026-02")
    said = engine.explain("long", by="section", period="2026-02")
    assert "because their data live in several places" in said or "because its data live in several places" in said
    statements = [sql for _, sql, _, _ in asked(engine) if '"seconds"' in sql]
    assert statements
    assert all("note" not in sql and "amount" not in sql for sql in statements)
    crossed = [count for _, sql, count, _ in asked(engine) if '"seconds"' in sql and "COUNT" not in sql]
    kept = sum(1 for n in range(300) if n % 3 == 1 and n % 60 > 30)
    assert crossed[0] == kept
    assert f"{kept} rows of `visits` travel" in said


def test_sources_answer_at_the_same_time(opened):
    engine, whole = opened(TWO)
    engine.run("cost_per_visit", period="2026-Q1")
    met = Barrier(2)
    for source in {id(each): each for each, *_ in asked(engine)}.values():
        plain = source.query

        def waiting(sql, plain=plain):
            if "__rows" not in sql:
                met.wait(20)
            return plain(sql)

        source.query = waiting
    try:
        got = engine.run("cost_per_visit", period="2026-Q1")
    except BrokenBarrierError:
        pytest.fail("one source was asked after the other had answered")
    assert table(got) == table(whole.run("cost_per_visit", period="2026-Q1"))


@pytest.mark.parametrize("places", [TWO, THREE], ids=["two", "three"])
def test_a_key_that_is_not_unique_there_is_an_error(opened, places):
    pages = (PAGES[0], PAGES[1] + ", (1, 'again', 1)")
    engine, _ = opened(places, {**TABLES, "pages": pages})
    with pytest.raises(kpi_engine.KpiError) as caught:
        engine.run("hits", by="section", period="2026-Q1")
    assert caught.value.code == "key_not_unique"
    assert "key_not_unique" in [each.code for each in engine.check(live=True)]


def test_amounts_of_several_currencies_are_not_added_there_either(opened):
    visits = (VISITS[0], VISITS[1] + ", (999, TIMESTAMP '2026-01-01 10:00:00', 'a', 1, 1, 1.00, 'USD', '')")
    engine, _ = opened(TWO, {**TABLES, "visits": visits})
    with pytest.raises(kpi_engine.KpiError) as caught:
        engine.run("revenue", period="2026-Q1")
    assert caught.value.code == "mixed_currencies"


def test_a_source_that_fails_is_named_and_the_others_are_stopped(opened):
    engine, _ = opened(TWO)
    engine.run("cost_per_visit", period="2026-Q1")
    source = next(each for each, sql, *_ in asked(engine) if '"cost"' in sql)

    def broken(_):
        raise RuntimeError("gone")

    source.query = broken
    with pytest.raises(kpi_engine.KpiError, match=r"elsewhere.*gone"):
        engine.run("cost_per_visit", period="2026-Q1")


def test_a_request_that_takes_too_long_there_is_stopped(opened):
    engine, _ = opened(TWO)
    engine.run("hits", period="2026-Q1")
    source = next(each for each, *_ in asked(engine))
    plain = source.query
    source.query = lambda _: plain("SELECT sum(a.range * b.range) FROM range(10000000) AS a, range(10000000) AS b")
    with pytest.raises(kpi_engine.TimeoutExceeded):
        engine.run("hits", period="2026-Q1", timeout=0.2)


def test_files_and_another_engine_meet_in_one_request(tmp_path):
    connection = connected(TABLES)
    (tmp_path / "data").mkdir()
    connection.execute(f"COPY spend TO '{tmp_path}/data/spend.csv' (HEADER)")
    places = {
        "web": (in_duckdb, ("visits", "pages")),
        "money": (lambda *_: {"plugin": "files", "path": "data"}, ("spend",)),
    }
    with (
        scattered(connection, DEFINITIONS, places, tmp_path) as engine,
        kpi_engine.open(DEFINITIONS, connection) as whole,
    ):
        question = {"kpis": "cost_per_visit", "by": "channel", "grain": "month", "period": "2026-Q1"}
        assert [row["cost_per_visit"] for row in engine.run(**question).rows()] == pytest.approx(
            [row["cost_per_visit"] for row in whole.run(**question).rows()], nan_ok=True
        )


def test_the_query_of_a_dataset_runs_there_in_the_same_dialect_and_here_otherwise(opened):
    datasets = {
        **DEFINITIONS["datasets"],
        "sections": {
            "sql": "select v.at, p.section from visits v join pages p on p.page_id = v.page_id",
            "time": "at",
            "dimensions": {"section": None},
        },
    }
    kpis = {**DEFINITIONS["kpis"], "in_sections": {"inputs": ["sections"], "formula": "count(sections)"}}
    engine, whole = opened(ONE, changes={"datasets": datasets, "kpis": kpis})
    question = {"kpis": "in_sections", "by": "section", "period": "2026-Q1"}
    assert table(engine.run(**question)) == table(whole.run(**question))
    assert "aggregates travel" in engine.explain(**question)


def test_what_is_computed_elsewhere_is_not_kept_as_a_recipe(opened):
    engine, _ = opened(TWO)
    assert engine.recipe("hits", period="2026-02", as_of="2026-03-01") is None


def test_a_table_that_is_not_there_is_said_by_a_check_of_the_whole_project(tmp_path):
    connection = connected(TABLES)
    datasets = {**DEFINITIONS["datasets"], "gone": {"time": "day"}}
    kpis = {"of_nothing": {"inputs": ["gone"], "formula": "sum(amount)"}, "hits": DEFINITIONS["kpis"]["hits"]}
    with scattered(connection, {"datasets": datasets, "kpis": kpis}, ONE, tmp_path) as engine:
        assert [(each.code, each.subject) for each in engine.check()] == [("unknown_table", "dataset gone")]
