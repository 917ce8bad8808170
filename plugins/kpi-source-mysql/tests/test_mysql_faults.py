"""What goes wrong between the engine and a server is said clearly, in time, without the password, and is over when the server is back."""

from __future__ import annotations

import socket
from threading import Thread

import pytest
from kpi_source_mysql import rows
from kpi_source_mysql.address import address_of
from kpi_source_mysql.source import MysqlSettings, MysqlSource
from mariadb_server import PASSWORD, USER, served

import kpi_engine
from kpi_engine.api import SourceContext, SourceError

COUNT = "SELECT COUNT(*) AS n FROM information_schema.tables"


@pytest.fixture
def reading(tmp_path):
    """Make sources that are closed in the end."""
    made = []

    def source(dsn, **settings):
        made.append(MysqlSource(MysqlSettings(dsn=dsn, **settings), SourceContext("crm", tmp_path)))
        return made[-1]

    yield source
    for each in made:
        each.close()


def said(caught):
    """Give the message, in which the source is named and the password is not."""
    text = f"{caught.value!r} {caught.value} {caught.value.__cause__!r} {caught.value.__context__ if not caught.value.__suppress_context__ else ''}"
    assert "`crm`" in text
    assert PASSWORD not in text
    assert "hunter2" not in text
    return text


def test_a_server_that_is_not_there_is_said(reading):
    with pytest.raises(SourceError) as caught:
        reading("mysql://reader:hunter2@127.0.0.1:9/shop").tables()
    assert "cannot connect to 127.0.0.1:9" in said(caught)


def test_a_wrong_password_is_said_and_not_repeated(server, reading):
    with pytest.raises(SourceError) as caught:
        reading(server.dsn.replace("hunter2", "hunter22")).tables()
    assert "Access denied" in said(caught)


def test_an_address_that_was_read_does_not_show_its_password():
    found = address_of("mysql://reader:hunter2@db.example.com/shop")
    assert "hunter2" not in f"{found} {found!r}"
    assert found.password.get_secret_value() == "hunter2"


@pytest.mark.parametrize(
    "dsn",
    [
        "reader:hunter2@db/shop",
        "mysql://reader:hunter2@db:x/shop",
        "mysql://reader:hunter2@/shop",
        "mysql://reader:hunter2@db",
    ],
)
def test_an_address_that_is_none_is_not_repeated(reading, dsn):
    with pytest.raises(SourceError) as caught:
        reading(dsn).tables()
    assert "is not written as" in said(caught)


def test_a_server_that_takes_the_call_and_says_nothing_is_given_up(reading):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(SourceError) as caught:
            reading(f"mysql://reader:hunter2@127.0.0.1:{port}/shop", connect_timeout=0.3).tables()
    assert "Lost connection" in said(caught)


def test_a_server_that_fails_during_a_query_is_said_and_one_that_is_back_is_used(reading):
    with served() as server:
        source = reading(server.dsn)
        assert source.query(COUNT).num_rows == 1
        failures = []

        def waiting():
            with pytest.raises(SourceError) as caught:
                source.query("SELECT SLEEP(300)")
            failures.append(caught)

        asking = Thread(target=waiting)
        asking.start()
        while not server.run("SELECT 1 FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP%'"):
            pass
        server.stop(at_once=True)
        asking.join(30)
        assert "Lost connection" in said(failures[0])
        with pytest.raises(SourceError) as caught:
            source.query(COUNT)
        assert "cannot connect" in said(caught)
        server.start()
        assert source.query(COUNT).num_rows == 1
        server.stop()
        server.start()
        assert (
            source.query(COUNT).num_rows == 1
        )  # the connection that was kept is not there any more, and nobody notices


def test_a_line_that_is_cut_while_rows_come_is_said(dsn, reading, monkeypatch):
    source = reading(dsn)
    monkeypatch.setattr("kpi_source_mysql.rows.BATCH", 10)
    plain = rows._batch  # noqa: SLF001

    def cutting(*args):
        for each in source._pool._busy:  # noqa: SLF001
            each.cut()
        return plain(*args)

    monkeypatch.setattr(rows, "_batch", cutting)
    with pytest.raises(SourceError) as caught:
        source.query("SELECT REPEAT('x', 10000) AS x FROM seq_1_to_100000")
    assert "Lost connection" in said(caught)
    monkeypatch.undo()
    assert source.query(COUNT).num_rows == 1


def test_a_query_that_takes_too_long_is_stopped_on_the_server_too(server, reading):
    source = reading(server.dsn)
    failures = []

    def waiting():
        with pytest.raises(SourceError) as caught:
            source.query("SELECT COUNT(*) AS n FROM seq_1_to_1000000 AS a, seq_1_to_1000000 AS b")
        failures.append(caught)

    asking = Thread(target=waiting)
    asking.start()
    running = f"SELECT 1 FROM information_schema.processlist WHERE user = '{USER}' AND info LIKE '%seq_1_to_1000000%'"
    while not server.run(running):
        pass
    source.interrupt()
    asking.join(30)
    assert "interrupted" in said(failures[0])
    assert not server.run(running)
    assert source.query(COUNT).num_rows == 1


def test_a_request_over_a_server_that_is_not_there_names_the_source(tmp_path, monkeypatch):
    monkeypatch.setenv("CRM_DSN", "mysql://reader:hunter2@127.0.0.1:9/shop")
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "mysql_here.py").write_text(
        '"""The source."""\n\nfrom kpi_source_mysql import sources\n', encoding="utf-8"
    )
    (tmp_path / "kpi.yaml").write_text(
        "project: shop\nsources: {crm: {plugin: mysql, dsn: {env: CRM_DSN}}}\ndefinitions: [all.yaml]\n",
        encoding="utf-8",
    )
    (tmp_path / "all.yaml").write_text(
        "datasets: {sales: {time: day}}\nkpis: {n: {inputs: [sales], formula: count(sales)}}\n", encoding="utf-8"
    )
    with kpi_engine.open(tmp_path) as engine, pytest.raises(SourceError) as caught:
        engine.run("n", period="2026-01")
    said(caught)
