"""Whatever a plugin is asked ends in time: by the limit, with the request's own time, or with Ctrl-C; and the rest works."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from textwrap import dedent

import arro3.core  # noqa: F401 - so that the import of the plugin does not take the time of importing these
import pydantic  # noqa: F401
import pytest

import kpi_engine
from kpi_engine.api import KpiError
from kpi_engine.errors import TimeoutExceeded
from kpi_engine.plugins.handing import handed_over
from kpi_engine.plugins.limits import LONG, SHORT, Limit, Overdue, bounded, within

ROOT = Path(kpi_engine.__file__).parents[1]
PLUGIN = """
    from threading import Event

    from arro3.core import Array, DataType, RecordBatchReader, Table as Arrow
    from pydantic import BaseModel, model_validator
    from kpi_engine.api import Checkpoint, Rows, Stream, Table, hookimpl

    class Settings(BaseModel):
        hang: str = ""

        @model_validator(mode="after")
        def checked(self):
            wait(self, "checked")
            return self

    def wait(config, where):
        if config.hang == where:
            Event().wait()

    def rows():
        return Arrow.from_pydict({"id": Array([1, 2], DataType.int64())})

    class Lazy:
        # Rows that are made while they are read.
        def __init__(self, config): self.config = config
        def __arrow_c_stream__(self, requested_schema=None):
            wait(self.config, "rows")
            return RecordBatchReader.from_batches(rows().schema, self.batches()).__arrow_c_stream__(requested_schema)
        def batches(self):
            first, second = rows().slice(0, 1), rows().slice(1, 1)
            yield from first.to_batches()
            wait(self.config, "batch")
            yield from second.to_batches()

    class Base:
        Config = Settings
        def __init__(self, config, context=None):
            self.config = config
            wait(config, "made")

    class Scanned(Base):
        name = "scanned"
        def tables(self):
            wait(self.config, "tables")
            return [Table("sales")]
        def scan(self, scan):
            wait(self.config, "scan")
            return Lazy(self.config)
        def close(self):
            wait(self.config, "close")

    class Asked(Base):
        name = "asked"
        dialect = "duckdb"
        def tables(self): return [Table("sales", {"id": "BIGINT"})]
        def query(self, sql):
            wait(self.config, "query")
            import duckdb
            with duckdb.connect() as connection:
                connection.register("sales", rows())
                return Arrow.from_arrow(connection.sql(sql))
        def interrupt(self):
            wait(self.config, "query")

    class Synced(Base):
        name = "synced"
        def streams(self): return [Stream("sales", {"id": "BIGINT"}, ("id",))]
        def read(self, wanted, state):
            yield Rows("sales", rows())
            wait(self.config, "read")
            yield Checkpoint(1)

    class Doubled(Base):
        name = "doubled"
        def needs(self): return ["id"]
        def columns(self): return {"id": ""}
        def apply(self, given):
            wait(self.config, "apply")
            return Lazy(self.config)

    class Slow(Base):
        name = "slow"
        suffix = ".slow"
        def render(self, report, target):
            wait(self.config, "render")
            target.write(b"done")

    @hookimpl
    def sources(): return [Scanned, Asked, Synced]

    @hookimpl
    def transforms(): return [Doubled]

    @hookimpl
    def outputs(): return [Slow]
