"""What a plugin gives piece by piece, taken out of a thread of its own, so that a piece that never comes stops nobody."""

from __future__ import annotations

from contextvars import copy_context
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, TypeVar

from kpi_engine.errors import TimeoutExceeded
from kpi_engine.plugins.limits import LONG, SHORT, Limit, awaited, end_of_request

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

Piece = TypeVar("Piece")
_END = object()
_LOOK: Final = 0.1
"""After how many seconds it is looked whether somebody has stopped all of it: whoever waits may be a thread that hears no signal."""


def never() -> bool:
    """Say that nobody stops it."""
    return False


def handed_over(
    pieces: Callable[[], Iterable[Piece]], what: str, is_stopped: Callable[[], bool] = never
) -> Generator[Piece]:
    """Give pieces one by one, each within the limit of data; the plugin makes a piece when it is asked for, never ahead.

    All of it happens in one thread, as some libraries demand, and what the plugin has open is closed there, whatever happens. Raises
    `Overdue` for a piece that does not come, and `TimeoutExceeded` where the request ends, in which this was called, or where
    `is_stopped` says so; then the thread is left behind. The pieces may be taken in any thread.
    """
    return _given(_Thread(pieces, what, is_stopped))


def _given(thread: _Thread) -> Generator[Any]:
    try:
        while (piece := thread.ask(thread.next, LONG)) is not _END:
            yield piece
    finally:
        thread.close()


class _Thread:
    """The thread in which a plugin makes its pieces; it does what it is asked, one thing after the other, and begins with the first."""

    def __init__(self, pieces: Callable[[], Iterable[Any]], what: str, is_stopped: Callable[[], bool]) -> None:
        self._pieces, self._what, self._is_stopped = pieces, what, is_stopped
        self._stream: Any = None
        self._wishes: SimpleQueue[Callable[[], Any] | None] = SimpleQueue()
        self._answers: SimpleQueue[tuple[Any, BaseException | None]] = SimpleQueue()
        self._is_begun = self._is_lost = False
        self._context, self._end = copy_context(), end_of_request()

    def next(self) -> Any:  # noqa: ANN401 - a piece
        """Make the next piece; the stream begins with the first one."""
        if self._stream is None:
            self._stream = iter(self._pieces())
        return next(self._stream, _END)

    def ask(self, wish: Callable[[], Any], limit: Limit) -> Any:  # noqa: ANN401 - what the wish gives
        """Have something done in the thread, within a limit."""
        if not self._is_begun:
            self._is_begun = True
            Thread(target=lambda: self._context.run(self._work), daemon=True, name=f"kpi plugin: {self._what}").start()
        self._wishes.put(wish)
        answered: list[tuple[Any, BaseException | None]] = []
        self._is_lost = True  # until it answers: also Ctrl-C may come first
        awaited(lambda seconds: self._has_answered(answered, seconds), self._what, limit, self._end)
        self._is_lost = False
        found, error = answered[0]
        if error is not None:
            raise error
        return found

    def close(self) -> None:
        """Close what the plugin has open, and end the thread; one that does not answer any more is left behind."""
        close = getattr(self._stream, "close", None)
        try:
            if callable(close) and not self._is_lost:
                self.ask(close, SHORT)
        finally:
            self._wishes.put(None)

    def _has_answered(self, answered: list[tuple[Any, BaseException | None]], seconds: float) -> bool:
        until = monotonic() + seconds
        while True:
            try:
                answered.append(self._answers.get(timeout=max(min(_LOOK, until - monotonic()), 0)))
            except Empty:
                if self._is_stopped():
                    message = "the request was stopped before it had finished"
                    raise TimeoutExceeded(message, code="interrupted") from None
                if monotonic() >= until:
                    return False
            else:
                return True

    def _work(self) -> None:
        while (wish := self._wishes.get()) is not None:
            try:
                self._answers.put((wish(), None))
            except BaseException as error:  # noqa: BLE001 - raised again by whoever asked
                self._answers.put((None, error))
