"""What plugins do wrong, each bounded in time: the rest works, and the error names the plugin."""

from __future__ import annotations

import json
import sys
from textwrap import dedent

import pytest
from planted_plugins import describe, install

import kpi_engine
from kpi_engine.api import PluginError
from kpi_engine.plugins import Plugins

pytestmark = pytest.mark.usefixtures("site")

HEAD = """
from pydantic import BaseModel
from threading import Event
from arro3.core import Array, DataType, Table as Arrow
from kpi_engine.api import Table, SourceError, hookimpl

class Settings(BaseModel):
    pass

class Odd:
    name = "odd"
    Config = Settings
    suffix = ".odd"
    def __init__(self, config, context=None): pass
    def tables(self): return [Table("sales")]
    def scan(self, scan): return Arrow.from_pydict({"id": Array([1, 2], DataType.int64())})
"""
SOURCES = "\n@hookimpl\ndef sources():\n    return [Odd]\n"


@pytest.fixture
def site(tmp_path, monkeypatch):
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    yield folder
    for name in [name for name in sys.modules if name.startswith("kpi_verb_")]:
        del sys.modules[name]


@pytest.fixture
def project(tmp_path):
    """A project with two KPIs: one over its own file, one over the source `odd`."""
    (tmp_path / "definitions").mkdir()
    (tmp_path / "plugins").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "good.csv").write_text("id\n1\n2\n3\n")
    sources = {"web": {"plugin": "files", "path": "data"}, "strange": {"plugin": "odd"}}
    (tmp_path / "kpi.yaml").write_text(json.dumps({"project": "p", "sources": sources, "default_source": "web"}))
    datasets = {"good": {"key": "id"}, "sales": {"source": "strange", "key": "id"}}
    kpis = {
        "well": {"inputs": ["good"], "formula": "count(good)"},
        "ill": {"inputs": ["sales"], "formula": "count(sales)"},
    }
    (tmp_path / "definitions" / "all.yaml").write_text(json.dumps({"datasets": datasets, "kpis": kpis}))

    def written(code):
        (tmp_path / "plugins" / "odd.py").write_text(dedent(HEAD) + code + SOURCES)
        return tmp_path

    return written


def asked(root):
    """Give what is said of the KPI over the plugin; the other one is right."""
    with kpi_engine.open(root) as engine:
        assert engine.run("well").rows() == [{"well": 3}]
        try:
            return engine.run("ill").rows()
        except kpi_engine.KpiError as error:
            return f"{error.code}: {error}"


def test_the_plugin_without_a_fault_works(project):
    assert asked(project("")) == [{"ill": 2}]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("raise RuntimeError('boom')", "RuntimeError: boom"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("Event().wait()", "the import took longer than 0.5 seconds"),
    ],
    ids=["raises", "exits", "hangs"],
)
def test_an_import_that_goes_wrong(project, monkeypatch, code, said):
    monkeypatch.setenv("KPI_PLUGIN_TIMEOUT", "0.5")
    found = asked(project(f"\n{code}\n"))
    assert found.startswith("broken_plugin")
    assert said in found
    assert "`odd`" in found


@pytest.mark.parametrize(
    ("method", "body", "said"),
    [
        ("tables(self)", "Event().wait()", "`tables` took longer than 0.5 seconds"),
        ("tables(self)", "raise SystemExit(1)", "SystemExit: 1"),
        ("tables(self)", "return ['sales']", "`tables` gave list, a list of `Table` is expected"),
        ("tables(self)", "return None", "`tables` gave NoneType, a list of `Table` is expected"),
    ],
)
def test_tables_that_go_wrong(project, monkeypatch, method, body, said):
    monkeypatch.setenv("KPI_PLUGIN_TIMEOUT", "0.5")
    root = project(f"    def {method}:\n        {body}\n")
    assert asked(root) == [{"ill": 2}]  # its rows are asked for by name
    with kpi_engine.open(root) as engine:
        found = [str(each) for each in engine.check() if each.code == "plugin_failed"]
    assert any("`odd`" in each and said in each for each in found), found


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("raise ValueError('no')", "ValueError: no"),
        ("raise SystemExit(1)", "SystemExit: 1"),
        ("return {'id': [1]}", "`scan` gave dict, a table or a stream of Arrow is expected"),
        ("return None", "`scan` gave NoneType"),
        ("class Bad:\n            def __arrow_c_stream__(self, schema=None): return 5\n        return Bad()", "failed"),
    ],
)
def test_rows_that_go_wrong(project, body, said):
    found = asked(project(f"    def scan(self, scan):\n        {body}\n"))
    assert found.startswith("plugin_failed")
    assert "`odd`" in found
    assert said in found


