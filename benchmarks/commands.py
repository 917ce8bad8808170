"""Whole commands, each in a process of its own, beside an empty Python, and beside bare DuckDB that answers the same."""

from __future__ import annotations

import csv
import statistics
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import many
from measuring import Command, Row, command, differences
from tables import Line

if TYPE_CHECKING:
    from collections.abc import Iterator

SECTION = "commands"
KPI = (sys.executable, "-m", "kpi_engine")
BARE = """import csv, duckdb, sys
found = duckdb.connect().execute({!r})
csv.writer(sys.stdout).writerows([[column[0] for column in found.description], *found.fetchall()])
"""
VISITS = """SELECT channel, count(*) AS visits FROM read_csv('data/visits.csv')
WHERE day BETWEEN DATE '2026-04-01' AND DATE '2026-06-30' GROUP BY channel"""


@dataclass(frozen=True)
class Case:
    """A command of the engine's in the folder of a project."""

    name: str
    says: str
    folder: str
    arguments: tuple[str, ...]
    cold: float | None = None
    """What it may take, in seconds, when nothing is kept of an earlier run."""
    warm: float | None = None
    """What it may take when nothing has changed since the last run."""
    statement: str = ""
    """The same query, for bare DuckDB."""
    is_cached: bool = True
    """Whether it could take less the second time."""
    before: tuple[str, ...] = ()
    """A command that was run before it, with the same cache."""


def cases(sizes: many.Sizes) -> dict[str, Case]:
    """Give the commands by name."""
    large = f"{sizes.kpis:,} KPIs over {sizes.datasets} datasets"
    one = ("run", "visits", "--by", "channel", "--period", "2026-Q2", "--output", "csv")
    scorecards = ("report", "--period", "2026-Q2", "--out", "scorecards.html")
    of_many = ("run", many.KPI, "--period", many.PERIOD, "--output", "csv")
    found = (
        Case("help", "kpi --help", "shop", ("--help",), is_cached=False),
        Case("one-kpi", "kpi run, one KPI of a small project", "shop", one, 0.5, 0.25, VISITS),
        Case("scorecards", "kpi report, six scorecards of the demo", "demo", scorecards),
        Case("many-check", f"kpi check, {large}", "many", ("check",), 8, 8),
        Case("many-run", f"kpi run, one of {large}", "many", of_many, 0.6, 0.6, many.STATEMENT),
        Case(
            "many-run-checked",
            "the same, after kpi check",
            "many",
            of_many,
            0.6,
            statement=many.STATEMENT,
            is_cached=False,
            before=("check",),
        ),
    )
    return {case.name: case for case in found}


def write_projects(folder: Path, sizes: many.Sizes) -> None:
    """Write the projects that the commands are run in."""
    for arguments in (("init", "shop"), ("demo", "demo", "--quiet")):
        made = command([*KPI, *arguments], folder)
        if made.code:
            raise RuntimeError(f"kpi {' '.join(arguments)} ends with {made.code}:\n{made.output}")
    many.write(folder / "many", sizes)


def figures(sizes: many.Sizes, repeats: int, names: frozenset[str]) -> Iterator[Line]:
    """Measure the commands of these names, or all."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_projects(folder, sizes)
        turns = [command([sys.executable, "-c", "pass"], folder).seconds for _ in range(repeats + 1)]
        yield Line(SECTION, "python", "python -c pass", statistics.median(turns[1:]) * 1e3)
        for case in cases(sizes).values():
            if not names or case.name in names:
                yield from measured(case, folder, repeats)


def measured(case: Case, folder: Path, repeats: int) -> Iterator[Line]:
    """Time a command with an empty cache, and with that of the run before, by turns with its counterpart."""
    project = folder / case.folder
    bare = [sys.executable, "-c", BARE.format(case.statement)]
    kept = folder / f"cache-{case.name}"
    colds, warms, hands = [], [], []
    for turn in range(repeats + 1):
        fresh = folder / f"cache-{case.name}-{turn}"
        if case.before:
            command([*KPI, *case.before], project, cache(fresh))
        colds.append(command([*KPI, *case.arguments], project, cache(fresh)))
        if case.is_cached:
            warms.append(command([*KPI, *case.arguments], project, cache(kept)))
        if case.statement:
            hands.append(command(bare, project))
    beside = statistics.median(hand.seconds for hand in hands[1:]) * 1e3 if hands else None
    for runs, suffix, says, most in ((colds, "", "", case.cold), (warms, "-again", ", again", case.warm)):
        if runs:
            yield Line(
                SECTION,
                f"{case.name}{suffix}",
                f"{case.says}{says}",
                statistics.median(run.seconds for run in runs[1:]) * 1e3,
                beside,
                limit=most * 1e3 if most else None,
                target=f"{most * 1e3:g} ms" if most else "",
                answers=compared(runs[-1], hands[-1] if hands else None),
            )


def compared(ours: Command, hand: Command | None) -> str:
    """Compare two answers written as CSV; the last column of each is the number."""
    if ours.code or hand is None:
        return f"failed: {ours.code}" if ours.code else ""
    theirs = table(hand.output)
    wrong = differences(table(ours.output), theirs, list(theirs[0])[:-1])
    return f"{wrong} differ" if wrong else "equal"


def table(text: str) -> list[Row]:
    """Read CSV, numbers as numbers and nothing as unknown."""
    return [{name: _value(value) for name, value in row.items()} for row in csv.DictReader(text.splitlines())]


def _value(text: str) -> object:
    with suppress(ValueError):
        return float(text)
    return text or None


def cache(folder: Path) -> dict[str, str]:
    """Name the folder that a command keeps things in for the next one."""
    return {"KPI_CACHE_DIR": str(folder), "XDG_CACHE_HOME": str(folder)}
