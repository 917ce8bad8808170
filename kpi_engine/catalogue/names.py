"""Names in a definition's text, resolved: a dimension, a column, or a path through joins."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.catalogue.declared import TYPES, is_type, may_round, whole
from kpi_engine.catalogue.faults import empty, follow_up
from kpi_engine.catalogue.resolved import ROWS, Expr, TimeColumn
from kpi_engine.catalogue.terms import completed, unsaid
from kpi_engine.errors import nearest, shown
from kpi_engine.formula.analysis import columns, parts, placeholders
from kpi_engine.formula.currencies import CODES
from kpi_engine.formula.gate import Mistake, Refused, read, span
from kpi_engine.formula.nanoseconds import COARSER, in_microseconds
from kpi_engine.formula.trees import START, bracketed, column, placed, placeless, rewritten

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Literal

    from kpi_engine.catalogue.terms import Terms
    from kpi_engine.definitions.models import Column, Dataset, Time

MAX_HOPS = 8


class Names:
    """The names of a project's datasets: what `channel` or `session.landing_path` means over the rows of each.

    `schemas` gives a dataset's columns with their SQL types, or None where they are not known; then any column is taken to exist.
    """

    def __init__(
        self,
        datasets: Mapping[str, Dataset],
        schemas: Callable[[str], Mapping[str, str] | None],
        terms: Callable[[str], Terms | None] = unsaid,
    ) -> None:
        self.datasets = datasets
        self.schema = schemas
        self.terms = terms

    def resolve(self, dataset: str, tree: exp.Expr, *, dimensions: bool = True) -> exp.Expr:
        """Resolve every name in a tree over a dataset's rows; raise `Refused` with all that are unknown.

        A bare name is a dimension first, unless `dimensions` is False, then a column, then one of the times.
        """
        mistakes: list[Mistake] = []

        def resolved(node: exp.Expr) -> exp.Expr:
            if not isinstance(node, exp.Column):
                return node
            try:
                return placed(self.path(dataset, parts(node), (), dimensions=dimensions), node)
            except Refused as refused:
                mistakes.extend(_at(node, mistake) for mistake in refused.mistakes)
                return node

        result = rewritten(tree, resolved)
        if mistakes:
            raise Refused(*dict.fromkeys(mistakes))
        return result

    def path(self, dataset: str, names: tuple[str, ...], hops: tuple[str, ...], *, dimensions: bool = True) -> exp.Expr:
        """Resolve a dotted name that begins at a dataset reached over the joins `hops`.

        Mistakes in the definition of a dimension that is named only follow from there.
        """
        if len(hops) > MAX_HOPS:
            message = f"the path goes over more than {MAX_HOPS} joins, the last of them `{hops[-1]}`"
            raise Refused(
                Mistake("path_too_long", message, hint="name a column nearer by, and none that leads back here")
            )
        if len(names) > 1:
            join = self.datasets[dataset].joins.get(names[0])
            if join is None or join.to not in self.datasets:
                raise Refused(self._no_join(dataset, names))
            return self.path(join.to, names[1:], (*hops, names[0]))
        model = self.datasets[dataset]
        if dimensions and names[0] in model.dimensions:
            try:
                return self.dimension(dataset, names[0], hops)
            except Refused as refused:
                raise follow_up(refused) from None
        return self.column(dataset, names[0], hops)

    def dimension(self, dataset: str, name: str, hops: tuple[str, ...] = ()) -> exp.Expr:
        """Give what a dimension stands for over the rows of a dataset."""
        model = self.datasets[dataset].dimensions[name]
        if "sql" in model.model_fields_set and not model.sql.strip():
            raise Refused(empty("sql"))
        if model.sql:
            return self._relative(dataset, _without_parameters(read(model.sql, "condition")), hops)
        names = tuple(model.path.split(".")) if model.path else (name,)
        return self.path(dataset, names, hops, dimensions=len(names) > 1)

    def declared(self, dataset: str, name: str) -> Column | None:
        """Give what is said of a column: by the dataset, and where that leaves it open, by the source."""
        own = next((c for n, c in self.datasets[dataset].columns.items() if n.casefold() == name.casefold()), None)
        terms = self.terms(dataset)
        contract = terms.of(name) if terms else None
        if contract is None:
            return own
        data, meant = (
            _time_kind(each) for each in ((self.schema(dataset) or {}).get(name, ""), own.type if own else "")
        )
        has_clock = data == "local" or (data is None and meant == "local")
        return completed(own, contract if has_clock else replace(contract, zone=""))

    def column(self, dataset: str, name: str, hops: tuple[str, ...] = ()) -> exp.Expr:
        """Give a column of a dataset, cast where the definition declares another type than the data have."""
        schema, model = self.schema(dataset), self.datasets[dataset]
        actual = self.spelling(dataset, name)
        if actual is None:
            if name in model.times:
                return self._relative(dataset, self._time_tree(model.times[name]), hops)
            raise Refused(self._no_column(dataset, name))
        given = (schema or {}).get(actual, "")
        found = in_microseconds(column(actual, ".".join((ROWS, *hops))), given)
        given = COARSER.get(given, given)
        declared = next((c.type for n, c in model.columns.items() if n.casefold() == name.casefold() and c.type), "")
        if declared and not is_type(declared):
            message = f"the column `{name}` of dataset `{dataset}` is declared `{declared}`, which is not a type"
            raise Refused(Mistake("unknown_type", message, 0, len(name), TYPES, follows=True))
        if declared and not (schema and _same_type(given, declared)):
            zone = self.clock(dataset, name)[1]
            if (clash := self.zone_twice(dataset, name)) is not None:
                raise Refused(clash)
            if zone and _time_kind(declared) == "instant" and _time_kind(given) == "local":
                return exp.AtTimeZone(this=found, zone=exp.Literal.string(zone))
            kind = exp.DataType.build(declared, dialect="duckdb")
            return exp.cast(whole(found, given) if may_round(given, kind) else found, kind, copy=False)
        return found

    def is_path(self, dataset: str, key: str) -> bool:
        """Say whether the key of a join is reached over another join; a column whose name has a dot is a column."""
        first, dot, _ = key.partition(".")
        return bool(dot) and first in self.datasets[dataset].joins and key not in (self.schema(dataset) or {})

    def key(self, dataset: str, key: str, hops: tuple[str, ...] = ()) -> exp.Expr:
        """Give this side of a join's key: a column, or a path to one over another join."""
        if self.is_path(dataset, key):
            return self.path(dataset, tuple(key.split(".")), hops, dimensions=False)
        return self.column(dataset, key, hops)

    def spelling(self, dataset: str, name: str) -> str | None:
        """Give a column's name as the data spell it; None when there is no such column."""
        schema = self.schema(dataset)
        if schema is None or name in schema:
            return name
        return next((column for column in schema if column.casefold() == name.casefold()), None)

    def type_of(self, dataset: str, name: str) -> str:
        """Give a column's SQL type, declared or found, in capitals; empty where it is not known."""
        model = self.datasets[dataset]
        declared = next((c.type for n, c in model.columns.items() if n.casefold() == name.casefold()), "")
        schema = self.schema(dataset) or {}
        found = schema.get(self.spelling(dataset, name) or "", "")
        return (declared or COARSER.get(found, found)).upper()

    def type_at(self, dataset: str, names: tuple[str, ...]) -> str:
        """Give the type of the column at the end of a dotted name; empty where it is not known."""
        for hop in names[:-1]:
            join = self.datasets[dataset].joins.get(hop)
            if join is None or join.to not in self.datasets:
                return ""
            dataset = join.to
        return self.type_of(dataset, names[-1])

    def time(self, dataset: str, name: str = "") -> TimeColumn | None:
        """Give a time of a dataset by name, or its default; None when the dataset has no time."""
        model = self.datasets[dataset]
        time = model.times.get(name) if name else model.time
        if time is None:
            return None
        tree = _without_parameters(self._time_tree(time))
        resolved = self.resolve(dataset, tree, dimensions=False)
        kinds = self._time_kinds(dataset, tree)
        if len(kinds) != 1:
            raise Refused(self._no_time_type(dataset, name or time.column, tree))
        zones = {self._zone_at(dataset, parts(column)) for column in columns(tree)}
        if len(zones) > 1:
            message = f"the time `{name or time.column}` of dataset `{dataset}` mixes columns of different zones"
            raise Refused(Mistake("bad_time_type", message, *span(tree), "give each a time of its own"))
        return TimeColumn(Expr(resolved), kinds.pop(), next(iter(zones), ""))

    def clock(self, dataset: str, column: str) -> tuple[Literal["date", "local", "instant"] | None, str]:
        """Say what kind of time a column holds, and in which zone where it carries none and is not the project's."""
        declared = self.declared(dataset, column)
        return _time_kind(self.type_of(dataset, column)), declared.zone if declared else ""

    def zone_twice(self, dataset: str, column: str) -> Mistake | None:
        """Refuse a zone of a column that is read as instants: a text without an offset would be read in the project's zone."""
        actual = self.spelling(dataset, column)
        kind = _time_kind((self.schema(dataset) or {}).get(actual or "", ""))
        declared = next(
            (c for n, c in self.datasets[dataset].columns.items() if n.casefold() == column.casefold()), None
        )
        if declared is None or not declared.zone or _time_kind(declared.type) != "instant" or kind != "instant":
            return None
        message = f"the column `{column}` is declared `{declared.type}`, an instant, which has no use for a zone"
        hint = f"write `type: timestamp` where the data are on the clock of {declared.zone}; leave out `zone` where they carry an offset"
        return Mistake("bad_time_type", message, 0, len(column), hint, follows=True)

    def _zone_at(self, dataset: str, names: tuple[str, ...]) -> str:
        """Give the zone declared for the column at the end of a dotted name."""
        for hop in names[:-1]:
            dataset = self.datasets[dataset].joins[hop].to
        return self.clock(dataset, names[-1])[1]

    def _time_kinds(self, dataset: str, tree: exp.Expr) -> set[Literal["date", "local", "instant"]]:
        types = (
            [tree.to.sql("duckdb")]
            if isinstance(tree, exp.Cast)
            else [self.type_at(dataset, parts(c)) for c in columns(tree)]
        )
        return {kind for each in types if (kind := _time_kind(each)) is not None}

    def currencies(self, dataset: str, tree: exp.Expr) -> tuple[tuple[Expr, Expr], ...]:
        """Give each amount in a resolved tree whose currency stands in a column, with that column."""
        found: dict[Expr, Expr] = {}
        for amount in columns(tree):
            hops = tuple(amount.table.split(".")[1:])
            owner = self.owner(dataset, hops)
            declared = self.declared(owner, amount.name)
            if declared is not None and declared.currency:
                found[Expr(amount)] = Expr(self._currency(owner, declared.currency, hops))
        return tuple(found.items())

    def fixed_currencies(self, dataset: str, tree: exp.Expr) -> dict[Expr, str]:
        """Give each amount in a resolved tree whose unit is a currency, with that."""
        found: dict[Expr, str] = {}
        for amount in columns(tree):
            declared = self.declared(self.owner(dataset, amount.table.split(".")[1:]), amount.name)
            if declared is not None and not declared.currency and declared.unit in CODES:
                found[Expr(amount)] = declared.unit
        return found

    def _currency(self, dataset: str, column: str, hops: tuple[str, ...]) -> exp.Expr:
        try:
            return self.column(dataset, column, hops)
        except Refused as refused:
            raise follow_up(refused) from None

    def owner(self, dataset: str, hops: Iterable[str]) -> str:
        """Say which dataset stands at the end of a chain of joins."""
        for hop in hops:
            dataset = self.datasets[dataset].joins[hop].to
        return dataset

    def depending(self, dataset: str, dimensions: Iterable[str]) -> frozenset[str]:
        """Name the dimensions of a dataset that follow from the given ones: attributes of a thing that one of them is the key of."""
        given = frozenset(name for name in dimensions if name in self.datasets[dataset].dimensions)
        trees = self._known_dimensions(dataset) if given else {}
        roots: set[tuple[str, ...]] = set()
        for name in given & trees.keys():
            tree = trees[name].unalias()
            if isinstance(tree, exp.Cast):
                tree = tree.this
            if isinstance(tree, exp.Column):
                roots |= self._determined(dataset, tree)
        return given | frozenset(name for name, tree in trees.items() if _rests_on(tree, roots))

    def _known_dimensions(self, dataset: str) -> dict[str, exp.Expr]:
        """Give what the dimensions of a dataset stand for, without those that have a mistake."""
        found: dict[str, exp.Expr] = {}
        for name in self.datasets[dataset].dimensions:
            with suppress(Refused):
                found[name] = self.dimension(dataset, name)
        return found

    def _determined(self, dataset: str, column: exp.Column) -> set[tuple[str, ...]]:
        hops = tuple(column.table.split(".")[1:])
        owner = self.datasets[self.owner(dataset, hops)]
        found = {
            (*hops, name) for name, join in owner.joins.items() if set(join.keys) == {column.name} and not join.valid
        }
        return found | ({hops} if hops and owner.key == (column.name,) else set())

    def _relative(self, dataset: str, tree: exp.Expr, hops: tuple[str, ...]) -> exp.Expr:
        """Resolve an expression of a dataset over the joins that lead there; its places are those of another text."""
        mistakes: list[Mistake] = []

        def resolved(node: exp.Expr) -> exp.Expr:
            try:
                return self.path(dataset, parts(node), hops, dimensions=False) if isinstance(node, exp.Column) else node
            except Refused as refused:
                mistakes.extend(_at(node, mistake) for mistake in refused.mistakes)
                return node

        inner = rewritten(tree, resolved)
        if mistakes:
            raise Refused(*dict.fromkeys(mistakes))
        return bracketed(placeless(inner))

    def _time_tree(self, time: Time) -> exp.Expr:
        if time.sql:
            return read(time.sql, "condition")
        names = time.column.split(".")
        return exp.column(*reversed(names), quoted=True)

    def _no_join(self, dataset: str, names: tuple[str, ...]) -> Mistake:
        joins = self.datasets[dataset].joins
        if names[0] in joins:
            message = f"the join `{names[0]}` of dataset `{dataset}` leads nowhere"
            return Mistake("unknown_join", message, hint="correct the join first", follows=True)
        hint = nearest(names[0], joins) or f"dataset `{dataset}` declares no joins"
        if names[0] == dataset:
            hint = f"write `{'.'.join(names[1:])}`: its own columns are named without it"
        return Mistake(
            "unknown_join", f"`{names[0]}` is not a join of dataset `{dataset}`", 0, len(".".join(names)), hint
        )

    def _no_column(self, dataset: str, name: str) -> Mistake:
        model = self.datasets[dataset]
        hint = nearest(name, {*(self.schema(dataset) or {}), *model.dimensions, *model.times} - {name})
        if name in model.joins:
            hint = f"`{name}` is a join: write `{name}.` and a column of `{model.joins[name].to}`"
        if any(declared.casefold() == name.casefold() for declared in model.columns):
            message = f"the data of dataset `{dataset}` have no column `{name}`"
            return Mistake(
                "unknown_column",
                message,
                0,
                len(name),
                f"bring the column into the data; it is declared under `columns:` of `{dataset}`",
                follows=True,
            )
        message = f"dataset `{dataset}` has no column or dimension {shown(name, 80)}"
        return Mistake("unknown_column", message, 0, len(name), hint)

    def _no_time_type(self, dataset: str, name: str, tree: exp.Expr) -> Mistake:
        paths = [parts(column) for column in columns(tree)] or [(name,)]
        shown = ".".join(paths[0])
        found = self.type_at(dataset, paths[0])
        message = f"the time `{name or shown}` of dataset `{dataset}` is " + (
            f"of type {found}" if found else "of a type that is not known"
        )
        hint = f"declare what it is: `columns: {{{paths[0][-1]}: {{type: timestamptz}}}}` (or timestamp, or date)"
        return Mistake("bad_time_type", message, *span(tree), hint)


