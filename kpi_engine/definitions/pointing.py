"""The settings of sources as what is kept between commands has them: where they stand in `kpi.yaml`, and not what they are.

Somebody may have written a secret there, which is refused when the source is made, and is known to be one by the source's plugin
alone. So nothing of these settings is copied: it is read again out of the file, whose bytes are those it was found in.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["AbsentError", "pointed", "pointed_sources", "read_back", "sources_read_back"]

_OWN = ("plugin", "sync")
"""Keys of a source that are the engine's own, and checked."""


class AbsentError(LookupError):
    """A value that stands in the file in another form, such as a text folded over several lines."""


def pointed(value: Any, top: bytes) -> Any:  # noqa: ANN401 - whatever a file holds
    """Give where a value stands in a file; raise `AbsentError` for one that does not stand there as it is."""
    if isinstance(value, Mapping):
        return {str(key): pointed(each, top) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return ["list", [pointed(each, top) for each in value]]
    if value is None or isinstance(value, bool):
        return ["word", value]
    written = (value if isinstance(value, str) else json.dumps(value)).encode()
    start = top.find(written)
    if start < 0:
        raise AbsentError
    return ["text" if isinstance(value, str) else "number", start, len(written)]


def read_back(noted: Any, top: bytes) -> Any:  # noqa: ANN401 - as `pointed` gives it
    """Give the value that was found there."""
    if isinstance(noted, Mapping):
        return {key: read_back(each, top) for key, each in noted.items()}
    kind, what = noted[:2]
    if kind == "list":
        return [read_back(each, top) for each in what]
    if kind == "word":
        return what
    written = top[what : what + noted[2]].decode()
    return written if kind == "text" else json.loads(written)


def pointed_sources(settings: Mapping[str, Any], top: bytes) -> dict[str, Any]:
    """Give the settings of a project with those of each source's plugin as places; raise `AbsentError` where one has none."""
    return _sources(settings, lambda value: pointed(value, top))


def sources_read_back(settings: Mapping[str, Any], top: bytes) -> dict[str, Any]:
    """Give the settings of a project as they were."""
    return _sources(settings, lambda value: read_back(value, top))


def _sources(settings: Mapping[str, Any], change: Callable[[Any], Any]) -> dict[str, Any]:
    changed = {
        name: {key: value if key in _OWN else change(value) for key, value in source.items()}
        for name, source in (settings.get("sources") or {}).items()
    }
    return {**settings, "sources": changed} if "sources" in settings else dict(settings)
