"""Units multiply, divide and compare as quantities do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_engine.formula.units import PURE, Unit, parse

names = st.sampled_from(
    ["EUR", "lead", "leads", "visit", "seconds", "m", "ms", "unique visitors", "€", "clic", "gross"]
)
units = st.lists(st.tuples(names, st.integers(-3, 3)), max_size=4).map(
    lambda pairs: (
        parse(" * ".join(["1", *(f"{n}^{p}" for n, p in pairs if p > 0)]))
        / parse(" * ".join(["1", *(f"{n}^{-p}" for n, p in pairs if p < 0)]))
    )
)


@given(units, units)
def test_multiplying_is_commutative(a: Unit, b: Unit):
    assert a * b == b * a
    assert hash(a * b) == hash(b * a)


@given(units, units, units)
def test_multiplying_is_associative(a: Unit, b: Unit, c: Unit):
    assert (a * b) * c == a * (b * c)


@given(units, units)
def test_dividing_undoes_multiplying(a: Unit, b: Unit):
    assert a / b * b == a
    assert a * b / b == a
    assert a / a == PURE


@given(units)
def test_a_unit_reads_as_it_is_written(unit: Unit):
    if unit != PURE:
        assert parse(str(unit)) == unit
        assert str(parse(str(unit))) == str(unit)
    assert unit * PURE == unit / PURE == unit


@pytest.mark.parametrize(
    ("text", "written"),
    [("EUR / lead", "EUR / lead"), ("visits", "visits"), ("1 / s", "1 / s"), ("m^2", "m^2"), ("a*b/c/d", "a * b / c / d"), ("a / b * c", "a * c / b"),
     ("unique visitors", "unique visitors"), ("%", ""), ("1", ""), ("a * a", "a^2"), ("a / a", "")],
)  # fmt: skip
def test_how_units_are_written(text, written):
    assert str(parse(text)) == written


@pytest.mark.parametrize("text", ["", " ", "EUR /", "/ lead", "a // b", "a ^ b", "a^", "* a", "a * * b"])
def test_what_is_no_unit(text):
    with pytest.raises(ValueError, match="is not a unit"):
        parse(text)


def test_singular_and_plural_are_one_unit():
    assert parse("leads") == parse("Lead")
    assert parse("EUR / leads") * parse("lead") == parse("EUR")
    assert parse("ms") != parse("m")
    assert parse("gross") != parse("gros")
