"""Whether a class that a plugin announces is what it says it is."""

from __future__ import annotations

import re
import sys
from inspect import getattr_static
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from kpi_engine.api.commands import Command

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal["source", "output", "transform", "format", "secret", "command"]
HOOKS: Mapping[Kind, str] = MappingProxyType(
    {
        "source": "sources", "output": "outputs", "transform": "transforms", "format": "formats", "secret": "secret",
        "command": "commands",
    }
)  # fmt: skip
"""The hook that announces each kind."""
KINDS: tuple[Kind, ...] = tuple(HOOKS)
_CAPABILITIES: Mapping[str, str] = MappingProxyType(
    {
        "query": "sql", "relation": "relation", "scan": "scan", "read": "stream", "version": "versions", "contract": "contract",
        "folders": "folders", "interrupt": "interrupt", "close": "close",
    }
)  # fmt: skip

_TARGET = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
_WORD = re.compile(r"[a-z][a-z0-9_-]*")


def word_of(announced: object) -> str:
    """Give the word a class claims, or nothing where it has no usable one."""
    name = getattr(announced, "name", None)
    return name if isinstance(name, str) and _WORD.fullmatch(name) else ""


def fault(kind: Kind, announced: object) -> str:
    """Say why what is announced cannot be used as its kind; nothing when it can."""
    if kind == "command":
        return _command_fault(announced)
    if not isinstance(announced, type):
        return f"announces {announced!r:.60} as {with_article(kind)}; a class is expected"
    lacking = [*_common(kind, announced), *_own(kind, announced)]
    return f"{with_article(kind)}, the class `{announced.__name__}`, {' and '.join(lacking)}" if lacking else ""


def capabilities(cls: type) -> tuple[str, ...]:
    """Say what a source can do, as its methods show it."""
    return tuple(flag for method, flag in _CAPABILITIES.items() if _has(cls, method))


def _command_fault(announced: object) -> str:
    if not isinstance(announced, Command):
        return f"announces {announced!r:.60} as a command; a `Command` of `kpi_engine.api` is expected"
    if not word_of(announced):
        return f"a command, {announced.name!r:.60}, needs a `name`: a word of small letters, digits, `-` and `_`"
    if not _TARGET.fullmatch(announced.target):
        return f"a command, `{announced.name}`, needs a `target` such as `kpi_x.verbs:command`"
    return ""


def _common(kind: Kind, cls: type) -> list[str]:
    faults = []
    if not word_of(cls):
        faults.append("needs a `name`: a word of small letters, digits, `-` and `_`")
    if kind != "secret" and not _has_settings(cls):
        faults.append("needs a `Config`, a subclass of pydantic's BaseModel")
    return faults


def _has_settings(cls: type) -> bool:
    """Say whether `Config` is a pydantic model; one that is imported only when it is asked for is taken to be, and not asked for."""
    config = getattr_static(cls, "Config", None)
    if not isinstance(config, type):
        return hasattr(type(config), "__get__") and not callable(config)
    pydantic = sys.modules.get("pydantic")  # where nobody has imported it, nothing is a model of its
    return pydantic is not None and issubclass(config, pydantic.BaseModel)


def _own(kind: Kind, cls: type) -> list[str]:
    if kind == "secret":
        return _methods(cls, "resolve")
    if kind == "source":
        if _has(cls, "streams") or _has(cls, "read"):
            return _methods(cls, "streams", "read")
        reads = any(_has(cls, each) for each in ("relation", "scan", "query"))
        readers = [] if reads else ["needs the method `relation`, `scan` or `query`, or `streams` and `read`"]
        return [*_methods(cls, "tables"), *readers]
    if kind == "output":
        suffix = [] if isinstance(getattr(cls, "suffix", None), str) else ["needs a `suffix`, a text that may be empty"]
        return [*_methods(cls, "render"), *suffix]
    if kind == "format":
        known = isinstance(getattr(cls, "suffixes", None), tuple)
        return [*_methods(cls, "read"), *([] if known else ["needs `suffixes`, a tuple of file endings"])]
    return _methods(cls, "needs", "columns", "apply")


def _methods(cls: type, *names: str) -> list[str]:
    return [f"needs the method `{name}`" for name in names if not _has(cls, name)]


def _has(cls: type, method: str) -> bool:
    return callable(getattr(cls, method, None))


def with_article(kind: str) -> str:
    """Write a kind with its article."""
    return "an output" if kind == "output" else f"a {kind}"
