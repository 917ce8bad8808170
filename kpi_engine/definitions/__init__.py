"""Definition files in, frozen models out, with the place of every name and every mistake said at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .loading import Project, from_mapping, load
    from .models import (
        Column,
        Dataset,
        DefinitionFile,
        Dimension,
        Group,
        Input,
        Join,
        Kpi,
        Parameter,
        Role,
        Snapshot,
        Time,
    )
    from .places import Places
    from .projectfile import CalendarSettings, ProjectFile, SourceSettings, UnitOfTime

__all__ = [
    "CalendarSettings",
    "Column",
    "Dataset",
    "DefinitionFile",
    "Dimension",
    "Group",
    "Input",
    "Join",
    "Kpi",
    "Parameter",
    "Places",
    "Project",
    "ProjectFile",
    "Role",
    "Snapshot",
    "SourceSettings",
    "Time",
    "UnitOfTime",
    "from_mapping",
    "load",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever is asked for
    """Import what is asked for when it is asked for: the files of a project can be looked at without the library that checks them."""
    from importlib import import_module

    if name not in __all__:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    homes = {
        "places": {"Places"},
        "loading": {"Project", "from_mapping", "load"},
        "projectfile": {"CalendarSettings", "ProjectFile", "SourceSettings", "UnitOfTime"},
    }
    module = next((home for home, names in homes.items() if name in names), "models")
    return getattr(import_module(f"{__name__}.{module}"), name)
