"""Definitions that are kept are those that were read, with every place; what has changed is read again."""

import shutil
from pathlib import Path

import pytest

from kpi_engine.cache import Cache
from kpi_engine.definitions import load

MARKETING = """\
project: acme
label: {en: Acme, fr: Acmé}
calendar: {timezone: Europe/Paris}
definitions: [definitions, marketing]
parameters: {own_domain: acme.example, share: 0.25}
"""
OWN = """\
parameters:
  share: {type: number}
roles:
  nobody:
datasets:
  days: {sql: "select 1 as a,\\n 2 as b", key: a, dimensions: [a, b]}
kpis:
  own: {inputs: [days], formula: sum(b) * :share, label: Été}
"""
MAPPINGS = ("datasets", "roles", "groups", "kpis", "parameters", "origins")


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "project"
    (folder / "definitions" / "below").mkdir(parents=True)
    (folder / "kpi.yaml").write_text(MARKETING, encoding="utf-8")
    (folder / "definitions" / "below" / "own.yaml").write_text(OWN, encoding="utf-8")
    return folder


@pytest.fixture
def cache(tmp_path):
    return Cache(tmp_path / "cache")


@pytest.fixture
def reads(monkeypatch):
    """Count the files that are parsed."""
    from kpi_engine.definitions import keeping, loading, yaml

    found = []
    before = yaml.read

    def read(data, file):
        found.append(Path(file).name)
        return before(data, file)

    monkeypatch.setattr(loading, "read", read)
    monkeypatch.setattr(yaml, "read", read)
    assert keeping
    return found


def test_what_is_kept_is_what_was_read(project, cache, reads):
    first = load(project, cache)
    assert first.diagnostics == ()
    reads.clear()
    again = load(project, cache)
    assert reads == []
    for name in MAPPINGS:
        assert dict(getattr(again, name)) == dict(getattr(first, name))
        assert list(getattr(again, name)) == list(getattr(first, name))
    assert (again.settings, again.root, again.fingerprint) == (first.settings, first.root, first.fingerprint)
    assert (again.diagnostics, again.broken) == ((), frozenset())


def test_a_model_is_made_when_it_is_asked_for(project, cache):
    load(project, cache)
    kpis = load(project, cache).kpis
    assert kpis["own"] is kpis["own"]
    assert "own" in kpis
    assert "other" not in kpis
    with pytest.raises(KeyError):
        kpis["other"]


def test_places_are_those_that_were_read_and_are_looked_up_when_asked_for(project, cache, reads):
    first = load(project, cache).places
    reads.clear()
    again = load(project, cache).places
    assert again.within(("kpis", "own", "formula"), 4, 1) == first.within(("kpis", "own", "formula"), 4, 1)
    assert again.key("kpis", "own", "label") == first.key("kpis", "own", "label")
    assert again.value("datasets", "days", "sql") == first.value("datasets", "days", "sql")
    assert reads == ["own.yaml"]
    assert again.value("project", "calendar", "timezone") == first.value("project", "calendar", "timezone")
    assert again.key("sources") == first.key("sources")
    assert again.key("kpis", "visits", "formula") == first.key("kpis", "visits", "formula")
    assert "marketing/kpis" in again.key("kpis", "visits", "formula").file


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: replace(folder / "definitions" / "below" / "own.yaml", "sum(b)", "max(b)"),
        lambda folder: replace(folder / "kpi.yaml", "0.25", "0.5"),
        lambda folder: replace(folder / "kpi.yaml", ", marketing]", "]"),
        lambda folder: (folder / "definitions" / "more.yml").write_text("roles: {more: }"),
        lambda folder: (folder / "definitions" / "below" / "own.yaml").rename(folder / "definitions" / "a.yaml"),
        lambda folder: shutil.rmtree(folder / "definitions" / "below"),
        lambda folder: replace(folder / "definitions" / "below" / "own.yaml", "kpis:", "kips:"),
    ],
    ids=["formula", "settings", "entries", "added", "renamed", "removed", "mistake"],
)
def test_what_has_changed_is_read_again(project, cache, change):
    load(project, cache)
    change(project)
    expected, found = load(project), load(project, cache)
    assert found.diagnostics == expected.diagnostics
    assert found.settings == expected.settings
    assert found.fingerprint == expected.fingerprint
    for name in MAPPINGS:
        assert dict(getattr(found, name)) == dict(getattr(expected, name))


def replace(file, old, new):
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def test_a_project_with_a_mistake_is_not_kept(project, cache, reads):
    replace(project / "definitions" / "below" / "own.yaml", "type: number", "type: nmber")
    first = load(project, cache)
    reads.clear()
    assert load(project, cache).diagnostics == first.diagnostics != ()
    assert "own.yaml" in reads


def test_the_same_files_in_two_places_are_two_projects(project, cache, tmp_path):
    shutil.copytree(project, tmp_path / "copy")
    for folder in (project, tmp_path / "copy", project, tmp_path / "copy"):
        found = load(folder, cache)
        assert found.root == folder
        assert Path(found.places.key("kpis", "own").file).is_relative_to(folder)
        assert found.origins["kpis", "own"] == str(folder / "definitions" / "below" / "own.yaml")
