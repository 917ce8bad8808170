"""A server that speaks BigQuery's protocol, started for the tests and ended by them: bqemulator, from an environment of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import time
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PROJECT = "shop-reports"
PROGRAM = "KPI_TEST_BIGQUERY_EMULATOR"


class Server:
    """A server on a port of this machine."""

    def __init__(self, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}"

    def settings(self, dataset: str) -> dict[str, Any]:
        """Give the settings of a source that reads a dataset."""
        return {"project": PROJECT, "dataset": dataset, "address": self.address, "timeout": 120}

    def run(self, dataset: str, *statements: str) -> Sequence[Any]:
        """Run statements in a dataset, which is made; give the rows of the last."""
        options = {"api_endpoint": self.address}
        with closing(bigquery.Client(PROJECT, credentials=AnonymousCredentials(), client_options=options)) as client:
            client.create_dataset(dataset, exists_ok=True)
            config = bigquery.QueryJobConfig(default_dataset=f"{PROJECT}.{dataset}")
            found: Sequence[Any] = ()
            for statement in statements:
                found = [row.values() for row in client.query(statement, job_config=config).result()]
            return found


@contextmanager
def served() -> Iterator[Server]:
    """Give a server without data."""
    program = os.environ.get(PROGRAM)
    if not program:
        missing = pytest.fail if os.environ.get("CI") else pytest.skip
        missing(f"{PROGRAM} does not say where bqemulator is: `make test-bigquery` does")
    rest, grpc = _free(), _free()
    ports = ["--rest-port", str(rest), "--grpc-port", str(grpc)]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(  # noqa: S603 - the program that the recipe names
            [program, "start", *ports, "--project", PROJECT, "--log-level", "warning"], stdout=log, stderr=log
        )
        try:
            until = time.monotonic() + 120
            while time.monotonic() < until and process.poll() is None:
                with suppress(OSError), socket.create_connection(("127.0.0.1", rest), 1):
                    break
                time.sleep(0.05)
            else:
                log.seek(0)
                pytest.fail(f"the server did not start: {log.read().decode()[-2000:]}")
            yield Server(rest)
        finally:
            process.terminate()
            process.wait(30)


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
