"""The connections of one source: lent one by one, taken back, and stopped from another thread."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kpi_source_mysql.connections import Line

SECONDS_TO_STOP = 2.0


class Pool:
    """Connections that are made when they are needed; `make` takes how many seconds that may last."""

    def __init__(self, make: Callable[[float], Line], seconds: float) -> None:
        self._make = make
        self._seconds = seconds
        self._lock = Lock()
        self._idle: list[Line] = []
        self._busy: set[Line] = set()
        self._closed = False

    @contextmanager
    def cursor(self) -> Iterator[Any]:
        """Lend a cursor whose rows come as they are read; a connection that anything went wrong with is not used again."""
        from pymysql.cursors import SSCursor

        line = self._taken()
        is_whole = False
        cursor = line.connection.cursor(SSCursor)
        try:
            yield cursor
            cursor.close()
            is_whole = True
        finally:
            if not is_whole:
                _forget(cursor)
            self._give_back(line, is_whole=is_whole)

    def interrupt(self) -> None:
        """Stop the queries that run: by a word to the server, or by cutting the line where it does not listen."""
        import pymysql

        with self._lock:
            busy = list(self._busy)
        if not busy:
            return
        try:
            messenger = self._make(SECONDS_TO_STOP)
            try:
                with messenger.connection.cursor() as cursor:
                    for each in busy:
                        cursor.execute(f"KILL QUERY {each.connection.thread_id()}")
            finally:
                messenger.close()
        except pymysql.Error:
            for each in busy:
                each.cut()

    def close(self) -> None:
        """Close the connections, those that are lent as soon as they come back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for each in idle:
            each.close()

    def _taken(self) -> Line:
        while True:
            with self._lock:
                line = self._idle.pop() if self._idle else None
            if line is None:
                line = self._make(self._seconds)
            elif not line.is_alive():
                line.close()
                continue
            with self._lock:
                self._busy.add(line)
            return line

    def _give_back(self, line: Line, *, is_whole: bool) -> None:
        with self._lock:
            self._busy.discard(line)
            if is_whole and not self._closed:
                self._idle.append(line)
                return
        if not is_whole:
            line.cut()
        line.close()


def _forget(cursor: Any) -> None:  # noqa: ANN401 - a cursor of the driver's
    """Leave the rows that were not read; the driver would wait for all of them, over a line that is cut."""
    result = getattr(cursor, "_result", None)
    if result is not None:
        result.unbuffered_active = False
