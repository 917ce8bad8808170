"""The oracle: what every number must be, worked out row by row in plain Python from the rules of the language.

No SQL, no code of the engine: rows are dicts, numbers are Fractions, unknown is None. It is slow, and that is its virtue.
"""
# ruff: noqa: DTZ001 - local times carry no zone

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from oracle_calendar import Window, back, covering, frame, previous, year_before

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from decimal import Decimal

    from oracle_model import Condition, Dataset, Formula, Input, Kpi, Link, Model, Question, Row


@dataclass(frozen=True)
class Place:
    """Where a value is looked for: a member, a window, and what the KPIs above have said."""

    member: Mapping[str, Any]
    window: Window
    ignored: frozenset[str] = frozenset()
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True)
class Seen:
    """One row of an input: of a dataset with its time, or of a finished KPI with its entity."""

    dataset: str
    row: Row
    at: datetime | None


class Oracle:
    """Answers questions over a model."""

    def __init__(self, model: Model, question: Question) -> None:
        self.model = model
        self.question = question
        self.zone = ZoneInfo(model.almanac.zone)

    # -- the answer

    def members(self) -> set[tuple[Any, ...]]:
        """Give the members that some input of the request sees, in any range that the request touches."""
        if not self.question.by:
            return {()}
        found: set[tuple[Any, ...]] = set()
        for _, window in frame(self.question.period, self.question.grain, self.model.almanac):
            for moved in (window, *(self._compared(window, name) for name in self.question.compare)):
                for kpi in self.question.kpis:
                    found |= self._members_of(kpi, Place({}, moved))
        return found

    def rows(self, members: Iterable[tuple[Any, ...]]) -> dict[tuple[Any, ...], dict[str, Fraction | None]]:
        """Give the values for each member and period, by `(*member, first day)`."""
        return {
            (*member, first and first.date()) if self.question.grain else member: self._cell(
                dict(zip(self.question.by, member, strict=True)), window
            )
            for member in members
            for first, window in frame(self.question.period, self.question.grain, self.model.almanac)
        }

    def totals(self) -> dict[str, Fraction | None]:
        """Give the totals: one member, one period."""
        return self._cell({}, self.question.period.window)

    def _cell(self, member: Mapping[str, Any], window: Window) -> dict[str, Fraction | None]:
        values = {kpi: self.value(kpi, Place(member, window)) for kpi in self.question.kpis}
        for name in self.question.compare:
            for kpi in self.question.kpis:
                before = self.value(kpi, Place(member, self._compared(window, name)))
                values[f"{kpi}__{name}"] = before
                values |= self._change(kpi, name, values[kpi], before)
        return values

    def _change(self, kpi: str, name: str, now: Fraction | None, before: Fraction | None) -> dict[str, Fraction | None]:
        known = now is not None and before is not None
        if self.model.kpis[kpi].percent:
            return {f"{kpi}__{name}_points": now - before if known else None}  # type: ignore[operator]
        return {f"{kpi}__{name}_change": (now - before) / before if known and before > 0 else None}  # type: ignore[operator]

    def _compared(self, window: Window, name: str) -> Window:
        return previous(window) if name == "previous_period" else year_before(window)

    # -- values

    def value(self, kpi: str, place: Place) -> Fraction | None:
        """Evaluate a KPI for a member and a window."""
        return self._evaluate(self.model.kpis[kpi], self.model.kpis[kpi].formula, place)

    def _evaluate(self, kpi: Kpi, formula: Formula, place: Place) -> Fraction | None:
        kind = formula[0]
        if kind == "num":
            return Fraction(formula[1])
        if kind == "coalesce":
            found = self._evaluate(kpi, formula[1], place)
            return Fraction(formula[2]) if found is None else found
        if kind == "input":
            used = kpi.inputs[formula[1]]
            return self.value(used.source, self._inside(used, place))
        if kind == "agg":
            return self._aggregate(kpi, formula, place)
        left, right = (self._evaluate(kpi, each, place) for each in formula[1:])
        if left is None or right is None or (kind == "/" and right == 0):
            return None
        return {"+": left + right, "-": left - right, "*": left * right}[kind] if kind != "/" else left / right

    def _aggregate(self, kpi: Kpi, formula: Formula, place: Place) -> Fraction | None:
        _, function, name, path, condition = formula
        used = kpi.inputs[name]
        rows = [seen for seen in self._rows(used, place) if condition is None or self._holds(condition, seen)]
        if function == "count":
            return Fraction(len(rows))
        known = [value for value in (self._look(seen, path) for seen in rows) if value is not None]
        if function in {"known", "distinct"}:
            return Fraction(len(known) if function == "known" else len(set(known)))
        if not known:
            level = not used.per and self._take(used) != "rows"
            return Fraction(0) if function == "sum" and not rows and not kpi.empty_unknown and not level else None
        return _of([Fraction(value) for value in known], function)

    def _inside(self, used: Input, place: Place) -> Place:
        """Apply an input's modifiers: what it covers of the offset window; conditions on a KPI go to the datasets below."""
        window = place.window
        if used.offset == "period":
            window = previous(window)
        elif used.offset is not None:
            window = back(window, *used.offset)  # type: ignore[misc]
        if used.covers:
            window = covering(window, used.covers, self.question.as_of, self.model.almanac)
        below = (
            (*place.conditions, used.where)
            if used.where is not None and used.source in self.model.kpis
            else place.conditions
        )
        return Place(place.member, window, place.ignored | used.across, below)

    # -- rows

    def _rows(self, used: Input, place: Place) -> Iterator[Seen]:
        inside = self._inside(used, place)
        if used.per:
            yield from self._entities(used, inside)
        else:
            yield from self._dataset_rows(used, inside)

    def _dataset_rows(self, used: Input, place: Place) -> Iterator[Seen]:
        for seen in self._covered(used, place.window):
            asked = self._asked(used, place)
            if all(self._holds(each, seen) for each in (*asked, *place.conditions)) and (
                used.where is None or self._holds(used.where, seen)
            ):
                ignored = self._ignored(used.source, place)
                if all(
                    name in ignored or _same(self._dimension(seen, name), value) for name, value in place.member.items()
                ):
                    yield seen

    def _asked(self, used: Input, place: Place) -> list[Condition]:
        ignored = self._ignored(used.source, place)
        return [each for each in self.question.where if not set(_paths(each)) & ignored]

    def _ignored(self, dataset: str, place: Place) -> frozenset[str]:
        if "all" in place.ignored:
            return frozenset(
                {
                    *self.model.datasets[dataset].dimensions,
                    *self.question.by,
                    *(p for c in self.question.where for p in _paths(c)),
                }
            )
        follow = self.model.datasets[dataset].depends
        return place.ignored | frozenset(name for each in place.ignored for name in follow.get(each, ()))

    def _entities(self, used: Input, place: Place) -> Iterator[Seen]:
        """Give one row for each entity that has rows of this member in this window."""
        if used.source in self.model.kpis:
            for entity in dict.fromkeys(self._tuples(used.source, place, used.per)):
                member = {**place.member, **dict(zip(used.per, entity, strict=True))}
                row = {
                    "": self.value(used.source, replace(place, member=member)),
                    **dict(zip(used.per, entity, strict=True)),
                }
                yield Seen("", row, None)
            return
        plain = replace(used, per=(), offset=None, covers=())
        for entity in dict.fromkeys(
            tuple(self._path(seen, name) for name in used.per) for seen in self._dataset_rows(plain, place)
        ):
            yield Seen("", dict(zip(used.per, entity, strict=True)), None)

    def _tuples(self, kpi: str, place: Place, names: tuple[str, ...]) -> Iterator[tuple[Any, ...]]:
        for used, inside, condition, entities in self._leaves(kpi, place):
            if self._ignored(used.source, inside) & {*place.member, *names, *entities}:
                continue
            for seen in self._dataset_rows(replace(used, per=(), offset=None, covers=()), inside):
                if condition is None or self._holds(condition, seen):
                    yield tuple(self._path(seen, name) for name in names)

    def _members_of(self, kpi: str, place: Place) -> set[tuple[Any, ...]]:
        by = self.question.by
        found = set()
        for used, inside, condition, entities in self._leaves(kpi, place):
            if not self._ignored(used.source, inside) & {*by, *entities}:
                for seen in self._dataset_rows(replace(used, per=(), offset=None, covers=()), inside):
                    if condition is None or self._holds(condition, seen):
                        found.add(tuple(self._dimension(seen, name) for name in by))
        return found

    def _leaves(
        self, kpi: str, place: Place, entities: frozenset[str] = frozenset()
    ) -> Iterator[tuple[Input, Place, Condition | None, frozenset[str]]]:
        """Go through the aggregates over datasets below a KPI, with the modifiers and the entities that reach each."""
        model = self.model.kpis[kpi]
        for each in _walk(model.formula):
            if each[0] == "input":
                used = model.inputs[each[1]]
                yield from self._leaves(used.source, self._inside(used, place), entities)
            elif each[0] == "agg":
                used = model.inputs[each[2]]
                inside = self._inside(used, place)
                if used.source in self.model.kpis:
                    yield from self._leaves(used.source, inside, entities | set(used.per))
                else:
                    yield used, inside, None if used.per else each[4], entities | set(used.per)

    def _take(self, used: Input) -> str:
        if used.source not in self.model.datasets:
            return "rows"
        return used.take or ("closing" if self.model.datasets[used.source].entity else "rows")

    def _covered(self, used: Input, window: Window) -> Iterator[Seen]:
        """Give the rows that count in a window: those in it, or the levels that hold at its end or its start."""
        dataset = self.model.datasets[used.source]
        column = dataset.times[used.time] if used.time else dataset.time
        timed = (
            [(row, self.local(row[column], dataset.types[column])) for row in dataset.rows]
            if column
            else [(row, None) for row in dataset.rows]
        )
        take = self._take(used)
        if not column:
            yield from (Seen(used.source, row, None) for row, _ in timed)
            return
        known = [(row, at) for row, at in timed if at is not None and at < self.question.as_of]
        if take == "rows":
            for row, at in known:
                if (window.start is None or window.start <= at) and (window.end is None or at < window.end):
                    yield Seen(used.source, row, at)
            return
        bound = window.end if take == "closing" else window.start
        if take == "opening" and bound is None:
            return
        instant = self.question.as_of if bound is None else min(bound, self.question.as_of)
        yield from (Seen(used.source, row, at) for row, at in _levels(known, dataset, instant))

    # -- names

    def local(self, value: Any, kind: str) -> datetime | None:
        """Give the local time of a cell: instants and UTC timestamps are converted, dates are midnights."""
        if value is None:
            return None
        if kind == "date":
            return datetime(value.year, value.month, value.day)
        if kind == "local":
            return value  # type: ignore[no-any-return]
        aware = value.replace(tzinfo=UTC) if kind == "utc" else value
        return aware.astimezone(self.zone).replace(tzinfo=None, fold=0)  # type: ignore[no-any-return]

    def _look(self, seen: Seen, path: str | None) -> Any:
        return seen.row[path or ""] if not seen.dataset else self._path(seen, path or "")

    def _dimension(self, seen: Seen, name: str) -> Any:
        return self._path(seen, name)

    def _path(self, seen: Seen, path: str) -> Any:
        """Follow a name over the joins: a dimension first, then a column; nothing is found where a key is unknown or dangling."""
        if not seen.dataset:
            return seen.row[path]
        dimensions = self.model.datasets[seen.dataset].dimensions
        names = dimensions.get(path, path).split(".")
        dataset, row = seen.dataset, seen.row
        for hop in names[:-1]:
            link = self.model.datasets[dataset].joins[hop]
            dataset, found = link.to, self._joined(link, row, seen.at)
            if found is None:
                return None
            row = found
        return row[names[-1]]

    def _joined(self, link: Link, row: Row, at: datetime | None) -> Row | None:
        other = self.model.datasets[link.to]
        for each in other.rows:
            if all(row[here] is not None and row[here] == each[there] for here, there in link.keys.items()):
                if link.valid is None:
                    return each
                since, until = (self.local(each[name], other.types[name]) for name in link.valid)
                if at is not None and since is not None and since <= at and (until is None or at < until):
                    return each
        return None

    def _holds(self, condition: Condition, seen: Seen) -> bool:
        return self._truth(condition, seen) is True

    def _truth(self, condition: Condition, seen: Seen) -> bool | None:
        """Evaluate a condition with three values: true, false, unknown."""
        kind, *rest = condition
        if kind == "not":
            inner = self._truth(rest[0], seen)
            return None if inner is None else not inner
        if kind in {"and", "or"}:
            parts = [self._truth(each, seen) for each in rest]
            decisive = kind == "or"
            return decisive if decisive in parts else None if None in parts else not decisive
        value = self._look(seen, rest[0])
        if kind == "null":
            return value is None
        if kind == "in":
            return None if value is None else value in rest[1]
        if value is None or rest[1] is None:
            return None
        return (
            {"eq": value == rest[1], "ne": value != rest[1]}[kind]
            if kind in {"eq", "ne"}
            else _compare(kind, value, rest[1])
        )


