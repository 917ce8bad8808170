"""Trees are shared, so nothing may change one: neither rewriting it nor writing it as text."""

import pytest
from sqlglot import exp

from kpi_engine.formula import functions
from kpi_engine.formula.gate import Refused, read
from kpi_engine.formula.trees import column, nodes, rewritten, sql

TEXTS = (
    "a + b * 2 - -c / 3",
    "case when a > 1 and not b is null then 'x' else null end",
    "x in ('a', 'b') or x between 1 and 5",
    "cast(x as decimal(18, 2)) = date '2026-01-31'",
    "a is distinct from b and c is not true",
    "coalesce(nullif(a, 0), :p)",
    "timestamp '2026-01-31 12:00:00' < t",
)
CALLS = [each.call.replace("[", "").replace("]", "").replace(", …", "") for each in functions.SCALARS]


def _texts_of_functions():
    for call in CALLS:
        text = call.replace("condition", "x > 1").replace("digits", "2").replace("type", "double")
        try:
            read(text, "condition")
        except Refused:
            continue
        yield text


@pytest.mark.parametrize("text", [*TEXTS, *_texts_of_functions()])
def test_writing_a_tree_does_not_change_it(text):
    tree = read(text, "condition")
    before = tree.copy()
    first = sql(tree)
    assert sql(tree) == first
    assert tree == before


def test_most_functions_can_be_tried():
    assert len(list(_texts_of_functions())) > len(CALLS) * 0.8


def test_what_does_not_change_is_given_back():
    tree = read("a + b", "condition")
    assert rewritten(tree) is tree


def test_a_change_leaves_the_tree_as_it_is_and_shares_the_rest():
    tree = read("a + abs(b)", "condition")
    before = tree.copy()
    made = rewritten(tree, lambda node: column("z") if isinstance(node, exp.Column) and node.name == "a" else node)
    assert sql(made) == '"z" + ABS(b)'
    assert made.expression is tree.expression
    assert tree == before


def test_what_was_exchanged_is_not_looked_into():
    tree = read("abs(a)", "condition")

    def wrapped(node):
        return exp.Neg(this=node) if isinstance(node, exp.Abs) else exp.Null() if isinstance(node, exp.Column) else node

    assert sql(rewritten(tree, wrapped)) == "-ABS(a)"


def test_a_part_that_stands_twice_is_finished_once():
    part = exp.Div(this=column("a"), expression=column("b"))
    seen = []

    def finish(node):
        if isinstance(node, exp.Div):
            seen.append(node)
            return exp.Anonymous(this="safe", expressions=[node])
        return node

    assert sql(rewritten(exp.Add(this=part, expression=part), finish=finish)) == 'SAFE("a" / "b") + SAFE("a" / "b")'
    assert len(seen) == 1


def test_a_new_node_has_the_place_of_the_one_before():
    tree = read("1 + abs(b)", "condition")
    made = rewritten(tree, lambda node: column("z") if isinstance(node, exp.Column) else node)
    assert made.expression.meta["start"] == tree.expression.meta["start"] == 4


def test_bare_names_are_no_nodes():
    assert [type(node) for node in nodes(read("a = b", "condition"))] == [exp.EQ, exp.Column, exp.Column]
