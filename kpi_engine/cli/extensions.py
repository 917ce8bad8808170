"""Commands that installed plugins add to `kpi`, found without importing them where they are only listed."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import click

from kpi_engine.errors import PluginError

if TYPE_CHECKING:
    from kpi_engine.api import Command
    from kpi_engine.plugins import Plugins

_GROUP = "kpi_engine.commands"


def helps() -> dict[str, str]:
    """Give the commands of plugins with their lines of help; those in conflict with others are left out."""
    plugins = _plugins()
    return {} if plugins is None else {word: plugins.command(word).help for word in plugins.words("command")}


def found(word: str) -> click.Command | None:
    """Import a plugin's command; None where no plugin has one of this name.

    Raises `PluginError` where the command is broken, disabled or in conflict.
    """
    plugins = _plugins()
    if plugins is None:
        return None
    try:
        made = plugins.command(word)
    except PluginError as error:
        if error.code == "unknown_plugin":
            return None
        raise
    return imported(plugins, made)


def imported(plugins: Plugins, made: Command) -> click.Command:
    """Import what a command runs; raise `PluginError` where it is not there, or is no command of click."""
    module, _, name = made.target.partition(":")
    return plugins.imported("command", made.name, lambda: _command(module, name))


def _command(module: str, name: str) -> click.Command:
    command = getattr(import_module(module), name)
    if not isinstance(command, click.Command):
        raise TypeError(f"`{module}:{name}` is {type(command).__name__}, a click command is expected")
    return command


def _plugins() -> Plugins | None:
    """Give the plugins, and None where none brings commands: then nothing of them is imported."""
    from importlib.metadata import entry_points

    if not entry_points(group=_GROUP):
        return None
    from kpi_engine.plugins import Plugins

    return Plugins(None)
