"""Ctrl-C and being told to end, also while a long query runs.

Python hears a signal between two of its own steps, and a query is one step, however long. The signal's byte, which Python's own
handler writes to a socket at once, wakes a thread that stops the query.
"""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from socket import socket
    from threading import Event

    from kpi_engine.engine import Engine
    from kpi_engine.recipes import Again

_ENDING = frozenset({signal.SIGINT, signal.SIGTERM})
_AGAIN = 0.05
"""After how many seconds a query is stopped once more: one that was just beginning does not hear it."""


class Terminated(KeyboardInterrupt):
    """The process was told to end: as Ctrl-C, but said by another process."""


@contextmanager
def ending() -> Iterator[None]:
    """End as with Ctrl-C where the process is told to end, so that what was begun is put away; only the main thread hears it.

    A query that is interrupted raises an error of its own, or says Ctrl-C: whatever comes up after a signal, the signal is why.
    """
    from threading import current_thread, main_thread

    heard: list[int] = []

    def end(number: int, _: object) -> None:
        heard.append(number)
        raise _why(number)

    if current_thread() is not main_thread():
        yield
        return
    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except (Exception, KeyboardInterrupt):
        if heard:
            raise _why(heard[0]) from None
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _why(number: int) -> KeyboardInterrupt:
    return Terminated() if number == signal.SIGTERM else KeyboardInterrupt()


@contextmanager
def stopping(engine: Engine | Again) -> Iterator[None]:
    """Stop what is computed when Ctrl-C is pressed or the process is told to end; only the main thread hears it."""
    from socket import socketpair
    from threading import Event, Thread, current_thread, main_thread

    if current_thread() is not main_thread():
        yield
        return
    heard, told = socketpair()
    told.settimeout(0)
    done = Event()
    before = signal.set_wakeup_fd(told.fileno(), warn_on_full_buffer=False)
    watcher = Thread(target=_watch, args=(heard, engine, done), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        done.set()
        told.close()
        watcher.join()
        heard.close()


def _watch(heard: socket, engine: Engine | Again, done: Event) -> None:
    while signals := heard.recv(64):
        while not _ENDING.isdisjoint(signals) and not done.is_set():
            engine.interrupt()
            done.wait(_AGAIN)
