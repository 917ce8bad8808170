"""What goes wrong between the engine and a server is said clearly, in time, without the password, and is over when the server is back."""

from __future__ import annotations

import json
import time
from pathlib import Path
from threading import Thread

import pytest
from adbc_driver_postgresql import dbapi
from cut_line import line
from in_postgres import PLUGIN
from kpi_source_postgres.source import PostgresSettings, PostgresSource
from pydantic import SecretStr
from server import Server, served

import kpi_engine
from kpi_engine.api import SourceContext

PASSWORD = "hunter2canary"  # noqa: S105 - planted
DEFINITIONS = {
    "datasets": {"sales": {"time": "day", "dimensions": {"shop": None}, "key": "id"}},
    "kpis": {"n": {"inputs": ["sales"], "formula": "count(sales)"}},
}


@pytest.fixture(scope="module")
def running():
    with served() as made:
        yield made


@pytest.fixture
def opened(tmp_path, monkeypatch):
    """Open a project over a database at an address, where a table with 30 rows is made."""
    engines = []

    def made(port: int, maker: Server) -> kpi_engine.Engine:
        with dbapi.connect(maker.dsn, autocommit=True) as there, there.cursor() as cursor:
            cursor.execute(
                "CREATE TABLE IF NOT EXISTS sales AS SELECT g AS id, DATE '2026-01-01' + g AS day, 'a' AS shop FROM generate_series(1, 30) AS g"
            )
            cursor.execute("CHECKPOINT")  # what comes later may be lost where the server is ended at once
        monkeypatch.setenv("SHOP_DSN", f"postgresql://kpi:{PASSWORD}@127.0.0.1:{port}/postgres?connect_timeout=10")
        settings = {"project": "p", "sources": {"shop": {"plugin": "postgres", "dsn": {"env": "SHOP_DSN"}}}}
        (tmp_path / "plugins").mkdir()
        (tmp_path / "plugins" / "postgres_here.py").write_text(PLUGIN)
        (tmp_path / "kpi.yaml").write_text(json.dumps(settings))
        (tmp_path / "definitions").mkdir()
        (tmp_path / "definitions" / "all.yaml").write_text(json.dumps(DEFINITIONS))
        engines.append(kpi_engine.open(tmp_path))
        return engines[-1]

    yield made
    for each in engines:
        each.close()


def value(engine: kpi_engine.Engine) -> object:
    return engine.run("n", period="2026-01", timeout=60).rows()[0]["n"]


def refused(task) -> str:
    """Give what is said of a server that does not answer: it names the source and what to do, and holds no password."""
    with pytest.raises(kpi_engine.SourceError) as caught:
        task()
    error = caught.value
    text = f"{error!r} {error} {error.__cause__!r} {error.__context__!r}"
    assert error.code == "query_failed"
    assert "`shop`" in error.message
    assert "check that the server runs" in error.hint
    assert PASSWORD not in text
    return error.message


def until_asked(server: Server, word: str) -> None:
    """Wait until somebody else runs a statement with a word in it."""
    asked = f"SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%{word}%' AND state = 'active' AND pid <> pg_backend_pid()"
    ends = time.monotonic() + 60
    with dbapi.connect(server.dsn, autocommit=True) as there, there.cursor() as cursor:
        while time.monotonic() < ends:
            cursor.execute(asked)
            if cursor.fetchone() != (0,):
                return
    pytest.fail(f"nobody asks for {word}")


def test_a_server_may_be_down_before_during_and_after(opened) -> None:
    with served() as server:
        engine = opened(server.port, server)
        server.stop()
        assert "refused" in refused(lambda: value(engine))
        server.start()
        assert value(engine) == 30
        server.stop()
        refused(lambda: value(engine))
        server.start()
        assert value(engine) == 30
        server.stop()
        server.start()
        assert value(engine) == 30  # the connection that was kept is not there any more, and nobody notices


def test_a_server_that_fails_during_a_query_is_said(opened) -> None:
    with served() as server:
        engine = opened(server.port, server)
        source = engine._binder._sources.get("shop")  # noqa: SLF001
        said = []

        def waiting() -> None:
            said.append(refused(lambda: source.query("SELECT pg_sleep(300)")))

        asking = Thread(target=waiting)
        asking.start()
        until_asked(server, "pg_sleep")
        server.stop()
        asking.join(60)
        assert len(said) == 1
        server.start()
        assert value(engine) == 30


def seconds_until_the_line_is_looked_at(port: int) -> float | None:
    """Give when the system asks next whether the other end of a line to a port is still there; None where it never does."""
    lines = (each.split() for each in Path("/proc/net/tcp").read_text().splitlines()[1:])
    timers = [timer for _, _, there, state, _, timer, *_ in lines if there.endswith(f":{port:04X}") and state == "01"]
    kind, ticks = timers[0].split(":")
    return int(ticks, 16) / 100 if kind == "02" else None


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="only Linux says when it looks at a line")
@pytest.mark.parametrize(
    ("address", "looked_at"),
    [
        ("postgresql://kpi@127.0.0.1:{port}/postgres", 30),
        ("postgres://kpi:a?b@127.0.0.1:{port}/postgres?application_name=kpi", 30),
        ("postgresql:///postgres?host=127.0.0.1&port={port}&user=kpi@x&user=kpi", 30),
        ("host=127.0.0.1 port={port} user=kpi dbname=postgres", 30),
        ("host=127.0.0.1 port={port} user=kpi dbname=postgres keepalives_idle=90", 90),
        ("postgresql://kpi@127.0.0.1:{port}/postgres?keepalives=0", None),
    ],
)
def test_a_line_over_which_nothing_comes_is_looked_at_unless_its_address_says_otherwise(
    running, tmp_path, address, looked_at
) -> None:
    dsn = SecretStr(address.format(port=running.port))
    source = PostgresSource(PostgresSettings(dsn=dsn), SourceContext("shop", tmp_path))
    assert source.query("SELECT current_database() AS d").column("d").to_pylist() == ["postgres"]
    found = seconds_until_the_line_is_looked_at(running.port)
    source.close()
    assert (found is None) == (looked_at is None)
    assert looked_at is None or looked_at - 10 < found <= looked_at + 1


@pytest.mark.parametrize("size", [0, 50, 100_000, 1_000_000])
def test_a_line_that_is_cut_while_rows_come_is_said(opened, running, size) -> None:
    with line(running.port) as between:
        engine = opened(between.port, running)
        assert value(engine) == 30
        sources = engine._binder._sources  # noqa: SLF001
        rows = "SELECT g, repeat('x', 1000) AS x FROM generate_series(1, 20000) AS g"
        between.tell(str(size))
        refused(lambda: sources.rows(sources.get("shop"), "query", rows))
        between.tell("whole")
        assert value(engine) == 30
