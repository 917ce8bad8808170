"""What is asked of a database about types before anything runs: every expression of a definition, over columns without rows.

`abs(channel)` is wrong whatever the data hold. Each expression is handed out over a table of unknown values, one column for each type
there is, so that whoever knows SQL's types can say what it gives, or why it gives nothing.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from sqlglot import exp
from sqlglot.errors import SqlglotError

from kpi_engine.catalogue.resolved import INPUT, VALUE
from kpi_engine.formula.analysis import SLOT
from kpi_engine.formula.mistakes import Refused
from kpi_engine.formula.positions import span
from kpi_engine.formula.shapes import is_day
from kpi_engine.formula.trees import START

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from kpi_engine.catalogue.names import Names
    from kpi_engine.catalogue.resolved import ResolvedAggregate, ResolvedInput, ResolvedKpi
    from kpi_engine.definitions.models import Parameter

Wanted = Literal["number", "boolean", "any"]
PARAMETERS: Mapping[str, str] = MappingProxyType(
    {"number": "DOUBLE", "integer": "BIGINT", "text": "VARCHAR", "boolean": "BOOLEAN", "date": "DATE"}
)
"""The SQL types of parameters."""
_COMPARISONS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.NullSafeEQ, exp.NullSafeNEQ)


@dataclass(frozen=True)
class Stretch:
    """The key that an expression stands under, and its stretch of the text there."""

    path: tuple[str, ...]
    offset: int = 0
    length: int = 1


@dataclass(frozen=True)
class Probe:
    """An expression over the table of unknown values; `aggregated` where it aggregates them."""

    tree: exp.Expr
    place: Stretch
    wanted: Wanted = "any"
    aggregated: bool = False


@dataclass(frozen=True)
class Pair:
    """Two sides that are compared."""

    left: Probe
    right: Probe


@dataclass
class Probes:
    """What is to be asked about one definition; `columns` are those of the table of unknown values, with their types."""

    names: Names
    parameters: Mapping[str, Parameter]
    columns: dict[str, str] = field(default_factory=dict)
    wholes: list[Probe] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)

    def add(
        self,
        tree: exp.Expr,
        dataset: str,
        place: Stretch,
        wanted: Wanted = "any",
        calls: tuple[exp.Expr | None, ...] | None = None,
    ) -> None:
        """Ask for an expression over the rows of a dataset, or with `calls` over aggregates, and for all that is compared in it."""
        filled = self.filled(tree, dataset, calls or ())
        if filled is None:
            return
        aggregated = calls is not None
        self.wholes.append(Probe(filled, place, wanted, aggregated))
        for node in filled.find_all(*_COMPARISONS, exp.In, exp.Between):
            if aggregated and node.find_ancestor(exp.Anonymous, exp.Count):
                continue
            near = Stretch(place.path, *span(node)) if START in node.meta else place
            for two in sides(node):
                self.pairs.append(Pair(*(Probe(side, near, aggregated=aggregated) for side in two)))
        for truth in _truths(filled):
            near = Stretch(place.path, *span(truth)) if START in truth.meta else place
            self.wholes.append(Probe(truth, near, "boolean", aggregated))

    def filled(self, tree: exp.Expr, dataset: str, calls: tuple[exp.Expr | None, ...] = ()) -> exp.Expr | None:
        """Put columns of the table of unknown values in place of names; None where a type is not known."""
        try:
            return tree.copy().transform(lambda node: self._replaced(node, dataset, calls))
        except _UnknownTypeError:
            return None

    def _replaced(self, node: exp.Expr, dataset: str, calls: tuple[exp.Expr | None, ...]) -> exp.Expr:
        if isinstance(node, exp.Placeholder):
            kind = PARAMETERS[self.parameters[str(node.this)].type]
            return exp.Max(this=self._column(kind)) if calls or not dataset else self._column(kind)
        if not isinstance(node, exp.Column):
            return node
        if node.table == SLOT:
            call = calls[int(node.name)]
            if call is None:
                raise _UnknownTypeError
            return call.copy()
        if node.table == INPUT:
            return exp.Max(this=self._column("DOUBLE"))
        if node.table == VALUE:
            if node.name != VALUE:
                raise _UnknownTypeError
            return self._column("DOUBLE")
        return self._column(self._type(node, dataset))

    def _type(self, node: exp.Column, dataset: str) -> str:
        owner = self.names.owner(dataset, node.table.split(".")[1:])
        found = (self.names.schema(owner) or {}).get(node.name) or self.names.type_of(owner, node.name)
        if not found:
            raise _UnknownTypeError
        return found

    def _column(self, sql_type: str) -> exp.Column:
        known = {kind: name for name, kind in self.columns.items()}
        name = known.get(sql_type) or f"c{len(self.columns)}"
        self.columns[name] = sql_type
        return exp.column(name, quoted=True)


class _UnknownTypeError(Exception):
    """A column whose type is not known: nothing can be said of what is made of it."""


def unknown_values(columns: Mapping[str, str]) -> exp.Select | None:
    """Give the table of unknown values; None where a type cannot be written."""
    try:
        made = [
            exp.alias_(exp.Cast(this=exp.Null(), to=exp.DataType.build(kind, dialect="duckdb")), name, quoted=True)
            for name, kind in columns.items()
        ]
    except SqlglotError:
        return None
    return exp.Select(expressions=made or [exp.Null()])


def dataset_probes(dataset: str, names: Names) -> Probes:
    """Gather the expressions of a dataset: dimensions, times, and the two sides of its joins; those with a mistake are left out."""
    model = names.datasets[dataset]
    found = Probes(names, {})
    for name, dimension in model.dimensions.items():
        with suppress(Refused):
            if dimension.sql:
                found.add(
                    names.dimension(dataset, name), dataset, Stretch(("dimensions", name, "sql"), 0, len(dimension.sql))
                )
    for name, time in {"": model.time, **model.times}.items():
        with suppress(Refused):
            if time is not None and time.sql and (read := names.time(dataset, name)) is not None:
                path = ("times", name, "sql") if name else ("time", "sql")
                found.add(read.expression.tree, dataset, Stretch(path, 0, len(time.sql)))
    for name, join in model.joins.items():
        for here, there in join.keys.items() if join.to in names.datasets else ():
            with suppress(Refused):
                equal = exp.EQ(this=names.key(dataset, here), expression=names.column(join.to, there, (name,)))
                found.add(equal, dataset, Stretch(("joins", name, "keys", here), 0, len(there)))
    return found


def conditions_of(
    source: ResolvedInput, names: Names, below: Callable[[str], tuple[str, ...]]
) -> Iterator[tuple[str, exp.Expr]]:
    """Give the condition of an input over the rows of its dataset, or of each dataset under its KPI; one with a mistake is left out."""
    if source.where is not None and source.kind == "dataset":
        yield source.target, source.where.tree
    elif source.where is not None:
        for dataset in below(source.target):
            with suppress(Refused):
                yield dataset, names.resolve(dataset, source.where.tree)


def kpi_probes(
    kpi: ResolvedKpi, names: Names, parameters: Mapping[str, Parameter], below: Callable[[str], tuple[str, ...]]
) -> Probes:
    """Gather the expressions of a KPI: the conditions of its inputs, its aggregates, and what is computed from them."""
    found = Probes(names, parameters)
    for alias, source in kpi.inputs.items():
        place = Stretch(("inputs", alias, "where"), 0, len(kpi.model.inputs[alias].where))
        for dataset, tree in conditions_of(source, names, below):
            found.add(tree, dataset, place, "boolean")
    calls: list[exp.Expr | None] = []
    for number, aggregate in enumerate(kpi.aggregates):
        place = Stretch(
            ("formula",),
            *next(span(c) for c in kpi.outer.tree.find_all(exp.Column) if c.table == SLOT and c.name == str(number)),
        )
        calls.append(_aggregate_probes(found, aggregate, kpi.inputs[aggregate.input].target, place))
    found.add(kpi.outer.tree, "", Stretch(("formula",), 0, len(kpi.model.formula)), "number", tuple(calls))
    return found


def _aggregate_probes(found: Probes, aggregate: ResolvedAggregate, dataset: str, place: Stretch) -> exp.Expr | None:
    """Gather the expressions of one aggregate; give its call, where its types are known."""
    if aggregate.argument is not None:
        found.add(aggregate.argument.tree, dataset, place)
    for condition in aggregate.filter:
        found.add(condition.tree, dataset, place, "boolean")
    call = found.filled(_call(aggregate), dataset)
    if call is not None:
        found.wholes.append(Probe(call, place, aggregated=True))
    return call


def _call(aggregate: ResolvedAggregate) -> exp.Expr:
    argument = exp.Star() if aggregate.argument is None else aggregate.argument.tree.copy()
    if aggregate.function == "count_distinct":
        return exp.Count(this=exp.Distinct(expressions=[argument]))
    fraction = [exp.Literal.number(repr(aggregate.fraction))] if aggregate.fraction is not None else []
    return exp.Anonymous(this=aggregate.function, expressions=[argument, *fraction])


def sides(node: exp.Expr) -> Iterator[tuple[exp.Expr, exp.Expr]]:
    """Give each two values that a comparison compares."""
    if isinstance(node, exp.In):
        yield from ((node.this, each) for each in node.expressions)
    elif isinstance(node, exp.Between):
        yield from ((node.this, node.args[key]) for key in ("low", "high"))
    else:
        yield node.this, node.expression


def _truths(tree: exp.Expr) -> Iterator[exp.Expr]:
    """Give what stands beside `and`, `or` and `not`, and after `when`: a number there would be taken for true where it is not 0."""
    for node in tree.find_all(exp.And, exp.Or, exp.Not, exp.If):
        beside = [node.this] if isinstance(node, exp.Not | exp.If) else [node.this, node.expression]
        if isinstance(node.parent, exp.Case) and node.parent.this is not None:
            continue
        yield from (
            each for each in beside if not isinstance(each.unnest(), exp.And | exp.Or | exp.Not | exp.Predicate)
        )


_FAMILIES = {
    "number": (
        "TINYINT",
        "SMALLINT",
        "INT",
        "BIGINT",
        "HUGEINT",
        "UTINYINT",
        "USMALLINT",
        "UINT",
        "UBIGINT",
        "UHUGEINT",
        "FLOAT",
        "DOUBLE",
        "DECIMAL",
    ),
    "text": ("VARCHAR", "ENUM", "CHAR", "TEXT"),
    "boolean": ("BOOL",),
    "time": ("DATE", "TIMESTAMP", "DATETIME"),
}


def family(sql_type: str) -> str:
    """Say what a type holds: number, text, boolean or time; empty where it is none of these.

    >>> family("DECIMAL(18,2)")
    'number'
    """
    if sql_type.endswith("]"):
        return ""
    return next((name for name, starts in _FAMILIES.items() if sql_type.upper().startswith(starts)), "")


def in_words(sql_type: str) -> str:
    """Name a type for people.

    >>> in_words("VARCHAR")
    'a text (VARCHAR)'
    """
    noun = {"number": "a number", "text": "a text", "boolean": "true or false", "time": "a time"}.get(family(sql_type))
    return f"{noun} ({sql_type})" if noun else sql_type


A_DATE = "write a date that exists, in quotes: '2026-01-31'"
SAME_KIND = "write a text in quotes and a number without, or convert with `cast(x as type)`"


def misfit(pair: Pair, left: str, right: str) -> tuple[str, str] | None:
    """Say why two values of these types cannot be compared, and what to do; None where they can.

    A text in quotes may stand for a day or an instant, and for a number or a truth where it is one. 1 and 0 may stand for true and false.
    """
    families = {family(left), family(right)}
    if isinstance(pair.left.tree, exp.Null) or isinstance(pair.right.tree, exp.Null):
        return None
    if "" in families or len(families) == 1 or families == {"number", "boolean"}:
        return None
    for side, other in ((pair.left.tree, right), (pair.right.tree, left)):
        if isinstance(side, exp.Literal) and side.is_string and reads_as(str(side.this), family(other)):
            return None
        if isinstance(side, exp.Literal):
            return f"{in_words(other)} is compared with {quoted(side)}", A_DATE if family(
                other
            ) == "time" else SAME_KIND
    return f"{in_words(left)} is compared with {in_words(right)}", SAME_KIND


def quoted(literal: exp.Literal) -> str:
    """Write a literal for a message, shortened."""
    text = str(literal.this) if len(str(literal.this)) <= 40 else f"{str(literal.this)[:40]}…"  # noqa: PLR2004
    return f"the text '{text}'" if literal.is_string else f"the number {text}"


def reads_as(text: str, kind: str) -> bool:
    """Whether a text in quotes may stand for a value of this kind."""
    if kind == "number":
        return text.strip().removeprefix("-").replace(".", "", 1).isdigit()
    if kind == "boolean":
        return text.lower() in {"true", "false", "t", "f", "1", "0", "yes", "no"}
    return is_day(text) if kind == "time" else True
