"""A filter and a period choose what is shown: neither cuts the rows that a comparison, a stretch or a level needs."""

from __future__ import annotations

from datetime import date

import pytest
from number_projects import LATE, by_member, column, opened, table

VISITS = """
    (1, '2025-02-10', 'mail'), (2, '2025-12-20', 'mail'), (3, '2026-01-31', 'mail'), (4, '2026-01-15', 'ads'),
    (5, '2026-02-03', 'mail'), (6, '2026-02-27', NULL), (7, '2024-05-05', 'gone')"""
READINGS = """
    ('a', '2025-11-01', 'x', 10), ('a', '2026-01-20', 'y', 30), ('b', '2025-06-01', 'x', 5), ('c', '2026-02-10', 'x', 7)"""


@pytest.fixture(scope="module")
def engine():
    with opened(
        {"visit": ("id int, day date, channel varchar", VISITS), "reading": ("account varchar, day date, network varchar, size int", READINGS)},
        {
            "visits": {"table": "visit", "key": "id", "time": "day", "dimensions": ["channel"]},
            "levels": {"table": "reading", "time": "day", "snapshot": {"of": "account"}, "dimensions": ["network"]},
        },
        {
            "n": "count(visits)",
            "size": {"inputs": ["levels"], "formula": "sum(size)"},
            "before": {"inputs": {"n": {"from": "n", "offset": "1 month"}}, "formula": "n"},
            "trailing": {"inputs": {"v": {"from": "visits", "window": "28 days"}}, "formula": "count(v)"},
            "ever": {"inputs": {"v": {"from": "visits", "all_time": True}}, "formula": "count(v)"},
            "gained": {"inputs": {"now": "levels", "earlier": {"from": "levels", "take": "opening"}}, "formula": "sum(now.size) - sum(earlier.size)"},
        },
    ) as engine:  # fmt: skip
        yield engine


MAIL = {"where": {"channel": "mail"}, "as_of": LATE}


def test_a_period_cuts_no_row_of_an_offset_a_stretch_or_the_beginning(engine):
    result = engine.run(["n", "before", "trailing", "ever"], period="2026-02", compare="previous_year", **MAIL)
    columns = ("n", "before", "trailing", "ever", "n__previous_year", "ever__previous_year")
    assert table(result, *columns) == [(1, 1, 1, 4, 1, 1)]
    early = engine.run("trailing", period="2026-02-01..2026-02-03", **MAIL)
    assert column(early, "trailing") == [2], "the last day of January is one of the 28"


def test_what_is_shown_of_periods_members_and_rows_is_what_it_is_among_all(engine):
    kpis, asked = (
        ["n", "before", "trailing", "ever"],
        {"by": "channel", "grain": "month", "period": "2026-Q1", "as_of": LATE},
    )
    every = engine.run(kpis, compare="previous_period", **asked).rows()
    for fewer in (
        {"having": {"n": {">=": 1}}},
        {"limit": 2},
        {"where": {"period": {"eq": "2026-02-01"}}},
        {"order": "-ever", "limit": 3},
    ):
        kept = engine.run(kpis, compare="previous_period", **asked, **fewer).rows()
        assert 0 < len(kept) < len(every)
        assert all(row in every for row in kept), fewer


def test_a_filter_takes_the_levels_that_hold_and_no_older_ones(engine):
    """`a` was last read on network y: its reading on x no longer holds, whatever is filtered."""
    march = {"period": "2026-03", "as_of": LATE}
    assert by_member(engine.run("size", by="network", **march), "network", "size") == {"x": 12, "y": 30}
    assert engine.run("size", where={"network": "x"}, **march).totals() == {"size": 12}
    assert engine.run("size", where_sql="network = 'x'", **march).totals() == {"size": 12}


def test_a_period_cuts_no_reading_from_before_it(engine):
    result = engine.run(
        ["size", "gained"], grain="month", period="2026-01..2026-03", compare="previous_period", as_of=LATE
    )
    assert table(result, "size", "size__previous_period", "gained") == [(35, 15, 20), (42, 35, 7), (42, 42, 0)]


def test_every_member_of_the_range_has_every_period_and_no_other_member_has_one(engine):
    result = engine.run("n", by="channel", grain="month", period="2026-Q1", as_of=LATE)
    months = [date(2026, month, 1) for month in (1, 2, 3)]
    assert [(row["channel"], row["period"]) for row in result.rows()] == [
        (member, month) for member in ("ads", "mail", None) for month in months
    ]
    assert "gone" not in column(engine.run("trailing", by="channel", period="2026-02", as_of=LATE), "channel")
    assert "gone" in column(engine.run("ever", by="channel", period="2026-02", as_of=LATE), "channel")
