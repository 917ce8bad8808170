"""Units as a type: what a number counts, carried through a formula."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True)
class Unit:
    """A product of base units with whole powers: `EUR / lead` is EUR to the 1 and lead to the -1; a pure number has none."""

    powers: tuple[tuple[str, int], ...] = ()

    def __str__(self) -> str:
        """As it is written in a definition."""
        over = [_power(name, power) for name, power in self.powers if power > 0]
        under = [_power(name, -power) for name, power in self.powers if power < 0]
        top = " * ".join(over) or ("1" if under else "")
        return top + "".join(f" / {name}" for name in under)

    def __mul__(self, other: Unit) -> Unit:
        """Multiply two units."""
        return _unit(Counter(dict(self.powers)), Counter(dict(other.powers)), 1)

    def __truediv__(self, other: Unit) -> Unit:
        """Divide two units."""
        return _unit(Counter(dict(self.powers)), Counter(dict(other.powers)), -1)


PURE = Unit()


def parse(text: str) -> Unit:
    """Read a unit as written: `EUR / lead`, `visits`, `seconds / visit`; the first names stand above, those after a `/` below.

    >>> str(parse("EUR / lead"))
    'EUR / lead'
    """
    powers: Counter[str] = Counter()
    sign = 1
    for token in re.findall(r"[*/]|[^*/]+", text):
        if token in "*/":
            sign = -1 if token == "/" else 1
        elif (name := token.strip()) and name != "1":
            powers[name] += sign
    return _unit(powers, Counter(), 1)




def _power(name: str, power: int) -> str:
    return name if power == 1 else f"{name}^{power}"


def _unit(left: Counter[str], right: Counter[str], sign: int) -> Unit:
    powers = Counter(left)
    for name, power in right.items():
        powers[name] += sign * power
    return Unit(tuple(sorted((name, power) for name, power in powers.items() if power)))
