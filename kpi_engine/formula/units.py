"""Units as a type: what a number counts, carried through a formula."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_POWER = re.compile(r"(?P<name>[^*/^]*[^*/^\s])\s*(?:\^\s*(?P<power>[0-9]{1,2}))?")
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
        return _unit([*self._named(), *((name, -power) for name, power in other._named())])

    def _named(self) -> list[tuple[str, int]]:
        names = dict(self.shown)
        return [(names[name], power) for name, power in self.powers]


PURE = Unit()


def parse(text: str) -> Unit:
    """Read a unit as written: `EUR / lead`, `visits`, `seconds / visit`, `m^2`; a name after a `/` stands below.

    `%` is a pure number. Raise ValueError where it is no unit.

    >>> str(parse("EUR / lead"))
    'EUR / lead'
    """
    found: list[tuple[str, int]] = []
    pieces = re.split(r"([*/])", text)
    for sign, piece in zip(["*", *pieces[1::2]], pieces[::2], strict=True):
        match = _POWER.fullmatch(piece.strip())
        if match is None:
            raise ValueError(f"`{text}` is not a unit")
        if match["name"] not in {"1", "%"}:
            found.append((match["name"], int(match["power"] or 1) * (1 if sign == "*" else -1)))
    return _unit(found)


def _power(name: str, power: int) -> str:
    return name if power == 1 else f"{name}^{power}"


def _unit(named: list[tuple[str, int]]) -> Unit:
    powers: dict[str, int] = {}
    shown: dict[str, str] = {}
    for name, power in named:
        key = _singular(name)
        powers[key] = powers.get(key, 0) + power
        shown.setdefault(key, name)
    kept = tuple(sorted((key, power) for key, power in powers.items() if power))
    return Unit(kept, tuple((key, shown[key]) for key, _ in kept))


def _singular(name: str) -> str:
    small = name.casefold()
    is_plural = len(small) > _KEPT and small.endswith("s") and not small.endswith("ss")
    return small[:-1] if is_plural else small
