"""`kpi plugins show | check | trace`: what a plugin is, whether it works, and what it is asked."""

from __future__ import annotations

import json
import sys
from textwrap import dedent

import pytest

pytestmark = pytest.mark.usefixtures("shop")

SHOUT = """
from pydantic import BaseModel, ConfigDict, SecretStr
from kpi_engine.api import hookimpl


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid")
    mark: str = "!"
    '''What stands at
    the end.'''
    times: int
    '''How often.'''
    token: SecretStr | None = None
    '''The token.'''


class Shout:
    '''Write the title in capital letters.

    Nothing else.
    '''

    name = "shout"
    suffix = ".loud"
    Config = Settings
    def __init__(self, config):
        self.config = config
    def render(self, report, target):
        target.write((report.title.upper() + self.config.mark).encode())

@hookimpl
def outputs():
    return [Shout]
"""
SOURCE = """
from pydantic import BaseModel, ConfigDict, SecretStr
from kpi_engine.api import SourceError, Table, hookimpl


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid")
    dsn: SecretStr
    '''Where the database is.'''


class Store:
    '''A store.'''

    name = "store"
    dialect = "postgres"
    lacks = frozenset({"median"})
    Config = Settings
    def __init__(self, config, context):
        self.dsn = config.dsn.get_secret_value()
    def tables(self):
        raise ValueError(f"no connection to {self.dsn}")
    def query(self, sql):
        raise SourceError("the server is down", code="unreachable")

@hookimpl
def sources():
    return [Store]
"""


@pytest.fixture
def plant(shop):
    (shop / "plugins").mkdir()

    def write(**files):
        for name, text in files.items():
            (shop / "plugins" / f"{name}.py").write_text(text, encoding="utf-8")

    return write


@pytest.fixture
def with_store(shop, plant, monkeypatch):
    plant(store=SOURCE)
    monkeypatch.setenv("SHOP_DSN", "canary-Sup3r")
    text = (shop / "kpi.yaml").read_text(encoding="utf-8")
    more = "sources:\n  live: {plugin: store, dsn: {env: SHOP_DSN}}\n  data: {plugin: files, path: data}\ndefault_source: data"
    (shop / "kpi.yaml").write_text(text.replace("sources:\n  data: {plugin: files, path: data}", more), "utf-8")
    return shop


def shown(kpi, *names):
    ran = kpi("plugins", "show", *names, "--output", "json")
    assert ran.code == 0, ran.err
    return json.loads(ran.out)["plugins"]


