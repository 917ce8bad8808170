"""Whatever is written, the gate refuses it with reasons or gives a tree of allowed nodes that reads the same when written again."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from kpi_engine.formula import functions
from kpi_engine.formula.analysis import parse
from kpi_engine.formula.gate import Refused, read, span
from kpi_engine.formula.words import MAX_DEPTH

WORDS = [
    *["+", "-", "*", "/", "=", "<>", "<", "<=", ">", ">=", "(", ")", ",", ".", ":", ";", "%", "||", "::", "[", "]", "{", "}", "'", '"', "$", "?", "@", "#", "!", "&", "|", "~", "^", "\\", "`"],
    *["and", "or", "not", "in", "is", "null", "true", "false", "case", "when", "then", "else", "end", "between", "distinct", "from", "filter", "where", "as", "over", "like", "ilike"],
    *["select", "exists", "union", "with", "values", "interval", "order", "by", "group", "limit", "at", "time", "zone", "collate", "any", "all", "cast", "date", "timestamp", "if"],
    *[function.name for function in (*functions.AGGREGATES, *functions.SCALARS, *functions.DATASET_FUNCTIONS)],
    *["a", "b", "t", "x_1", "amount", '"quoted', 'name"', "'text'", "'it''s'", "1", "0.5", "1e3", "1e999", "0x1F", ":p", ":q", "{{", "}}", "--", "/*", "*/", "E'x'", "->", "é", "ѕ", "\u200b"],
    "sum(a)", "count(*)", "(a + b)", "case when a then 1 end", "a in ('x', 'y')", "a.b", "date '2026-01-31'", "a is not null", "\n",
]  # fmt: skip

texts = st.lists(st.sampled_from(WORDS), max_size=25).flatmap(
    lambda words: st.sampled_from([" ".join(words), "".join(words), "(" + " ".join(words) + ")"])
)

values = st.deferred(lambda: leaves | operations)
leaves = st.sampled_from(["a", "b.c", '"d e"', "1", "0.25", "'text'", ":p", "null", "true", "date '2026-01-31'"])
operations = st.one_of(
    st.tuples(values, st.sampled_from(["+", "-", "*", "/"]), values).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
    st.tuples(values, st.sampled_from(["=", "<>", "<", ">=", "and", "or", "is distinct from"]), values).map(
        lambda t: f"({t[0]} {t[1]} {t[2]})"
    ),
    st.tuples(st.sampled_from(["abs", "lower", "round", "exp", "not ", "- "]), values).map(lambda t: f"{t[0]}({t[1]})"),
    st.tuples(st.sampled_from(["coalesce", "least", "nullif", "contains", "power"]), values, values).map(
        lambda t: f"{t[0]}({t[1]}, {t[2]})"
    ),
    st.tuples(values, values, values).map(lambda t: f"case when {t[0]} then {t[1]} else {t[2]} end"),
    st.tuples(values, values, values).map(lambda t: f"({t[0]} between {t[1]} and {t[2]})"),
    values.map(lambda v: f"({v} in ('x', 1, null))"),
    values.map(lambda v: f"({v} is not null)"),
    values.map(lambda v: f"cast({v} as decimal(18, 2))"),
)

NODES = functions.SYNTAX_NODES | {f.node for f in (*functions.AGGREGATES, *functions.SCALARS)}
QUERY_NODES = NODES | functions.DATASET_NODES | {f.node for f in functions.DATASET_FUNCTIONS}


def verdict(text, kind):
    """Read a text; give its tree, or what is wrong with it."""
    try:
        return read(text, kind)
    except Refused as refused:
        return refused


def check_reasons(refused, text):
    """A refusal has reasons; each lies in the text, is said once, and they come in order."""
    assert refused.mistakes
    for mistake in refused.mistakes:
        assert mistake.code
        assert mistake.message
        assert 0 <= mistake.offset <= len(text)
        assert mistake.length >= 1
    assert len(set(refused.mistakes)) == len(refused.mistakes)
    assert [m.offset for m in refused.mistakes] == sorted(m.offset for m in refused.mistakes)


def check(text, kind):
    tree = verdict(text, kind)
    if isinstance(tree, Refused):
        check_reasons(tree, text)
        return
    names = {type(node).__name__ for node in tree.walk()}
    assert names <= ((QUERY_NODES | {"Anonymous"}) if kind == "query" else NODES)
    written = tree.sql("duckdb", comments=False)
    again = read(re.sub(r'(?<![\w"])\$(?=\w)', ":", written), kind)
    assert again.sql("duckdb", comments=False) == written
    for node in tree.walk():
        offset, length = span(node)
        assert 0 <= offset <= offset + length <= max(len(text), 1)


@given(texts, st.sampled_from(["formula", "condition", "query"]))
@settings(max_examples=400)
def test_words_in_any_order(text, kind):
    check(text, kind)


@given(st.text(max_size=60), st.sampled_from(["formula", "condition", "query"]))
@settings(max_examples=300)
def test_any_text(text, kind):
    check(text, kind)


@given(values)
@settings(max_examples=200)
def test_expressions_of_the_language(text):
    if text.count("(") < MAX_DEPTH // 2:
        check(text, "condition")


@given(texts)
@settings(max_examples=200)
def test_queries_around_any_words(text):
    check(f"select {text} from t", "query")
    check(f"select * from t where {text}", "query")


@given(texts)
@settings(max_examples=200)
def test_formulas_taken_apart(text):
    try:
        formula = parse(f"sum({text}) / count(*)")
    except Refused:
        return
    assert formula.aggregations
    for each in formula.aggregations:
        assert each.function
        assert 0 <= each.offset < len(formula.text)
