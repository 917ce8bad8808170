"""JSON Schemas of a project's files, with the settings of the plugins there are: what editors complete and underline by."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from kpi_engine.calendar import GRAINS
from kpi_engine.calendar.durations import UNITS
from kpi_engine.definitions.schema import Words, definitions_schema, project_schema, settings_schema
from kpi_engine.errors import DefinitionError, RequestError
from kpi_engine.plugins import Plugins
from kpi_engine.plugins.isolation import Failed, attempt
from kpi_engine.plugins.settings import keys_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

FOLDER: Final = ".kpi"
"""Where the schemas of a project stand: hidden, so that it is taken neither for data nor for definitions."""
_PROJECT_FILE: Final = "kpi.yaml"


def schema(
    kind: Literal["definitions", "project"],
    project: Path | str | None = None,
    *,
    disabled_plugins: Collection[str] = (),
) -> dict[str, Any]:
    """Give the JSON Schema of definition files or, as `project`, of `kpi.yaml`.

    `project` is a project's folder: its own plugins and units of time are then known beside those that there are anyway. Raises RequestError for another
    kind.
    """
    if kind not in ("definitions", "project"):
        raise RequestError(
            f"there is no schema of `{kind}`", code="bad_request", hint="ask for `definitions` or `project`"
        )
    folder = None if project is None else Path(project)
    words = _words(Plugins(folder, disabled_plugins), _units(folder))
    return definitions_schema(words) if kind == "definitions" else project_schema(words)


def schema_files(project: Path | None = None, *, disabled_plugins: Collection[str] = ()) -> Mapping[str, str]:
    """Give both schemas as the files that they are in a project: their texts by their paths."""
    words = _words(Plugins(project, disabled_plugins), _units(project))
    made = {"project": project_schema(words), "definitions": definitions_schema(words)}
    return {f"{FOLDER}/{kind}.schema.json": in_json(each) for kind, each in made.items()}


def in_json(schema: Mapping[str, Any]) -> str:
    """Write a schema as a file."""
    return json.dumps(schema, ensure_ascii=False, indent=2) + "\n"


def first_line(file: str) -> str:
    """Give the comment by which an editor finds the schema of a project's file, named by its path in the project.

    >>> first_line("definitions/first.yaml")
    '# yaml-language-server: $schema=../.kpi/definitions.schema.json'
    """
    kind = "project" if file == _PROJECT_FILE else "definitions"
    return f"# yaml-language-server: $schema={'../' * file.count('/')}{FOLDER}/{kind}.schema.json"


def _units(project: Path | None) -> tuple[str, ...]:
    """Name a project's own units of time, as far as its file can be read."""
    from kpi_engine.definitions import load

    try:
        return () if project is None else tuple(load(project).settings.calendar.units)
    except DefinitionError:
        return ()


def _words(plugins: Plugins, units: tuple[str, ...]) -> Words:
    return Words(
        units=(*UNITS, *units),
        grains=(*GRAINS[GRAINS.index("week") :], *units),
        sources={word: _settings(plugins.source(word)) for word in plugins.words("source")},
        transforms={word: _settings(plugins.transform(word)) for word in plugins.words("transform")},
    )


def _settings(cls: Any) -> dict[str, Any]:  # noqa: ANN401 - the class of any source or transform
    """Give the schema of a plugin's settings; only their names where its `Config` cannot say more in JSON."""
    names: dict[str, Any] = {name: {} for name in keys_of(cls.Config)}
    said = attempt(lambda: json.loads(json.dumps(settings_schema(cls.Config, cls.name), allow_nan=False)))
    if isinstance(said, Failed) or not said["properties"].keys() <= names.keys():
        return {"properties": names, "required": [], "definitions": {}}
    is_whole = said["properties"].keys() == names.keys()
    return {**said, "properties": names | said["properties"], "required": said["required"] if is_whole else []}
