# ruff: noqa: INP001 - beside a script, not in a package
"""The page on what composes with what, made of composition.yaml; a test builds every pair of that file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

FILE = Path(__file__).with_name("composition.yaml")
YES = "yes"
NOTE = "<!-- Written by docs/generate.py from docs/composition.yaml: change that file, then run it. -->"
ABOUT = """\
Every kind of KPI can be used by every other, asked with every feature of a request, and modified by every modifier, but for the pairs
that are named here with their reason: a number in a cell leads to it, and to the code of the error. A test builds each pair over rows with unknown keys, members and times, and compares every value, by member and month and in
total, with the same computed in plain Python; each pair that is refused must be refused with the code that stands here.
A cohort means nothing without an age, so every request of one carries the condition on its age that stands beside it: see
[retention](../how-to/retention.md)."""


def lines() -> Iterator[str]:
    """Write the page."""
    table = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    yield from ["# What composes with what", "", NOTE, "", ABOUT]
    yield from _kinds(table)
    yield from _modifiers(table)
    yield from _features(table)
    yield ""


def _kinds(table: dict[str, Any]) -> Iterator[str]:
    yield from ["", "## Kinds of KPI", ""]
    yield "Any two of them may stand in one formula, each as it is alone: `a * b`, where `a` and `b` are KPIs, is tested for all pairs. Beside a cohort, what no age counts is read with `across: age`."
    yield from ["", "| kind | inputs | formula |", "|---|---|---|"]
    for kind in table["kinds"].values():
        said = [
            f"`{kind['formula']}`",
            *(f"`{key}: {kind[key]}`" for key in ("empty", "frame", "currency", "additive_over") if key in kind),
        ]
        yield f"| {kind['title']} | `{_written(kind['inputs'])}` | {', '.join(said)}{_asked(kind)} |"


def _modifiers(table: dict[str, Any]) -> Iterator[str]:
    modifiers, kinds, refused = table["modifiers"], table["kinds"], table["refused"]
    yield from ["", "## Modifiers over kinds", ""]
    yield "A modifier at an input that is a KPI of the kind of the row."
    reasons = _Reasons()

    def over(kind: str, modifier: str) -> str:
        found = (e for e in refused["over"] if modifier in e["modifiers"] and kind in e.get("kinds", kinds))
        return reasons.mark(next(found, None)) or YES

    yield from _matrix("kind", kinds, modifiers, over)
    yield from reasons.listed()
    yield from ["", "| modifier | written |", "|---|---|"]
    yield from (f"| {each['title']} | `{_written(each['input'])}`{_asked(each)} |" for each in modifiers.values())
    yield from ["", "## Two modifiers at one input", ""]
    yield "Both at one input that reads the rows of a dataset; a dot stands where both are one key, which an input has once."
    reasons = _Reasons()

    def together(one: str, other: str) -> str:
        if modifiers[one]["input"].keys() & modifiers[other]["input"].keys():
            return "·"
        for each in refused["together"]:
            some, others = each["modifiers"], each.get("with", each["modifiers"])
            if (one in some and other in others) or (one in others and other in some):
                return reasons.mark(each)
        return YES

    yield from _matrix("modifier", modifiers, modifiers, together)
    yield from reasons.listed()


def _features(table: dict[str, Any]) -> Iterator[str]:
    kinds, features, refused = table["kinds"], table["features"], table["refused"]
    yield from ["", "## Requests", ""]
    yield "What a request asks of a KPI of the kind of the row."
    reasons, remarks = _Reasons(), _Reasons("abcdefghi")

    def asked(kind: str, feature: str) -> str:
        no = next((e for e in refused["requests"] if feature in e["features"] and kind in e["kinds"]), None)
        known = (e for e in table["remarks"] if feature in e["features"] and kind in e["kinds"])
        return reasons.mark(no) or " ".join([YES, remarks.mark(next(known, None))]).strip()

    yield from _matrix("kind", kinds, features, asked)
    yield from reasons.listed()
    yield from remarks.listed()
    yield from ["", "| feature | arguments of `run` |", "|---|---|"]
    for each in features.values():
        yield f"| {each['title']} | {_arguments(each)} |"


def _arguments(feature: dict[str, Any]) -> str:
    """Write the arguments of `run`, or of `members`."""
    said = ", ".join(f"`{key}={value!r}`" for key, value in feature.get("members", feature.get("request", {})).items())
    return f"of `members`, with the KPI as `of`: {said}" if "members" in feature else said or "a period"


def _asked(said: dict[str, Any]) -> str:
    """Write what every request must filter by."""
    return f", asked with `where={said['asked']!r}`" if "asked" in said else ""


class _Reasons:
    """Footnotes of one table, in the order in which they are met."""

    def __init__(self, marks: Sequence[str] = tuple(str(n) for n in range(1, 30))) -> None:
        self.marks = marks
        self.found: list[dict[str, Any]] = []

    def mark(self, reason: dict[str, Any] | None) -> str:
        if reason is None:
            return ""
        if reason not in self.found:
            self.found.append(reason)
        return self.marks[self.found.index(reason)]

    def listed(self) -> Iterator[str]:
        yield ""
        for mark, each in zip(self.marks, self.found, strict=False):
            code = f" (`{each['code']}`)" if "code" in each else ""
            yield f"- **{mark}**: {'' if 'said' in each else 'no, '}{each.get('why') or each['said']}{code}."


def _matrix(
    corner: str, rows: dict[str, Any], columns: dict[str, Any], cell: Callable[[str, str], str]
) -> Iterator[str]:
    yield ""
    yield f"| {corner} | {' | '.join(each['title'] for each in columns.values())} |"
    yield "|---" * (len(columns) + 1) + "|"
    for name, row in rows.items():
        yield f"| {row['title']} | {' | '.join(cell(name, each) for each in columns)} |"


def _written(value: object) -> str:
    """Write a value as YAML on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_written(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_written, value)) + "]"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f'"{text}"' if any(sign in text for sign in "'(,") else text
