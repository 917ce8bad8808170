"""A project, loaded: every definition as a frozen model, where each stands, and every mistake that was found.

Mistakes are collected, never raised: what is broken is left out and the rest loads, so that one bad KPI stops no other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from kpi_engine.errors import DefinitionError, Diagnostic, Place

from . import keeping
from .checking import check
from .entries import Definition, Entry, concerning, settle, shared_names, split
from .files import PROJECT_BYTES, File, fingerprint, listed, project_file, read_bytes, too_much
from .later import NotOutlinedError
from .mappings import documents
from .models import Dataset, Group, Kpi, Parameter, Role
from .outline import outlined
from .parameters import check_default, check_values
from .places import Places
from .projectfile import ProjectFile
from .settings import settings_of
from .yaml import Document, read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from .keeping import Keeper
    from .outline import Outline
    from .places import Located

T = TypeVar("T", bound=Definition)
MAPPING = "the definitions given"
"""The origin of definitions that came from no file."""


@dataclass(frozen=True)
class Project:
    """A project's definitions, checked one by one; what they say of each other is the catalogue's to check.

    The `subject` of a diagnostic says what it concerns, and what is therefore left out: `kpi visits`, `dataset leads`, `source web`,
    `parameter factor`, `file definitions/a.yaml` (it, or a section of it, was not read), or `project` (the settings: nothing is sure).
    """

    root: Path
    settings: ProjectFile
    datasets: Mapping[str, Dataset]
    roles: Mapping[str, Role]
    groups: Mapping[str, Group]
    kpis: Mapping[str, Kpi]
    parameters: Mapping[str, Parameter]
    places: Places
    diagnostics: tuple[Diagnostic, ...]
    origins: Mapping[tuple[str, str], str]
    """By section and name, the file or the pack that a definition comes from."""
    fingerprint: str = ""
    """Tells these definitions from all others, by the bytes of their files; empty where they came from no files."""
    is_checked: bool = True
    """Whether all mistakes stand in `diagnostics`; otherwise a definition with one raises NotOutlinedError when it is asked for."""

    @cached_property
    def users(self) -> Mapping[str, tuple[str, ...]]:
        """For each dataset and KPI, the KPIs made of it and those whose companion it is."""
        found: dict[str, list[str]] = {}
        for kpi_id, kpi in self.kpis.items():
            for used in {kpi.quality, *(each.from_ for each in kpi.inputs.values())} - {""}:
                found.setdefault(used, []).append(kpi_id)
        return {used: tuple(kpis) for used, kpis in found.items()}

    @property
    def broken(self) -> frozenset[str]:
        """The subjects that have an error; a definition among them was left out."""
        return _broken(self.diagnostics)


def load(path: Path | str, keeper: Keeper | None = None, *, whole: bool = True) -> Project:
    """Load a project from its folder, or from its `kpi.yaml`; with a keeper, as it was kept of the last time where no file has changed.

    With `whole` False, definitions are read when they are asked for, where that is sure to give the same ones; see `is_checked`.

    Raises DefinitionError when there is no project file (`no_project`) or it is no text (`unreadable`, `not_utf8`, `too_large`);
    every other mistake stands in `diagnostics`.
    """
    file = project_file(path)
    read = None if whole else _Read.of(file)
    if read is not None and (project := _in_part(read)) is not None:
        return project
    if keeper is not None and (kept := keeping.kept(keeper, file, _names)):
        return _later(file.parent, ProjectFile.model_validate(kept.settings), kept, kept.top, kept.fingerprint)
    read = read or _Read.of(file)
    entries, refused = _entries(read.contents)
    chosen, twice = settle(entries)
    project = _assemble(read.root, read.settings, read.document, chosen, [*read.amiss, *refused, *twice])
    if keeper is not None and not project.diagnostics:
        keeping.keep(keeper, file, read.document.value, read.top, read.contents, chosen)
    return replace(project, fingerprint=read.fingerprint)


@dataclass(frozen=True)
class _Read:
    """The bytes of a project's files, and what `kpi.yaml` says."""

    root: Path
    top: bytes
    document: Document
    settings: ProjectFile
    contents: list[tuple[File, bytes]]
    amiss: tuple[Diagnostic, ...]

    @classmethod
    def of(cls, file: Path) -> _Read:
        """Read them."""
        top, document = _project_document(file)
        root = file.parent
        settings, mistakes = settings_of(document, root.absolute().name or "project")
        names = [
            name for name in settings.definitions if document.value is not None or (root / name).is_dir()
        ]  # what an unreadable file would have named is not known: nothing is missed in it
        files, misplaced = listed(root, names, document.located)
        contents, unread = _contents(files)
        return cls(root, top, document, settings, contents, (*mistakes, *misplaced, *unread))

    @cached_property
    def fingerprint(self) -> str:
        """Tells these files from all others."""
        return fingerprint(self.top, self.contents)


def _in_part(read: _Read) -> Project | None:
    """Make a project whose definitions are read when they are asked for; None where all are to be read to know what is wrong."""
    outline = None if read.amiss else outlined(read.contents)
    if outline is None:
        return None
    top = read.document.located
    project = _later(read.root, read.settings, outline, lambda: top, read.fingerprint, is_checked=False)
    try:
        misfits = any(check_values(read.settings.parameters, project.parameters, (), top))
    except NotOutlinedError:
        return None
    return None if misfits else project


def _names(settings: Mapping[str, Any]) -> tuple[str, ...]:
    return ProjectFile.model_validate(settings).definitions


