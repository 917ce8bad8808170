"""Pieces of YAML for people to read and change."""

from __future__ import annotations

import json
import re
from typing import Final

_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WORDS: Final = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})


def quoted(text: str) -> str:
    r"""Write a text between double quotes, so that it means itself whatever is in it.

    >>> print(quoted('the "best" café'))
    "the \"best\" café"
    """
    written = json.dumps(text, ensure_ascii=False)
    return "".join(sign if sign.isprintable() else f"\\U{ord(sign):08x}" for sign in written)


def plain(text: str) -> str:
    """Write a text without quotes where YAML takes it for a text all the same.

    >>> plain("channel"), plain("Post Month"), plain("no")
    ('channel', '"Post Month"', '"no"')
    """
    return text if is_plain(text) else quoted(text)


def is_plain(text: str) -> bool:
    """Say whether a text needs no quotes: it is a name, and none of the words that YAML takes for a truth or for nothing."""
    return _PLAIN.fullmatch(text) is not None and text.casefold() not in _WORDS


def listed(texts: tuple[str, ...]) -> str:
    """Write one text as itself, several as a list.

    >>> listed(("day", "Post ID"))
    '[day, "Post ID"]'
    """
    return plain(texts[0]) if len(texts) == 1 else f"[{', '.join(plain(text) for text in texts)}]"


def commented(line: str, comment: str, column: int = 40) -> str:
    """Put a comment behind a line.

    >>> commented("key: day", "unique", 12)
    'key: day    # unique'
    """
    clean = "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in comment)
    return f"{line.ljust(column - 1)} # {clean}"
