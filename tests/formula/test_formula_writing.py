"""What our writer writes is what the dialect writes."""

from __future__ import annotations

import pytest
from sqlglot import exp, parse_one

from kpi_engine.formula.trees import column, dialect, double, identifier, sql

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
    parse_one('select r."a", b."c".*, cast(d as double) from t as r join u as b on r.x = b.y', dialect="duckdb"),
]


@pytest.mark.parametrize("pretty", [False, True])
@pytest.mark.parametrize("tree", TREES, ids=range(len(TREES)))
def test_text_is_that_of_the_dialect(tree: exp.Expr, pretty: bool) -> None:
    assert sql(tree, pretty=pretty) == tree.sql(dialect(), comments=False, pretty=pretty)
