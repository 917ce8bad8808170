"""All there is to say of what a plugin provides: what it can do, its settings, and what a project uses of it."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from functools import partial
from inspect import getattr_static
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from kpi_engine.plugins.discovery import FILES
from kpi_engine.plugins.isolation import Failed, attempt
from kpi_engine.plugins.rules import docstrings
from kpi_engine.plugins.secrets import is_secret_field
from kpi_engine.plugins.shapes import capabilities

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic import BaseModel
    from pydantic.fields import FieldInfo

    from kpi_engine.plugins.loading import Claim

_TYPES: Mapping[object, str] = MappingProxyType(
    {str: "text", int: "whole number", float: "number", bool: "true or false", Path: "path", type(None): "nothing"}
)


@dataclass(frozen=True)
class Setting:
    """One setting that a plugin takes."""

    name: str
    type: str
    """In words: `text`, `whole number`, `list of text`, `secret` …"""
    required: bool
    default: str
    """As it would be written; empty where there is none, and of a secret."""
    secret: bool
    text: str
    """What it is, in its author's words."""


@dataclass(frozen=True)
class Provided:
    """One thing that a plugin provides, such as the source `postgres`."""

    kind: str
    word: str
    text: str
    """What it is, in its author's words."""
    module: str
    """Where the class stands, what a command runs, or the folder of a pack."""
    capabilities: tuple[str, ...]
    """Of a source, what it can do, as its methods show it."""
    facts: Mapping[str, str]
    """What its class says beside its settings: `dialect`, `suffix` …"""
    settings: tuple[Setting, ...]
    problem: str = ""
    """Why its settings cannot be said; empty when all is well."""


def provided(claim: Claim) -> Provided:
    """Describe what a plugin provides under one word; nothing is made of its class."""
    cls = claim.cls
    if claim.kind == "command":
        return Provided(claim.kind, claim.word, cls.help, cls.target, (), {}, ())
    if claim.kind == "pack":
        text = "" if claim.candidate.built_in else _summary(claim.candidate.distribution)
        return Provided(claim.kind, claim.word, text, str(cls or ""), (), {}, ())
    settings = attempt(partial(_settings, cls))
    found, problem = ((), settings.reason) if isinstance(settings, Failed) else (settings, "")
    can = capabilities(cls) if claim.kind == "source" else ()
    return Provided(claim.kind, claim.word, _text(cls), _module(cls), can, _facts(cls), found, problem)


def _module(cls: type) -> str:
    """Name a class with its module; the name under which a project's file is imported says nothing."""
    return cls.__qualname__ if cls.__module__.startswith(FILES) else f"{cls.__module__}:{cls.__qualname__}"


def _summary(distribution: str) -> str:
    """Give the line that a package says of itself."""
    from importlib.metadata import PackageNotFoundError, metadata

    try:
        return str(metadata(distribution).json.get("summary", ""))
    except PackageNotFoundError:
        return ""


def _text(cls: type) -> str:
    """Give the docstring of a class, without those that it has of others."""
    return inspect.cleandoc(vars(cls).get("__doc__") or "")


def _facts(cls: type) -> Mapping[str, str]:
    """Give what a class says of itself, where that is the same whatever its settings are."""
    found = {name: getattr_static(cls, name, None) for name in ("dialect", "lacks", "suffix", "suffixes")}
    return {name: said for name, value in found.items() if (said := _said(value))}


def _said(value: object) -> str:
    if isinstance(value, str):
        return value
    return ", ".join(sorted(map(str, value))) if isinstance(value, tuple | list | set | frozenset) else ""


def _settings(cls: Any) -> tuple[Setting, ...]:  # noqa: ANN401 - the class of any plugin
    config: type[BaseModel] | None = getattr(cls, "Config", None)
    if config is None:
        return ()
    texts = docstrings(config)
    return tuple(
        _setting(name, field, field.description or texts.get(name, "")) for name, field in config.model_fields.items()
    )


def _setting(name: str, field: FieldInfo, text: str) -> Setting:
    secret = is_secret_field(field.annotation)
    written = field.validation_alias if isinstance(field.validation_alias, str) else name
    default = "" if secret or field.is_required() else _default(field)
    kind = "secret" if secret else _type(field.annotation)
    return Setting(written, kind, field.is_required(), default, secret, " ".join(text.split()))


def _default(field: FieldInfo) -> str:
    """Write a default; one that is nothing is not worth saying."""
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is None or value == "" or (hasattr(value, "__len__") and len(value) == 0):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _type(annotation: Any) -> str:  # noqa: ANN401 - whatever an author writes
    return " or ".join(dict.fromkeys(_words(annotation)))


def _words(annotation: Any) -> Iterator[str]:  # noqa: ANN401
    """Say what a setting may be, in the words of people who write YAML."""
    from types import UnionType
    from typing import Annotated, Union

    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        yield from _words(inner[0])
    elif origin in (Union, UnionType):
        yield from (word for each in inner if each is not type(None) for word in _words(each))
    elif origin is Literal:
        yield from (str(each) for each in inner if each != "")
    elif isinstance(origin, type) and issubclass(origin, list | tuple | set | frozenset):
        items = [each for each in inner if each is not Ellipsis]
        yield f"list of {_type(items[0])}" if items else "list"
    elif annotation in _TYPES:
        yield _TYPES[annotation]
    elif isinstance(origin, type) or hasattr(annotation, "model_fields"):
        yield "mapping"
    else:
        yield getattr(annotation, "__name__", str(annotation))
