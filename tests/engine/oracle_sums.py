"""Aggregates in plain Python, over the values of rows."""
# ruff: noqa: PLR0911 - a line for each kind of aggregate

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor, sqrt
from typing import Any


def aggregated(function: str, values: list[Any]) -> Fraction | None:
    """Aggregate values, of which some may be unknown; a percentile is written `cont:0.25` or `disc:0.9`."""
    known = [each for each in values if each is not None]
    if function == "known":
        return Fraction(len(known))
    if function == "distinct":
        return Fraction(len(set(known)))
    if function in {"first", "last"}:
        return None if not known else known[0 if function == "first" else -1]
    if not known:
        return None
    ordered = sorted(Fraction(each) for each in known)
    total = sum(ordered, Fraction(0))
    if function == "stddev":
        return _deviation(ordered, total / len(ordered))
    if function == "median":
        return _interpolated(ordered, Fraction(1, 2))
    if ":" in function:
        kind, fraction = function.split(":")
        return (_interpolated if kind == "cont" else _discrete)(ordered, Fraction(fraction))
    return {"sum": total, "avg": total / len(ordered), "min": ordered[0], "max": ordered[-1]}[function]


def _deviation(ordered: list[Fraction], mean: Fraction) -> Fraction | None:
    if len(ordered) == 1:
        return None
    return Fraction(sqrt(sum((each - mean) ** 2 for each in ordered) / (len(ordered) - 1)))


def _interpolated(ordered: list[Fraction], fraction: Fraction) -> Fraction:
    place = fraction * (len(ordered) - 1)
    low = floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def _discrete(ordered: list[Fraction], fraction: Fraction) -> Fraction:
    """Give the smallest value that at least the fraction of the values does not exceed."""
    return ordered[max(ceil(fraction * len(ordered)), 1) - 1]
