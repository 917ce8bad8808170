"""`kpi schema`: what editors complete and underline by."""

from __future__ import annotations

import json

import pytest

import kpi_engine

PLUGIN = """
from typing import ClassVar

from pydantic import BaseModel

from kpi_engine.api import hookimpl


class Settings(BaseModel):
    port: int


class Wire:
    name: ClassVar[str] = "wire"
    Config: ClassVar = Settings

    def __init__(self, config, context): ...
    def tables(self): return []
    def scan(self, scan): ...


@hookimpl
def sources():
    return [Wire]
"""


@pytest.fixture
def wired(shop):
    (shop / "plugins").mkdir()
    (shop / "plugins" / "wire.py").write_text(PLUGIN, encoding="utf-8")
    return shop


@pytest.mark.parametrize("kind", ["definitions", "project"])
def test_a_schema_is_printed_anywhere(kpi, tmp_path, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)
    ran = kpi("schema", kind)
    assert (ran.code, ran.err) == (0, "")
    assert json.loads(ran.out) == kpi_engine.schema(kind)
    assert [*tmp_path.iterdir()] == []


def test_the_plugins_of_the_project_are_in_it(kpi, wired, monkeypatch):
    here = json.loads(kpi("schema", "project").out)
    assert here == kpi_engine.schema("project", wired)
    assert '"wire"' in json.dumps(here)
    assert '"wire"' not in kpi("schema", "project", "--disable", "wire").out
    monkeypatch.chdir(wired.parent)
    assert '"wire"' not in kpi("schema", "project").out
    assert json.loads(kpi("schema", "project", "--project", "shop/kpi.yaml").out) == here


@pytest.mark.usefixtures("wired")
def test_both_are_written_into_the_project(kpi, shop, monkeypatch):
    before = {file for file in shop.rglob("*") if file.is_file()}
    monkeypatch.chdir(shop / "definitions")
    ran = kpi("schema", "--write")
    assert ran.code == 0
    assert ran.out.split() == ["Wrote", "../.kpi/project.schema.json", "Wrote", "../.kpi/definitions.schema.json"]
    assert "kpi.yaml               # yaml-language-server: $schema=.kpi/project.schema.json\n" in ran.err
    assert "definitions/kpis.yaml  # yaml-language-server: $schema=../.kpi/definitions.schema.json\n" in ran.err
    new = {file.name: file for file in shop.rglob("*") if file.suffix == ".json" and file not in before}
    assert new.keys() == {"project.schema.json", "definitions.schema.json"}
    for kind in ("project", "definitions"):
        text = new[f"{kind}.schema.json"].read_text(encoding="utf-8")
        assert json.loads(text) == kpi_engine.schema(kind, shop)
        assert str(shop) not in text
    new["project.schema.json"].write_text("old", encoding="utf-8")
    assert kpi("schema", "--write").code == 0
    assert json.loads(new["project.schema.json"].read_text(encoding="utf-8")) == kpi_engine.schema("project", shop)
    assert kpi("check", "..").out == "No mistakes in 6 KPIs and 1 dataset\n"


@pytest.mark.parametrize(
    ("args", "code", "why"),
    [
        ([], 3, "`--write` to write both"),
        (["definitions", "--write"], 3, "`--write` to write both"),
        (["kpis"], 3, "'definitions', 'project'"),
        (["project", "--project", "nowhere"], 2, "no_project"),
        (["--write", "--project", "data"], 2, "no_project"),
    ],
)
@pytest.mark.usefixtures("shop")
def test_what_cannot_be_done_is_said(kpi, args, code, why):
    ran = kpi("schema", *args)
    assert (ran.code, ran.out) == (code, "")
    assert why in ran.err


def test_outside_a_project_nothing_can_be_written(kpi, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ran = kpi("schema", "--write")
    assert ran.code == 2
    assert "no_project" in ran.err
    assert [*tmp_path.iterdir()] == []


def test_a_place_that_cannot_be_written_is_said(kpi, shop):
    (shop / ".kpi").write_text("in the way", encoding="utf-8")
    ran = kpi("schema", "--write")
    assert (ran.code, ran.out) == (2, "")
    assert "unwritable" in ran.err
    assert sorted(file.name for file in shop.iterdir()) == [".kpi", "data", "definitions", "kpi.yaml"]


def test_a_new_project_is_ready_for_editors(kpi, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "visits.csv").write_text("id,day\n1,2026-01-05\n2,2026-01-06\n", encoding="utf-8")
    for args in (["shop"], ["own", "--from", "visits.csv"]):
        assert kpi("init", *args).code == 0
        root = tmp_path / args[0]
        for file in root.rglob("*.yaml"):
            comment, _, path = file.read_text(encoding="utf-8").partition("\n")[0].partition("$schema=")
            assert comment == "# yaml-language-server: "
            kind = "project" if file.name == "kpi.yaml" else "definitions"
            assert json.loads((file.parent / path).read_text(encoding="utf-8")) == kpi_engine.schema(kind)
