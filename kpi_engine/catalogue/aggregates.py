"""The aggregates of a formula resolved: over which input each goes, and what its names mean there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.catalogue.resolved import VALUE, Expr, ResolvedAggregate, ResolvedInput
from kpi_engine.catalogue.sqltypes import in_words
from kpi_engine.catalogue.terms import not_added
from kpi_engine.formula.analysis import columns, parts
from kpi_engine.formula.gate import Mistake, Refused, span
from kpi_engine.formula.trees import column, placed, rewritten

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kpi_engine.catalogue.surroundings import Surroundings
    from kpi_engine.formula.analysis import Aggregation

_OF_NUMBERS = frozenset({"sum", "avg", "median", "quantile_cont", "approx_quantile", "stddev"})
COUNTS = frozenset({"count", "count_distinct"})
"""Aggregates that do not depend on how much the values are."""
_NOT_NUMBERS = (
    "VARCHAR",
    "TEXT",
    "STRING",
    "DATE",
    "TIME",
    "BOOL",
    "STRUCT",
    "MAP",
    "INTERVAL",
    "UUID",
    "BLOB",
    "JSON",
    "ENUM",
)


@dataclass(frozen=True)
class Aggregates:
    """Resolves the aggregates of one KPI's formula; `broken` are the inputs that could not be resolved."""

    inputs: Mapping[str, ResolvedInput]
    broken: frozenset[str]
    around: Surroundings

    def resolve(self, aggregation: Aggregation) -> ResolvedAggregate | None:
        """Resolve one aggregate; None where it is over an input that is broken. Raise `Refused` with what is wrong with it."""
        if self._is_broken(aggregation):
            return None
        owner = self._owner(aggregation)
        if aggregation.function in {"first", "last"} and (owner.unit is None or owner.per != (owner.unit,)):
            raise Refused(_no_order(aggregation, owner))
        argument = aggregation.argument
        if aggregation.function == "count" and isinstance(argument, exp.Column) and parts(argument) == (owner.alias,):
            argument = None
        mistakes: list[Mistake] = []
        resolved = self._over_rows(argument, owner, mistakes)
        condition = self._over_rows(aggregation.filter, owner, mistakes)
        mistakes += self._not_numbers(aggregation, argument, owner) if not mistakes else ()
        mistakes += self._not_added(aggregation, resolved, owner) if not mistakes else ()
        if mistakes:
            raise Refused(*dict.fromkeys(mistakes))
        currencies: tuple[tuple[Expr, Expr], ...] = ()
        if aggregation.function not in COUNTS and resolved is not None and not owner.per:
            currencies = self.around.names.currencies(owner.target, resolved)
        return ResolvedAggregate(
            function=aggregation.function,
            input=owner.alias,
            argument=None if resolved is None else Expr(resolved),
            filter=() if condition is None else Expr(condition).conjuncts,
            fraction=aggregation.fraction,
            currencies=currencies,
        )

    def _named(self, aggregation: Aggregation) -> Iterator[exp.Column]:
        trees = (tree for tree in (aggregation.argument, aggregation.filter) if tree is not None)
        return (column for tree in trees for column in columns(tree))

    def _is_broken(self, aggregation: Aggregation) -> bool:
        """Whether it is over a broken input, or may be: what it names is then not known."""
        first = {parts(column)[0] for column in self._named(aggregation)}
        rows = {alias for alias, each in self.inputs.items() if each.is_rows}
        return bool(self.broken) and (bool(first & self.broken) or not first & rows)

    def _owner(self, aggregation: Aggregation) -> ResolvedInput:
        """Find the one rows input an aggregate is over."""
        rows = {alias: each for alias, each in self.inputs.items() if each.is_rows}
        named: set[str] = set()
        for each in self._named(aggregation):
            first = parts(each)[0]
            if first in rows:
                named.add(first)
            elif first in self.inputs:
                raise Refused(_value_in_aggregate(each, first))
        if len(named) == 1:
            return rows[named.pop()]
        if not named and len(rows) == 1:
            return next(iter(rows.values()))
        raise Refused(_no_owner(aggregation, sorted(named), list(rows)))

    def _over_rows(self, tree: exp.Expr | None, owner: ResolvedInput, mistakes: list[Mistake]) -> exp.Expr | None:
        """Resolve names inside an aggregate: the input's alias goes, what follows is looked up over its rows."""
        if tree is None:
            return None

        def bare(node: exp.Expr) -> exp.Expr:
            try:
                return self._bare(node, owner) if isinstance(node, exp.Column) else node
            except Refused as refused:
                mistakes.extend(refused.mistakes)
                return exp.Null()

        prepared = rewritten(tree, bare)
        mistakes += self.around.unknown_parameters(tree)
        if owner.per:
            return prepared
        try:
            return self.around.names.resolve(owner.target, prepared)
        except Refused as refused:
            mistakes += refused.mistakes
            return prepared

    def _bare(self, node: exp.Column, owner: ResolvedInput) -> exp.Expr:
        names = parts(node)
        if owner.per:
            return _per_column(node, names, owner)
        if names == (owner.alias,) and not self._has_column(owner, names[0]):
            hint = f"write `{names[0]}.` and a column, or `count({names[0]})`"
            raise Refused(
                Mistake("rows_as_column", f"`{names[0]}` is many rows, and a column stands here", *span(node), hint)
            )
        if names[0] == owner.alias and len(names) > 1:
            return placed(exp.column(*reversed(node.parts[1:]), copy=False), node)  # type: ignore[call-overload]
        return node

    def _has_column(self, owner: ResolvedInput, name: str) -> bool:
        names = self.around.names
        known = names.schema(owner.target) is not None and names.spelling(owner.target, name) is not None
        return known or name in names.datasets[owner.target].dimensions

    def _not_added(
        self, aggregation: Aggregation, resolved: exp.Expr | None, owner: ResolvedInput
    ) -> Iterator[Mistake]:
        """What a source says may not be added up is not."""
        if not owner.per:
            for each in not_added(
                aggregation.function, resolved, owner.target, self.around.names, levels=owner.take != "rows"
            ):
                yield replace(each, offset=aggregation.offset, length=aggregation.length)

    def _not_numbers(
        self, aggregation: Aggregation, argument: exp.Expr | None, owner: ResolvedInput
    ) -> Iterator[Mistake]:
        """A sum of texts or dates is none."""
        if aggregation.function not in _OF_NUMBERS or not isinstance(argument, exp.Column) or owner.per:
            return
        names = parts(argument)
        names = names[1:] if names[0] == owner.alias and len(names) > 1 else names
        dimension = self.around.names.datasets[owner.target].dimensions.get(names[0]) if len(names) == 1 else None
        if dimension is not None and (dimension.sql or dimension.path):
            return
        found = self.around.names.type_at(owner.target, names)
        if found.startswith(_NOT_NUMBERS) or found.endswith("]"):
            hint = f"correct the data, or declare `columns: {{{names[-1]}: {{type: double}}}}` to have every text read as a number"
            if not found.startswith(("VARCHAR", "TEXT", "STRING")):
                hint = f"count them with `count({'.'.join(parts(argument))})`, or aggregate another column"
            message = f"`{aggregation.function}` needs numbers, and `{'.'.join(names)}` of dataset `{owner.target}` is {in_words(found)}"
            yield Mistake("not_a_number", message, *span(argument), hint)


