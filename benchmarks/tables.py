"""What was measured, as a table for the terminal, as Markdown and as JSON."""

from __future__ import annotations

import json
import os
import platform
import re
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

HEAD = ("name", "what", "engine", "beside", "ratio", "target", "answers", "outcome")


@dataclass(frozen=True)
class Line:
    """One figure of the engine, what stands beside it, and what it should be at most."""

    section: str
    name: str
    says: str
    value: float | None = None
    """None where the engine refuses."""
    beside: float | None = None
    """What the hand-written counterpart takes."""
    limit: float | None = None
    target: str = ""
    """How the limit is said."""
    answers: str = ""
    """`equal`, `3 differ`, `refused: code` or `failed: 2`; empty where there is nothing to compare."""
    unit: str = "ms"

    @property
    def outcome(self) -> str:
        """Whether the target is met."""
        if self.answers.startswith("refused"):
            return "refused"
        if self.answers not in {"", "equal"}:
            return "wrong"
        if self.limit is None or self.value is None:
            return ""
        return "met" if self.value <= self.limit else "misses"

    def cells(self) -> tuple[str, ...]:
        """Give what stands in each column of a table."""
        ratio = f"{self.value / self.beside:.2f}" if self.value is not None and self.beside else ""
        numbers = (_number(self.value, self.unit), _number(self.beside, self.unit), ratio)
        return (self.name, self.says, *numbers, self.target, self.answers, self.outcome)


def machine(*packages: str) -> dict[str, Any]:
    """Say where and with what is measured: the versions of packages beside those that always count."""
    named = ("duckdb", "sqlglot", "pydantic", *packages)
    return {
        "python": platform.python_version(),
        **{name: version(name) for name in named},
        "processor": _processor(),
        "cores": os.cpu_count(),
        "date": datetime.now(UTC).date().isoformat(),
    }


def said(about: dict[str, Any]) -> str:
    """Say the machine in one line."""
    others = {"processor", "cores", "date", "rows", "repeats"}
    versions = ", ".join(f"{name} {value}" for name, value in about.items() if name not in others)
    measured = f"; {about['rows']:,} visits, medians of {about['repeats']}" if "rows" in about else ""
    return f"{versions}; {about['processor']}, {about['cores']} cores; {about['date']}{measured}"


def printed(lines: Sequence[Line]) -> str:
    """Lay the figures out for a terminal."""
    rows = [HEAD, *(line.cells() for line in lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    numeric = {2, 3, 4}
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column in numeric else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def as_json(about: dict[str, Any], lines: Sequence[Line]) -> str:
    """Give the figures to machines."""
    return json.dumps(
        {"about": about, "lines": [{**asdict(line), "outcome": line.outcome} for line in lines]}, indent=1
    )


def as_markdown(about: dict[str, Any], lines: Sequence[Line]) -> str:
    """Give the figures of one section as a table of a page."""
    marks = {"misses": "**misses**", "wrong": "**wrong**", "refused": "refused"}
    rows = [[*line.cells()[:-1], marks.get(line.outcome, line.outcome)] for line in lines]
    body = [f"| {' | '.join(row)} |" for row in [HEAD, ["---"] * 2 + ["---:"] * 3 + ["---"] * 3, *rows]]
    return "\n".join([f"{said(about)}.", "", *body])


def write_markdown(page: Path, about: dict[str, Any], lines: Iterable[Line]) -> None:
    """Replace the tables of a page, one for each section and version of DuckDB."""
    sections: dict[str, list[Line]] = {}
    for line in lines:
        sections.setdefault(line.section, []).append(line)
    for section, own in sections.items():
        write_block(page, f"{section}, DuckDB {'.'.join(about['duckdb'].split('.')[:2])}", as_markdown(about, own))


def write_block(page: Path, name: str, block: str) -> None:
    """Replace what stands between the marks of this name; where there are none, add it to the end."""
    text = page.read_text(encoding="utf-8") if page.exists() else ""
    start, end = (f"<!-- {which}: {name} -->" for which in ("figures", "end of figures"))
    before, found, rest = text.partition(start)
    after = rest.partition(end)[2] if found else "\n\n"
    page.write_text(f"{before}{start}\n\n{block}\n\n{end}{after}", encoding="utf-8")


def _number(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:,.{2 if value < 10 else 1 if value < 1000 else 0}f} {unit}"  # noqa: PLR2004 - three digits that count


def _processor() -> str:
    """Name the processor, as Linux says it."""
    about = Path("/proc/cpuinfo")
    found = (
        re.search(r"^model name\s*:\s*(.+)$", about.read_text(encoding="utf-8"), re.MULTILINE)
        if about.exists()
        else None
    )
    return found[1] if found else platform.processor() or platform.machine()
