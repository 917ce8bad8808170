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


@contextmanager
def server() -> Iterator[str]:
    """Start a server on a free port of this machine; give the address of its database."""
    programs = programs_found()
    if programs is None:
        missing = pytest.fail if os.environ.get("CI") else pytest.skip
        missing("no PostgreSQL server is installed: `apt-get install postgresql`, as `.ci/run` does")
    with tempfile.TemporaryDirectory(prefix="kpi-postgres-") as folder:
        data = Path(folder) / "data"
        user = ("--", "postgres") if os.geteuid() == 0 else ()
        if user:  # the server refuses to run as root
            shutil.chown(folder, "postgres", "postgres")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]

        def run(*command: str) -> None:
            started = ["runuser", "-u", "postgres", "--", *command] if user else list(command)
            done = subprocess.run(started, capture_output=True, text=True, cwd=folder, check=False)  # noqa: S603 - the server's own programs
            if done.returncode:
                pytest.fail(f"{Path(command[0]).name} failed: {done.stderr or done.stdout}")

        run(
            str(programs / "initdb"),
            "-D",
            str(data),
            "-U",
            "kpi",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "-N",
        )
        flags = f"{FLAGS} -c port={port} -c unix_socket_directories={folder}"
        run(str(programs / "pg_ctl"), "-D", str(data), "-w", "-l", f"{folder}/log", "-o", flags, "start")
        try:
            yield f"postgresql://kpi@127.0.0.1:{port}/postgres"
        finally:
            run(str(programs / "pg_ctl"), "-D", str(data), "-m", "immediate", "-w", "stop")
