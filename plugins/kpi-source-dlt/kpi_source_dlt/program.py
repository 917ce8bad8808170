"""The process in which dlt runs: given its task, waited for, stopped in time, and its failures told."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kpi_engine.api import SourceError

if TYPE_CHECKING:
    from collections.abc import Mapping

_SCRIPT = Path(__file__).with_name("extracting.py")
_HIDDEN = "•••"
_SAID = 600
_HINTS = {
    "missing_package": "install dlt there, or name another interpreter with `python`",
    "unknown_stream": "a stream is named as dlt names the table of a resource; `resources` says which of them there are",
    "no_dlt_source": "`source` is `module:name`, of a module in the project's folder or an installed one",
    "dlt_failed": "this is what dlt or the source says; run it with `dlt` alone to see more",
}


@dataclass(frozen=True)
class Program:
    """How dlt is run. `secrets` are taken out of all that is said."""

    python: str
    root: Path
    timeout: float
    secrets: tuple[str, ...]
    about: str
    source: str

    def run(self, task: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
        """Run a task and give its answer. The task goes by a pipe, so that no secret is in a file or on a command line."""
        answer = Path(task["folder"], "answer.json")
        errors = Path(task["folder"], "errors.txt")
        with errors.open("wb") as log:
            process = self._started(log)
            try:
                self._wait(process, task)
            finally:
                _stop(process)
        if not answer.exists():
            raise self._failed("dlt_failed", f"its process ended with {process.returncode}: {_last_line(errors)}")
        value = json.loads(answer.read_bytes())
        if "error" in value:
            raise self._failed(value["error"]["code"], value["error"]["said"])
        return value

    def _started(self, log: Any) -> subprocess.Popen[bytes]:  # noqa: ANN401 - a file
        python = str(self.root / self.python) if self.python else sys.executable
        environment = {**os.environ, "RUNTIME__DLTHUB_TELEMETRY": "false", "PYTHONUNBUFFERED": "1"}
        try:
            return subprocess.Popen(  # noqa: S603 - the interpreter that the project names
                [python, str(_SCRIPT)], stdin=subprocess.PIPE, stdout=log, stderr=log, cwd=self.root, env=environment,
                start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise self._failed("missing_package", f"{python} cannot be run: {error.strerror}") from None

    def _wait(self, process: subprocess.Popen[bytes], task: Mapping[str, Any]) -> None:
        """Hand over the task and wait; the pipe stays open, as its end tells the process that nobody waits any more."""
        if process.stdin is None:  # pragma: no cover
            return
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(json.dumps(task, default=str).encode() + b"\n")
            process.stdin.flush()
        try:
            process.wait(self.timeout)
        except subprocess.TimeoutExpired:
            raise SourceError(
                f"the source `{self.about}`: `{self.source}` was not done after {self.timeout:.0f} s, and was stopped",
                code="dlt_timeout",
                hint="raise `timeout`, or ask for less",
            ) from None

    def _failed(self, code: str, said: str) -> SourceError:
        for secret in sorted(filter(None, self.secrets), key=len, reverse=True):
            said = said.replace(secret, _HIDDEN)
        said = " ".join(said.split())
        said = said if len(said) <= _SAID else said[:_SAID] + "…"
        return SourceError(f"the source `{self.about}`: `{self.source}`: {said}", code=code, hint=_HINTS[code])


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the process and whatever it has started."""
    if process.stdin is not None:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if os.name == "nt":  # pragma: no cover
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _last_line(file: Path) -> str:
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
