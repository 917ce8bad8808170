"""A time limit for what a plugin is asked before any data are read: one that hangs must not stop the rest."""

from __future__ import annotations

import os
from contextvars import copy_context
from threading import Event, Thread
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")

LIMIT_VARIABLE = "KPI_PLUGIN_TIMEOUT"
"""The environment variable with the limit in seconds."""
_LIMIT = 30.0


class Overdue(Exception):  # noqa: N818 - the event, as `subprocess.TimeoutExpired` is
    """A plugin has not answered within the limit."""


def limit() -> float:
    """Give the limit in seconds: what the environment says, where that is a number above zero."""
    try:
        asked = float(os.environ.get(LIMIT_VARIABLE, ""))
    except ValueError:
        return _LIMIT
    return asked if 0 < asked < float("inf") else _LIMIT


def bounded(task: Callable[[], Result], what: str) -> Result:
    """Run a task within the limit, in a thread of its own, and give its result; raise `Overdue` where it takes longer.

    A thread cannot be stopped: one that hangs is left behind, and ends with the process.
    """
    answers: list[Result] = []
    failures: list[BaseException] = []
    done, context, seconds = Event(), copy_context(), limit()

    def run() -> None:
        try:
            answers.append(context.run(task))
        except BaseException as error:  # noqa: BLE001 - raised again by whoever waits
            failures.append(error)
        finally:
            done.set()

    Thread(target=run, daemon=True, name=f"kpi plugin: {what}").start()
    if not done.wait(seconds):
        raise Overdue(f"{what} took longer than {seconds:g} seconds ({LIMIT_VARIABLE} sets the limit)")
    if failures:
        raise failures[0]
    return answers[0]
