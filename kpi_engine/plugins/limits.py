"""Time limits for what a plugin is asked: one that hangs must not stop the rest, nor Ctrl-C.

What must be known before data are read has a short limit. What takes as long as the data are large has a generous one, and ends with the
request that it belongs to. A thread cannot be stopped: one that hangs is left behind, and ends with the process.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from dataclasses import dataclass
from threading import Event, Thread
from time import monotonic
from typing import TYPE_CHECKING, Final, TypeVar

from kpi_engine.errors import TimeoutExceeded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Result = TypeVar("Result")

LIMIT_VARIABLE = "KPI_PLUGIN_TIMEOUT"
"""The environment variable with the limit in seconds of what must be known before data are read."""
DATA_VARIABLE = "KPI_PLUGIN_DATA_TIMEOUT"
"""The environment variable with the limit in seconds of what takes as long as the data are large."""


@dataclass(frozen=True)
class Limit:
    """How long a plugin may take."""

    variable: str
    usual: float

    @property
    def seconds(self) -> float:
        """What the environment says, where that is a number above zero."""
        try:
            asked = float(os.environ.get(self.variable, ""))
        except ValueError:
            return self.usual
        return asked if 0 < asked < float("inf") else self.usual


SHORT: Final = Limit(LIMIT_VARIABLE, 30.0)
LONG: Final = Limit(DATA_VARIABLE, 3600.0)


class Overdue(Exception):  # noqa: N818 - the event, as `subprocess.TimeoutExpired` is
    """A plugin has not answered within the limit."""


@dataclass(frozen=True)
class Deadline:
    """When the request ends to which plugins answer, and how long it was given."""

    moment: float
    timeout: float

    @property
    def left(self) -> float:
        """How many seconds there are left."""
        return max(self.moment - monotonic(), 0)


_DEADLINE: ContextVar[Deadline | None] = ContextVar("kpi_engine_deadline", default=None)


@contextmanager
def within(timeout: float | None) -> Iterator[None]:
    """End with this timeout, in seconds, whatever plugins are asked in here; None sets no other end than there is."""
    if timeout is None:
        yield
        return
    token = _DEADLINE.set(Deadline(monotonic() + timeout, timeout))
    try:
        yield
    finally:
        _DEADLINE.reset(token)


def end_of_request() -> Deadline | None:
    """Give the end of the request in which this is asked, where it has one."""
    return _DEADLINE.get()


def too_late(timeout: float) -> TimeoutExceeded:
    """Say that a request has not finished within its time."""
    message = f"the request did not finish within its time of {timeout:g} seconds"
    return TimeoutExceeded(message, hint="ask for less, or give a longer `timeout`")


def overdue(what: str, limit: Limit) -> Overdue:
    """Say that a plugin has not answered within a limit."""
    return Overdue(f"{what} took longer than {limit.seconds:g} seconds ({limit.variable} sets the limit)")


@contextmanager
def without_end() -> Iterator[None]:
    """Ask plugins whatever time the request has left: what is found out is kept, and must not hang on who asked first."""
    token = _DEADLINE.set(None)
    try:
        yield
    finally:
        _DEADLINE.reset(token)


def bounded(task: Callable[[], Result], what: str, limit: Limit = SHORT) -> Result:
    """Run a task within the limit, in a thread of its own, and give its result.

    Raises `Overdue` where it takes longer, and `TimeoutExceeded` where the request that it belongs to has no time left.
    """
    answers: list[Result] = []
    failures: list[BaseException] = []
    done, context = Event(), copy_context()

    def run() -> None:
        try:
            answers.append(context.run(task))
        except BaseException as error:  # noqa: BLE001 - raised again by whoever waits
            failures.append(error)
        finally:
            done.set()

    Thread(target=run, daemon=True, name=f"kpi plugin: {what}").start()
    awaited(done.wait, what, limit, end_of_request())
    if failures:
        raise failures[0]
    return answers[0]


def awaited(wait: Callable[[float], bool], what: str, limit: Limit, deadline: Deadline | None) -> None:
    """Wait for a plugin up to the limit, or to the end of the request; `wait` says whether it has answered."""
    seconds = limit.seconds
    if wait(seconds if deadline is None else min(seconds, deadline.left)):
        return
    if deadline is not None and not deadline.left:
        raise too_late(deadline.timeout)
    raise overdue(what, limit)
