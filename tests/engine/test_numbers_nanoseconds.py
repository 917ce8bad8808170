"""Times in nanoseconds, as pandas and Parquet files have them: an instant is one, and the last moment of a day is of that day."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

import pytest
from arro3.core import Array, DataType, Table

import kpi_engine

PARIS = ZoneInfo("Europe/Paris")
SECOND = 1_000_000_000
LAST = SECOND - 1
"""The last nanosecond of a second."""

PLUGIN = """
from arro3.core import Array, DataType, Table
from pydantic import BaseModel
from kpi_engine.api import Rows, Stream, hookimpl

class Nothing(BaseModel):
    pass

class Hits:
    name, Config = "hits", Nothing
    def __init__(self, config, context): pass
    def streams(self): return [Stream("hits", key=("id",))]
    def read(self, wanted, state):
        at = Array([1769903999999999999], DataType.int64()).cast(DataType.timestamp("ns", tz="UTC"))
        yield Rows("hits", Table.from_pydict({"id": Array([1], DataType.int64()), "at": at}))

@hookimpl
def sources(): return [Hits]
"""


def nanoseconds(moment: str, more: int = 0, zone: tzinfo = UTC) -> int:
    return int(datetime.fromisoformat(moment).replace(tzinfo=zone).timestamp()) * SECOND + more


def opened(moments: list[int], tz: str | None, **column: str) -> kpi_engine.Engine:
    at = Array(moments, DataType.int64()).cast(DataType.timestamp("ns", tz=tz))
    table = Table.from_pydict({"id": Array(range(len(moments)), DataType.int64()), "at": at})
    hits = {
        "key": "id", "time": "at", "columns": {"at": column} if column else {},
        "dimensions": {"day": {"sql": "cast(at as date)"}},
    }  # fmt: skip
    kpis = {"n": {"inputs": ["hits"], "formula": "count(hits)"}}
    definitions = {"calendar": {"timezone": "Europe/Paris"}, "datasets": {"hits": hits}, "kpis": kpis}
    return kpi_engine.open(definitions, {"hits": table})


def counted(engine: kpi_engine.Engine, period: str, **asked: str) -> dict[str, int]:
    with engine:
        rows = engine.run("n", period=period, as_of="2030-01-01", **asked).rows()
    return {str(next(iter(row.values()))): row["n"] for row in rows if row["n"]}


def test_an_instant_in_nanoseconds_is_counted_on_the_day_of_the_projects_zone() -> None:
    """23:30 of 31 January in UTC is 1 February in Paris."""
    moments = [nanoseconds("2026-01-31 23:30:00"), nanoseconds("2026-01-31 22:30:00")]
    assert counted(opened(moments, "UTC"), "2026-Q1", grain="month") == {"2026-01-01": 1, "2026-02-01": 1}


@pytest.mark.parametrize("grain", ["hour", "day", "week", "month"])
@pytest.mark.parametrize(("zone", "place"), [(None, UTC), ("UTC", PARIS)])
def test_the_last_moment_of_a_day_is_of_that_day(zone, place, grain) -> None:
    """Rounded to microseconds it would be the first of the next one."""
    day = "2026-01-31 23:59:59"
    moments = [nanoseconds(day, LAST, place), nanoseconds("2025-12-31 23:59:59", LAST, place)]
    first = {"hour": "2026-01-31 23:00:00", "day": "2026-01-31", "week": "2026-01-26", "month": "2026-01-01"}
    assert counted(opened(moments, zone), "2026-Q1", grain=grain) == {first[grain]: 1}


@pytest.mark.parametrize(("zone", "place"), [(None, UTC), ("UTC", PARIS)])
def test_a_dimension_made_of_it_has_that_day_too(zone, place) -> None:
    moments = [nanoseconds("2026-01-31 23:59:59", LAST, place)]
    assert counted(opened(moments, zone), "2026-Q1", by="day") == {"2026-01-31": 1}


def test_times_before_1970_are_cut_off_towards_the_past() -> None:
    assert counted(opened([-1, 0], "UTC"), "1970", grain="day") == {"1970-01-01": 2}
    assert counted(opened([-1, 0], None), "1970", grain="day") == {"1970-01-01": 1}


def test_a_declared_type_and_zone_hold_as_of_any_timestamp() -> None:
    last = nanoseconds("2026-01-31 23:59:59", LAST)
    assert counted(opened([last], "UTC", type="timestamptz"), "2026-Q1", grain="month") == {"2026-02-01": 1}
    assert counted(opened([last], None, type="date"), "2026-Q1", grain="day") == {"2026-01-31": 1}
    assert counted(opened([last], None, zone="America/New_York"), "2026-Q1", grain="month") == {"2026-02-01": 1}


def test_fetched_instants_are_kept_as_instants(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in (
        ("plugins/hits.py", PLUGIN),
        ("kpi.yaml", "project: test\ncalendar: {timezone: UTC}\nsources: {web: {plugin: hits}}\n"),
        ("definitions/all.yaml", "datasets: {hits: {key: id, time: at}}\nkpis: {n: {inputs: [hits], formula: count(hits)}}\n"),
    ):  # fmt: skip
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    with kpi_engine.open(tmp_path) as engine:
        assert engine.sync().sources[0].error is None
    with kpi_engine.open(tmp_path) as engine:
        assert engine.run("n", grain="day", period="2026-01-31..2026-02-01", as_of="2030-01-01").rows()[0]["n"] == 1
