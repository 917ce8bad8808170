"""What each pair of the table of compositions must give: rows in Python, values as functions of a place, modifiers as changes of place.

It shares with the engine nothing but the language: no SQL, no code, and the oracle's calendar.
"""
# ruff: noqa: DTZ001 - local times carry no zone

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cache
from random import Random
from typing import Any

from oracle_calendar import DAY, Almanac, Window, back, covering, floor, following, previous

ALMANAC = Almanac()
FIRST_BLOCK, BLOCK = datetime(2023, 10, 2), timedelta(weeks=4)
Row = dict[str, Any]
Test = Callable[[Row], bool]
Value = Fraction | None


@cache
def data() -> dict[str, list[Row]]:
    """Make the rows of the project: unknown keys, members and times, months without rows, and rows outside all periods."""
    random = Random(11)  # noqa: S311 - the same rows again
    first = date(2025, 1, 10)

    def day(span: int = 470) -> date:
        found = first + timedelta(days=random.randrange(span))
        return found if random.random() < 0.3 else date(2026, random.choice((1, 2, 3)), random.randint(1, 28))

    def maybe(value: Any, rate: float = 0.15) -> Any:
        return None if random.random() < rate else value

    regions = {1: "north", 2: "south", 3: None}
    visits = [
        {
            "id": n, "day": maybe(day(), 0.03), "paid_on": maybe(day()), "channel": maybe(random.choice(("mail", "ads", "web"))),
            "device": maybe(random.choice(("app", "web"))), "visitor": maybe(random.choice("abcdef")), "outlet_id": maybe(random.choice((1, 2, 3, 9))),
            "amount": maybe(random.randint(-5, 40)), "weight": maybe(random.randint(1, 4)),
        }
        for n in range(150)
    ]  # fmt: skip
    for row in visits:
        row["region"] = regions.get(row["outlet_id"] or 0)
    orders = [
        {"id": n, "day": day(), "paid_on": maybe(day()), "channel": maybe(random.choice(("mail", "ads"))), "visitor": maybe(random.choice("abcdef")), "amount": random.randint(1, 90)}
        for n in range(60)
    ]  # fmt: skip
    found = {
        (account, day()): {"noted_on": maybe(day()), "channel": maybe(random.choice(("mail", "ads"))), "visitor": maybe(random.choice("abc")), "size": maybe(random.randint(1, 300))}
        for account in (1, 2, 3, 4) for _ in range(9)
    }  # fmt: skip
    levels = [{"account": account, "day": when, **rest} for (account, when), rest in found.items()]
    payments = [
        {"id": n, "day": day(), "channel": maybe(random.choice(("mail", "ads"))), "visitor": maybe(random.choice("abc")), "amount": maybe(Decimal(random.randint(1, 9999)) / 100), "currency": random.choice(("EUR", "USD"))}
        for n in range(60)
    ]  # fmt: skip
    rates = [
        {
            "currency": "USD",
            "target": "EUR",
            "day": date(2024, 12, 1) + timedelta(days=17 * n),
            "rate": Decimal(80 + n) / 100,
        }
        for n in range(50)
    ]
    for row in payments:
        at = max(rate["day"] for rate in rates if rate["day"] <= row["day"])
        factor = next(rate["rate"] for rate in rates if rate["day"] == at) if row["currency"] == "USD" else Decimal(1)
        row["in_euro"] = None if row["amount"] is None else row["amount"] * factor
    blocks = [{"first": FIRST_BLOCK.date() + n * BLOCK} for n in range(60)]
    found = {"visits": visits, "orders": orders, "levels": levels}
    return {**found, "payments": payments, "rates": rates, "blocks": blocks}


@dataclass(frozen=True)
class Place:
    """Where a value is asked for: the members of the split, the window, the conditions and the dimensions that are ignored."""

    member: Mapping[str, Any]
    window: Window
    as_of: datetime
    where: tuple[Test, ...] = ()
    filters: tuple[tuple[str, Test], ...] = ()
    """The request's filters, each with the dimension that it is about."""
    ignored: frozenset[str] = frozenset()
    moved: bool = False
    """Whether it is another stretch of time than the row of the answer is about."""
    more: tuple[Window, ...] = ()
    """Other stretches that the place has beside `window`: all Mondays of a quarter."""

    @property
    def windows(self) -> tuple[Window, ...]:
        return (self.window, *self.more)

    def each(self) -> list[Place]:
        """Give the place in each of its stretches."""
        return [replace(self, window=window, more=()) for window in self.windows]

    def ignores(self, name: str) -> bool:
        return name in self.ignored or "all" in self.ignored

    def within(self, row: Row) -> bool:
        """Say whether a row is of this place's members, and passes what is asked of it."""
        return (
            all(self.ignores(name) or row.get(name) == value for name, value in self.member.items())
            and all(test(row) for test in self.where)
            and all(self.ignores(name) or test(row) for name, test in self.filters)
        )


