"""A project loaded from its folder or its file: what belongs to it, and what cannot be read."""

from __future__ import annotations

import os
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_engine.definitions import load
from kpi_engine.errors import DefinitionError, KpiError

KPI = "{inputs: [page_views], formula: count(page_views)}"
DATASETS = "datasets:\n  page_views: {table: web_page_view, key: id, time: viewed_at}\n"


def found(project) -> list[tuple[str, str]]:
    return [(each.code, each.subject) for each in project.diagnostics]


def texts(project) -> str:
    return "\n".join(str(each) for each in project.diagnostics)


def test_a_whole_write_project(write_project):
    root = write_project(
        {
            "definitions/data.yaml": DATASETS + "parameters:\n  factor: {type: number, default: 0.5}\n",
            "definitions/seo/kpis.yml": f"kpis:\n  visits: {KPI}\nroles:\n  seo: {{group: web}}\ngroups:\n  web:\n",
            "definitions/notes.txt": "not: [a definition",
        },
        settings="project: acme\nlanguage: fr\ncalendar: {timezone: Europe/Paris}\nparameters: {factor: 2}\n"
        "sources:\n  web: {plugin: files, path: data, nested: [1, {a: b}]}\n",
    )
    loaded = load(root)
    assert found(loaded) == []
    assert loaded.broken == frozenset()
    assert loaded.root == root
    assert (loaded.settings.project, loaded.settings.language) == ("acme", "fr")
    assert loaded.settings.calendar.timezone == "Europe/Paris"
    assert loaded.settings.sources["web"].model_dump(exclude={"sync"}) == {
        "plugin": "files",
        "path": "data",
        "nested": [1, {"a": "b"}],
    }
    assert loaded.settings.parameters == {"factor": 2}
    assert loaded.datasets["page_views"].key == ("id",)
    assert loaded.datasets["page_views"].time.column == "viewed_at"
    assert loaded.kpis["visits"].inputs["page_views"].from_ == "page_views"
    assert loaded.roles["seo"].group == "web"
    assert list(loaded.groups) == ["web"]
    assert loaded.parameters["factor"].default == 0.5
    assert loaded.origins[("kpis", "visits")] == str(root / "definitions" / "seo" / "kpis.yml")


def test_the_folder_the_file_and_another_name_are_the_same_write_project(write_project):
    root = write_project({"definitions/a.yaml": f"kpis:\n  visits: {KPI}\n", "other.yaml": "project: other\n"})
    assert load(root) == load(str(root)) == load(root / "kpi.yaml")
    other = load(root / "other.yaml")
    assert other.settings.project == "other"
    assert list(other.kpis) == ["visits"]


def test_paths_are_shown_as_the_user_gave_them(write_project, monkeypatch):
    root = write_project({"definitions/a.yaml": "kpis:\n  visits:\n"})
    monkeypatch.chdir(root)
    assert load(".").diagnostics[0].place.file == os.path.join("definitions", "a.yaml")  # noqa: PTH118


def test_there_is_no_write_project(tmp_path):
    with pytest.raises(DefinitionError) as caught:
        load(tmp_path)
    assert caught.value.code == "no_project"
    assert "kpi init" in caught.value.hint
    with pytest.raises(DefinitionError) as caught:
        load(tmp_path / "no" / "where")
    assert caught.value.code == "no_project"
    (tmp_path / "kpi.yml").write_text("project: x\n")
    with pytest.raises(DefinitionError, match="rename"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"\xff\xfep\x00", "not_utf8"), (b"#" * 1_100_000, "too_large"), (b"project: \xe9", "not_utf8")],
)
def test_a_project_file_that_is_no_text_raises(tmp_path, data, code):
    (tmp_path / "kpi.yaml").write_bytes(data)
    with pytest.raises(DefinitionError) as caught:
        load(tmp_path)
    assert caught.value.code == code


