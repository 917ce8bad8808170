"""Lines that DuckDB's reader of JSON would read as something else: numbers of many digits, and halves of characters."""

from __future__ import annotations

import json
import re
from typing import Any, Final

_LONG: Final = re.compile(r"(?=[0-9.]{17})[0-9]*\.|[0-9]{16}[eE]")
"""A number with a point that may have more digits than a floating-point number holds."""
_DIGITS: Final = re.compile(r"[0-9][0-9.]{15}")
"""What every such number has, and few other lines: it is found six times as fast."""


class _Digits(str):
    """A number as it was written."""

    __slots__ = ()


def is_inexact(line: str) -> bool:
    """Say whether a line may have a number that a floating-point number does not hold.

    >>> is_inexact('{"a": 12345678901234567.89}'), is_inexact('{"a": 1234567890123456789, "b": 0.125}')
    (True, False)
    """
    return _DIGITS.search(line) is not None and _LONG.search(line) is not None


def exact(line: str) -> str:
    """Write the numbers of a record as texts, which lose no digit, and half a character as the sign for an unknown one.

    >>> exact('{"type": "RECORD", "record": {"a": 12345678901234567.89}}')
    '{"type": "RECORD", "record": {"a": "12345678901234567.89"}}'
    """
    try:
        message, plain = json.loads(line, parse_float=_Digits), json.loads(line)
    except (ValueError, RecursionError):
        return line
    if isinstance(message, dict) and isinstance(message.get("record"), dict):
        values: dict[str, Any] = message["record"]
        plain["record"] |= {name: value for name, value in values.items() if isinstance(value, _Digits)}
    text = json.dumps(plain, ensure_ascii=False)
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
