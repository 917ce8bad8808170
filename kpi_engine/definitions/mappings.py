"""Definitions given as a Python mapping, held to what a file could hold."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from math import isfinite
from typing import TYPE_CHECKING, Any, cast

from kpi_engine.errors import Diagnostic

from .entries import LATER_SECTIONS, sections
from .projectfile import ProjectFile
from .scanning import DEPTH, nested_too_deep
from .texts import shown
from .validation import dotted
from .yaml import INTEGER_DIGITS, NODES, NOT_TEXT, Document, Mistake, refused_key

if TYPE_CHECKING:
    from .places import Path


def documents(definitions: Mapping[str, Any], name: str) -> tuple[Document, Document]:
    """Part a mapping into what would stand in `kpi.yaml` and what would stand in a definition file.

    A parameter given as a mapping is a declaration, given as a value it is the project's value. `name` is the project's, unless given.
    """
    copier = _Copier()
    whole = copier.top(definitions)
    mistakes = copier.mistakes
    settings = {key: value for key, value in whole.items() if key in ProjectFile.model_fields and key not in sections()}
    settings = {"project": name} | settings
    entries = {key: value for key, value in whole.items() if key not in settings}
    parameters = entries.get("parameters")
    if isinstance(parameters, dict):
        values = {key: value for key, value in parameters.items() if not isinstance(value, dict)}
        entries["parameters"] = {key: value for key, value in parameters.items() if key not in values}
        settings |= {"parameters": values} if values else {}
    known = (*sections(), *LATER_SECTIONS)
    in_entries = [mistake for mistake in mistakes if mistake.path and mistake.path[0] in known]
    in_settings = [mistake for mistake in mistakes if mistake not in in_entries]
    return Document(settings, mistakes=tuple(in_settings)), Document(entries, mistakes=tuple(in_entries))


class _Copier:
    """Copies a mapping, keeping what YAML could say; settings of sources may hold anything that a plugin takes."""

    def __init__(self) -> None:
        self.mistakes: list[Mistake] = []
        self.nodes = 0

    def top(self, definitions: Mapping[str, Any]) -> dict[str, Any]:
        whole = self.copy(definitions, ())
        if self.nodes <= NODES:
            return cast("dict[str, Any]", whole)
        message = f"the definitions hold more than {NODES:,} keys and values"
        self.mistakes = [Mistake((), Diagnostic("too_many_nodes", message, None, "give them in several files"))]
        return {}

    def copy(self, value: Any, path: Path) -> Any:  # noqa: ANN401
        self.nodes += 1
        if self.nodes > NODES:
            return None
        if len(path) > DEPTH:
            return self.refuse(path, nested_too_deep(None))
        if isinstance(value, Mapping):
            kept = [key for key in islice(value, NODES) if self.is_key(key, path)]
            return {key: self.copy(value[key], (*path, key)) for key in kept}
        if isinstance(value, list | tuple):
            return [self.copy(each, (*path, position)) for position, each in enumerate(islice(value, NODES))]
        return self.scalar(value, path)

    def scalar(self, value: Any, path: Path) -> Any:  # noqa: ANN401
        if isinstance(value, float) and not isfinite(value):
            return self.refuse(path, Diagnostic("not_finite", f"`{dotted(path)}` is no finite number"))
        if isinstance(value, int) and abs(value) >= 10**INTEGER_DIGITS:
            message = f"`{dotted(path)}` has more than {INTEGER_DIGITS} digits"
            return self.refuse(path, Diagnostic("number_too_long", message))
        if isinstance(value, str) and NOT_TEXT.search(value):
            message = f"`{dotted(path)}` holds U+0000 or half a character"
            return self.refuse(path, Diagnostic("control_character", message))
        if value is None or isinstance(value, str | int | float) or path[:1] == ("sources",):
            return value
        message = f"`{dotted(path)}` is a Python {type(value).__name__}, which definitions cannot hold"
        hint = "give a text, number, list, mapping or boolean"
        return self.refuse(path, Diagnostic("wrong_type", message, None, hint))

    def is_key(self, key: object, path: Path) -> bool:
        where = f"in `{dotted(path)}`" if path else "at the top"
        if not isinstance(key, str):
            message = f"{shown(repr(key))} stands {where} as a key, which has to be a text"
            self.refuse(path, Diagnostic("key_not_text", message))
        elif refusal := refused_key(key):
            self.refuse(path, refusal)
        else:
            return True
        return False

    def refuse(self, path: Path, diagnostic: Diagnostic) -> None:
        self.mistakes.append(Mistake(path, diagnostic))