def _value_in_aggregate(column: exp.Column, name: str) -> Mistake:
    hint = "take it out of the aggregate, or give its input `per`"
    return Mistake(
        "value_in_aggregate", f"`{name}` is the value of a KPI, and stands inside an aggregate", *span(column), hint
    )


def _no_owner(aggregation: Aggregation, named: list[str], rows: list[str]) -> Mistake:
    place = (aggregation.offset, aggregation.length)
    if named:
        message = f"one aggregate reads {' and '.join(f'`{name}`' for name in named)}"
        return Mistake("two_inputs_in_aggregate", message, *place, "aggregate each input by itself")
    if not rows:
        hint = "all inputs are KPIs: use their values, without an aggregate"
        return Mistake("nothing_to_aggregate", "there are no rows to aggregate", *place, hint)
    hint = "write the input before the column: " + ", ".join(f"`{alias}.…`" for alias in rows)
    return Mistake("ambiguous_input", "it is not clear over which input this aggregates", *place, hint)


def _no_order(aggregation: Aggregation, owner: ResolvedInput) -> Mistake:
    message = f"`{aggregation.function}` needs one row for each unit of time, and `{owner.alias}` has others"
    hint = f"give the input `{owner.alias}` a `per`, such as `per: day`"
    return Mistake("no_order", message, aggregation.offset, aggregation.length, hint)


def _per_column(node: exp.Column, names: tuple[str, ...], owner: ResolvedInput) -> exp.Expr:
    if names == (owner.alias,) and owner.kind == "kpi":
        return placed(column(VALUE, VALUE), node)
    if names[-1] in owner.per and names[:-1] in {(), (owner.alias,)}:
        return placed(column(names[-1], VALUE), node)
    value = (
        f"use `{owner.alias}` for the value, or "
        if owner.kind == "kpi"
        else f"count them with `count({owner.alias})`, or use "
    )
    hint = value + ", ".join(f"`{owner.alias}.{name}`" for name in owner.per)
    raise Refused(Mistake("unknown_column", f"`{'.'.join(names)}` is not part of `{owner.alias}`", *span(node), hint))
