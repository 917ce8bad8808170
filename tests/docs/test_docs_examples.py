"""The examples of README and documentation do what they say."""

from __future__ import annotations

from pathlib import Path

import pytest
from documents import ROOT, Page, pages


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_page(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.delenv("KPI_DISABLE_PLUGINS", raising=False)
    Page(tmp_path).run(page)
