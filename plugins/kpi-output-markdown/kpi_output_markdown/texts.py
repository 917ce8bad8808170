"""Texts and tables in GitHub Markdown: nothing from the data is taken for markup."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kpi_engine.api.formatting import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_NOT_A_MENTION = "@<!-- -->"
"""An at sign that notifies nobody; the comment is not shown."""


def escaped(text: str) -> str:
    r"""Write a text on one line so that it is shown as it is.

    >>> escaped("a|b <i>*now*</i>")
    'a\\|b &lt;i&gt;\\*now\\*&lt;/i&gt;'
    """
    signs = re.sub(r"[\\`*_{}\[\]|~$#!]", r"\\\g<0>", one_line(text))
    html = re.sub(r"[&<>]", lambda found: _HTML[found[0]], signs)
    return html.replace("@", _NOT_A_MENTION)


def bold(text: str) -> str:
    """Write an escaped text in bold; nothing stays nothing."""
    return f"**{text}**" if text else ""


def table(heads: Sequence[str], right: Sequence[bool], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Give the lines of a table whose texts are escaped; `right` says which columns stand right."""
    yield _line(heads)
    yield _line(["--:" if is_right else "---" for is_right in right])
    yield from (_line(row) for row in rows)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
