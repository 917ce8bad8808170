"""What our writer writes is what the dialect writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlglot import exp, parse_one

from kpi_engine.formula import writing
from kpi_engine.formula.trees import column, dialect, double, identifier, sql

if TYPE_CHECKING:
    from collections.abc import Iterator

DOUBLES = [double(), exp.DataType.build("double"), exp.DataType.build("double[]", dialect="duckdb")]
TREES = [
    identifier("amount"),
    identifier('a "quoted" name'),
    identifier("two\nlines"),
    exp.Identifier(this="select", quoted=False),
    exp.Identifier(this="Amount", quoted=False),
    column("amount"),
    column("amount", "r"),
    column('a"b', 'c"d'),
    column("two\nlines", "r.x"),
    exp.column("a", table="b", db="c", catalog="d", quoted=True),
    exp.column("a", table="b"),
    exp.Column(this=exp.Star(), table=identifier("r")),
    *(exp.Cast(this=column("x"), to=each) for each in DOUBLES),
    *(parse_one(f"cast(x as {kind})", dialect="duckdb") for kind in ("double", "float", "int", "timestamptz", "time")),
    *(exp.Literal.string(text) for text in ("", "plain", "it's", "a\\b", "two\nlines", "été", "%_{}")),
    *(
        parse_one(text, dialect="duckdb")
        for text in (
            "1",
            "1.50",
            "1e5",
            "-1",
            "(1)",
            "((a))",
            "a + 1",
            "a + b + c",
            "a + (b + c)",
            "a - (b - c) - d",
            "a * b / c",
            "a / b",
            "a = 1 and b <> 2 or not c >= 3",
            "a is null",
            "a is not null",
            "a is true",
            "not a is null",
            "a is not distinct from b",
            "a || b",
            "a like 'x%'",
            "coalesce(a, 0)",
            "coalesce(a)",
            "coalesce(a, b, 'it''s')",
            "ifnull(a, 1)",
            "try_cast(a as int)",
            "cast(a as int[])",
            "cast(a as decimal(10, 2))",
            "cast('2026-01-01' as date)",
            "a in ('x', 'y')",
            "a = b = c",
            "a % 2",
            "a // 2",
            "a ** 2",
            "x -> 'a'",
        )
    ),
    parse_one('select r."a", b."c".*, cast(d as double) from t as r join u as b on r.x = b.y', dialect="duckdb"),
]


@pytest.mark.parametrize("pretty", [False, True])
@pytest.mark.parametrize("tree", TREES, ids=range(len(TREES)))
def test_text_is_that_of_the_dialect(tree: exp.Expr, pretty: bool) -> None:
    assert sql(tree, pretty=pretty) == tree.sql(dialect(), comments=False, pretty=pretty)


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have sqlglot compiled, of whose classes no other can be made."""

    class Refused:
        def __init__(self) -> None:
            message = "interpreted classes cannot inherit from compiled"
            raise TypeError(message)

    monkeypatch.setattr(writing, "Writer", Refused)
    writing.writer.cache_clear()
    yield
    writing.writer.cache_clear()


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("tree", TREES, ids=range(len(TREES)))
def test_with_a_compiled_sqlglot_the_dialect_writes_the_same(tree: exp.Expr) -> None:
    assert writing.writer() is not writing.Writer
    assert sql(tree) == tree.sql(dialect(), comments=False)
