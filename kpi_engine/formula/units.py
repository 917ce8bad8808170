"""Units as a type: what a number counts, carried through a formula."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kpi_engine.formula.currencies import CODES

if TYPE_CHECKING:
    from collections.abc import Iterable

_POWER = re.compile(r"(?P<name>[^*/^]*[^*/^\s])\s*(?:\^\s*(?P<power>[0-9]{1,2}))?")
_MEASURES = frozenset(
    [
        "ms",
        "millisecond",
        "s",
        "sec",
        "second",
        "min",
        "minute",
        "h",
        "hour",
        "day",
        "week",
        "month",
        "year",
        "mm",
        "cm",
        "m",
        "meter",
        "metre",
        "km",
        "kilometer",
        "kilometre",
        "mile",
        "g",
        "gram",
        "kg",
        "kilogram",
        "ton",
        "tonne",
        "l",
        "liter",
        "litre",
        "byte",
        "kb",
        "mb",
        "gb",
        "tb",
        "w",
        "kw",
        "wh",
        "kwh",
        "degree",
        "pixel",
        "px",
        "€",
        "$",
        "£",
        "¥",
        "euro",
        "dollar",
        "pound",
    ]
)
"""Base units of what is measured or paid, and not counted."""
_KEPT = 3
"""Names as short as this keep a final `s`: `ms` is not the plural of `m`."""


@dataclass(frozen=True)
class Unit:
    """A product of base units with whole powers: `EUR / lead` is EUR to the 1 and lead to the -1; a pure number has none.

    Two units are equal whose names differ by capital letters or a final `s` only: what is counted in `leads` costs `EUR / lead`.
    """

    powers: tuple[tuple[str, int], ...] = ()
    """Sorted; names in small letters and in the singular."""
    shown: tuple[tuple[str, str], ...] = field(default=(), compare=False)
    """How each name is written."""

    def __str__(self) -> str:
        """As it is written in a definition."""
        names = dict(self.shown)
        over = [_power(names[name], power) for name, power in self.powers if power > 0]
        under = [_power(names[name], -power) for name, power in self.powers if power < 0]
        top = " * ".join(over) or ("1" if under else "")
        return top + "".join(f" / {name}" for name in under)

    def __mul__(self, other: Unit) -> Unit:
        """Multiply two units."""
        return _unit([*self._named(), *other._named()])

    def __truediv__(self, other: Unit) -> Unit:
        """Divide two units."""
        return _unit([*self._named(), *((key, shown, -power) for key, shown, power in other._named())])

    def power(self, name: str) -> int:
        """Give the power of a base unit; 0 where it has none."""
        return dict(self.powers).get(name, 0)

    @property
    def power_of_one(self) -> int:
        """Give the power of the one base unit it has; 0 where it has none, or several."""
        return self.powers[0][1] if len(self.powers) == 1 else 0

    def without(self, name: str) -> Unit:
        """Leave out a base unit."""
        return _unit([each for each in self._named() if each[0] != name])

    def in_currency(self, code: str) -> Unit:
        """Write all money in one currency: what was recorded in several, or in another."""
        money = (_singular(code), code)
        return _unit([(*(money if _is_money(shown) else (key, shown)), power) for key, shown, power in self._named()])

    def _named(self) -> list[tuple[str, str, int]]:
        """Give each base unit: its key, how it is written, its power."""
        shown = dict(self.shown)
        return [(key, shown[key], power) for key, power in self.powers]


PURE = Unit()
MONEY = "¤"
"""The base unit of an amount whose currency stands beside it."""
COUNTED = "#"
"""The base unit of a count of rows or things that no definition names."""
AMOUNT = Unit(((MONEY, 1),), ((MONEY, MONEY),))
COUNT = Unit(((COUNTED, 1),), ((COUNTED, COUNTED),))


def count_of(thing: str) -> Unit:
    """Give the unit of a count that has no name of its own: it is shown by what is counted, and equal to every other such count."""
    return Unit(COUNT.powers, ((COUNTED, thing),))


def adds(left: Unit, right: Unit) -> bool:
    """Whether numbers of two units may be added or compared.

    Money without a known currency goes with any currency, which is looked at when the amounts meet. A count without a name goes with
    what else is counted, such as likes, and with a plain number; it is neither money nor seconds, which are measured.
    """
    if left == right or _in_money(left, right) or {left, right} == {PURE, COUNT}:
        return True
    for one, other in ((left, right), (right, left)):
        power = one.power(COUNTED)
        if power and not other.power(COUNTED) and _rest(other, one).power_of_one == power:
            return one != COUNT or not _is_measured(other.powers[0][0])
    return False


def names(declared: Unit, inferred: Unit) -> bool:
    """Whether a declared unit may be the name of what a formula gives; what is counted may be named, or left out."""
    power = inferred.power(COUNTED)
    rest = _rest(declared, inferred)
    return not rest.powers or bool(power and rest.power_of_one == power)


def said_in(text: str, currency: str) -> str:
    """Write a unit with its money in a currency; a text that is no unit stays as it is.

    >>> said_in("¤ / lead", "EUR")
    'EUR / lead'
    """
    try:
        return str(parse(text).in_currency(currency)) if text else ""
    except ValueError:
        return text


def parse(text: str) -> Unit:
    """Read a unit as written: `EUR / lead`, `visits`, `seconds / visit`, `m^2`; a name after a `/` stands below.

    `%` is a pure number. Raise ValueError where it is no unit.

    >>> str(parse("EUR / lead"))
    'EUR / lead'
    """
    found: list[tuple[str, str, int]] = []
    pieces = re.split(r"([*/])", text)
    for sign, piece in zip(["*", *pieces[1::2]], pieces[::2], strict=True):
        match = _POWER.fullmatch(piece.strip())
        if match is None:
            raise ValueError(f"`{text}` is not a unit")
        if match["name"] not in {"1", "%"}:
            name, power = match["name"], int(match["power"] or 1)
            found.append((_singular(name), name, power if sign == "*" else -power))
    return _unit(found)


def _rest(unit: Unit, other: Unit) -> Unit:
    """Divide two units, without the counts that no definition names, and without telling currencies apart where one is not known."""
    pair = [each.without(COUNTED) for each in (unit, other)]
    if any(each.power(MONEY) for each in pair):
        pair = [each.in_currency(MONEY) for each in pair]
    return pair[0] / pair[1]


def _in_money(left: Unit, right: Unit) -> bool:
    known = left.power(MONEY) or right.power(MONEY)
    return bool(known) and left.in_currency(MONEY) == right.in_currency(MONEY)


def _is_measured(key: str) -> bool:
    return key in _MEASURES or key == MONEY or key.upper() in CODES


def _is_money(name: str) -> bool:
    return name == MONEY or name in CODES


def _power(name: str, power: int) -> str:
    return name if power == 1 else f"{name}^{power}"


def _unit(named: Iterable[tuple[str, str, int]]) -> Unit:
    powers: dict[str, int] = {}
    shown: dict[str, str] = {}
    for key, name, power in named:
        powers[key] = powers.get(key, 0) + power
        shown.setdefault(key, name)
    kept = tuple(sorted((key, power) for key, power in powers.items() if power))
    return Unit(kept, tuple((key, shown[key]) for key, _ in kept))


def _singular(name: str) -> str:
    small = name.casefold()
    is_plural = len(small) > _KEPT and small.endswith("s") and not small.endswith("ss")
    return small[:-1] if is_plural else small
