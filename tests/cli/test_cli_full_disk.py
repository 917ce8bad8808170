"""A disk that is full while a command writes: it is told, nothing that stood there is lost, and the next command works.

A process whose files may not grow beyond a size meets what a full disk does, in the middle of a file, and needs no privileges.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

resource = pytest.importorskip("resource", reason="no limits of processes")
ROOT = str(Path(__file__).parents[2])
SETTLED = """
import runpy
import kpi_engine.api.versions as versions
versions.SETTLED = -(10**18)
runpy.run_module("kpi_engine", run_name="__main__", alter_sys=True)
"""
"""The command, for which files may be written just now: otherwise nothing is kept of them."""


@pytest.fixture
def ran(shop, tmp_path):
    """Run a command in a process whose files hold so many bytes at most; None is as many as there is room for."""
    (tmp_path / "home").mkdir()
    own = {"KPI_CACHE_DIR": str(tmp_path / "cache"), "HOME": str(tmp_path / "home"), "PYTHONDONTWRITEBYTECODE": "1"}

    def run(size: int | None, *words: str) -> subprocess.CompletedProcess[str]:
        def limited() -> None:
            if size is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

        environment = {**os.environ, **own, "PYTHONPATH": ROOT}
        return subprocess.run(
            [sys.executable, "-c", SETTLED, *words], cwd=shop, env=environment, preexec_fn=limited,
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    return run


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("size", [0, 300])
def test_an_answer_needs_no_room_to_be_kept(ran, shop, tmp_path, size) -> None:
    before = files(shop)
    with_room = ran(None, "run", "visits", "--by", "channel", "--output", "csv")
    for path in (tmp_path / "cache").rglob("*.kpi"):
        path.unlink()
    full = ran(size, "run", "visits", "--by", "channel", "--output", "csv")
    assert (full.returncode, full.stdout, full.stderr) == (0, with_room.stdout, "")
    assert {Path(name).suffix for name in files(tmp_path / "cache")} <= {".kpi"}  # no piece of a file is left
    assert max(map(len, files(tmp_path / "cache").values()), default=0) <= size
    os.environ["KPI_DEBUG"] = "1"
    try:
        told = ran(size, "run", "visits", "--by", "channel", "--output", "csv")
    finally:
        del os.environ["KPI_DEBUG"]
    assert "cannot be written: File too large" in told.stderr
    again = ran(None, "run", "visits", "--by", "channel", "--output", "csv")
    assert (again.returncode, again.stdout) == (0, with_room.stdout)
    assert files(tmp_path / "cache")
    assert files(shop) == before


@pytest.mark.parametrize(
    "words",
    [
        ["report", "--period", "2026-02", "--out", "report.html"],
        ["run", "visits", "--period", "2026-02", "--out", "visits.json"],
        ["run", "visits", "--by", "channel", "--period", "2026-02", "--output", "csv", "--out", "visits.csv"],
        ["schema", "--write"],
    ],
    ids=["report", "json", "csv", "schema"],
)
def test_a_file_that_does_not_fit_is_told_and_the_old_one_stays(ran, shop, words) -> None:
    assert ran(None, *words).returncode == 0
    before = files(shop)
    target = shop / (".kpi/project.schema.json" if words[0] == "schema" else words[-1])
    for full in (ran(0, *words), ran(20, *words)):
        assert full.returncode == 2, full.stderr
        assert "error[unwritable]" in full.stderr
        assert "cannot be written: File too large" in full.stderr
        assert "Traceback" not in full.stderr
        assert files(shop) == before
    target.write_bytes(b"old")
    assert ran(None, *words).returncode == 0
    assert {**files(shop)}.keys() == before.keys()
    assert len(target.read_bytes()) == len(before[str(target.relative_to(shop))])


def test_a_copy_that_does_not_fit_is_told(ran, shop) -> None:
    """DuckDB reads no UTF-16: the file is copied."""
    with_room = ran(None, "run", "visits", "--output", "csv")
    data = shop / "data" / "sessions.csv"
    data.write_text(data.read_text(), encoding="utf-16")
    for size, what in ((0, "a folder for temporary files"), (20, "a copy of the file data/sessions.csv")):
        full = ran(size, "run", "visits", "--output", "csv")
        assert (full.returncode, full.stdout) == (2, "")
        assert "error[no_room]" in full.stderr
        assert what in full.stderr
        assert "TMPDIR" in full.stderr
    again = ran(None, "run", "visits", "--output", "csv")
    assert (again.returncode, again.stdout) == (0, with_room.stdout)
