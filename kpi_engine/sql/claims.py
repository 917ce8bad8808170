"""What a dataset claims of its data, compared with them: one scan that counts what contradicts each claim, then examples of what was found.

Problem: a large table should be read once for all of its claims, and only tables with a fault more often. Shape: one select with a
count for each claim; a join is looked at by joining the distinct keys there, so that it repeats no row. Casts that the definitions
ask for become ones that may fail, so that a value that is not of its type is counted and stops nothing.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.api import FileRelation
from kpi_engine.catalogue.declared import is_stop
from kpi_engine.catalogue.resolved import ROWS, Expr
from kpi_engine.planning.nodes import Read
from kpi_engine.sql.joins import joined
from kpi_engine.sql.keys import ROWS_OF_KEY, few
from kpi_engine.sql.rendering import alias, where
from kpi_engine.sql.times import Clock

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from kpi_engine.catalogue.claims import Claims, JoinClaim, Rule, TimeClaim, TypeClaim
    from kpi_engine.sql.relations import Relations
    from kpi_engine.sql.rendering import Rendering

EARLIEST = datetime(1900, 1, 1)  # noqa: DTZ001 - local time, as everywhere in the engine
"""No row is expected before."""
_THERE = "__there"


def survey(claims: Claims, rendering: Rendering, latest: datetime) -> exp.Select:
    """Render the one scan: `rows`, and a count for each claim, named by its kind and number."""
    values = {"rows": _count(), **_keys(claims, rendering)}
    for n, claim in enumerate(claims.types):
        values[f"type_{n}"] = _misfits(claim)
    for n, time in enumerate(claims.times):
        if time.is_own:
            values |= _time(n, time, rendering, latest)
    joins = [(n, join) for n, join in enumerate(claims.joins) if join.is_own]
    for n, join in joins:
        values[f"join_{n}"] = _count(_dangles(join, _join_alias(n)))
    for n, rule in enumerate(claims.rules):
        if rule.is_own:
            values[f"rule_{n}"] = _count(_unnamed(rule))
    select = _select(values).from_(rendering.relations.rows(claims.dataset, ROWS), copy=False)
    for n, join in joins:
        select = _join_keys(select, join, _join_alias(n), rendering)
    return select


def times(claims: Claims, rendering: Rendering, latest: datetime) -> exp.Select:
    """Render the counts for times and keys of joins that stand behind a join."""
    values: dict[str, exp.Expr] = {"rows": _count()}
    far = [(n, time) for n, time in enumerate(claims.times) if not time.is_own]
    for n, time in far:
        values |= _time(n, time, rendering, latest)
    joins = [(n, join) for n, join in enumerate(claims.joins) if not join.is_own]
    for n, join in joins:
        values[f"join_{n}"] = _count(_dangles(join, _join_alias(n)))
    select = _select(values).from_(rendering.relations.rows(claims.dataset, ROWS), copy=False)
    keys = [each for _, join in joins for each in join.here]
    select = _reaching(select, claims.dataset, [*(time.column.expression for _, time in far), *keys], rendering)
    for n, join in joins:
        select = _join_keys(select, join, _join_alias(n), rendering)
    return select


def misfits(dataset: str, claim: TypeClaim, rendering: Rendering) -> exp.Select:
    """Render examples of values that are not of their declared type."""
    select = _select({"value": claim.found.tree}).from_(rendering.relations.rows(dataset, ROWS), copy=False)
    return few(where(select, _not_of_type(claim)), 1, commonest=True)


def dangling(dataset: str, claim: JoinClaim, rendering: Rendering) -> exp.Select:
    """Render examples of keys that lead nowhere, and how many there are."""
    select = _select({f"k{n}": _forgiving(each.tree) for n, each in enumerate(claim.here)})
    select = select.from_(rendering.relations.rows(dataset, ROWS), copy=False)
    select = _reaching(select, dataset, claim.here, rendering)
    select = where(_join_keys(select, claim, _join_alias(0), rendering), _dangles(claim, _join_alias(0)))
    return few(select, len(claim.here), commonest=True)


def unnamed(dataset: str, rule: Rule, rendering: Rendering) -> exp.Select:
    """Render examples of values that no rule names, and how many there are."""
    select = _select({f"c{n}": _forgiving(each.tree) for n, each in enumerate(rule.of)})
    select = select.from_(rendering.relations.rows(dataset, ROWS), copy=False)
    select = _reaching(select, dataset, [rule.named], rendering)
    return few(where(select, _unnamed(rule)), len(rule.of), commonest=True)


def tolerant(relations: Relations) -> Relations:
    """Read CSV files without the rows that cannot be read, which DuckDB lists apart: see `rejected`."""
    return replace(relations, origins={key: _tolerant(origin) for key, origin in relations.origins.items()})


def rejected(paths: Sequence[str]) -> exp.Select:
    """Render the list of values that could not be read in some files: by column, how many, and the first."""
    error, line = (exp.column(name, table="e", quoted=True) for name in ("error_message", "line"))
    columns: dict[str, exp.Expr] = {
        "column": exp.column("column_name", table="e", quoted=True),
        ROWS_OF_KEY: exp.Count(this=exp.Star()),
        "line": exp.Min(this=line),
        "file": exp.ArgMin(this=exp.column("file_path", table="s", quoted=True), expression=line.copy()),
        "message": exp.ArgMin(this=error, expression=line.copy()),
    }
    select = _select(columns).from_(exp.Table(this=exp.to_identifier("reject_errors"), alias=alias("e")), copy=False)
    same = [
        exp.EQ(this=exp.column(name, table="e", quoted=True), expression=exp.column(name, table="s", quoted=True))
        for name in ("scan_id", "file_id")
    ]
    scans = exp.Table(this=exp.to_identifier("reject_scans"), alias=alias("s"))
    files = exp.In(
        this=exp.column("file_path", table="s", quoted=True), expressions=[exp.Literal.string(p) for p in paths]
    )
    select = where(select.join(scans, on=exp.and_(*same), copy=False), [files])
    return select.group_by(exp.Literal.number(1), copy=False).order_by(exp.Literal.number(3), copy=False)


def _tolerant(origin: object):  # type: ignore[no-untyped-def]  # noqa: ANN202 - an origin
    if isinstance(origin, FileRelation) and origin.format == "csv":
        return replace(origin, options={**origin.options, "ignore_errors": True, "store_rejects": True})
    return origin


def _select(values: Mapping[str, exp.Expr]) -> exp.Select:
    return exp.Select(expressions=[exp.alias_(tree.copy(), name, quoted=True) for name, tree in values.items()])


def _count(tests: Iterable[exp.Expr] = ()) -> exp.Expr:
    """Count the rows that every test is true for."""
    tests = [test.copy() for test in tests]
    every = exp.Count(this=exp.Star())
    return exp.Filter(this=every, expression=exp.Where(this=exp.and_(*tests))) if tests else every


def _is_null(tree: exp.Expr) -> exp.Expr:
    return exp.Is(this=tree.copy(), expression=exp.Null())


def _is_known(tree: exp.Expr) -> exp.Expr:
    return exp.Not(this=_is_null(tree))


def _keys(claims: Claims, rendering: Rendering) -> dict[str, exp.Expr]:
    """Count the rows that a key has too many, and those that lack a part of it."""
    parts = [_forgiving(rendering.names.column(claims.dataset, name)) for name in claims.key]
    if not parts:
        return {}
    known = [_is_known(part) for part in parts]
    distinct = exp.Count(
        this=exp.Distinct(expressions=[parts[0].copy()] if len(parts) == 1 else [exp.Tuple(expressions=parts)])
    )
    filtered = exp.Filter(this=distinct, expression=exp.Where(this=exp.and_(*known)))
    surplus = exp.Sub(this=_count(known), expression=filtered)
    return {"surplus": surplus, **{f"null_{n}": _count([_is_null(part)]) for n, part in enumerate(parts)}}


def _misfits(claim: TypeClaim) -> exp.Expr:
    """Count the values that are not of their declared type; where reading the column converts it, have it read."""
    tests = _not_of_type(claim)
    if tests:
        return _count(tests)
    read = exp.Count(this=claim.found.tree.copy())
    return exp.Sub(this=read, expression=read.copy())


def _not_of_type(claim: TypeClaim) -> list[exp.Expr]:
    """Ask whether a value is known and is none of its type."""
    if claim.found == claim.meant:
        return []
    return [_is_known(claim.found.tree), _is_null(_forgiving(claim.meant.tree))]


def _time(n: int, time: TimeClaim, rendering: Rendering, latest: datetime) -> dict[str, exp.Expr]:
    tree = _forgiving(time.column.expression.tree)
    clock = Clock(replace(time.column, expression=Expr(tree)), rendering.zone)
    within = exp.and_(*clock.within(EARLIEST, latest))
    low, high = (
        exp.cast(made(this=tree.copy()), exp.DataType.build("varchar"), copy=False) for made in (exp.Min, exp.Max)
    )
    outside = exp.Not(this=exp.paren(within))
    return {
        f"time_{n}": _count([_is_null(tree)]),
        f"outside_{n}": _count([outside]),
        f"low_{n}": low,
        f"high_{n}": high,
    }


def _join_alias(n: int) -> str:
    return f"__j{n}"


def _join_keys(select: exp.Select, claim: JoinClaim, name: str, rendering: Rendering) -> exp.Select:
    """Join the distinct keys that there are on the other side."""
    columns = {f"k{n}": _forgiving(rendering.names.column(claim.to, there)) for n, there in enumerate(claim.there)}
    keys = _select({**columns, _THERE: exp.Boolean(this=True)}).distinct(copy=False)
    keys = keys.from_(rendering.relations.rows(claim.to, ROWS), copy=False)
    on = [
        exp.EQ(this=_forgiving(here.tree), expression=exp.column(f"k{n}", table=name, quoted=True))
        for n, here in enumerate(claim.here)
    ]
    return select.join(exp.Subquery(this=keys, alias=alias(name)), on=exp.and_(*on), join_type="left", copy=False)


def _dangles(claim: JoinClaim, name: str) -> list[exp.Expr]:
    """Say that a row has a key, and that it leads nowhere."""
    known = [_is_known(_forgiving(each.tree)) for each in claim.here]
    return [*known, _is_null(exp.column(_THERE, table=name, quoted=True))]


def _unnamed(rule: Rule) -> list[exp.Expr]:
    """Say that no rule names a row that has something to name."""
    named = exp.Coalesce(this=_forgiving(rule.named.tree), expressions=[exp.Boolean(this=False)])
    known = [_is_known(_forgiving(each.tree)) for each in rule.of]
    return [exp.Not(this=named), *([exp.paren(exp.or_(*known))] if known else [])]


def _reaching(select: exp.Select, dataset: str, expressions: Sequence[Expr], rendering: Rendering) -> exp.Select:
    return joined(select, Read(dataset, rendering.names.time(dataset)), expressions, rendering)


def _forgiving(tree: exp.Expr) -> exp.Expr:
    """Let a value that is not of its type be unknown."""
    quiet = tree.copy().transform(lambda node: exp.Null() if is_stop(node) else node, copy=False)
    return quiet.transform(lambda node: exp.TryCast(**node.args) if type(node) is exp.Cast else node, copy=False)
