"""Where the oracle looks for a value: a member, a window of a frame, and what the KPIs above have said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from oracle_calendar import Window
    from oracle_model import Condition, Input

Member = tuple[tuple[str, Any], ...]


class UnboundedError(Exception):
    """Units of time are asked for, and there is no first one."""


class Frame:
    """All the windows of a request at once, as they are moved with each of them."""

    def __init__(self, windows: list[Window]) -> None:
        self.windows = windows
        self._moved: dict[Any, Frame] = {}

    def moved(self, key: Any, move: Callable[[Window], list[Window]]) -> Frame:
        """Move all of them; the same move gives the same frame."""
        if key not in self._moved:
            self._moved[key] = Frame([each for window in self.windows for each in move(window)])
        return self._moved[key]


NO_FRAME = Frame([])


@dataclass(frozen=True)
class Place:
    """Where a value is looked for: a member, a window of a frame, and what the KPIs above have said."""

    member: Member
    window: Window
    frame: Frame = NO_FRAME
    ignored: frozenset[str] = frozenset()
    conditions: tuple[Condition, ...] = ()
    currency: str = ""
    """Into which amounts are converted."""


@dataclass(frozen=True)
class Leaf:
    """An aggregate over a dataset, with the modifiers and the entities that reach it; `moved` says that some change its window."""

    used: Input
    base: Input | None
    place: Place
    condition: Condition | None
    entities: frozenset[str] = frozenset()
    moved: bool = False
    is_counted: bool = True
    """Whether its rows are what is counted, and not only the cohort that they follow, of which the frame has a row at every age."""
