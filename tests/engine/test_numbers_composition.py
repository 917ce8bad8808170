"""The table of compositions, walked: every pair is built and held against plain Python, and what is refused is refused as it says."""
# ruff: noqa: DTZ001 - local times carry no zone

from __future__ import annotations

from collections import Counter
from datetime import date, datetime
from itertools import combinations, pairwise
from statistics import median

import pytest
from composed import ALMANAC, Formula, Others, Per, Place, beginning, data
from composed import units as units_of
from compositions import asked_of, dataset_of, datasets_of, kinds, modified, opened, table, together
from oracle_calendar import DAY, Asked, Window, back, floor, following, frame, previous

from kpi_engine import DefinitionError, RequestError

AS_OF = "2026-12-30"
START, END = datetime(2026, 1, 1), datetime(2026, 4, 1)
QUARTER = Asked("2026-Q1", Window(START, END, ("step", 1, "quarter")))
TOTAL = {None: QUARTER.window}
ALWAYS = Asked(None, Window(None, None))
KINDS, MODIFIERS, FEATURES = (list(table()[name]) for name in ("kinds", "modifiers", "features"))
PAIRS = list(combinations(MODIFIERS, 2))


def refused_over(modifier, kind):
    """Give what the table says against a modifier over a kind."""
    return next(
        (each for each in table()["refused"]["over"] if modifier in each["modifiers"] and kind in each.get("kinds", KINDS)),
        None,
    )  # fmt: skip


def refused_together(first, second):
    """Give what the table says against two modifiers at one input."""
    for each in table()["refused"]["together"]:
        one, other = each["modifiers"], each.get("with", each["modifiers"])
        if (first in one and second in other) or (first in other and second in one):
            return each
    return None


def refused_request(feature, kind):
    """Give what the table says against a feature of a request with a kind."""
    found = table()["refused"]["requests"]
    return next((each for each in found if feature in each["features"] and kind in each["kinds"]), None)


def are_one_key(first, second):
    one, other = (table()["modifiers"][name]["input"] for name in (first, second))
    return bool(one.keys() & other.keys())


def over(modifier, kind):
    """Define a KPI whose input carries a modifier and is of a kind."""
    said = table()["modifiers"][modifier]
    inputs = {"x": {"from": kind, **said["input"]}}
    if modifier in {"conversion", "age"}:
        inputs = {"earlier": "visits", **inputs}
    return {"inputs": inputs, "formula": said.get("value", "x")}


def of_both(first, second):
    """Define a KPI whose one input of rows carries two modifiers."""
    carried = table()["modifiers"][first]["input"] | table()["modifiers"][second]["input"]
    inputs = {"x": {"from": dataset_of(first, second), **carried}}
    if {"conversion", "age"} & {first, second}:
        inputs = {"earlier": "visits", **inputs}
    return {"inputs": inputs, "formula": "count(x)"}


OVER = {(m, k): f"{m}_over_{k}" for m in MODIFIERS for k in KINDS}
TOGETHER = {(a, b): f"{a}_with_{b}" for a, b in PAIRS if not are_one_key(a, b)}
MEANT = {
    **kinds(),
    **{name: modified(m, kinds()[k]) for (m, k), name in OVER.items() if not refused_over(m, k)},
    **{name: together(a, b) for (a, b), name in TOGETHER.items() if not refused_together(a, b)},
}


@pytest.fixture(scope="module")
def engine():
    made = {name: over(*pair) for pair, name in OVER.items()} | {
        name: of_both(*pair) for pair, name in TOGETHER.items()
    }
    with opened(made) as engine:
        yield engine


@pytest.fixture(scope="module")
def faults(engine):
    """The codes of the mistakes of each KPI."""
    found: dict[str, set[str]] = {}
    for each in engine.check():
        found.setdefault(each.subject.removeprefix("kpi "), set()).add(each.code)
    return found


def alike(expected, got):
    if expected is None or got is None:
        return expected is None and got is None
    return abs(float(expected) - float(got)) <= 1e-9 * max(1.0, abs(float(expected)))


def held(name, rows, windows, by=("channel",), **more):
    """Hold the values of rows against their meaning; `windows` are by the start of the period."""
    as_of = more.pop("as_of", datetime(2026, 12, 31))
    for row in rows:
        place = Place({each: row[each] for each in by}, windows[row.get("period")], as_of, **more)
        expected = MEANT[name].value(place)
        assert alike(expected, row[name]), f"{name} of {row}: {expected}"