class TestShow:
    def test_a_plugin_of_the_project(self, kpi, plant):
        plant(loud=SHOUT)
        ran = kpi("plugins", "show", "loud")
        assert ran.code == 0
        assert ran.out == dedent("""\
            loud  ok
            Code          plugins/loud.py

            output shout
            Write the title in capital letters.
            Nothing else.
            Stands in     Shout
            Files end in  .loud
            Settings
              mark   text          otherwise !
                  What stands at the end.
              times  whole number  required
                  How often.
              token  secret
                  The token.
            """)

    def test_the_same_for_machines(self, kpi, plant):
        plant(loud=SHOUT)
        (plugin,) = shown(kpi, "loud")
        (provided,) = plugin.pop("provides")
        assert plugin == {
            "name": "loud", "distribution": "", "version": "", "status": "ok", "error": "", "origin": "plugins/loud.py",
        }  # fmt: skip
        assert [(each["name"], each["type"], each["required"], each["secret"]) for each in provided["settings"]] == [
            ("mark", "text", False, False), ("times", "whole number", True, False), ("token", "secret", False, True),
        ]  # fmt: skip
        assert (provided["kind"], provided["word"], provided["facts"]) == ("output", "shout", {"suffix": ".loud"})

    @pytest.mark.usefixtures("with_store")
    def test_what_a_source_can_do_and_where_it_is_used(self, kpi):
        ((store,),) = [each["provides"] for each in shown(kpi, "store")]
        assert store["capabilities"] == ["sql"]
        assert store["facts"] == {"dialect": "postgres", "lacks": "median"}
        assert store["used_by"] == ["source live"]
        said = kpi("plugins", "show", "store").out
        assert "only aggregates travel" in " ".join(said.split())
        assert "Used by       source live" in said

    def test_every_kind_that_a_project_names(self, kpi, with_store):
        (with_store / "definitions" / "more.yaml").write_text(
            "datasets:\n  ranks: {transform: pagerank, from: sessions, options: {source: channel, target: city}, key: node}\n"
        )
        found = {(each["kind"], each["word"]): each["used_by"] for each in shown(kpi, "builtin")[0]["provides"]}
        assert found["source", "files"] == ["source data"]
        assert found["secret", "env"] == ["source live"]
        assert found["transform", "pagerank"] == ["dataset ranks"]
        assert found["source", "duckdb"] == []

    def test_one_word_of_a_plugin_that_has_several(self, kpi):
        (plugin,) = shown(kpi, "files")
        assert plugin["name"] == "builtin"
        assert [each["word"] for each in plugin["provides"]] == ["files"]
        assert len(shown(kpi, "kpi-engine-core")[0]["provides"]) > 5

    def test_a_broken_one_says_why(self, kpi, plant):
        plant(bad="import nothing_of_that_name")
        ran = kpi("plugins", "show", "bad")
        assert ran.code == 0
        assert "bad  broken" in ran.out
        assert "nothing_of_that_name" in ran.out

    def test_one_that_is_not_there(self, kpi):
        ran = kpi("plugins", "show", "fils")
        assert ran.code == 3
        assert ran.err == "error[unknown_plugin]: there is no plugin `fils`\n      = did you mean `files`?\n"

    def test_settings_that_cannot_be_looked_at(self, kpi, plant):
        late = SHOUT.replace("    Config = Settings", "    Config = Late()").replace(
            "class Shout:", "class Late:\n    def __get__(self, *about): raise OSError('gone')\n\nclass Shout:"
        )
        plant(loud=late)
        assert "OSError: gone" in kpi("plugins", "show", "loud").out
        assert "error[broken_plugin]" in kpi("plugins", "check", "loud").out

    def test_without_a_project_and_with_a_broken_one(self, kpi, shop, monkeypatch):
        (shop / "kpi.yaml").write_text("\udcff", encoding="utf-8", errors="surrogateescape")
        assert "Used by" not in kpi("plugins", "show", "files").out
        monkeypatch.chdir(shop.parent)
        assert shown(kpi, "files")[0]["provides"][0]["used_by"] is None


