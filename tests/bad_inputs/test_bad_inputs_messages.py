"""The page that shows ten messages beside those of other engines shows what this one says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from bad_input_cases import load

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "messages.md"
_ROW = re.compile(
    r"^\| \[(?P<mistake>[^\]]+)\]\((?P<case>[^)]+)\) \| (?P<others>.+?) \| (?P<ours>.+) \|$", re.MULTILINE
)
ROWS = [pytest.param(row["case"], row["ours"], id=row["mistake"]) for row in _ROW.finditer(PAGE.read_text("utf-8"))]


def ours(case):
    """Write what the engine makes of a case as a cell of the table."""
    if case.values:
        return "no message: the value is unknown" if set(case.values) == {None} else f"{case.values}"
    return "<br>".join(f"**{each.place}** {each.message}; *{each.hint}*" for each in case.mistakes)


def test_there_are_ten_mistakes():
    assert len(ROWS) == 10
    assert len({row.values[0] for row in ROWS}) == 10


@pytest.mark.parametrize(("case", "shown"), ROWS)
def test_the_page_shows_what_the_engine_says(case, shown):
    assert shown == ours(load(PAGE.parent / case))