def expected_members(names, windows, by=("channel",), as_of=datetime(2026, 12, 31)):
    """Give the members that rows of any stretch have that the request touches."""
    found = set()
    for name in names:
        for window in windows:
            for row, at in MEANT[name].seen(Place({}, window, as_of)):
                if not any(at.ignores(each) for each in by):
                    found.add(tuple(row.get(each) for each in by))
    return found


def months(asked=QUARTER, grain="month"):
    return {start and start.date(): window for start, window in frame(asked.window, (grain,) if grain else (), ALMANAC)}


def check_numbers(engine, name, code=None):
    """Compare a KPI with its meaning, in total and by member and month; where all its rows ignore the dimension a split is refused."""
    total = {"period": "2026-Q1", "as_of": AS_OF, "where": asked_of(name)}
    split = {**total, "by": "channel", "grain": "month"}
    if code is not None:
        assert refusal_of(engine, name, **total) == code
        return
    held(name, engine.run(name, **total).rows(), TOTAL, by=())
    members = expected_members([name], months().values())
    if not members and expected_members([name], months().values(), by=()):
        assert refusal_of(engine, name, **split) == "missing_dimension", name
        return
    rows = engine.run(name, **split).rows()
    assert {(row["channel"],) for row in rows} == members or engine.project.kpis[name].frame != "whole", name
    held(name, rows, months())


def refusal_of(engine, name, **request):
    with pytest.raises(RequestError) as caught:
        engine.run(name, **request)
    return caught.value.code


@pytest.mark.parametrize("modifier", MODIFIERS)
def test_a_modifier_over_each_kind(engine, faults, modifier):
    walked = Counter()
    for kind in KINDS:
        name, refusal = OVER[modifier, kind], refused_over(modifier, kind)
        walked["refused" if refusal else "computed"] += 1
        if refusal and refusal.get("when") != "request":
            assert faults.get(name) == {refusal["code"]}
            with pytest.raises(DefinitionError):
                engine.run(name, period="2026-Q1", as_of=AS_OF)
            continue
        assert name not in faults
        check_numbers(engine, name, refusal and refusal["code"])
    assert sum(walked.values()) == len(KINDS)


@pytest.mark.parametrize("first", MODIFIERS[:-1])
def test_two_modifiers_of_one_input(engine, faults, first):
    for second in MODIFIERS[MODIFIERS.index(first) + 1 :]:
        if are_one_key(first, second):
            continue
        name, refusal = TOGETHER[first, second], refused_together(first, second)
        if refusal and refusal.get("when") != "request":
            assert faults.get(name) == {refusal["code"]}, name
            continue
        assert name not in faults, name
        check_numbers(engine, name, refusal and refusal["code"])


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_computes_what_it_means(engine, kind):
    check_numbers(engine, kind)


def beside(kind, other):
    """Read a kind beside another: what the other is asked by, and this one has not, is ignored."""
    lacking = list(asked_of(other)) if not asked_of(kind) else []
    return {"from": kind, "across": lacking} if lacking else kind


@pytest.fixture(scope="module")
def differences():
    made = {
        f"{a}_times_{b}": {"inputs": {"a": beside(a, b), "b": beside(b, a)}, "formula": "a * b"}
        for a, b in combinations(KINDS, 2)
    }
    with opened(made) as engine:
        assert engine.check() == []
        yield engine


@pytest.mark.parametrize("first", KINDS[:-1])
def test_two_kinds_in_one_formula(differences, first):
    """Any two kinds may stand in one formula, each as it is alone."""
    others = KINDS[KINDS.index(first) + 1 :]
    made = {f"{first}_times_{other}": Formula((kinds()[first], kinds()[other]), times) for other in others}
    request = {"by": "channel", "grain": "month", "period": "2026-Q1", "as_of": AS_OF}
    for where in ({}, asked_of("cohort")):
        names = [
            name for name, other in zip(made, others, strict=True) if (asked_of(first) or asked_of(other)) == where
        ]
        rows = differences.run(names, where=where, **request).rows() if names else []
        assert rows or not names
        for row, name in ((row, name) for row in rows for name in names):
            place = Place({"channel": row["channel"]}, months()[row["period"]], datetime(2026, 12, 31))
            assert alike(made[name].value(place), row[name]), f"{name} of {row['channel']} in {row['period']}"


def times(one, other):
    return None if one is None or other is None else one * other


