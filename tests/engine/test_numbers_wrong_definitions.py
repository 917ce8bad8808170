"""The fourteenth of the wrong answers that other engines were seen to give: a definition that is wrong, and a mistake at the command line."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from number_projects import LATE

import kpi_engine
from kpi_engine.cli.commands import kpi as command

WRONG = """
datasets:
  visits: {table: visit, key: id, time: day}
kpis:
  visit_count: {inputs: [visits], formula: count(visits)}
  a:
    inputs: [visits]
    formula: count(visits) +
  b:
    inputs: [visits, visit_cuont]
    formula: count(visits) / visit_cuont
"""


@pytest.fixture
def wrong_project(tmp_path):
    (tmp_path / "definitions").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "visit.csv").write_text("id,day\n1,2026-01-05\n")
    (tmp_path / "kpi.yaml").write_text("project: wrong\nsources:\n  data: {plugin: files, path: data}\n")
    (tmp_path / "definitions" / "kpis.yaml").write_text(WRONG.lstrip())
    return tmp_path


def test_14_every_mistake_has_its_place_and_the_nearest_name(wrong_project):
    with kpi_engine.open(wrong_project) as engine:
        found = {each.subject: each for each in engine.check()}
        assert found.keys() == {"kpi a", "kpi b"}
        file = str(wrong_project / "definitions" / "kpis.yaml")
        places = {subject: each.place and (each.place.file, each.place.line) for subject, each in found.items()}
        assert places == {"kpi a": (file, 7), "kpi b": (file, 9)}
        assert "visit_count" in found["kpi b"].hint
        assert engine.run("visit_count", as_of=LATE).totals() == {"visit_count": 1}, "what is sound is computed"


@pytest.mark.parametrize(
    "arguments", [["run", "b"], ["run", "visit_cuont"], ["run", "visit_count", "--by", "colour"], ["check"]]
)
def test_14_a_mistake_at_the_command_line_is_a_few_lines_and_no_traceback(wrong_project, arguments):
    said = CliRunner().invoke(command, ["--project", str(wrong_project), *arguments])
    assert said.exit_code != 0
    assert "Traceback" not in said.output
    assert 0 < len(said.output.splitlines()) < 25
