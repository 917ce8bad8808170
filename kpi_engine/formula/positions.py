"""Where in the text each node of a tree stands, so that a mistake is underlined from its first to its last character."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.formula.trees import END, START
from kpi_engine.formula.words import CLOSING, OPENING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from kpi_engine.formula.words import Word

_PLACED = frozenset({exp.Identifier, exp.Literal})
"""What the parser places."""
Stretch = tuple[int, int]
"""The first character, and the one after the last."""


def span(node: exp.Expr) -> tuple[int, int]:
    """Say where a node stands in the text it was read from, as offset and length, as well as it is known."""
    found = _own(node)
    for part in node.walk() if found is None else ():
        found = _union(found, _own(part))
    return (found[0], found[1] - found[0]) if found else (0, 1)


def annotate(nodes: Sequence[exp.Expr], words: Sequence[Word]) -> None:
    """Write into every node where it stands: the parser says it of names and texts only.

    The nodes come in the order they are written, each before what stands in it.
    """
    brackets = tuple(_brackets(words))
    calls, groups = [each for each in brackets if each[2]], [each for each in brackets if not each[2]]
    cases = tuple(_cases(words))
    parameters = _parameters(words)
    _place_constants(nodes, words)
    inside: dict[int, Stretch] = {}
    for node in reversed(nodes):
        found = _own(node)
        if type(node) not in _PLACED:
            found = _union(found, inside.get(id(node)))
            if isinstance(node, exp.Placeholder):
                found = next(parameters.get(str(node.this), iter(())), None)
            elif isinstance(node, exp.Case):
                found = _around(found, cases)
            elif calls and _is_call(node):
                found = _around(found, calls)
            elif groups and isinstance(node, exp.Paren):
                found = _around(found, groups)
            if found is not None:
                found = _balanced(found, brackets) if brackets else found
                _place(node, found)
        if found is not None and node.parent is not None:
            around = inside.get(id(node.parent))
            inside[id(node.parent)] = found if around is None else (min(around[0], found[0]), max(around[1], found[1]))


def _own(node: exp.Expr) -> Stretch | None:
    meta = node.meta
    return (meta[START], meta[END] + 1) if START in meta else None


def _place(node: exp.Expr, stretch: Stretch) -> None:
    meta = node.meta
    meta[START], meta[END] = stretch[0], stretch[1] - 1


def _union(one: Stretch | None, other: Stretch | None) -> Stretch | None:
    if one is None or other is None:
        return other if one is None else one
    return min(one[0], other[0]), max(one[1], other[1])


_CALLS, _WITHOUT_BRACKETS = (exp.Func, exp.Cast), (exp.Binary, exp.Connector, exp.Case)


def _is_call(node: exp.Expr) -> bool:
    if isinstance(node, exp.If):
        return not isinstance(node.parent, exp.Case)
    return isinstance(node, _CALLS) and not isinstance(node, _WITHOUT_BRACKETS)


Bracket = tuple[int, int, bool]
"""A stretch in brackets, from the function's name where there is one; whether it is a call."""


def _brackets(words: Sequence[Word]) -> Iterator[Bracket]:
    open_: list[tuple[int, bool]] = []
    for before, word in zip([None, *words], words, strict=False):
        if word.text in OPENING:
            called = before is not None and before.is_word and before.end == word.start
            open_.append((before.start if before is not None and called else word.start, called))
        elif word.text in CLOSING and open_:
            start, called = open_.pop()
            yield start, word.end, called


def _cases(words: Sequence[Word]) -> Iterator[Bracket]:
    open_: list[int] = []
    for word in words:
        if word.low == "case":
            open_.append(word.start)
        elif word.low == "end" and open_:
            yield open_.pop(), word.end, True


def _place_constants(nodes: Sequence[exp.Expr], words: Sequence[Word]) -> None:
    """Place `null`, `true` and `false`, of which the parser says nothing: they come in the order in which they are written."""
    written = [(word.start, word.end) for word in words if word.kind in {"NULL", "TRUE", "FALSE"}]
    if not written:
        return
    found = [node for node in nodes if isinstance(node, exp.Null | exp.Boolean)]
    for node, stretch in zip(found, written, strict=True) if len(found) == len(written) else ():
        _place(node, stretch)


def _parameters(words: Sequence[Word]) -> Mapping[str, Iterator[Stretch]]:
    found: dict[str, list[Stretch]] = {}
    for colon, name in pairwise(words):
        if colon.text == ":":
            found.setdefault(name.text, []).append((colon.start, name.end))
    return {name: iter(stretches) for name, stretches in found.items()}


def _around(stretch: Stretch | None, brackets: Sequence[Bracket]) -> Stretch | None:
    """Give the narrowest of the brackets that a stretch stands in or that begin with it; itself where there is none."""
    if stretch is None:
        return None
    wider = [(start, end) for start, end, _ in brackets if start <= stretch[0] and end >= stretch[1]]
    return min(wider, key=lambda each: each[1] - each[0], default=stretch)


def _balanced(stretch: Stretch, brackets: Sequence[Bracket]) -> Stretch:
    """Widen a stretch until every bracket that it opens or closes is whole."""
    start, end = stretch
    for _ in brackets:
        cut = [(s, e) for s, e, _ in brackets if (start <= s < end < e) or (s < start < e <= end)]
        if not cut:
            break
        start, end = min(start, *(s for s, _ in cut)), max(end, *(e for _, e in cut))
    return start, end
