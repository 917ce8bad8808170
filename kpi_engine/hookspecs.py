"""The hooks: a plugin announces the classes it brings, and does nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kpi_engine.api import Command, Format, Output, SecretStore, Source, StreamSource, Transform

PROJECT = "kpi_engine"
"""The name of the entry-point group, and of the markers."""
COMMANDS = "kpi_engine.commands"
"""The group of entry points that bring commands: `kpi --help` imports these, and no others."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def sources() -> Sequence[type[Source | StreamSource]]:  # type: ignore[empty-body]
    """Announce sources. Called once, the first time a project names a source plugin."""


@hookspec
def outputs() -> Sequence[type[Output]]:  # type: ignore[empty-body]
    """Announce outputs. Called once, the first time a result is rendered."""


@hookspec
def transforms() -> Sequence[type[Transform]]:  # type: ignore[empty-body]
    """Announce transforms. Called once, the first time a dataset names a transform."""


@hookspec
def formats() -> Sequence[type[Format]]:  # type: ignore[empty-body]
    """Announce formats of definition files. Called once, the first time one is asked for."""


@hookspec
def secret() -> Sequence[type[SecretStore]]:  # type: ignore[empty-body]
    """Announce stores of secrets. Called once, the first time that settings refer to a secret."""


@hookspec
def commands() -> Sequence[Command]:  # type: ignore[empty-body]
    """Announce commands of `kpi`. Called each time that commands are listed, or one is asked for that the engine does not have.

    Only entry points of the group `kpi_engine.commands` are asked. Their module imports nothing heavy: a command says where it stands.
    """
