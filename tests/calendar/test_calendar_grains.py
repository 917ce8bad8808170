from __future__ import annotations

import pytest

from kpi_engine.calendar import GRAINS, parse_grain
from kpi_engine.errors import KpiError


@pytest.mark.parametrize("grain", GRAINS)
def test_every_grain_is_read_as_it_is_written(grain: str) -> None:
    assert parse_grain(grain) == grain


@pytest.mark.parametrize("text", ["fiscal quarter", "Fiscal-Quarter", " FISCAL  quarter ", "fiscal_quarter"])
def test_a_grain_may_be_written_with_blanks_dashes_and_capitals(text: str) -> None:
    assert parse_grain(text) == "fiscal_quarter"


def test_an_unknown_grain_names_the_nearest() -> None:
    with pytest.raises(KpiError) as caught:
        parse_grain("quater")
    assert caught.value.code == "unknown_grain"
    assert "did you mean `quarter`?" in caught.value.hint


def test_grains_stand_from_short_to_long() -> None:
    assert GRAINS == (
        "second", "minute", "hour", "day", "week", "month", "quarter", "year", "fiscal_quarter", "fiscal_year",
    )  # fmt: skip
