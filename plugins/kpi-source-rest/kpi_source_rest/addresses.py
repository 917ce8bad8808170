"""Addresses: put together, compared, and shown without what is secret in them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, quote_plus, urlencode, urljoin, urlsplit, urlunsplit

if TYPE_CHECKING:
    from collections.abc import Iterable

HIDDEN = "•••"
_SECRET = re.compile(
    r"token|secret|passw|pwd|signature|credential|^sig$|^auth$|^code$|(^|[-_.]|api)key$", re.IGNORECASE
)
_PORTS = {"http": 80, "https": 443}


def joined(base: str, path: str) -> str:
    """Put a path below an address; an address by itself stays what it is.

    >>> joined("https://api.example.com/v1", "/contacts")
    'https://api.example.com/v1/contacts'
    """
    if urlsplit(path).scheme:
        return path
    return base.rstrip("/") + "/" + path.lstrip("/") if path else base


def with_params(url: str, params: Iterable[tuple[str, str]]) -> str:
    """Add parameters to an address; those that it has already and that are given again are replaced.

    >>> with_params("https://a.example/x?page=1&q=2", [("page", "2")])
    'https://a.example/x?q=2&page=2'
    """
    given = list(params)
    names = {name for name, _ in given}
    parts = urlsplit(url)
    kept = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in names]
    return urlunsplit(parts._replace(query=urlencode([*kept, *given]), fragment="")) if given else url


def followed(url: str, target: str) -> str:
    """Give the address that an answer from an address leads to."""
    return urljoin(url, target)


def origin(url: str) -> tuple[str, str, int | None]:
    """Give what must be equal for two addresses to be of one server."""
    parts = urlsplit(url)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or _PORTS.get(parts.scheme)


def shown(url: str, secrets: Iterable[str] = ()) -> str:
    """Write an address for people: without user, password, and values of parameters that are secret or may be.

    >>> shown("https://u:p@a.example/x?page=2&access_token=abc")
    'https://a.example/x?page=2&access_token=•••'
    """
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    query = "&".join(f"{name}={HIDDEN if _SECRET.search(name) else value}" for name, value in pairs)
    return hidden(urlunsplit(parts._replace(netloc=host, query=query, fragment="")), secrets)


def secrets_of(url: str) -> set[str]:
    """Give the values of an address that are secret by the names of their parameters, as they stand there and as they are meant."""
    values = {value for name, value in parse_qsl(urlsplit(url).query) if _SECRET.search(name)}
    return values | {quote(value, safe="") for value in values} | {quote_plus(value) for value in values}


def hidden(text: str, secrets: Iterable[str]) -> str:
    """Take secrets out of a text."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return text