@pytest.mark.parametrize("name", ["a\0b", "x" * 5_000, "", "\ud800"])
def test_a_name_no_file_can_have_is_no_write_project(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DefinitionError) as caught:
        load(name)
    assert caught.value.code == "no_project"


def test_mistakes_in_the_project_file_leave_the_definitions_readable(write_project):
    root = write_project(
        {"definitions/a.yaml": f"kpis:\n  visits: {KPI}\n  Bad: {KPI}\n"}, settings="project: acme\nx: 'a' b\n"
    )
    loaded = load(root)
    assert list(loaded.kpis) == ["visits"]
    assert found(loaded) == [("yaml_syntax", "project"), ("bad_name", "kpi Bad")]
    assert loaded.settings.project == "acme"


def test_an_unreadable_project_file_is_blamed_for_nothing_else(write_project):
    assert found(load(write_project({}, settings="a: 'b' c\n"))) == [("yaml_syntax", "project")]


def test_each_setting_fails_alone(write_project):
    root = write_project(
        {"definitions/a.yaml": "parameters:\n  x: {type: text}\n"},
        settings="project: acme\nlanguage: de\ncalendar: {timezone: UTC, week: monday}\n"
        "sources: {a: {plugin: files}, b: {path: x}}\nparameters: {x: y}\n",
    )
    loaded = load(root)
    assert found(loaded) == [("bad_value", "project"), ("unknown_key", "project"), ("missing_key", "source b")]
    assert list(loaded.settings.sources) == ["a"]
    assert loaded.settings.parameters == {"x": "y"}


def test_files_come_in_order_and_hidden_ones_not_at_all(write_project):
    files = {
        f"definitions/{name}": f"kpis:\n  {kpi}: {KPI}\n"
        for name, kpi in [
            ("b.yaml", "k2"),
            ("a/z.yaml", "k1"),
            ("c.yml", "k3"),
            (".x.yaml", "k4"),
            (".git/a.yaml", "k5"),
        ]
    }
    files |= {"definitions/sample/kpi.yaml": "project: sample\n", "definitions/sample/x.yaml": f"kpis:\n  k6: {KPI}\n"}
    assert list(load(write_project(files)).kpis) == ["k1", "k2", "k3"]


def test_definitions_may_name_single_files_and_the_root(write_project):
    files = {"a.yaml": f"kpis:\n  k1: {KPI}\n", "d/b.yaml": f"kpis:\n  k2: {KPI}\n"}
    assert list(load(write_project(files, settings="project: x\ndefinitions: a.yaml\n")).kpis) == ["k1"]
    assert list(load(write_project(files, settings="project: x\ndefinitions: [d, a.yaml, d/b.yaml, d]\n")).kpis) == [
        "k2",
        "k1",
    ]
    loaded = load(write_project(files, settings="project: x\ndefinitions: .\n"))
    assert (list(loaded.kpis), found(loaded)) == (["k1", "k2"], [])


def test_a_missing_folder_is_said_with_the_packs_there_are(write_project, shelf):  # noqa: ARG001
    loaded = load(write_project({}, settings="project: x\ndefinitions: [bas]\n"))
    assert found(loaded) == [("unknown_pack", "file bas")]
    assert "did you mean `base`?" in texts(loaded)
    assert found(load(write_project({}, settings="project: x\n"))) == [("unknown_pack", "file definitions")]


def test_a_name_that_is_a_folder_and_a_pack_is_ambiguous(write_project, shelf):  # noqa: ARG001
    root = write_project({"base/a.yaml": f"kpis:\n  visits: {KPI}\n"}, settings="project: x\ndefinitions: [base]\n")
    assert found(load(root)) == [("ambiguous_pack", "file base")]
    assert not load(root).kpis


@pytest.mark.parametrize("name", ["../other", "/etc", "definitions/../../other", ".."])
def test_nothing_outside_the_project_is_read(write_project, tmp_path, name):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "secret.yaml").write_text(f"kpis:\n  secret: {KPI}\n")
    loaded = load(write_project({}, settings=f"project: x\ndefinitions: ['{name}']\n"))
    assert [each.code for each in loaded.diagnostics] == ["outside_project"]
    assert not loaded.kpis


