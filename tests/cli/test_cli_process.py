"""`kpi` as a process: start-up, streams, signals, locale."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

pytestmark = pytest.mark.usefixtures("shop")

PATIENCE = 120
HEAVY = (
    "duckdb",
    "sqlglot",
    "pyarrow",
    "pydantic",
    "arro3",
    "rich",
    "jinja2",
    "babel",
    "scipy",
    "numpy",
    "pluggy",
    "yaml",
)

unix = pytest.mark.skipif(sys.platform == "win32", reason="signals and devices of Unix")


@pytest.fixture
def spawn(process):
    """Start `kpi` as a process."""
    start, env = process

    def started(*args, **options):
        more = options.pop("env", {})
        return subprocess.Popen([*start, *args], stderr=subprocess.PIPE, env={**env, **more}, **options)

    return started


@pytest.mark.parametrize(
    "args", [["--help"], ["--version"], [], ["run", "--help"], ["report", "--help"], ["rnu"], ["plugins"], ["run"]]
)
def test_what_computes_nothing_imports_nothing_heavy(process, tmp_path, args):
    _, env = process
    script = f"import sys\nfrom kpi_engine.cli import main\nsys.argv[1:] = {args!r}\ntry:\n    main()\nfinally:\n    print('imported', *sys.modules, file=sys.stderr)"
    ran = subprocess.run(
        [sys.executable, "-c", script],
        env=env,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    imported = ran.stderr.partition("imported ")[2].split()
    assert "click" in imported
    assert not [name for name in HEAVY if name in imported]


def test_a_result_and_nothing_else_goes_to_standard_output(spawn):
    with spawn("run", "visits", "--out", "a.csv", stdout=subprocess.PIPE) as ran:
        out, err = ran.communicate(timeout=PATIENCE)
    assert (ran.returncode, out, err.decode().strip()) == (0, b"", "Wrote a.csv")


@unix
@pytest.mark.parametrize(
    "args", [["list"], ["run", "visits", "--by", "city"], ["report", "--output", "html"], ["check"], ["--help"]]
)
def test_a_reader_that_has_gone_is_no_error(spawn, args):
    reading, writing = os.pipe()
    os.close(reading)
    with spawn(*args, stdout=writing) as ran:
        os.close(writing)
        err = ran.stderr.read()
    assert (ran.returncode, err) == (141, b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")  # noqa: PTH110
@pytest.mark.parametrize("args", [["list"], ["run", "visits", "--output", "json"]])
def test_a_full_disk_is_told(spawn, args):
    with open("/dev/full", "wb") as full, spawn(*args, stdout=full) as ran:  # noqa: PTH123
        err = ran.stderr.read().decode()
    assert ran.returncode == 2
    assert "error[unwritable]" in err
    assert "Traceback" not in err
    assert "Exception ignored" not in err


@pytest.mark.parametrize(
    "locale",
    [{"LC_ALL": "C"}, {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}, {"PYTHONIOENCODING": "ascii"}],
    ids=["c", "c_without_coercion", "ascii"],
)
def test_output_is_utf8_in_every_locale(spawn, locale):
    with spawn("list", "--language", "fr", stdout=subprocess.PIPE, env=locale) as ran:
        out, err = ran.communicate(timeout=PATIENCE)
    assert (ran.returncode, err) == (0, b"")
    assert "Notre équipe" in out.decode("utf-8")
    with spawn("run", "visits", "--by", "channel", stdout=subprocess.PIPE, env=locale) as ran:
        assert "été" in ran.communicate(timeout=PATIENCE)[0].decode("utf-8")


@unix
def test_a_terminal_is_answered_in_colour_unless_it_must_not_be(spawn):
    import pty

    def shown(**env):
        own, other = pty.openpty()
        with spawn("run", "visits", "--by", "channel", stdout=other, env={"TERM": "xterm", **env}) as ran:
            os.close(other)
            chunks = [*iter(lambda: _read(own), b"")]
        os.close(own)
        assert ran.returncode == 0
        return b"".join(chunks)

    assert b"\x1b[" in shown()
    assert b"\x1b[" not in shown(NO_COLOR="1")


def _read(descriptor):
    """Read from a terminal, whose end is an error on Linux."""
    try:
        return os.read(descriptor, 4096)
    except OSError:
        return b""


SLOW = """
import sys, threading
from kpi_engine.api import Table, hookimpl
from pydantic import BaseModel

