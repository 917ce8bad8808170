"""Packs that are installed are found by name, and nothing of them is imported."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from textwrap import dedent

import pytest
from click.testing import CliRunner

import kpi_engine
from kpi_engine.cli.commands import kpi
from kpi_engine.definitions import load, packs
from kpi_engine.plugins import Plugins

KPIS = """\
datasets:
  visits: {table: visits, key: id, time: day, columns: {day: {type: date}}}
kpis:
  visits_a_day: {inputs: [visits], formula: count(visits)}
"""
BOMB = "raise RuntimeError('a pack was imported')\n"


@pytest.fixture
def site(tmp_path, monkeypatch):
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    return folder


def install(site, name, package, *, distribution="", files=None):
    """Leave a pack as pip would."""
    distribution = distribution or f"kpi-pack-{name}"
    info = site / f"{distribution.replace('-', '_')}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\nSummary: KPIs of a web site.\n"
    )
    (info / "entry_points.txt").write_text(f"[kpi_engine.packs]\n{name} = {package}\n")
    for file, text in (files or {}).items():
        (site / file).parent.mkdir(parents=True, exist_ok=True)
        (site / file).write_text(text)


def web(site, **more):
    install(
        site, "web", "kpi_pack_web", files={"kpi_pack_web/kpis.yaml": KPIS, "kpi_pack_web/__init__.py": BOMB}, **more
    )


def codes(project):
    return [(each.code, each.hint) for each in project.diagnostics]


class TestFound:
    def test_a_project_names_it_and_has_its_kpis(self, site, write_project):
        web(site)
        data = write_project({"data/visits.csv": "id,day\n1,2026-01-01\n2,2026-01-02\n"}, settings=(
            "project: acme\ndefinitions: [web]\nsources:\n  data: {plugin: files, path: data}\n"
        ))  # fmt: skip
        with kpi_engine.open(data) as engine:
            assert engine.kpis() == ("visits_a_day",)
            assert [str(each) for each in engine.check()] == []
            assert engine.run("visits_a_day").rows() == [{"visits_a_day": 2}]
            assert engine.project.origins["kpis", "visits_a_day"] == "web"
        assert "kpi_pack_web" not in sys.modules

    def test_definitions_in_memory_may_name_it(self, site):
        web(site)
        with kpi_engine.open({"definitions": "web"}) as engine:
            assert engine.kpis() == ("visits_a_day",)

    def test_the_project_replaces_what_it_defines(self, site, write_project):
        web(site)
        own = {"definitions/own.yaml": KPIS[KPIS.index("kpis:") :].replace("{inputs", "{override: true, inputs")}
        project = load(write_project(own, settings="project: acme\ndefinitions: [definitions, web]\n"))
        assert codes(project) == []
        assert project.kpis["visits_a_day"].override

    def test_a_folder_in_a_package_without_any_code(self, site):
        install(site, "web", "kpi_pack_web.definitions", files={"kpi_pack_web/definitions/all.yaml": KPIS})
        assert packs.installed("web")[0].folder == site / "kpi_pack_web" / "definitions"

    def test_a_change_of_its_files_is_seen_by_the_next_command(self, site, write_project):
        web(site)
        root = write_project({}, settings="project: acme\ndefinitions: [web]\n")
        with kpi_engine.open(root) as engine:
            assert engine.kpis() == ("visits_a_day",)
        (site / "kpi_pack_web" / "kpis.yaml").write_text(KPIS.replace("visits_a_day", "visits_in_all"))
        with kpi_engine.open(root) as engine:
            assert engine.kpis() == ("visits_in_all",)

    def test_installing_one_changes_no_project_that_has_a_folder_of_its_name(self, site, write_project):
        root = write_project(
            {"web/own.yaml": KPIS.replace("visits_a_day", "own")}, settings="project: acme\ndefinitions: [web]\n"
        )
        web(site)
        project = load(root)
        assert codes(project) == []
        assert list(project.kpis) == ["own"]


class TestNotFound:
    def test_the_hint_names_the_package(self, write_project):
        ((code, hint),) = codes(load(write_project({}, settings="project: acme\ndefinitions: [web]\n")))
        assert code == "unknown_pack"
        assert "`pip install kpi-pack-web`" in hint

    @pytest.mark.parametrize("name", ["definitions", "Web", "we b", "x;rm"])
    def test_no_package_is_named_where_none_can_be_meant(self, write_project, name):
        found = codes(load(write_project({}, settings=f"project: acme\ndefinitions: ['{name}']\n")))
        assert found
        assert not any("pip" in hint for _, hint in found)

    def test_two_of_one_name(self, site, write_project):
        web(site)
        web(site, distribution="kpi-pack-other")
        ((code, hint),) = codes(load(write_project({}, settings="project: acme\ndefinitions: [web]\n")))
        assert (code, hint) == ("conflicting_pack", "uninstall one of them: `pip uninstall kpi-pack-web`")
        found = {each.distribution: each for each in Plugins(None).listing() if each.name == "web"}
        assert {each.status for each in found.values()} == {"conflict"}
        assert "`web` (kpi-pack-other 1.0), and neither is used" in found["kpi-pack-web"].error

    @pytest.mark.parametrize(
        ("package", "said"),
        [
            ("kpi_pack_gone", "there is no folder for its package `kpi_pack_gone`"),
            ("json", "there is no folder for its package `json.nothing`"),
            ("kpi_pack_gone:folder", "a package is expected"),
            ("../../etc", "a package is expected"),
        ],
    )
    def test_one_without_its_files(self, site, write_project, package, said):
        install(site, "web", "json.nothing" if package == "json" else package)
        project = load(write_project({}, settings="project: acme\ndefinitions: [web]\n"))
        assert [each.code for each in project.diagnostics] == ["broken_pack"]
        assert said in project.diagnostics[0].message

    def test_the_name_of_one_that_ships(self, site):
        install(site, "marketing", "kpi_pack_web", files={"kpi_pack_web/kpis.yaml": KPIS})
        with kpi_engine.open({"definitions": "marketing"}) as engine:
            assert "visits_a_day" not in engine.kpis()
        (info,) = [each for each in Plugins(None).listing() if each.distribution == "kpi-pack-marketing"]
        assert (info.status, info.error) == (
            "conflict", "the pack `marketing` is built in, and the built-in one is used",
        )  # fmt: skip


class TestCommands:
    def kpi(self, *args):
        ran = CliRunner().invoke(kpi, args)
        assert ran.exception is None or isinstance(ran.exception, SystemExit), ran.exception
        return ran.exit_code, ran.stdout

    def test_it_is_listed_and_shown(self, site, write_project, monkeypatch):
        web(site)
        monkeypatch.chdir(write_project({}, settings="project: acme\ndefinitions: [web]\n"))
        code, said = self.kpi("plugins", "list", "--output", "json")
        found = {each["name"]: each for each in json.loads(said)["plugins"]}
        assert code == 0
        assert found["web"]["provides"] == [{"kind": "pack", "word": "web"}]
        assert {"kind": "pack", "word": "marketing"} in found["builtin"]["provides"]
        code, said = self.kpi("plugins", "show", "web")
        assert code == 0
        assert said.splitlines()[:6] == [
            "web  ok", "From          kpi-pack-web 1.0", "Code          kpi_pack_web", "",
            "pack web", "KPIs of a web site.",
        ]  # fmt: skip
        assert f"Stands in     {site / 'kpi_pack_web'}" in re.sub(r"\n {14}", "", said)
        assert "Used by       definitions of kpi.yaml" in said
        assert "Used by       nothing in this project" in self.kpi("plugins", "show", "marketing")[1]

    def test_its_definitions_are_checked(self, site):
        web(site)
        assert self.kpi("plugins", "check", "web") == (0, "No mistakes in 1 plugin\n")
        (site / "kpi_pack_web" / "kpis.yaml").write_text(KPIS.replace("count(visits)", "cuont(visits)"))
        code, said = self.kpi("plugins", "check", "kpi-pack-web")
        assert code == 1
        assert f"{site}/kpi_pack_web/kpis.yaml:4:" in said
        install(site, "gone", "kpi_pack_gone")
        code, said = self.kpi("plugins", "check", "gone")
        assert code == 1
        assert "error[broken_pack]" in said


def test_one_that_pip_installs(tmp_path, write_project):
    source = tmp_path / "kpi-pack-shop"
    (source / "kpi_pack_shop").mkdir(parents=True)
    (source / "kpi_pack_shop" / "kpis.yaml").write_text(KPIS)
    (source / "pyproject.toml").write_text(
        dedent("""\
            [build-system]
            requires = ["hatchling"]
            build-backend = "hatchling.build"

            [project]
            name = "kpi-pack-shop"
            version = "0.1.0"

            [project.entry-points."kpi_engine.packs"]
            shop = "kpi_pack_shop"

            [tool.hatch.build.targets.wheel]
            packages = ["kpi_pack_shop"]
            """)
    )
    target = tmp_path / "installed"
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*pip, "--disable-pip-version-check", "--target", str(target), str(source)], check=True)
    root = write_project({}, settings="project: acme\ndefinitions: [shop]\n")
    program = f"import sys; sys.path.insert(0, {str(target)!r}); import kpi_engine; print(*kpi_engine.open({str(root)!r}).kpis())"
    ran = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout == "visits_a_day\n"
