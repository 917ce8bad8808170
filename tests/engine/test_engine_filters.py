"""Filter values that cannot be meant are refused before the data are asked."""

from __future__ import annotations

import datetime as dt

import duckdb
import pytest

import kpi_engine
from kpi_engine import RequestError

DEFINITIONS = {
    "datasets": {"v": {"time": "day", "dimensions": ["name", "size", "own", "day"]}},
    "kpis": {"n": {"inputs": ["v"], "formula": "count(v)"}},
}


@pytest.fixture
def engine():
    connection = duckdb.connect()
    connection.execute("CREATE TABLE v AS SELECT DATE '2026-01-05' AS day, '3' AS name, 3 AS size, true AS own")
    with kpi_engine.open(DEFINITIONS, connection) as engine:
        yield engine
    connection.close()


@pytest.mark.parametrize(
    "where", [{"name": 3}, {"size": "three"}, {"own": 1}, {"day": "2026-02-30"}, {"size": ["3", "x"]}]
)
def test_a_value_of_the_wrong_type_is_refused(engine, where):
    with pytest.raises(RequestError) as caught:
        engine.run("n", where=where)
    assert caught.value.code == "bad_filter_value"


@pytest.mark.parametrize(
    "where",
    [
        {"name": "3"},
        {"size": 3},
        {"size": "3"},
        {"own": True},
        {"own": "true"},
        {"day": "2026-01-05"},
        {"day": dt.date(2026, 1, 5)},
        {"name": ["3", None]},
    ],
)
def test_a_value_that_fits_is_taken(engine, where):
    assert engine.run("n", where=where).rows() == [{"n": 1}]


@pytest.mark.parametrize(("asked", "code"), [(["n", "n"], "bad_request"), ([], "bad_request"), ("m", "unknown_kpi")])
def test_kpis_that_cannot_be_meant_are_refused(engine, asked, code):
    with pytest.raises(RequestError) as caught:
        engine.run(asked)
    assert caught.value.code == code


def test_an_unknown_language_is_refused(engine):
    with pytest.raises(RequestError) as caught:
        engine.run("n", language="de")
    assert caught.value.code == "unknown_language"
