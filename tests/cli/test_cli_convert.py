"""`kpi convert`: what a format reads becomes definition files that mean the same, and nothing is replaced."""

from __future__ import annotations

from textwrap import dedent

import pytest

import kpi_engine

FORMAT = '''
    from pydantic import BaseModel, ConfigDict
    from kpi_engine.api import Diagnostic, Imported, Place, hookimpl

    class Options(BaseModel):
        model_config = ConfigDict(extra="forbid")

    class Lines:
        """A KPI a line: its name and its formula."""
        name = "lines"
        Config = Options
        suffixes = (".lines",)
        def __init__(self, config): self.config = config
        def read(self, texts):
            kpis, said = {}, []
            for file, text in texts.items():
                for number, line in enumerate(text.splitlines(), 1):
                    name, _, formula = line.partition("=")
                    if formula:
                        kpis[name] = {"inputs": ("rows",), "formula": formula, "label": "no: a # label", "description": "two\\nlines"}
                    else:
                        said.append(Diagnostic("not_carried_over", f"`{name}` is no KPI", Place(file, number, 1), "give it a formula"))
            datasets = {"rows": {"table": "rows", "key": "id", "time": "day", "dimensions": {"channel": None}}} if kpis else {}
            definitions = {"datasets": datasets, "kpis": kpis, "calendar": {"week_start": "sunday"}} if kpis else {}
            return Imported(definitions, tuple(said))

    @hookimpl
    def formats():
        return [Lines]
'''


@pytest.fixture
def lines(tmp_path, monkeypatch):
    """Install the format, and stand in an empty folder with a file of it."""
    site = tmp_path / "site"
    info = site / "kpi_format_lines-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "planted_lines.py").write_text(dedent(FORMAT), encoding="utf-8")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: kpi-format-lines\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text("[kpi_engine]\nlines = planted_lines\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(site))
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    file = here / "theirs.lines"
    file.write_text("visits=count(rows)\nmail=count(rows) filter (where channel = 'mail')\n", encoding="utf-8")
    return file


def test_what_is_written_means_what_was_read(kpi, lines):
    ran = kpi("convert", "lines", "theirs.lines")
    assert (ran.code, ran.out) == (0, "Wrote definitions/datasets.yaml\nWrote definitions/kpis.yaml\n")
    assert "Add this to kpi.yaml:\n\ncalendar:\n  week_start: sunday" in ran.err
    (lines.parent / "kpi.yaml").write_text(
        "project: read\nsources: {data: {plugin: files, path: data}}\n", encoding="utf-8"
    )
    (lines.parent / "data").mkdir()
    (lines.parent / "data" / "rows.csv").write_text(
        "id,day,channel\n1,2026-01-01,mail\n2,2026-01-02,ads\n", encoding="utf-8"
    )
    with kpi_engine.open(lines.parent) as engine:
        assert engine.check() == []
        found = engine.run(["visits", "mail"], period="2026-01", as_of="2026-02-01").totals()
        assert found == {"visits": 2, "mail": 1}
        read = engine.project.kpis["mail"]
        assert (read.label, read.description) == ({"": "no: a # label"}, {"": "two\nlines"})


def test_what_cannot_be_carried_over_is_said_with_its_place_and_the_rest_is_written(kpi, lines):
    lines.write_text("visits=count(rows)\nnothing\n", encoding="utf-8")
    ran = kpi("convert", "lines", "theirs.lines", "--output", "ours")
    assert ran.code == 1
    assert ran.out == "Wrote ours/datasets.yaml\nWrote ours/kpis.yaml\n"
    assert "error[not_carried_over]" in ran.err
    assert "theirs.lines:2:1" in ran.err
    assert "1 thing could not be carried over." in ran.err


def test_nothing_to_write(kpi, lines):
    lines.write_text("nothing\n", encoding="utf-8")
    ran = kpi("convert", "lines", "theirs.lines")
    assert (ran.code, ran.out) == (1, "Nothing was found to be carried over.\n")
    assert not (lines.parent / "definitions").exists()


def test_a_file_that_is_there_is_not_replaced(kpi, lines):
    ours = lines.parent / "definitions"
    ours.mkdir()
    (ours / "kpis.yaml").write_text("kpis: {}\n", encoding="utf-8")
    ran = kpi("convert", "lines", "theirs.lines")
    assert ran.code == 2
    assert "error[file_exists]" in ran.err
    assert [each.name for each in ours.iterdir()] == ["kpis.yaml"]
    assert (ours / "kpis.yaml").read_text(encoding="utf-8") == "kpis: {}\n"


@pytest.mark.usefixtures("lines")
def test_an_unknown_format_and_a_folder_without_files(kpi):
    assert kpi("convert", "rows", ".").code == 2
    ran = kpi("convert", "lines", "elsewhere")
    assert "error[nothing_to_import]" in ran.err
