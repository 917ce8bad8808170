"""First members and the others, ranks, shares of a total: beside plain Python over the same rows, and beside SQL by hand."""

from __future__ import annotations

import random
from datetime import date
from statistics import median

import pytest
from number_projects import LATE, connected, opened, table

import kpi_engine
from kpi_engine import RequestError

COLUMNS = "id int, day date, channel varchar, device varchar, who int, v int"
KPIS = {
    "visits": "count(facts)", "visitors": "count(distinct who)", "amount": "sum(v)", "mean": "avg(v)", "middle": "median(v)",
    "per_visit": "sum(v) / count(facts)", "loss": {"inputs": ["facts"], "formula": "sum(v)", "better": "lower"},
    "double": {"inputs": ["visits"], "formula": "visits * 2"},
    "busiest": {"inputs": {"day": {"from": "visits", "per": "day"}}, "formula": "max(day)"},
    "per_channel": {"inputs": {"one": {"from": "visits", "per": "channel"}}, "formula": "avg(one)"},
    "per_person": {"inputs": {"one": {"from": "visits", "per": "who"}}, "formula": "max(one)"},
    "before": {"inputs": {"ago": {"from": "facts", "offset": "1 month"}}, "formula": "count(ago)"},
    "share_of_all": {"inputs": {"ours": "facts", "every": {"from": "facts", "across": "channel"}}, "formula": "count(ours) / count(every)"},
    "mixed": {"inputs": ["visits", "readings"], "formula": "visits + coalesce(readings, 0)"},
    "readings": {"inputs": ["levels"], "formula": "sum(n)"},
}  # fmt: skip
DATASETS = {
    "facts": {"table": "fact", "key": "id", "time": "day", "dimensions": ["channel", "device", "who"]},
    "levels": {
        "table": "level", "key": ["channel", "day"], "time": "day", "snapshot": {"of": "channel"}, "dimensions": ["channel"],
    },
}  # fmt: skip
YEAR = {"period": "2026", "as_of": LATE}


def made(seed, size):
    draw = random.Random(seed)  # noqa: S311
    channels = ["a", "b", "c", "d", "others", "(others)", "", None]
    return [
        (n, date(2026, draw.randint(1, 4), draw.randint(1, 28)), draw.choice(channels), draw.choice(["m", "d", None]), draw.randint(1, 9),
         draw.choice([None, 0, *range(9)]))
        for n in range(size)
    ]  # fmt: skip


def project(rows, levels=()):
    def said(value):
        return "NULL" if value is None else f"'{value}'" if isinstance(value, str | date) else str(value)

    def values(those):
        return ", ".join("(" + ", ".join(map(said, row)) + ")" for row in those)

    tables = {
        "fact": (COLUMNS, values(rows)),
        "level": ("channel varchar, day date, n int", values(levels)),
    }
    return opened(tables, DATASETS, KPIS)


def first(rows, of, value, number, *, lowest=False):
    """Give the first members by a value: the best first, members without a value last, then by name, the unknown member last."""
    members = {row[of] for row in rows}
    values = {member: value([row for row in rows if row[of] == member]) for member in members}

    def key(member):
        known = values[member] is not None
        size = 0 if not known else values[member] if lowest else -values[member]
        return (not known, size, member is None, member or "")

    return sorted(members, key=key)[:number]


def grouped(rows, chosen, *keys):
    """Group rows by their member, where it is a chosen one, or as others; then by further columns."""
    found = {}
    for row in rows:
        member = (row[2], False) if row[2] in chosen else (None, True)
        found.setdefault((*member, *(row[key] for key in keys)), []).append(row)
    return found


VALUES = {
    "visits": len,
    "visitors": lambda rows: len({row[4] for row in rows}),
    "amount": lambda rows: _known(rows, sum) if _numbers(rows) or rows else 0,
    "mean": lambda rows: _known(rows, lambda found: sum(found) / len(found)),
    "middle": lambda rows: _known(rows, median),
    "per_visit": lambda rows: _known(rows, lambda found: sum(found) / len(rows)),
    "double": lambda rows: 2 * len(rows),
    "per_channel": lambda rows: len(rows) / len({row[2] for row in rows}),
    "per_person": lambda rows: max(len([r for r in rows if r[4] == who]) for who in {row[4] for row in rows}),
    "busiest": lambda rows: max(len([r for r in rows if r[1] == day]) for day in {row[1] for row in rows}),
}


