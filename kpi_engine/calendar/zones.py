"""Time zones: the zone of a name, and the instant that a local time is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from kpi_engine.errors import DefinitionError, Diagnostic, nearest

if TYPE_CHECKING:
    from datetime import tzinfo
    from zoneinfo import ZoneInfo

_SECOND = timedelta(seconds=1)


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

    Every local time has exactly one instant, so that spans which meet on the clock also meet in UTC:

    - a time that the clock skips is the instant at which the gap ends, the first that exists at or after it;
    - of a time that the clock shows twice, the first is meant. Only a `local` that carries `fold=1` means the second: an `as_of`
      given with its offset does, a bound made by this package never does.
    """
    instant = local.replace(tzinfo=zone).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == local:
        return instant
    return _end_of_gap(local, zone)


def _end_of_gap(local: datetime, zone: tzinfo) -> datetime:
    """Find the instant at which the clock jumps over `local`, by halving the seconds around it."""
    before, after = (local.replace(microsecond=0, tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
    if before is None or after is None:  # pragma: no cover - a zone of the zone database always has an offset
        raise ValueError(f"the zone {zone} has no offset at {local}")
    low = local.replace(microsecond=0, tzinfo=UTC, fold=0) - after
    high = local.replace(microsecond=0, tzinfo=UTC, fold=0) - before
    while high - low > _SECOND:
        middle = low + (high - low) // _SECOND // 2 * _SECOND
        if middle.astimezone(zone).utcoffset() == after:
            high = middle
        else:
            low = middle
    return high
