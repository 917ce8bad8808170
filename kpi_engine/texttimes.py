"""Times that are texts, as sources and their states have them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import timedelta

_DAY: Final = len("2026-01-05")
_MILLI: Final = 3


def earlier_text(text: str, lookback: timedelta) -> str | None:
    """Move a time that is a text back, and write it as it was written: texts are compared as texts; None of a text that is no time.

    >>> from datetime import timedelta
    >>> earlier_text("2026-01-05", timedelta(hours=6)), earlier_text("2026-01-05 00:30:00.5Z", timedelta(hours=1))
    ('2026-01-04', '2026-01-04 23:30:00.500Z')
    """
    try:
        moved = datetime.fromisoformat(text) - lookback
    except (ValueError, OverflowError):
        return None
    if len(text) <= _DAY:
        return moved.date().isoformat()
    digits = len(text.partition(".")[2].rstrip("Zz").partition("+")[0].partition("-")[0])
    written = moved.isoformat(
        text[_DAY], "seconds" if not digits else "milliseconds" if digits <= _MILLI else "microseconds"
    )
    return written.replace("+00:00", text[-1]) if text[-1] in "zZ" else written
