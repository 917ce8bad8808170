"""How values are written: for people in their language, and for machines. For outputs.

Numbers and dates of the two languages are written here, so that what is asked most often waits for no large library; Babel, which is
slow to import, knows the rest: money and exponents.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from kpi_engine import months

if TYPE_CHECKING:
    from kpi_engine.api.reports import Breakdown, Column, Measure, Value

UNKNOWN = "–"
"""How an unknown value is written for people. Machine formats leave it empty, or say null."""

_NOT_OVER = MappingProxyType({"en": "not over yet", "fr": "en cours"})
_PROVISIONAL = MappingProxyType({"en": "provisional", "fr": "provisoire"})
_THIN = "\u202f"
"""The narrow space that never breaks a line, between a number and what belongs to it."""
_MINUS = "\u2212"
_SMALLEST, _LARGEST = -9, 39
"""Below a billionth, and beyond what 128 bits can count, a number is written with an exponent."""
_DIGITS = 400
"""The precision of the arithmetic: no finite number of 64 bits, and no integer of 128, has more digits."""

Verdict = Literal["good", "bad", "neutral"]


def format_value(value: Value, measure: Measure, language: str, *, currency: str = "") -> str:
    """Write a KPI's value for people, in their language, as its definition says.

    A percentage has 1 digit after the point, money those of its currency, a number at most 2, unless the definition says
    otherwise; a value too small for that gets as many as it needs, so that only nothing looks like 0. `currency` (`EUR`) is the
    report's, for money whose unit names none. The unit itself, except for money and per cent, is `format_unit`.
    """
    if isinstance(value, bool | str | date):
        return format_member(value, language)
    number = _finite(value)
    return UNKNOWN if number is None else _formatted(number, measure, language, currency)


def format_unit(measure: Measure) -> str:
    """Say what stands beside the written value: `visits`, `/ lead` after an amount of money, nothing after per cent or a time."""
    if measure.format in ("percent", "duration"):
        return ""
    if measure.format == "currency" and (code := _currency_code(measure.unit)):
        return measure.unit.strip().removeprefix(code).strip()
    return measure.unit


def format_change(change: float | Decimal | None, kind: Literal["relative", "points"], language: str) -> str:
    """Write a change with its sign: `+12.4 %` of the earlier value, or `+1.2 pt` for a rate, whose change is a difference.

    `change` is a fraction: 0.124 is 12.4 % or 12.4 points. A change that rounds to nothing has no sign.
    """
    number = _finite(change)
    if number is None:
        return UNKNOWN
    rounded = _rounded(_hundredfold(number), 1)
    sign = "+" if rounded > 0 else ""
    return f"{sign}{_digits(rounded, 1, 1, language)}{_THIN}{'%' if kind == 'relative' else 'pt'}"


def direction(change: float | Decimal | None) -> Literal["up", "down", "level", "unknown"]:
    """Say which way a change goes, as it is written: one that rounds to nothing is level."""
    number = _finite(change)
    if number is None:
        return "unknown"
    rounded = _rounded(_hundredfold(number), 1)
    return "up" if rounded > 0 else "down" if rounded < 0 else "level"


def verdict(change: float | Decimal | None, better: Literal["higher", "lower", "neither"]) -> Verdict:
    """Say whether a change is good news, by the direction that the KPI's definition calls better."""
    way = direction(change)
    if better == "neither" or way not in ("up", "down"):
        return "neutral"
    return "good" if (way == "up") == (better == "higher") else "bad"


def format_period(day: date, grain: str | None, language: str) -> str:
    """Write a period by its first day or instant: `Q3 2026`, `July 2026`, `week of 6 Jul 2026`; without a grain, the date.

    A time of day is written only where the grain is below a day, or not known and the instant is not midnight.
    """
    french = language == "fr"
    written = f"{day.day} {months.name(day.month, language, short=True)} {day.year}"
    match grain:
        case "year":
            return str(day.year)
        case "quarter":
            return f"{'T' if french else 'Q'}{(day.month + 2) // 3} {day.year}"
        case "month":
            return f"{months.name(day.month, language)} {day.year}"
        case "week":
            return f"{'semaine du' if french else 'week of'} {written}"
    timed = isinstance(day, datetime) and (day.hour, day.minute, day.second) != (0, 0, 0)
    is_clock = grain in ("hour", "minute") or (timed and grain != "day")
    return f"{written} {day:%H:%M}" if is_clock and isinstance(day, datetime) else written


