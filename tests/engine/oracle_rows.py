"""The rows that an input sees, for the oracle: their times, joins, levels and conversions, worked out one by one."""
# ruff: noqa: DTZ001, DTZ901 - local times carry no zone

from __future__ import annotations

from bisect import bisect_left
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from itertools import count, takewhile
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from oracle_calendar import Window, back
from oracle_cohorts import AGE, aged, is_over
from oracle_money import Exchange
from oracle_terms import Terms, paths

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from oracle_cohorts import Followed
    from oracle_model import Condition, Dataset, Input, Link, Model, Row, Term

OTHERS = ("others",)
"""All members of a dimension that are none of the first, as one."""
Groups = dict[tuple[Any, ...], list["Item"]]


class Item:
    """One row with its time; of a conversion the later row, and the earlier one, `base`, that it is given to."""

    __slots__ = ("age", "at", "base", "dataset", "found", "row")

    def __init__(
        self, dataset: str, row: Row, at: datetime | None, base: Item | None = None, age: int | None = None
    ) -> None:
        self.dataset = dataset
        self.row = row
        self.at = at if base is None else base.at
        self.base = base
        self.age = age
        self.found: dict[str, Any] = {}


class Rows:
    """Gives the rows of inputs, under the parameters and the moment of one question."""

    def __init__(self, model: Model, parameters: Mapping[str, Any], as_of: datetime) -> None:
        self.model = model
        self.as_of = as_of
        self.terms = Terms({name: default for name, (_, default) in model.parameters.items()} | dict(parameters))
        self.first: tuple[str, tuple[Any, ...]] = ("", ())
        """A dimension whose members are told apart only if they stand here."""
        self._exchange: Exchange | None = None
        self._zone = ZoneInfo(model.almanac.zone)
        self._items: dict[tuple[str, str], list[Item]] = {}
        self._populations: dict[Any, list[Item]] = {}
        self._groups: dict[Any, Groups] = {}
        self._held: dict[Any, set[int]] = {}
        self._keys: dict[Any, dict[tuple[Any, ...], list[Row]]] = {}

    # -- which rows

    def grouped(
        self,
        used: Input,
        base: Input | None,
        window: Window,
        conditions: tuple[Condition | None, ...],
        names: tuple[str, ...],
    ) -> Groups:
        """Give the rows of an input in a window that satisfy conditions, by their members."""
        bare = replace(used, across=frozenset(), offset=None, covers=(), per=(), unit="", among=())
        key = (bare, base, window.start, window.end, conditions, names)
        if key not in self._groups:
            groups: Groups = {}
            for item in self._covered(base or bare, self._population(bare, base, conditions), window):
                groups.setdefault(tuple(self.member(item, name) for name in names), []).append(item)
            self._groups[key] = groups
        return self._groups[key]

    def every(self, used: Input, conditions: tuple[Condition | None, ...]) -> list[Item]:
        """Give all rows of an input that satisfy conditions, whenever they count."""
        return self._population(replace(used, across=frozenset(), offset=None, covers=()), None, conditions)

    def _population(self, used: Input, base: Input | None, conditions: tuple[Condition | None, ...]) -> list[Item]:
        """Give all rows that satisfy the input's condition and others, in the order of time; `conditions` end with that of the aggregate."""
        key = (used, base, conditions)
        if key not in self._populations:
            *outer, inner = conditions
            own = [each for each in (used.where, inner) if each]
            if (base or used).followed is not None:
                found = self._aged(used, base, conditions)
            elif base is None:
                found = self._satisfying(used, [*own, *(each for each in outer if each)])
            else:
                earlier = self._satisfying(
                    base, [*([base.where] if base.where else []), *(each for each in outer if each)]
                )
                found = self._given(used, base, self._satisfying(used, own), earlier)
            self._populations[key] = sorted(found, key=lambda item: item.at or datetime.min)
        return self._populations[key]

    def _satisfying(self, used: Input, conditions: list[Condition]) -> list[Item]:
        return [
            item
            for item in self.items(used.source, used.time)
            if all(self.truth(each, item) is True for each in conditions)
        ]

    def _aged(self, used: Input, base: Input | None, conditions: tuple[Condition | None, ...]) -> list[Item]:
        """Give the rows of a cohort, once for each age that is over, or the rows that follow it, each with its age."""
        *outer, inner = conditions
        asked = [each for each in outer if each]
        cohort = base or used
        followed = cohort.followed
        assert followed is not None
        firsts = self._firsts(cohort, followed)
        if followed.oldest is not None:
            firsts = {key: each for key, each in firsts.items() if self._is_over(each, followed.oldest, followed)}
        if base is None:
            ages = [(each, age) for each in firsts.values() for age in self._ages_over(each, followed)]
            items = [Item(each.dataset, each.row, each.at, None, age) for each, age in ages]
            if followed.oldest is not None:
                items = [*firsts.values()]
                asked = [each for each in asked if AGE not in paths(each)]
            tests = [*asked, *([inner] if inner else [])]
            return [item for item in items if all(self.truth(each, item) is True for each in tests)]
        own = [each for each in (used.where, inner) if each]
        items = list(self._following(used, cohort, firsts, self._satisfying(used, own)))
        return [item for item in items if all(self._asked(each, item) is True for each in asked)]

    def _asked(self, condition: Condition, item: Item) -> bool | None:
        """Evaluate what a question asks of a later row: of its age, or of the row that it follows."""
        assert item.base is not None
        base = Item(item.base.dataset, item.base.row, item.base.at, None, item.age)
        return self.truth(condition, base)

    def _firsts(self, cohort: Input, followed: Followed) -> dict[tuple[Any, ...], Item]:
        """Give the first row of each entity that satisfies the cohort's own condition."""
        key = self.model.datasets[cohort.source].key
        found: dict[tuple[Any, ...], Item] = {}
        for item in self._satisfying(cohort, [cohort.where] if cohort.where else []):
            entity = tuple(self.path(item, name) for name in followed.keys)
            if None in entity:
                continue
            best = found.get(entity)
            place = (item.at, [item.row[name] for name in key])
            if best is None or place < (best.at, [best.row[name] for name in key]):
                found[entity] = item
        return found

    def _following(
        self, used: Input, cohort: Input, firsts: Mapping[tuple[Any, ...], Item], later: Iterable[Item]
    ) -> Iterable[Item]:
        followed, conversion = cohort.followed, used.conversion
        assert followed is not None
        assert conversion is not None
        of_days = [self._kind_of_time(used), self._kind_of_time(cohort)].count("date") == 1
        for item in later:
            first = firsts.get(tuple(self.path(item, here) for here, _ in conversion.keys))
            if (
                first is None
                or first.at is None
                or item.at is None
                or not _not_after(first.at, item.at, of_days=of_days)
            ):
                continue
            age = aged(first.at, item.at, followed.unit, self.model.almanac)
            if self._is_over(first, age, followed):
                yield Item(item.dataset, item.row, item.at, first, age)

    def _is_over(self, item: Item, age: int, followed: Followed) -> bool:
        assert item.at is not None
        return is_over(item.at, age, followed.unit, self.model.almanac, self.as_of)

    def _ages_over(self, item: Item, followed: Followed) -> Iterable[int]:
        return takewhile(lambda age: self._is_over(item, age, followed), count())

    def _given(self, used: Input, base: Input, later: list[Item], earlier: list[Item]) -> list[Item]:
        """Give each later row to the last, or the first, earlier row of its entity that is not too long before it."""
        conversion = used.conversion
        assert conversion is not None
        key = self.model.datasets[base.source].key
        kinds = [self._kind_of_time(used), self._kind_of_time(base)]
        of_days = kinds.count("date") == 1
        found = []
        for item in later:
            assert item.at is not None
            since = None
            if conversion.within is not None:
                since = back(Window(item.at, item.at), *conversion.within).start
            entity = [self.path(item, here) for here, _ in conversion.keys]
            if None in entity:
                continue
            fitting = [
                each
                for each in earlier
                if each.at is not None
                and _not_after(each.at, item.at, of_days=of_days)
                and (since is None or _not_after(since, each.at, of_days=of_days))
                and [self.path(each, there) for _, there in conversion.keys] == entity
            ]
            if fitting:
                edge = (min if conversion.first else max)(each.at for each in fitting if each.at is not None)
                chosen = min(
                    (each for each in fitting if each.at == edge), key=lambda each: [each.row[name] for name in key]
                )
                found.append(Item(item.dataset, item.row, item.at, chosen))
        return found

    def items(self, name: str, time: str) -> list[Item]:
        """Give the rows of a dataset that are known at the moment of the question, with their local times."""
        if (name, time) not in self._items:
            dataset = self.model.datasets[name]
            path = dataset.times[time] if time else dataset.time
            if path:
                made = [Item(name, row, self._moment(name, row, path)) for row in dataset.rows]
                self._items[name, time] = [each for each in made if each.at is not None and each.at < self.as_of]
            else:
                self._items[name, time] = [Item(name, row, None) for row in dataset.rows]
        return self._items[name, time]

    def _moment(self, name: str, row: Row, path: Term) -> datetime | None:
        item = Item(name, row, None)
        found = self.terms.value(path, lambda each: self.cell(item, each))
        return None if found is None else self.local(found, self._kind(name, path))

    def _kind_of_time(self, used: Input) -> str:
        dataset = self.model.datasets[used.source]
        return self._kind(used.source, dataset.times[used.time] if used.time else dataset.time)

    def _kind(self, name: str, path: Term) -> str:
        while not isinstance(path, str):
            path = path[1]
        *hops, column = path.split(".")
        for hop in hops:
            name = self.model.datasets[name].joins[hop].to
        return self.model.datasets[name].types[column]

    def _covered(self, used: Input, items: list[Item], window: Window) -> Iterable[Item]:
        """Give the rows that count in a window: those in it, the levels that hold at its end or start, or its first or last."""
        take = self.take(used)
        if not items or items[0].at is None:
            return items
        if take in {"closing", "opening"}:
            bound = window.end if take == "closing" else window.start
            if take == "opening" and bound is None:
                return []
            held = self._holding(used, self.as_of if bound is None else min(bound, self.as_of))
            return [item for item in items if id(item) in held]
        times = [item.at for item in items]
        first = 0 if window.start is None else bisect_left(times, window.start)  # type: ignore[type-var]
        after = len(items) if window.end is None else bisect_left(times, window.end)  # type: ignore[type-var]
        inside = items[first:after]
        return inside if take == "rows" else self._edge(used, inside, take)

    def _edge(self, used: Input, items: list[Item], take: str) -> list[Item]:
        edges: dict[tuple[Any, ...], datetime] = {}
        for item in items:
            assert item.at is not None
            entity = self._entity(used, item)
            if take == "last" or entity not in edges:
                edges[entity] = item.at
        return [item for item in items if edges[self._entity(used, item)] == item.at]

    def _holding(self, used: Input, instant: datetime) -> set[int]:
        """Find all rows at the last reading of each entity before an instant, unless that is older than it is kept."""
        key = (used.source, used.time, instant)
        if key not in self._held:
            keep = self.model.datasets[used.source].keep
            oldest = back(Window(instant, instant), *keep).start if keep else None
            known = [each for each in self.items(used.source, used.time) if each.at is not None and each.at < instant]
            latest: dict[tuple[Any, ...], datetime] = {}
            for item in known:
                assert item.at is not None
                entity = self._entity(used, item)
                latest[entity] = max(latest.get(entity, item.at), item.at)
            self._held[key] = {
                id(item)
                for item in known
                if latest[self._entity(used, item)] == item.at
                and (oldest is None or (item.at is not None and item.at >= oldest))
            }
        return self._held[key]

    def _entity(self, used: Input, item: Item) -> tuple[Any, ...]:
        return tuple(item.row[name] for name in self.model.datasets[used.source].entity or ())

    def take(self, used: Input) -> str:
        """Say what an input takes of a dataset."""
        return used.take or ("closing" if self.model.datasets[used.source].entity is not None else "rows")

    # -- money

    def amount(self, item: Item, path: str, to: str) -> Any:
        """Give the value of a path; of an amount of money what it is worth in a currency."""
        found = self.path(item, path)
        currency = self.model.datasets[item.dataset].currencies.get(path)
        if not to or found is None or currency is None:
            return found
        assert item.at is not None
        if self._exchange is None:
            name, rates = next((name, each) for name, each in self.model.datasets.items() if each.rates is not None)
            assert rates.rates is not None
            kind = self.model.datasets[name].types["since"]
            self._exchange = Exchange(rates.rates, rates.rows, lambda value: self.local(value, kind))
        return Fraction(found) * self._exchange.rate(item.row[currency], to, item.at)

    def recorded(self, items: Iterable[Item], names: set[str]) -> set[str]:
        """Name the currencies of the amounts that rows have."""
        found: set[str] = set()
        for item in items:
            known = self.model.datasets[item.dataset].currencies
            found |= {item.row[known[name]] for name in names if name in known and item.row[name] is not None}
        return found - {None}

    # -- names

    def local(self, value: Any, kind: str) -> datetime:
        """Give the local time of a cell: instants and UTC timestamps are converted, dates are midnights."""
        if kind == "date":
            return datetime(value.year, value.month, value.day)
        if kind == "local":
            return value  # type: ignore[no-any-return]
        aware = value.replace(tzinfo=UTC) if kind == "utc" else value
        return aware.astimezone(self._zone).replace(tzinfo=None, fold=0)  # type: ignore[no-any-return]

    def truth(self, condition: Condition, item: Item) -> bool | None:
        """Evaluate a condition on a row."""
        if condition[0] == "among":
            return bool(condition[2](self.path(item.base or item, condition[1])))
        return self.terms.truth(condition, lambda path: self.path(item, path))

    def member(self, item: Item, name: str) -> Any:
        """Give the member of a dimension or an age, or the value of a column: of the earlier row of a conversion; those that are none of the first are one."""
        found = item.age if name == AGE else self.path(item.base or item, name)
        return OTHERS if name == self.first[0] and found not in self.first[1] else found

    def path(self, item: Item, path: str) -> Any:
        """Follow a name over the joins: a dimension first, then a column; nothing is found where a key is unknown or dangling."""
        if path == AGE:
            return item.age
        if path not in item.found:
            meant = self.model.datasets[item.dataset].dimensions.get(path, path)
            item.found[path] = (
                self.cell(item, meant)
                if isinstance(meant, str)
                else self.terms.value(meant, lambda each: self.cell(item, each))
            )
        return item.found[path]

    def cell(self, item: Item, path: str) -> Any:
        """Follow a path of joins and a column."""
        *hops, column = path.split(".")
        dataset, row = item.dataset, item.row
        for hop in hops:
            link = self.model.datasets[dataset].joins[hop]
            found = self._joined(self.model.datasets[link.to], link, row, item.at)
            if found is None:
                return None
            dataset, row = link.to, found
        return row[column]

    def _joined(self, other: Dataset, link: Link, row: Row, at: datetime | None) -> Row | None:
        theirs = tuple(link.keys.values())
        if (link.to, theirs) not in self._keys:
            index: dict[tuple[Any, ...], list[Row]] = {}
            for each in other.rows:
                index.setdefault(tuple(each[name] for name in theirs), []).append(each)
            self._keys[link.to, theirs] = index
        key = tuple(row[here] for here in link.keys)
        if None in key:
            return None
        for each in self._keys[link.to, theirs].get(key, ()):
            if link.valid is None:
                return each
            since, until = (
                None if each[name] is None else self.local(each[name], other.types[name]) for name in link.valid
            )
            if at is not None and since is not None and since <= at and (until is None or at < until):
                return each
        return None


def _not_after(one: datetime, other: datetime, *, of_days: bool) -> bool:
    """Say that a moment comes at or before another; of a day and a moment only the days can be compared."""
    return one.date() <= other.date() if of_days else one <= other
