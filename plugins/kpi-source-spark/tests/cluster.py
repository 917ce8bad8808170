"""A Spark cluster of the tests' own: a master, two workers and a Spark Connect server, on this machine, ended by their ids."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HOME = "KPI_TEST_SPARK_HOME"
"""The environment variable that says where Spark is: the folder `pyspark` of an environment that has it."""
HERE = "127.0.0.1"
PATIENCE = 90
"""So many seconds a process may take until it says that it is ready."""
WORKER = "org.apache.spark.deploy.worker.Worker"


@dataclass(frozen=True)
class Process:
    """A process of the cluster, and where it writes."""

    popen: subprocess.Popen[bytes]
    log: Path

    def until(self, said: str) -> re.Match[str]:
        """Wait until it has said something."""
        end = monotonic() + PATIENCE
        while monotonic() < end:
            if found := re.search(said, self.log.read_text(encoding="utf-8", errors="replace")):
                return found
            if self.popen.poll() is not None:
                break
            try:
                self.popen.wait(0.1)
            except subprocess.TimeoutExpired:
                continue
        tail = self.log.read_text(encoding="utf-8", errors="replace")[-3000:]
        pytest.fail(f"{self.log.stem} did not say `{said}`:\n{tail}")

    def kill(self) -> None:
        """End it at once, and what it has started."""
        if self.popen.poll() is None:
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait(30)


@dataclass(frozen=True)
class Cluster:
    """A running cluster."""

    remote: str
    workers: tuple[Process, ...]
    server: Process


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """Start a cluster; give its address and its workers."""
    home = os.environ.get(HOME)
    if not home:
        missing = pytest.fail if os.environ.get("CI") else pytest.skip
        missing(f"{HOME} does not say where Spark is: `make test-spark` installs it")
    told = {**os.environ, "SPARK_HOME": str(home), "SPARK_LOCAL_IP": HERE, "SPARK_NO_DAEMONIZE": "1"}
    with ExitStack() as stack:

        def start(name: str, *command: str) -> Process:
            made = started(name, command, folder, told)
            stack.callback(made.kill)
            return made

        run = f"{home}/bin/spark-class"
        master = start(
            "master", run, "org.apache.spark.deploy.master.Master", "--host", HERE, "--port", "0", "--webui-port", "0"
        )
        address = master.until(r"Starting Spark master at (\S+)")[1]
        master.until("elected leader")
        parts = ("--host", HERE, "--cores", "1", "--memory", "1g", "--webui-port", "0")
        workers = tuple(
            start(f"worker{n}", run, WORKER, *parts, "--work-dir", str(folder / f"work{n}"), address) for n in (1, 2)
        )
        for each in workers:
            each.until("Successfully registered")
        port = free_port()
        settings = {
            "spark.connect.grpc.binding.address": HERE, "spark.connect.grpc.binding.port": port, "spark.driver.host": HERE,
            "spark.driver.bindAddress": HERE, "spark.executor.memory": "600m", "spark.driver.memory": "1g", "spark.ui.enabled": "false",
            "spark.sql.shuffle.partitions": 4, "spark.sql.warehouse.dir": folder / "warehouse",
            "spark.hadoop.javax.jdo.option.ConnectionURL": "jdbc:derby:memory:kpi;create=true",
        }  # fmt: skip
        given = [part for key, value in settings.items() for part in ("--conf", f"{key}={value}")]
        service = "org.apache.spark.sql.connect.service.SparkConnectServer"
        server = start(
            "server", f"{home}/bin/spark-submit", "--class", service, "--master", address, *given, "spark-internal"
        )
        server.until("Spark Connect server started")
        yield Cluster(f"sc://{HERE}:{port}", workers, server)


def started(name: str, command: tuple[str, ...], folder: Path, told: Mapping[str, str]) -> Process:
    """Start a process that writes into a file."""
    log = folder / f"{name}.log"
    with log.open("wb") as to:
        popen = subprocess.Popen(  # noqa: S603 - Spark's own programs
            command,
            stdout=to,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            cwd=folder,
            env=told,
            start_new_session=True,
        )
    return Process(popen, log)


def free_port() -> int:
    """Find a port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind((HERE, 0))
        return int(probe.getsockname()[1])
