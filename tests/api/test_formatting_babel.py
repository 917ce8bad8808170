"""What is written without Babel is what Babel writes."""

from datetime import date, datetime
from decimal import Decimal, localcontext

import pytest
from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal
from hypothesis import given
from hypothesis import strategies as st

from kpi_engine.api import Measure
from kpi_engine.api.formatting import format_period, format_value

PATTERNS = {"year": "y", "quarter": "QQQ y", "month": "MMMM y", "day": "d MMM y"}
LANGUAGES = ("en", "fr")
EARLIEST, LATEST = datetime.fromisoformat("1900-01-01"), datetime.fromisoformat("2200-01-01")


@given(
    st.decimals(min_value=Decimal("-1e15"), max_value=Decimal("1e15"), places=6),
    st.integers(0, 6),
    st.sampled_from(LANGUAGES),
)
def test_a_number_is_grouped_and_pointed_as_babel_does(number, decimals, language):
    with localcontext(prec=100):
        rounded = number.quantize(Decimal(1).scaleb(-decimals), "ROUND_HALF_UP") + 0
        said = format_decimal(rounded, "#,##0." + "0" * decimals if decimals else "#,##0", locale=language)
    assert format_value(number, Measure("m", "M", decimals=decimals), language) == said.replace("-", "\u2212")


@given(st.integers(-(10**20), 10**20), st.sampled_from(LANGUAGES))
def test_a_whole_number_is_grouped_as_babel_does(number, language):
    said = format_decimal(number, "#,##0", locale=language)
    assert format_value(number, Measure("m", "M", format="integer"), language) == said.replace("-", "\u2212")


@pytest.mark.parametrize("grain", PATTERNS)
@given(st.dates(min_value=date(1900, 1, 1), max_value=date(2200, 1, 1)), st.sampled_from(LANGUAGES))
def test_a_period_is_named_as_babel_does(grain, day, language):
    assert format_period(day, grain, language) == format_date(day, PATTERNS[grain], locale=language)


@given(st.dates(min_value=date(1900, 1, 1), max_value=date(2200, 1, 1)), st.sampled_from(LANGUAGES))
def test_a_week_is_named_by_its_first_day_as_babel_does(day, language):
    words = {"en": "'week of' d MMM y", "fr": "'semaine du' d MMM y"}[language]
    assert format_period(day, "week", language) == format_date(day, words, locale=language)


@given(st.datetimes(min_value=EARLIEST, max_value=LATEST), st.sampled_from(LANGUAGES))
def test_a_minute_is_named_as_babel_does(moment, language):
    said = format_datetime(moment, "d MMM y HH:mm", locale=language)
    assert format_period(moment, "minute", language) == said
