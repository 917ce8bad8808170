"""From where on records are asked for, as the API wants it written."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kpi_source_rest.settings import Incremental

_WESTERNMOST = timedelta(hours=12)
_CLOCK = re.compile("%[HIsXcT]")
"""What a pattern has that writes a time of day."""
_PLACE = "{incremental.start_value}"


def params_of(given: Mapping[str, Any], asks: Incremental | None, since: Any) -> list[tuple[str, str]]:  # noqa: ANN401
    """Give the parameters of a request: a list becomes several of one name; the start is written where it belongs."""
    start = None if asks is None else start_of(asks, since)
    params = []
    for name, value in given.items():
        for each in value if isinstance(value, list) else [value]:
            text = _text(each)
            params.append((name, text if start is None else text.replace(_PLACE, start)))
    if asks is not None and asks.start_param and start is not None:
        params.append((asks.start_param, start))
    return params


def start_of(asks: Incremental, since: Any) -> str | None:  # noqa: ANN401
    """Write from where on records are wanted; None for all.

    >>> from kpi_source_rest.settings import Incremental
    >>> start_of(Incremental(cursor_path="at", start_param="since", format="date"), datetime(2026, 2, 25, 8, tzinfo=UTC))
    '2026-02-24'
    """
    if since is None:
        return None if asks.initial_value is None else _text(asks.initial_value)
    if isinstance(since, datetime):
        return _instant(since, asks.format)
    if isinstance(since, date):
        if asks.format in ("iso", "date"):
            return since.isoformat()
        return _instant(datetime.combine(since, time()), asks.format)
    return _text(since)


def _instant(value: datetime, written: str) -> str:
    """Write a time; one without a zone stays so, except where seconds are counted, which is done in UTC.

    Where only a day is written, it is the first one that the moment has anywhere: the API may count days in a zone west of UTC, where
    the day in UTC has not begun.
    """
    value = value.astimezone(UTC) if value.tzinfo else value
    if value.tzinfo and (written == "date" or ("%" in written and not _CLOCK.search(written))):
        value -= _WESTERNMOST
    if written == "iso":
        return value.isoformat().replace("+00:00", "Z")
    if written == "date":
        return value.date().isoformat()
    if written in ("epoch", "epoch_ms"):
        whole = value if value.tzinfo else value.replace(tzinfo=UTC)
        micros = (whole - datetime(1970, 1, 1, tzinfo=UTC)) // _MICROSECOND
        return str(micros // (1_000_000 if written == "epoch" else 1_000))
    return value.strftime(written)


_MICROSECOND = datetime(1970, 1, 1, 0, 0, 0, 1, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)


def _text(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
