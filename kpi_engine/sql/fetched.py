"""Statements by which fetched rows are kept: tables that fit their rows, rows merged by key, and compared with those of before.

Rows arrive as the table `arrived`, and are seen through the view `incoming`, which has few types. `batch` holds them as the types of the table they go to, in their order, with what is wrong with
each; `changed` holds what a merge writes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sqlglot import exp

from kpi_engine.calendar import to_utc
from kpi_engine.formula.nanoseconds import in_microseconds
from kpi_engine.formula.trees import column, integer, named, sql
from kpi_engine.sql.casting import INSTANT, fitted, type_node

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

ARRIVED, INCOMING, BATCH, CHANGED = "arrived", "incoming", "batch", "changed"
ORDER, WHY, OLD, SAME = "__order", "__why", "__old", "__same"
VERSION = "_kpi_version"
"""The column of every table that says with which version of the whole table, or by which sync, a row came; nobody else sees it."""
QUARANTINE, RESTATEMENTS = ("sync", "quarantine"), ("sync", "restatements")

Name = tuple[str, ...]
"""A table's name, with its schema and its database where it needs them."""


def created(table: Name, columns: Mapping[str, str]) -> str:
    """Make a table."""
    definitions = [_definition(name, kind) for name, kind in {**columns, VERSION: "BIGINT"}.items()]
    return sql(exp.Create(this=exp.Schema(this=_table(table), expressions=definitions), kind="TABLE"))


