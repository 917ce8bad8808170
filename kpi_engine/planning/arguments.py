"""The arguments of a request as they come in: names, texts and numbers; what is of another kind is refused by the argument's name."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from kpi_engine.errors import RequestError, shown

MOST_ROWS = 1_000_000_000
"""The largest `limit`."""


def names_of(value: object, argument: str, example: str) -> tuple[str, ...]:
    """Read a name or a list of names."""
    listed = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, Iterable) else (value,)
    for name in listed:
        if not isinstance(name, str) or not name.strip():
            given = shown(name) if name != "" else "an empty text"
            message = f"`{argument}` is a name or a list of names, and {given} is none"
            raise RequestError(message, code="bad_request", hint=f"for example {example}")
    return listed


def refuse_doubles(argument: str, names: tuple[str, ...]) -> None:
    """Refuse a name that stands twice."""
    if doubles := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
        said = ", ".join(shown(name) for name in doubles)
        raise RequestError(f"`{argument}` names {said} twice", code="bad_request", hint="name each once")


def mapping_of(value: object, argument: str, example: str) -> Mapping[str, Any]:
    """Read what is given by name; None is nothing."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        message = f"`{argument}` is a mapping by name, and {shown(value)} is none"
        raise RequestError(message, code="bad_request", hint=f"for example {example}")
    if bad := next((name for name in value if not isinstance(name, str)), None):
        message = f"the names in `{argument}` are texts, and {shown(bad)} is none"
        raise RequestError(message, code="bad_request", hint=f"for example {example}")
    return value


def text_of(value: object, argument: str, example: str) -> str | None:
    """Read a text; None is nothing."""
    if value is None or isinstance(value, str):
        return value
    raise RequestError(
        f"`{argument}` is a text, and {shown(value)} is none", code="bad_request", hint=f"for example {example}"
    )


def limit_of(value: object) -> int | None:
    """Read how many rows are kept; None is all."""
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_ROWS):
        return value
    given = shown(value) if isinstance(value, str) else f"{value!r:.40}"
    message = f"a limit is a whole number from 0 to {MOST_ROWS:,}, not {given}"
    raise RequestError(message, code="bad_limit", hint="for example 10, or leave it out to keep all rows")


def check_options(timeout: object, on_error: object, *, dense: object) -> None:
    """Refuse a time limit that is none, and words that mean nothing."""
    seconds = (
        isinstance(timeout, int | float) and not isinstance(timeout, bool) and timeout > 0 and math.isfinite(timeout)
    )
    if timeout is not None and not seconds:
        message = f"`timeout` is a number of seconds above 0, not {timeout!r:.40}"
        raise RequestError(message, code="bad_request", hint="for example 30, or leave it out")
    if on_error not in {None, "raise", "collect"}:
        message = f"`on_error` is `raise` or `collect`, not {shown(on_error)}"
        raise RequestError(message, code="bad_request", hint="`collect` leaves KPIs that fail unknown, and says why")
    if not isinstance(dense, bool):
        message = f"`dense` is true or false, not {shown(dense)}"
        raise RequestError(message, code="bad_request", hint="false keeps only the members and periods that have rows")
