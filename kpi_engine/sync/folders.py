"""Where the rows of a source are kept: the files of its store, and who may write them."""

from __future__ import annotations

import json
import os
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from kpi_engine.errors import SourceError
from kpi_engine.sync.failpoints import reached

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_FOLDER: Final = Path(".kpi", "sync")
_AGAIN: Final = 0.2
"""After how many seconds a sync that waits asks again."""


@dataclass(frozen=True)
class Folder:
    """The folder of one source's store.

    `served` is what KPIs read: a whole state, put in place at once and never written. `work` is where a sync commits; it is copied to
    `draft`, which takes the place of `served` when the sync has come to its end.
    """

    path: Path

    @property
    def served(self) -> Path:
        """The database that KPIs read."""
        return self.path / "served.duckdb"

    @property
    def work(self) -> Path:
        """The database that a sync writes."""
        return self.path / "work.duckdb"

    @property
    def draft(self) -> Path:
        """The copy that is about to be served."""
        return self.path / "draft.duckdb"

    @property
    def lock(self) -> Path:
        """The file that the sync at work holds."""
        return self.path / "lock"

    @property
    def private(self) -> Path:
        """The folder for what a plugin must hand to a program, such as its settings."""
        return self.path / "private"


def folder_of(root: Path, source: str) -> Folder:
    """Give the folder of a source's store in a project."""
    return Folder(root / _FOLDER / source)


@contextmanager
def locked(folder: Folder, source: str, *, wait: bool, waiting: Callable[[int], None]) -> Iterator[None]:
    """Let nobody else write the store meanwhile; a lock whose holder died is free.

    `waiting` is told the process that holds it. Raises `SourceError` (`sync_running`) where another sync does and `wait` is not set.
    """
    make(folder.path)
    with _opened(folder.lock) as file:
        told = False
        while not _taken(file):
            holder = _holder(folder.lock)
            if not wait:
                raise SourceError(
                    f"the source `{source}` is being synced by another process{f', {holder}' if holder else ''}",
                    code="sync_running",
                    hint="wait for its end, or use --wait",
                )
            if not told:
                waiting(holder)
                told = True
            time.sleep(_AGAIN)
        file.seek(0)
        file.truncate()
        json.dump({"pid": os.getpid()}, file)
        file.flush()
        reached("locked")
        try:
            yield
        finally:
            file.seek(0)
            file.truncate()


def make(folder: Path) -> None:
    """Make the folder of a store, which no version control takes in."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        ignored = folder.parent / ".gitignore"
        if not ignored.exists():
            ignored.write_text("*\n", encoding="utf-8")
    except OSError as error:
        raise unwritable(folder, error) from error


def unwritable(path: Path, error: OSError) -> SourceError:
    """Say that a file of the store cannot be written."""
    return SourceError(
        f"{path} cannot be written: {error.strerror or error}",
        code="unwritable_store",
        hint="make room, or check that you may write there; what was served before is still served",
    )


@contextmanager
def _opened(path: Path) -> Iterator[IO[str]]:
    try:
        file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+", encoding="utf-8")
    except OSError as error:
        raise unwritable(path, error) from error
    with file:
        yield file


def _taken(file: IO[str]) -> bool:
    """Take the lock if it is free; the system frees it when its holder ends, however that ends."""
    if os.name == "nt":  # pragma: no cover
        import msvcrt

        try:
            file.seek(_BEHIND)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


_BEHIND: Final = 1 << 20


def _holder(path: Path) -> int:
    """Give the process that holds the lock; 0 where it has not said yet."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        return int(json.loads(path.read_text(encoding="utf-8"))["pid"])
    return 0
