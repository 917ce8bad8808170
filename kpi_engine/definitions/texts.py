"""How a text from a file is shown in a message: on one line, and without characters that hide or turn others around."""

from __future__ import annotations

import re

from kpi_engine.errors import HIDDEN, shown

__all__ = ["HIDDEN", "shown", "visible"]

_UNSEEN = re.compile(rf"(?![\t\n]){HIDDEN.pattern}")


def visible(text: str) -> str:
    """Replace what hides or turns text, character by character, so that lines and columns stay; tabs and line breaks remain."""
    return _UNSEEN.sub("\ufffd", text)