"""
KPIS = {
    "well": {"inputs": ["good"], "formula": "count(good)"},
    "scan": {"inputs": ["scanned"], "formula": "count(scanned)"},
    "query": {"inputs": ["asked"], "formula": "count(asked)"},
    "apply": {"inputs": ["doubled"], "formula": "count(doubled)"},
}


@pytest.fixture(autouse=True)
def limits(monkeypatch):
    monkeypatch.setenv("KPI_PLUGIN_TIMEOUT", "0.5")
    monkeypatch.setenv("KPI_PLUGIN_DATA_TIMEOUT", "0.7")
    return monkeypatch


@pytest.fixture
def project(tmp_path):
    """Write a project whose plugins hang where they are told to."""
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "hanging.py").write_text(dedent(PLUGIN))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "good.csv").write_text("id\n1\n2\n3\n")
    (tmp_path / "definitions").mkdir()

    def write(plugin="", where=""):
        def hang(name):
            return {"hang": where} if name == plugin else {}

        datasets = {
            "good": {"key": "id"},
            "scanned": {"source": "scanned", "table": "sales", "key": "id"},
            "asked": {"source": "asked", "table": "sales", "key": "id"},
            "doubled": {"transform": "doubled", "from": "good", "key": "id", "options": hang("doubled")},
        }
        sources = {name: {"plugin": name, **hang(name)} for name in ("scanned", "asked", "synced")}
        sources["web"] = {"plugin": "files", "path": "data"}
        (tmp_path / "kpi.yaml").write_text(json.dumps({"project": "p", "sources": sources, "default_source": "web"}))
        (tmp_path / "definitions" / "all.yaml").write_text(json.dumps({"datasets": datasets, "kpis": KPIS}))
        return tmp_path

    return write


@contextmanager
def failing(code, said):
    with pytest.raises(KpiError) as caught:
        yield
    assert (caught.value.code, said in caught.value.message) == (code, True), str(caught.value)


def test_without_a_fault_all_of_it_works(project):
    with kpi_engine.open(project()) as engine:
        assert engine.run(["well", "scan", "query", "apply"]).rows() == [{"well": 3, "scan": 2, "query": 2, "apply": 2}]
        assert engine.render(engine.run("well"), "slow") == b"done"
        assert engine.sync(["synced"]).ok


@pytest.mark.parametrize(
    ("plugin", "where", "kpi", "said"),
    [
        ("scanned", "checked", "scan", "checking its settings took longer than 0.5 seconds (KPI_PLUGIN_TIMEOUT"),
        ("scanned", "made", "scan", "making it took longer than 0.5 seconds (KPI_PLUGIN_TIMEOUT"),
        ("scanned", "scan", "scan", "`scan` took longer than 0.7 seconds (KPI_PLUGIN_DATA_TIMEOUT"),
        ("scanned", "rows", "scan", "`scan` took longer than 0.7 seconds (KPI_PLUGIN_DATA_TIMEOUT"),
        ("scanned", "batch", "scan", "`scan` took longer than 0.7 seconds (KPI_PLUGIN_DATA_TIMEOUT"),
        ("asked", "query", "query", "`query` took longer than 0.7 seconds (KPI_PLUGIN_DATA_TIMEOUT"),
        ("doubled", "made", "apply", "making it took longer than 0.5 seconds"),
        ("doubled", "apply", "apply", "`apply` took longer than 0.7 seconds (KPI_PLUGIN_DATA_TIMEOUT"),
        ("doubled", "rows", "apply", "`apply` took longer than 0.7 seconds"),
    ],
)
def test_a_kpi_over_a_plugin_that_hangs_fails_in_time_and_the_others_do_not(project, plugin, where, kpi, said):
    with kpi_engine.open(project(plugin, where)) as engine:
        with failing("plugin_failed", said):
            engine.run(kpi)
        assert engine.run("well").rows() == [{"well": 3}]


@pytest.mark.parametrize(
    ("plugin", "where", "kpi"),
    [
        ("scanned", "scan", "scan"),
        ("scanned", "rows", "scan"),
        ("scanned", "batch", "scan"),
        ("asked", "query", "query"),
        ("doubled", "apply", "apply"),
    ],
)
def test_the_time_of_a_request_ends_what_a_plugin_is_asked(project, limits, plugin, where, kpi):
    limits.setenv("KPI_PLUGIN_DATA_TIMEOUT", "600")
    with kpi_engine.open(project(plugin, where)) as engine:
        with failing("timeout", "the request did not finish within its time of 0.2 seconds"):
            engine.run(kpi, timeout=0.2)
        assert engine.run("well", timeout=60).rows() == [{"well": 3}]


def test_the_time_of_a_request_does_not_break_a_plugin_that_is_imported_meanwhile(project):
    with kpi_engine.open(project()) as engine:
        with suppress(TimeoutExceeded):
            engine.run("scan", timeout=1e-6)
        assert engine.run("scan").rows() == [{"scan": 2}]


def test_an_output_that_hangs(project):
    with kpi_engine.open(project()) as engine:
        result = engine.run("well")
        for where, said in (("render", "`render` took longer than 0.7"), ("made", "making it took longer than 0.5")):
            with failing("output_failed", said):
                engine.render(result, "slow", hang=where)
        assert engine.render(result, "csv").split() == [b"well", b"3"]


def test_a_source_that_hangs_while_it_is_closed(project):
    engine = kpi_engine.open(project("scanned", "close"))
    assert engine.run("scan").rows() == [{"scan": 2}]
    with failing("plugin_failed", "`close` took longer than 0.5 seconds"):
        engine.close()


def test_a_sync_that_hangs_in_the_middle_keeps_nothing_and_the_next_one_is_whole(project):
    root = project("synced", "read")
    with kpi_engine.open(root) as engine:
        (report,) = engine.sync(["synced"]).sources
    assert (report.status, report.error.code) == ("failed", "plugin_failed")
    assert "`read` took longer than 0.7 seconds" in report.error.message
    project()
    with kpi_engine.open(root) as engine:
        (report,) = engine.sync(["synced"]).sources
    assert report.status == "done"


SCRIPT = """
    import signal, sys
    from kpi_engine.cli import main
    signal.signal(signal.SIGINT, signal.default_int_handler)  # where the tests run in the background, it is ignored
    sys.argv = ["kpi", *sys.argv[1:]]
    main()
