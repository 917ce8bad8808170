"""What is kept between two commands, so that the second is faster: never rows, never needed, safe to delete at any time.

Each entry is a file of JSON in the user's cache folder, so that nothing is written into a project and no file can run code. Its name
and its checksum are made of what the entry is for and of the versions that wrote it: one that is damaged, cut off, moved, or of
another version is as good as none. Files appear whole or not at all, so that commands that run at once do not disturb each other.

This module imports nothing heavy.
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import Any, Final

from kpi_engine.digests import code_version, digest

__all__ = ["Cache", "default_folder", "digest"]

FORMAT: Final = 1
"""To be raised when what is kept is written in another way."""
_MAGIC: Final = b"kpi-cache"
_NAME: Final = re.compile(r"[0-9a-f]{40}\.kpi")
_FOLDER: Final = "kpi-engine"
_ENTRIES: Final = 1_000
_BYTES: Final = 128 * 2**20
_LARGEST: Final = 32 * 2**20
_STALE: Final = 3_600
"""Seconds after which the use of an entry is noted again: those not used for longest are dropped first."""
_WITHOUT_DUCKDB: Final = frozenset({"definitions"})
"""Kinds that do not depend on DuckDB, and are read before it is imported."""


class Cache:
    """Keeps values between commands, by kind and key; one that cannot keep anything says why in `problem`."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or default_folder()
        self.problem = ""
        if os.environ.get("KPI_NO_CACHE"):
            self.problem = "KPI_NO_CACHE is set"
        elif self.folder is None:
            self.problem = "this user has no folder for caches; KPI_CACHE_DIR names one"

    def read(self, kind: str, key: str) -> Any | None:  # noqa: ANN401 - whatever was written
        """Give what was kept, with lists for tuples as JSON has it; None where there is nothing, or nothing that can be trusted."""
        if self.problem or self.folder is None or (os.path.exists(self.folder) and not self._is_ours()):  # noqa: PTH110
            return None
        identity = _identity(kind, key)
        path = os.path.join(self.folder, _name(identity))  # noqa: PTH118 - one join per entry read
        try:
            with open(path, "rb") as file:  # noqa: PTH123
                _note_use(file.fileno(), path)
                content = file.read(_LARGEST + 1)
        except OSError:
            return None
        head, _, body = content.partition(b"\n")
        return json.loads(body) if head == _head(identity, body) else None

    def write(self, kind: str, key: str, value: Any) -> None:  # noqa: ANN401 - whatever JSON can hold
        """Keep a value; a folder that cannot be written keeps nothing, and `problem` says so."""
        if self.problem or self.folder is None:
            return
        identity = _identity(kind, key)
        body = json.dumps(value, separators=(",", ":")).encode()
        if len(body) > _LARGEST - 1_000:
            return
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self._is_ours():
                self._put(_name(identity), _head(identity, body) + b"\n" + body)
                self._drop_oldest()
        except OSError as error:
            self.problem = f"{self.folder} cannot be written: {error.strerror or error}"

    def trouble(self) -> str:
        """Say why nothing can be kept, after a look at the folder; empty where all is well."""
        if not self.problem and self.folder is not None:
            place = next(each for each in (self.folder, *self.folder.parents) if each.exists())
            if (place != self.folder or self._is_ours()) and not (place.is_dir() and os.access(place, os.W_OK)):
                self.problem = f"{self.folder} cannot be written"
        return self.problem

    def clear(self) -> int:
        """Delete everything that is kept, and say how many files that were."""
        entries = self._entries()
        for entry in entries:
            _remove(entry.path)
        return len(entries)

    def _is_ours(self) -> bool:
        """Say whether nobody else may write into the folder: what stands in it decides what is computed."""
        if os.name != "posix" or self.folder is None:
            return True
        try:
            status = os.stat(self.folder)  # noqa: PTH116
        except OSError as error:
            self.problem = f"{self.folder} cannot be looked into: {error.strerror or error}"
            return False
        if status.st_uid != os.geteuid() or status.st_mode & 0o022:
            self.problem = f"{self.folder} is not used: it belongs to somebody else, or others may write into it"
        return not self.problem

    def _put(self, name: str, content: bytes) -> None:
        """Write a file beside its place and move it there."""
        draft = f"{self.folder}/{name}.{os.getpid()}-{os.urandom(4).hex()}"
        try:
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123
                file.write(content)
            os.replace(draft, f"{self.folder}/{name}")  # noqa: PTH105
        except BaseException:
            _remove(draft)
            raise

    def _drop_oldest(self) -> None:
        """Delete those not used for longest, where there are too many."""
        ages = []
        for entry in self._entries():
            try:
                status = entry.stat()
            except OSError:
                continue  # another command dropped it
            ages.append((status.st_mtime, status.st_size, entry.path))
        room, number = _BYTES, 0
        for _, size, path in sorted(ages, reverse=True):
            room, number = room - size, number + 1
            if room < 0 or number > _ENTRIES:
                _remove(path)

    def _entries(self) -> list[os.DirEntry[str]]:
        if self.folder is None:
            return []
        try:
            with os.scandir(self.folder) as found:
                return [entry for entry in found if _NAME.match(entry.name)]
        except OSError:
            return []


def default_folder() -> Path | None:
    """Give the folder for what is kept: below `KPI_CACHE_DIR`, or where the platform keeps caches; None where there is none."""
    named = os.environ.get("KPI_CACHE_DIR")
    if named:
        return Path(os.path.abspath(named), _FOLDER)  # noqa: PTH100 - links stay as they are
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA", "")
    elif sys.platform == "darwin":
        base = os.path.expanduser("~/Library/Caches")  # noqa: PTH111 - raises nothing where there is no home
    else:
        base = os.environ.get("XDG_CACHE_HOME", "")
        base = base if os.path.isabs(base) else os.path.expanduser("~/.cache")  # noqa: PTH111, PTH117
    return Path(base, _FOLDER) if os.path.isabs(base) else None  # noqa: PTH117


def _identity(kind: str, key: str) -> str:
    versions = [code_version(), str(FORMAT), sys.version]
    if kind not in _WITHOUT_DUCKDB:
        import duckdb

        versions.append(duckdb.__version__)
    return digest(kind, key, *versions)


def _name(identity: str) -> str:
    return f"{identity}.kpi"


def _head(identity: str, body: bytes) -> bytes:
    return b" ".join([_MAGIC, digest(identity, body).encode()])


def _note_use(handle: int, path: str) -> None:
    """Note that an entry is used, where that is not known yet; a folder that is read-only cannot know."""
    from time import time

    if os.fstat(handle).st_mtime < time() - _STALE:
        try:
            os.utime(path)
        except OSError:
            return


def _remove(path: str) -> None:
    """Delete a file; one that is gone already, or may not be deleted, is left to whoever may."""
    try:
        os.unlink(path)  # noqa: PTH108
    except OSError:
        return
