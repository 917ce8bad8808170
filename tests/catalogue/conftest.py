"""Projects on disk, checked by the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from marked import reported, write_project

import kpi_engine

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kpi_engine.errors import Diagnostic


@pytest.fixture
def check(tmp_path: Path) -> Callable[..., list[Diagnostic]]:
    """Check a project of marked files: exactly the marked mistakes are reported, in the order of the files, each once."""

    def checked(text: str = "", **files: str) -> list[Diagnostic]:
        named = {"definitions/own.yaml": text} if text else {}
        expected = write_project(tmp_path, {**named, **files})
        with kpi_engine.open(tmp_path) as engine:
            found = engine.check()
        assert reported(found, tmp_path) == expected, "\n".join(map(str, found))
        return found

    return checked
