"""Every answer that was once wrong, as a project of its own: a folder with definitions, data, a request and what it must give.

`case.yaml` says what was wrong (`about`), the `request` as `run` takes it, or `members` where it names no KPI, and the `rows`,
`totals` or the code of the `error` that are right. Numbers are compared exactly, those of a division to nine digits.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

import kpi_engine

FOLDER = Path(__file__).parent
CASES = sorted(each.parent.name for each in FOLDER.glob("*/case.yaml"))


def plain(value):
    """Take dates and decimals as the file writes them."""
    if isinstance(value, dt.date):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal | float) else value


def same(expected, got):
    got = plain(got)
    if isinstance(got, float) and expected is not None:
        return got == pytest.approx(expected, rel=1e-9, abs=1e-9)
    return expected == got


def rows_of(result):
    return [{name: plain(value) for name, value in row.items()} for row in result.rows()]


def ask(name):
    case = yaml.safe_load((FOLDER / name / "case.yaml").read_text(encoding="utf-8"))
    request = case["request"]
    with kpi_engine.open(FOLDER / name) as engine:
        result = (engine.run if "kpis" in request else engine.members)(**request)
        return case, rows_of(result), result.totals()


@pytest.mark.parametrize("name", CASES)
def test_what_was_once_wrong_is_right(name):
    case = yaml.safe_load((FOLDER / name / "case.yaml").read_text(encoding="utf-8"))
    if "error" in case:
        with pytest.raises(kpi_engine.KpiError) as caught:
            ask(name)
        assert caught.value.code == case["error"]
        return
    _, rows, totals = ask(name)
    assert len(rows) == len(case["rows"]), rows
    for got, expected in zip(rows, case["rows"], strict=True):
        assert list(got) == list(expected)
        assert all(same(expected[column], got[column]) for column in expected), (got, expected)
    if "totals" in case:
        assert totals.keys() == case["totals"].keys()
        assert all(same(value, totals[column]) for column, value in case["totals"].items()), totals


def test_there_are_cases_and_each_says_what_it_is_about():
    assert CASES
    for name in CASES:
        case = yaml.safe_load((FOLDER / name / "case.yaml").read_text(encoding="utf-8"))
        assert case["about"], name
        assert ("error" in case) != ("rows" in case), name
