"""The rules of a pack of definitions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

_OF_DATA = frozenset({"no_source"})
"""What is said of a project without data: whoever uses the pack brings them."""


@dataclass(frozen=True)
class PackCase:
    """A pack: the folder with its definition files."""

    folder: Path


class PackKit:
    """The rules of a pack."""

    __test__: ClassVar[bool] = False

    def __init_subclass__(cls, **more: Any) -> None:  # noqa: ANN401
        """Take a class with a fixture `case` as tests."""
        super().__init_subclass__(**more)
        cls.__test__ = "case" in vars(cls) or cls.__test__

    def test_it_has_kpis(self, case: PackCase) -> None:
        """A pack has at least one KPI, in files that end in `.yaml`."""
        assert list(case.folder.rglob("*.yaml")), f"{case.folder} has no definition files"
        with _opened(case) as engine:
            assert engine.kpis(), "the pack has no KPI"

    def test_its_definitions_are_right(self, case: PackCase) -> None:
        """The definitions have no mistake, as `kpi check` finds them."""
        with _opened(case) as engine:
            found = [str(each) for each in engine.check() if each.severity == "error" and each.code not in _OF_DATA]
        assert not found, "\n".join(found)

    def test_what_people_read_is_in_both_languages(self, case: PackCase) -> None:
        """Each KPI and each role has a label in English and in French."""
        with _opened(case) as engine:
            models = {
                **{f"kpi {n}": m for n, m in engine.project.kpis.items()},
                **{f"role {n}": m for n, m in engine.project.roles.items()},
            }
            lacking = [name for name, model in models.items() if not {"en", "fr"} <= set(_languages(model.label))]
        assert not lacking, f"these have no label in both languages: {', '.join(lacking)}"

    def test_kpis_say_what_they_mean(self, case: PackCase) -> None:
        """Each KPI has a description, and says which direction is good news."""
        with _opened(case) as engine:
            lacking = [
                name
                for name, kpi in engine.project.kpis.items()
                if not kpi.description or "better" not in kpi.model_fields_set
            ]
        assert not lacking, f"these lack `description` or `better`: {', '.join(lacking)}"

    def test_it_names_no_source(self, case: PackCase) -> None:
        """Datasets name no source: where the data are is said in the project that uses the pack."""
        with _opened(case) as engine:
            named = [name for name, dataset in engine.project.datasets.items() if dataset.source]
        assert not named, f"these name a source: {', '.join(named)}"


class _Opened:
    """A project that uses a pack, and nothing else."""

    def __init__(self, case: PackCase) -> None:
        self._case = case
        self._folder = TemporaryDirectory()

    def __enter__(self) -> Any:  # noqa: ANN401 - an engine
        from kpi_engine.engine import open_project

        root = Path(self._folder.name)
        copytree(self._case.folder, root / "definitions")
        (root / "kpi.yaml").write_text("project: pack\n", encoding="utf-8")
        self._engine = open_project(root)
        return self._engine.__enter__()

    def __exit__(self, *about: object) -> None:
        self._engine.close()
        self._folder.cleanup()


def _opened(case: PackCase) -> _Opened:
    return _Opened(case)


def _languages(label: Any) -> Iterator[str]:  # noqa: ANN401 - a text, or one per language
    if isinstance(label, dict) or hasattr(label, "keys"):
        yield from (language for language, text in label.items() if re.search(r"\S", text))
