"""`kpi plugins new`: what it writes is installed as pip does it, keeps the rules of its kind, and is clean."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

import kpi_engine
from kpi_engine.cli.commands import kpi
from kpi_engine.errors import KpiError
from kpi_engine.starters import KINDS, starter, write

HERE = Path(kpi_engine.__file__).parents[1]
WORDS = {"source": "shop", "output": "chat-list", "transform": "word_count", "pack": "web"}
"""One word of each form."""


def run(*command, cwd, path=(), **more):
    environment = {name: value for name, value in os.environ.items() if name != "KPI_DISABLE_PLUGINS"}
    found = [*map(str, path), str(HERE), *filter(None, [os.environ.get("PYTHONPATH", "")])]
    environment |= {"PYTHONPATH": os.pathsep.join(found), **more}
    done = subprocess.run(
        [sys.executable, "-m", *map(str, command)],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def generated(tmp_path, monkeypatch):
    """Write a package with the command, and give its folder."""
    monkeypatch.chdir(tmp_path)

    def make(kind, word):
        ran = CliRunner().invoke(kpi, ["plugins", "new", word, "--kind", kind])
        assert ran.exit_code == 0, ran.stderr
        folder = tmp_path / f"kpi-{kind}-{word.replace('_', '-')}"
        wrote = [line.removeprefix("Wrote ") for line in ran.stdout.splitlines()]
        files = sorted(str(file.relative_to(tmp_path)) for file in folder.rglob("*") if file.is_file())
        assert sorted(wrote) == files
        return folder

    return make


@pytest.mark.parametrize("kind", KINDS)
def test_a_package_as_generated_is_installed_and_passes_its_tests(generated, tmp_path, kind):
    word, site = WORDS[kind], tmp_path / "site"
    folder = generated(kind, word)
    pip = ["pip", "install", "-q", "--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    code, said = run(*pip, "--target", site, folder, cwd=tmp_path)
    assert code == 0, said
    code, said = run("pytest", "-q", "-p", "no:cacheprovider", cwd=folder, path=[site])
    assert code == 0, said
    assert " passed" in said
    assert "skipped" not in said
    code, said = run("kpi_engine", "plugins", "check", folder.name, cwd=tmp_path, path=[site])
    assert (code, said) == (0, "No mistakes in 1 plugin\n")
    code, said = run("kpi_engine", "plugins", "show", word, "--output", "json", cwd=tmp_path, path=[site])
    (found,) = [each for each in json.loads(said)["plugins"] if each["distribution"] == folder.name]
    assert (found["status"], found["version"]) == ("ok", "0.1.0")
    assert [(each["kind"], each["word"]) for each in found["provides"]] == [(kind, word)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("word", ["x", "a-name-as-long-as-any_may-be-3"])
def test_a_package_as_generated_is_clean(generated, kind, word):
    pytest.importorskip("ruff")
    folder = generated(kind, word)
    assert run("ruff", "check", ".", cwd=folder) == (0, "All checks passed!\n")
    code, said = run("ruff", "format", "--check", ".", cwd=folder)
    assert code == 0, said
    assert tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]["name"] == folder.name


def test_packages_as_generated_have_their_types(generated, tmp_path):
    pytest.importorskip("mypy")
    folders = [generated(kind, WORDS[kind]) for kind in KINDS if kind != "pack"]
    modules = [each for folder in folders for each in ("-p", folder.name.replace("-", "_"))]
    places = [*folders, *([] if "site-packages" in HERE.parts else [HERE])]
    settings = folders[0] / "pyproject.toml"
    assert "strict = true" in settings.read_text(encoding="utf-8")
    code, said = run(
        "mypy", "--config-file", settings, *modules, cwd=tmp_path, MYPYPATH=os.pathsep.join(map(str, places)),
        MYPY_CACHE_DIR=str(tmp_path / "cache"),
    )  # fmt: skip
    assert (code, said) == (0, "Success: no issues found in 6 source files\n")


def refused(*arguments):
    ran = CliRunner().invoke(kpi, ["plugins", "new", *arguments])
    return ran.exit_code, ran.stderr


class TestRefused:
    @pytest.mark.parametrize(
        "word", ["Shop", "1shop", "shop!", "../shop", "sh op", "é", "-x", "x-", "x--y", "", "x" * 31]
    )
    def test_what_is_no_name(self, tmp_path, monkeypatch, word):
        monkeypatch.chdir(tmp_path)
        code, said = refused("--kind", "source", "--", word)
        assert code == 3
        assert said.startswith("error[bad_name]")
        assert "as `shop` or `ad-server`" in said
        assert not list(tmp_path.iterdir())

    @pytest.mark.parametrize(
        ("kind", "word"), [("source", "files"), ("output", "csv"), ("transform", "pagerank"), ("pack", "marketing")]
    )
    def test_a_word_that_ships(self, kind, word):
        assert refused(word, "--kind", kind) == (
            3,
            f"error[bad_name]: the {kind} `{word}` is there already: it is built in\n      = choose another name\n",
        )
        assert starter("output" if kind == "source" else "source", word).word == word

    def test_a_word_that_yaml_takes_for_something_else(self):
        assert refused("no", "--kind", "pack")[1].startswith("error[bad_name]: `no` is no text where YAML is read")

    def test_nothing_is_overwritten(self, generated, tmp_path):
        folder = generated("source", "shop")
        (folder / "README.md").write_text("my own words")
        code, said = refused("shop", "--kind", "source")
        assert code == 2
        assert said.startswith("error[folder_not_empty]: kpi-source-shop is not empty: nothing was written")
        assert (folder / "README.md").read_text() == "my own words"
        assert refused("shop", "--kind", "source", "--into", "kpi-source-shop/README.md")[0] == 2
        assert sorted(each.name for each in tmp_path.iterdir()) == ["kpi-source-shop"]

    def test_half_a_package_is_none(self, tmp_path, monkeypatch):
        made = starter("source", "shop")
        monkeypatch.setattr("kpi_engine.starters.write_text", lambda *_: (_ for _ in ()).throw(OSError(28, "full")))
        with pytest.raises(KpiError, match="full"):
            write(made, tmp_path / "shop")
        assert not list(tmp_path.iterdir())

    def test_a_kind_is_needed(self):
        code, said = refused("shop")
        assert code == 3
        assert "--kind" in said


def test_a_name_with_the_prefix_of_the_convention_is_the_word_after_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ran = CliRunner().invoke(kpi, ["plugins", "new", "kpi-source-shop", "--kind", "source", "--into", "here", "-q"])
    assert ran.exit_code == 0
    assert ran.stderr == ""
    assert 'shop = "kpi_source_shop"' in (tmp_path / "here" / "pyproject.toml").read_text(encoding="utf-8")
