"""`kpi plugins show`: all there is to say of a plugin."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from textwrap import wrap
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import click

from kpi_engine.cli.columns import lined_up
from kpi_engine.cli.exits import Exit
from kpi_engine.cli.plugins import record, root_of, wanted
from kpi_engine.cli.projects import project_options
from kpi_engine.cli.writing import put

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from kpi_engine.plugins import PluginInfo, Plugins
    from kpi_engine.plugins.details import Provided, Setting

    Uses = Mapping[tuple[str, str], tuple[str, ...]]

_BESIDE = 14
"""The width of the names on the left."""
_CAPABILITIES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "sql": "computes SQL where the data are: columns, filters and aggregates are pushed down, only aggregates travel",
        "relation": "DuckDB reads its files or database by itself: columns and filters are pushed down",
        "scan": "gives rows as Arrow: which columns are wanted is pushed down",
        "stream": "gives rows that `kpi sync` fetches and keeps, from where the last sync ended",
        "versions": "knows when its data change, so that keys and columns are not looked at again until then",
        "contract": "says the vendor's terms of its figures",
        "folders": "names its folders, and DuckDB may read no others",
        "interrupt": "its queries can be stopped",
        "close": "is closed when the engine is",
    }
)
_FACTS: Final[Mapping[str, str]] = MappingProxyType(
    {"dialect": "Dialect", "lacks": "Lacks", "suffix": "Files end in", "suffixes": "Files end in"}
)
_USED: Final = ("source", "transform", "secret", "pack")
"""The kinds that a project names in its files."""


@click.command("show", short_help="Show all there is to say of a plugin.")
@click.argument("name")
@click.option(
    "--output", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How it is written."
)
@project_options
def command(name: str, output: str, project: str | None, disabled: Sequence[str]) -> Exit:
    """Show all there is to say of a plugin: what it provides, its settings, what it can do, and where this project uses it.

    NAME is a plugin, a package, or a word that a plugin provides, such as `postgres`: then only that is shown.
    """
    from kpi_engine.plugins import Plugins
    from kpi_engine.plugins.details import provided

    root = root_of(project)
    plugins = Plugins(root, disabled)
    found = [(info, [provided(claim) for claim in claims]) for info, claims in wanted(plugins, name)]
    uses = _uses(root, plugins)
    if output == "json":
        put(json.dumps({"plugins": [_record(*each, uses) for each in found]}, ensure_ascii=False, indent=2))
    else:
        put("\n\n\n".join("\n".join(page(*each, uses)) for each in found))
    return Exit.OK


def _uses(root: Path | None, plugins: Plugins) -> Uses | None:
    """Say where the project uses which plugins; None where there is no project, or nothing of it can be read."""
    from kpi_engine.definitions import load
    from kpi_engine.errors import DefinitionError
    from kpi_engine.plugins.uses import uses

    try:
        return None if root is None else uses(load(root), plugins)
    except DefinitionError:
        return None


def page(info: PluginInfo, provides: Sequence[Provided], uses: Uses | None) -> Iterator[str]:
    """Write a plugin for the terminal."""
    width = max(40, min(shutil.get_terminal_size((100, 24)).columns, 120))
    yield f"{info.name}  {info.status}"
    yield from _facts(
        {"From": f"{info.distribution} {info.version}".strip(), "Code": info.origin, "Problem": info.error}, width
    )
    for each in provides:
        yield ""
        yield f"{each.kind} {each.word}"
        for paragraph in each.text.split("\n\n"):
            yield from wrap(paragraph, width)
        yield from _facts(_said(each, uses), width)
        yield from _settings(each.settings, width)


def _said(each: Provided, uses: Uses | None) -> Mapping[str, str]:
    can = ", ".join(each.capabilities)
    facts = {_FACTS[name]: said for name, said in each.facts.items()}
    return {"Stands in": each.module, "Can": can, **facts, "Used by": _used(each, uses), "Problem": each.problem}


def _used(each: Provided, uses: Uses | None) -> str:
    if each.kind not in _USED or uses is None:
        return ""
    return ", ".join(uses.get((each.kind, each.word), ())) or "nothing in this project"


def _facts(facts: Mapping[str, str], width: int) -> Iterator[str]:
    for name, said in facts.items():
        for number, line in enumerate(wrap(said, width - _BESIDE, break_on_hyphens=False)):
            yield f"{'' if number else name:{_BESIDE}}{line}"
        if name == "Can":
            for capability in said.split(", ") if said else ():
                yield from wrap(
                    f"{capability}: {_CAPABILITIES[capability]}", width - _BESIDE,
                    initial_indent=" " * _BESIDE + "- ", subsequent_indent=" " * _BESIDE + "  ",
                )  # fmt: skip


def _settings(settings: Sequence[Setting], width: int) -> Iterator[str]:
    if settings:
        yield "Settings"
    rows = [(each.name, each.type, _need(each)) for each in settings]
    for each, line in zip(settings, lined_up(rows, "  ") if rows else (), strict=True):
        yield line
        yield from wrap(each.text, width, initial_indent="      ", subsequent_indent="      ")


def _need(setting: Setting) -> str:
    if setting.required:
        return "required"
    return f"otherwise {setting.default}" if setting.default else ""


def _record(info: PluginInfo, provides: Sequence[Provided], uses: Uses | None) -> dict[str, object]:
    """Write a plugin as JSON has it; `used_by` is null where no project could be read."""
    records = [
        {**asdict(each), "used_by": None if uses is None else list(uses.get((each.kind, each.word), ()))}
        for each in provides
    ]
    return {**record(info), "provides": records}