def format_member(value: Value, language: str) -> str:
    """Write a member of a dimension: a text made visible, yes or no, a date, a number as it is; a missing one is unknown."""
    match value:
        case None:
            return UNKNOWN
        case bool():
            return {"fr": ("non", "oui")}.get(language, ("no", "yes"))[value]
        case str():
            return visible(value)
        case date():
            return format_period(value, None, language)
        case _:
            return plain(value) or UNKNOWN


def format_cell(value: Value, column: Column, language: str, *, currency: str = "") -> str:
    """Write a table's cell by what stands in its column."""
    match column.role:
        case "period" if isinstance(value, date):
            text = format_period(value, column.grain, language)
            said = (
                _NOT_OVER if is_unfinished(value, column) else _PROVISIONAL if is_provisional(value, column) else None
            )
            return f"{text} ({said.get(language, said['en'])})" if said else text
        case "change" | "points" if value is None or isinstance(value, int | float | Decimal):
            return format_change(value, "points" if column.role == "points" else "relative", language)
        case "value" | "earlier" if column.measure:
            return format_value(value, column.measure, language, currency=currency)
        case "share" if column.measure:
            return format_value(value, replace(column.measure, format="percent", decimals=None), language)
        case "rank":
            return plain(value)
        case _:
            return format_member(value, language)


def is_unfinished(value: Value, column: Column) -> bool:
    """Say whether a period of a table is not over yet; one that comes again, and has a number, is not as long as any is not."""
    is_late = isinstance(value, int) or (isinstance(value, date) and value.isoformat() >= column.unfinished_from)
    return bool(column.unfinished_from) and is_late


def is_provisional(value: Value, column: Column) -> bool:
    """Say whether the source may still change the figures of a period."""
    return bool(column.provisional_from) and isinstance(value, date) and value.isoformat() >= column.provisional_from


def for_people(table: Breakdown, language: str) -> Breakdown:
    """Give a table as people read it: the row of all members that were not asked for one by one is called so, and no column says it.

    For machines that is a column of its own (`others`), which no member can be confused with.
    """
    place = next((n for n, column in enumerate(table.columns) if column.role == "others"), None)
    if place is None:
        return table
    word = {"fr": "(autres)"}.get(language, "(others)")
    rows = tuple(
        (*row[: place - 1], word if row[place] is True else row[place - 1], *row[place + 1 :]) for row in table.rows
    )
    totals = None if table.totals is None else (*table.totals[:place], *table.totals[place + 1 :])
    return replace(table, columns=(*table.columns[:place], *table.columns[place + 1 :]), rows=rows, totals=totals)


def plain(value: Value) -> str:
    """Write a value for machines, the same in every language: a point, no grouping, ISO dates; unknown is empty."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case date():
            return value.isoformat()
        case Decimal():
            return format(value, "f") if value.is_finite() else ""
        case float():
            return repr(value) if value - value == 0 else ""
        case _:
            return str(value)


def visible(text: str) -> str:
    r"""Escape what would steer a terminal or turn the direction of a text: control, formatting and line-separating characters.

    >>> visible("\x1b[31mred")
    '\\x1b[31mred'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(character) for character in text)


def one_line(text: str) -> str:
    """Write a label or a sentence on one line, with what would turn or hide it made visible."""
    return visible(" ".join(text.split()))


def _shown(character: str) -> str:
    if unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp"):
        return character
    joiner = character in "\u200c\u200d"  # the writing of several languages needs them, and they steer nothing
    return character if joiner else character.encode("unicode_escape").decode("ascii")


def _finite(value: object) -> Decimal | None:
    """Take the number as it is written shortest; None where there is none, or it is not finite."""
    if isinstance(value, float):
        value = Decimal(repr(value))
    elif isinstance(value, int):
        value = Decimal(value)
    return value if isinstance(value, Decimal) and value.is_finite() else None


