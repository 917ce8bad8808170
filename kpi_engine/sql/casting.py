"""Values of one type made values of another, and when they do not fit: nothing is rounded, cut off or guessed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.formula.trees import dialect

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

INSTANT = "TIMESTAMP WITH TIME ZONE"
_WHOLE = frozenset({"BIGINT", "HUGEINT"})
_DECIMAL = re.compile(r"DECIMAL\((\d+),\s*(\d+)\)")
_INTEGER_TEXT = r"[+-]?[0-9]+(\.0*)?([eE]\+?[0-9]+)?"
_ZONED_TEXT = r".*[0-9:]([zZ]|[+-][0-9]{2}(:?[0-9]{2})?)"

Fitted = tuple[exp.Expr, exp.Expr | None]
"""The value as the other type, and a condition that is true where it does not fit; None where every value does."""


def type_node(kind: str) -> exp.DataType:
    """Read a type in DuckDB's words; raise `ValueError` where it is none."""
    try:
        return exp.DataType.build(kind, dialect=dialect())
    except Exception as error:
        raise ValueError(f"`{kind}` is no type") from error


def decimals(kind: str) -> tuple[int, int] | None:
    """Give the digits of a DECIMAL, all of them and those after the point; None of another type."""
    match = _DECIMAL.fullmatch(kind)
    return (int(match[1]), int(match[2])) if match else None


def fitted(value: exp.Expr, given: str, kind: str) -> Fitted:
    """Make a value of the type `given` one of the type `kind`."""
    if given == kind:
        return value, None
    if kind == "VARCHAR":
        return exp.Cast(this=value, to=type_node("VARCHAR")), None
    if kind == "JSON":
        return _as_json(value, given), None
    tried = exp.TryCast(this=value, to=type_node(kind))
    doubt = _doubt(given, kind)
    wrong: exp.Expr = exp.Is(this=tried, expression=exp.Null())
    if doubt is not None:
        wrong = exp.Or(this=wrong, expression=exp.paren(doubt(value, tried, kind)))
    known = exp.Not(this=exp.Is(this=value, expression=exp.Null()))
    return tried, exp.And(this=known, expression=exp.paren(wrong))


def _as_json(value: exp.Expr, given: str) -> exp.Expr:
    """Take a text that is JSON as what it says, and any other value as itself."""
    whole = exp.Anonymous(this="to_json", expressions=[value])
    if given != "VARCHAR":
        return whole
    valid = exp.Anonymous(this="json_valid", expressions=[value])
    read = exp.TryCast(this=value, to=type_node("JSON"))
    return exp.Case(ifs=[exp.If(this=valid, true=read)], default=whole)


def _doubt(given: str, kind: str) -> Callable[[exp.Expr, exp.Expr, str], exp.Expr] | None:
    """Find what a cast that succeeds may still have lost; None where nothing can be."""
    if given == "VARCHAR":
        return _TEXTS.get("DECIMAL" if decimals(kind) else kind, _nothing)
    if (given in _WHOLE or decimals(given)) and (kind in _WHOLE or decimals(kind)):
        return _changes_back(given)
    pairs = {("DOUBLE", "BIGINT"), ("DOUBLE", "HUGEINT"), ("TIMESTAMP", "DATE")}
    if (given, kind) in pairs or (given == "DOUBLE" and decimals(kind)) or (given in _WHOLE and kind == "DOUBLE"):
        return _changes_back(given)
    if (given, kind) == ("DATE", "TIMESTAMP"):
        return None
    return lambda *_: exp.true()


def _changes_back(given: str) -> Callable[[exp.Expr, exp.Expr, str], exp.Expr]:
    """Ask whether a value is another one when it is made what it was."""
    return lambda value, tried, _: exp.NullSafeNEQ(this=exp.TryCast(this=tried, to=type_node(given)), expression=value)


def _nothing(_: exp.Expr, __: exp.Expr, ___: str) -> exp.Expr:
    return exp.false()


def _no_integer(value: exp.Expr, _: exp.Expr, __: str) -> exp.Expr:
    return exp.Not(this=_matches(value, _INTEGER_TEXT))


def _no_decimal(value: exp.Expr, tried: exp.Expr, kind: str) -> exp.Expr:
    """A text with more digits after the point than are kept, unless it has an exponent and is the same number."""
    found = decimals(kind)
    assert found is not None  # noqa: S101 - the caller looked
    plain = _matches(value, rf"[+-]?[0-9]*(\.[0-9]{{0,{found[1]}}}0*)?")
    same = exp.EQ(
        this=exp.Cast(this=tried, to=type_node("DOUBLE")), expression=exp.TryCast(this=value, to=type_node("DOUBLE"))
    )
    exponent = exp.And(this=_matches(value, r".*[eE].*"), expression=same)
    return exp.Not(this=exp.paren(exp.Or(this=plain, expression=exponent)))


def _no_number(_: exp.Expr, tried: exp.Expr, __: str) -> exp.Expr:
    return exp.Not(this=exp.Anonymous(this="isfinite", expressions=[tried]))


def _no_day(value: exp.Expr, tried: exp.Expr, kind: str) -> exp.Expr:
    """A text with a time of day other than midnight is no date."""
    moment = exp.TryCast(this=value, to=type_node("TIMESTAMP"))
    timed = exp.NullSafeNEQ(this=moment, expression=exp.Cast(this=tried, to=type_node("TIMESTAMP")))
    return exp.Or(this=timed, expression=_no_moment(value, tried, kind))


def _zoned(value: exp.Expr, tried: exp.Expr, kind: str) -> exp.Expr:
    """A text with a zone is an instant, and no time by a clock that is not known."""
    return exp.Or(this=_matches(value, rf"[0-9-]+[T ].*{_ZONED_TEXT}"), expression=_no_moment(value, tried, kind))


def _no_moment(value: exp.Expr, _: exp.Expr, __: str) -> exp.Expr:
    """A word such as `infinity` is no time, and a year of five digits is one that was mistyped."""
    return _matches(value, r"\s*([a-zA-Z+-]|[0-9]{5}).*")


def _matches(value: exp.Expr, pattern: str) -> exp.Expr:
    return exp.Anonymous(this="regexp_full_match", expressions=[value, exp.Literal.string(pattern)])


_TEXTS: Mapping[str, Callable[[exp.Expr, exp.Expr, str], exp.Expr]] = {
    "BIGINT": _no_integer,
    "HUGEINT": _no_integer,
    "DECIMAL": _no_decimal,
    "DOUBLE": _no_number,
    "DATE": _no_day,
    "TIMESTAMP": _zoned,
    INSTANT: _no_moment,
}
