from __future__ import annotations

import csv
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import kpi_engine
from kpi_engine.definitions import load
from kpi_engine.errors import OutputError
from kpi_engine.sample import NOTICE, project, write_project, write_starter
from kpi_engine.sample.folders import written_at_once


@pytest.fixture
def quick(monkeypatch):
    """The sample project with one small file instead of all its data."""
    written = []

    def write_data(folder):
        written.append(folder)
        (folder / "brand.csv").write_text(f"brand_id\n{len(written)}\n", encoding="utf-8")

    monkeypatch.setattr(project, "write_data", write_data)


def files_of(folder):
    return {str(file.relative_to(folder).as_posix()) for file in folder.rglob("*") if file.is_file()}


@pytest.mark.usefixtures("quick")
def test_the_sample_project_loads_without_a_mistake_and_says_what_it_is(tmp_path):
    write_project(tmp_path / "demo")
    loaded = load(tmp_path / "demo")
    assert [str(each) for each in loaded.diagnostics] == []
    assert loaded.settings.project == "acme_demo"
    assert loaded.settings.notice == NOTICE
    assert loaded.settings.calendar.timezone == "Europe/Paris"
    assert loaded.settings.currency == "EUR"
    assert {"visit_to_lead_rate", "webinar_signups", "social_roi"} <= set(loaded.kpis)


@pytest.mark.usefixtures("quick")
def test_the_sample_project_is_written_over_itself_and_keeps_what_was_changed(tmp_path):
    demo = tmp_path / "demo"
    write_project(demo)
    (demo / "definitions" / "acme.yaml").write_text("kpis: {}\n", encoding="utf-8")
    (demo / "report.html").write_text("mine", encoding="utf-8")
    write_project(demo)
    assert (demo / "data" / "brand.csv").read_text(encoding="utf-8") == "brand_id\n2\n"
    assert (demo / "definitions" / "acme.yaml").read_text(encoding="utf-8") == "kpis: {}\n"
    assert (demo / "report.html").read_text(encoding="utf-8") == "mine"
    assert files_of(demo) == {"kpi.yaml", "data/brand.csv", "definitions/acme.yaml", "report.html"}


@pytest.mark.usefixtures("quick")
def test_another_folder_is_left_alone(tmp_path):
    (tmp_path / "kpi.yaml").write_text("project: mine\n", encoding="utf-8")
    with pytest.raises(OutputError) as refused:
        write_project(tmp_path)
    assert refused.value.code == "folder_not_empty"
    assert refused.value.hint
    assert files_of(tmp_path) == {"kpi.yaml"}


@pytest.mark.usefixtures("quick")
def test_an_empty_folder_is_as_good_as_a_new_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_project(Path())
    assert files_of(tmp_path) == {"kpi.yaml", "data/brand.csv", "definitions/acme.yaml"}


def test_nothing_is_left_of_a_project_that_could_not_be_written(tmp_path, monkeypatch):
    def interrupted(folder):
        (folder / "brand.csv").write_text("half", encoding="utf-8")
        raise KeyboardInterrupt

    monkeypatch.setattr(project, "write_data", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_project(tmp_path / "demo")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_an_error_of_ours_and_leaves_nothing(tmp_path, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(project, "write_data", full)
    with pytest.raises(OutputError, match="No space left on device"):
        write_project(tmp_path / "demo")
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(OutputError) as refused:
        write_starter(tmp_path / "file" / "mine", "mine")
    assert refused.value.code == "unwritable"
    assert str(tmp_path / "file" / "mine") in refused.value.message
    with pytest.raises(OutputError) as refused:
        write_starter(tmp_path / "file", "mine")
    assert refused.value.code == "folder_not_empty"


@pytest.mark.parametrize("name", ["shop", 'the "best" shop: 100 %', "no", "2026", "Café d’été"])
def test_the_starter_loads_whatever_it_is_called(tmp_path, name):
    write_starter(tmp_path / "mine", name)
    loaded = load(tmp_path / "mine")
    assert [str(each) for each in loaded.diagnostics] == []
    assert loaded.settings.project == name
    assert set(loaded.kpis) == {"visits", "revenue_per_visit"}
    for_editors = {".kpi/project.schema.json", ".kpi/definitions.schema.json"}
    assert files_of(tmp_path / "mine") == {"kpi.yaml", "data/visits.csv", "definitions/first.yaml", *for_editors}


def test_the_starter_has_sixty_visits_and_some_things_missing(tmp_path):
    write_starter(tmp_path / "mine", "mine")
    with (tmp_path / "mine" / "data" / "visits.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len({row["visit_id"] for row in rows}) == len(rows) == 60
    assert {row["channel"] for row in rows} == {"search", "direct", "email", ""}
    assert {row["day"][:7] for row in rows} == {"2026-05", "2026-06"}
    assert sum(float(row["amount"]) for row in rows) > 0


def test_the_starter_refuses_a_folder_with_something_in_it(tmp_path):
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError) as refused:
        write_starter(tmp_path, "mine")
    assert refused.value.code == "folder_not_empty"
    assert files_of(tmp_path) == {"notes.txt"}


def test_files_of_a_folder_are_replaced_and_others_stay(tmp_path):
    target = tmp_path / "there"
    (target / "data").mkdir(parents=True)
    (target / "data" / "old.csv").write_text("old", encoding="utf-8")
    (target / "kpi.yaml").write_text("old", encoding="utf-8")
    with written_at_once(target) as scratch:
        (scratch / "kpi.yaml").write_text("new", encoding="utf-8")
        assert (target / "kpi.yaml").read_text(encoding="utf-8") == "old"
    assert (target / "kpi.yaml").read_text(encoding="utf-8") == "new"
    assert files_of(tmp_path) == {"there/kpi.yaml", "there/data/old.csv"}


def test_the_engine_accepts_and_computes_the_starter(tmp_path):
    write_starter(tmp_path / "mine", "mine")
    with kpi_engine.open(tmp_path / "mine") as engine:
        assert [str(each) for each in engine.check()] == []
        assert engine.run("visits", period="2026").rows() == [{"visits": 60}]
        assert engine.run("revenue_per_visit", period="2026").rows()[0]["revenue_per_visit"] > 0


def test_every_kpi_of_the_scorecards_has_a_value_in_the_last_quarter_and_before(tmp_path, data, monkeypatch):
    monkeypatch.setattr(project, "write_data", lambda folder: shutil.copytree(data.folder, folder, dirs_exist_ok=True))
    write_project(tmp_path / "demo")
    kpis = {name: kpi for name, kpi in load(tmp_path / "demo").kpis.items() if kpi.role}
    with kpi_engine.open(tmp_path / "demo") as engine:
        assert [str(each) for each in engine.check()] == []
        for split in {kpi.split for kpi in kpis.values()}:
            asked = [name for name, kpi in kpis.items() if kpi.split == split]
            compare = ["previous_period", "previous_year"]
            row = engine.run(asked, by=list(split), period="2026-Q2", compare=compare).rows()[0]
            assert [name for name, value in row.items() if value is None] == []


def test_importing_the_package_imports_nothing_heavy():
    code = "import sys, kpi_engine.sample; print(*{'duckdb', 'sqlglot', 'pydantic', 'pyarrow', 'arro3'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split() == []
