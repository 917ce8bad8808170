"""A tap as a process of its own: what it may see, what it says, and its end."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import time
from collections import deque
from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING, Any, Final, Self

from kpi_engine.api import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_SEEN: Final = (
    "PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "USERPROFILE", "SSL_CERT_FILE",
    "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
)  # fmt: skip
"""Environment variables that every program may see."""
_CHUNK: Final = 1 << 20
_ERROR_LINES: Final = 20
_PATIENCE: Final = 5.0
"""Seconds that a tap has to end by itself, when it is told to."""


class Tap:
    """One run of a tap; a context manager, at whose end the process and all that it started are gone."""

    def __init__(
        self, command: Sequence[str], folder: Path, environment: Sequence[str], idle: float, timeout: float | None
    ) -> None:
        self._command, self._folder = list(command), folder
        self._environment = {name: os.environ[name] for name in (*_SEEN, *environment) if name in os.environ}
        self._idle, self._timeout = idle, timeout
        self._errors: deque[str] = deque(maxlen=_ERROR_LINES)

    def __enter__(self) -> Self:
        """Start it."""
        try:
            self._process = subprocess.Popen(  # noqa: S603 - the project names it
                self._command, cwd=self._folder, env=self._environment, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=os.name == "posix",
            )  # fmt: skip
        except OSError as error:
            raise SourceError(
                f"the tap {self._command[0]} cannot be started: {error.strerror or error}",
                code="missing_tap",
                hint="install it into an environment of its own, and name its program: `executable: taps/x/bin/tap-x`",
            ) from error
        self._listener = Thread(target=self._listen, daemon=True)
        self._listener.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop what still runs."""
        self._signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_PATIENCE if self._process.poll() is None else 0)
        self._signal(signal.SIGKILL if os.name == "posix" else signal.SIGTERM)
        self._process.wait()
        self._listener.join(_PATIENCE)
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()

    def chunks(self) -> Iterator[bytes]:
        """Give what it writes; raise `SourceError` where it is silent for too long, or fails."""
        out = self._process.stdout
        assert out is not None  # noqa: S101 - it is a pipe
        started = time.monotonic()
        with selectors.DefaultSelector() as ready:
            ready.register(out, selectors.EVENT_READ)
            while True:
                left = (
                    self._idle if self._timeout is None else min(self._idle, started + self._timeout - time.monotonic())
                )
                if left <= 0 or not ready.select(left):
                    raise self._overdue(idle=left == self._idle)
                chunk = os.read(out.fileno(), _CHUNK)
                if not chunk:
                    break
                yield chunk
        self._check_end()

    def _check_end(self) -> None:
        try:
            code = self._process.wait(self._idle)
        except subprocess.TimeoutExpired:
            raise self._overdue(idle=True) from None
        if code:
            self._listener.join(_PATIENCE)
            how = f"was stopped by the signal {-code}" if code < 0 else f"ended with the code {code}"
            raise SourceError(
                f"the tap {self._command[0]} {how}{self._last_words()}",
                code="tap_failed",
                hint="what it says is above; what was committed before stands, and the next sync goes on from there",
            )

    def _overdue(self, *, idle: bool) -> SourceError:
        limit = f"said nothing for {self._idle:g} seconds" if idle else f"took longer than {self._timeout:g} seconds"
        return SourceError(
            f"the tap {self._command[0]} {limit}{self._last_words()}",
            code="tap_timeout",
            hint="`idle_timeout` and `timeout` of the source set the limits",
        )

    def _last_words(self) -> str:
        return ": " + "\n".join(self._errors) if self._errors else ""

    def _listen(self) -> None:
        """Read what it says beside its messages, so that it never waits for a reader; the last lines are kept."""
        assert self._process.stderr is not None  # noqa: S101 - it is a pipe
        with suppress(ValueError, OSError):
            for line in self._process.stderr:
                self._errors.append(line.decode("utf-8", "replace").rstrip())

    def _signal(self, number: signal.Signals) -> None:
        """Send a signal to the tap and to all that it started."""
        with suppress(ProcessLookupError, PermissionError):
            if os.name == "posix":
                os.killpg(self._process.pid, number)
            elif self._process.poll() is None:
                self._process.send_signal(number)


def write_private(folder: Path, name: str, content: Any) -> str:  # noqa: ANN401 - anything JSON can hold
    """Write a file that nobody else can read, and give its path."""
    path = folder / name
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(content, file)
    return str(path)
