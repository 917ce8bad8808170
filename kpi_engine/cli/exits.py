"""How a command ends: every exit code there is, and which error leads to which."""

from __future__ import annotations

from enum import IntEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from kpi_engine.errors import DefinitionError, KpiError, RequestError

if TYPE_CHECKING:
    from collections.abc import Mapping


class Exit(IntEnum):
    """The exit codes of every command."""

    OK = 0
    FOUND = 1
    FAILED = 2
    USAGE = 3
    BUSY = 4
    INTERRUPTED = 130
    PIPE_CLOSED = 141
    TERMINATED = 143


MEANINGS: Final[Mapping[Exit, str]] = MappingProxyType(
    {
        Exit.OK: "all is well",
        Exit.FOUND: "the definitions have mistakes or contradict the data, or a KPI of a scorecard or one of several sources failed (the rest is done)",
        Exit.FAILED: "it could not run: project, source, data, plugin, output or time",
        Exit.USAGE: "the command is wrong: an unknown option, KPI, role, dimension or period",
        Exit.BUSY: "another process syncs the same source",
        Exit.INTERRUPTED: "stopped with Ctrl-C",
        Exit.PIPE_CLOSED: "nobody reads the output any more",
        Exit.TERMINATED: "stopped by a signal to end",
    }
)
_NO_PROJECT = frozenset({"no_project", "unreadable"})
"""Definitions of which nothing could be read."""


def exit_of(error: KpiError) -> Exit:
    """Say how a command ends that met this error."""
    if isinstance(error, RequestError):
        return Exit.USAGE
    if isinstance(error, DefinitionError) and not any(each.code in _NO_PROJECT for each in error.diagnostics):
        return Exit.FOUND
    return Exit.FAILED


def table() -> str:
    """Write the codes as a table, for help texts."""
    return "\n".join(f"{code.value:>5}  {meaning}" for code, meaning in MEANINGS.items())
