"""Projects written for a test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kpi_engine.definitions import packs

if TYPE_CHECKING:
    from pathlib import Path


_KPI = "{inputs: [page_views], formula: count(page_views)}"
_DATASETS = "datasets:\n  page_views: {table: web_page_view, key: id, time: viewed_at}\n"


@pytest.fixture
def write_project(tmp_path):
    """Write a project: the text of each file by its path."""

    def write(files: dict[str, str], *, settings: str = "project: acme\n") -> Path:
        for name, text in {"kpi.yaml": settings, **files}.items():
            path = tmp_path / "acme" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path / "acme"

    return write


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """A shelf of packs, one of them `base`."""
    folder = tmp_path / "shelf" / "base"
    folder.mkdir(parents=True)
    (folder / "kpis.yaml").write_text(f"kpis:\n  visits: {_KPI}\n  leads: {_KPI}\n{_DATASETS}")
    monkeypatch.setattr(packs, "_shelf", lambda: tmp_path / "shelf")
    return folder
