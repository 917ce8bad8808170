"""A request by a unit of the project's own, asked again: its periods are read anew where their data have changed."""

from __future__ import annotations

import pytest
from asking_again import planned, settled, without_cache  # noqa: F401 - fixtures

ROWS = "starts_on,ends_on,name\n2026-01-01,2026-01-20,A\n2026-01-21,2026-02-10,B\n2026-02-11,2026-03-31,C\n"
ASKED = ("counted", "--grain", "season", "--period", "2026-Q1", "--output", "csv")
NAMED = ("counted", "--period", "B", "--output", "csv")
STEPPED = ("before", "--grain", "week", "--period", "2026-02", "--output", "csv")


@pytest.fixture
def seasons(tmp_path, monkeypatch):
    for name, text in {
        "kpi.yaml": "project: s\ncalendar:\n  units: {season: {from: seasons, start: starts_on, last: ends_on, name: name}}\n"
        "sources: {data: {plugin: files, path: data}}\n",
        "definitions/a.yaml": "datasets:\n  seasons:\n  days: {key: day, time: day}\nkpis:\n"
        "  counted: {inputs: [days], formula: count(days)}\n"
        "  before: {inputs: {v: {from: counted, offset: 1 season}}, formula: v}\n",
        "data/seasons.csv": ROWS,
        "data/days.csv": "day\n" + "".join(f"2026-01-{n:02}\n" for n in range(1, 32)) + "2026-02-01\n2026-02-12\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("asked", [ASKED, NAMED, STEPPED], ids=["grain", "period", "offset"])
def test_a_plan_lasts_as_long_as_the_data_of_its_units(kpi, planned, seasons, asked):
    first = kpi("run", *asked)
    assert first.code == 0
    assert kpi("run", *asked) == first
    assert len(planned) == 1
    (seasons / "data" / "seasons.csv").write_text(
        ROWS.replace("01-20", "01-10").replace("01-21", "01-11"), encoding="utf-8"
    )
    changed = kpi("run", *asked)
    assert len(planned) == 2
    assert changed != first
    assert changed == without_cache(kpi, *asked)


def test_numbers_follow_the_data_of_the_units(kpi, seasons):
    assert kpi("run", *ASKED).out.splitlines()[1:] == ["2026-01-01,A,20", "2026-01-21,B,12", "2026-02-11,C,1"]
    (seasons / "data" / "seasons.csv").write_text(
        ROWS.replace("01-20", "01-10").replace("01-21", "01-11"), encoding="utf-8"
    )
    assert kpi("run", *ASKED).out.splitlines()[1:] == ["2026-01-01,A,10", "2026-01-11,B,22", "2026-02-11,C,1"]
