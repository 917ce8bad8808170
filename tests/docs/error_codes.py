"""Collect the codes of all errors from the code: what stands where a code belongs."""

from __future__ import annotations

import ast
import re
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_CODE = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
_FIRST = frozenset({"Diagnostic", "Mistake", "Said", "_always", "mistake", "refuse", "_refused_top"})
"""Calls whose first argument is a code; `fault` has it second."""


def error_codes(package: Path) -> dict[str, set[str]]:
    """Give every code with the modules it is used in."""
    found: dict[str, set[str]] = {}
    for file in sorted(package.rglob("*.py")):
        name = str(file.relative_to(package))
        for code in _codes(
            ast.parse(file.read_text(encoding="utf-8")), tables=name.startswith(("formula", "execution"))
        ):
            found.setdefault(code, set()).add(name)
    return found


def _codes(tree: ast.AST, *, tables: bool) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from _of_call(node)
        elif isinstance(node, ast.Assign) and any(
            isinstance(t, ast.Name) and t.id == "default_code" for t in node.targets
        ):
            yield from _texts(node.value)
        elif tables and isinstance(node, ast.Tuple):
            yield from _of_tuple(node)


def _of_tuple(node: ast.Tuple) -> Iterator[str]:
    """Find the code in a line of a table of mistakes, where a message or a hint follows it."""
    for code, following in pairwise(node.elts):
        said = following.value if isinstance(following, ast.Constant) else None
        if isinstance(said, str) and said.count(" ") > 1:
            yield from _texts(code)


def _of_call(call: ast.Call) -> Iterator[str]:
    name = getattr(call.func, "id", getattr(call.func, "attr", ""))
    if name in _FIRST and call.args:
        yield from _texts(call.args[0])
    if name in {"fault", "_fault"} and len(call.args) > 1:
        yield from _texts(call.args[1])
    if name == "unknown":
        kinds = [each.value for each in call.args[3:] if isinstance(each, ast.Constant)]
        yield f"unknown_{kinds[0]}" if len(kinds) == 1 else "unknown_input"
    for keyword in call.keywords:
        if keyword.arg == "code":
            yield from _texts(keyword.value)


def _texts(node: ast.expr) -> Iterator[str]:
    """Give the texts an expression may be, as far as they look like codes."""
    if isinstance(node, ast.IfExp):
        yield from _texts(node.body)
        yield from _texts(node.orelse)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and _CODE.fullmatch(node.value):
        yield node.value