def _later(
    root: Path, settings: ProjectFile, found: keeping.Kept | Outline, top: Callable[[], Located], known: str, *, is_checked: bool = True
) -> Project:  # fmt: skip
    """Make a project of definitions that are made as they are asked for."""
    return Project(
        root=root,
        settings=settings,
        datasets=found.models("datasets", Dataset),
        roles=found.models("roles", Role),
        groups=found.models("groups", Group),
        kpis=found.models("kpis", Kpi),
        parameters=found.models("parameters", Parameter),
        places=Places(found.places(), top),
        diagnostics=(),
        origins=found.origins(),
        fingerprint=known,
        is_checked=is_checked,
    )


def from_mapping(definitions: Mapping[str, Any], root: Path | None = None) -> Project:
    """Load definitions held in memory: the sections of a definition file, beside any keys of `kpi.yaml`.

    `root` is the folder that paths count from; only with it may `definitions:` name folders. A parameter given as a mapping is a
    declaration, given as a value it is the project's value. Mistakes stand in `diagnostics`, without a place.
    """
    name = (root.absolute().name if root else "") or "project"
    top, below = documents(definitions, name)
    settings, mistakes = settings_of(top, name)
    names = settings.definitions if "definitions" in (top.value or {}) else ()
    folder = root or Path()
    files, misplaced = listed(folder, names, top.located, packs_only=root is None)
    contents, unread = _contents(files)
    entries, wrong = _entries(contents)
    own, refused = split(below, MAPPING, len(names))
    mistakes += concerning(below.mistakes, MAPPING)
    found = [*mistakes, *misplaced, *unread, *wrong, *refused]
    chosen, twice = settle([*entries, *own])
    return _assemble(folder, settings, top, chosen, [*found, *twice])


def _project_document(file: Path) -> tuple[bytes, Document]:
    data = read_bytes(file)
    document = Document() if isinstance(data, Diagnostic) else read(data, str(file))
    if isinstance(data, Diagnostic):
        raise DefinitionError([replace(data, subject="project")])
    unreadable = [each.diagnostic for each in document.mistakes if each.diagnostic.code in ("not_utf8", "too_large")]
    if unreadable:
        raise DefinitionError([replace(each, subject="project") for each in unreadable])
    return data, document


def _contents(files: Iterable[File]) -> tuple[list[tuple[File, bytes]], list[Diagnostic]]:
    """Read the bytes of definition files, up to the size that a project may have."""
    contents: list[tuple[File, bytes]] = []
    diagnostics: list[Diagnostic] = []
    total = 0
    for file in files:
        data = read_bytes(file.path)
        if isinstance(data, Diagnostic):
            diagnostics.append(data)
            continue
        total += len(data)
        if total > PROJECT_BYTES:
            diagnostics.append(too_much(file.path))
            break
        contents.append((file, data))
    return contents, diagnostics


def _entries(contents: Iterable[tuple[File, bytes]]) -> tuple[list[Entry], list[Diagnostic]]:
    """Take definition files apart into their entries."""
    entries: list[Entry] = []
    diagnostics: list[Diagnostic] = []
    for file, data in contents:
        document = read(data, str(file.path))
        found, refused = split(document, file.origin, file.layer)
        entries += found
        diagnostics += [*concerning(document.mistakes, str(file.path)), *refused]
    return entries, diagnostics


def _assemble(
    root: Path,
    settings: ProjectFile,
    top: Document,
    chosen: Sequence[Entry],
    diagnostics: Sequence[Diagnostic],
) -> Project:
    """Check the definitions that hold, each, and leave out what has an error."""
    checked = [(entry, *check(entry)) for entry in chosen]
    found = [*diagnostics, *shared_names(chosen), *(each for _, _, mistakes in checked for each in mistakes)]
    declared = [(entry, model) for entry, model, _ in checked if isinstance(model, Parameter)]
    found += [each for entry, model in declared for each in check_default(entry, model)]
    subjects = _broken(found)
    values = check_values(settings.parameters, {entry.name: model for entry, model in declared}, subjects, top.located)
    found += values
    broken = _broken(found)
    whole = [(entry, model) for entry, model, _ in checked if model is not None and entry.subject not in broken]
    return Project(
        root=root,
        settings=_kept_settings(settings, broken),
        datasets=_named(whole, Dataset),
        roles=_named(whole, Role),
        groups=_named(whole, Group),
        kpis=_named(whole, Kpi),
        parameters=_named(whole, Parameter),
        places=Places({(entry.section, entry.name): entry.located for entry in chosen}, lambda: top.located),
        diagnostics=_in_order(found, top),
        origins={(entry.section, entry.name): entry.origin for entry in chosen},
    )


def _kept_settings(settings: ProjectFile, broken: frozenset[str]) -> ProjectFile:
    """Leave out the parameter values that fit no declaration."""
    values = {name: value for name, value in settings.parameters.items() if f"parameter {name}" not in broken}
    return settings.model_copy(update={"parameters": values})


def _named(whole: Iterable[tuple[Entry, Definition]], kind: type[T]) -> dict[str, T]:
    return {entry.name: model for entry, model in whole if isinstance(model, kind)}


def _broken(diagnostics: Iterable[Diagnostic]) -> frozenset[str]:
    return frozenset(each.subject for each in diagnostics if each.severity == "error" and each.subject)


def _in_order(diagnostics: Iterable[Diagnostic], top: Document) -> tuple[Diagnostic, ...]:
    """Order mistakes as a reader meets them: those that stand nowhere, the project file, then file by file and line by line."""
    first = top.located.source.file if top.located.source else ""

    def position(diagnostic: Diagnostic) -> tuple[bool, bool, str, int, int]:
        place = diagnostic.place or Place("")
        return (diagnostic.place is not None, place.file != first, place.file, place.line, place.column)

    return tuple(sorted(diagnostics, key=position))
