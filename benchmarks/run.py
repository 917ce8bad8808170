"""Measure the engine beside hand-written SQL in the same run, and compare the answers.

    python benchmarks/run.py FOLDER                          everything, at ten million rows
    python benchmarks/run.py FOLDER --only windows a b       a section, and two requests
    python benchmarks/run.py FOLDER --profile b              where the time of one goes
    python benchmarks/run.py FOLDER --small                  a try, in a few seconds

The data are written to FOLDER first, unless they are there. What is measured is CPU time, user and system, of all threads of the process, in
milliseconds: medians of runs by turns with the counterpart, after one to warm up. It ends with 1 where an answer is wrong.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import commands
import data
import many
import planning
import profiling
import pushdown
import scans
import windows
import workloads
from tables import Line, as_json, machine, printed, said, write_markdown

if TYPE_CHECKING:
    from collections.abc import Iterator

SECTIONS = (workloads.SECTION, windows.SECTION, planning.SECTION, commands.SECTION, pushdown.SECTION, scans.SECTION)
REQUESTS = {each.name: each for each in (*workloads.WORKLOADS, *windows.WORKLOADS)}


@dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    rows: int = 10_000_000
    repeats: int = 5
    planning: planning.Sizes = planning.Sizes()  # noqa: RUF009 - it is frozen
    many: many.Sizes = many.Sizes()  # noqa: RUF009


SMALL = Sizes(20_000, 1, planning.Sizes(10, 6, 3, 10, 3, 2), many.Sizes(20, 4))


def main() -> int:
    """Measure what is asked for."""
    arguments = _arguments()
    sizes = SMALL if arguments.small else Sizes(arguments.rows, arguments.repeats)
    if arguments.profile:
        print(profile(arguments.profile, arguments.folder, sizes))
        return 0
    about = {**machine(), "rows": sizes.rows, "repeats": sizes.repeats}
    print(said(about))
    lines = []
    for line in figures(arguments.folder, sizes, frozenset(arguments.only)):
        print(f"… {line.name}", file=sys.stderr)
        lines.append(line)
    print(printed(lines))
    if arguments.json:
        arguments.json.write_text(as_json(about, lines), encoding="utf-8")
    if arguments.markdown:
        write_markdown(arguments.markdown, about, lines)
    return int(any(line.outcome == "wrong" for line in lines))


def figures(folder: Path, sizes: Sizes, only: frozenset[str]) -> Iterator[Line]:
    """Measure the sections, or the single figures, that are named; without names all of them."""
    for section, found in ((workloads.SECTION, workloads.WORKLOADS), (windows.SECTION, windows.WORKLOADS)):
        chosen = tuple(each for each in found if not only or only & {section, each.name})
        if chosen:
            data.write(folder, sizes.rows)
            yield from workloads.figures(chosen, windows.KPIS, folder, sizes.repeats)
    pushed = tuple(each for each in pushdown.WORKLOADS if not only or only & {pushdown.SECTION, each.name})
    if pushed:
        yield from pushdown.figures(pushed, sizes.rows // 2, sizes.repeats)
    scanned = tuple(each for each in scans.WORKLOADS if not only or only & {scans.SECTION, each.name})
    if scanned:
        data.write(folder, sizes.rows)
        yield from scans.figures(scanned, folder, sizes.repeats)
    if not only or planning.SECTION in only:
        yield from planning.figures(sizes.planning, sizes.repeats)
    named = only & commands.cases(sizes.many).keys()
    if not only or named or commands.SECTION in only:
        yield from commands.figures(sizes.many, sizes.repeats, frozenset() if commands.SECTION in only else named)


def profile(name: str, folder: Path, sizes: Sizes) -> str:
    """Say where the time of one figure goes."""
    if name in REQUESTS:
        data.write(folder, sizes.rows)
        workload, connection = REQUESTS[name], workloads.opened(folder)
        with workloads.engine(connection, windows.KPIS) as engine:
            return profiling.profiled(lambda: engine.run(**workload.request).rows(), sizes.repeats)
    if found := planning.cases(sizes.planning).get(name):
        salts = iter(range(sizes.repeats + 1))
        return profiling.profiled(lambda: found.planned(next(salts)), sizes.repeats)
    with tempfile.TemporaryDirectory() as path:
        case = commands.cases(sizes.many)[name]
        commands.write_projects(Path(path), sizes.many)
        kept = commands.cache(Path(path) / "cache")
        return profiling.profiled_command([*commands.KPI, *case.arguments], Path(path) / case.folder, kept)


def _arguments() -> argparse.Namespace:
    profiled = (*REQUESTS, *commands.cases(many.Sizes()))
    names = (*profiled, *(each.name for each in (*pushdown.WORKLOADS, *scans.WORKLOADS)))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where the data are, or are written to")
    parser.add_argument("--rows", type=int, default=Sizes.rows, help="how many visits there are")
    parser.add_argument("--repeats", type=int, default=Sizes.repeats, help="how many runs the median is of")
    parser.add_argument("--small", action="store_true", help="everything at a size for trying")
    parser.add_argument(
        "--only", nargs="+", default=[], choices=(*SECTIONS, *names), metavar="NAME", help=", ".join(SECTIONS)
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures for machines")
    parser.add_argument("--markdown", type=Path, metavar="PAGE", help="replace the tables of a page")
    profiles = (*profiled, *planning.cases(planning.Sizes()))
    parser.add_argument("--profile", choices=profiles, metavar="NAME", help=", ".join(profiles))
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
