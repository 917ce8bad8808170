"""Filters: `{{ Dimension('listing__country') }} = 'us'` as a condition over our dimensions."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_OF_METRIC = re.compile(r"\s*\{\{\s*(Metric\([^{}]*\))\s*\}\}\s*(<=|>=|<>|!=|=|<|>)\s*(-?\d+(?:\.\d+)?)\s*")
_HOLE = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)


class NotCarriedOver(Exception):  # noqa: N818 - an answer, which becomes a diagnostic
    """What is meant has no counterpart here; the message says what."""


@dataclass(frozen=True)
class Reference:
    """What stands between the braces: `kind` is dimension, time, entity or metric; `name` with the path of entities before it."""

    kind: str
    name: str
    grain: str = ""
    part: str = ""
    by: tuple[str, ...] = ()
    """The entities that a metric is taken for."""


def condition(template: str, name_of: Callable[[Reference], str]) -> str:
    """Write a filter with our names; raise `NotCarriedOver` for what cannot be said."""
    filled = _HOLE.sub(lambda match: name_of(reference(match[1])), template).strip()
    if "{%" in filled or "{{" in filled:
        raise NotCarriedOver("a filter with Jinja beyond `{{ Dimension(…) }}` and its like")
    return filled


def of_metric(template: str) -> tuple[Reference, str] | None:
    """Read a filter that compares the value of a metric with a number: the metric, and the comparison; None of any other."""
    match = _OF_METRIC.fullmatch(template)
    return None if match is None else (reference(match[1]), f"{match[2].replace('!=', '<>')} {match[3]}")


def reference(text: str) -> Reference:
    """Read what stands between the braces."""
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except SyntaxError:
        raise NotCarriedOver(f"`{{{{{text}}}}}`, which cannot be read") from None
    suffix: dict[str, str] = {}
    while isinstance(tree, ast.Call) and isinstance(tree.func, ast.Attribute):
        suffix[tree.func.attr] = _text(tree.args[0], text) if tree.args else ""
        tree = tree.func.value
    if not (isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name)):
        raise NotCarriedOver(f"`{{{{{text}}}}}`, which is no reference")
    return _called(tree, tree.func.id, suffix, text)


def _called(call: ast.Call, function: str, suffix: dict[str, str], text: str) -> Reference:
    names = {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
    if unknown := set(suffix) - {"grain", "date_part", "descending"}:
        raise NotCarriedOver(f"`.{unknown.pop()}(…)` in a filter")
    first = (
        call.args[0]
        if call.args
        else next((names[k] for k in ("name", "dimension_name", "entity_name") if k in names), None)
    )
    if first is None:
        raise NotCarriedOver(f"`{{{{{text}}}}}`, which names nothing")
    path = names.get("entity_path") or (call.args[1] if len(call.args) > 1 and function != "TimeDimension" else None)
    if function == "Metric":
        by = names.get("group_by") or (call.args[1] if len(call.args) > 1 else None)
        return Reference("metric", _text(first, text), by=_texts(by, text))
    name = "__".join([*_texts(path, text), _text(first, text)])
    if function == "Entity":
        return Reference("entity", name)
    if function == "Dimension":
        return Reference("dimension", name, suffix.get("grain", "").lower(), suffix.get("date_part", "").lower())
    if function == "TimeDimension":
        grain = names.get("time_granularity_name") or (call.args[1] if len(call.args) > 1 else None)
        part = names.get("date_part_name")
        return Reference(
            "time", name, (_text(grain, text) if grain else suffix.get("grain", "")).lower(),
            (_text(part, text) if part else suffix.get("date_part", "")).lower(),
        )  # fmt: skip
    raise NotCarriedOver(f"`{function}(…)` in a filter")


def _text(tree: ast.expr, text: str) -> str:
    if isinstance(tree, ast.Constant) and isinstance(tree.value, str):
        return tree.value
    raise NotCarriedOver(f"`{{{{{text}}}}}`, whose names are no plain texts")


def _texts(tree: ast.expr | None, text: str) -> tuple[str, ...]:
    if tree is None:
        return ()
    if isinstance(tree, ast.List | ast.Tuple):
        return tuple(_text(each, text) for each in tree.elts)
    return (_text(tree, text),)