def _formatted(number: Decimal, measure: Measure, language: str, currency: str) -> str:
    code = _currency_code(measure.unit) or currency
    match measure.format:
        case "percent":
            return _number(_hundredfold(number), language, measure.decimals, usual=1, fixed=True) + f"{_THIN}%"
        case "integer":
            return _number(number, language, measure.decimals or 0, usual=0)
        case "duration":
            return _duration(number, measure.decimals or 0, language)
        case "currency" if code:
            return _money(number, code, measure.decimals, language)
        case _:
            return _number(number, language, measure.decimals, usual=2, fixed=measure.format == "currency")


def _hundredfold(number: Decimal) -> Decimal:
    return number.scaleb(2, Context(prec=_DIGITS))


def _rounded(number: Decimal, decimals: int) -> Decimal:
    """Round half away from zero, as people do."""
    return number.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP, Context(prec=_DIGITS))


def _enough(number: Decimal, usual: int) -> int:
    """Count the digits after the point: the usual ones, or as many as show a small number to `usual` + 1 digits."""
    return usual if not number or number.adjusted() >= -1 else usual - number.adjusted()


def _number(number: Decimal, language: str, decimals: int | None, *, usual: int, fixed: bool = False) -> str:
    """Write a number; without `decimals`, as many as are needed, and at least the usual ones where they are `fixed`."""
    if decimals is not None:
        return _digits(number, decimals, decimals, language)
    if number and not _SMALLEST <= number.adjusted() <= _LARGEST:
        return _exponent(number, language)
    return _digits(number, usual if fixed else 0, _enough(number, usual), language)


def _digits(number: Decimal, least: int, most: int, language: str) -> str:
    """Write a number in groups of three digits, with so many digits after the point; at the end, zeros beyond the least are left out."""
    group, point = (_THIN, ",") if language == "fr" else (",", ".")
    rounded = _rounded(number, most)
    whole, _, behind = f"{rounded.copy_abs():,f}".partition(".")
    behind = behind.rstrip("0").ljust(least, "0")
    return (_MINUS if rounded < 0 else "") + whole.replace(",", group) + (point + behind if behind else "")


def _exponent(number: Decimal, language: str) -> str:
    from babel.numbers import format_scientific

    with localcontext(prec=_DIGITS):
        return _signed(format_scientific(number + 0, format="0.##E0", locale=_locale(language)))


def _money(number: Decimal, code: str, decimals: int | None, language: str) -> str:
    from babel import Locale
    from babel.numbers import format_currency, get_currency_precision

    least = get_currency_precision(code) if decimals is None else decimals
    most = _enough(number, least) if decimals is None else decimals
    pattern = Locale.parse(_locale(language)).currency_formats["standard"].pattern
    shown = re.sub(r"0\.0+", ("0." + "0" * least + "#" * (most - least)).rstrip("."), pattern)
    with localcontext(prec=_DIGITS):
        return _signed(
            format_currency(
                _rounded(number, most) + 0, code, format=shown, locale=_locale(language), currency_digits=False
            )
        )


def _duration(number: Decimal, decimals: int, language: str) -> str:
    """Write seconds as minutes and seconds, with hours from the first one on."""
    rounded = _rounded(abs(number), decimals)
    with localcontext(prec=_DIGITS):
        minutes, seconds = divmod(rounded, 60)
        hours, minutes = divmod(minutes, 60)
    sign = _MINUS if number < 0 and rounded else ""
    point = "," if language == "fr" else "."
    tail = f"{seconds:0{decimals + 3 if decimals else 2}.{decimals}f}".replace(".", point)
    return f"{sign}{hours:f}:{minutes:02f}:{tail}" if hours else f"{sign}{minutes:f}:{tail}"


def _currency_code(unit: str) -> str:
    """`EUR` of `EUR` and of `EUR / lead`; nothing where the unit is not money."""
    found = re.match(r"\s*([A-Z]{3})\s*(/|$)", unit)
    return found.group(1) if found else ""


def _signed(text: str) -> str:
    return text.replace("-", _MINUS)


def _locale(language: str) -> str:
    return "fr" if language == "fr" else "en"
