"""Mistakes with the key they stand under, and what is known of definitions that are not there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kpi_engine.errors import nearest
from kpi_engine.formula.mistakes import Mistake, Refused

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

Path = tuple[str, ...]
"""Keys inside a definition: `("inputs", "blog", "where")`."""


@dataclass(frozen=True)
class Fault:
    """A mistake and the key it stands under; with `on_key` it is the key itself that is wrong, not its value."""

    path: Path
    mistake: Mistake
    on_key: bool = False


class Faulty(ValueError):  # noqa: N818 - a verdict, turned into diagnostics by the catalogue
    """A KPI or dataset that cannot be resolved; `faults` says why, all of it."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__(faults[0].mistake.message)
        self.faults = faults


@dataclass(frozen=True)
class LeftOut:
    """The definitions that were left out because of mistakes in them; what needs them only follows, and is not said again."""

    subjects: frozenset[str]
    """As `dataset leads`; `file …` where a whole file was not read, and `project` where the settings were not."""

    def has(self, name: str, *kinds: str) -> bool:
        """Whether a definition of that name was left out, or may have been."""
        unread = any(subject.startswith("file ") or subject == "project" for subject in self.subjects)
        return unread or any(f"{kind} {name}" in self.subjects for kind in kinds)

    def has_some(self, kind: str) -> bool:
        """Whether any definition of a kind was left out, or may have been."""
        return self.has("", kind) or any(subject.startswith(f"{kind} ") for subject in self.subjects)


FEW = 8
"""So many names are listed where none is near the one that is not known."""


def guess(name: str, known: Collection[str], otherwise: str = "") -> str:
    """Say which name is meant, or which there are where they are few, or else what to do."""
    close = nearest(name, known)
    return close if close.startswith("did") or 0 < len(known) <= FEW else otherwise


def unknown(name: str, known: Collection[str], left_out: LeftOut, *kinds: str) -> Mistake:
    """Say that there is no such definition, unless it was left out because of a mistake in it; `kinds` say what could be meant."""
    noun = " or ".join(kind.replace("kpi", "KPI") for kind in kinds)
    if left_out.has(name, *kinds):
        message = f"there is no {noun} `{name}`: a definition with a mistake was left out"
        return Mistake("left_out", message, 0, len(name), "correct that mistake first", follows=True)
    code = f"unknown_{kinds[0]}" if len(kinds) == 1 else "unknown_input"
    sections = " or ".join(f"`{kind}s:`" for kind in kinds)
    return Mistake(
        code, f"there is no {noun} `{name}`", 0, len(name), guess(name, known, f"define it under {sections}")
    )


def empty(key: str) -> Mistake:
    """Say that a key has no value: that is not as good as no key, as something was meant to stand there."""
    return Mistake("bad_value", f"`{key}` is empty", hint=f"say what it is, or leave out `{key}:`")


def follow_up(refused: Refused) -> Refused:
    """Mark mistakes as made elsewhere: in the definition of the dimension or time that is used here."""
    return Refused(*(replace(mistake, follows=True) for mistake in refused.mistakes))


def faults_of(path: Path, mistakes: Iterable[Mistake]) -> list[Fault]:
    """Give mistakes the key they stand under."""
    return [Fault(path, mistake) for mistake in mistakes]
