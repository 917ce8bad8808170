"""Money, for the oracle: what an amount is worth in another currency at the time of its row, and what has no worth or no sum."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from oracle_calendar import Window, back

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from oracle_model import Row

CURRENCIES = ("EUR", "USD", "GBP")


class NoRateError(Exception):
    """An amount has no rate, or no currency."""


class MixedError(Exception):
    """Amounts in several currencies are added."""


@dataclass(frozen=True)
class Rates:
    """How rates are read: for how long one holds, whether it may be turned round, over which currency two others may be converted."""

    keep: tuple[int, str] | None = (7, "day")
    inverse: bool = False
    through: str = ""


class Exchange:
    """Converts amounts by the rows of a dataset of rates."""

    def __init__(self, how: Rates, rows: list[Row], local: Callable[[Any], datetime]) -> None:
        self.how = how
        self.given: dict[tuple[str, str], list[tuple[datetime, Fraction]]] = {}
        for row in rows:
            if row["rate"] is not None and row["rate"] > 0:
                self.given.setdefault((row["cur"], row["quote"]), []).append(
                    (local(row["since"]), Fraction(row["rate"]))
                )
        for quotes in self.given.values():
            quotes.sort()

    def rate(self, currency: str | None, to: str, at: datetime) -> Fraction:
        """Give what one unit of a currency is worth at a time."""
        found = None if currency is None else self._rate(currency, to, at)
        if found is None:
            raise NoRateError
        return found

    def _rate(self, currency: str, to: str, at: datetime) -> Fraction | None:
        if currency == to:
            return Fraction(1)
        through = self.how.through
        if self._is_given(currency, to) or not through or through in {currency, to}:
            return self._leg(currency, to, at)
        first, second = self._leg(currency, through, at), self._leg(through, to, at)
        return None if first is None or second is None else first * second

    def _is_given(self, one: str, other: str) -> bool:
        return (one, other) in self.given or (self.how.inverse and (other, one) in self.given)

    def _leg(self, one: str, other: str, at: datetime) -> Fraction | None:
        if (one, other) in self.given:
            return self._last(self.given[one, other], at)
        turned = self._last(self.given[other, one], at) if self.how.inverse and (other, one) in self.given else None
        return None if turned is None else 1 / turned

    def _last(self, quotes: list[tuple[datetime, Fraction]], at: datetime) -> Fraction | None:
        """Give the last rate up to a time, unless it holds no longer."""
        place = bisect_right([since for since, _ in quotes], at) - 1
        if place < 0:
            return None
        since, rate = quotes[place]
        oldest = None if self.how.keep is None else back(Window(at, at), *self.how.keep).start
        return rate if oldest is None or since > oldest else None
