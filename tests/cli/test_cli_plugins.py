"""`kpi plugins list`: every plugin, whatever its state."""

from __future__ import annotations

import json

import pytest

WORKING = """
from pydantic import BaseModel
from kpi_engine.api import hookimpl

class Shout:
    name = "shout"
    suffix = ".loud"
    class Config(BaseModel):
        mark: str = "!"
    def __init__(self, config):
        self.config = config
    def render(self, report, target):
        target.write((report.title.upper() + self.config.mark).encode())

@hookimpl
def outputs():
    return [Shout]
"""


@pytest.fixture
def plugin(shop):
    (shop / "plugins").mkdir()

    def write(name, text):
        (shop / "plugins" / f"{name}.py").write_text(text, encoding="utf-8")

    return write


def states(ran):
    assert ran.code == 0, ran.err
    return {each["name"]: each["status"] for each in json.loads(ran.out)["plugins"]}


LISTED = ("plugins", "list", "--output", "json")


def test_working_broken_and_disabled_plugins_are_listed(kpi, plugin):
    plugin("loud", WORKING)
    plugin("broken", "import nothing_of_that_name")
    plugin("quitter", "raise SystemExit(3)")
    found = states(kpi(*LISTED))
    assert {name: found[name] for name in ("builtin", "loud", "broken", "quitter")} == {
        "builtin": "ok", "loud": "ok", "broken": "broken", "quitter": "broken",
    }  # fmt: skip
    assert states(kpi(*LISTED, "--disable-plugin", "loud"))["loud"] == "disabled"
    assert states(kpi(*LISTED, "--disable", "loud"))["loud"] == "disabled"
    shown = kpi("plugins", "list")
    assert shown.code == 0
    assert "nothing_of_that_name" in shown.out
    assert "output shout" in shown.out


def test_it_works_without_a_project_and_with_a_broken_one(kpi, shop, monkeypatch):
    (shop / "kpi.yaml").write_text("{", encoding="utf-8")
    assert states(kpi(*LISTED))["builtin"] == "ok"
    monkeypatch.chdir(shop.parent)
    assert states(kpi(*LISTED))["builtin"] == "ok"
    assert states(kpi(*LISTED, "--project", "nowhere"))["builtin"] == "ok"


def test_a_projects_own_output_is_used_also_by_its_files_ending(kpi, plugin, shop):
    plugin("loud", WORKING)
    plugin("broken", "import nothing_of_that_name")
    assert kpi("run", "visits", "--output", "shout", "--option", "mark=?").out == "SHOP?"
    assert kpi("run", "visits", "--out", "a.loud").code == 0
    assert (shop / "a.loud").read_text(encoding="utf-8") == "SHOP!"


def test_a_failing_output_is_its_own_fault_and_leaves_the_old_file(kpi, plugin, shop):
    plugin("loud", WORKING.replace("report.title.upper()", "report.title / 2"))
    (shop / "a.loud").write_text("old", encoding="utf-8")
    ran = kpi("run", "visits", "--out", "a.loud")
    assert ran.code == 2
    assert "shout" in ran.err
    assert "Traceback" not in ran.err
    assert (shop / "a.loud").read_text(encoding="utf-8") == "old"


def test_a_group_without_a_command_shows_its_help(kpi):
    ran = kpi("plugins")
    assert ran.code == 0
    assert "list" in ran.out
    assert "did you mean `list`?" in kpi("plugins", "lits").err
