"""Where the time of one request or command goes: by library, and the functions that take most with all they call."""

from __future__ import annotations

import cProfile
import pstats
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from measuring import command

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LIBRARIES = ("kpi_engine", "sqlglot", "duckdb", "pydantic", "arro3", "yaml", "rich", "babel", "scipy", "jinja2")
ASKING = ("kpi_engine/execution/fetching.py", "kpi_engine/execution/database.py")
"""Files whose functions do little but ask DuckDB, whose own functions in C++ a profiler need not see."""
TOP = 15
Function = tuple[str, int, str]
Timing = tuple[int, int, float, float, Any]


def profiled(call: Callable[[], object], repeats: int) -> str:
    """Profile calls, after one to warm up. Time is that of the clock, which alone is cheap enough to be read at every call."""
    call()
    profile = cProfile.Profile()
    for _ in range(repeats):
        profile.runcall(call)
    return _written(pstats.Stats(profile), repeats)


def profiled_command(arguments: Sequence[str], folder: Path, environment: dict[str, str]) -> str:
    """Profile a command of the engine's, what it imports included; the second run, which finds what the first has kept."""
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "profile"
        python, *rest = arguments
        for _ in range(2):
            command([python, "-m", "cProfile", "-o", str(file), *rest], folder, environment)
        return _written(pstats.Stats(str(file)), 1)


def _written(stats: pstats.Stats, repeats: int) -> str:
    timings = cast("dict[Function, Timing]", vars(stats)["stats"])
    own: dict[str, float] = {}
    for function, (_, _, seconds, _, _) in timings.items():
        own[library(function)] = own.get(library(function), 0) + seconds
    total = sum(own.values())
    lines = [f"{total * 1e3 / repeats:.1f} ms under the profiler, of which in"]
    for name, seconds in sorted(own.items(), key=lambda each: -each[1]):
        lines.append(f"  {seconds * 1e3 / repeats:9.1f} ms  {seconds / total:5.0%}  {name}")
    for name in ("kpi_engine", "sqlglot", "duckdb", "importing"):
        rows = [(timing[3], timing[0], function) for function, timing in timings.items() if library(function) == name]
        lines += ["", f"{name}: with all that they call, calls, function"] if rows else []
        for seconds, calls, function in sorted(rows, reverse=True)[:TOP]:
            lines.append(f"  {seconds * 1e3 / repeats:9.1f} ms  {calls / repeats:9,.0f}  {_named(function)}")
    return "\n".join(lines)


def library(function: Function) -> str:
    """Name the library that a function belongs to; a built-in one says it in its name."""
    file, _, name = function
    said = f"{file} {name}"
    if "importlib" in said or "_imp." in said or "marshal" in said or "builtins.exec" in said:
        return "importing"
    if file.endswith(ASKING):
        return "duckdb"
    found = re.search("|".join(LIBRARIES), f"{file.rpartition('site-packages')[2]} {name}")
    return found[0] if found else "Python"


def _named(function: Function) -> str:
    file, line, name = function
    return name if file == "~" else f"{'/'.join(Path(file).parts[-3:])}:{line} {name}"
