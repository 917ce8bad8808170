"""A real PostgreSQL server, started for the tests and ended by them."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

FLAGS = "-c fsync=off -c full_page_writes=off -c synchronous_commit=off -c listen_addresses=127.0.0.1"


def programs_found() -> Path | None:
    """Find the server's programs: on the path, or where Debian puts them."""
    found = shutil.which("initdb")
    if found and not Path(found).resolve().name.startswith("pg_wrapper"):
        return Path(found).resolve().parent
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda file: int(file.parts[-3]))
    return folders[-1].parent if folders else None


class Server:
    """A server of the tests' own on a free port of this machine, which can be stopped and started."""

    def __init__(self, programs: Path, folder: str) -> None:
        self._programs, self._folder = programs, folder
        self._data = str(Path(folder) / "data")
        self._user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self._user:  # the server refuses to run as root
            shutil.chown(folder, "postgres", "postgres")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.dsn = f"postgresql://kpi@127.0.0.1:{self.port}/postgres"
        self._run("initdb", "-U", "kpi", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N")

    def start(self) -> None:
        """Start it, and wait until it answers."""
        flags = f"{FLAGS} -c port={self.port} -c unix_socket_directories={self._folder}"
        self._run("pg_ctl", "-w", "-l", f"{self._folder}/log", "-o", flags, "start")

    def stop(self) -> None:
        """End it at once, with all that it does at that moment."""
        self._run("pg_ctl", "-m", "immediate", "-w", "stop")

    def _run(self, program: str, *words: str) -> None:
        command = [*self._user, str(self._programs / program), "-D", self._data, *words]
        done = subprocess.run(command, capture_output=True, text=True, cwd=self._folder, check=False)  # noqa: S603 - the server's own programs
        if done.returncode:
            pytest.fail(f"{program} failed: {done.stderr or done.stdout}")


@contextmanager
def served() -> Iterator[Server]:
    """Start a server; end it where it still runs."""
    programs = programs_found()
    if programs is None:
        missing = pytest.fail if os.environ.get("CI") else pytest.skip
        missing("no PostgreSQL server is installed: `apt-get install postgresql`, as `.ci/run` does")
    with tempfile.TemporaryDirectory(prefix="kpi-postgres-") as folder:
        made = Server(programs, folder)
        made.start()
        try:
            yield made
        finally:
            made.stop()


@contextmanager
def server() -> Iterator[str]:
    """Start a server; give the address of its database."""
    with served() as made:
        yield made.dsn
