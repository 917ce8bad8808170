"""Connections to a server: made within a time, watched, and kept until they are needed again."""

from __future__ import annotations

import socket
from contextlib import suppress
from dataclasses import dataclass
from threading import Timer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kpi_source_mysql.address import Address

_WATCH = (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3))
"""A line that nothing comes over is looked after: a server that is gone is known as such within a minute."""
_SESSION = (
    "SET sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'",
    "SET time_zone = '+00:00'",
    "SET sql_select_limit = 18446744073709551615",
    "SET sql_auto_is_null = 0",
    "SET max_sort_length = 65536",
    "SET sort_buffer_size = GREATEST(@@sort_buffer_size, 16777216)",
    "SET SESSION TRANSACTION READ ONLY",
)


@dataclass(eq=False)
class Line:
    """A connection, and the wire below it, which can be cut from another thread."""

    connection: Any
    wire: socket.socket

    def cut(self) -> None:
        """Stop whatever waits for an answer."""
        with suppress(OSError):
            self.wire.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Say goodbye, if anyone is there."""
        import pymysql

        with suppress(pymysql.Error, OSError):
            self.connection.close()
        self.wire.close()

    def is_alive(self) -> bool:
        """Ask whether the server is still there."""
        import pymysql

        try:
            self.connection.ping()
        except (pymysql.Error, OSError):
            return False
        return True


def connected(address: Address, ca: str | None, seconds: float) -> Line:
    """Connect and agree on the session, within some seconds altogether."""
    import pymysql

    try:
        raw = socket.create_connection((address.host, address.port), seconds)
    except OSError as error:
        raise pymysql.OperationalError(2003, f"cannot connect to {address.host}:{address.port}: {error}") from None
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _WATCH:
        if hasattr(socket, name):
            raw.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    wire = raw.dup()
    connection = pymysql.connect(
        host=address.host,
        user=address.user,
        password=address.password.get_secret_value(),
        database=address.database,
        charset="utf8mb4",
        autocommit=True,
        conv=_conversions(),
        defer_connect=True,
        **({"ssl_ca": ca, "ssl_verify_cert": True, "ssl_verify_identity": True} if ca else {}),
    )
    line = Line(connection, wire)
    watch = Timer(seconds, line.cut)
    watch.daemon = True
    watch.start()
    try:
        connection.connect(raw)
        with connection.cursor() as cursor:
            for statement in (_collation(connection.server_version), *_SESSION):
                cursor.execute(statement)
    except BaseException:
        line.close()
        raise
    finally:
        watch.cancel()
    return line


def _collation(version: str) -> str:
    """Have texts compared byte by byte, spaces at their end too."""
    name = "utf8mb4_nopad_bin" if "mariadb" in version.lower() else "utf8mb4_0900_bin"
    return f"SET NAMES utf8mb4 COLLATE {name}"


def _conversions() -> dict[int, Any]:
    """Read whole and floating-point numbers as such, and everything else as the text that the server writes."""
    from pymysql.constants import FIELD_TYPE as TYPE

    whole = (TYPE.TINY, TYPE.SHORT, TYPE.INT24, TYPE.LONG, TYPE.LONGLONG)
    return {**dict.fromkeys(whole, int), TYPE.DOUBLE: float, TYPE.FLOAT: float}
