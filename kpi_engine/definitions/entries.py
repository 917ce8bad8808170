"""The entries of definition files: which there are, what each concerns, and which of two holds."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from kpi_engine.errors import Diagnostic, nearest

from . import overriding
from .models import Dataset, DefinitionFile, Group, Kpi, Parameter, Role
from .projectfile import ProjectFile
from .texts import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .places import Located, Path
    from .yaml import Document, Mistake

Definition = Dataset | Role | Group | Kpi | Parameter
LATER_SECTIONS = ("targets", "tests")
"""Sections of the language that this version does not read yet."""


@dataclass(frozen=True)
class Entry:
    """One definition as it was written: `visits` of the section `kpis`, not checked yet."""

    section: str
    name: str
    raw: Any
    located: Located
    origin: str
    """The file, or the pack, that it comes from."""
    layer: int
    """Packs lie below the project: what lies higher may override."""
    refused: frozenset[Path] = frozenset()
    """Paths inside it at which the reader refused something, and said so."""

    @property
    def noun(self) -> str:
        """Its kind in one word, such as `kpi`."""
        return self.section[:-1]

    @property
    def subject(self) -> str:
        """What diagnostics call it: `kpi visits`."""
        return f"{self.noun} {self.name}"

    @property
    def title(self) -> str:
        """What messages call it."""
        return f"{self.noun} {shown(self.name, 80)}"

    @property
    def overrides(self) -> bool:
        """Whether it says that it replaces another, or parts of it."""
        return isinstance(self.raw, dict) and (self.raw.get("override") is True or overriding.is_partial(self))

    @property
    def home(self) -> str:
        """Where it stands, for messages."""
        return str(self.located.key() or self.origin)

    def mistake(self, code: str, message: str, path: Path = (), hint: str = "") -> Diagnostic:
        """Make a diagnostic about this entry, at the key of a path inside it."""
        return Diagnostic(code, f"{self.title}: {message}", self.located.key(*path), hint, subject=self.subject)


def model_of(section: str) -> type[Definition]:
    """Give the model of a section's entries."""
    models: dict[str, type[Definition]] = {
        "datasets": Dataset, "roles": Role, "groups": Group, "kpis": Kpi, "parameters": Parameter,
    }  # fmt: skip
    return models[section]


def sections() -> tuple[str, ...]:
    """List the sections of a definition file."""
    return tuple(DefinitionFile.model_fields)


def concerning(mistakes: Iterable[Mistake], file: str) -> list[Diagnostic]:
    """Say of each mistake in a definition file which definition it breaks."""
    return [replace(mistake.diagnostic, subject=_subject(mistake.path, file)) for mistake in mistakes]


def _subject(path: Path, file: str) -> str:
    return f"{path[0][:-1]} {path[1]}" if len(path) > 1 and str(path[0]) in sections() else f"file {file}"  # type: ignore[index]


def split(document: Document, origin: str, layer: int) -> tuple[list[Entry], list[Diagnostic]]:
    """Take a definition file apart into its entries, and refuse the sections that it may not hold."""
    found: list[Entry] = []
    diagnostics: list[Diagnostic] = []
    for section, content in (document.value or {}).items():
        if refusal := _refused_section(section, content, document.located):
            diagnostics.append(replace(refusal, subject=f"file {origin}"))
        else:
            found += _entries(section, content or {}, document, origin, layer)
    return found, diagnostics


def _entries(section: str, content: dict[str, Any], document: Document, origin: str, layer: int) -> Iterator[Entry]:
    refused = [mistake.path for mistake in document.mistakes if mistake.path[:1] == (section,)]
    for name, raw in content.items():
        inside = frozenset(path[2:] for path in refused if path[1:2] == (name,))
        yield Entry(section, name, raw, document.located.child(section, name), origin, layer, inside)


def _refused_section(section: str, content: object, located: Located) -> Diagnostic | None:
    place = located.key(section)
    if section in LATER_SECTIONS:
        message = f"the section `{section}` is part of the language but not computed by this version"
        return Diagnostic("not_yet_supported", message, place, "remove it; the rest of the file is read")
    if section not in sections():
        return _unknown_section(section, located)
    if content is not None and not isinstance(content, dict):
        message = (
            f"the section `{section}` holds a {'list' if isinstance(content, list) else 'single value'}, not a mapping"
        )
        return Diagnostic("wrong_type", message, place, "write each definition under its name")
    return None


def _unknown_section(section: str, located: Located) -> Diagnostic:
    settings = () if located.source else tuple(ProjectFile.model_fields)
    hint = (
        "it belongs in `kpi.yaml`"
        if section in ProjectFile.model_fields
        else nearest(section, (*sections(), *settings))
    )
    message = f"{shown(section)} is no section of a definition file"
    return Diagnostic("unknown_key", message, located.key(section), hint)


def settle(entries: Iterable[Entry]) -> tuple[list[Entry], list[Diagnostic]]:
    """Choose, of all entries that share a name, the one that holds: a higher layer that overrides the one below, or the only one."""
    twins: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        twins.setdefault((entry.section, entry.name), []).append(entry)
    chosen: list[Entry] = []
    diagnostics: list[Diagnostic] = []
    for candidates in twins.values():
        base, *others = sorted(candidates, key=lambda entry: (entry.layer, entry.overrides))
        if base.overrides:
            diagnostics.append(_nothing_to_override(base))
        for other in others:
            if other.overrides and (other.layer > base.layer or not base.overrides):
                base = overriding.merged(base, other) if overriding.is_partial(other) else other
            else:
                diagnostics.append(_duplicate(other, base))
        chosen.append(base)
    return chosen, diagnostics


def _nothing_to_override(entry: Entry) -> Diagnostic:
    said = "partial" if overriding.is_partial(entry) else "true"
    message = f"`override: {said}` is said, but there is no other {entry.noun} of this name"
    return entry.mistake("nothing_to_override", message, ("override",), "remove `override`, or name what it replaces")


def _duplicate(entry: Entry, first: Entry) -> Diagnostic:
    hint = "rename one of them; to replace what a pack defines, say `override: true` in the project's own"
    return entry.mistake("duplicate_definition", f"defined here, and already at {first.home}", (), hint)


def shared_names(entries: Iterable[Entry]) -> list[Diagnostic]:
    """Refuse a KPI and a dataset of one name, and two names that differ only in capital letters."""
    by_fold: dict[str, list[Entry]] = {}
    for entry in entries:
        space = "" if entry.section in ("kpis", "datasets") else entry.section
        by_fold.setdefault(f"{space}/{entry.name.casefold()}", []).append(entry)
    return [found for twins in by_fold.values() if len(twins) > 1 for found in _clashes(twins)]


def _clashes(twins: list[Entry]) -> Iterator[Diagnostic]:
    sections_of = Counter(entry.name for entry in twins)
    for entry in twins:
        if sections_of[entry.name] > 1:
            other = next(twin for twin in twins if twin.name == entry.name and twin is not entry)
            message = f"the {other.noun} at {other.home} has the same name, and an input could mean either"
            yield entry.mistake("duplicate_name", message, (), "rename one of them")
        elif entry.name != entry.name.lower():
            other = twins[0] if twins[0] is not entry else twins[1]
            message = f"the name differs only in capital letters from {other.title} at {other.home}"
            yield entry.mistake("case_twin", message, (), "rename one of them; names are written in small letters")
