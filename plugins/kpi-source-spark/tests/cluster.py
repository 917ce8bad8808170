"""A Spark cluster of the tests' own: a master, two workers and a Spark Connect server, on this machine, ended by their ids."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from threading import Event
from time import monotonic
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

HOME = "KPI_TEST_SPARK_HOME"
"""The environment variable that says where Spark is: the folder `pyspark` of an environment that has it."""
HERE = "127.0.0.1"
PATIENCE = 180
"""So many seconds a process may take until it says that it is ready."""
DEPLOY = "org.apache.spark.deploy"
SERVICE = "org.apache.spark.sql.connect.service.SparkConnectServer"


@dataclass(frozen=True)
class Process:
    """A process of the cluster, and where it writes."""

    popen: subprocess.Popen[bytes]
    log: Path

    def said(self) -> str:
        """Give what it has written so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def until(self, said: str) -> re.Match[str]:
        """Wait until it has said something."""
        if not waited(lambda: re.search(said, self.said()) is not None or self.popen.poll() is not None):
            pytest.fail(f"{self.log.stem} did not say `{said}` in time:\n{self.said()[-3000:]}")
        found = re.search(said, self.said())
        if found is None:
            pytest.fail(f"{self.log.stem} has ended:\n{self.said()[-3000:]}")
        return found

    def kill(self) -> None:
        """End it at once, and what it has started."""
        if self.popen.poll() is None:
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait(30)


@dataclass
class Cluster:
    """A running cluster."""

    remote: str
    server: Process
    workers: list[Process]
    start_worker: Callable[[int], Process]
    folder: Path

    def tasks_begun(self, worker: int) -> int:
        """Count the tasks that a worker has begun."""
        return sum(
            file.read_text(encoding="utf-8", errors="replace").count("Running task")
            for file in self.folder.glob(f"work{worker}/app-*/*/stderr")
        )

    def until(self, happened: Callable[[], bool]) -> None:
        """Wait until something has happened."""
        assert waited(happened)

    def add_worker(self, number: int) -> None:
        """Start a worker in the place of one that has ended."""
        self.workers[number] = self.start_worker(number)


def waited(happened: Callable[[], bool]) -> bool:
    """Wait until something has happened; say whether it has in time."""
    end, pause = monotonic() + PATIENCE, Event()
    while not happened():
        if monotonic() > end:
            return False
        pause.wait(0.05)
    return True


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """Start a cluster; give its address and its workers."""
    home = os.environ.get(HOME)
    if not home:
        missing = pytest.fail if os.environ.get("CI") else pytest.skip
        missing(f"{HOME} does not say where Spark is: `make test-spark` installs it")
    told = {**os.environ, "SPARK_HOME": str(home), "SPARK_LOCAL_IP": HERE, "SPARK_NO_DAEMONIZE": "1"}
    run = f"{home}/bin/spark-class"
    with ExitStack() as stack:

        def start(name: str, *command: str) -> Process:
            made = started(name, command, folder, told)
            stack.callback(made.kill)
            return made

        master = start("master", run, f"{DEPLOY}.master.Master", "--host", HERE, "--port", "0", "--webui-port", "0")
        address = master.until(r"Starting Spark master at (\S+)")[1]
        master.until("elected leader")

        def worker(number: int) -> Process:
            work = ("--cores", "1", "--memory", "1g", "--work-dir", str(folder / f"work{number}"))
            made = start(
                f"worker{number}", run, f"{DEPLOY}.worker.Worker", "--host", HERE, "--webui-port", "0", *work, address
            )
            made.until("Successfully registered")
            return made

        workers = [worker(0), worker(1)]
        port = free_port()
        given = [part for key, value in settings(folder, port).items() for part in ("--conf", f"{key}={value}")]
        server = start(
            "server", f"{home}/bin/spark-submit", "--class", SERVICE, "--master", address, *given, "spark-internal"
        )
        server.until("Spark Connect server started")
        yield Cluster(f"sc://{HERE}:{port}", server, workers, worker, folder)


def settings(folder: Path, port: int) -> dict[str, object]:
    """Give the settings of the server: all on this machine, with little memory, and many small tasks."""
    return {
        "spark.connect.grpc.binding.address": HERE, "spark.connect.grpc.binding.port": port, "spark.driver.host": HERE,
        "spark.driver.bindAddress": HERE, "spark.executor.memory": "600m", "spark.driver.memory": "1g", "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": 4, "spark.sql.files.openCostInBytes": 0, "spark.sql.files.maxPartitionBytes": "256k",
        "spark.sql.warehouse.dir": folder / "warehouse",
    }  # fmt: skip


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
