"""One scan for each dataset and time, whatever the number of KPIs: looked up in the engine's own account of the statement."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import kpi_engine
import pytest
from kpi_engine.planning import leaf_reads, read_request
from number_projects import LATE, opened

PROJECT = {"project": "fixture", "calendar": {"timezone": "Europe/Paris"}, "definitions": ["marketing"]}
ROLES = ("content_creator", "social_media_manager", "pr_manager", "demand_manager", "web_marketing_manager", "seo_manager")


def planned(engine, kpis, **request):
    return engine._runner.planned(replace(read_request(kpis, engine.calendar, **request), partial_split=True))


def scans(engine, made):
    """Count how often each table is scanned, by DuckDB's explanation of the statement."""
    with engine._database.cursor(made.registered) as cursor:
        (_, text), *_ = cursor.execute(f"EXPLAIN (FORMAT JSON) {made.statement}").fetchall()
    found = Counter()

    def walk(node):
        table = node.get("extra_info", {}).get("Table")
        if "SCAN" in node["name"] and table:
            found[table.split(".")[-1]] += 1
        for child in node.get("children", []):
            walk(child)

    for node in json.loads(text):
        walk(node)
    return found


def expected(engine, made):
    """Count the reads of each table: one per dataset and time, and one per summary that joins it."""
    names = engine.catalogue.names
    found = Counter(names.datasets[read.dataset].table or read.dataset for read in leaf_reads(made.plan) if not names.datasets[read.dataset].transform)
    for summary in made.plan.align.summaries:
        trees = [e.tree for e in (*summary.split.values(), *(a.argument for a in summary.aggregates if a.argument), *(f for a in summary.aggregates for f in a.filter))]
        hops = {tuple(column.table.split(".")[1:]) for tree in trees for column in tree.find_all(type(tree).__mro__[-2]) if hasattr(column, "table") and column.table.startswith("r.")}
        for path in {hop[: n + 1] for hop in hops for n in range(len(hop))}:
            owner = names.datasets[names.owner(summary.read.dataset, path)]
            found[owner.table] += 1
    return found


@pytest.mark.parametrize("role", ROLES)
def test_a_scorecard_reads_each_table_once_per_dataset_and_time(fixture_connection, role):
    with kpi_engine.open(PROJECT, fixture_connection) as engine:
        for request in ({}, {"grain": "month"}, {"compare": ["previous_period", "previous_year"]}, {"grain": "month", "compare": ["previous_period", "previous_year"]}):
            made = planned(engine, engine.kpis(role), period="2026-Q1", as_of=LATE, **request)
            reads = [(read.dataset, read.time and read.time.expression) for read in leaf_reads(made.plan)]
            assert len(reads) == len(set(reads)), "a dataset is read twice at one time"
            assert scans(engine, made) == expected(engine, made)


@pytest.fixture
def engine():
    with opened(
        {"fact": ("id int, day date, a varchar, v int, other date", "(1, '2026-01-01', 'x', 1, NULL)"), "second": ("id int, day date, a varchar", "(1, '2026-01-01', 'x')")},
        {"facts": {"table": "fact", "key": "id", "time": "day", "times": {"other": "other"}, "dimensions": ["a"]}, "seconds": {"table": "second", "time": "day", "dimensions": ["a"]}},
        {
            **{f"k{n}": {"inputs": {"x": {"from": "facts", "where": f"v > {n}"}}, "formula": "sum(x.v)"} for n in range(20)},
            "growth": {"inputs": {"now": "k1", "before": {"from": "k1", "offset": "1 year"}}, "formula": "now / before"},
            "share": {"inputs": {"x": "facts", "every": {"from": "facts", "across": "all"}}, "formula": "count(x) / count(every)"},
            "ever": {"inputs": {"x": {"from": "facts", "all_time": True}}, "formula": "count(distinct x.id)"},
            "late": {"inputs": {"x": {"from": "facts", "time": "other"}}, "formula": "count(x)"},
            "both": {"inputs": ["facts", "seconds"], "formula": "count(facts) / count(seconds)"},
        },
    ) as engine:  # fmt: skip
        yield engine


@pytest.mark.parametrize("request_", [{}, {"by": ["a"]}, {"by": ["a"], "grain": "month", "compare": ["previous_period", "previous_year"]}, {"dense": False, "by": ["a"], "grain": "week"}])
def test_conditions_offsets_shares_and_comparisons_share_a_scan(engine, request_):
    made = planned(engine, [k for k in engine.kpis() if k not in {"late", "both"}], period="2026-Q1", as_of=LATE, **request_)
    assert scans(engine, made) == {"fact": 1}


def test_another_time_is_another_scan(engine):
    made = planned(engine, list(engine.kpis()), period="2026-Q1", as_of=LATE)
    assert scans(engine, made) == {"fact": 2, "second": 1}


def test_the_explanation_says_what_is_read(engine):
    text = engine.explain(["k1", "k2", "growth"], by="a", period="2026-Q1", as_of=LATE)
    assert text.count("Read facts once") == 1
