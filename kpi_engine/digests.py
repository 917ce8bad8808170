"""Short texts that tell things apart: any texts, this engine's own code, and the packages that are installed.

This module imports nothing heavy, and nothing from the package but its version.
"""

from __future__ import annotations

import os
import sys
from functools import cache
from hashlib import blake2b

from kpi_engine import __version__


def digest(*parts: str | bytes) -> str:
    """Make a short text of others: another one for any others, also where only the borders between them move.

    >>> digest("ab", "c") == digest("a", "bc")
    False
    """
    made = blake2b(digest_size=20)
    for part in parts:
        data = part if isinstance(part, bytes) else part.encode("utf-8", "surrogatepass")
        made.update(len(data).to_bytes(8, "big") + data)
    return made.hexdigest()


@cache
def code_version() -> str:
    """Tell this engine from every other, also from itself before its files were edited."""
    return digest(__version__, *_stamps(os.path.dirname(os.path.abspath(__file__))))  # noqa: PTH100, PTH120


def packages() -> str:
    """Tell which packages, of which versions, can be imported."""
    found: set[str] = set()
    for folder in sys.path:
        try:
            found.update(name for name in os.listdir(folder or ".") if name.endswith((".dist-info", ".egg-info")))  # noqa: PTH208
        except OSError:
            continue  # a path that does not exist has no packages
    return digest(*sorted(found))


def _stamps(folder: str) -> list[str]:
    """Name every Python file below a folder, with its size and time."""
    found: list[str] = []
    try:
        with os.scandir(folder) as entries:
            for entry in sorted(entries, key=lambda each: each.name):
                if entry.name.endswith(".py"):
                    status = entry.stat()
                    found.append(f"{entry.path}:{status.st_size}:{status.st_mtime_ns}")
                elif entry.is_dir() and entry.name != "__pycache__":
                    found += _stamps(entry.path)
    except OSError as error:
        found.append(f"{folder}:{error.errno}")
    return found
