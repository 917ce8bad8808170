"""The encoding of a text file, and its copy in UTF-8 where DuckDB cannot read the file itself.

DuckDB reads UTF-8 well; UTF-16 in big-endian order it reads as wrong characters without an error, and other encodings only through a
download. So whatever is not UTF-8 is written again as UTF-8, once, into a private folder.
"""

from __future__ import annotations

import codecs
import gzip
import shutil
import tempfile
import weakref
import zlib
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from threading import RLock
from typing import IO, TYPE_CHECKING, cast

from kpi_engine.api import SourceError, files_version

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HEAD = 1 << 16
"""How many characters of a file are looked at to see how it is written."""
BLOCK = 1 << 20

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_GLOB = frozenset("*?[")
_OF_FILE = 5
"""So many parts of a key tell a file from what it was before; the others say how it is read."""


@dataclass(frozen=True)
class Text:
    """A text file that DuckDB can read."""

    file: Path
    """The user's file, for messages."""
    path: Path
    """The file to read: the same, or its copy."""
    head: str
    """Its first characters."""
    last: str
    """Its last visible character."""
    size: int
    """How many characters it has."""

    @property
    def whole(self) -> bool:
        """Whether `head` is all there is."""
        return len(self.head) == self.size


class Copies:
    """A private folder with the copies of files that DuckDB cannot read as they are; it goes away with its owner."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._texts: dict[tuple[object, ...], Text] = {}
        self._paths: dict[tuple[object, ...], Path] = {}
        self._numbers = count()
        self._folder: Path | None = None
        self._remove: weakref.finalize[..., Copies] | None = None

    def folder(self) -> Path:
        """Give the private folder; make it the first time. Raises `SourceError` (`no_room`) where none can be made."""
        with self._lock, _writing("a folder for temporary files"):
            if self._folder is None:
                self._folder = Path(tempfile.mkdtemp(prefix="kpi-files-")).resolve()
                self._remove = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
            return self._folder

    def close(self) -> None:
        """Remove the folder and all copies."""
        with self._lock:
            if self._remove is not None:
                self._remove()
            self._folder = None
            self._texts.clear()
            self._paths.clear()

    def text(self, file: Path, encoding: str | None, *, marked: bool = True) -> Text:
        """Give a file as UTF-8 text; raise `SourceError` when it is empty, damaged or written in another encoding.

        Without `marked`, the copy has no byte-order mark either.
        """
        with self._lock:
            key = (*_identity(file), encoding, marked)
            if key not in self._texts:
                self._texts[key] = self._read(file, encoding, marked=marked)
                for old in _outdated(self._texts, key):
                    self._drop(self._texts.pop(old).path)
            return self._texts[key]

    def plain(self, file: Path) -> Path:
        """Give a path that DuckDB does not take for a pattern: the file's own, or a copy's where its name has `*`, `?` or `[`."""
        if not _GLOB & set(str(file)):
            return file
        with self._lock:
            key = _identity(file)
            if key not in self._paths:
                target = self._target(file.name)
                with _writing(f"a copy of the file {file}"):
                    self._paths[key] = Path(shutil.copyfile(file, target))
                for old in _outdated(self._paths, key):
                    self._drop(self._paths.pop(old))
            return self._paths[key]

    def _read(self, file: Path, encoding: str | None, *, marked: bool) -> Text:
        mark = _mark(file)
        codec = codecs.lookup(mark or encoding or "utf-8").name
        readable = codec == "utf-8" or (codec == "utf-8-sig" and marked)
        if readable and not _GLOB & set(str(file)):
            return _survey(file, "utf-8-sig", None, encoding)
        unpacked = file.name[:-3] if file.name.casefold().endswith(".gz") else file.name
        return _survey(file, "utf-8-sig" if codec == "utf-8" else codec, self._target(unpacked), encoding)

    def _target(self, name: str) -> Path:
        """Name a copy so that a message of DuckDB's about it still tells the user's file."""
        return (
            self.folder() / f"{next(self._numbers):04}-{''.join('_' if letter in _GLOB else letter for letter in name)}"
        )

    def _drop(self, copy: Path) -> None:
        """Remove a copy that nobody asks for any more; a file of the user's is left alone, and so is one that is still read."""
        if copy.parent == self._folder:
            with suppress(OSError):
                copy.unlink()


