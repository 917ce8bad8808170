"""The engine held against the oracle."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any

import duckdb
from oracle import Oracle
from oracle_answers import Answer, answer, same
from oracle_calendar import NoPreviousError
from oracle_cases import made
from oracle_cohorts import NoAgeError
from oracle_money import MixedError, NoRateError
from oracle_places import UnboundedError
from oracle_splits import Splits
from oracle_texts import arguments, create, definitions
from oracle_units import NoYearError

import kpi_engine

if TYPE_CHECKING:
    from collections.abc import Mapping
    from fractions import Fraction

    from oracle_model import Model, Question

QUESTIONS = 8
"""So many requests are made to one project."""
REFUSALS = {"no_previous", "mixed_units"}
"""What the language refuses and no oracle foretells, such as a count less an amount of money."""

UNBOUNDED = {"unbounded_period", "no_previous", "no_year_of_unit", "split_needed"}
"""Of a question without a period: what comes before it, or each day of it, is nothing that can be said."""

NOTHING_BEFORE = (UnboundedError, NoPreviousError, NoYearError, NoAgeError)
MONEY = {NoRateError: "no_rate", MixedError: "mixed_currencies"}
"""What is seen in the data only, and refused then; where both are there, either is told first."""


class WrongError(AssertionError):
    """The engine and the oracle differ."""


def opened(model: Model) -> kpi_engine.Engine:
    """Open an engine over a model and its data."""
    connection = duckdb.connect()
    create(connection, model)
    return kpi_engine.open(definitions(model), connection)


def check_seed(seed: int, questions: int = QUESTIONS) -> int:
    """Make a project and questions from a seed, and compare; give how many questions were answered."""
    model, asked = made(Random(seed), questions)  # noqa: S311 - the same case again
    with opened(model) as engine:
        return sum(check(engine, model, question) for question in asked)


def check(engine: kpi_engine.Engine, model: Model, question: Question) -> bool:
    """Compare rows, members and totals; give whether the question was answered, or refused by a rule of the language."""
    oracle: Oracle | None = None
    wrong = ""
    lacks = Splits(model).lacks(question)
    try:
        oracle = Oracle(model, question)
        expected = answer(oracle)
    except NOTHING_BEFORE:
        expected = None
    except (NoRateError, MixedError) as error:
        expected, wrong = None, MONEY[type(error)]
    try:
        ask = engine.run if question.kpis else engine.members
        result = ask(**arguments(question))
        rows = result.rows()
    except kpi_engine.KpiError as error:
        if lacks and error.code == "missing_dimension":
            return False
        if wrong and error.code in REFUSALS | UNBOUNDED | set(MONEY.values()):
            return error.code in MONEY.values()
        if not wrong and error.code in (UNBOUNDED | REFUSALS if expected is None else REFUSALS):
            return False
        raise WrongError(f"refused: {error}") from error
    if wrong and question.limit == 0 and not lacks:
        return True
    if oracle is None or expected is None or lacks:
        raise WrongError(f"answered, and not refused: {rows[:3]}")
    _check_rows(question, expected, rows, tuple(result.keys))
    if question.totals:
        _check_totals(oracle, result)
    return True


def _check_totals(oracle: Oracle, result: kpi_engine.Result) -> None:
    """Compare the totals, which may be refused where the rows are not: a period may have no year before, and its months have one."""
    wrong = ""
    lacks = Splits(oracle.model).lacks(replace(oracle.question, by=(), top=None))
    try:
        expected = oracle.totals()
    except NOTHING_BEFORE:
        expected = None
    except (NoRateError, MixedError) as error:
        expected, wrong = None, MONEY[type(error)]
    try:
        got = result.totals()
    except kpi_engine.KpiError as error:
        if (lacks or _over_all_ages(oracle)) and error.code == "missing_dimension":
            return
        if error.code in (set(MONEY.values()) if wrong else set()) | REFUSALS | (
            set() if expected is not None else UNBOUNDED
        ):
            return
        raise WrongError(f"refused totals: {error}") from error
    if expected is None and not wrong and _over_all_ages(oracle) and all(value is None for value in got.values()):
        return  # of all ages together nothing is known, and nothing before is looked for
    if expected is None or lacks:
        raise WrongError(f"totals answered, and not refused: {got}")
    _compare("totals", expected, got)


def _over_all_ages(oracle: Oracle) -> bool:
    """Say whether totals are over all ages, of which nothing is read: then no input knows the entities of a `per` either."""
    try:
        Oracle(oracle.model, replace(oracle.question, by=(), top=None)).check_ages()
    except NoAgeError:
        return True
    return False


def _check_rows(question: Question, expected: Answer, rows: list[dict[str, Any]], columns: tuple[str, ...]) -> None:
    """Compare the rows by their keys, then their order, in which only what is equal but for noise may stand otherwise."""
    wanted = (*expected.keys, *expected.columns)
    if columns != wanted and rows:
        raise WrongError(f"columns {columns} instead of {wanted}")
    got = {tuple(row[key] for key in expected.keys): row for row in rows}
    if len(got) != len(rows):
        raise WrongError("a row stands there twice")
    if question.limit is None and got.keys() != expected.rows.keys():
        raise WrongError(f"rows {sorted(map(str, got))} instead of {sorted(map(str, expected.rows))}")
    for key, row in got.items():
        if key not in expected.rows:
            raise WrongError(f"a row {key} that is none: {row}")
        _compare(key, expected.rows[key], row)
    order = expected.order(question.limit)
    if len(order) != len(rows):
        raise WrongError(f"{len(rows)} rows instead of {len(order)}")
    for (key, sorted_by), row in zip(order, rows, strict=True):
        found = tuple(row[name] for name in expected.keys)
        if found != key and not expected.is_tie(sorted_by, expected.rows[found]):
            raise WrongError(f"{found} stands where {key} belongs")


def _compare(key: object, expected: Mapping[str, Fraction | None], got: Mapping[str, Any]) -> None:
    for name, value in expected.items():
        if not same(value, got[name]) and not _noise(name, expected, got):
            raise WrongError(
                f"{key}: {name} is {got[name]!r} instead of {None if value is None else float(value)} ({value})"
            )


def _noise(name: str, expected: Mapping[str, Fraction | None], got: Mapping[str, Any]) -> bool:
    """Say whether a change is over a base that is zero, but for the last digit of a float."""
    base = name.removesuffix("_change")
    return (
        name.endswith("_change")
        and expected[base] == 0
        and isinstance(got[base], float | Decimal)
        and abs(got[base]) < 1e-9
    )


def kpis_of(model: Model, question: Question) -> str:
    """Write the definitions that a question needs."""
    written = definitions(model)
    wanted = list(question.kpis) + [each[2][0][0] for each in question.where if each[0] == "among"]
    lines = [f"almanac {model.almanac}"]
    for name in wanted:
        lines.append(f"  {name}: {written['kpis'][name]}")
        below = [
            having[0] for used in model.kpis[name].inputs.values() for _, judged in used.among for having in judged
        ]
        below += [used.source for used in model.kpis[name].inputs.values()]
        wanted += [each for each in below if each in model.kpis and each not in wanted]
    return "\n".join(lines)
