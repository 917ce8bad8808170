"""The rows of an answer as the oracle expects them: the frame, what is kept of it, and its order."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from oracle_calendar import floor
from oracle_places import Place
from oracle_rows import OTHERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oracle import Oracle
    from oracle_calendar import Window
    from oracle_model import Question

Key = tuple[Any, ...]
FINE = {"second", "minute", "hour"}


@dataclass(frozen=True)
class Answer:
    """The rows by their keys: dimensions, then period and the units that it lies in."""

    keys: tuple[str, ...]
    columns: tuple[str, ...]
    rows: Mapping[Key, Mapping[str, Fraction | None]]
    sorts: tuple[tuple[str, bool], ...]
    asked: frozenset[str] = frozenset()
    first: Mapping[Any, int] = field(default_factory=dict)
    """The places of the members that were chosen first, where some were: rows come in their order, and the others last."""

    def order(self, limit: int | None) -> list[tuple[Key, list[Any]]]:
        """Sort the rows: each with the values that it is sorted by, unknown ones last."""
        found = list(self.rows)
        members_or_values = {*self.keys[:1], *self.columns}
        last = next((n for n, (name, _) in enumerate(self.sorts) if name in members_or_values), None)
        for place, (name, descending) in reversed([*enumerate(self.sorts)]):
            known = [key for key in found if self._value(key, name) is not None]
            known.sort(key=lambda key, name=name: self._value(key, name), reverse=descending)
            found = known + [key for key in found if self._value(key, name) is None]
            if self.first and place == last:
                found.sort(key=self._is_others)
        return [(key, self._asked(key)) for key in found[: len(found) if limit is None else limit]]

    def is_tie(self, wanted: list[Any], row: Mapping[str, Any]) -> bool:
        """Say whether a row has the values that another is sorted by, but for the noise of floats, of which there must be some."""
        values = [name for name, _ in self.sorts if name in self.columns]
        return bool(values) and all(
            same(value, None if row[name] is None else float(row[name]))
            for name, value in zip(values, wanted, strict=True)
        )

    def _asked(self, key: Key) -> list[Any]:
        return [self.rows[key][name] for name, _ in self.sorts if name in self.columns]

    def _value(self, key: Key, name: str) -> Any:
        if name in self.columns:
            return self.rows[key][name]
        value = key[self.keys.index(name)]
        if self.first and name == self.keys[0] and not self._is_named(name):
            return len(self.first) if self._is_others(key) else self.first[value]
        return value

    def _is_others(self, key: Key) -> bool:
        return self.keys[1:2] == (f"{self.keys[0]}__others",) and key[1]

    def _is_named(self, name: str) -> bool:
        """Say whether the question asks for an order by a dimension."""
        return name in self.asked


def answer(oracle: Oracle) -> Answer:
    """Work out the rows of a question."""
    question = oracle.question
    oracle.check_ages()
    frame = oracle.frame()
    members = set().union(*(oracle.seen(window) for _, window in frame)) if question.by else {()}
    if not question.kpis and not question.dated:
        members = oracle.ever()
    kind = _kind(oracle)
    rows: dict[Key, dict[str, Any]] = {}
    for start, window in frame:
        oracle.compared(window)
        observed = members
        if kind == "present":
            observed = oracle.own(window)
        elif kind != "whole":
            observed = oracle.seen(window)
            if not observed and kind == "every_period" and oracle.admits_unknown():
                observed = {tuple(None for _ in question.by)}
        made = {member: oracle.cell(member, window) for member in observed if _is_shown(question, member)}
        for member, values in made.items():
            ranked = [] if OTHERS in member else [each for name, each in made.items() if OTHERS not in name]
            more = {**values, **_ranks(question, values, ranked), **_shares(oracle, window, values)}
            if oracle.kept(more):
                rows[*_named(question, member), *_period(oracle, start, window.start)] = more
    several = _told(oracle)
    keys = (*_dimensions(question), *(["period"] if question.grains else []), *(f"period_{grain}" for grain in several))
    asked = frozenset(each.removeprefix("-") for each in question.order)
    first = {member: place for place, member in enumerate(oracle.rows.first[1])}
    return Answer(keys, _columns(oracle), rows, _sorts(question, keys), asked, first)


def _is_shown(question: Question, member: Key) -> bool:
    return question.top is None or question.top.others or OTHERS not in member


def _named(question: Question, member: Key) -> Key:
    """Write the others as a row tells them: by no member, and by a column that says so."""
    if question.top is None or not question.top.others:
        return member
    place = question.by.index(question.top.of)
    is_others = member[place] == OTHERS
    return (*member[:place], None if is_others else member[place], is_others, *member[place + 1 :])


def _ranks(question: Question, values: Mapping[str, Any], every: list[dict[str, Any]]) -> dict[str, Fraction | None]:
    """Rank a row among those of its period, 1, 2, 2, 4; among none, as the others are, it has no rank."""
    found: dict[str, Fraction | None] = {}
    for kpi in question.rank:
        known = [each[kpi] for each in every if each[kpi] is not None]
        mine = values[kpi]
        found[f"{kpi}__rank"] = None if mine is None or not every else Fraction(sum(each > mine for each in known) + 1)
    return found


def _shares(oracle: Oracle, window: Window, values: Mapping[str, Any]) -> dict[str, Fraction | None]:
    """Divide by the total over all members of the same period."""
    found: dict[str, Fraction | None] = {}
    for kpi in oracle.question.share:
        total = oracle.value(kpi, Place((), window))
        known = values[kpi] is not None and total is not None and total > 0
        found[f"{kpi}__share"] = values[kpi] / total if known else None
    return found


def _kind(oracle: Oracle) -> str:
    """Say which rows the answer has: what the question says, else the widest that a KPI says."""
    question = oracle.question
    if not question.kpis and not question.grains:
        return "whole"
    if not question.dense:
        return "present"
    if not (question.by or question.grains) or not question.kpis:
        return "whole"
    frames = {oracle.model.kpis[each].frame for each in question.kpis}
    return next(each for each in ("whole", "every_period", "observed") if each in frames)


def _dimensions(question: Question) -> tuple[str, ...]:
    top = question.top
    if top is None or not top.others:
        return question.by
    place = question.by.index(top.of) + 1
    return (*question.by[:place], f"{top.of}__others", *question.by[place:])


def _told(oracle: Oracle) -> tuple[str, ...]:
    """Name the grains that have a column of their own: all of several, and a unit of the project's own."""
    grains = oracle.question.grains
    return grains if len(grains) > 1 or any(map(oracle.model.almanac.own, grains)) else ()


