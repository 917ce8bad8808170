"""The engine held against the oracle."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import TYPE_CHECKING, Any

import duckdb
from oracle import Oracle
from oracle_cases import Maker
from oracle_texts import arguments, create, definitions

import kpi_engine

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oracle_model import Model, Question

REFUSALS = {"missing_dimension", "no_previous"}
"""A question that the language refuses, such as a split by a dimension that every input ignores."""


class WrongError(AssertionError):
    """The engine and the oracle differ."""


def opened(model: Model) -> kpi_engine.Engine:
    """Open an engine over a model and its data."""
    connection = duckdb.connect()
    create(connection, model)
    return kpi_engine.open(definitions(model), connection)


def check_seed(seed: int, questions: int = 5) -> int:
    """Make a project and questions from a seed, and compare; give how many questions were answered."""
    maker = Maker(Random(seed))  # noqa: S311 - the same case again
    model = maker.model()
    answered = 0
    with opened(model) as engine:
        for number in range(questions):
            question, as_of = maker.question(model)
            try:
                answered += check(engine, model, question, as_of)
            except WrongError as wrong:
                message = (
                    f"seed {seed}, question {number}: {arguments(question, as_of)}\n{_kpis(model, question)}\n{wrong}"
                )
                raise WrongError(message) from None
    return answered


def check(engine: kpi_engine.Engine, model: Model, question: Question, as_of: str) -> bool:
    """Compare rows, members and totals; give whether the question was answered, or refused by a rule of the language."""
    try:
        result = engine.run(**arguments(question, as_of))
        rows, totals = result.rows(), result.totals()
    except kpi_engine.KpiError as error:
        if error.code in REFUSALS:
            return False
        raise WrongError(f"refused: {error}") from error
    oracle = Oracle(model, question)
    keys = [*question.by, *(["period"] if question.grain else [])]
    got = {tuple(row[key] for key in keys): row for row in rows}
    if len(got) != len(rows):
        raise WrongError("a row stands there twice")
    members = {key[: len(question.by)] for key in got}
    if rows and members != oracle.members():
        raise WrongError(f"members {sorted(map(str, members))} instead of {sorted(map(str, oracle.members()))}")
    expected = oracle.rows(members)
    if question.by == () and not expected.keys() == got.keys():
        raise WrongError(f"rows {list(got)} instead of {list(expected)}")
    if expected.keys() != got.keys():
        raise WrongError(f"frame {sorted(map(str, got))} instead of {sorted(map(str, expected))}")
    for key, values in expected.items():
        _compare(key, values, got[key], tuple(result.keys)[len(keys) :])
    _compare("totals", oracle.totals(), totals, tuple(totals))
    return True


def _compare(
    key: object, expected: Mapping[str, Fraction | None], got: Mapping[str, Any], columns: tuple[str, ...]
) -> None:
    if set(columns) != expected.keys():
        raise WrongError(f"{key}: columns {columns} instead of {list(expected)}")
    for name, value in expected.items():
        if not same(value, got[name]) and not _noise(name, expected, got):
            raise WrongError(
                f"{key}: {name} is {got[name]!r} instead of {None if value is None else float(value)} ({value})"
            )


def same(expected: Fraction | None, got: Any) -> bool:
    """Say whether a value is right: whole numbers and decimals exactly, rates to 9 digits."""
    if expected is None or got is None:
        return expected is None and got is None
    if isinstance(got, int | Decimal):
        return Fraction(got) == expected
    return abs(float(expected) - got) <= 1e-9 * max(1.0, abs(float(expected)))


def _noise(name: str, expected: Mapping[str, Fraction | None], got: Mapping[str, Any]) -> bool:
    """Say whether a change is over a base that is zero, but for the last digit of a float."""
    base = name.removesuffix("_change")
    return name.endswith("_change") and expected[base] == 0 and isinstance(got[base], float) and abs(got[base]) < 1e-9


def _kpis(model: Model, question: Question) -> str:
    made = definitions(model)
    wanted = list(question.kpis)
    lines = [f"almanac {model.almanac}"]
    for name in wanted:
        lines.append(f"  {name}: {made['kpis'][name]}")
        wanted += [
            used.source
            for used in model.kpis[name].inputs.values()
            if used.source in model.kpis and used.source not in wanted
        ]
    return "\n".join(lines)
