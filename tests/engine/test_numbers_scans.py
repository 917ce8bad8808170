"""One scan for each dataset and time, whatever the number of KPIs: looked up in the engine's own account of the statement."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import pytest
import sqlglot
from number_projects import LATE, opened

import kpi_engine
from kpi_engine.planning import leaf_reads, read_request
from kpi_engine.sql.joins import reached
from kpi_engine.sql.reading import expressions

PROJECT = {"project": "fixture", "calendar": {"timezone": "Europe/Paris"}, "definitions": ["marketing"]}
ROLES = (
    "content_creator",
    "social_media_manager",
    "pr_manager",
    "demand_manager",
    "web_marketing_manager",
    "seo_manager",
)


def planned(engine, kpis, **request):
    return engine._prepared.runner.planned(replace(read_request(kpis, engine.calendar, **request), partial_split=True))


def scans(engine, made, statement=""):
    """Count how often each table is scanned, by DuckDB's explanation of the plan's statement, or of another."""
    with engine._database.cursor(made.registered) as cursor:
        (_, text), *_ = cursor.execute(f"EXPLAIN (FORMAT JSON) {statement or made.statement}").fetchall()
    found = Counter()

    def walk(node):
        table = node.get("extra_info", {}).get("Table")
        if "SCAN" in node["name"] and table:
            found[table.split(".")[-1].strip('"')] += 1
        for child in node.get("children", []):
            walk(child)

    for node in json.loads(text):
        walk(node)
    return found


def tables(engine, dataset):
    """Name the tables that a dataset is made of, each as often as its query names it."""
    model = engine.catalogue.project.datasets[dataset]
    if model.transform:
        return []
    if not model.sql:
        return [model.table or dataset]
    named = [table.name for table in sqlglot.parse_one(model.sql, read="duckdb").find_all(sqlglot.exp.Table)]
    return [
        table
        for name in named
        for table in (tables(engine, name) if name in engine.catalogue.project.datasets and name != dataset else [name])
    ]


def summaries(plan):
    for summary in plan.align.summaries:
        yield summary
        if summary.read.below is not None:
            yield from summaries(summary.read.below)


def allowed(engine, made):
    """Count the scans that each table may have: one per dataset and time, and one per summary that joins it."""
    names = engine.catalogue.names
    found = Counter()
    for summary in summaries(made.plan):
        joined = (
            [
                names.owner(summary.read.dataset, hops)
                for hops in reached(summary.read.dataset, expressions(summary), names)
            ]
            if summary.read.below is None
            else []
        )
        for dataset in (*([summary.read.dataset] if summary.read.below is None else []), *joined):
            found.update(tables(engine, dataset))
    return found


@pytest.mark.parametrize("role", ROLES)
def test_a_scorecard_reads_each_table_once_per_dataset_and_time(fixture_connection, role):
    with kpi_engine.open(PROJECT, fixture_connection) as engine:
        for request in (
            {},
            {"grain": "month"},
            {"compare": ["previous_period", "previous_year"]},
            {"grain": "month", "compare": ["previous_period", "previous_year"]},
        ):
            made = planned(engine, engine.kpis(role), period="2026-Q1", as_of=LATE, **request)
            reads = [(each.dataset, each.time and each.time.expression) for each in leaf_reads(made.plan)]
            assert len(reads) == len(set(reads)), "a dataset is read twice at one time"
            found = scans(engine, made)
            assert found
            assert found <= allowed(engine, made)


@pytest.fixture
def engine():
    with opened(
        {"fact": ("id int, day date, a varchar, v int, other date", "(1, '2026-01-01', 'x', 1, '2026-02-01'), (2, '2026-01-02', 'y', 2, NULL)"), "second": ("id int, day date, a varchar", "(1, '2026-01-01', 'x'), (2, '2026-02-01', 'x')")},
        {"facts": {"table": "fact", "key": "id", "time": "day", "times": {"other": "other"}, "dimensions": ["a"]}, "seconds": {"table": "second", "time": "day", "dimensions": ["a"]}},
        {
            **{f"k{n}": {"inputs": {"x": {"from": "facts", "where": f"v > {n}"}}, "formula": "sum(x.v)"} for n in range(20)},
            "growth": {"inputs": {"now": "k1", "before": {"from": "k1", "offset": "1 year"}}, "formula": "now / before"},
            "share": {"inputs": {"x": "facts", "every": {"from": "facts", "across": "all"}}, "formula": "count(x) / count(every)"},
            "ever": {"inputs": {"x": {"from": "facts", "all_time": True}}, "formula": "count(distinct x.id)"},
            "late": {"inputs": {"x": {"from": "facts", "time": "other"}}, "formula": "count(x)"},
            "both": {"inputs": ["facts", "seconds"], "formula": "count(facts) / count(distinct seconds.id)"},
        },
    ) as engine:  # fmt: skip
        yield engine


@pytest.mark.parametrize(
    ("request_", "times"),
    [
        ({}, 1),
        ({"by": ["a"]}, 1),
        ({"by": ["a"], "grain": "month", "compare": ["previous_period", "previous_year"]}, 1),
        ({"dense": False, "by": ["a"], "grain": "month"}, 1),
        ({"by": ["a"], "grain": "week"}, 2),
    ],
    ids=["in total", "by member", "compared", "not dense", "entities in many overlapping stretches are counted apart"],
)
def test_conditions_offsets_shares_and_comparisons_share_a_scan(engine, request_, times):
    made = planned(
        engine, [k for k in engine.kpis() if k not in {"late", "both"}], period="2026-Q1", as_of=LATE, **request_
    )
    assert scans(engine, made) == {"fact": times}


def test_another_time_is_another_scan(engine):
    made = planned(engine, list(engine.kpis()), period="2026-Q1", as_of=LATE)
    assert scans(engine, made) == {"fact": 2, "second": 1}


def test_the_explanation_says_what_is_read(engine):
    text = engine.explain(["k1", "k2", "growth"], by="a", period="2026-Q1", as_of=LATE)
    assert text.count("Read facts once") == 1


def test_every_role_of_the_pack_is_looked_at(fixture_connection):
    with kpi_engine.open(PROJECT, fixture_connection) as engine:
        assert tuple(engine.project.roles) == ROLES
        asked = {kpi for role in ROLES for kpi in engine.kpis(role)}
        assert asked == {name for name, kpi in engine.project.kpis.items() if kpi.role}


def test_a_second_scan_would_be_seen(engine):
    """What counts scans sees a table that is read twice, in a statement and in a plan that is taken apart."""
    made = planned(engine, ["k1"], period="2026-Q1", as_of=LATE)
    assert scans(engine, made) == {"fact": 1} == allowed(engine, made)
    other = planned(engine, ["k0"], period="2026-Q1", as_of=LATE)
    twice = f"({made.statement}) union all ({other.statement})"
    assert scans(engine, made, twice) == {"fact": 2}
    assert not scans(engine, made, twice) <= allowed(engine, made)


@pytest.mark.parametrize("by", [(), ("a",)], ids=["in total", "by member"])
def test_a_filter_or_a_period_reads_no_second_time(engine, by):
    """What lies before the period, for a comparison, an offset or all of time, is read in the same scan."""
    kpis = ["k1", "growth", "share", "ever"]
    asked = {"period": "2026-02", "compare": "previous_year", "where": {"a": "x"}, "by": by, "as_of": LATE}
    assert scans(engine, planned(engine, kpis, **asked)) == {"fact": 1}
