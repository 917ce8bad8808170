"""A line to a server that is cut after so many bytes of its answers: a process of its own, because who reads rows may hold up all threads.

It prints its port; a number on its standard input says after how many bytes it is cut, `whole` that it is not.
"""

from __future__ import annotations

import socket
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Line:
    """The line as a test holds it."""

    def __init__(self, port: int) -> None:
        command = [sys.executable, str(Path(__file__)), str(port)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603 - this file
        self.port = int(self._heard())

    def _heard(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def tell(self, what: str) -> None:
        """Say after how many bytes it is cut, and wait until it has understood."""
        assert self._process.stdin is not None
        print(what, file=self._process.stdin, flush=True)
        assert self._heard() == "understood\n"

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()


@contextmanager
def line(port: int) -> Iterator[Line]:
    """Give a line to a port of this machine."""
    made = Line(port)
    try:
        yield made
    finally:
        made.close()


class _Left:
    bytes: int | None = None


def _carry(one: socket.socket, other: socket.socket, left: _Left | None) -> None:
    with suppress(OSError):
        while data := one.recv(1 << 16):
            if left is None or left.bytes is None:
                other.sendall(data)
                continue
            other.sendall(data[: left.bytes])
            left.bytes = max(left.bytes - len(data), 0)
            if not left.bytes:
                break
    for each in (one, other):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


def _accept(listening: socket.socket, port: int, left: _Left) -> None:
    while True:
        client, _ = listening.accept()
        there = socket.create_connection(("127.0.0.1", port))
        for way in ((client, there, None), (there, client, left)):
            Thread(target=_carry, args=way, daemon=True).start()


if __name__ == "__main__":
    left = _Left()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        sys.stdout.write(f"{listening.getsockname()[1]}\n")
        sys.stdout.flush()
        Thread(target=_accept, args=(listening, int(sys.argv[1]), left), daemon=True).start()
        for said in sys.stdin:
            left.bytes = None if said.strip() == "whole" else int(said)
            sys.stdout.write("understood\n")
            sys.stdout.flush()
