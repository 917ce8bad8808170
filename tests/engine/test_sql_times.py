"""Rows are given the number of the stretch of time that they lie in, however it is written."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_engine.catalogue.resolved import Expr, TimeColumn
from kpi_engine.formula.trees import column, sql
from kpi_engine.sql.times import Clock

START = datetime.fromisoformat("2024-01-01")
ROWS = [START + timedelta(days=number * 3 // 2 - 40, hours=number % 24, minutes=59) for number in range(700)]
ROWS += [datetime.combine(each.date(), time.min) for each in ROWS]


def clock(kind, zone=""):
    return Clock(TimeColumn(Expr(column("x")), kind, zone), ZoneInfo("Europe/Paris"))


def months(first, count, step=1):
    numbers = range(first.year * 12 + first.month - 1, 10**6, step)
    return [
        START.replace(year=number // 12, month=number % 12 + 1)
        for number, _ in zip(numbers, range(count), strict=False)
    ]


@st.composite
def stretches(draw):
    """Bounds of months, days or anything, and a number for each stretch; most count up, as those of cells do."""
    kind = draw(st.sampled_from(["local", "date"]))
    step = draw(st.sampled_from(["month", "quarter", "days", "any"]))
    count = draw(st.integers(2, 15))
    if step in {"month", "quarter"}:
        bounds = months(START, count, 3 if step == "quarter" else 1)
    elif step == "days":
        length = draw(st.integers(1, 9))
        bounds = [START + timedelta(days=length * number) for number in range(count)]
    else:
        ends = sorted(draw(st.sets(st.integers(0, 600), min_size=2, max_size=count)))
        bounds = [START + timedelta(days=each, hours=6 * (each % 2) * (kind == "local")) for each in ends]
    inside = draw(st.booleans())
    numbers: list[int | None] = list(range(7, 7 + len(bounds) + (-1 if inside else 1)))
    for place in draw(st.lists(st.integers(0, len(numbers) - 1), max_size=2)):
        numbers[place] = draw(st.sampled_from([None, 3, numbers[0]]))
    return kind, bounds, numbers, inside


@given(stretches())
def test_each_row_has_the_number_of_its_stretch(case):
    kind, bounds, numbers, inside = case
    expression = sql(clock(kind).numbered(bounds, numbers, inside=inside))
    moments = [datetime.combine(each.date(), time.min) for each in ROWS] if kind == "date" else ROWS
    kept = [each for each in moments if not inside or bounds[0] <= each < bounds[-1]]
    values = [each.date() for each in kept] if kind == "date" else kept
    with duckdb.connect() as connection:
        answered = connection.execute(f"SELECT x, {expression} FROM (SELECT unnest(?) AS x)", [values]).fetchall()
    for moment, number in answered:
        at = moment if isinstance(moment, datetime) else datetime.combine(moment, time.min)
        assert number == numbers[sum(bound <= at for bound in bounds) - inside]


@pytest.mark.parametrize(
    ("kind", "zone", "counted"),
    [("local", "", True), ("date", "", True), ("local", "America/New_York", False), ("instant", "", False)],
)
def test_months_are_counted_on_a_clock_of_its_own_only(kind, zone, counted):
    written = sql(clock(kind, zone).numbered(months(START, 13), range(12), inside=True))
    assert ("YEAR(" in written) is counted


def test_months_that_begin_later_than_midnight_are_compared():
    bounds = [each + timedelta(hours=4) for each in months(START, 13)]
    assert "YEAR(" not in sql(clock("local").numbered(bounds, range(12), inside=True))


def test_a_date_lies_in_the_stretch_of_its_midnight():
    written = sql(clock("date").numbered(months(START, 13), range(12), inside=True))
    query = f"SELECT {written} FROM (SELECT ? AS x)"
    assert duckdb.execute(query, [date(2024, 12, 31)]).fetchall() == [(11,)]