def _numbers(rows):
    return [row[5] for row in rows if row[5] is not None]


def _known(rows, value):
    return value(_numbers(rows)) if _numbers(rows) else None


class TestOthers:
    @pytest.mark.parametrize("size", [0, 1, 5, 40, 400])
    @pytest.mark.parametrize("by", ["visits", "visitors", "amount", "per_visit"])
    def test_every_kind_of_number_is_computed_from_their_rows(self, size, by):
        for seed in range(3):
            rows = made(f"{seed}{size}{by}", size)
            number = random.Random(seed).choice([1, 2, 3, 7, 8])  # noqa: S311
            with project(rows) as engine:
                top = {"first": number, "by": by, "others": True}
                result = engine.run(list(VALUES), by="channel", top=top, **YEAR)
                chosen = first(rows, 2, VALUES[by], number)
                groups = grouped(rows, chosen)
                order = [(member, False) for member in chosen] + ([(None, True)] if (None, True) in groups else [])
                assert [(row["channel"], row["channel__others"]) for row in result.rows()] == order
                for row, key in zip(result.rows(), order, strict=True):
                    for kpi, value in VALUES.items():
                        assert row[kpi] == pytest.approx(value(groups[key])), (kpi, key)

    def test_a_member_of_that_name_and_the_unknown_one_are_members_of_their_own(self):
        rows = [
            (n, date(2026, 1, 1), member, "m", 1, 1)
            for n, member in enumerate(["others"] * 5 + [None] * 4 + ["a", "b"])
        ]
        with project(rows) as engine:
            result = engine.run("visits", by="channel", top={"first": 2, "others": True}, **YEAR)
            assert table(result) == [("others", False, 5), (None, False, 4), (None, True, 2)]
            assert [(column.key, column.role) for column in result.columns[:2]] == [
                ("channel", "dimension"),
                ("channel__others", "others"),
            ]

    def test_ties_are_broken_by_the_members(self):
        rows = [(n, date(2026, 1, 1), member, "m", 1, 1) for n, member in enumerate(["c", "b", None, "a"])]
        with project(rows) as engine:
            assert table(engine.run("visits", by="channel", top=2, **YEAR)) == [("a", 1), ("b", 1)]
            assert table(engine.run("visits", by="channel", top=4, **YEAR)) == [("a", 1), ("b", 1), ("c", 1), (None, 1)]

    def test_without_others_the_first_members_are_all(self):
        rows = made(1, 100)
        with project(rows) as engine:
            result = engine.run(["visits", "share_of_all"], by="channel", top={"first": 3, "by": "visitors"}, **YEAR)
            chosen = first(rows, 2, VALUES["visitors"], 3)
            counts = {member: len([row for row in rows if row[2] == member]) for member in chosen}
            assert table(result) == [(member, count, pytest.approx(count / 100)) for member, count in counts.items()]
            assert result.totals() == {"visits": 100, "share_of_all": 1}

    @pytest.mark.parametrize(("top", "lowest"), [({"by": "loss"}, True), ({"by": "loss", "lowest": False}, False), ({"by": "amount", "lowest": True}, True)])  # fmt: skip
    def test_the_best_come_first_unless_another_end_is_named(self, top, lowest):
        rows = made(2, 60)
        with project(rows) as engine:
            result = engine.run("amount", by="channel", top={"first": 3, **top}, **YEAR)
            assert [row["channel"] for row in result.rows()] == first(rows, 2, VALUES["amount"], 3, lowest=lowest)

    def test_of_two_dimensions_the_rest_of_the_split_is_kept(self):
        rows = made(3, 200)
        with project(rows) as engine:
            top = {"first": 2, "of": "channel", "others": True}
            result = engine.run(["visits", "visitors"], by=["device", "channel"], top=top, **YEAR)
            chosen = first(rows, 2, len, 2)
            expected = {
                (key[2], *key[:2]): (len(g), len({r[4] for r in g})) for key, g in grouped(rows, chosen, 3).items()
            }
            assert {row[:3]: row[3:] for row in table(result)} == expected
            places = [(row["device"], row["channel__others"]) for row in result.rows()]
            assert places == [(device, others) for device in ("d", "m", None) for others in (False, False, True)]

    def test_members_are_chosen_over_the_whole_period_and_under_its_filters(self):
        rows = made(4, 200)
        with project(rows) as engine:
            result = engine.run("visitors", by="channel", grain="month", where={"device": "m"}, top={"first": 2, "others": True}, period="2026-Q1", as_of=LATE)  # fmt: skip
            kept = [row for row in rows if row[3] == "m" and row[1].month <= 3]
            chosen = first(kept, 2, VALUES["visitors"], 2)
            expected = {}
            for row in kept:
                member = (row[2], False) if row[2] in chosen else (None, True)
                expected.setdefault((*member, row[1].replace(day=1)), set()).add(row[4])
            assert {row[:3]: row[3] for row in table(result)} == {key: len(who) for key, who in expected.items()}
            whole = engine.run("visitors", where={"device": "m"}, period="2026-Q1", as_of=LATE).rows()[0]
            assert result.totals() == whole

    def test_earlier_values_are_those_of_the_same_members(self):
        rows = made(5, 300)
        with project(rows) as engine:
            top = {"first": 2, "others": True}
            result = engine.run(["visitors", "before"], by="channel", top=top, compare="previous_period", period="2026-03", as_of=LATE)  # fmt: skip
            march, february, january = ([row for row in rows if row[1].month == month] for month in (3, 2, 1))
            chosen = first(march, 2, VALUES["visitors"], 2)
            now, then, earliest = (grouped(each, chosen) for each in (march, february, january))
            for row in result.rows():
                key = (row["channel"], row["channel__others"])
                assert row["visitors"] == len({r[4] for r in now.get(key, [])})
                assert row["visitors__previous_period"] == len({r[4] for r in then.get(key, [])})
                assert row["before"] == len(then.get(key, []))
                assert row["before__previous_period"] == len(earliest.get(key, []))

    def test_datasets_meet_in_the_others_too_and_levels_hold(self):
        rows = [(n, date(2026, 2, 1), member, "m", 1, 1) for n, member in enumerate(["a"] * 3 + ["b"] * 2 + ["c"])]
        levels = [
            ("a", date(2026, 1, 1), 10),
            ("c", date(2026, 1, 5), 7),
            ("d", date(2026, 1, 6), 5),
            ("c", date(2026, 3, 1), 1),
        ]
        with project(rows, levels) as engine:
            top = {"first": 1, "by": "visits", "others": True}
            result = engine.run(["mixed", "readings"], by="channel", top=top, period="2026-02", as_of=LATE)
            assert table(result) == [("a", False, 13, 10), (None, True, 15, 12)]

    def test_another_order_leaves_the_others_last_and_conditions_and_limits_come_after(self):
        rows = [
            (n, date(2026, 1, 1), member, "m", 1, 1)
            for n, member in enumerate(["a"] * 3 + ["b"] * 2 + ["c"] * 2 + ["d"] * 2)
        ]
        with project(rows) as engine:

            def asked(**more):
                return table(engine.run("visits", by="channel", top={"first": 2, "others": True}, **more, **YEAR))

            assert asked() == [("a", False, 3), ("b", False, 2), (None, True, 4)]
            assert asked(order="-visits") == [("a", False, 3), ("b", False, 2), (None, True, 4)]
            assert asked(order="visits") == [("b", False, 2), ("a", False, 3), (None, True, 4)]
            assert asked(order="-channel") == [("b", False, 2), ("a", False, 3), (None, True, 4)]
            assert asked(having={"visits": {"gt": 2}}) == [("a", False, 3), (None, True, 4)]
            assert asked(limit=2) == [("a", False, 3), ("b", False, 2)]
            assert asked(limit=0) == []

    def test_one_scan_of_a_dataset_answers_all_but_the_choice(self):
        with project(made(6, 10)) as engine:
            said = engine.explain(["visits", "visitors", "share_of_all"], by="channel", top={"first": 1, "others": True}, share="visits", **YEAR)  # fmt: skip
            assert said.count('FROM "fact"') == 2