class Slow:
    name = "slow"
    Config = type("Config", (BaseModel,), {})
    def __init__(self, config, context): pass
    def tables(self): return [Table("sessions")]
    def scan(self, scan):
        print("computing", file=sys.stderr, flush=True)
        threading.Event().wait()

@hookimpl
def sources():
    return [Slow]
"""
HEAVY_QUERY = """
datasets:
  crossed:
    sql: select a.id * b.id + c.id * d.id as n from many a join many b on a.one = b.one join many c on a.one = c.one join many d on a.one = d.one
kpis:
  heavy: {role: team, inputs: [crossed], formula: "sum(n)"}
"""
# Says that it computes when the query has used a second of the processor: by then it is well inside DuckDB.
LOUD = """
import sys, threading, time
from kpi_engine.execution.database import Database

def tell(begun):
    while time.process_time() < begun + 1:
        threading.Event().wait(0.01)
    print("computing", file=sys.stderr, flush=True)

class Loud(Database):
    def tables(self, queries, *args, **options):
        threading.Thread(target=tell, args=(time.process_time(),), daemon=True).start()
        return super().tables(queries, *args, **options)

import kpi_engine.engine
kpi_engine.engine.Database = Loud
from kpi_engine.cli import main
main()
"""


def _interrupted(ran, number=signal.SIGINT):
    """Press Ctrl-C, or send another signal, when it has begun to compute; say how it ended, and what it said after that."""
    with ran:
        try:
            while b"computing" not in (line := ran.stderr.readline()):
                assert line, "it ended before it began"
            ran.send_signal(number)
            _, err = ran.communicate(timeout=PATIENCE)
        finally:
            ran.kill()
    return ran.returncode, err.replace(b"computing\n", b"").decode().strip()


@unix
def test_ctrl_c_stops_a_source_and_leaves_the_old_report(spawn, shop):
    (shop / "plugins").mkdir()
    (shop / "plugins" / "slow.py").write_text(SLOW, encoding="utf-8")
    (shop / "kpi.yaml").write_text("project: shop\nsources: {data: {plugin: slow}}\n", encoding="utf-8")
    (shop / "report.html").write_text("old", encoding="utf-8")
    before = sorted(shop.rglob("*"))
    assert _interrupted(spawn("report", "--out", "report.html", stdout=subprocess.DEVNULL)) == (130, "Interrupted.")
    assert (shop / "report.html").read_text(encoding="utf-8") == "old"
    assert [file for file in sorted(shop.rglob("*")) if "__pycache__" not in file.parts] == before


@unix
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_a_long_query_and_nothing_is_left_behind(process, shop, tmp_path, number, code):
    _, env = process
    (tmp_path / "temporary").mkdir()
    (shop / "definitions" / "heavy.yaml").write_text(HEAVY_QUERY, encoding="utf-8")
    (shop / "data" / "many.csv").write_text("one,id\n" + "".join(f"1,{n}\n" for n in range(3000)), encoding="utf-8")
    (shop / "report.html").write_text("old", encoding="utf-8")
    args = [sys.executable, "-c", LOUD, "run", "heavy", "--out", "report.html"]
    env |= {"TMPDIR": str(tmp_path / "temporary")}
    ran = subprocess.Popen(args, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert _interrupted(ran, number) == (code, "Interrupted.")
    assert not [file for file in (tmp_path / "temporary").rglob("*") if file.is_file() or "kpi-files" in file.name]
    assert (shop / "report.html").read_text(encoding="utf-8") == "old"
    assert not [file for file in shop.iterdir() if file.name.startswith(".")]
