"""The version of files: a text that changes whenever what they hold may have changed."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

SETTLED = 2_000_000_000
"""Nanoseconds after which a file that changes again has another time: clocks of file systems tick in steps of up to two seconds."""


def files_version(files: Iterable[str | os.PathLike[str]]) -> str | None:
    """Give a text that changes whenever one of these files is written, replaced, added or taken away.

    None where that cannot be told: a file is not there, or was written so lately that it may change again and look the same.
    """
    now = time.time_ns()
    parts: list[str] = []
    for file in files:
        try:
            status = os.stat(file)  # noqa: PTH116 - one call for each file of each request
        except OSError:
            return None
        if now - max(status.st_mtime_ns, status.st_ctime_ns) < SETTLED:
            return None
        stamp = (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_dev, status.st_ino)
        parts.append("|".join([*map(str, stamp), os.fspath(file)]))
    return "\n".join(parts)