class TestBesideSqlByHand:
    def test_others_share_and_rank(self):
        connection = connected({"fact": (COLUMNS, "")})
        connection.execute(
            "INSERT INTO fact SELECT i, DATE '2026-01-01' + (i % 60)::int, CASE WHEN i % 11 < 6 THEN 'c' || (i * i % 7) END, 'm', i % 13, i % 5 "
            "FROM range(500) t(i)"
        )
        definitions = {
            "datasets": {"facts": DATASETS["facts"]},
            "kpis": {name: {"inputs": ["facts"], "formula": KPIS[name]} for name in ("visits", "visitors", "middle")},
        }
        with kpi_engine.open(definitions, connection) as engine:
            result = engine.run(["visits", "visitors", "middle"], by="channel", top={"first": 2, "others": True}, rank="visits", share=["visits", "visitors"], period="2026-01", as_of=LATE)  # fmt: skip
            expected = connection.execute("""
                WITH f AS (FROM fact WHERE day < DATE '2026-02-01'),
                t AS (SELECT channel, row_number() OVER (ORDER BY count(*) DESC, channel NULLS LAST) AS p FROM f GROUP BY channel QUALIFY p <= 2)
                SELECT t.channel, t.p IS NULL, count(*), count(DISTINCT who), median(v),
                    CASE WHEN t.p IS NOT NULL THEN rank() OVER (PARTITION BY t.p IS NULL ORDER BY count(*) DESC) END,
                    count(*) / (SELECT count(*) FROM f), count(DISTINCT who) / (SELECT count(DISTINCT who) FROM f)
                FROM f LEFT JOIN t ON t.channel IS NOT DISTINCT FROM f.channel GROUP BY t.channel, t.p ORDER BY t.p NULLS LAST""").fetchall()
            assert len(expected) == 3
            assert table(result) == [pytest.approx(row) for row in expected]