LITE = """
    dialect = "duckdb"
    scan = None
    def tables(self): return [Table("sales", {"id": "BIGINT"})]
    def query(self, sql):
        import duckdb
        with duckdb.connect() as connection:
            connection.execute("create table sales as select unnest([1, 2]) as id")
            found = Arrow.from_arrow(connection.sql(sql).arrow())
        return FOUND
"""


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ("found", [{"ill": 2}]),
        ("found.select(found.column_names[::-1])", [{"ill": 2}]),
        ("found.rename_columns([name.upper() for name in found.column_names])", [{"ill": 2}]),
        ("found.rename_columns([f'x{n}' for n in range(found.num_columns)])", "`query` gave the columns 'x0', 'x1'"),
        (
            "found.select(found.column_names[:1])",
            "`query` gave the columns 'cell', and was asked for the columns 'cell'",
        ),
    ],
    ids=["as asked", "in another order", "in other letters", "other names", "fewer"],
)
def test_an_answer_with_other_columns_than_were_asked_for(project, found, said):
    answer = asked(project(LITE.replace("FOUND", found)))
    if isinstance(said, list):
        assert answer == said
    else:
        assert answer.startswith("plugin_failed")
        assert "`odd`" in answer
        assert said in answer


def test_rows_without_a_column_that_was_asked_for_are_asked_for_whole(project, tmp_path):
    root = project(
        """
    def scan(self, scan):
        every = {"id": Array([1, 2], DataType.int64()), "amount": Array([3, 4], DataType.int64())}
        return Arrow.from_pydict({name: every[name] for name in (["id"] if scan.columns else every)})
"""
    )
    kpi = {"kpis": {"sold": {"inputs": ["sales"], "formula": "sum(amount)"}}}
    (tmp_path / "definitions" / "more.yaml").write_text(json.dumps(kpi))
    with kpi_engine.open(root) as engine:
        assert engine.run("sold").rows() == [{"sold": 7}]


def test_a_source_that_cannot_be_made_or_closed(project):
    assert asked(project("    def __init__(self, config, context):\n        raise KeyError('x')\n")).startswith(
        "plugin_failed"
    )
    root = project("    def close(self):\n        raise KeyError('late')\n")
    with pytest.raises(PluginError, match="odd"), kpi_engine.open(root) as engine:
        assert engine.run("ill").rows() == [{"ill": 2}]


def test_a_transform_that_gives_other_columns_than_it_announced(project, tmp_path):
    root = project("")
    code = """
        class Wrong:
            name = "wrong"
            Config = Settings
            def __init__(self, config): pass
            def needs(self): return ["id"]
            def columns(self): return {"id": "", "more": "BIGINT"}
            def apply(self, rows): return rows

        @hookimpl
        def transforms():
            return [Wrong]
    """
    (tmp_path / "plugins" / "wrong.py").write_text(dedent(HEAD) + dedent(code))
    definitions = {
        "datasets": {"made": {"transform": "wrong", "from": "good", "key": "id"}},
        "kpis": {"n": {"inputs": ["made"], "formula": "count(made)"}},
    }
    (tmp_path / "definitions" / "more.yaml").write_text(json.dumps(definitions))
    with (
        kpi_engine.open(root) as engine,
        pytest.raises(PluginError, match=r"`wrong` failed: `apply` gave the columns 'id'"),
    ):
        engine.run("n")