class TestCheck:
    def test_what_ships_keeps_the_rules(self, kpi):
        ran = kpi("plugins", "check", "builtin")
        assert (ran.code, ran.out) == (0, "No mistakes in 1 plugin\n")

    @pytest.mark.parametrize(
        ("code", "said", "mend"),
        [
            ("import nothing_of_that_name", "ModuleNotFoundError", "install the module that it lacks"),
            ("raise SystemExit(3)", "SystemExit: 3", "must not end the process"),
            ("def broken(:", "SyntaxError", "correct the file"),
            ("from threading import Event\nEvent().wait()", "took longer than 0.5 seconds", "KPI_PLUGIN_TIMEOUT=60"),
            (SHOUT.replace("return [Shout]", "return None"), "gave None", "correct it"),
            (SHOUT.replace('"shout"', '"csv"'), "`csv` is built in", "--disable odd"),
        ],
        ids=["lacks", "exits", "syntax", "hangs", "answers", "conflict"],
    )
    def test_one_that_cannot_be_used_is_an_error(self, kpi, plant, monkeypatch, code, said, mend):
        monkeypatch.setenv("KPI_PLUGIN_TIMEOUT", "0.5")
        plant(odd=code)
        ran = kpi("plugins", "check", "odd")
        assert ran.code == 1
        assert said in ran.out
        assert mend in ran.out
        assert "--disable odd" in ran.out
        assert ran.out.endswith("1 error in 1 plugin\n")

    @pytest.mark.parametrize(
        ("old", "new", "said"),
        [
            (
                "    '''Write the title in capital letters.\n\n    Nothing else.\n    '''\n",
                "",
                "`Shout` has no docstring",
            ),
            ("    '''How often.'''\n", "", "say nothing of themselves: times"),
            ('model_config = ConfigDict(extra="forbid")', "pass", "takes keys that it does not know"),
        ],
    )
    def test_a_rule_that_is_not_kept_is_a_warning(self, kpi, plant, old, new, said):
        assert old in SHOUT
        plant(loud=SHOUT.replace(old, new))
        ran = kpi("plugins", "check", "loud")
        assert ran.code == 0
        assert said in ran.out
        assert ran.out.endswith("1 warning in 1 plugin\n")

    def test_a_secret_that_is_none_is_an_error(self, kpi, plant):
        plant(loud=SHOUT.replace("token: SecretStr | None", "token: str | None"))
        ran = kpi("plugins", "check", "--output", "json")
        assert ran.code == 1
        (found,) = [each for each in json.loads(ran.out)["diagnostics"] if each["subject"] == "plugin loud"]
        assert (found["severity"], found["code"]) == ("error", "plugin_rule")
        assert "token" in found["message"]
        assert "SecretStr" in found["hint"]

    def test_one_that_provides_nothing_and_one_that_is_disabled(self, kpi, plant):
        plant(idle="x = 1\n", loud=SHOUT)
        assert "provides nothing" in kpi("plugins", "check", "idle").out
        off = kpi("plugins", "check", "loud", "--disable", "loud")
        assert (off.code, off.out) == (0, "No mistakes in 1 plugin, 1 of them disabled\n")

    def test_one_that_is_not_there(self, kpi):
        assert kpi("plugins", "check", "fils").code == 3


class TestTrace:
    def test_without_a_command_every_plugin_is_asked(self, kpi, plant):
        plant(loud=SHOUT, bad="import nothing_of_that_name")
        ran = kpi("plugins", "trace", "--output", "json")
        assert ran.code == 0
        calls = json.loads(ran.out)["calls"]
        asked = {(each["plugin"], each["what"]) for each in calls}
        assert {("builtin", "sources()"), ("loud", "import"), ("loud", "outputs()"), ("bad", "import")} <= asked
        assert all(each["seconds"] >= 0 for each in calls)
        (failed,) = [each["error"] for each in calls if each["error"]]
        assert "nothing_of_that_name" in failed

    def test_a_command_does_what_it_does_and_its_calls_are_said_beside_it(self, kpi):
        alone = kpi("run", "visits", "--output", "csv")
        ran = kpi("plugins", "trace", "run", "visits", "--output", "csv")
        assert (ran.code, ran.out) == (0, alone.out)
        assert "builtin  source files: " in ran.err
        assert "builtin  output csv: render()" in ran.err
        assert ran.err.rstrip().endswith("calls")

    def test_a_command_that_fails_keeps_its_exit_code_and_says_no_secret(self, kpi, with_store):
        (with_store / "definitions" / "more.yaml").write_text(
            "datasets:\n  orders: {source: live, key: id}\nkpis:\n  orders_: {inputs: [orders], formula: count(orders)}\n"
        )
        ran = kpi("plugins", "trace", "run", "orders_")
        assert ran.code == kpi("run", "orders_").code == 2
        assert "store    source store: tables()" in ran.err
        assert "no connection to •••" in ran.err
        assert "canary" not in ran.err + ran.out
        assert kpi("plugins", "trace", "run", "vists").code == 3

    def test_a_command_that_asks_no_plugin(self, kpi):
        ran = kpi("plugins", "trace", "cache", "path")
        assert ran.code == 0
        assert ran.err == "No plugin was asked anything.\n"


def test_the_group_imports_nothing_heavy(process):
    import subprocess

    start, env = process
    program = "import sys; from kpi_engine.cli.commands import kpi\ntry: kpi.main(['plugins', '--help'])\nexcept SystemExit: pass\n"
    program += "print({'duckdb', 'sqlglot', 'pydantic', 'arro3', 'jinja2'} & {name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    ran = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=True)
    assert ran.stderr.strip() == "set()"
    assert "trace" in ran.stdout
    assert start