def _compare(kind: str, left: Any, right: Any) -> bool:
    return bool({"lt": left < right, "le": left <= right, "gt": left > right, "ge": left >= right}[kind])


def _levels(known: list[tuple[Row, datetime]], dataset: Dataset, instant: datetime) -> Iterator[tuple[Row, datetime]]:
    """Give all rows at the last reading of each entity before an instant, unless that is older than it is kept."""
    latest: dict[tuple[Any, ...], datetime] = {}
    for row, at in known:
        entity = tuple(row[name] for name in dataset.entity)
        if at < instant and (entity not in latest or latest[entity] < at):
            latest[entity] = at
    for row, at in known:
        is_last = at < instant and latest[tuple(row[name] for name in dataset.entity)] == at
        if is_last and (dataset.keep_days is None or at >= instant - timedelta(days=dataset.keep_days)):
            yield row, at


def _of(values: list[Fraction], function: str) -> Fraction:
    ordered = sorted(values)
    half = len(ordered) // 2
    if function == "median":
        return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
    total = sum(ordered, Fraction(0))
    return {"sum": total, "avg": total / len(ordered), "min": ordered[0], "max": ordered[-1]}[function]


def _walk(formula: Formula) -> Iterator[Formula]:
    yield formula
    if formula[0] in {"+", "-", "*", "/", "coalesce"}:
        for each in formula[1:]:
            if isinstance(each, tuple):
                yield from _walk(each)


def _paths(condition: Condition) -> Iterator[str]:
    if condition[0] in {"and", "or", "not"}:
        for each in condition[1:]:
            yield from _paths(each)
    else:
        yield condition[1]


def _same(left: Any, right: Any) -> bool:
    return left is None if right is None else left == right


def number(value: float | Decimal | date | None) -> Fraction | None:
    """Take a number of an answer as it is, exactly."""
    return None if value is None else Fraction(value)  # type: ignore[arg-type]
