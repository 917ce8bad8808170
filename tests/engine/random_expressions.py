"""Random expressions of the language over one table, each computed by DuckDB and by another engine."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any

import duckdb
from scattered import scattered
from sqlglot import exp

from kpi_engine.execution.querying import asked
from kpi_engine.formula.gate import read
from kpi_engine.formula.trees import column, integer, named, rewritten, sql
from kpi_engine.sql.dialects import dialect_of
from kpi_engine.sql.dialects.dialect import Unportable
from kpi_engine.sql.leaves import Cutter
from kpi_engine.sql.lowering import lowered
from kpi_engine.sql.portable import portable
from kpi_engine.sql.relations import Named
from kpi_engine.sql.rendering import rendering_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import kpi_engine
    from kpi_engine.sql.rendering import Rendering

TYPES = {
    "g": "VARCHAR", "i": "BIGINT", "j": "INTEGER", "f": "DOUBLE", "d": "DECIMAL(10,2)", "s": "VARCHAR", "t": "VARCHAR", "b": "BOOLEAN",
    "day": "DATE", "at_": "TIMESTAMP",
}  # fmt: skip
TEXTS = ("a", "A", "b", "ab", "Ab", "ä", "Z", "", "o'x", "a ", "_", "%", "éa", "zz", "😀")
DAYS = ("2025-12-31", "2026-01-01", "2026-02-28", "2024-02-29")
DEFINITIONS: dict[str, Any] = {
    "datasets": {"x": {"dimensions": {"g": None}}},
    "kpis": {"rows": {"inputs": ["x"], "formula": "count(x)"}},
}
BATCH = 200


class Expressions:
    """Makes expressions as texts; `decimals` and `functions` are what the other engine has."""

    def __init__(self, random: Random, *, decimals: bool = True) -> None:
        self.random = random
        self.decimals = decimals

    def aggregate(self) -> str:
        """Make an aggregate over rows, with a filter now and then."""
        random = self.random
        call = random.choice((
            f"sum({self.number(3)})", f"avg({self.number(2)})", f"min({self.number(3)})", f"max({self.number(2)})",
            f"count({self.number(2)})", f"count(distinct {self.number(1)})", f"count(distinct {self.text()})", f"min({self.text()})",
            f"max({self.text()})", f"min({self.time()})", f"max({self.time()})", f"sum({self.amount()})", f"count({self.amount()})",
            f"median(cast({self.number(1)} as double))", f"stddev(cast({self.number(1)} as double))", f"quantile_cont(cast({self.number(1)} as double), 0.9)",
            f"quantile_disc({self.number(1)}, 0.25)",
        ))  # fmt: skip
        return call if random.random() < 0.4 else f"{call} filter (where {self.condition(3)})"

    def number(self, depth: int) -> str:
        """Make a number of a row."""
        random = self.random
        if depth == 0 or random.random() < 0.2:
            return random.choice(
                ("i", "j", "f", "i", "j", str(random.randrange(0, 9)), "0.5", "2.25" if self.decimals else "2")
            )
        left, right = self.number(depth - 1), self.number(depth - 1)
        return random.choice((
            f"({left} + {right})", f"({left} - {right})", f"({left} * f)", f"({left} / {right})", f"abs({self.plain(depth - 1)})",
            f"coalesce({left}, {right})", f"nullif({self.plain(depth - 1)}, {random.randrange(0, 4)})",
            f"case when {self.condition(depth - 1)} then {left} else {right} end", f"if({self.condition(depth - 1)}, {left}, {right})",
            f"length({self.text()})", f"-({left})", f"least({left}, {right})", f"greatest({left}, {right})", f"floor({left})",
            f"ceil({left})", f"round({left}, 1)",
        ))  # fmt: skip

    def plain(self, depth: int) -> str:
        return self.random.choice(("i", "j", "f")) if depth < 1 else f"({self.plain(depth - 1)} - {self.plain(0)})"

    def amount(self) -> str:
        """Make an amount of money."""
        return self.random.choice(("d", "(d + d)", "(d - i)", "coalesce(d, 0)") if self.decimals else ("f", "(f + f)"))

    def text(self) -> str:
        random = self.random
        literal = "'" + random.choice(TEXTS).replace("'", "''") + "'"
        return random.choice(
            (
                "s",
                "t",
                f"coalesce(s, {literal})",
                f"case when {self.condition(0)} then s else t end",
                "nullif(s, t)",
                "lower(s)",
            )
        )

    def time(self) -> str:
        return self.random.choice(("day", "at_"))

    def condition(self, depth: int) -> str:
        """Make a condition on a row."""
        random = self.random
        literal = "'" + random.choice(TEXTS).replace("'", "''") + "'"
        if depth == 0 or random.random() < 0.5:
            sign = random.choice(("=", "<>", "<", "<=", ">", ">="))
            return random.choice((
                f"i {sign} {random.randrange(-3, 5)}", f"f {sign} j", f"s {sign} {literal}", f"s {sign} t", "b", "b is not true", "s is null",
                f"day {sign} date '{random.choice(DAYS)}'", f"day {sign} '{random.choice(DAYS)}'", f"s in ('a', {literal})",
                f"at_ {sign} timestamp '{random.choice(DAYS)} 12:30:00'", f"contains(s, {literal})", f"starts_with(s, {literal})",
                f"i between j and {random.randrange(0, 9)}", "s is distinct from t", "i is not distinct from j", f"f {sign} 0.1",
                f"{'d' if self.decimals else 'f'} {sign} {random.randrange(-2, 3)}.5",
            ))  # fmt: skip
        left, right = self.condition(depth - 1), self.condition(depth - 1)
        return random.choice((f"({left} and {right})", f"({left} or {right})", f"not ({left})"))


def filled(random: Random) -> duckdb.DuckDBPyConnection:
    """Make the table."""
    connection = duckdb.connect()
    connection.execute(f"CREATE TABLE x ({', '.join(f'{name} {kind}' for name, kind in TYPES.items())})")
    rows = []
    for _ in range(80):
        values = {
            "g": random.choice("pq"), "i": random.randrange(-9, 10), "j": random.randrange(0, 8), "f": random.randrange(-8, 9) / 4,
            "d": Decimal(random.randrange(-300, 300)) / 100, "s": random.choice(TEXTS), "t": random.choice(TEXTS), "b": random.random() < 0.5,
            "day": random.choice(DAYS), "at_": f"{random.choice(DAYS)} {random.choice(('12:30:00', '00:00:00', '23:59:59.5', '12:30:00.000001'))}",
        }  # fmt: skip
        rows.append([None if name != "g" and random.random() < 0.15 else value for name, value in values.items()])
    connection.executemany(f"INSERT INTO x VALUES ({', '.join('?' * len(TYPES))})", rows)
    return connection


def differences(
    seed: int, count: int, store: Any, plugin: Mapping[str, str], dialect: str, folder: Path
) -> tuple[int, int, list[str]]:
    """Compute random expressions here and there; give how many were computed, how many refused by name, and what differs."""
    random = Random(seed)  # noqa: S311 - the same case again
    maker = Expressions(random, decimals=dialect != "sqlite")
    connection = filled(random)
    computed, refused, found = 0, 0, list[str]()
    with scattered(connection, DEFINITIONS, {"there": (store, ("x",))}, folder, plugin) as engine:
        for _ in range(0, count, BATCH):
            kept: list[tuple[str, exp.Expr]] = []
            while len(kept) < BATCH:
                text = maker.aggregate()
                tree = lowered(rewritten(read(text, "formula"), _of_rows))
                if _is_portable(tree, dialect):
                    kept.append((text, tree))
                else:
                    refused += 1
            computed += len(kept)
            found += _compared(engine, connection, kept)
    return computed, refused, found


def _of_rows(node: exp.Expr) -> exp.Expr:
    return column(node.name, "r") if isinstance(node, exp.Column) else node


def _is_portable(tree: exp.Expr, dialect: str) -> bool:
    there = dialect_of(dialect)
    assert there is not None
    try:
        portable(tree, there, lambda node: TYPES[node.name])
    except Unportable:
        return False
    return True


def _compared(
    engine: kpi_engine.Engine, connection: duckdb.DuckDBPyConnection, kept: list[tuple[str, exp.Expr]]
) -> list[str]:
    def select(rendering: Rendering) -> exp.Select:
        columns = [named(column("g", "r"), "g"), *(named(tree, f"e{n}") for n, (_, tree) in enumerate(kept))]
        made = exp.Select(expressions=columns).from_(rendering.relations.rows("x", "r"), copy=False)
        return made.group_by(integer(1), copy=False)

    names, zone = engine.catalogue.names, engine.calendar.zone
    relations, _ = engine._binder.relations(["x"])
    query = Cutter(names, relations, zone, engine._database.columns).whole(select, ("x",), ("x",))
    assert [each.dataset for each in query.transfers] == [""]
    there, _ = asked(query, {}, engine._binder, engine._database)
    here = replace(relations, origins={("", "x"): Named(("x",))})
    relation = connection.sql(sql(select(rendering_of(names, here, zone))))
    wanted = {row[0]: row[1:] for row in relation.fetchall()}
    got = {row[0]: row[1:] for row in zip(*(there[name].to_pylist() for name in there.column_names), strict=True)}
    assert wanted.keys() == got.keys()
    return [
        f"{text}: {got[key][n]!r} instead of {wanted[key][n]!r}"
        for key in wanted
        for n, (text, _) in enumerate(kept)
        if not _same(got[key][n], wanted[key][n])
    ]


def _same(got: Any, wanted: Any) -> bool:
    if isinstance(wanted, float) and isinstance(got, float | int):
        return abs(got - wanted) <= 1e-7 + 1e-9 * abs(wanted) or (got != got and wanted != wanted)  # noqa: PLR0124
    return bool(got == wanted)
