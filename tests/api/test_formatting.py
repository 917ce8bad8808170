import subprocess
import sys
import unicodedata
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_engine.api import Column, Measure
from kpi_engine.api.formatting import (
    UNKNOWN,
    direction,
    format_cell,
    format_change,
    format_member,
    format_period,
    format_unit,
    format_value,
    one_line,
    plain,
    verdict,
    visible,
)

THIN, HARD, MINUS = "\u202f", "\u00a0", "\u2212"
FORMATS = ("number", "integer", "percent", "duration", "currency")
LANGUAGES = ("en", "fr")
NUMBERS = st.one_of(st.integers(), st.floats(), st.decimals(-(10**38), 10**38))


def measure(form="number", unit="", decimals=None):
    return Measure("kpi", "KPI", unit=unit, format=form, decimals=decimals)


@pytest.mark.parametrize(
    ("value", "form", "english", "french"),
    [
        (0, "number", "0", "0"),
        (1.5, "number", "1.5", "1,5"),
        (1234567.891, "number", "1,234,567.89", f"1{THIN}234{THIN}567,89"),
        (0.0375, "number", "0.0375", "0,0375"),
        (0.00012345, "number", "0.000123", "0,000123"),
        (-0.004, "number", f"{MINUS}0.004", f"{MINUS}0,004"),
        (1.2e-15, "number", f"1.2E{MINUS}15", f"1,2E{MINUS}15"),
        (0.1 + 0.2, "number", "0.3", "0,3"),
        (2.675, "number", "2.68", "2,68"),
        (12345, "integer", "12,345", f"12{THIN}345"),
        (2**70, "integer", "1,180,591,620,717,411,303,424", "1,180,591,620,717,411,303,424".replace(",", THIN)),
        (0.031, "percent", f"3.1{THIN}%", f"3,1{THIN}%"),
        (1, "percent", f"100.0{THIN}%", f"100,0{THIN}%"),
        (0.0004, "percent", f"0.04{THIN}%", f"0,04{THIN}%"),
        (Decimal("0.125"), "percent", f"12.5{THIN}%", f"12,5{THIN}%"),
        (62, "duration", "1:02", "1:02"),
        (59.6, "duration", "1:00", "1:00"),
        (3723, "duration", "1:02:03", "1:02:03"),
        (-5, "duration", f"{MINUS}0:05", f"{MINUS}0:05"),
        (None, "percent", UNKNOWN, UNKNOWN),
        (float("nan"), "number", UNKNOWN, UNKNOWN),
        (float("-inf"), "currency", UNKNOWN, UNKNOWN),
        (Decimal("NaN"), "integer", UNKNOWN, UNKNOWN),
    ],
)
def test_a_value_is_written_as_its_definition_says_in_the_readers_language(value, form, english, french):
    assert format_value(value, measure(form), "en") == english
    assert format_value(value, measure(form), "fr") == french


@pytest.mark.parametrize(
    ("value", "unit", "currency", "english", "french", "beside"),
    [
        (Decimal("1234.5"), "EUR", "", "€1,234.50", f"1{THIN}234,50{HARD}€", ""),
        (Decimal("38.4"), "EUR / lead", "", "€38.40", f"38,40{HARD}€", "/ lead"),
        (Decimal("-12.345"), "EUR", "", f"{MINUS}€12.35", f"{MINUS}12,35{HARD}€", ""),
        (1234, "JPY", "", "¥1,234", f"1{THIN}234{HARD}JPY", ""),
        (Decimal("0.0004"), "EUR / impression", "", "€0.0004", f"0,0004{HARD}€", "/ impression"),
        (5, "", "EUR", "€5.00", f"5,00{HARD}€", ""),
        (5, "", "", "5.00", "5,00", ""),
    ],
)
def test_money_carries_its_currency(value, unit, currency, english, french, beside):
    assert format_value(value, measure("currency", unit), "en", currency=currency) == english
    assert format_value(value, measure("currency", unit), "fr", currency=currency) == french
    assert format_unit(measure("currency", unit)) == beside


