"""Time zones: the zone of a name, and the instant that a local time is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from kpi_engine.errors import DefinitionError, Diagnostic, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import tzinfo
    from zoneinfo import ZoneInfo

_SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Repeat:
    """Local time that the clock shows twice, `[start, end)`: at its end the clock goes back to its start."""

    start: datetime
    end: datetime

    def cut_by(self, moment: datetime) -> bool:
        """Say whether a local time lies within."""
        return self.start < moment < self.end


def load_zone(name: str) -> ZoneInfo:
    """Find the time zone of that name in the zone database; raise `unknown_timezone` if there is none."""
    from zoneinfo import ZoneInfo

    # `localtime` depends on the machine and `right/…` counts leap seconds; the zones meant for people begin with a capital.
    if not name[:1].isupper():
        raise _unknown(name)
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise _unknown(name) from error


def _unknown(name: str) -> DefinitionError:
    from zoneinfo import available_timezones

    zones = sorted(zone for zone in available_timezones() if zone[0].isupper())
    city = name.casefold().replace(" ", "_")
    same_city = [zone for zone in zones if zone.casefold().rpartition("/")[2] == city]
    close = f"did you mean `{same_city[0]}`?" if same_city else nearest(name, zones)
    hint = close if close.endswith("?") else "write a name of the IANA time zone database, such as `Europe/Paris`"
    return DefinitionError([Diagnostic("unknown_timezone", f"there is no time zone `{name}`", hint=hint)])


def to_utc(local: datetime, zone: tzinfo) -> datetime:
    """Turn a local time into its instant, as an aware UTC `datetime`.

    - A time that the clock skips is the instant at which the gap ends, the first that exists at or after it.
    - Of a time that the clock shows twice, the first is meant; a `local` that carries `fold=1` means the second.
    """
    instant = local.replace(tzinfo=zone).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == local:
        return instant
    before, after = _offsets(local, zone)
    return _change(_at(local, after), _at(local, before), after, zone)


def repeated(local: datetime, zone: tzinfo) -> Repeat | None:
    """Give what the clock shows twice around a local time; None of a time that it shows once."""
    before, after = _offsets(local, zone)
    if before <= after:
        return None
    back = _change(_at(local, before), _at(local, after), after, zone).replace(tzinfo=None)
    return Repeat(back + after, back + before)


def repeats(moments: Iterable[datetime], zone: tzinfo) -> list[Repeat]:
    """Give what the clock shows twice and one of these local times, which are in order, cuts in two."""
    found: list[Repeat] = []
    for moment in moments:
        if found and moment < found[-1].end:
            continue
        again = repeated(moment, zone)
        if again is not None and again.cut_by(moment):
            found.append(again)
    return found


def shown_until(moment: datetime, zone: tzinfo) -> datetime:
    """Give the end of the local times that may have been shown before a moment: later than it, where the clock goes back around then."""
    again = repeated(moment, zone)
    return moment if again is None else again.end


def _offsets(local: datetime, zone: tzinfo) -> tuple[timedelta, timedelta]:
    """Give the offsets before and after the change of the clock around a local time; the same one twice where there is none."""
    before, after = (local.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
    if before is None or after is None:  # pragma: no cover - a zone of the zone database always has an offset
        raise ValueError(f"the zone {zone} has no offset at {local}")
    return before, after


def _at(local: datetime, offset: timedelta) -> datetime:
    return local.replace(microsecond=0, tzinfo=UTC, fold=0) - offset


def _change(low: datetime, high: datetime, after: timedelta, zone: tzinfo) -> datetime:
    """Find the instant at which the clock changes to an offset, after one and at or before another, by halving the seconds between."""
    while high - low > _SECOND:
        middle = low + (high - low) // _SECOND // 2 * _SECOND
        if middle.astimezone(zone).utcoffset() == after:
            high = middle
        else:
            low = middle
    return high
