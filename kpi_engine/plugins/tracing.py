"""What plugins were asked, how long each took, and what failed: noted where somebody wants to know."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Call:
    """One thing that a plugin was asked."""

    plugin: str
    what: str
    """`import`, a hook such as `sources()`, or a method such as `source ads: tables()`."""
    seconds: float
    error: str = ""


@dataclass(frozen=True)
class Trace:
    """The calls, in the order in which they ended."""

    calls: list[Call] = field(default_factory=list)

    @contextmanager
    def noting(self, plugin: str, what: str) -> Iterator[list[str]]:
        """Note what is asked here; an error that is caught within is put into the list that is given."""
        start, errors = perf_counter(), list[str]()
        try:
            yield errors
        except BaseException as error:
            errors.append(f"{type(error).__name__}: {error}".partition("\n")[0])
            raise
        finally:
            self.calls.append(Call(plugin, what, perf_counter() - start, "; ".join(errors)))


_CURRENT: ContextVar[Trace | None] = ContextVar("kpi_engine_plugin_trace", default=None)


@contextmanager
def traced() -> Iterator[Trace]:
    """Note what the plugins of all projects are asked that are opened within."""
    trace = Trace()
    token = _CURRENT.set(trace)
    try:
        yield trace
    finally:
        _CURRENT.reset(token)


def current() -> Trace | None:
    """Give the trace that is kept at this moment."""
    return _CURRENT.get()
