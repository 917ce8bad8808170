"""Cohorts, for the oracle: the first row of each entity, the later rows that follow it, and how many units of the calendar lie between."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from oracle_calendar import LENGTHS, MONTHS, floor, plus_months

if TYPE_CHECKING:
    from datetime import datetime

    from oracle_calendar import Almanac
    from oracle_model import Question

AGE = "age"
OLDEST = 500
"""No question asks for an older age, and a condition that lets this one through has no end."""


class NoAgeError(Exception):
    """What is counted by age is asked for without one."""


@dataclass(frozen=True)
class Followed:
    """How a cohort is followed: by which columns of its own rows, in which unit, up to which age if all up to it are asked for at once."""

    keys: tuple[str, ...]
    unit: str
    oldest: int | None


def aged(first: datetime, later: datetime, unit: str, almanac: Almanac) -> int:
    """Count how many units one time lies after another."""
    one, other = floor(first, unit, almanac), floor(later, unit, almanac)
    if unit in LENGTHS:
        return (other - one) // LENGTHS[unit]
    return (other.year * 12 + other.month - one.year * 12 - one.month) // MONTHS[unit]


def is_over(first: datetime, age: int, unit: str, almanac: Almanac, as_of: datetime) -> bool:
    """Say whether the unit that lies so many units later has ended."""
    start = floor(first, unit, almanac)
    return (
        start + (age + 1) * LENGTHS[unit] if unit in LENGTHS else plus_months(start, (age + 1) * MONTHS[unit])
    ) <= as_of


def oldest(question: Question, let: set[int]) -> int | None:
    """Give the oldest of the ages that a question lets through; none where it splits by them, an error where there is no end."""
    if AGE in question.by:
        return None
    if OLDEST in let or not let:
        raise NoAgeError
    return max(let)