def test_links_out_of_the_project_are_refused_and_links_inside_followed_once(write_project, tmp_path):
    root = write_project({"definitions/a.yaml": f"kpis:\n  k1: {KPI}\n", "more/b.yaml": f"kpis:\n  k2: {KPI}\n"})
    (tmp_path / "secret.yaml").write_text(f"kpis:\n  secret: {KPI}\n")
    (root / "definitions" / "link.yaml").symlink_to(tmp_path / "secret.yaml")
    (root / "definitions" / "out").symlink_to(tmp_path)
    (root / "definitions" / "in").symlink_to(root / "more")
    (root / "definitions" / "loop").symlink_to(root / "definitions")
    loaded = load(root)
    assert sorted(loaded.kpis) == ["k1", "k2"]
    assert [each.code for each in loaded.diagnostics] == ["outside_project", "outside_project"]


def test_what_cannot_be_read_is_said_and_the_rest_loads(write_project):
    root = write_project({"definitions/a.yaml": f"kpis:\n  k1: {KPI}\n", "definitions/b.yaml": ""})
    (root / "definitions" / "gone.yaml").symlink_to(root / "nothing.yaml")
    os.mkfifo(root / "definitions" / "pipe.yaml")
    loaded = load(root)
    assert list(loaded.kpis) == ["k1"]
    assert [each.code for each in loaded.diagnostics] == ["empty_file", "unreadable", "unreadable"]


def test_a_file_with_a_syntax_error_stops_no_other(write_project):
    files = {"definitions/a.yaml": f"kpis:\n  k1: {KPI}\n", "definitions/b.yaml": "kpis:\n  k2: 'x' y\n"}
    loaded = load(write_project(files))
    assert list(loaded.kpis) == ["k1"]
    (mistake,) = loaded.diagnostics
    assert mistake.subject == f"file {loaded.root / 'definitions' / 'b.yaml'}"


def test_a_project_larger_than_any_is_not_read_to_its_end(write_project, monkeypatch):
    monkeypatch.setattr("kpi_engine.definitions.loading.PROJECT_BYTES", 150)
    files = {f"definitions/{name}.yaml": f"kpis:\n  {name}: {KPI}\n#{'x' * 60}\n" for name in "abc"}
    loaded = load(write_project(files))
    assert list(loaded.kpis) == ["a"]
    assert [each.code for each in loaded.diagnostics] == ["project_too_large"]


PIECES = st.lists(
    st.sampled_from(
        ["kpis:\n", "datasets:\n", "  a:\n", "  b: ", "    inputs: ", "    formula: ", "    where: ", "{from: x, where: y}", "[a, b]", "'", "\n",
         "    label: {en: x}\n", "    columns:\n", "      c: ", "5", "~", "true", "{", "}", "<<: ", "*x", "&y ", "  __x:\n", "parameters:\n",
         "    type: date\n", "    override: true\n", "    window: 1\n", "    joins: ", "    time: ", "    dimensions: ", "#", " ", "é", "1e999"]
    ),
    max_size=25,
).map("".join)  # fmt: skip


@given(settings=st.one_of(PIECES, st.text(string.printable)), definitions=st.one_of(PIECES, st.text()))
def test_no_text_raises_anything_but_our_errors(tmp_path_factory, settings, definitions):
    root = tmp_path_factory.mktemp("any")
    (root / "definitions").mkdir()
    (root / "kpi.yaml").write_bytes(settings.encode("utf-8", "surrogatepass"))
    (root / "definitions" / "a.yaml").write_bytes(definitions.encode("utf-8", "surrogatepass"))
    try:
        loaded = load(root)
    except KpiError as error:
        assert str(error)  # noqa: PT017
        return
    assert "\n".join(str(each) for each in loaded.diagnostics) or not loaded.broken
    assert all(each.subject for each in loaded.diagnostics)