class TestRanks:
    def test_equal_values_have_one_rank_and_the_next_is_left_out(self):
        rows = [(n, date(2026, 1, 1), member, "m", 1, v) for n, (member, v) in enumerate([("a", 5), ("b", 7), ("c", 5), ("d", 1), ("e", None)])]  # fmt: skip
        with project(rows) as engine:
            result = engine.run(["amount", "loss"], by="channel", rank=["amount", "loss"], **YEAR)
            assert table(result, "channel", "amount__rank", "loss__rank") == [
                ("a", 2, 2), ("b", 1, 4), ("c", 2, 2), ("d", 4, 1), ("e", None, None)
            ]  # fmt: skip

    def test_each_period_has_its_own_before_conditions_and_limits(self):
        rows = made(7, 300)
        with project(rows) as engine:
            every = engine.run("visits", by="channel", grain="month", rank="visits", **YEAR).rows()
            for row in every:
                same = [each["visits"] for each in every if each["period"] == row["period"]]
                assert row["visits__rank"] == 1 + sum(value > row["visits"] for value in same)
            best = engine.run(
                "visits", by="channel", grain="month", rank="visits", having={"visits__rank": {"lte": 2}}, **YEAR
            )
            assert best.rows() == [row for row in every if row["visits__rank"] <= 2]

    def test_over_one_dimension_within_the_others(self):
        rows = made(8, 200)
        with project(rows) as engine:
            every = engine.run("visits", by=["device", "channel"], rank={"visits": "channel"}, **YEAR).rows()
            for row in every:
                same = [each["visits"] for each in every if each["device"] == row["device"]]
                assert row["visits__rank"] == 1 + sum(value > row["visits"] for value in same)

    def test_the_others_have_none(self):
        with project(made(9, 100)) as engine:
            rows = engine.run("visits", by="channel", top={"first": 3, "others": True}, rank="visits", **YEAR).rows()
            ranks = [row["visits__rank"] for row in rows]
            assert ranks[0] == 1
            assert ranks[-1] is None
            assert None not in ranks[:-1]

    def test_sorted_by(self):
        with project(made(10, 100)) as engine:
            rows = engine.run("visits", by="channel", rank="visits", order="visits__rank", **YEAR).rows()
            assert [row["visits__rank"] for row in rows] == sorted(row["visits__rank"] for row in rows)