"""


@pytest.mark.parametrize(
    ("plugin", "where", "arguments"),
    [
        ("scanned", "scan", ("run", "scan")),
        ("scanned", "batch", ("run", "scan")),
        ("asked", "query", ("run", "query")),
        ("doubled", "apply", ("run", "apply")),
        ("slow", "render", ("run", "well", "--output", "slow", "--option", "hang=render")),
        ("synced", "read", ("sync", "synced")),
    ],
)
def test_ctrl_c_ends_a_command_whose_plugin_hangs(project, plugin, where, arguments):
    root = project(plugin, where)
    code = dedent(PLUGIN).replace(
        "        Event().wait()", "        print('hanging', flush=True)\n        Event().wait()"
    )
    (root / "plugins" / "hanging.py").write_text(code)
    environment = {**os.environ, "KPI_PLUGIN_DATA_TIMEOUT": "600", "KPI_PLUGIN_TIMEOUT": "5"}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    started = subprocess.Popen(
        [sys.executable, "-c", dedent(SCRIPT), *arguments], cwd=root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )  # fmt: skip
    try:
        assert started.stdout.readline() == "hanging\n"
        started.send_signal(signal.SIGINT)
        _, said = started.communicate(timeout=60)
    finally:
        started.kill()
    assert started.returncode == 130, said
    assert said.strip() == "Interrupted.", said


@pytest.mark.parametrize(
    ("plugin", "where", "kpi"),
    [("scanned", "batch", "scan"), ("asked", "query", "query"), ("doubled", "apply", "apply")],
)
def test_a_command_says_why_and_nothing_else(project, plugin, where, kpi):
    root = project(plugin, where)
    environment = {**os.environ, "KPI_PLUGIN_DATA_TIMEOUT": "600", "KPI_PLUGIN_TIMEOUT": "5"}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    ran = subprocess.run(
        [sys.executable, "-m", "kpi_engine", "run", kpi, "--timeout", "0.5"], cwd=root, env=environment, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == (
        "error[timeout]: the request did not finish within its time of 0.5 seconds\n"
        "      = ask for less, or give a longer `timeout`\n"
    )


class TestHandedOver:
    def test_all_of_it_happens_in_one_thread_and_nothing_ahead(self):
        made, threads = [], set()

        def pieces():
            try:
                for number in range(3):
                    made.append(number)
                    threads.add(threading.get_ident())
                    yield number
            finally:
                threads.add(threading.get_ident())
                made.append("closed")

        stream = handed_over(pieces, "`read`")
        assert next(stream) == 0
        assert made == [0]
        assert next(stream) == 1
        stream.close()
        assert made == [0, 1, "closed"]
        assert len(threads) == 1
        assert threading.get_ident() not in threads

    def test_it_ends_and_what_it_raises_comes_through(self):
        def pieces():
            yield 1
            raise ValueError("no more")

        assert list(handed_over(lambda: [1, 2], "`read`")) == [1, 2]
        with pytest.raises(ValueError, match="no more"):
            list(handed_over(pieces, "`read`"))
        with pytest.raises(TypeError):
            list(handed_over(lambda: None, "`read`"))

    def test_a_piece_that_never_comes(self):
        def pieces():
            yield 1
            threading.Event().wait()

        stream = handed_over(pieces, "`read`")
        assert next(stream) == 1
        with pytest.raises(Overdue, match=r"`read` took longer than 0\.7 seconds"):
            next(stream)

    def test_one_that_hangs_while_it_is_closed(self):
        def pieces():
            try:
                yield 1
            finally:
                threading.Event().wait()

        stream = handed_over(pieces, "`read`")
        next(stream)
        with pytest.raises(Overdue, match=r"0\.5 seconds"):
            stream.close()


@pytest.mark.parametrize(
    ("written", "meant"),
    [("2.5", 2.5), ("", 30.0), ("soon", 30.0), ("0", 30.0), ("-1", 30.0), ("inf", 30.0), ("nan", 30.0)],
)
def test_a_limit_that_is_no_time_is_the_usual_one(limits, written, meant):
    limits.setenv("KPI_PLUGIN_TIMEOUT", written)
    assert SHORT.seconds == meant
    assert (LONG.variable, LONG.usual) == ("KPI_PLUGIN_DATA_TIMEOUT", 3600.0)


def test_the_nearer_of_two_ends_counts():
    never = threading.Event().wait
    with within(600), pytest.raises(Overdue):
        bounded(never, "it", Limit("NOTHING", 0.1))
    with within(0.1), pytest.raises(TimeoutExceeded):
        bounded(never, "it", Limit("NOTHING", 600))
    with within(0.1), within(None), pytest.raises(TimeoutExceeded):
        bounded(never, "it", Limit("NOTHING", 600))
    with within(600):
        assert bounded(lambda: 7, "it") == 7
