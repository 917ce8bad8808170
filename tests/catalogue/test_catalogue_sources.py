"""What is wrong with sources, plugins and data is said once, however many datasets read them."""

from __future__ import annotations

import shutil

import pytest
from marked import write_project

import kpi_engine

SOURCES = {
    "an unknown default source": (
        "sources: {web: {plugin: files, path: data}}\ndefault_source: ⟨unknown_source:wbe⟩\n",
        "`web`",
    ),
    "an unknown plugin": ("sources: {web: {plugin: ⟨unknown_plugin:flies⟩, path: data}}\n", "files"),
    "unknown settings": ("sources: {web: {plugin: files, path: data, ⟨bad_settings:delimeter⟩: ','}}\n", "delimiter"),
    "an unknown setting of a table": (
        "sources: {web: {plugin: files, path: data, tables: {leads: {⟨bad_settings:delimeter⟩: ','}}}}\n",
        "it takes",
    ),
    "a folder that is not there": (
        "sources: {web: {plugin: files, path: ⟨missing_folder:dat⟩}}\n",
        "relative to the project",
    ),
    "a time zone": (
        "sources: {web: {plugin: files, path: data}}\ncalendar: {timezone: ⟨unknown_timezone:Europe/Pari⟩}\n",
        "Europe/Paris",
    ),
}


@pytest.mark.parametrize("case", SOURCES)
def test_a_mistake_in_the_settings(check, case):
    text, hint = SOURCES[case]
    (found,) = check(**{"kpi.yaml": "project: test\n" + text})
    assert hint in found.hint
    assert found.severity == ("warning" if found.code == "missing_folder" else "error")


def test_datasets_without_a_source(tmp_path):
    write_project(tmp_path, {"kpi.yaml": "project: test\n"})
    with kpi_engine.open(tmp_path) as engine:
        (found,) = engine.check()
    assert found.code == "no_source"


def test_a_choice_of_sources_without_a_default(tmp_path):
    write_project(
        tmp_path,
        {"kpi.yaml": "project: test\nsources: {a: {plugin: files, path: data}, b: {plugin: files, path: data}}\n"},
    )
    with kpi_engine.open(tmp_path) as engine:
        (found,) = engine.check()
    assert found.code == "no_source"
    assert "default_source" in found.hint


def test_a_missing_file_is_a_warning_of_each_dataset_that_reads_it(tmp_path):
    write_project(tmp_path, {"definitions/own.yaml": "datasets:\n  shaped: {sql: select * from page_views}\n"})
    (tmp_path / "data" / "page_views.csv").unlink()
    with kpi_engine.open(tmp_path) as engine:
        found = engine.check()
    assert [(d.code, d.severity, d.subject) for d in found] == [("missing_file", "warning", "dataset page_views")]


def test_a_file_that_comes_later_is_seen(tmp_path):
    write_project(tmp_path, {})
    file = tmp_path / "data" / "leads.csv"
    shutil.move(file, tmp_path / "leads.csv")
    with kpi_engine.open(tmp_path) as engine:
        assert [d.code for d in engine.check()] == ["missing_file"]
        shutil.move(tmp_path / "leads.csv", file)
        assert engine.check() == []
        assert engine.run("revenue").rows() == [{"revenue": pytest.approx(30.5)}]
        assert engine.check() == []


def test_an_unknown_transform_says_what_to_install(tmp_path):
    write_project(tmp_path, {"definitions/own.yaml": "datasets:\n  own: {transform: sentiment, from: leads}\n"})
    with kpi_engine.open(tmp_path) as engine:
        (found,) = engine.check()
    assert found.code == "unknown_plugin"
    assert "install" in found.hint


@pytest.mark.parametrize(
    ("options", "code", "text"),
    [
        ("{⟨bad_settings:dampng⟩: 0.5}", "bad_settings", "damping"),
        ("{damping: ⟨bad_settings:much⟩}", "bad_settings", "number"),
    ],
)
def test_bad_options_of_a_transform(tmp_path, options, code, text):
    write_project(
        tmp_path,
        {"definitions/own.yaml": f"datasets:\n  own: {{transform: pagerank, from: leads, options: {options}}}\n"},
    )
    with kpi_engine.open(tmp_path) as engine:
        (found,) = engine.check()
    assert found.code == code
    assert text in found.message + found.hint
    assert found.place is not None
    wrong = options.partition("⟨bad_settings:")[2].partition("⟩")[0]
    assert (found.place.length, found.place.text[found.place.column - 1 :][: len(wrong)]) == (len(wrong), wrong)


def test_a_transform_that_does_not_find_its_columns(check):
    found = check(
        "datasets:\n"
        "  own: {transform: ⟨unknown_column:pagerank⟩, from: leads, options: {target: channel}}\n"
        "  other: {transform: pagerank, from: leads, options: {source: channel, target: ⟨unknown_column:chanel⟩}}\n"
    )
    assert "reads the column `source`" in found[0].message
    assert found[1].hint == "did you mean `channel`?"


def test_definitions_without_places_say_what_they_are_about():
    definitions = {
        "kpis": {
            "a": {"inputs": ["visits"], "formula": "visits *"},
            "visits": {"inputs": ["nothing"], "formula": "count(nothing)"},
        }
    }
    with kpi_engine.open(definitions, {}) as engine:
        found = engine.check()
    assert [d.message for d in found] == [
        "kpi `a`, formula: after `*` a value is missing",
        "kpi `visits`, inputs.nothing.from: there is no dataset or KPI `nothing`",
    ]
