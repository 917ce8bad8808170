"""The others are one member: every kind of number of theirs is what it is over data in which they have one name."""

from __future__ import annotations

import random

import pytest
from number_projects import LATE, connected

import kpi_engine

KPIS = {
    "n": {"inputs": ["visits"], "formula": "count(visits)"},
    "who": {"inputs": ["visits"], "formula": "count(distinct person)"},
    "middle": {"inputs": ["visits"], "formula": "median(v)"},
    "so_far": {"inputs": {"x": {"from": "visits", "to_date": "year"}}, "formula": "count(distinct x.person)"},
    "window": {"inputs": {"x": {"from": "visits", "window": "60 days"}}, "formula": "sum(x.v)"},
    "ever": {"inputs": {"x": {"from": "visits", "all_time": True}}, "formula": "count(distinct x.person)"},
    "before": {"inputs": {"x": {"from": "visits", "offset": "1 month"}}, "formula": "count(x)"},
    "best": {"inputs": {"x": {"from": "n", "per": "day"}}, "formula": "max(x)"},
    "loyal": {"inputs": {"x": {"from": "n", "per": "person"}}, "formula": "count_if(x > 2)"},
    "loyal_days": {"inputs": {"x": {"from": "loyal", "per": "week"}}, "formula": "sum(x)"},
    "level": {"inputs": ["stock"], "formula": "sum(amount)"},
    "opening": {"inputs": {"s": {"from": "stock", "take": "opening"}}, "formula": "sum(s.amount)"},
    "share": {"inputs": {"a": "visits", "b": {"from": "visits", "across": "channel"}}, "formula": "count(a) / count(b)"},
    "kinds": {"inputs": {"x": {"from": "visits", "where": "kind = 'k1'"}}, "formula": "count(x)"},
    "bought": {
        "inputs": {"v": "visits", "o": {"from": "orders", "of": "person", "after": "v", "within": "20 days"}},
        "formula": "sum(o.amount)",
    },
    "per_visit": {"inputs": ["bought", "n"], "formula": "bought / n"},
    "stock_per_visit": {"inputs": ["level", "n"], "formula": "level / n"},
}  # fmt: skip
DATASETS = {
    "visits": {
        "table": "visit", "key": "id", "time": "day", "joins": {"page": {"to": "pages", "keys": "page_id"}},
        "dimensions": {"channel": {"sql": "page.channel"}, "kind": {"sql": "page.kind"}},
    },
    "pages": {"table": "page", "key": "page_id"},
    "orders": {"table": "bought", "key": "id", "time": "day"},
    "stock": {"table": "stock", "key": ["place", "day"], "time": "day", "snapshot": {"of": "place"}, "dimensions": ["channel", "kind"]},
}  # fmt: skip
MEMBERS = ["a", "b", "c", "d", "e", None]
OTHER = "(all others)"


def project(seed, named):
    """Open a project of random rows, in which each channel has the name that `named` gives it."""
    draw = random.Random(seed)  # noqa: S311 - the same rows again

    def said(value):
        return "NULL" if value is None else f"'{value}'"

    def rows(count, row):
        return ", ".join(str(row(n)) for n in range(count))

    def day():
        return f"'2026-0{draw.randint(1, 5)}-{draw.randint(1, 28):02}'"

    pages = rows(12, lambda n: f"({n}, {said(named(draw.choice(MEMBERS)))}, 'k{draw.randint(1, 2)}')")
    visits = rows(300, lambda n: f"({n}, {day()}, {draw.randint(0, 11)}, {draw.randint(1, 30)}, {draw.randint(0, 9)})")
    orders = rows(120, lambda n: f"({n}, {day()}, {draw.randint(1, 30)}, {draw.randint(1, 9)})")
    stock = rows(
        60,
        lambda n: (
            f"({n % 9}, DATE '2025-12-20' + {n * 3}, {said(named(MEMBERS[n % 9 % 6]))}, 'k{n % 2}', {draw.randint(1, 50)})"
        ),
    )
    tables = {
        "page": ("page_id int, channel varchar, kind varchar", pages),
        "visit": ("id int, day date, page_id int, person int, v int", visits),
        "bought": ("id int, day date, person int, amount int", orders),
        "stock": ("place int, day date, channel varchar, kind varchar, amount int", stock),
    }
    return kpi_engine.open(
        {"calendar": {"timezone": "Europe/Paris"}, "datasets": DATASETS, "kpis": KPIS}, connected(tables)
    )


def by_member(rows, *keys):
    return {tuple(row[key] for key in keys): row for row in rows}


@pytest.mark.parametrize("many", [8, 0])
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(
    ("asked", "keys"),
    [
        ({"period": "2026-Q1"}, ()),
        ({"period": "2026-02", "compare": ["previous_period", "previous_year"]}, ()),
        ({"period": "2026-Q1", "grain": "month"}, ("period",)),
        ({"period": "2026-Q1", "grain": "week", "compare": "previous_period", "where": {"kind": "k1"}}, ("period",)),
        ({"period": "2026-04", "by": ["kind"]}, ("kind",)),
        ({"period": "2026-04", "as_of": "2026-04-12", "compare": "previous_period", "like_for_like": True}, ()),
    ],
)
def test_of_every_kind(asked, keys, seed, many, monkeypatch):
    monkeypatch.setattr("kpi_engine.sql.parts.MANY", many)
    more = (
        [name for name in KPIS if name not in {"stock_per_visit", "level", "opening"}]
        if "where" in asked
        else list(KPIS)
    )
    asked = {"as_of": LATE, **asked, "by": ["channel", *asked.get("by", [])]}
    with project(seed, lambda name: name) as engine:
        found = engine.run(more, **asked, top={"first": 2, "of": "channel", "by": "who", "others": True})
        chosen = {row["channel"] for row in found.rows() if not row["channel__others"]}
    assert len(chosen) == 2
    with project(seed, lambda name: name if name in chosen else OTHER) as engine:
        expected = by_member(engine.run(more, **asked).rows(), "channel", *keys)
    given = by_member(
        [{**row, "channel": OTHER if row["channel__others"] else row["channel"]} for row in found.rows()],
        "channel",
        *keys,
    )
    assert given.keys() == expected.keys()
    for key, row in expected.items():
        assert {name: given[key][name] for name in row} == pytest.approx(row, nan_ok=False), key
