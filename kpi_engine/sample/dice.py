"""Dice that fall alike on every machine: only the one draw that Python promises never to change is used."""

from __future__ import annotations

from itertools import accumulate
from random import Random
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

T = TypeVar("T")


class Dice:
    """A named set of dice: two of the same name give the same throws.

    >>> Dice("leads").whole(1, 6) == Dice("leads").whole(1, 6)
    True
    """

    def __init__(self, name: str) -> None:
        self._random = Random(f"acme {name}")  # noqa: S311 - made-up data, no secret

    def unit(self) -> float:
        """Give a number from 0 up to, not including, 1."""
        return self._random.random()

    def whole(self, low: int, high: int) -> int:
        """Give a whole number from `low` to `high`, both included."""
        return low + int(self.unit() * (high - low + 1))

    def chance(self, probability: float) -> bool:
        """Say yes in that share of the throws."""
        return self.unit() < probability

    def around(self, spread: float) -> float:
        """Give a factor near 1, at most `spread` away, more often close than far."""
        return 1 + spread * (self.unit() + self.unit() + self.unit() - 1.5) / 1.5

    def skewed(self, low: int, high: int) -> int:
        """Give a whole number from `low` to `high`, far more often low than high."""
        return low + int(self.unit() * self.unit() * self.unit() * (high - low + 1))

    def near(self, expected: float) -> int:
        """Round to one of the two neighbouring whole numbers, so that the mean is right."""
        return int(expected + self.unit())

    def pick(self, items: Sequence[T]) -> T:
        """Take one, each as likely as the other."""
        return items[int(self.unit() * len(items))]

    def weighted(self, weights: Mapping[T, float]) -> T:
        """Take one, as likely as its weight says."""
        steps = list(accumulate(weights.values()))
        throw = self.unit() * steps[-1]
        return next(item for item, step in zip(weights, steps, strict=True) if throw < step)

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """Give the items in another order."""
        return [item for _, _, item in sorted((self.unit(), place, item) for place, item in enumerate(items))]
