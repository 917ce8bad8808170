"""The output `table`: a report in the terminal, at any width, with or without colour."""

from __future__ import annotations

import io
import os
import shutil
from typing import IO, TYPE_CHECKING, ClassVar

from kpi_engine.builtin.deferred import Deferred

if TYPE_CHECKING:
    from rich.console import Console

    from kpi_engine.api import Report
    from kpi_engine.builtin.outputs.settings import TableConfig


class TableOutput:
    """Write a report for the terminal: scorecards with earlier values and trends, tables with their totals apart.

    Every line fits the width. A sign says what a colour says, and data cannot steer the terminal.
    """

    name: ClassVar[str] = "table"
    Config = Deferred("kpi_engine.builtin.outputs.settings", "TableConfig")
    suffix: ClassVar[str] = ""

    def __init__(self, config: TableConfig) -> None:
        self.config = config

    def render(self, report: Report, target: IO[bytes]) -> None:
        """Write the report as UTF-8 text."""
        from kpi_engine.builtin.outputs.terminal import parts

        text = io.StringIO()
        width = self.config.width or shutil.get_terminal_size((100, 24)).columns
        color = self.config.color if self.config.color is not None else _wants_color(target)
        console = _console(text, width, color=color)
        for part in parts(report, width):
            console.print(part)
        lines = (line.rstrip() + "\n" for line in text.getvalue().splitlines())
        target.write("".join(lines).encode("utf-8", "backslashreplace"))


def _console(file: IO[str], width: int, *, color: bool) -> Console:
    from rich.console import Console

    return Console(
        file=file,
        width=width,
        force_terminal=color,
        force_jupyter=False,
        color_system="standard" if color else None,
        no_color=not color,
        legacy_windows=False,
        highlight=False,
        markup=False,
        emoji=False,
    )


def _wants_color(target: IO[bytes]) -> bool:
    terminal = target.isatty() and os.environ.get("TERM") != "dumb"
    return terminal and not os.environ.get("NO_COLOR")
