"""Settings that a tap renews by itself: it writes them into its own settings file, as with OAuth tokens that are good for one use.

Problem: that file is gone after the run, and with it the token that the next run needs. Shape: what differs from what the tap was given
is kept in a file that the project names, beside a digest of the value that it replaces; a value that is given anew replaces it again.
"""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING, Any

from kpi_engine.api import SourceError
from kpi_engine.builtin.sources.singer.processes import write_private

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_ABSENT = "absent"


class Renewed:
    """What a tap has renewed: known until the end of the sync, and kept where there is a file for it."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._known: dict[tuple[str, ...], dict[str, Any]] = {}
        self._given: dict[tuple[str, ...], Any] = {}

    def applied(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Give the settings with what was renewed since they were given."""
        made: dict[str, Any] = json.loads(json.dumps(settings))
        given = dict(_leaves(made))
        for path, each in {**self._kept(), **self._known}.items():
            if each["instead_of"] == _digest(given, path):
                _put(made, path, each["value"])
                self._known[path] = each
        self._given = given
        return made

    def learn(self, settings: Path) -> tuple[str, ...]:
        """Look what the tap has made of its settings, and keep what it renewed; give the names of what is kept nowhere."""
        try:
            left = dict(_leaves(json.loads(settings.read_bytes())))
        except (OSError, ValueError):
            return ()
        now = {**self._given, **{path: each["value"] for path, each in self._known.items()}}
        changed = {path: value for path, value in left.items() if path not in now or now[path] != value}
        if not changed:
            return ()
        for path, value in changed.items():
            self._known[path] = {"path": list(path), "instead_of": _digest(self._given, path), "value": value}
        if self._file is None:
            return tuple(".".join(path) for path in changed)
        self._keep(self._file)
        return ()

    def hidden(self, text: str) -> str:
        """Take what was renewed out of a text."""
        for each in self._known.values():
            if isinstance(each["value"], str) and len(each["value"]) > 3:  # noqa: PLR2004 - shorter ones are words
                text = text.replace(each["value"], "•••")
        return text

    def _keep(self, file: Path) -> None:
        """Write the file at once or not at all: a token that is lost cannot be had again."""
        draft = file.with_name(f"{file.name}.draft")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            write_private(draft.parent, draft.name, list(self._known.values()))
            os.replace(draft, file)  # noqa: PTH105 - at once
        except OSError as error:
            raise self._error(file, f"cannot be written: {error.strerror}") from error

    def _kept(self) -> dict[tuple[str, ...], dict[str, Any]]:
        if self._file is None or not self._file.exists():
            return {}
        try:
            return {tuple(each["path"]): each for each in json.loads(self._file.read_bytes())}
        except OSError as error:
            raise self._error(self._file, f"cannot be read: {error.strerror}") from error
        except (ValueError, TypeError, KeyError) as error:
            raise self._error(self._file, "is damaged") from error

    def _error(self, file: Path, said: str) -> SourceError:
        hint = "`renewed` of the source names the file that keeps what the tap renews; without it the settings of `kpi.yaml` are used"
        return SourceError(f"{file} {said}", code="renewed_settings", hint=hint)


def _leaves(settings: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Give each value with the keys that lead to it."""
    for key, value in settings.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, (*above, key))
        else:
            yield (*above, key), value


def _put(settings: dict[str, Any], path: tuple[str, ...], value: object) -> None:
    *outer, last = path
    for key in outer:
        if not isinstance(settings.get(key), dict):
            settings[key] = {}
        settings = settings[key]
    settings[last] = value


def _digest(given: Mapping[tuple[str, ...], Any], path: tuple[str, ...]) -> str:
    if path not in given:
        return _ABSENT
    return hashlib.sha256(json.dumps(given[path], sort_keys=True).encode()).hexdigest()
