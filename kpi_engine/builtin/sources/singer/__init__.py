"""The source `singer`: a Singer tap, which runs as a program in an environment of its own, or a file with what one has said."""

from __future__ import annotations

import json
import os
import shutil
import time
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Final

from kpi_engine.api import Notice, Schema, SourceError
from kpi_engine.builtin.deferred import Deferred

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from kpi_engine.api import Message, SourceContext, Stream, Wanted
    from kpi_engine.builtin.sources.singer.renewing import Renewed
    from kpi_engine.builtin.sources.singer.settings import SingerSettings

_LINES: Final = 20_000
_SECONDS: Final = 2.0
"""So many lines, or those of so many seconds, are read at once."""
_CHUNK: Final = 1 << 20
_SETTINGS: Final = "config.json"


class SingerSource:
    """The streams of a tap. It is given its last state, and says what is new since; what it says twice is kept once."""

    name: ClassVar[str] = "singer"
    Config = Deferred("kpi_engine.builtin.sources.singer.settings", "SingerSettings")

    def __init__(self, config: SingerSettings, context: SourceContext) -> None:
        self._config = config
        self._root = context.root.resolve()
        self._folder = self._root / ".kpi" / "sync" / context.name / "private"
        self._catalog: dict[str, Any] | None = None
        self._forgotten: dict[str, None] = {}
        self._unmoved: tuple[str, ...] = ()

    def streams(self) -> Sequence[Stream]:
        """List the streams: those of the catalog that the tap discovers, or those that a recorded file describes."""
        from kpi_engine.builtin.sources.singer.schemas import checked, streams_of

        if self._config.file:
            return self._recorded()
        return [checked(stream) for stream in streams_of(self._discovered())]

    def read(self, wanted: Sequence[Wanted], state: Any) -> Iterator[Message]:  # noqa: ANN401 - a JSON value
        """Give what the tap says; raise `SourceError` where it says nothing of a stream that is wanted."""
        from kpi_engine.builtin.sources.singer.decoding import Decoder

        decoder = Decoder({each.stream.name: each.stream.key for each in wanted}, whole=not self._config.file)
        names = {each.stream.name for each in wanted}
        try:
            chunks = self._file() if self._config.file else self._said(wanted, state)
            for lines in _batches(chunks):
                for message in decoder.decode(lines):
                    if not isinstance(message, Schema) or message.stream.name in names:
                        yield message
            yield from self._notices()
            if silent := sorted(names - decoder.streams.keys()):
                raise SourceError(
                    f"the tap said nothing of {', '.join(f'`{name}`' for name in silent)}",
                    code="bad_tap",
                    hint="it may lack the right to read it; `sync: {only: […]}` says which streams are wanted",
                )
        finally:
            decoder.close()

    def _recorded(self) -> list[Stream]:
        """Find the streams of a recorded file, each as it is described last."""
        from kpi_engine.builtin.sources.singer.schemas import checked, stream_of

        found: dict[str, Stream] = {}
        for lines in _batches(self._file()):
            for line in lines:
                if '"SCHEMA"' in line:
                    message = _parsed(line)
                    if message.get("type") == "SCHEMA":
                        found[message["stream"]] = checked(stream_of(message))
        return list(found.values())

    def _file(self) -> Iterator[bytes]:
        path = self._root / self._config.file
        try:
            with path.open("rb") as file:
                while chunk := file.read(_CHUNK):
                    yield chunk
        except OSError as error:
            raise SourceError(
                f"{path} cannot be read: {error.strerror}",
                code="missing_file",
                hint="`file` is relative to the project's folder",
            ) from error

    def _discovered(self) -> dict[str, Any]:
        """Give the tap's catalog: the file that the project names, or what the tap discovers."""
        if self._catalog is None:
            if self._config.catalog:
                text = self._text(self._root / self._config.catalog)
            else:
                with self._private() as folder:
                    text = b"".join(self._run([*self._options(folder), "--discover"])).decode("utf-8", "replace")
            self._catalog = _parsed(text)
        return self._catalog

    def _said(self, wanted: Sequence[Wanted], state: Any) -> Iterator[bytes]:  # noqa: ANN401
        from kpi_engine.builtin.sources.singer.processes import write_private
        from kpi_engine.builtin.sources.singer.schemas import selected
        from kpi_engine.builtin.sources.singer.states import told

        names = {each.stream.name for each in wanted}
        with self._private() as folder:
            options = self._options(folder)
            catalog = selected(self._discovered(), names)
            options += [f"--{self._config.catalog_option}", write_private(folder, "catalog.json", catalog)]
            known, self._unmoved = told(state, wanted)
            if known is not None:
                options += ["--state", write_private(folder, "state.json", known)]
            yield from self._run(options)

    def _options(self, folder: Path) -> list[str]:
        from kpi_engine.builtin.sources.singer.processes import write_private

        return ["--config", write_private(folder, _SETTINGS, self._renewed.applied(_settings(self._config)))]

    @cached_property
    def _renewed(self) -> Renewed:
        from kpi_engine.builtin.sources.singer.renewing import Renewed

        return Renewed(self._root / self._config.renewed if self._config.renewed else None)

    def _notices(self) -> Iterator[Notice]:
        """Say what the tap has renewed that is kept nowhere, and which streams it was asked for without their lookback."""
        for name in self._unmoved:
            yield Notice(
                f"the lookback of `{name}` has no effect: the tap's state has no time of it that is known to be one"
            )
        if self._forgotten:
            yield Notice(
                f"the tap has renewed {', '.join(f'`{name}`' for name in self._forgotten)} of its settings, and the next sync gives it "
                "the old value again: name a file in which to keep it, `renewed: PATH`"
            )

    def _run(self, options: Sequence[str]) -> Iterator[bytes]:
        from kpi_engine.builtin.sources.singer.processes import Tap

        config = self._config
        program = str(self._root / config.executable) if os.sep in config.executable else config.executable
        command = [program, *config.arguments, *options]
        try:
            with Tap(command, self._root, config.environment, config.idle_timeout, config.timeout) as tap:
                yield from tap.chunks()
        except SourceError as error:
            self._learn()
            raise SourceError(self._renewed.hidden(error.message), code=error.code, hint=error.hint) from None
        finally:
            self._learn()

    def _learn(self) -> None:
        """Keep what the tap has made of its settings, before they are gone."""
        self._forgotten |= dict.fromkeys(self._renewed.learn(self._folder / _SETTINGS))

    @contextmanager
    def _private(self) -> Iterator[Path]:
        """Give a folder that nobody else can look into, for files that hold secrets; it is gone at the end."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            yield self._folder
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _text(self, path: Path) -> str:
        try:
            return path.read_text(encoding="utf-8")
        except OSError as error:
            raise SourceError(
                f"{path} cannot be read: {error.strerror}",
                code="missing_file",
                hint="`catalog` is relative to the project's folder",
            ) from error


def _settings(config: SingerSettings) -> dict[str, Any]:
    """Put the tap's settings and its secrets together."""
    made = json.loads(json.dumps(config.config, default=str))
    for path, secret in config.secrets.items():
        *outer, last = path.split(".")
        place = made
        for key in outer:
            place = place.setdefault(key, {})
        place[last] = secret.get_secret_value()
    return dict(made)


def _batches(chunks: Iterable[bytes]) -> Iterator[list[str]]:
    """Cut what comes into lines, and collect them; what a slow tap says is passed on after a while, and so is what one said that fails."""
    rest, lines, since = list[bytes](), list[str](), time.monotonic()
    try:
        for chunk in chunks:
            *whole, last = chunk.split(b"\n")
            if whole:
                whole[0], rest = b"".join([*rest, whole[0]]), []
            rest.append(last)
            lines += [_decoded(line) for line in whole if line.strip()]
            if len(lines) >= _LINES or (lines and time.monotonic() - since > _SECONDS):
                yield lines
                lines, since = [], time.monotonic()
    except SourceError:
        if lines:
            yield lines
        raise
    if (end := b"".join(rest)).strip():
        lines.append(_decoded(end))
    if lines:
        yield lines


def _decoded(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        raise SourceError(
            f"the tap wrote a line that is no UTF-8: {line[:80]!r}",
            code="bad_tap",
            hint="Singer messages are JSON in UTF-8",
        ) from None


def _parsed(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise SourceError(
            f"the tap gave no catalog, but {text[:200]!r}",
            code="bad_tap",
            hint="`catalog` names a file where a tap cannot discover its streams",
        )
    return found