def _period(oracle: Oracle, start: Any, since: Any) -> Key:
    grains = oracle.question.grains
    if not grains:
        return ()
    fine = bool(FINE & set(grains))
    units = [_unit(oracle, since, grain) for grain in _told(oracle)]
    return tuple(each if fine or not isinstance(each, datetime) else each.date() for each in (start, *units))


def _unit(oracle: Oracle, moment: Any, grain: str) -> Any:
    """Name the unit that a moment lies in: by its start, or by what the data call it."""
    own = oracle.model.almanac.own(grain)
    if own is None:
        return floor(moment, grain, oracle.model.almanac)
    number = own.number(moment)
    return None if number is None else own.periods[number][2]


def _columns(oracle: Oracle) -> tuple[str, ...]:
    question = oracle.question
    changes = {kpi: "points" if oracle.model.kpis[kpi].percent else "change" for kpi in question.kpis}
    compared = [
        column
        for name in question.compare
        for kpi in question.kpis
        for column in (f"{kpi}__{name}", f"{kpi}__{name}_{changes[kpi]}")
    ]
    more = (*(f"{kpi}__rank" for kpi in question.rank), *(f"{kpi}__share" for kpi in question.share))
    return (*question.kpis, *compared, *more)


def _sorts(question: Question, keys: tuple[str, ...]) -> tuple[tuple[str, bool], ...]:
    asked = tuple((each.removeprefix("-"), each.startswith("-")) for each in question.order)
    named = {name for name, _ in asked}
    return (*asked, *((name, False) for name in keys if name not in named))


def same(expected: Fraction | None, got: Any) -> bool:
    """Say whether a value is right: whole numbers and decimals exactly, rates to 9 digits."""
    if expected is None or got is None:
        return expected is None and got is None
    if isinstance(got, int | Decimal):
        return Fraction(got) == expected
    return abs(float(expected) - got) <= 1e-9 * max(1.0, abs(float(expected)))
