"""The geometry of a small line chart: values become paths. Nothing is computed that a reader would read as a number."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

WIDTH, HEIGHT = 300, 56
_MARGIN = 6

Point = tuple[float, float]


@dataclass(frozen=True)
class Sparkline:
    """Paths in a box of `WIDTH` by `HEIGHT`, as SVG writes them; a path of no length is drawn as a dot."""

    lines: tuple[str, ...]
    areas: tuple[str, ...]
    dots: tuple[str, ...]
    """Single values between gaps."""
    open_line: str
    """The way to the last value while its period is not over; empty otherwise."""
    last: str
    """The last value; empty where it is unknown."""
    edges: tuple[float, ...]
    """Where each period's stretch begins, and where the last one ends."""


def sparkline(values: Sequence[float | None], *, unfinished: bool = False) -> Sparkline:
    """Draw values from left to right; an unknown one leaves a gap, and all of them equal make a level line."""
    points = _points(values)
    runs = _runs(points)
    last = points[-1] if points else None
    opened = ""
    if unfinished and last and len(runs[-1]) > 1:
        opened = _path(runs[-1][-2:])
        runs[-1] = runs[-1][:-1]
    return Sparkline(
        lines=tuple(_path(run) for run in runs if len(run) > 1),
        areas=tuple(_area(run) for run in runs if len(run) > 1),
        dots=tuple(_dot(run[0]) for run in runs if len(run) == 1 and run[0] != last),
        open_line=opened,
        last=_dot(last) if last else "",
        edges=_edges(len(values)),
    )


def _points(values: Sequence[float | None]) -> list[Point | None]:
    known = [value for value in values if value is not None and isfinite(value)]
    low, high = (min(known), max(known)) if known else (0.0, 0.0)
    step = (WIDTH - 2 * _MARGIN) / max(1, len(values) - 1)
    first = _MARGIN if len(values) > 1 else WIDTH - _MARGIN
    return [
        None if value is None or not isfinite(value) else (round(first + step * place, 1), _height(value, low, high))
        for place, value in enumerate(values)
    ]


def _height(value: float, low: float, high: float) -> float:
    share = (
        (value / 2 - low / 2) / (high / 2 - low / 2) if high > low else 0.5
    )  # halves, so that no difference overflows
    return round(HEIGHT - _MARGIN - share * (HEIGHT - 2 * _MARGIN), 1)


def _runs(points: Iterable[Point | None]) -> list[list[Point]]:
    """Part the points at the gaps."""
    runs: list[list[Point]] = [[]]
    for point in points:
        if point:
            runs[-1].append(point)
        elif runs[-1]:
            runs.append([])
    return runs


def _edges(count: int) -> tuple[float, ...]:
    return tuple(round(WIDTH * place / count, 1) for place in range(count + 1)) if count else ()


def _path(points: Iterable[Point]) -> str:
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in points)


def _area(points: Sequence[Point]) -> str:
    return f"{_path(points)}L{points[-1][0]:g} {HEIGHT}L{points[0][0]:g} {HEIGHT}Z"


def _dot(point: Point) -> str:
    return f"M{point[0]:g} {point[1]:g}h0"