def reshaped(table: Name, before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """Give a table columns that it lacked, and others wider types; what stands in it stays."""
    values = {
        name: fitted(column(name), before[name], kind)[0] if name in before else _nothing(kind)
        for name, kind in {**after, VERSION: "BIGINT"}.items()
    }
    select = _select(named(value, name) for name, value in values.items()).from_(_table(table))
    return sql(exp.Create(this=_table(table), kind="TABLE", expression=select, replace=True))


def misfits(table: Name, name: str, before: str, after: str) -> str | None:
    """Count the values of a column that another type would change; None where it changes none."""
    wrong = fitted(column(name), before, after)[1]
    return None if wrong is None else sql(_count().from_(_table(table)).where(wrong))


def normalised(arrived: Mapping[str, str], kinds: Mapping[str, str]) -> str:
    """See the rows that arrived as the types in which values are kept."""
    select = _select(named(_normal(column(name), kind, kinds[name]), name) for name, kind in arrived.items())
    properties = exp.Properties(expressions=[exp.TemporaryProperty()])
    select = select.from_(_table((ARRIVED,)))
    return sql(
        exp.Create(this=_table((INCOMING,)), kind="VIEW", expression=select, replace=True, properties=properties)
    )


def batched(given: Mapping[str, str], columns: Mapping[str, str], required: Sequence[str]) -> str:
    """Take over the rows that arrived, as the types of their table."""
    values = {name: fitted(column(name), given[name], kind) for name, kind in columns.items() if name in given}
    numbered = exp.Window(this=exp.RowNumber())
    select = _select(
        [
            named(numbered, ORDER),
            named(_why(values, given, columns, required), WHY),
            *(named(values[name][0] if name in values else _nothing(kind), name) for name, kind in columns.items()),
        ]
    ).from_(_table((INCOMING,)))
    return _temporary(BATCH, select)


def quarantined(given: Mapping[str, str], columns: Mapping[str, str], required: Sequence[str]) -> str:
    """Keep the rows that do not fit, as they came, each with the reason; takes run and stream as parameters."""
    values = {name: fitted(column(name), given[name], kind) for name, kind in columns.items() if name in given}
    rows = _select([named(_why(values, given, columns, required), "reason"), named(_json(given), "row")])
    rows = rows.from_(_table((INCOMING,)))
    select = _select([exp.Placeholder(), exp.Placeholder(), column("reason"), column("row")])
    select = select.from_(exp.Subquery(this=rows, alias=exp.TableAlias(this=exp.to_identifier("r"))))
    return _insert(QUARANTINE, ("run", "stream", "reason", "row"), select.where(_is_known(column("reason"))))


def requarantined(given: Mapping[str, str], columns: Mapping[str, str], required: Sequence[str]) -> str:
    """Take out of the quarantine what came again, so that it stands there once; takes the stream as a parameter."""
    values = {name: fitted(column(name), given[name], kind) for name, kind in columns.items() if name in given}
    again = _select([_json(given)]).from_(_table((INCOMING,)))
    again = again.where(_is_known(_why(values, given, columns, required)))
    where = exp.And(
        this=exp.EQ(this=column("stream"), expression=exp.Placeholder()),
        expression=exp.In(this=column("row"), query=exp.Subquery(this=again)),
    )
    return sql(exp.Delete(this=_table(QUARANTINE), where=exp.Where(this=where)))


def tallied(key: Sequence[str]) -> str:
    """Count the rows of the batch, those that fit, and the keys that these have."""
    fits = _is_unknown(column(WHY))
    keys = exp.Tuple(expressions=[column(name) for name in key]) if key else column(ORDER)
    distinct = exp.Filter(
        this=exp.Count(this=exp.Distinct(expressions=[keys])), expression=exp.Where(this=_is_unknown(column(WHY)))
    )
    fitting = exp.Filter(this=exp.Count(this=exp.Star()), expression=exp.Where(this=fits))
    return sql(_select([exp.Count(this=exp.Star()), fitting, distinct]).from_(_table((BATCH,))))


def compared(table: Name, columns: Sequence[str], key: Sequence[str], *, once: bool, version: int | None) -> str:
    """Find the rows of the batch that are new or other than those kept, each with the one it takes the place of.

    Unless each key comes `once`, the last row of a key counts. A row that is the same but has another version is written as well.
    """
    batch, kept = exp.table_(BATCH, quoted=True).as_("b"), _table(table).as_("t")
    same = _all(exp.EQ(this=column(name, "b"), expression=column(name, "t")) for name in key)
    differs = _any(exp.NullSafeNEQ(this=column(n, "b"), expression=column(n, "t")) for n in columns if n not in key)
    changes = differs or exp.false()
    old = exp.Column(this=exp.to_identifier("rowid"), table=exp.to_identifier("t", quoted=True))
    written: list[exp.Expr] = [_is_unknown(old), changes]
    if version is not None:
        written.append(exp.NullSafeNEQ(this=column(VERSION, "t"), expression=integer(version)))
    values = [named(column(name, "b"), name) for name in columns]
    select = _select([*values, named(old, OLD), named(exp.Not(this=exp.paren(changes)), SAME)])
    select = select.from_(batch).join(kept, on=same, join_type="left")
    select = select.where(_is_unknown(column(WHY, "b")), exp.paren(_any(written) or exp.true()))
    if not once:
        last = exp.Window(
            this=exp.RowNumber(),
            partition_by=[column(name, "b") for name in key],
            order=exp.Order(expressions=[exp.Ordered(this=column(ORDER, "b"), desc=True, nulls_first=False)]),
        )
        select.set("qualify", exp.Qualify(this=exp.EQ(this=last, expression=integer(1))))
    return _temporary(CHANGED, select)


def counted() -> str:
    """Count the rows of `changed` that are new, and those that take the place of another row."""
    new = exp.Filter(this=exp.Count(this=exp.Star()), expression=exp.Where(this=_is_unknown(column(OLD))))
    other = exp.And(this=_is_known(column(OLD)), expression=exp.Not(this=column(SAME)))
    changed = exp.Filter(this=exp.Count(this=exp.Star()), expression=exp.Where(this=other))
    return sql(_select([new, changed]).from_(_table((CHANGED,))))


def displaced(table: Name) -> str:
    """Take out the rows whose place others take."""
    old = _select([column(OLD)]).from_(_table((CHANGED,))).where(_is_known(column(OLD)))
    where = exp.In(this=exp.to_identifier("rowid"), query=exp.Subquery(this=old))
    return sql(exp.Delete(this=_table(table), where=exp.Where(this=where)))


def written(table: Name, columns: Sequence[str], version: int | None, *, merged: bool) -> str:
    """Write the rows of `changed`, or of a stream that is not merged those of the batch that fit."""
    version_of: exp.Expr = exp.Null() if version is None else integer(version)
    select = _select([*(column(name) for name in columns), version_of]).from_(_table((CHANGED if merged else BATCH,)))
    if not merged:
        select = select.where(_is_unknown(column(WHY)))
    return _insert(table, (*columns, VERSION), select)


def deleted(table: Name, key: Mapping[str, str], given: Mapping[str, str]) -> str:
    """Take out the rows whose keys arrived."""
    values = [named(fitted(column(name, "i"), given[name], kind)[0], name) for name, kind in key.items()]
    keys = _select(values).from_(exp.table_(INCOMING, quoted=True).as_("i"))
    found = exp.In(
        this=exp.Tuple(expressions=[column(name) for name in key]) if len(key) > 1 else column(next(iter(key))),
        query=exp.Subquery(this=keys),
    )
    return sql(exp.Delete(this=_table(table), where=exp.Where(this=found)))


def given_again(table: Name, cursor: str) -> str:
    """Take out the rows from the smallest cursor of the batch on, but for those of this run, which is a parameter."""
    smallest = _select([exp.Min(this=column(cursor))]).from_(_table((BATCH,))).where(_is_unknown(column(WHY)))
    later = exp.GTE(this=column(cursor), expression=exp.Subquery(this=smallest))
    earlier_run = exp.NullSafeNEQ(this=column(VERSION), expression=exp.Placeholder())
    return sql(exp.Delete(this=_table(table), where=exp.Where(this=exp.And(this=later, expression=earlier_run))))


def too_early(cursor: str) -> str:
    """Leave out of the batch what is before a value of the cursor, which is a parameter: it is kept already."""
    before = exp.LT(this=column(cursor), expression=exp.Placeholder())
    return sql(exp.Delete(this=_table((BATCH,)), where=exp.Where(this=before)))


def other_than_kept(table: Name, columns: Sequence[str], cursor: str) -> str:
    """Count the rows of the batch before a value of the cursor, which is a parameter, that are not kept as they are."""
    values = [column(name) for name in columns]
    early = exp.LT(this=column(cursor), expression=exp.Placeholder())
    given = _select(values).from_(_table((BATCH,))).where(_is_unknown(column(WHY)), early)
    rest = exp.Except(this=given, expression=_select(values).from_(_table(table)), distinct=True)
    return sql(_count().from_(exp.Subquery(this=rest, alias=exp.TableAlias(this=exp.to_identifier("r")))))


def other_versions(table: Name) -> str:
    """Take out the rows of other versions than one, which is a parameter."""
    other = exp.NullSafeNEQ(this=column(VERSION), expression=exp.Placeholder())
    return sql(exp.Delete(this=_table(table), where=exp.Where(this=other)))


def largest(table: Name, cursor: str, kind: str) -> str:
    """Find the largest value of a cursor; an instant in microseconds since 1970."""
    value: exp.Expr = exp.Max(this=column(cursor))
    if kind == INSTANT:
        value = exp.Anonymous(this="epoch_us", expressions=[value])
    return sql(_select([value]).from_(_table(table)))


def size(table: Name) -> str:
    """Count the rows of a table."""
    return sql(_count().from_(_table(table)))


@dataclass(frozen=True)
class Closed:
    """Which rows lie in a period that was over: those whose `time` is before `bound`, a time by the clock of `zone`."""

    time: str
    kind: str
    bound: datetime
    zone: str

    def holds(self, side: str = "") -> exp.Expr:
        """Say whether a row lies in a closed period; the bound of instants is one that Python made."""
        bound = to_utc(self.bound, ZoneInfo(self.zone)) if self.kind == INSTANT else self.bound
        literal = exp.Cast(
            this=exp.Literal.string(bound.isoformat(sep=" ")), to=type_node(_BOUNDS.get(self.kind, self.kind))
        )
        return exp.LT(this=column(self.time, side), expression=literal)

    def local(self, value: exp.Expr) -> exp.Expr:
        """Give a time by the clock of the zone."""
        if self.kind == INSTANT:
            return exp.AtTimeZone(this=value, zone=exp.Literal.string(self.zone))
        return exp.Cast(this=value, to=type_node("TIMESTAMP"))


_BOUNDS: Mapping[str, str] = {"DATE": "TIMESTAMP"}


def restated(old: Name, new: Name, columns: Sequence[str], key: Sequence[str], closed: Closed) -> str:
    """Record the rows of closed periods that are other than before; takes run and stream as parameters."""
    pairs = _paired(old, new, columns, key, closed) if key else _unpaired(old, new, columns, closed)
    values = [column(name) for name in ("change", "key", "time", "before", "after")]
    select = _select([exp.Placeholder(), exp.Placeholder(), *values])
    select = select.from_(exp.Subquery(this=pairs, alias=exp.TableAlias(this=exp.to_identifier("p"))))
    return _insert(RESTATEMENTS, ("run", "stream", "change", "key", "time", "before", "after"), select)


def _paired(old: Name, new: Name, columns: Sequence[str], key: Sequence[str], closed: Closed) -> exp.Select:
    """Set rows of two states of a table side by side by key, where one of them lies in a closed period."""
    before, after = _table(old).as_("o"), _table(new).as_("n")
    match = _all(exp.EQ(this=column(name, "o"), expression=column(name, "n")) for name in key)
    differs = _any(exp.NullSafeNEQ(this=column(n, "o"), expression=column(n, "n")) for n in columns)
    no_old, no_new = (_is_unknown(column(key[0], side)) for side in ("o", "n"))
    change = exp.Case(
        ifs=[
            exp.If(this=no_old, true=exp.Literal.string("added")),
            exp.If(this=no_new, true=exp.Literal.string("removed")),
        ],
        default=exp.Literal.string("changed"),
    )
    either = {name: exp.Coalesce(this=column(name, "o"), expressions=[column(name, "n")]) for name in key}
    concerned = _any(closed.holds(side) for side in ("o", "n"))
    when = closed.local(exp.Coalesce(this=column(closed.time, "o"), expressions=[column(closed.time, "n")]))
    select = _select(
        [
            named(change, "change"),
            named(_text(_object(either)), "key"),
            named(when, "time"),
            named(_unless(no_old, _text(_object({n: column(n, "o") for n in columns}))), "before"),
            named(_unless(no_new, _text(_object({n: column(n, "n") for n in columns}))), "after"),
        ]
    )
    select = select.from_(before).join(after, on=match, join_type="full")
    return select.where(exp.paren(concerned or exp.true()), exp.paren(differs or exp.false()))


def _unpaired(old: Name, new: Name, columns: Sequence[str], closed: Closed) -> exp.Expr:
    """Find the rows of closed periods that only one of two states of a table has."""

    def only(one: Name, other: Name, change: str, side: str) -> exp.Select:
        rows = [
            _select([column(name) for name in columns]).from_(_table(each)).where(closed.holds())
            for each in (one, other)
        ]
        rest = exp.Except(this=rows[0], expression=rows[1], distinct=False)
        row = _text(_object({name: column(name) for name in columns}))
        sides = {"before": exp.Null(), "after": exp.Null(), side: row}
        select = _select(
            [
                named(exp.Literal.string(change), "change"),
                named(exp.Null(), "key"),
                named(closed.local(column(closed.time)), "time"),
                *(named(value, name) for name, value in sides.items()),
            ]
        )
        return select.from_(exp.Subquery(this=rest, alias=exp.TableAlias(this=exp.to_identifier("r"))))

    return exp.Union(
        this=only(old, new, "removed", "before"), expression=only(new, old, "added", "after"), distinct=False
    )


def _normal(value: exp.Expr, arrived: str, kind: str) -> exp.Expr:
    if arrived == kind:
        return value
    if kind != "JSON":
        value = in_microseconds(value, arrived)
    return fitted(value, arrived, "JSON")[0] if kind == "JSON" else exp.Cast(this=value, to=type_node(kind))


def _why(
    values: Mapping[str, tuple[exp.Expr, exp.Expr | None]], given: Mapping[str, str], columns: Mapping[str, str],
    required: Sequence[str],
) -> exp.Expr:  # fmt: skip
    """Say what is wrong with a row: values that do not fit, and an empty key."""
    reasons: list[tuple[exp.Expr, str]] = [
        (exp.And(this=_is_known(column(name)), expression=exp.paren(wrong)), f"`{name}` is no {columns[name]}")
        for name, (_, wrong) in values.items()
        if wrong is not None
    ]
    for name in required:
        empty = _is_unknown(column(name)) if name in given else exp.true()
        reasons.append((empty, f"`{name}` is empty"))
    if not reasons:
        return exp.Cast(this=exp.Null(), to=type_node("VARCHAR"))
    texts = [exp.Case(ifs=[exp.If(this=when, true=exp.Literal.string(said))]) for when, said in reasons]
    joined = exp.Anonymous(this="concat_ws", expressions=[exp.Literal.string("; "), *texts])
    return exp.Nullif(this=joined, expression=exp.Literal.string(""))


def _json(columns: Iterable[str]) -> exp.Expr:
    return _text(_object({name: column(name) for name in columns}))


def _object(values: Mapping[str, exp.Expr]) -> exp.Expr:
    arguments: list[exp.Expr] = []
    for name, value in values.items():
        arguments += [exp.Literal.string(name), value]
    return exp.Anonymous(this="json_object", expressions=arguments)


def _text(value: exp.Expr) -> exp.Expr:
    return exp.Cast(this=value, to=type_node("VARCHAR"))


def _unless(condition: exp.Expr, value: exp.Expr) -> exp.Expr:
    return exp.Case(ifs=[exp.If(this=exp.Not(this=condition), true=value)])


def _is_unknown(value: exp.Expr) -> exp.Expr:
    return exp.Is(this=value, expression=exp.Null())


def _is_known(value: exp.Expr) -> exp.Expr:
    return exp.Not(this=_is_unknown(value))


def _all(conditions: Iterable[exp.Expr]) -> exp.Expr | None:
    return _joined(exp.And, conditions)


def _any(conditions: Iterable[exp.Expr]) -> exp.Expr | None:
    return _joined(exp.Or, conditions)


def _joined(operator: type[exp.Connector], conditions: Iterable[exp.Expr]) -> exp.Expr | None:
    made: exp.Expr | None = None
    for condition in conditions:
        made = condition if made is None else operator(this=made, expression=condition)
    return made


def _select(values: Iterable[Any]) -> exp.Select:
    return exp.Select(expressions=list(values))


def _count() -> exp.Select:
    return _select([exp.Count(this=exp.Star())])


def _nothing(kind: str) -> exp.Expr:
    return exp.Cast(this=exp.Null(), to=type_node(kind))


def _definition(name: str, kind: str) -> exp.ColumnDef:
    return exp.ColumnDef(this=exp.to_identifier(name, quoted=True), kind=type_node(kind))


def _table(name: Name) -> exp.Table:
    parts: Iterator[str] = reversed(name)
    keys = ("this", "db", "catalog")
    return exp.Table(**{key: exp.to_identifier(part, quoted=True) for key, part in zip(keys, parts, strict=False)})


def _temporary(name: str, select: exp.Select) -> str:
    kept = exp.Properties(expressions=[exp.TemporaryProperty()])
    return sql(exp.Create(this=_table((name,)), kind="TABLE", expression=select, replace=True, properties=kept))


def _insert(table: Name, columns: Sequence[str], select: exp.Expr) -> str:
    into = exp.Schema(this=_table(table), expressions=[exp.to_identifier(name, quoted=True) for name in columns])
    return sql(exp.Insert(this=into, expression=select))
