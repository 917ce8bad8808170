"""Which failures pass, and how long is waited before a request is repeated."""

from __future__ import annotations

import random
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kpi_source_rest.settings import Retries

TRANSIENT = frozenset({429, 500, 502, 503, 504})
"""Answers that another try may find otherwise. All others say that the request is wrong."""
_FIRST, _LONGEST = 0.5, 60.0


class Clock:
    """The time that passes, and chance; tests have their own."""

    def now(self) -> float:
        """Give seconds since some moment, which only grow."""
        return time.monotonic()

    def today(self) -> datetime:
        """Give the time of day, to which dates in `Retry-After` are compared."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)

    def chance(self) -> float:
        """Give a number between 0 and 1."""
        return random.random()  # noqa: S311 - spreads the tries of many clients


@dataclass
class Patience:
    """How often and how long requests are repeated; what was repeated is counted by stream, for the report of the sync."""

    retries: Retries
    clock: Clock
    repeated: Counter[str] = field(default_factory=Counter)
    waited: float = 0.0

    def pause(self, tries: int, began: float, after: float | None) -> float | None:
        """Give how long to wait before the next try; None where no further one is allowed.

        The wait doubles, with half of it left to chance, so that many clients do not come back at once; `after` is what the server
        asks for, which is the least; "at once", as also a date that is over says, counts for the first repetition.
        """
        if tries >= self.retries.tries:
            return None
        longest = min(_LONGEST, _FIRST * 2.0 ** (tries - 1))
        pause = longest * (0.5 + self.clock.chance() / 2)
        if after is not None and (after > 0 or tries == 1):
            pause = after + pause if after > 0 else 0.0
        return pause if self.clock.now() - began + pause <= self.retries.seconds else None

    def wait(self, seconds: float, reason: str) -> None:
        """Wait before the next try."""
        self.repeated[reason] += 1
        self.waited += seconds
        self.clock.sleep(seconds)

    def told(self) -> str:
        """Say what was repeated since this was asked last, and why; empty where nothing was."""
        if not self.repeated:
            return ""
        count = self.repeated.total()
        reasons = ", ".join(f"{reason} ×{times}" for reason, times in sorted(self.repeated.items()))
        text = f"{count} request{'s were' if count > 1 else ' was'} repeated ({reasons}), after {self.waited:.1f} s of waiting"
        self.repeated, self.waited = Counter(), 0.0
        return text


def retry_after(value: str | None, clock: Clock) -> float | None:
    """Read `Retry-After`: seconds, or a date; None where it says neither."""
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max(0.0, (when - clock.today()).total_seconds())
