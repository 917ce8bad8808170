"""Commands that a plugin adds to `kpi`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Command:
    """A command of the command line: its word, one line for the list of commands, and where it is, `module:name`.

    What stands there is a click command, which is imported when it is used. It may give an exit code.
    """

    name: str
    help: str
    target: str
