"""The project file, read key by key, so that one mistake in it does not hide another."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from .checking import languages
from .entries import sections
from .naming import RESERVED, check_name
from .parameters import check_sources
from .projectfile import ProjectFile
from .validation import Subject, translate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kpi_engine.errors import Diagnostic

    from .places import Located, Path
    from .yaml import Document


def settings_of(document: Document, name: str) -> tuple[ProjectFile, list[Diagnostic]]:
    """Read the project's settings; keys with a mistake in them are left at their defaults. `name` stands in for a missing one."""
    settings, found = _settings_of(document, name)
    source = document.located.source
    return settings, [source.unsaid(each) for each in found] if source else found


def _settings_of(document: Document, name: str) -> tuple[ProjectFile, list[Diagnostic]]:
    found = [replace(mistake.diagnostic, subject=_subject(mistake.path)) for mistake in document.mistakes]
    if document.value is None:
        return ProjectFile(project=name), found
    raw = document.value
    title = "`kpi.yaml`" if document.located.source else "the settings"
    found += [replace(each, subject="project") for each in languages(title, raw, (), document.located)]
    found += [replace(each, subject="project") for each in _units(raw, document.located)]
    if isinstance(raw.get("sources"), dict):
        found += [replace(each, subject="project") for each in check_sources(raw["sources"], document.located)]
    try:
        return ProjectFile.model_validate(raw), found
    except ValidationError as error:
        subject = Subject(ProjectFile, raw, document.located, title, "project")
        refused = [(path, _about(path, diagnostic)) for path, diagnostic in translate(error, subject)]
    kept = {"project": name} | _without(raw, (path for path, _ in refused))
    said = {mistake.path for mistake in document.mistakes}
    return ProjectFile.model_validate(kept), found + [each for path, each in refused if path not in said]


def _units(raw: dict[str, Any], located: Located) -> Iterator[Diagnostic]:
    """Check what the project's own units of time are called."""
    calendar = raw.get("calendar")
    units = calendar.get("units") if isinstance(calendar, dict) else None
    for name, unit in units.items() if isinstance(units, dict) else ():
        path = ("calendar", "units", name)
        if isinstance(name, str) and (bad := check_name("a unit of time", name, located, path, RESERVED["units"])):
            yield bad
        if isinstance(unit, dict):
            yield from languages(f"the unit of time `{name}`", unit, path, located)


def _subject(path: Path) -> str:
    nouns = {"sources": "source", "parameters": "parameter"}
    return f"{nouns[str(path[0])]} {path[1]}" if len(path) > 1 and str(path[0]) in nouns else "project"


def _about(path: Path, diagnostic: Diagnostic) -> Diagnostic:
    hint = diagnostic.hint
    if diagnostic.code == "unknown_key" and path[0] in sections():
        hint = f"write `{path[0]}:` in a definition file, such as definitions/{path[0]}.yaml"
    elif diagnostic.code == "wrong_type" and path[0] == "parameters" and "a mapping" in diagnostic.message:
        hint = "`kpi.yaml` gives values; a parameter is declared in a definition file"
    elif diagnostic.code == "wrong_type" and path[0] == "sources" and len(path) <= 2:  # noqa: PLR2004 - not within one
        hint = "name the plugin and its settings: `{plugin: files, path: data}`"
    return replace(diagnostic, subject=_subject(path), hint=hint)


def _without(raw: dict[str, Any], paths: Iterable[Path]) -> dict[str, Any]:
    """Leave out what was refused: one source or parameter, or the whole of any other key."""
    kept = dict(raw)
    for path in paths:
        inner = kept.get(str(path[0]))
        if len(path) > 1 and path[0] in ("sources", "parameters") and isinstance(inner, dict):
            kept[str(path[0])] = {key: value for key, value in inner.items() if key != path[1]}
        else:
            kept.pop(str(path[0]), None)
    return kept
