"""How far a sync is, is shown where somebody looks on, and nowhere else."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from paged import counts, finished, project, wants

pytestmark = pytest.mark.skipif(os.name != "posix", reason="terminals of Unix")


def seen(root) -> str:
    """Run `kpi sync` before a terminal; give what it shows there."""
    ours, its = os.openpty()
    command = [sys.executable, "-m", "kpi_engine", "sync"]
    terminal = os.environ | {"TERM": "xterm", "COLUMNS": "80"}
    run = subprocess.Popen(command, cwd=root, env=terminal, stdout=subprocess.PIPE, stderr=its)
    os.close(its)
    shown = b""
    while True:
        try:
            shown += (more := os.read(ours, 4096))
        except OSError:  # Linux says so when the other end is closed
            break
        if not more:
            break
    os.close(ours)
    run.communicate(timeout=60)
    assert run.returncode == 0
    return shown.decode()


def test_a_terminal_shows_each_stream_and_its_rows(tmp_path) -> None:
    root = project(tmp_path, pause=0.02)
    wants(root, 400)
    shown = seen(root)
    assert all(f"api.{stream}" in shown for stream in ("merged", "appended", "replaced"))
    assert "400 rows" in shown
    assert counts(root)["merged"][0] == 400


def test_what_is_no_terminal_is_told_the_outcome_only(tmp_path) -> None:
    root = project(tmp_path)
    wants(root, 400)
    code, said = finished(root)
    assert code == 0
    assert said.splitlines()[0] == "api: done, 1,295 rows received"
    assert "\x1b" not in said