class TestShares:
    def test_of_sums_and_counts_make_up_the_whole_and_of_entities_may_overlap(self):
        rows = made(11, 300)
        with project(rows) as engine:
            result = engine.run(["visits", "amount", "visitors", "double"], by="channel", share=["visits", "amount", "visitors", "double"], **YEAR)  # fmt: skip
            whole = sum(row[5] or 0 for row in rows)
            for row in result.rows():
                own = [each for each in rows if each[2] == row["channel"]]
                assert row["visits__share"] == row["double__share"] == pytest.approx(len(own) / 300)
                assert row["amount__share"] == pytest.approx(sum(each[5] or 0 for each in own) / whole)
                assert row["visitors__share"] == pytest.approx(len({each[4] for each in own}) / 9)
            assert sum(row["visits__share"] for row in result.rows()) == pytest.approx(1)
            assert result.totals()["visits__share"] == 1

    def test_each_period_is_a_whole_and_filters_hold(self):
        rows = made(12, 300)
        with project(rows) as engine:
            where = {"channel": ["a", "b", None], "device": "m"}
            result = engine.run("visits", by="channel", grain="month", where=where, share="visits", **YEAR)
            for row in result.rows():
                month = [
                    r for r in rows if r[1].month == row["period"].month and r[3] == "m" and r[2] in ("a", "b", None)
                ]
                own = [r for r in month if r[2] == row["channel"]]
                assert row["visits__share"] == (pytest.approx(len(own) / len(month)) if month else None)

    def test_over_one_dimension_within_the_others(self):
        rows = made(13, 300)
        with project(rows) as engine:
            result = engine.run("visitors", by=["channel", "device"], share={"visitors": ["channel"]}, **YEAR)
            for row in result.rows():
                device = [each for each in rows if each[3] == row["device"]]
                own = [each for each in device if each[2] == row["channel"]]
                assert row["visitors__share"] == pytest.approx(len({r[4] for r in own}) / len({r[4] for r in device}))

    def test_of_first_members_are_of_all(self):
        rows = made(14, 100)
        with project(rows) as engine:
            for others in (False, True):
                result = engine.run("visits", by="channel", top={"first": 2, "others": others}, share="visits", **YEAR)
                assert [row["visits__share"] for row in result.rows()] == [row["visits"] / 100 for row in result.rows()]

    def test_of_levels(self):
        levels = [("a", date(2026, 1, 1), 10), ("c", date(2026, 1, 5), 30)]
        with project([], levels) as engine:
            assert table(engine.run("readings", by="channel", share="readings", **YEAR)) == [
                ("a", 10, 0.25),
                ("c", 30, 0.75),
            ]

    def test_of_nothing_are_unknown(self):
        rows = [
            (n, date(2026, 1, 1), member, "m", 1, v) for n, (member, v) in enumerate([("a", -5), ("b", 3), ("c", None)])
        ]
        with project(rows) as engine:
            assert [
                row["amount__share"] for row in engine.run("amount", by="channel", share="amount", **YEAR).rows()
            ] == [None] * 3

    @pytest.mark.parametrize(("kpi", "why"), [("per_visit", "a ratio"), ("mean", "an average"), ("middle", "a median"), ("busiest", "a largest value"), ("share_of_all", "a ratio")])  # fmt: skip
    def test_of_what_is_no_part_of_a_whole_is_refused(self, kpi, why):
        with project([]) as engine, pytest.raises(RequestError, match=why) as refused:
            engine.run(kpi, by="channel", share=kpi, **YEAR)
        assert refused.value.code == "bad_share"
