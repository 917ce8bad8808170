"""What ships with the engine: sources, outputs and transforms, announced as any plugin announces its own.

The sub-packages have the names of the hooks, and importing one would put it in the place of a function of that name: hence `specname`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kpi_engine.hookspecs import hookimpl

if TYPE_CHECKING:
    from kpi_engine.api import Output, SecretStore, Source, StreamSource, Transform


@hookimpl(specname="sources")
def announce_sources() -> list[type[Source | StreamSource]]:
    """Announce files, DuckDB databases and Singer taps."""
    from kpi_engine.builtin.sources.duckdb import DuckdbSource
    from kpi_engine.builtin.sources.files import FilesSource
    from kpi_engine.builtin.sources.singer import SingerSource

    return [FilesSource, DuckdbSource, SingerSource]


@hookimpl(specname="outputs")
def announce_outputs() -> list[type[Output]]:
    """Announce the terminal's table, JSON, CSV and the HTML page."""
    from kpi_engine.builtin.outputs.csv import CsvOutput
    from kpi_engine.builtin.outputs.html import HtmlOutput
    from kpi_engine.builtin.outputs.json import JsonOutput
    from kpi_engine.builtin.outputs.table import TableOutput

    return [TableOutput, JsonOutput, CsvOutput, HtmlOutput]


@hookimpl(specname="transforms")
def announce_transforms() -> list[type[Transform]]:
    """Announce the link ranks of a graph of pages."""
    from kpi_engine.builtin.transforms.linkrank import HarmonicCentrality, PageRank

    return [PageRank, HarmonicCentrality]


@hookimpl(specname="secret")
def announce_secrets() -> list[type[SecretStore]]:
    """Announce the environment and files as places where secrets are kept."""
    from kpi_engine.builtin.secrets import EnvironmentSecrets, FileSecrets

    return [EnvironmentSecrets, FileSecrets]