def _at(node: exp.Expr, mistake: Mistake) -> Mistake:
    """Place a mistake at the name it is about, where its place in a text is known."""
    if START not in node.meta:
        return mistake
    offset, length = span(node)
    return replace(mistake, offset=offset, length=length)


def _without_parameters(tree: exp.Expr) -> exp.Expr:
    """A dimension and a time are the same for every question, so they take no parameters."""
    mistakes = [
        Mistake("misplaced_parameter", f"`:{node.this}` is a parameter, and a dimension or time takes none", *span(node),
                "use it in the formula, or in `where` of an input")
        for node in placeholders(tree)
    ]  # fmt: skip
    if mistakes:
        raise Refused(*mistakes)
    return tree


def _rests_on(tree: exp.Expr, roots: set[tuple[str, ...]]) -> bool:
    paths = [tuple(column.table.split(".")[1:]) for column in columns(tree)]
    return bool(paths) and all(any(path[: len(root)] == root for root in roots) for path in paths)


def _same_type(actual: str, declared: str) -> bool:
    short = {
        "TIMESTAMP WITH TIME ZONE": "TIMESTAMPTZ",
        "INT": "INTEGER",
        "TEXT": "VARCHAR",
        "STRING": "VARCHAR",
        "BOOL": "BOOLEAN",
    }
    left, right = (" ".join(t.upper().split()).replace(", ", ",") for t in (actual, declared))
    return short.get(left, left) == short.get(right, right)


def _time_kind(sql_type: str) -> Literal["date", "local", "instant"] | None:
    name = sql_type.upper()
    if name == "DATE":
        return "date"
    if name in {"TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ_NS"}:
        return "instant"
    return "local" if name.startswith(("TIMESTAMP", "DATETIME")) else None
