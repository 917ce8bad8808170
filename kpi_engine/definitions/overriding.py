"""A dataset that replaces parts of another: what stands in it holds, and the rest is that of the other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .shorthand import by_name

if TYPE_CHECKING:
    from .entries import Entry

PARTIAL = "partial"
_ORIGINS = ("table", "sql", "transform")
_OF_AN_ORIGIN = frozenset((*_ORIGINS, "from", "options"))
"""Keys that say where rows come from: one origin takes the place of another as a whole."""
_ENTRIES = ("times", "columns", "dimensions", "joins")
"""Keys whose mappings are replaced entry by entry."""


def is_partial(entry: Entry) -> bool:
    """Whether a definition replaces parts of the one below it."""
    return entry.section == "datasets" and isinstance(entry.raw, dict) and entry.raw.get("override") == PARTIAL


def merged(base: Entry, over: Entry) -> Entry:
    """Put what stands in a definition over what stands in the one below it."""
    below, given = base.raw if isinstance(base.raw, dict) else {}, over.raw
    gone = _OF_AN_ORIGIN if any(given.get(key) for key in _ORIGINS) else frozenset()
    kept = {key: value for key, value in below.items() if key not in gone}
    entries = {key: _entries(below[key], given[key]) for key in _ENTRIES if key in below and key in given}
    return replace(over, raw={**kept, **given, **entries}, refused=base.refused | over.refused)


def _entries(below: Any, given: Any) -> Any:  # noqa: ANN401 - what stands in a file, checked later
    """Put entries over those below; what is no mapping of names is left to be refused."""
    under, over = by_name(below), by_name(given)
    return {**under, **over} if isinstance(under, dict) and isinstance(over, dict) else given
