"""The examples of README and documentation do what they say."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from documents import FOLLOWED, ROOT, Page, pages

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "page", [page for page in pages() if page not in FOLLOWED], ids=lambda page: str(page.relative_to(ROOT))
)
def test_page(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.delenv("KPI_DISABLE_PLUGINS", raising=False)
    monkeypatch.setattr(sys, "path", [*sys.path])
    Page().run(page)
    here = [
        name for name, module in sys.modules.items() if str(getattr(module, "__file__", "")).startswith(str(tmp_path))
    ]
    for name in here:
        monkeypatch.delitem(sys.modules, name)
