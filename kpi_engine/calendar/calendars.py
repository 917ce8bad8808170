"""The project's time: its zone, its first day of the week, its fiscal year."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from kpi_engine.calendar.zones import load_zone

if TYPE_CHECKING:
    from collections.abc import Mapping
    from zoneinfo import ZoneInfo

    from kpi_engine.calendar.units import CustomUnit


@dataclass(frozen=True)
class Calendar:
    """The project's time: its zone, its first day of the week, its fiscal year."""

    timezone: str = "UTC"
    week_start: int = 0
    """0 is Monday, 6 is Sunday."""
    fiscal_start: int = 1
    """The month in which a fiscal year starts: 1 is January."""
    fiscal_named_after: Literal["start", "end"] = "end"
    """With a start in April, fiscal 2026 is April 2025 to March 2026 (`end`), or April 2026 to March 2027 (`start`)."""
    units: Mapping[str, CustomUnit] = field(default_factory=dict, compare=False)
    """Units of the project's own, by name; their data are read when a unit is asked for."""

    @property
    def zone(self) -> ZoneInfo:
        """The time zone; raises `unknown_timezone` if there is none of that name."""
        return load_zone(self.timezone)
