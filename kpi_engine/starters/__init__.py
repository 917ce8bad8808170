"""The packages that `kpi plugins new` writes: a plugin that works, with its tests, to be made one's own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Final, Literal, get_args

from kpi_engine import __version__
from kpi_engine.errors import RequestError
from kpi_engine.plugins.shapes import with_article
from kpi_engine.sample.folders import refuse_unless_empty, write_text, written_at_once

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from importlib.resources.abc import Traversable
    from pathlib import Path

StarterKind = Literal["source", "output", "transform", "pack"]
KINDS: Final[tuple[StarterKind, ...]] = get_args(StarterKind)
_WORD = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*")
_LONGEST = 30
_NOT_TEXTS = frozenset({"true", "false", "yes", "no", "on", "off", "y", "n", "null"})
_ENDING = ".j2"


@dataclass(frozen=True)
class Starter:
    """A package to begin with, by its kind and the word that is written in YAML or on the command line."""

    kind: StarterKind
    word: str

    @property
    def distribution(self) -> str:
        """The name of the package, by the convention."""
        return f"kpi-{self.kind}-{self.word.replace('_', '-')}"

    @property
    def module(self) -> str:
        """What is imported of it, or holds its definitions."""
        return self.distribution.replace("-", "_")

    @property
    def names(self) -> Mapping[str, str]:
        """What its files say of it."""
        parts = re.split("[-_]", self.word)
        major, minor, *_ = __version__.split(".")
        return {
            "word": self.word,
            "distribution": self.distribution,
            "module": self.module,
            "kind": self.kind,
            "a_kind": with_article(self.kind),
            "name": "_".join(parts),
            "Name": "".join(part.capitalize() for part in parts),
            "title": " ".join(parts).capitalize(),
            "core": f"kpi-engine-core>={major}.{minor},<{int(major) + 1}",
        }

    def files(self) -> Mapping[str, str]:
        """Give the texts of its files by their paths."""
        templates = files("kpi_engine.starters") / "templates"
        found = [*_below(templates / "common"), *_below(templates / self.kind)]
        return {self._path(path): _rendered(template, self.names) for path, template in sorted(found)}

    def _path(self, path: str) -> str:
        named = path.replace("package/", f"{self.module}/").replace("test_package", f"test_{self.names['name']}")
        return named.removesuffix(_ENDING)


def starter(kind: StarterKind, name: str) -> Starter:
    """Check a name, and give the package of this kind to begin with; `kpi-source-shop` is called `shop` too.

    Raises RequestError (`bad_name`).
    """
    word = name.removeprefix(f"kpi-{kind}-")
    hint = "take a word of small letters, digits, `-` and `_`, as `shop` or `ad-server`"
    if not _WORD.fullmatch(word) or len(word) > _LONGEST:
        raise RequestError(f"{name!r:.60} is no name for {with_article(kind)}", code="bad_name", hint=hint)
    if word in _taken(kind):
        message = f"the {kind} `{word}` is there already: it is built in"
        raise RequestError(message, code="bad_name", hint="choose another name")
    if word in _NOT_TEXTS:
        message = f"`{word}` is no text where YAML is read"
        raise RequestError(message, code="bad_name", hint="choose another name")
    return Starter(kind, word)


def write(made: Starter, folder: Path) -> list[Path]:
    """Write a package into a folder that is new or empty, whole or not at all; give its files.

    Raises OutputError (`folder_not_empty`, `unwritable`).
    """
    refuse_unless_empty(folder)
    texts = made.files()
    with written_at_once(folder) as scratch:
        for path, text in texts.items():
            write_text(scratch / path, text)
    return [folder / path for path in texts]


def _taken(kind: StarterKind) -> tuple[str, ...]:
    """Name the words of a kind that ship: a plugin that claimed one would be in conflict."""
    if kind == "pack":
        from kpi_engine.definitions.packs import shipped

        return (*shipped(), "definitions")
    from kpi_engine.plugins import Plugins

    (ships, *_) = (info for info in Plugins(None).listing() if info.origin == "kpi_engine.builtin")
    return tuple(word for each, word in ships.provides if each == kind)


def _below(folder: Traversable, above: str = "") -> Iterator[tuple[str, Traversable]]:
    """Give the files below a folder with their paths in it."""
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _below(entry, f"{above}{entry.name}/")
        elif entry.name.endswith(_ENDING):
            yield f"{above}{entry.name}", entry


def _rendered(template: Traversable, names: Mapping[str, str]) -> str:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True, trim_blocks=True, lstrip_blocks=True
    )  # fmt: skip
    return environment.from_string(template.read_text(encoding="utf-8")).render(names)
