"""What is wrong with a text, and where in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["formula", "condition", "query"]
"""A KPI's formula; a condition, dimension or time over one row; the query of a dataset."""


@dataclass(frozen=True)
class Mistake:
    """One thing wrong with a text: `offset` and `length` say where in it, in characters from 0."""

    code: str
    message: str
    offset: int = 0
    length: int = 1
    hint: str = ""
    follows: bool = False
    """Whether it only follows from a mistake made elsewhere, which is reported there."""


class Refused(ValueError):  # noqa: N818 - a verdict, caught by whoever knows the place of the text
    """A text that does not pass; `mistakes` says why, all of it."""

    def __init__(self, *mistakes: Mistake) -> None:
        super().__init__(mistakes[0].message)
        self.mistakes = mistakes
