"""Definition files in, frozen models out, with the place of every name and every mistake said at once."""

from __future__ import annotations

from .loading import Project, from_mapping, load
from .models import (
    CalendarSettings,
    Column,
    Dataset,
    DefinitionFile,
    Dimension,
    Group,
    Input,
    Join,
    Kpi,
    Parameter,
    ProjectFile,
    Role,
    Snapshot,
    SourceSettings,
    Time,
)
from .places import Places

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
    "from_mapping",
    "load",
]
