"""The address of a database."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

PORT = 3306


class Address(NamedTuple):
    """Where a database is, and as whom it is read."""

    host: str
    port: int
    user: str
    password: SecretStr
    database: str


def address_of(text: str) -> Address | None:
    """Read `mysql://user:password@host:3306/name`; None where it is not written like that.

    >>> address_of("mysql://reader:p%40ss@db.example.com/shop")
    Address(host='db.example.com', port=3306, user='reader', password=SecretStr('**********'), database='shop')
    >>> address_of("reader@db.example.com") is None
    True
    """
    try:
        parts = urlsplit(text)
        port = parts.port or PORT
    except ValueError:
        return None
    database = unquote(parts.path.removeprefix("/"))
    if parts.scheme not in {"mysql", "mariadb"} or not parts.hostname or parts.query or parts.fragment:
        return None
    password = SecretStr(unquote(parts.password or ""))
    return Address(parts.hostname, port, unquote(parts.username or ""), password, database)
