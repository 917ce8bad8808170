"""The rows of an answer as the oracle expects them: the frame, what is kept of it, and its order."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from oracle_calendar import floor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oracle import Oracle
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

    def order(self, limit: int | None) -> list[tuple[Key, list[Any]]]:
        """Sort the rows: each with the values that it is sorted by, unknown ones last."""
        found = list(self.rows)
        for name, descending in reversed(self.sorts):
            known = [key for key in found if self._value(key, name) is not None]
            known.sort(key=lambda key, name=name: self._value(key, name), reverse=descending)
            found = known + [key for key in found if self._value(key, name) is None]
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
        return self.rows[key][name] if name in self.columns else key[self.keys.index(name)]


def answer(oracle: Oracle) -> Answer:
    """Work out the rows of a question."""
    question = oracle.question
    frame = oracle.frame()
    members = set().union(*(oracle.seen(window) for _, window in frame)) if question.by else {()}
    if not question.kpis and not question.dated:
        members = oracle.ever()
    kind = _kind(oracle)
    rows: dict[Key, dict[str, Fraction | None]] = {}
    for start, window in frame:
        observed = members
        if kind == "present":
            observed = oracle.own(window)
        elif kind != "whole":
            observed = oracle.seen(window)
            if not observed and kind == "every_period" and oracle.admits_unknown():
                observed = {tuple(None for _ in question.by)}
        for member in observed:
            values = oracle.cell(member, window)
            if oracle.kept(values):
                rows[*member, *_period(oracle, start)] = values
    several = question.grains if len(question.grains) > 1 else ()
    keys = (*question.by, *(["period"] if question.grains else []), *(f"period_{grain}" for grain in several))
    return Answer(keys, _columns(oracle), rows, _sorts(question, keys))


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


def _period(oracle: Oracle, start: Any) -> Key:
    grains = oracle.question.grains
    if not grains:
        return ()
    fine = bool(FINE & set(grains))
    several = [floor(start, grain, oracle.model.almanac) for grain in grains] if len(grains) > 1 else []
    return tuple(each if fine else each.date() for each in (start, *several))


def _columns(oracle: Oracle) -> tuple[str, ...]:
    question = oracle.question
    changes = {kpi: "points" if oracle.model.kpis[kpi].percent else "change" for kpi in question.kpis}
    compared = [
        column
        for name in question.compare
        for kpi in question.kpis
        for column in (f"{kpi}__{name}", f"{kpi}__{name}_{changes[kpi]}")
    ]
    return (*question.kpis, *compared)


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