def test_an_output_that_raises_leaves_the_file_as_it_was(project, tmp_path):
    root = project(
        "    def render(self, report, target):\n        target.write(b'half')\n        raise ValueError('torn')\n\n@hookimpl\ndef outputs():\n    return [Odd]\n"
    )
    (tmp_path / "report.odd").write_text("before")
    with kpi_engine.open(root) as engine:
        result = engine.run("well")
        with pytest.raises(kpi_engine.KpiError, match="the output plugin `odd` failed: ValueError: torn") as caught:
            engine.render(result, "odd", tmp_path / "report.odd")
        assert caught.value.code == "output_failed"
        assert engine.render(result, "csv").split() == [b"well", b"3"]
    assert (tmp_path / "report.odd").read_text() == "before"


VERB = """
import click
from kpi_engine.api import Command, hookimpl

@click.command()
def command():
    click.echo("done by a plugin")

@hookimpl
def commands():
    return [Command("NAME", "Do what a plugin does.", "MODULE:command")]
"""


def verb(site, distribution, name, target=""):
    module = distribution.replace("-", "_")
    install(site, distribution, VERB.replace("NAME", name).replace("MODULE:command", target or f"{module}:command"))
    info = describe(site, distribution, {})
    (info / "entry_points.txt").write_text(f"[kpi_engine.commands]\n{name} = {module}\n")


class TestCommands:
    @pytest.fixture
    def kpi(self, capsys):
        from kpi_engine.cli.commands import kpi

        def run(*args):
            with pytest.raises(SystemExit) as caught:
                kpi.main(list(args))
            said = capsys.readouterr()
            return caught.value.code, said.out + said.err

        return run

    def test_a_plugin_adds_a_command(self, site, kpi):
        verb(site, "kpi-verb-greet", "greet")
        assert kpi("greet") == (0, "done by a plugin\n")
        code, said = kpi("--help")
        assert (code, "Do what a plugin does." in said) == (0, True)
        assert said.index("report ") < said.index("greet")

    def test_a_word_of_the_engine_stays_the_engine_s(self, site, kpi):
        verb(site, "kpi-verb-run", "run")
        assert "done by a plugin" not in kpi("run", "--help")[1]
        info = next(each for each in Plugins(None).listing() if each.distribution == "kpi-verb-run")
        assert (info.status, info.error) == ("conflict", "the command `run` is built in, and the built-in one is used")

    def test_two_of_one_name(self, site, kpi):
        verb(site, "kpi-verb-a", "greet")
        verb(site, "kpi-verb-b", "greet")
        code, said = kpi("greet")
        assert code == 2
        assert "kpi-verb-a" in said
        assert "kpi-verb-b" in said

    def test_one_that_is_not_there_or_no_command(self, site, kpi):
        verb(site, "kpi-verb-a", "one", "no_such_module_at_all:command")
        verb(site, "kpi-verb-b", "two", "json:dumps")
        assert "the command plugin `one` failed: ModuleNotFoundError" in kpi("one")[1]
        assert "a click command is expected" in kpi("two")[1]
        assert kpi("run", "--help")[0] == 0
        assert "there is no command `ones`; did you mean `one`?" in kpi("ones")[1]

    def test_commands_of_a_plugin_of_the_other_group_are_refused(self, site):
        install(site, "kpi-verb-a", VERB.replace("NAME", "greet").replace("MODULE", "kpi_verb_a"))
        info = next(each for each in Plugins(None).listing() if each.distribution == "kpi-verb-a")
        assert info.status == "broken"
        assert "kpi_engine.commands" in info.error

    @pytest.mark.parametrize(
        "announced", ["'greet'", "Command('Gr eet', '', 'a:b')", "Command('greet', '', 'nowhere')"]
    )
    def test_what_is_no_command_is_refused(self, site, announced):
        install(
            site,
            "kpi-verb-a",
            f"from kpi_engine.api import Command, hookimpl\n@hookimpl\ndef commands(): return [{announced}]\n",
        )
        (describe(site, "kpi-verb-a", {}) / "entry_points.txt").write_text("[kpi_engine.commands]\na = kpi_verb_a\n")
        info = next(each for each in Plugins(None).listing() if each.distribution == "kpi-verb-a")
        assert info.status == "broken"
