"""Where a project uses what plugins provide."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from kpi_engine.errors import PluginError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kpi_engine.definitions import Project
    from kpi_engine.plugins.host import Plugins

Provided = tuple[str, str]
"""A kind and a word, such as `("source", "files")`."""


def uses(project: Project, plugins: Plugins) -> Mapping[Provided, tuple[str, ...]]:
    """Say by kind and word where a project uses what plugins provide: `source shop`, `dataset tones`.

    Outputs, formats and commands are used by whoever asks for them, and not by a project.
    """
    found: dict[Provided, dict[str, None]] = defaultdict(dict)
    for provided, place in (*_of_sources(project, plugins), *_of_datasets(project), *_of_packs(project)):
        found[provided][place] = None
    return {provided: tuple(places) for provided, places in found.items()}


def _of_sources(project: Project, plugins: Plugins) -> Iterator[tuple[Provided, str]]:
    for name, settings in project.settings.sources.items():
        place = f"source {name}"
        yield ("source", settings.plugin), place
        yield from ((("secret", word), place) for word in _stores(plugins, settings.plugin, settings.model_extra or {}))


def _of_datasets(project: Project) -> Iterator[tuple[Provided, str]]:
    for name, dataset in project.datasets.items():
        if dataset.transform:
            yield ("transform", dataset.transform), f"dataset {name}"


def _of_packs(project: Project) -> Iterator[tuple[Provided, str]]:
    """Name the packs of which the project has definitions."""
    used = {origin for origin in project.origins.values() if origin in project.settings.definitions}
    yield from ((("pack", name), "definitions of kpi.yaml") for name in sorted(used))


def _stores(plugins: Plugins, word: str, settings: Mapping[str, object]) -> list[str]:
    """Name the stores that the secrets among settings refer to; none of them is asked."""
    from kpi_engine.plugins.secrets import LiteralSecretError, filled

    asked: list[str] = []

    def note(store: str, _: str) -> str:
        asked.append(store)
        return ""

    try:
        filled(plugins.source(word).Config, settings, note)
    except (PluginError, LiteralSecretError):
        return asked  # `kpi check` says what is wrong there
    return asked