class Asking:
    """One kind asked with one feature, and held against what it means."""

    def __init__(self, engine, kind, feature):
        self.engine, self.kind, self.feature = engine, kind, feature
        request = {"period": "2026-Q1", "as_of": AS_OF, **table()["features"][feature].get("request", {})}
        request["where"] = {**request.get("where", {}), **asked_of(kind)}
        self.request = {name: kind if value == "KPI" else value for name, value in request.items()}
        self.by = tuple(self.request.get("by", ()))

    def run(self, **more):
        return self.engine.run(self.kind, **{**self.request, **more})

    def rows(self, **more):
        return self.run(**more).rows()

    def check(self):
        getattr(self, self.feature)()

    def whole(self, windows, earlier=(), **more):
        """Check that all members × periods are there with their values, and the totals."""
        rows = self.rows()
        keys = {(*(row[each] for each in self.by), row.get("period")) for row in rows}
        assert len(keys) == len(rows)
        if self.engine.project.kpis[self.kind].frame == "whole":
            members = expected_members([self.kind], [*windows.values(), *earlier], self.by) if self.by else {()}
            assert keys == {(*member, period) for member in members for period in windows}
        held(self.kind, rows, windows, self.by, **more)
        held(self.kind, [self.run().totals()], TOTAL, ())
        return rows

    def plain(self):
        self.whole(TOTAL)

    by_one = by_several = plain

    def grain(self):
        self.whole(months())

    def part(self):
        """Every day of one number is a stretch of the same period."""
        rows = self.rows()
        assert [row["period"] for row in rows] == list(range(1, 8))
        days = list(units("day"))
        for row in rows:
            first, *others = [
                Window(at, at + DAY, ("step", 1, "day")) for at in days if at.isoweekday() == row["period"]
            ]
            place = Place({}, first, datetime(2026, 12, 31), more=tuple(others))
            expected = MEANT[self.kind].value(place)
            assert alike(expected, row[self.kind]), f"{self.kind} of {row}: {expected}"

    def members(self):
        """Members are those of the rows of all datasets below that have the dimensions, in each month."""
        asked = table()["features"]["members"]["members"]
        rows = self.engine.members(of=self.kind, period="2026-Q1", as_of=AS_OF, **asked).rows()
        found = [(row["channel"], row["visitor"], row["period"]) for row in rows]
        assert len(set(found)) == len(found)
        expected = {
            (row["channel"], row["visitor"], row["day"].replace(day=1))
            for dataset in datasets_of(MEANT[self.kind])
            for row in data()[dataset]
            if row["day"] is not None and START.date() <= row["day"] < END.date()
        }
        assert set(found) == expected

    def own_grain(self):
        blocks = {
            beginning(each.start, "block").date(): each for each in units_of(Place({}, QUARTER.window, END), "block")
        }
        self.whole(blocks)

    def grains(self):
        edges = sorted({*units("month"), *units("week"), END})
        starts = [max(floor(edge, grain, ALMANAC) for grain in ("month", "week")).date() for edge in edges]
        pieces = dict(zip(starts, (Window(a, b, ("step", 1, "week")) for a, b in pairwise(edges)), strict=False))
        rows = self.rows()
        assert len(rows) == len(pieces) == len(edges) - 1
        held(self.kind, rows, pieces, ())

    def previous_period(self):
        before = previous(QUARTER.window)
        compared(self.kind, self.whole(TOTAL, [before]), "previous_period", {None: before})

    def previous_year(self):
        before = {start: back(window, 1, "year") for start, window in months().items()}
        compared(self.kind, self.whole(months(), before.values()), "previous_year", before)

    def like_for_like(self):
        """The first ten days of March are compared with those of February, as of their end; the months that are over as ever."""
        now = datetime(2026, 3, 11)
        rows = self.rows()
        held(self.kind, rows, months(), as_of=now)
        before = {start: previous(window) for start, window in months().items()}
        over = [row for row in rows if row["period"] < date(2026, 3, 1)]
        compared(self.kind, over, "previous_period", before, now)
        part = datetime(2026, 2, 11)
        compared(self.kind, [row for row in rows if row not in over], "previous_period", before, part)

    def top(self):
        named = {row["channel"]: row[self.kind] for row in self.rows(top=None)}
        members = sorted(named, key=lambda each: (named[each] is None, -float(named[each] or 0), each is None, each))
        rows = self.rows()
        assert [row["channel"] for row in rows if not row["channel__others"]] == members[:2]
        assert [row["channel__others"] for row in rows] == [False, False, *([True] if members[2:] else [])]
        held(self.kind, rows[:2], TOTAL)
        held(self.kind, [{**row, "channel": Others(members[2:])} for row in rows[2:]], TOTAL)

    def rank(self):
        for row in (rows := self.rows()):
            alike = [each[self.kind] for each in rows if each["period"] == row["period"]]
            value = row[self.kind]
            place = None if value is None else 1 + sum(each is not None and each > value for each in alike)
            assert row[f"{self.kind}__rank"] == place, row

    def share_of_total(self):
        for row in self.rows():
            whole = MEANT[self.kind].value(Place({}, months()[row["period"]], datetime(2026, 12, 31)))
            known = whole is not None and whole > 0 and row[self.kind] is not None
            assert alike(float(row[self.kind]) / float(whole) if known else None, row[f"{self.kind}__share"]), row

    def having(self):
        known = [row for row in self.rows() if row[self.kind] is not None]
        bound = median([float(row[self.kind]) for row in known])
        kept = [row for row in known if float(row[self.kind]) >= bound]
        assert self.rows(having={self.kind: {">=": bound}}) == kept

    def order(self):
        every = self.rows(limit=None)
        largest = sorted(every, key=lambda row: (row[self.kind] is None, -float(row[self.kind] or 0)))
        assert self.rows(order=f"-{self.kind}") == largest[:4]

    def where(self, kept=frozenset({"mail", None})):
        rows = self.rows()
        assert len(rows) == 3 or self.engine.project.kpis[self.kind].frame == "observed"
        held(self.kind, rows, months(), (), filters=(("channel", lambda row: row["channel"] in kept),))

    where_sql = where

    def among(self):
        self.where(often(self.engine))

    def periods(self):
        rows = self.rows()
        assert {row["period"] for row in rows} == {date(2026, 2, 1), date(2026, 3, 1)}
        held(self.kind, rows, months(), ())

    def sparse(self):
        weeks = months(grain="week")
        rows = self.rows()
        assert {(row["channel"], row["period"]) for row in rows} == observed(self.kind, weeks), self.kind
        held(self.kind, rows, weeks)

    def unfinished(self):
        result = self.run()
        assert result.unfinished
        held(self.kind, result.rows(), months(), as_of=datetime(2026, 3, 11))

    def always(self):
        held(self.kind, self.rows(), {None: ALWAYS.window}, self.by)
        held(self.kind, [self.run().totals()], {None: ALWAYS.window}, ())


