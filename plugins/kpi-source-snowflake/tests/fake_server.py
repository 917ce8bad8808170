"""A server that speaks Snowflake's protocol, started for the tests and ended by them: fakesnow, in a process of its own."""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
import time
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import snowflake.connector

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PROGRAM = Path(__file__).with_name("fake_snowflake.py")


class Server:
    """A server on a port of this machine."""

    password = "hunter2/te+st"  # noqa: S105 - no password of anything

    def __init__(self, port: int) -> None:
        self.port = port

    def settings(self, database: str, schema: str = "PUBLIC") -> dict[str, Any]:
        """Give the settings of a source that reads a database."""
        return {
            "account": "fake", "user": "reader", "password": {"env": "KPI_TEST_SNOWFLAKE"}, "database": database, "schema": schema, "network_timeout": 5,
            "address": f"http://127.0.0.1:{self.port}",
        }  # fmt: skip

    def run(self, database: str, *statements: str) -> Sequence[Any]:
        """Run statements in a database, which is made; give the rows of the last."""
        options = {"host": "127.0.0.1", "port": self.port, "protocol": "http", "account": "fake", "user": "owner"}
        more = {"CLIENT_OUT_OF_BAND_TELEMETRY_ENABLED": False}
        made = snowflake.connector.connect(
            **options,
            password=self.password,
            database=database,
            schema="PUBLIC",
            session_parameters=more,
            network_timeout=5,
        )
        with closing(made) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall()


@contextmanager
def served() -> Iterator[Server]:
    """Give a server without data."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen([sys.executable, str(PROGRAM), str(port)], stdout=log, stderr=log)  # noqa: S603
        try:
            until = time.monotonic() + 60
            while time.monotonic() < until and process.poll() is None:
                with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                time.sleep(0.05)
            else:
                log.seek(0)
                pytest.fail(f"the server did not start: {log.read().decode()[-2000:]}")
            yield Server(port)
        finally:
            process.terminate()
            process.wait(30)
