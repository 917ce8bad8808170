"""How a command ends: every exit code there is, and which error leads to which."""

from __future__ import annotations

from enum import IntEnum

from kpi_engine.errors import DefinitionError, KpiError, RequestError


class Exit(IntEnum):
    """The exit codes of every command."""

    meaning: str

    def __new__(cls, code: int, meaning: str) -> Exit:
        """Keep the meaning beside the number."""
        made = int.__new__(cls, code)
        made._value_ = code
        made.meaning = meaning
        return made

    OK = 0, "all is well"
    FOUND = 1, "the definitions have mistakes, or a KPI of a scorecard failed (the rest is shown)"
    FAILED = 2, "it could not run: project, source, data, plugin, output or time"
    USAGE = 3, "the command is wrong: an unknown option, KPI, role, dimension or period"
    INTERRUPTED = 130, "stopped with Ctrl-C"
    PIPE_CLOSED = 141, "nobody reads the output any more"


def exit_of(error: KpiError) -> Exit:
    """Say how a command ends that met this error."""
    if isinstance(error, RequestError):
        return Exit.USAGE
    if isinstance(error, DefinitionError) and not any(each.code in _NO_PROJECT for each in error.diagnostics):
        return Exit.FOUND
    return Exit.FAILED


_NO_PROJECT = frozenset({"no_project", "unreadable"})
"""Definitions of which nothing could be read."""


def table() -> str:
    """Write the codes as a table, for help texts."""
    return "\n".join(f"{code.value:>5}  {code.meaning}" for code in Exit)
