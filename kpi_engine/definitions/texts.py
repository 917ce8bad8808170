"""How a text from a file is shown in a message: on one line, and without characters that hide or turn others around."""

from __future__ import annotations

import re

# Controls, line and paragraph separators, invisible characters, and those that turn the direction of the text around them.
HIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ud800-\udfff\ufeff]")
_UNSEEN = re.compile(rf"(?![\t\n]){HIDDEN.pattern}")


def shown(text: str, length: int = 40) -> str:
    r"""Quote a text for a message: on one line, without control characters, shortened.

    >>> shown("a\tb")
    '`a�b`'
    """
    clean = HIDDEN.sub("\ufffd", text)
    return f"`{clean[: length - 1]}…`" if len(clean) > length else f"`{clean}`"


def visible(text: str) -> str:
    """Replace what hides or turns text, character by character, so that lines and columns stay; tabs and line breaks remain."""
    return _UNSEEN.sub("\ufffd", text)
