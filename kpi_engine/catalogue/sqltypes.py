"""What is asked of a database about types before anything runs: every expression of a definition, with unknown values in place of names.

`lower(amount)` is wrong whatever the data hold. Each expression is handed out with every column replaced by an unknown value of the
column's type, so that whoever knows SQL's types can say what it gives, or why it gives nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sqlglot import exp
from sqlglot.errors import SqlglotError

from kpi_engine.catalogue.resolved import INPUT, VALUE
from kpi_engine.formula.analysis import SLOT
from kpi_engine.formula.positions import span

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kpi_engine.catalogue.names import Names
    from kpi_engine.catalogue.resolved import ResolvedAggregate, ResolvedKpi
    from kpi_engine.definitions.models import Parameter

_PARAMETERS = {"number": "DOUBLE", "integer": "BIGINT", "text": "VARCHAR", "boolean": "BOOLEAN", "date": "DATE"}

Wanted = Literal["number", "boolean", "any"]


@dataclass(frozen=True)
class Probe:
    """An expression without names, what it must give, and where it stands: the key, and the stretch of the text under it."""

    path: tuple[str, ...]
    tree: exp.Expr
    wanted: Wanted = "any"
    offset: int = 0
    length: int = 1


def dataset_probes(dataset: str, names: Names) -> Iterator[Probe]:
    """Give the expressions of a dataset: dimensions, times, and the two sides of its joins."""
    model = names.datasets[dataset]
    blank = _Blank(dataset, names, {})
    for name, dimension in model.dimensions.items():
        if dimension.sql:
            yield from blank.probe(names.dimension(dataset, name), ("dimensions", name, "sql"), len(dimension.sql))
    for name, time in {"": model.time, **model.times}.items():
        found = names.time(dataset, name) if time is not None and time.sql and names.schema(dataset) is not None else None
        if found is not None and time is not None:
            path = ("times", name, "sql") if name else ("time", "sql")
            yield from blank.probe(found.expression.tree, path, len(time.sql))
    for name, join in model.joins.items():
        for here, there in join.keys.items():
            sides = names.column(dataset, here), names.column(join.to, there, (name,))
            yield from blank.probe(exp.EQ(this=sides[0], expression=sides[1]), ("joins", name, "keys", here), len(there))


def kpi_probes(kpi: ResolvedKpi, names: Names, parameters: Mapping[str, Parameter]) -> Iterator[Probe]:
    """Give the expressions of a KPI: the conditions of its inputs, its aggregates, and what is computed from them."""
    for alias, source in kpi.inputs.items():
        if source.where is not None and source.kind == "dataset":
            path, length = ("inputs", alias, "where"), len(kpi.model.inputs[alias].where)
            yield from _Blank(source.target, names, parameters).probe(source.where.tree, path, length, "boolean")
    calls: list[exp.Expr | None] = []
    for number, aggregate in enumerate(kpi.aggregates):
        source = kpi.inputs[aggregate.input]
        blank = _Blank(source.target, names, parameters)
        place = next(span(c) for c in kpi.outer.tree.find_all(exp.Column) if c.table == SLOT and c.name == str(number))
        calls.append(blank.filled(_call(aggregate)))
        for tree, wanted in ((_call(aggregate), "any"), *((each.tree, "boolean") for each in aggregate.filter)):
            yield from blank.probe(tree, ("formula",), place[1], wanted, place[0])
    outer = _Blank("", names, parameters, tuple(calls))
    yield from outer.probe(kpi.outer.tree, ("formula",), len(kpi.model.formula), "number")


def _call(aggregate: ResolvedAggregate) -> exp.Expr:
    argument = exp.Star() if aggregate.argument is None else aggregate.argument.tree.copy()
    if aggregate.function == "count_distinct":
        return exp.Count(this=exp.Distinct(expressions=[argument]))
    fraction = [exp.Literal.number(repr(aggregate.fraction))] if aggregate.fraction is not None else []
    return exp.Anonymous(this=aggregate.function, expressions=[argument, *fraction])


class _UnknownTypeError(Exception):
    """A column whose type is not known: nothing can be said of what is made of it."""


@dataclass(frozen=True)
class _Blank:
    """Puts unknown values of the right types in place of names."""

    dataset: str
    names: Names
    parameters: Mapping[str, Parameter]
    aggregates: tuple[exp.Expr | None, ...] = ()

    def probe(self, tree: exp.Expr, path: tuple[str, ...], length: int, wanted: Wanted = "any", offset: int = 0) -> Iterator[Probe]:
        """Give the probe of an expression; none where a type is not known."""
        filled = self.filled(tree)
        if filled is not None:
            yield Probe(path, filled, wanted, offset, length)

    def filled(self, tree: exp.Expr) -> exp.Expr | None:
        """Replace every name; None where a type is not known."""
        try:
            return tree.copy().transform(self._replaced)
        except _UnknownTypeError:
            return None

    def _replaced(self, node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Placeholder):
            return _unknown(_PARAMETERS[self.parameters[str(node.this)].type])
        if not isinstance(node, exp.Column):
            return node
        if node.table == SLOT:
            found = self.aggregates[int(node.name)]
            if found is None:
                raise _UnknownTypeError
            return found.copy()
        if node.table == INPUT or (node.table == VALUE and node.name == VALUE):
            return _unknown("DOUBLE")
        if node.table == VALUE:
            raise _UnknownTypeError
        return _unknown(self._type(node))

    def _type(self, node: exp.Column) -> str:
        owner = self.names.owner(self.dataset, node.table.split(".")[1:])
        found = (self.names.schema(owner) or {}).get(node.name) or self.names.type_of(owner, node.name)
        if not found:
            raise _UnknownTypeError
        return found


def _unknown(sql_type: str) -> exp.Expr:
    try:
        return exp.cast(exp.Null(), exp.DataType.build(sql_type, dialect="duckdb"))
    except SqlglotError:
        raise _UnknownTypeError from None
