"""A finished report put in place: whole or not at all, and never over what is no file."""

from __future__ import annotations

import io
import os
import stat
import sys
from datetime import datetime

import pytest

from kpi_engine.api import Card, Failure, Measure, Report, Section
from kpi_engine.errors import OutputError
from kpi_engine.plugins import Plugins
from kpi_engine.reporting import failures_of, rendered, write_atomically

REPORT = Report(
    "shop",
    "en",
    "Q1 2026",
    (Section("Team", cards=(Card(Measure("visits", "Visits"), 5),)),),
    datetime.fromisoformat("2026-04-01"),
)
unix = pytest.mark.skipif(sys.platform == "win32", reason="links and devices of Unix")


class Terminal(io.BytesIO):
    def isatty(self):
        return True


def test_a_stream_gets_what_is_returned():
    stream = io.BytesIO()
    content = rendered(Plugins(None), REPORT, "table", stream, {})
    assert stream.getvalue() == content
    assert b"Visits" in content
    assert b"\x1b[" not in content


def test_an_output_knows_that_it_writes_to_a_terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert b"\x1b[" in rendered(Plugins(None), REPORT, "table", Terminal(), {})


def test_a_file_keeps_its_permissions(tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("old")
    target.chmod(0o640)
    write_atomically(target, b"new")
    assert target.read_bytes() == b"new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert list(tmp_path.iterdir()) == [target]


@unix
def test_a_link_stays_and_its_file_is_replaced(tmp_path):
    target, link = tmp_path / "a.txt", tmp_path / "b.txt"
    target.write_text("old")
    link.symlink_to(target)
    write_atomically(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


@unix
def test_a_pipe_is_written_to_and_not_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_atomically(pipe, b"new")
    assert os.read(reader, 10) == b"new"
    os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize("name", ["folder", "missing/a.txt", "file/a.txt"])
def test_what_cannot_be_written_is_refused_and_leaves_nothing(tmp_path, name):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("old")
    with pytest.raises(OutputError) as caught:
        write_atomically(tmp_path / name, b"new")
    assert caught.value.code == "unwritable"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["file", "folder"]


def test_an_interruption_leaves_the_old_file_and_nothing_beside_it(tmp_path, monkeypatch):
    target = tmp_path / "a.txt"
    target.write_text("old")

    def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.setattr("kpi_engine.reporting.os.fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(target, b"new")
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_the_kpis_that_failed_are_named_wherever_they_stand():
    why = Failure("unknown_column", "there is none")
    cards = Section("Team", cards=(Card(Measure("a", "A"), 1), Card(Measure("b", "B"), failure=why)))
    report = Report(
        "shop", "en", "", (cards, Section("Table", failures={"c": why})), datetime.fromisoformat("2026-04-01")
    )
    assert failures_of(report) == {"b": why, "c": why}
    assert failures_of(REPORT) == {}