def test_the_digits_a_definition_asks_for_are_kept():
    assert format_value(2, measure("number", decimals=3), "en") == "2.000"
    assert format_value(0.0004, measure("percent", decimals=1), "en") == f"0.0{THIN}%"
    assert format_value(412300, measure("currency", "EUR", decimals=0), "en") == "€412,300"
    assert format_value(62.25, measure("duration", decimals=1), "fr") == "1:02,3"
    assert format_value(7, measure("integer", decimals=1), "en") == "7.0"


def test_per_cent_and_times_need_no_unit():
    assert format_unit(measure("percent", "requests / visitors")) == ""
    assert format_unit(measure("duration", "seconds")) == ""
    assert format_unit(measure("number", "interactions / post")) == "interactions / post"


@given(NUMBERS, st.sampled_from(FORMATS), st.sampled_from(LANGUAGES), st.none() | st.integers(0, 12))
def test_no_number_is_ever_written_as_nan_or_infinity(value, form, language, decimals):
    text = format_value(value, measure(form, "EUR", decimals), language)
    assert text
    assert not {"nan", "inf"} & {text.lower()[:3], text.lower()[1:4]}
    assert "-" not in text


@given(st.integers(-(2**127), 2**127), st.sampled_from(LANGUAGES))
def test_an_integer_is_written_with_all_its_digits(value, language):
    text = format_value(value, measure("integer"), language)
    assert int(text.replace(",", "").replace(THIN, "").replace(MINUS, "-")) == value


@given(st.decimals(-(10**30), 10**30, places=2))
def test_an_amount_of_money_is_exact(value):
    text = format_value(value, measure("currency"), "en")
    assert Decimal(text.replace(",", "").replace(MINUS, "-")) == value


@given(
    st.floats(allow_nan=False, allow_infinity=False).filter(bool), st.sampled_from(("number", "percent", "currency"))
)
def test_only_nothing_looks_like_zero(value, form):
    assert set(format_value(value, measure(form, "EUR"), "en")) & set("123456789")


@pytest.mark.parametrize(
    ("change", "kind", "english", "french", "way"),
    [
        (0.124, "relative", f"+12.4{THIN}%", f"+12,4{THIN}%", "up"),
        (0.012, "points", f"+1.2{THIN}pt", f"+1,2{THIN}pt", "up"),
        (-0.031, "relative", f"{MINUS}3.1{THIN}%", f"{MINUS}3,1{THIN}%", "down"),
        (12.5, "relative", f"+1,250.0{THIN}%", f"+1{THIN}250,0{THIN}%", "up"),
        (0.0, "relative", f"0.0{THIN}%", f"0,0{THIN}%", "level"),
        (-0.0004, "relative", f"0.0{THIN}%", f"0,0{THIN}%", "level"),
        (Decimal("0.1"), "relative", f"+10.0{THIN}%", f"+10,0{THIN}%", "up"),
        (None, "points", UNKNOWN, UNKNOWN, "unknown"),
        (float("inf"), "relative", UNKNOWN, UNKNOWN, "unknown"),
    ],
)
def test_a_change_has_a_sign_unless_it_rounds_to_nothing(change, kind, english, french, way):
    assert format_change(change, kind, "en") == english
    assert format_change(change, kind, "fr") == french
    assert direction(change) == way


@pytest.mark.parametrize(
    ("change", "better", "news"),
    [
        (0.1, "higher", "good"),
        (-0.1, "higher", "bad"),
        (0.1, "lower", "bad"),
        (-0.1, "lower", "good"),
        (0.1, "neither", "neutral"),
        (0.0001, "higher", "neutral"),
        (None, "lower", "neutral"),
    ],
)
def test_news_is_good_in_the_direction_the_definition_calls_better(change, better, news):
    assert verdict(change, better) == news


