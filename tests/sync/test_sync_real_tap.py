"""A tap that others have written, installed into an environment of its own and run by its path, as a user does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import kpi_engine

if TYPE_CHECKING:
    from pathlib import Path

TAP = "tap-jsonl==0.3.1"
SETTINGS = """
project: shop
sources:
  crm:
    plugin: singer
    executable: taps/jsonl/bin/tap-jsonl
    config: {path: exports/*.jsonl, stream_name: leads, primary_keys: [id]}
"""
DEFINITIONS = """
datasets:
  leads: {key: id, time: at, dimensions: [channel]}
kpis:
  leads_won: {inputs: [leads], formula: count(leads)}
  value: {inputs: [leads], formula: sum(value)}
"""

pytestmark = pytest.mark.slow


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write a project, and install its tap."""
    monkeypatch.setenv("KPI_CACHE_DIR", str(tmp_path / "cache"))

    root = tmp_path / "project"
    for folder in ("definitions", "exports"):
        (root / folder).mkdir(parents=True)
    (root / "kpi.yaml").write_text(SETTINGS)
    (root / "definitions" / "leads.yaml").write_text(DEFINITIONS)
    tap = root / "taps" / "jsonl"
    subprocess.run([sys.executable, "-m", "venv", tap], check=True)
    subprocess.run([tap / "bin" / "python", "-m", "pip", "install", "-q", TAP], check=True)
    return root


def export(root: Path, name: str, day: int, *rows: tuple[int, str, str, float]) -> None:
    """Write a file of an export, on a day: a tap keeps in its state how new the files were."""
    file = root / "exports" / name
    names = ("id", "at", "channel", "value")
    file.write_text("".join(json.dumps(dict(zip(names, row, strict=True))) + "\n" for row in rows))
    os.utime(file, (1_767_225_600 + 86_400 * day,) * 2)


def synced(root: Path) -> dict[str, int]:
    """Run `kpi sync`; give what it says of the stream."""
    command = [sys.executable, "-m", "kpi_engine", "sync", "--project", str(root), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return dict(json.loads(done.stdout)["sources"][0]["streams"][0])


def answered(root: Path) -> dict[str, tuple[float, float]]:
    with kpi_engine.open(root) as engine:
        rows = engine.run(["leads_won", "value"], by="channel", period="2026-01", as_of="2026-12-31").rows()
    return {row["channel"]: (row["leads_won"], row["value"]) for row in rows}


def test_a_tap_from_the_registry_is_synced_and_what_it_says_again_is_kept_once(project: Path) -> None:
    export(project, "a.jsonl", 1, (1, "2026-01-05", "web", 10.5), (2, "2026-01-06", "fair", 7))
    first = synced(project)
    assert (first["added"], first["rows"]) == (2, 2)
    assert answered(project) == {"web": (1, 10.5), "fair": (1, 7)}

    export(project, "a.jsonl", 2, (1, "2026-01-05", "web", 10.5), (2, "2026-01-06", "web", 8))
    export(project, "b.jsonl", 2, (3, "2026-01-07", "web", 1))
    second = synced(project)
    assert (second["added"], second["rows"]) == (1, 3)
    assert answered(project) == {"web": (3, 19.5)}

    third = synced(project)
    assert (third["added"], third["rows"]) == (0, 3)
    assert answered(project) == {"web": (3, 19.5)}
    assert not list((project / ".kpi").rglob("config.json"))
