"""Every project of this folder is sound, and says nothing that the engine does not understand."""

from __future__ import annotations

from pathlib import Path

import pytest

import kpi_engine

PROJECTS = sorted(file.parent.name for file in Path(__file__).parent.glob("*/kpi.yaml"))


@pytest.mark.parametrize("name", PROJECTS)
def test_the_check_finds_no_mistake(real_project, name):
    with kpi_engine.open(real_project(name)) as engine:
        assert [str(diagnostic) for diagnostic in engine.check()] == []


def test_every_project_has_tests_of_its_numbers():
    assert [
        file.stem.removeprefix("test_real_") for file in sorted(Path(__file__).parent.glob("test_real_*.py"))
    ] == sorted([*PROJECTS, "projects"])
