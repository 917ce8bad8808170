"""The suite of MetricFlow's answers, where it lies beside the project or where KPI_CONFORMANCE says: all equal but those that are listed."""

import importlib.util
import json
import os
from collections import Counter
from pathlib import Path

import duckdb
import pytest
from metricflow_adapter import make_engine
from metricflow_differences import DIFFERENCES

BESIDE = Path(__file__).parents[3] / "shared" / "conformance"
SUITE = Path(os.environ.get("KPI_CONFORMANCE", BESIDE)) / "metricflow"
AT_LEAST = 160

pytestmark = pytest.mark.skipif(not (SUITE / "cases.json").is_file(), reason="the suite is not there")


def runner():
    specification = importlib.util.spec_from_file_location("metricflow_runner", SUITE / "run.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def suite():
    run = runner()
    with duckdb.connect() as connection:
        for table in sorted((SUITE / "data").glob("*.parquet")):
            connection.execute(f"CREATE TABLE main.{table.stem} AS FROM '{table}'")
        ask = make_engine(connection, SUITE / "models")

        def outcome(case):
            try:
                why = run.difference(case, *ask(case["model"], case["request"], case), connection)
            except NotImplementedError as error:
                return f"left out: {error}"
            except Exception as error:  # noqa: BLE001 - an outcome like any other
                return f"{type(error).__name__}: {error}"
            return "equal" if why is None else f"different: {why}"

        yield outcome


def cases():
    return json.loads((SUITE / "cases.json").read_text(encoding="utf-8"))["cases"]


@pytest.mark.slow
def test_every_answer_is_equal_but_those_that_are_listed(suite):
    found = {case["id"]: suite(case) for case in cases()}
    assert {name: why for name, why in found.items() if why != "equal" and name not in DIFFERENCES} == {}
    assert [name for name in DIFFERENCES if found[name] == "equal"] == []
    assert sum(why == "equal" for why in found.values()) >= AT_LEAST


@pytest.mark.slow
def test_no_case_of_the_first_tier_is_left_out(suite):
    first = [case for case in cases() if case["tier"] == 1 and case["id"] in DIFFERENCES]
    assert Counter(suite(case).partition(":")[0] for case in first) == {"DataError": 3}


def test_a_few_cases_of_each_kind(suite):
    chosen = [case for case in cases() if case["id"] not in DIFFERENCES][::20]
    assert {case["id"]: why for case in chosen if (why := suite(case)) != "equal"} == {}