def _outdated(kept: Mapping[tuple[object, ...], object], newest: tuple[object, ...]) -> list[tuple[object, ...]]:
    """Name what was kept of a file before; what it was last may still be read by a request that began before it changed."""
    return [key for key in kept if key[0] == newest[0] and key[_OF_FILE:] == newest[_OF_FILE:]][:-2]


def _identity(file: Path) -> tuple[object, ...]:
    """Tell a file from what it was before; what was read of one that may still change unseen is read again once it may not."""
    stat = file.stat()
    return (file, stat.st_size, stat.st_mtime_ns, stat.st_ino, files_version([file]))


def _mark(file: Path) -> str:
    """Name the encoding that a file's byte-order mark tells, if it has one."""
    with _opened(file) as stream:
        start = stream.read(4)
    return next((encoding for mark, encoding in _MARKS if start.startswith(mark)), "")


def _survey(file: Path, codec: str, target: Path | None, declared: str | None) -> Text:
    """Decode a whole file, copy it to `target` where one is given, and keep its beginning and end."""
    head, last, size, lines = "", "", 0, 1
    with _writing(f"a copy of the file {file}"), target.open("wb") if target else nullcontext() as copy:
        try:
            for part in _parts(file, codec):
                head += part[: max(0, HEAD - len(head))]
                last = part.rstrip()[-1:] or last
                size += len(part)
                lines += part.count("\n")
                if copy:
                    copy.write(part.encode())
        except UnicodeDecodeError as error:
            line = lines + error.object[: error.start].count(b"\n")
            raise _bad_encoding(file, codec, declared, line) from None
    if not last:
        raise SourceError(
            f"the file {file} is empty", code="empty_source_file", hint="export it again, or take it away"
        )
    return Text(file, target or file, head, last, size)


@contextmanager
def _writing(what: str) -> Iterator[None]:
    """Say what could not be written, and where there is room."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        hint = "make room where temporary files are kept, or name another folder by the environment variable TMPDIR"
        raise SourceError(f"{what} cannot be written: {reason}", code="no_room", hint=hint) from error


def _parts(file: Path, codec: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(codec)()
    with _opened(file) as stream:
        while block := stream.read(BLOCK):
            yield decoder.decode(block)
    yield decoder.decode(b"", final=True)


@contextmanager
def _opened(file: Path) -> Iterator[IO[bytes]]:
    """Open a file, unpacked where it is packed; what goes wrong while reading it is a `SourceError`."""
    opener = gzip.open if file.name.casefold().endswith(".gz") else open
    try:
        with opener(file, "rb") as stream:
            yield cast("IO[bytes]", stream)
    except (OSError, EOFError, zlib.error) as error:
        raise SourceError(
            f"the file {file} cannot be read: {error}",
            code="unreadable_file",
            hint="check that it is complete and that you may read it",
        ) from error


def _bad_encoding(file: Path, codec: str, declared: str | None, line: int) -> SourceError:
    if declared:
        return SourceError(
            f"line {line} of the file {file} is not {declared}",
            code="bad_encoding",
            hint="give the encoding it was written in, such as `encoding: cp1252`, `latin-1` or `utf-16`",
        )
    return SourceError(
        f"line {line} of the file {file} is not {codec.removesuffix('-sig').upper()}, and no encoding is given",
        code="bad_encoding",
        hint="say how it is written in the source's settings; for files from Windows that is mostly `encoding: cp1252`",
    )
