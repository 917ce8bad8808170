"""A real MariaDB server, started for the tests and ended by them."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pymysql
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

USER, PASSWORD = "reader", "hunter2/@x"
FLAGS = ("--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=32M", "--skip-name-resolve")


class Server:
    """A server on a free port of this machine; it can be ended, at once too, and started again over the same data."""

    def __init__(self, folder: str, program: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.dsn = f"mysql://{USER}:hunter2%2F%40x@127.0.0.1:{self.port}/shop"
        self._folder, self._program = folder, program
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        user = ["--user=mysql"] if os.geteuid() == 0 else []
        command = [self._program, "--no-defaults", *user, f"--datadir={self._folder}/data", f"--port={self.port}"]
        command += [
            "--bind-address=127.0.0.1",
            f"--socket={self._folder}/socket",
            f"--pid-file={self._folder}/pid",
            *FLAGS,
        ]
        with Path(self._folder, "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603 - the server's own program
        until = time.monotonic() + 60
        while time.monotonic() < until and self._process.poll() is None:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.05)
        pytest.fail(f"the server did not start: {Path(self._folder, 'log').read_text()[-2000:]}")

    def stop(self, *, at_once: bool = False) -> None:
        """End it; at once, as if the machine had failed."""
        if self._process is not None:
            (self._process.kill if at_once else self._process.terminate)()
            self._process.wait(60)

    def run(self, *statements: str) -> Sequence[Any]:
        """Run statements as its owner; give the rows of the last."""
        with closing(self._root()) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall()

    def _root(self) -> Any:
        return pymysql.connect(unix_socket=f"{self._folder}/socket", user="root", charset="utf8mb4", autocommit=True)


@contextmanager
def served() -> Iterator[Server]:
    """Give a server with an empty database."""
    program = shutil.which("mariadbd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/libexec")
    install = shutil.which("mariadb-install-db")
    if program is None or install is None:
        missing = pytest.fail if os.environ.get("CI") else pytest.skip
        missing("no MariaDB server is installed: `apt-get install mariadb-server`, as `.ci/run` does")
    with tempfile.TemporaryDirectory(prefix="kpi-mariadb-") as folder:
        user = ["--user=mysql"] if os.geteuid() == 0 else []
        if user:
            shutil.chown(folder, "mysql", "mysql")
        made = [install, "--no-defaults", *user, f"--datadir={folder}/data", "--skip-test-db"]
        done = subprocess.run(  # noqa: S603 - the server's own program
            [*made, "--auth-root-authentication-method=normal"], capture_output=True, text=True, check=False
        )
        if done.returncode:
            pytest.fail(f"mariadb-install-db failed: {done.stderr or done.stdout}")
        server = Server(folder, program)
        try:
            server.start()
            server.run(
                "CREATE DATABASE shop",
                f"CREATE USER '{USER}'@'%' IDENTIFIED BY '{PASSWORD}'",
                f"GRANT SELECT ON *.* TO '{USER}'@'%'",
            )
            yield server
        finally:
            server.stop()