@pytest.mark.parametrize(
    ("grain", "english", "french"),
    [
        ("day", "5 Jul 2026", "5 juil. 2026"),
        ("week", "week of 5 Jul 2026", "semaine du 5 juil. 2026"),
        ("month", "July 2026", "juillet 2026"),
        ("quarter", "Q3 2026", "T3 2026"),
        ("year", "2026", "2026"),
        ("hour", "5 Jul 2026 14:30", "5 juil. 2026 14:30"),
        (None, "5 Jul 2026 14:30", "5 juil. 2026 14:30"),
        ("fortnight", "5 Jul 2026 14:30", "5 juil. 2026 14:30"),
    ],
)
def test_a_period_is_written_by_its_grain(grain, english, french):
    instant = datetime(2026, 7, 5, 14, 30, tzinfo=UTC)
    assert format_period(instant, grain, "en") == english
    assert format_period(instant, grain, "fr") == french


def test_a_date_has_no_time_of_day():
    assert format_period(date(2026, 7, 5), None, "en") == "5 Jul 2026"
    assert format_period(date(2026, 7, 5), "hour", "en") == "5 Jul 2026"
    assert format_period(datetime(2026, 7, 5, tzinfo=UTC), "", "en") == "5 Jul 2026"


def test_a_language_without_words_of_its_own_is_written_as_english():
    assert format_period(date(2026, 7, 5), "quarter", "de") == "Q3 2026"
    assert format_value(1234.5, measure(), "de") == "1,234.5"


def test_a_cell_is_written_by_what_stands_in_its_column():
    rate = measure("percent")
    july = date(2026, 7, 1)
    cells = [
        (Column("channel", "Channel", "dimension"), "email", "email"),
        (Column("channel", "Channel", "dimension"), None, UNKNOWN),
        (Column("own", "Own", "dimension"), True, "yes"),
        (Column("day", "Day", "dimension"), july, "1 Jul 2026"),
        (Column("period", "Period", "period", grain="month"), july, "July 2026"),
        (Column("period", "Period", "period"), july, "1 Jul 2026"),
        (Column("rate", "Rate", "value", rate), 0.031, f"3.1{THIN}%"),
        (Column("rate__previous_year", "Rate", "earlier", rate), None, UNKNOWN),
        (Column("rate__previous_year_points", "Rate", "points", rate), 0.01, f"+1.0{THIN}pt"),
        (Column("rate__previous_year_change", "Rate", "change", rate), Decimal("0.01"), f"+1.0{THIN}%"),
    ]
    assert [format_cell(value, column, "en") for column, value, _ in cells] == [text for *_, text in cells]


def test_yes_and_no_are_words_of_the_language():
    assert [format_member(value, language) for language in LANGUAGES for value in (True, False)] == [
        "yes", "no", "oui", "non",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "true"),
        (2**70, "1180591620717411303424"),
        (0.1, "0.1"),
        (Decimal("1E+3"), "1000"),
        (Decimal("12.30"), "12.30"),
        (float("nan"), ""),
        (Decimal("Infinity"), ""),
        (date(2026, 7, 5), "2026-07-05"),
        (datetime(2026, 7, 5, 14, 30, tzinfo=UTC), "2026-07-05T14:30:00+00:00"),
        ("à b", "à b"),
    ],
)
def test_machines_read_points_and_iso_dates(value, text):
    assert plain(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_machines_read_back_the_same_float(value):
    assert float(plain(value)) == value


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**38), max_value=10**38))
def test_machines_read_back_the_same_decimal(value):
    assert Decimal(plain(value)) == value


@given(st.text())
def test_no_character_that_steers_or_turns_survives(text):
    steering = {
        character for character in visible(text) if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")
    }
    assert steering <= {"\u200c", "\u200d"}


def test_what_is_made_visible_can_be_read():
    assert visible("\x1b[31mred\u202e") == r"\x1b[31mred\u202e"
    assert visible(f"1{THIN}234 é 日本") == f"1{THIN}234 é 日本"
    assert one_line("  two\n  lines\t\x07") == r"two lines \x07"


def test_languages_are_loaded_when_they_are_needed():
    code = "import sys, kpi_engine.api.formatting; print('babel' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "False\n"
