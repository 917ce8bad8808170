"""Which plugins there are, found without importing any of them."""

from __future__ import annotations

import importlib.metadata
import re
import sys
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from typing import TYPE_CHECKING

from kpi_engine.hookspecs import COMMANDS, PROJECT
from kpi_engine.plugins.isolation import Failed, attempt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from importlib.metadata import Distribution
    from pathlib import Path
    from types import ModuleType

CORE = "kpi-engine-core"
BUILTIN = "builtin"
BUILTIN_MODULE = "kpi_engine.builtin"
FILES = "kpi_project_"
"""How the names begin under which the files of projects are imported."""


@dataclass(frozen=True)
class Candidate:
    """A plugin that was found and is not imported yet."""

    name: str
    """The entry point's name, or the stem of the file."""
    load: Callable[[], object] = field(repr=False, compare=False)
    """Import it, and give the object that carries the hooks."""
    distribution: str = ""
    version: str = ""
    origin: str = ""
    """Where its code is: what the entry point names, or the file."""
    built_in: bool = False
    """Whether it ships with the engine."""
    group: str = PROJECT
    """The group of its entry point."""

    def __str__(self) -> str:
        """Its name, and where it comes from, for messages."""
        source = f"{self.distribution} {self.version}".strip() or self.origin
        return f"`{self.name}` ({source})"


def candidates(root: Path | None) -> tuple[Candidate, ...]:
    """Find the plugins: the built-in ones, then the installed ones, then the files in the project's folder `plugins`."""
    installed = [found for distribution in _distributions() for found in _of_distribution(distribution)]
    core = next((found for found in installed if _is_core(found)), None)
    others = sorted(
        (found for found in installed if not _is_core(found)), key=lambda found: (found.distribution, found.name)
    )
    return (_built_in(core.version if core else ""), *others, *_of_project(root))


def canonical(name: str) -> str:
    """Write a distribution's name as package indexes compare it: `KPI_Output.X` is `kpi-output-x`."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _is_core(found: Candidate) -> bool:
    return (canonical(found.distribution), found.name, found.origin) == (CORE, BUILTIN, BUILTIN_MODULE)


def _built_in(version: str) -> Candidate:
    """Load the built-in plugin from its module, which is there even where no distribution is installed."""
    return Candidate(BUILTIN, partial(import_module, BUILTIN_MODULE), CORE, version, BUILTIN_MODULE, built_in=True)


def _distributions() -> Iterator[Distribution]:
    """Each distribution once: the first on the search path is the one that is imported."""
    seen: set[str] = set()
    for distribution in importlib.metadata.distributions():
        text = attempt(partial(distribution.read_text, "entry_points.txt"))
        if isinstance(text, Failed) or PROJECT not in (text or ""):
            continue
        key = canonical(_name_and_version(distribution)[0])
        if not key or key not in seen:
            seen.add(key)
            yield distribution


def _of_distribution(distribution: Distribution) -> list[Candidate]:
    name, version = _name_and_version(distribution)
    points = attempt(
        lambda: [p for group in (PROJECT, COMMANDS) for p in distribution.entry_points.select(group=group)]
    )
    if isinstance(points, Failed):
        return [Candidate("entry_points.txt", partial(_fail, points.reason), name, version, "entry_points.txt")]
    return [Candidate(point.name, point.load, name, version, str(point.value), group=point.group) for point in points]


def _fail(reason: str) -> object:
    raise ValueError(reason)


def _name_and_version(distribution: Distribution) -> tuple[str, str]:
    """Empty where the distribution's own description is damaged."""
    found = attempt(lambda: (distribution.metadata["Name"] or "", distribution.version or ""))
    return ("", "") if isinstance(found, Failed) else found


def _of_project(root: Path | None) -> list[Candidate]:
    """Find the single files of a project; one that begins with an underscore is a helper of the others."""
    if root is None:
        return []
    files = sorted(file for file in (root / "plugins").glob("*.py") if not file.name.startswith("_"))
    return [Candidate(file.stem, partial(_import_file, file.resolve()), origin=str(file)) for file in files]


def _import_file(file: Path) -> ModuleType:
    """Import a file under a name of its own, so that two projects may hold files of one name."""
    name = f"{FILES}{sha256(str(file).encode()).hexdigest()[:12]}_{file.stem}"
    spec = spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} cannot be imported")
    module = module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pydantic look a class's module up there
    try:
        spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module
