"""The terms under which a source gives its figures: they hold as if the dataset declared them, and may not be contradicted."""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from kpi_engine.catalogue.faults import Fault
from kpi_engine.formula.analysis import columns
from kpi_engine.formula.gate import Mistake

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kpi_engine.api import Contract
    from kpi_engine.catalogue.names import Names
    from kpi_engine.catalogue.resolved import ResolvedKpi
    from kpi_engine.definitions.models import Column

ROWS = "*"
"""Under this name a contract speaks of all rows."""
_NUMBERS = ("additivity", "unit", "currency", "zone")
"""Terms that change numbers: where dataset and source differ, one of them is wrong."""
_ALL = (*_NUMBERS, "restated", "sampled")


@dataclass(frozen=True)
class Terms:
    """What a source says of a table, by column; `binding` is whether the dataset is that table, and not made from it."""

    source: str
    columns: Mapping[str, Contract]
    binding: bool = True
    declared: Mapping[str, str] = field(default_factory=dict)
    """By column in small letters, the dataset below that declares whether its values may be added up; of other columns the source says it."""

    def of(self, column: str) -> Contract | None:
        """Give the contract of a column."""
        return next((each for name, each in self.columns.items() if name.casefold() == column.casefold()), None)


@dataclass(frozen=True)
class Caveats:
    """What a reader must know of a KPI's figures: how long they still change, and how they are estimated."""

    restated: tuple[str, ...] = ()
    sampled: tuple[str, ...] = ()


def unsaid(_: str) -> Terms | None:
    """Say nothing of any dataset."""
    return None


def completed(own: Column | None, contract: Contract) -> Column:
    """Give what a dataset declares of a column, with what its source says where the dataset leaves it open."""
    from kpi_engine.definitions.models import Column as Declared

    base = own or Declared()
    said = {key: getattr(contract, key) for key in _ALL if not getattr(base, key) and getattr(contract, key)}
    if base.currency and "unit" in said:
        del said["unit"]
    return base.model_copy(update=said)


def contradictions(name: str, column: Column, terms: Terms | None) -> Iterator[Fault]:
    """Find what a dataset says of a column otherwise than its source does."""
    contract = terms.of(name) if terms is not None and terms.binding else None
    if terms is None or contract is None:
        return
    for key in _NUMBERS:
        own, theirs = getattr(column, key), getattr(contract, key)
        if own and theirs and own != theirs:
            message = f"the source `{terms.source}` says that `{name}` is `{theirs}`, and the dataset says `{own}`"
            hint = f"leave out `{key}`: what the source says holds"
            yield Fault(("columns", name, key), Mistake("contradicts_source", message, 0, len(own), hint))


def not_added(function: str, tree: exp.Expr | None, dataset: str, names: Names, *, levels: bool) -> Iterator[Mistake]:
    """Refuse to add up what cannot be: values of which the source or the dataset says so."""
    for column in _added(tree) if function == "sum" and tree is not None else ():
        owner = names.owner(dataset, column.table.split(".")[1:])
        said = names.declared(owner, column.name)
        if said is None or said.additivity not in {"semi_additive", "non_additive"}:
            continue
        if said.additivity == "semi_additive" and levels:
            continue
        terms = names.terms(owner)
        theirs = terms.of(column.name) if terms else None
        by_source = terms is not None and theirs is not None and theirs.additivity == said.additivity
        below = terms.declared.get(column.name.casefold(), "") if terms and by_source else ""
        is_source = by_source and not below
        who = (
            f"the source `{terms.source}` says so"
            if is_source and terms
            else f"the dataset `{below or owner}` declares so"
        )
        kind = "over time" if said.additivity == "semi_additive" else "at all"
        message = f"`{column.name}` may not be added up {kind}: {who}"
        hint = "take `max`, `avg` or `last` of it, or the figure that the vendor gives for the whole"
        if said.additivity == "semi_additive":
            hint = "take it as a level: give the dataset a `snapshot`, or the input `take: closing`"
        yield Mistake("not_addable", message, 0, 0, hint)


def _added(tree: exp.Expr) -> Iterator[exp.Column]:
    """Give the columns whose values come into a sum; those that only decide what comes into it do not."""
    if isinstance(tree, exp.Column):
        yield tree
    elif isinstance(tree, exp.Case):
        for part in [*(branch.args.get("true") for branch in tree.args.get("ifs", ())), tree.args.get("default")]:
            yield from _added(part) if part is not None else ()
    elif isinstance(tree, exp.If):
        for part in (tree.args.get("true"), tree.args.get("false")):
            yield from _added(part) if part is not None else ()
    elif not isinstance(tree, (exp.Predicate, exp.Connector, exp.Not)):
        for child in tree.iter_expressions():
            yield from _added(child)


LABELS = (attrgetter("restated"), attrgetter("sampled"))
"""The parts of caveats."""


def caveats(kpi: ResolvedKpi, names: Names) -> Caveats:
    """Gather what a reader must know of the figures that a KPI is made of, without those of the KPIs below it."""
    said = [each for each in _said(kpi, names) if each is not None]
    restated, sampled = (tuple(dict.fromkeys(filter(None, map(text, said)))) for text in LABELS)
    return Caveats(restated, sampled)


def _said(kpi: ResolvedKpi, names: Names) -> Iterator[Any]:
    read: dict[tuple[str, str], None] = {}
    for aggregate in kpi.aggregates:
        source = kpi.inputs[aggregate.input]
        if source.kind != "dataset":
            continue
        read[source.target, ROWS] = None
        own = (*((aggregate.argument,) if aggregate.argument else ()), *aggregate.filter) if not source.per else ()
        trees = [each.tree for each in (*own, *((source.where,) if source.where else ()))]
        for column in (found for tree in trees for found in columns(tree)):
            read[names.owner(source.target, column.table.split(".")[1:]), column.name] = None
    for dataset, name in read:
        if name != ROWS:
            yield names.declared(dataset, name)
        yield _of_rows(dataset, names)


def _of_rows(dataset: str, names: Names) -> Column | Contract | None:
    """Give what is said of all rows of a dataset: by itself, and where that leaves it open, by what it is made of."""
    terms = names.terms(dataset)
    theirs = terms.of(ROWS) if terms is not None else None
    if not names.datasets[dataset].restated:
        return theirs
    from kpi_engine.definitions.models import Column as Declared

    return Declared(restated=names.datasets[dataset].restated, sampled=theirs.sampled if theirs else "")
