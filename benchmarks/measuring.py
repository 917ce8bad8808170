"""CPU time of calls and of commands, and whether two answers are the same."""

from __future__ import annotations

import gc
import math
import os
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


T = TypeVar("T")
Row = dict[str, Any]
_DIGITS = 1e-9
"""How far, of its size, a number may lie from its counterpart: sums of floating-point numbers depend on their order."""


@dataclass(frozen=True)
class Command:
    """What a command took, what it wrote, and how it ended."""

    seconds: float
    output: str
    code: int


def cpu(call: Callable[[], T], clock: Callable[[], float] = time.process_time) -> tuple[float, T]:
    """Time one call: user and system time of the process, over all its threads, or what another clock counts."""
    gc.collect()
    start = clock()
    result = call()
    return clock() - start, result


def side_by_side(
    repeats: int, *calls: Callable[[], Any], clock: Callable[[], float] = time.process_time
) -> list[tuple[float, Any]]:
    """Time calls by turns, after one turn to warm up; give the median of each, and its last result."""
    turns = [[cpu(call, clock) for call in calls] for _ in range(repeats + 1)]
    medians = [statistics.median(turn[place][0] for turn in turns[1:]) for place in range(len(calls))]
    return [(median, result) for median, (_, result) in zip(medians, turns[-1], strict=True)]


def command(arguments: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None) -> Command:
    """Time a command in a process of its own, those that it starts included; modules are compiled once, as they are when installed."""
    compiled = {
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPYCACHEPREFIX": str(Path(tempfile.gettempdir()) / "kpi-bench-compiled"),
    }
    with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
        process = subprocess.Popen(
            arguments,
            cwd=folder,
            env={**os.environ, **compiled, **(environment or {})},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read()
    return Command(used.ru_utime + used.ru_stime, text, process.returncode)


def differences(ours: Sequence[Row], hand: Sequence[Row], keys: Sequence[str]) -> int:
    """Count the numbers that differ; in rows that only the engine gives, those that are not nothing.

    The engine gives each member in each period. SQL that groups gives a row only where there are rows.
    """
    mine, theirs = ({tuple(row[key] for key in keys): row for row in rows} for rows in (ours, hand))
    doubled = len(ours) - len(mine) + len(hand) - len(theirs)
    missing = sum(len(theirs[key]) for key in theirs.keys() - mine.keys())
    invented = sum(bool(value) for key in mine.keys() - theirs.keys() for value in _values(mine[key], keys))
    wrong = sum(
        name not in mine[key] or not same(mine[key][name], value)
        for key in mine.keys() & theirs.keys()
        for name, value in theirs[key].items()
    )
    return doubled + missing + invented + wrong


def same(one: object, other: object) -> bool:
    """Whether two values are the same, numbers to nine digits; unknown is not zero."""
    if one is None or other is None or isinstance(one, str) or isinstance(other, str) or one == other:
        return one == other
    try:
        return math.isclose(float(one), float(other), rel_tol=_DIGITS)  # type: ignore[arg-type]
    except TypeError:
        return False


def _values(row: Row, keys: Sequence[str]) -> list[Any]:
    return [value for name, value in row.items() if name not in keys]
