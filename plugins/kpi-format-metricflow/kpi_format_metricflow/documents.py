"""YAML with the place of everything: each mapping, list and text knows where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from kpi_engine.api import Diagnostic, Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
MOST_NODES = 200_000


@dataclass(frozen=True)
class Node:
    """A piece of a file: `value` is a dict of nodes, a list of nodes, or a plain value."""

    value: Any
    place: Place

    def get(self, *keys: str) -> Node | None:
        """Follow keys inwards; nothing where one is missing or empty."""
        node: Node | None = self
        for key in keys:
            node = node.value.get(key) if node is not None and isinstance(node.value, dict) else None
        return node if node is not None and node.value is not None else None

    def text(self, *keys: str) -> str:
        """Give a plain value as text; empty where there is none."""
        node = self.get(*keys)
        if node is None or isinstance(node.value, dict | list):
            return ""
        return str(node.value).lower() if isinstance(node.value, bool) else str(node.value)

    def flag(self, *keys: str) -> bool:
        """Say whether a key is true."""
        node = self.get(*keys)
        return node is not None and node.value is True

    def items(self, *keys: str) -> list[Node]:
        """Give the entries of a list; a single thing is a list of one."""
        node = self.get(*keys)
        if node is None:
            return []
        return node.value if isinstance(node.value, list) else [node]

    def place_of(self, *keys: str) -> Place:
        """Give the place of a value, or of the nearest thing around it."""
        place, node = self.place, self
        for key in keys:
            inner = node.get(key)
            if inner is None:
                break
            node, place = inner, inner.place
        return place


def documents(texts: Mapping[str, str]) -> tuple[list[Node], list[Diagnostic]]:
    """Read the documents of all files; a file that is no YAML is said and left out."""
    found: list[Node] = []
    diagnostics: list[Diagnostic] = []
    for file, text in texts.items():
        try:
            found += _read(file, text)
        except yaml.YAMLError as error:
            diagnostics.append(_no_yaml(file, text, error))
        except RecursionError:
            diagnostics.append(Diagnostic("bad_yaml", f"{file} is nested too deep", Place(file)))
    return found, diagnostics


def _read(file: str, text: str) -> Iterator[Node]:
    lines = text.splitlines()
    for tree in yaml.compose_all(text, _LOADER):
        if tree is not None:
            yield _node(tree, file, lines, [0])


def _node(tree: yaml.Node, file: str, lines: list[str], count: list[int]) -> Node:
    count[0] += 1
    if count[0] > MOST_NODES:  # also what aliases repeat
        raise yaml.YAMLError(f"more than {MOST_NODES:,} keys and values")
    place = _place(file, lines, tree.start_mark, tree.end_mark)
    if isinstance(tree, yaml.MappingNode):
        return Node({_key(key): _node(value, file, lines, count) for key, value in tree.value}, place)
    if isinstance(tree, yaml.SequenceNode):
        return Node([_node(each, file, lines, count) for each in tree.value], place)
    return Node(_plain(tree), place)


def _key(tree: yaml.Node) -> str:
    return str(tree.value)


def _plain(tree: yaml.Node) -> object:
    """Give a plain value: a truth, a number, nothing, or a text; dates stay texts."""
    if tree.tag == "tag:yaml.org,2002:null":
        return None
    if tree.tag == "tag:yaml.org,2002:bool":
        return tree.value.lower() in {"true", "yes", "on"}
    if tree.tag == "tag:yaml.org,2002:int" and tree.value.lstrip("-").isdigit():
        return int(tree.value)
    if tree.tag == "tag:yaml.org,2002:float":
        try:
            return float(tree.value)
        except ValueError:
            return tree.value
    return tree.value


def _place(file: str, lines: list[str], start: yaml.Mark, end: yaml.Mark) -> Place:
    text = lines[start.line] if start.line < len(lines) else ""
    stop = end.column if end.line == start.line else len(text.rstrip())
    return Place(file, start.line + 1, start.column + 1, max(1, stop - start.column), text)


def _no_yaml(file: str, text: str, error: yaml.YAMLError) -> Diagnostic:
    mark = getattr(error, "problem_mark", None)
    said = getattr(error, "problem", None) or str(error)
    place = _place(file, text.splitlines(), mark, mark) if mark is not None else Place(file)
    return Diagnostic(
        "bad_yaml", f"this is no YAML: {said}", place, "the rest of the files is read", subject=f"file {file}"
    )