def units(grain):
    at = floor(START, grain, ALMANAC)
    while at < END:
        yield max(at, START)
        at = following(at, grain)


def compared(kind, rows, name, before, as_of=datetime(2026, 12, 31)):
    """Check the earlier values and the changes; a member without rows in all that is compared with has no units of time there."""
    seen = expected_members([kind], before.values(), as_of=as_of)
    for row in rows:
        place = Place({"channel": row["channel"]}, before[row.get("period")], as_of)
        earlier, change = row[f"{kind}__{name}"], row[f"{kind}__{name}_change"]
        there = (row["channel"],) in seen or not (isinstance(MEANT[kind], Per) and MEANT[kind].unit)
        assert alike(MEANT[kind].value(place) if there else None, earlier), row
        known = earlier is not None and earlier > 0 and row[kind] is not None
        assert alike((float(row[kind]) - float(earlier)) / float(earlier) if known else None, change), row


def often(engine):
    counted = engine.run("count", by="channel", as_of=AS_OF).rows()
    found = {row["channel"] for row in counted if row["count"] > 35}
    assert 0 < len(found) < len(counted)
    return found


def observed(kind, windows):
    """Give the members and periods that have rows: of the period itself, or of any stretch where a KPI reads only others.

    Units of time are rows too: every member that is seen in one has all of them.
    """
    if isinstance(MEANT[kind], Per) and MEANT[kind].unit:
        return {(member, period) for (member,) in expected_members([kind], windows.values()) for period in windows}
    found = [
        ((row["channel"], period), at.moved)
        for period, window in windows.items()
        for row, at in MEANT[kind].seen(Place({}, window, datetime(2026, 12, 31)))
        if not at.ignores("channel")
    ]
    own = {key for key, moved in found if not moved}
    return own or {key for key, _ in found}


@pytest.mark.parametrize("feature", FEATURES)
def test_a_request_of_each_kind(engine, feature):
    for kind in KINDS:
        asking, refusal = Asking(engine, kind, feature), refused_request(feature, kind)
        if refusal is None:
            asking.check()
            continue
        with pytest.raises(RequestError) as caught:
            asking.run()
        assert caught.value.code == refusal["code"], kind