class Others(frozenset[Any]):
    """All members but those that are shown: it equals each of them."""

    def __eq__(self, other: object) -> bool:
        return other in self

    __hash__ = frozenset.__hash__


class Kind:
    """A value at every place; `seen` gives the rows that make members, each with the place it was read at."""

    frame = "whole"

    def value(self, place: Place) -> Value:
        raise NotImplementedError

    def seen(self, place: Place) -> Iterator[tuple[Row, Place]]:
        raise NotImplementedError


@dataclass(frozen=True)
class Rows:
    """The rows of an input: of which dataset, by which time, taken how, which of them."""

    dataset: str
    tables: Mapping[str, list[Row]] = field(repr=False)
    time: str = "day"
    take: str = "rows"
    where: Test = lambda _: True

    def at(self, place: Place) -> list[Row]:
        timed = [(row, midnight(row[self.time])) for row in self.tables[self.dataset] if row[self.time] is not None]
        known = [(row, at) for row, at in timed if at < place.as_of]
        inside = [(row, at) for row, at in known if any(holds(each, at) for each in place.windows)]
        if self.take == "rows":
            return [row for row, _ in inside if place.within(row) and self.where(row)]
        if self.take in {"first", "last"}:
            asked = replace(place, member={})
            inside = [(row, at) for row, at in inside if asked.within(row) and self.where(row)]
            return [row for row in _edge(inside, last=self.take == "last") if place.within(row)]
        bound = place.windows[-1].end if self.take == "closing" else place.window.start
        if bound is None and self.take == "opening":
            return []
        until = place.as_of if bound is None else min(bound, place.as_of)
        return [
            row
            for row in _edge([(row, at) for row, at in known if at < until], last=True)
            if place.within(row) and self.where(row)
        ]


def holds(window: Window, at: datetime) -> bool:
    """Say whether a moment lies in a stretch."""
    return (window.start is None or window.start <= at) and (window.end is None or at < window.end)


def _edge(rows: list[tuple[Row, datetime]], *, last: bool) -> list[Row]:
    choose = max if last else min
    best: dict[Any, datetime] = {}
    for row, at in rows:
        best[row["account"]] = choose(best.get(row["account"], at), at)
    return [row for row, at in rows if at == best[row["account"]]]


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)


@dataclass(frozen=True)
class Leaf(Kind):
    """An aggregate over rows."""

    rows: Rows
    aggregate: Callable[[list[Row]], Value]
    filter: Test = lambda _: True
    frame: str = "whole"

    def value(self, place: Place) -> Value:
        return self.aggregate([row for row in self.rows.at(place) if self.filter(row)])

    def seen(self, place: Place) -> Iterator[tuple[Row, Place]]:
        yield from ((row, place) for row in self.rows.at(place) if self.filter(row))


@dataclass(frozen=True)
class Moved(Kind):
    """A KPI at another place."""

    below: Kind
    change: Callable[[Place], Place]

    def value(self, place: Place) -> Value:
        return self.below.value(self.changed(place))

    def changed(self, place: Place) -> Place:
        first, *others = [self.change(each) for each in place.each()]
        return replace(first, more=tuple(each.window for each in others))

    def seen(self, place: Place) -> Iterator[tuple[Row, Place]]:
        changed = self.changed(place)
        yield from self.below.seen(replace(changed, moved=place.moved or changed.window is not place.window))


@dataclass(frozen=True)
class Formula(Kind):
    """A formula over the values of KPIs."""

    parts: tuple[Kind, ...]
    formula: Callable[..., Value]
    frame: str = "whole"

    def value(self, place: Place) -> Value:
        return self.formula(*(part.value(place) for part in self.parts))

    def seen(self, place: Place) -> Iterator[tuple[Row, Place]]:
        for part in self.parts:
            yield from part.seen(place)


@dataclass(frozen=True)
class Per(Kind):
    """An aggregate over the values of a KPI for each member of `names`, or for each `unit` of time."""

    below: Kind
    aggregate: Callable[[list[Value]], Value]
    names: tuple[str, ...] = ()
    unit: str = ""

    def value(self, place: Place) -> Value:
        return self.aggregate([self.below.value(each) for each in self.places(place)])

    def places(self, place: Place) -> Iterator[Place]:
        if self.unit:
            for window in (each for at in place.each() for each in units(at, self.unit)):
                inner = replace(place, window=window, more=())
                if self.below.frame == "whole" or any(True for _ in self.below.seen(inner)):
                    yield inner
            return
        needed = {*place.member, *self.names}
        found = dict.fromkeys(
            tuple(row.get(name) for name in self.names)
            for row, at in self.below.seen(place)
            if not any(at.ignores(name) for name in needed)
        )
        for entity in found:
            yield replace(place, member={**place.member, **dict(zip(self.names, entity, strict=True))})

    def seen(self, place: Place) -> Iterator[tuple[Row, Place]]:
        if not self.unit:
            for row, at in self.below.seen(place):
                if not any(at.ignores(name) for name in self.names):
                    yield row, at
            return
        for window in (each for at in place.each() for each in units(at, self.unit)):
            yield from self.below.seen(replace(place, window=window, more=()))


