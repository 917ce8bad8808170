"""Terms and conditions of the formula language in plain Python: numbers are Fractions, unknown is None, truth has three values."""
# ruff: noqa: PLR0911 - a line for each kind of term

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from oracle_model import Condition, Param, Term

if TYPE_CHECKING:
    from datetime import date

Look = Callable[[Any], Any]
LEAVES = {"agg", "input"}
COMPARED: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": lambda a, b: a == b, "ne": lambda a, b: a != b, "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b, "gt": lambda a, b: a > b, "ge": lambda a, b: a >= b,
}  # fmt: skip
TEXTS: Mapping[str, Callable[[str, str], bool]] = {
    "contains": lambda a, b: b in a, "starts": str.startswith, "ends": str.endswith,
}  # fmt: skip


class Terms:
    """Evaluates terms with the values of parameters."""

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        self.parameters = parameters

    def value(self, term: Term, look: Look) -> Any:
        """Evaluate a term; `look` gives the value of a path, of an aggregate, of an input."""
        if isinstance(term, str) or term[0] in LEAVES:
            return _plain(look(term))
        kind, *rest = term
        if kind == "lit":
            return _plain(self._given(rest[0]))
        if kind == "case":
            branches = [None if each is None else self.value(each, look) for each in rest[1:]]
            return branches[0] if self.truth(rest[0], look) else branches[1]
        values = [self.value(each, look) for each in rest]
        known = [each for each in values if each is not None]
        if kind == "coalesce":
            return known[0] if known else None
        if kind in {"least", "greatest"}:
            return (min if kind == "least" else max)(known) if known else None
        if kind == "nullif":
            return None if values[0] is None or values[0] == values[1] else values[0]
        if len(known) < len(values):
            return None
        return self._of_known(kind, *values)

    def _of_known(self, kind: str, left: Any, right: Any = None) -> Any:
        if kind == "/":
            return None if right == 0 else left / right
        if kind in {"lower", "upper", "length"}:
            return {"lower": left.lower(), "upper": left.upper(), "length": Fraction(len(left))}[kind]
        if kind in {"abs", "neg", "sign"}:
            return {"abs": abs(left), "neg": -left, "sign": Fraction((left > 0) - (left < 0))}[kind]
        return {"+": left + right, "-": left - right, "*": left * right}[kind]

    def truth(self, condition: Condition, look: Look) -> bool | None:
        """Evaluate a condition: true, false or unknown."""
        kind, *rest = condition
        if kind == "not":
            inner = self.truth(rest[0], look)
            return None if inner is None else not inner
        if kind in {"and", "or"}:
            parts = [self.truth(each, look) for each in rest]
            decisive = kind == "or"
            return decisive if decisive in parts else None if None in parts else not decisive
        value = self.value(rest[0], look)
        if kind == "null":
            return value is None
        if kind == "is":
            return (value is True) if rest[1] else (value is False)
        others = [_plain(self._given(each)) for each in (rest[1] if kind == "in" else rest[1:])]
        if kind == "distinct":
            return bool(value != others[0]) if None not in (value, others[0]) else value is not others[0]
        if value is None or None in others:
            return None
        if kind == "in":
            return value in others
        if kind == "between":
            return bool(others[0] <= value <= others[1])
        return TEXTS[kind](value, others[0]) if kind in TEXTS else COMPARED[kind](value, others[0])

    def _given(self, value: Any) -> Any:
        return self.parameters[value.name] if isinstance(value, Param) else value


def _plain(value: Any) -> Any:
    """Take a number for what it is, exactly; other values stay."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return value
    return Fraction(value)


def walk(term: Term) -> Iterator[tuple[Any, ...]]:
    """Go through a formula or term: every part of it that is no path."""
    if isinstance(term, tuple):
        yield term
        if term[0] not in LEAVES:
            for each in term[1:]:
                yield from walk(each)


def paths(term: Term | Condition) -> Iterator[str]:
    """Name the paths of a term or condition; values stand where they cannot be taken for paths."""
    if isinstance(term, str):
        yield term
        return
    if not isinstance(term, tuple) or term[0] == "lit":
        return
    kind, *rest = term
    if kind in {"not", "and", "or", "case"} or kind not in CONDITIONS:
        for each in rest:
            yield from paths(each)
    else:
        yield from paths(rest[0])


CONDITIONS = {*COMPARED, *TEXTS, "in", "null", "is", "distinct", "between", "among"}


def number(value: float | Decimal | date | None) -> Fraction | None:
    """Take a number of an answer as it is, exactly."""
    return None if value is None else Fraction(value)  # type: ignore[arg-type]
