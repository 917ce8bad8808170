"""What a dataset's definition claims of its data, and only the data can show: types, keys, times, joins, rules."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.catalogue.resolved import ROWS, Expr
from kpi_engine.formula.analysis import columns
from kpi_engine.formula.mistakes import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kpi_engine.catalogue.names import Names
    from kpi_engine.catalogue.resolved import TimeColumn


@dataclass(frozen=True)
class TypeClaim:
    """A declared type: `found` is the column as the data have it, `meant` as it is declared; where they are one, reading it converts it."""

    column: str
    found: Expr
    meant: Expr


@dataclass(frozen=True)
class TimeClaim:
    """A time, the default one under the empty name."""

    name: str
    column: TimeColumn

    @property
    def is_own(self) -> bool:
        """Whether it stands in the dataset itself, over no join."""
        return _is_own(self.column.expression)


@dataclass(frozen=True)
class JoinClaim:
    """A join: `here` are columns of the dataset, `there` those of the other one that they are equal to, and `beyond` these over the join."""

    name: str
    to: str
    here: tuple[Expr, ...]
    there: tuple[str, ...]
    beyond: tuple[Expr, ...]
    valid: tuple[str, str] | None

    @property
    def is_own(self) -> bool:
        """Whether its keys stand in the dataset itself, over no other join."""
        return all(map(_is_own, self.here))


@dataclass(frozen=True)
class Rule:
    """A dimension whose members rules name, and none of the rest: `named` is true of a row that a rule names, `of` are the columns that rules look at."""

    dimension: str
    named: Expr
    of: tuple[Expr, ...]

    @property
    def is_own(self) -> bool:
        """Whether its rules look at the dataset itself only, over no join."""
        return _is_own(self.named)


@dataclass(frozen=True)
class Claims:
    """All that a dataset claims of its data."""

    dataset: str
    key: tuple[str, ...]
    types: tuple[TypeClaim, ...]
    times: tuple[TimeClaim, ...]
    joins: tuple[JoinClaim, ...]
    rules: tuple[Rule, ...]

    @property
    def far(self) -> list[Expr]:
        """What is looked at behind joins: times, and joins whose keys are reached over others."""
        beyond = [each for join in self.joins if not join.is_own for each in join.beyond]
        return [*(time.column.expression for time in self.times if not time.is_own), *beyond]


def claims_of(dataset: str, names: Names) -> Claims:
    """Gather what a dataset claims of its data; what has a mistake in it, or needs data that cannot be read, is left out."""
    return Claims(
        dataset,
        names.datasets[dataset].key,
        tuple(_types(dataset, names)),
        tuple(_times(dataset, names)),
        tuple(_joins(dataset, names)),
        tuple(_rules(dataset, names)),
    )


def _types(dataset: str, names: Names) -> Iterator[TypeClaim]:
    for name, column in names.datasets[dataset].columns.items():
        if not column.type or names.spelling(dataset, name) is None:
            continue
        with suppress(Refused):
            meant = names.column(dataset, name)
            found = meant.find(exp.Column) if isinstance(meant, exp.Cast) else meant
            if isinstance(found, exp.Column):
                yield TypeClaim(name, Expr(found), Expr(meant))


def _times(dataset: str, names: Names) -> Iterator[TimeClaim]:
    for name in ("", *names.datasets[dataset].times):
        with suppress(Refused):
            time = names.time(dataset, name)
            if time is not None:
                yield TimeClaim(name, time)


def _joins(dataset: str, names: Names) -> Iterator[JoinClaim]:
    for name, join in names.datasets[dataset].joins.items():
        if join.to not in names.datasets or names.schema(join.to) is None:
            continue
        with suppress(Refused):
            here = tuple(Expr(names.key(dataset, key)) for key in join.keys)
            there = tuple(join.keys.values())
            beyond = tuple(Expr(names.column(join.to, column, (name,))) for column in there)
            yield JoinClaim(name, join.to, here, there, beyond, join.valid)


def _rules(dataset: str, names: Names) -> Iterator[Rule]:
    """Find the dimensions that name their members with `case … when` and have no `else`: what no rule names is unknown there."""
    for name, dimension in names.datasets[dataset].dimensions.items():
        if not dimension.sql:
            continue
        with suppress(Refused):
            tree = names.dimension(dataset, name).unnest()
            if isinstance(tree, exp.Case) and tree.args.get("default") is None:
                tests = [_test(tree.this, rule.this) for rule in tree.args["ifs"]]
                of = {Expr(column): None for test in tests for column in columns(test)}
                yield Rule(name, Expr(exp.or_(*tests)), tuple(of))


def _test(subject: exp.Expr | None, rule: exp.Expr) -> exp.Expr:
    """Give what a rule is true of; `case channel when 'email' …` compares."""
    return (
        exp.paren(rule.copy())
        if subject is None
        else exp.EQ(this=exp.paren(subject.copy()), expression=exp.paren(rule.copy()))
    )


def _is_own(each: Expr) -> bool:
    return all(column.table == ROWS for column in columns(each.tree))