def beginning(moment: datetime, unit: str) -> datetime:
    """Give the start of the unit that a moment lies in; a block has four weeks."""
    if unit == "block":
        return FIRST_BLOCK + (moment - FIRST_BLOCK) // BLOCK * BLOCK
    return floor(moment, unit, ALMANAC)


def units(place: Place, unit: str) -> Iterator[Window]:
    """Cut a window into the units of time up to what is known; what has no beginning is refused, and stands here as one."""
    window = place.window
    if window.start is None:
        yield window
        return
    end = place.as_of if window.end is None else min(window.end, place.as_of)
    step = ("step", 28, "day") if unit == "block" else ("step", 1, unit)
    start = beginning(window.start, unit)
    while start < end:
        after = start + BLOCK if unit == "block" else following(start, unit)
        yield Window(max(start, window.start), min(after, end), step, unit == "week")
        start = after


@dataclass(frozen=True)
class Converted(Kind):
    """How many later rows are given to rows of the earlier input: by visitor, the last before, within so many days."""

    later: Rows
    earlier: Rows
    aggregate: Callable[[list[Row]], Value]
    days: int = 20
    frame: str = "observed"

    def value(self, place: Place) -> Value:
        return self.aggregate([row for row, _ in self.seen(place)])

    def seen(self, place: Place) -> Iterator[tuple[Row, Place]]:
        anywhere = replace(place, member={}, window=Window(None, None))
        earlier = self.earlier.at(anywhere)
        inside = {row["id"] for row in self.earlier.at(place)}
        for row in self.later.at(Place({}, Window(None, None), place.as_of)):
            at = row[self.later.time]
            before = [
                each for each in earlier
                if row["visitor"] is not None and each["visitor"] == row["visitor"] and timedelta(0) <= at - each["day"] <= timedelta(days=self.days)
            ]  # fmt: skip
            if before:
                given = min(before, key=lambda each: (-each["day"].toordinal(), each["id"]))
                if given["id"] in inside:
                    yield {**given, **{k: v for k, v in row.items() if k not in given}, "later": row}, place


# -- aggregates of rows and of values


def count(rows: list[Row]) -> Value:
    return Fraction(len(rows))


def known(rows: Iterable[Row], name: str) -> list[Fraction]:
    return [Fraction(row[name]) for row in rows if row[name] is not None]


def summed(name: str, *, nothing: Value = Fraction(0)) -> Callable[[list[Row]], Value]:
    def found(rows: list[Row]) -> Value:
        values = known(rows, name)
        return sum(values, Fraction(0)) if values else (None if rows else nothing)

    return found


def mean(values: Iterable[Value]) -> Value:
    some = [value for value in values if value is not None]
    return sum(some, Fraction(0)) / len(some) if some else None


def total(values: Iterable[Value]) -> Value:
    every = list(values)
    some = [value for value in every if value is not None]
    return sum(some, Fraction(0)) if some else (None if every else Fraction(0))


def edge(values: list[Value], index: int) -> Value:
    some = [value for value in values if value is not None]
    return some[index] if some else None


def divided(above: Value, below: Value) -> Value:
    return None if above is None or not below else above / below


def quantile(values: list[Fraction], fraction: Fraction) -> Value:
    if not values:
        return None
    place = fraction * (len(values) - 1)
    low, ordered = int(place), sorted(values)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


# -- modifiers of a KPI


def moved_back(count: int, unit: str) -> Callable[[Place], Place]:
    return lambda place: replace(place, window=back(place.window, count, unit))


def step_back(place: Place) -> Place:
    return replace(place, window=previous(place.window))


def first_day(place: Place) -> Place:
    window = place.window
    if window.start is None:
        return place
    start = floor(window.start, "month", ALMANAC)
    return replace(place, window=replace(window, start=start, end=start + DAY))


def covers(*said: Any) -> Callable[[Place], Place]:
    return lambda place: replace(place, window=covering(place.window, said, place.as_of, ALMANAC))


def block_so_far(place: Place) -> Place:
    end = place.as_of if place.window.end is None else min(place.window.end, place.as_of)
    start = beginning(end - timedelta(microseconds=1), "block")
    return replace(place, window=replace(place.window, start=start, end=end))


def across(name: str) -> Callable[[Place], Place]:
    return lambda place: replace(place, ignored=place.ignored | {name})


def asked(test: Test) -> Callable[[Place], Place]:
    return lambda place: replace(place, where=(*place.where, test))
