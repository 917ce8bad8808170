"""What plugins were asked, how long each took, and what failed: noted where somebody wants to know."""

from __future__ import annotations

from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING

from kpi_engine.errors import KpiError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


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
            errors.append(_said(error))
            raise
        finally:
            self.calls.append(Call(plugin, what, perf_counter() - start, "; ".join(errors)))

    @contextmanager
    def summing(self, plugin: str, what: str) -> Iterator[Callable[[], AbstractContextManager[None]]]:
        """Note what is asked here piece by piece, as one call: the time is that of the pieces, each in a `with` of what is given."""
        seconds, errors = 0.0, list[str]()

        @contextmanager
        def piece() -> Iterator[None]:
            nonlocal seconds
            start = perf_counter()
            try:
                yield
            except BaseException as error:
                errors.append(_said(error))
                raise
            finally:
                seconds += perf_counter() - start

        try:
            yield piece
        finally:
            self.calls.append(Call(plugin, what, seconds, "; ".join(errors)))


def _said(error: BaseException) -> str:
    said = error.message if isinstance(error, KpiError) else f"{type(error).__name__}: {error}"
    return said.partition("\n")[0]


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
