"""What DuckDB raises, in words for the reader."""

from __future__ import annotations

import pytest

import kpi_engine
from kpi_engine import DataError


def project(tmp_path, rows):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "spend.csv").write_text("day,amount\n" + "\n".join(rows) + "\n", encoding="utf-8")
    (tmp_path / "kpi.yaml").write_text("project: p\nsources: {files: {plugin: files, path: data}}\n", encoding="utf-8")
    (tmp_path / "definitions").mkdir()
    (tmp_path / "definitions" / "a.yaml").write_text(
        "datasets:\n  spend:\n    time: day\n    columns: {day: {type: date}, amount: {type: 'decimal(18,2)'}}\n"
        "kpis:\n  spent: {inputs: [spend], formula: sum(amount)}\n",
        encoding="utf-8",
    )
    return tmp_path


@pytest.mark.parametrize(
    ("bad", "value", "kind"),
    [("2026-01-02,abc", "abc", "a decimal number"), ("2026-02-30,1.5", "2026-02-30", "a date that exists")],
)
def test_a_bad_value_is_named_with_its_file_and_line(tmp_path, bad, value, kind):
    rows = ["2026-01-01,1.50", "2026-01-03,2.50", bad, "2026-01-04,3.00"]
    with kpi_engine.open(project(tmp_path, rows)) as engine, pytest.raises(DataError) as caught:
        engine.run("spent", period="2026-01")
    error = caught.value
    assert error.code == "bad_value"
    assert f"`{value}`" in error.message
    assert kind in error.message
    assert error.place is not None
    assert error.place.file.endswith("spend.csv")
    assert error.place.line == 4


def test_a_good_file_is_read(tmp_path):
    with kpi_engine.open(project(tmp_path, ["2026-01-01,1.50", "2026-01-03,2.50"])) as engine:
        assert str(engine.run("spent", period="2026-01").rows()[0]["spent"]) == "4.00"
