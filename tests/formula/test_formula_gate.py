"""The gate says what is wrong as it was written, where, and what to do; what it lets through is what was meant."""

from __future__ import annotations

import pytest

from kpi_engine.formula import grammar
from kpi_engine.formula.gate import MAX_NESTING, Refused, _read, read, span
from kpi_engine.formula.words import MAX_DEPTH, MAX_LENGTH, MAX_WORDS

REFUSED = {
    # text: code, what is underlined, words of the message, words of the hint
    "0x1F + 1": ("bad_number", "0x1F", "`0x1F` is not a number", "31"),
    "12abc": ("bad_number", "12abc", "`12abc`", "operator"),
    "1e": ("bad_number", "1e", "`1e`", "1e6"),
    "'a' 'b'": ("syntax", "'a' 'b'", "two texts", "operator or a comma"),
    r"E'\''": ("bad_text", r"E'\''", "before its quotes", "doubled"),
    "N'a'": ("bad_text", "N'a'", "before its quotes", "doubled"),
    "x'1f'": ("bad_text", "x'1f'", "before its quotes", "doubled"),
    "$$a$$": ("bad_text", "$$a$$", "before its quotes", "doubled"),
    "a IN t": ("bad_in", "a IN t", "list of values in brackets", "in ('email'"),
    "a in (1, b)": ("bad_in", "a in (1, b)", "list of values", "in ('email'"),
    "x -> y": ("operator", "->", "`->` is not part", "JSON"),
    "x ->> 'y'": ("operator", "->>", "`->>` is not part", "JSON"),
    "{{ a }}": ("template", "{{", "begins a template", ":name"),
    "a {% b %}": ("template", "{%", "begins a template", ":name"),
    "a {# b #}": ("template", "{#", "begins a template", ":name"),
    "a[1]": ("operator", "[", "`[` is not part", "after `in`"),
    "{'a': 1}": ("operator", "{", "`{` is not part", ""),
    "a::int": ("operator", "::", "`::`", "cast(x as type)"),
    "a % 2": ("operator", "%", "`%`", "0.03"),
    "100 * a %": ("operator", "%", "`%`", "0.03"),
    "a // 2": ("operator", "//", "`//`", "floor(x / y)"),
    "a || b": ("operator", "||", "`||`", "`sql:`"),
    "a ** 2": ("operator", "**", "`**`", "power(x, y)"),
    "a ^ 2": ("operator", "^", "`^`", "power(x, y)"),
    "a == 2": ("operator", "==", "`==`", "`=`"),
    "!a": ("operator", "!", "`!`", "`not`"),
    "a & b": ("operator", "&", "`&`", "`and`"),
    "a ~ 'x'": ("operator", "~", "`~`", "contains"),
    "`a`": ("operator", "`", "a backtick", "double quotes"),
    "a;": ("operator", ";", "`;`", "leave it out"),
    "$1": ("operator", "$", "`$`", ":name"),
    "@a": ("operator", "@", "`@`", ":name"),
    "a:b": ("operator", ":", "before the name of a parameter", ":name"),
    ": a": ("bad_parameter", ":", "written as `:name`", ""),
    "a like 'x%'": ("like", "like", "`like`", "starts_with"),
    "a not ilike 'x%'": ("like", "ilike", "`ilike`", "starts_with"),
    "a similar to 'x'": ("like", "similar to", "`similar to`", "starts_with"),
    "sum(a) over ()": ("window_function", "over", "window", "`offset`"),
    "(select 1)": ("subquery", "select", "a query cannot stand", "dataset with `sql:`"),
    "a in (select b from c)": ("subquery", "select", "a query cannot stand", "dataset with `sql:`"),
    "exists (select 1)": ("subquery", "exists", "a query cannot stand", "dataset with `sql:`"),
    "a = any (b)": ("not_allowed", "any", "`any`", "list the values"),
    "interval 1 day": ("not_allowed", "interval", "`interval`", "date_diff"),
    "a at time zone 'UTC'": ("not_allowed", "at", "`at time zone`", "zone:"),
    "a collate nocase": ("not_allowed", "collate", "`collate`", "lower"),
    "sum(a order by b)": ("not_allowed", "order by", "`order by`", "asked for"),
    "(a, b)": ("not_allowed", "a, b", "only after `in`", "in ('email'"),
    "sum(distinct a)": ("bad_distinct", "sum(distinct a)", "only in `count(distinct x)`", "sum(x)"),
    "count(distinct a, b)": (
        "bad_arguments",
        "count(distinct a, b)",
        "takes one value, and has two",
        "count(distinct x)",
    ),
    "count()": ("bad_arguments", "count()", "has none", "count(rows)"),
    "min(a, b)": ("bad_arguments", "min(a, b)", "takes one value, and has two", "least(x, y)"),
    "max(a, b, c)": ("bad_arguments", "max(a, b, c)", "has three", "greatest(x, y)"),
    "nullif(a)": ("bad_arguments", "nullif(a)", "takes two values, and has one", "nullif(x, y)"),
    "round(a, 1, 2)": ("bad_arguments", "round(a, 1, 2)", "one or two values", "round(x, digits)"),
    "coalesce(a)": ("bad_arguments", "coalesce(a)", "at least two", "coalesce(x, y, …)"),
    "round(a, b)": ("bad_arguments", "round(a, b)", "number of decimals", "round(x, 2)"),
    "round(a, 99)": ("bad_arguments", "round(a, 99)", "from 0 to 15", "round(x, 2)"),
    "date_diff('day', a, b)": (
        "bad_date_part",
        "date_diff('day', a, b)",
        "'second', 'minute' or 'hour'",
        "divide hours by 24",
    ),
    "abs(a) filter (where b)": ("bad_filter", "abs(a) filter (where b)", "follows an aggregate", "sum(amount)"),
    "a < b < c": ("chained_comparison", "a < b < c", "follow one another", "and b < c"),
    "a is 3": ("bad_is", "a is 3", "followed by `null`", "`=`"),
    "a.*": ("bad_star", "a.*", "only in `count(*)`", "name a column"),
    "count(* exclude (a))": ("bad_star", "* exclude (a)", "only in `count(*)`", "name a column"),
    "a.b.c.d.e": ("path_too_long", "a.b.c.d.e", "too many parts", "dimension of its own"),
    "main.sum(a)": ("unknown_function", "sum", "no name before it", "`sum(…)`"),
    '"sum"(a)': ("unknown_function", '"sum"', '`"sum"`', ""),
    "medain(a)": ("unknown_function", "medain", "`medain`", "`median`"),
    "ifnull(a, b)": ("unknown_function", "ifnull", "`ifnull`", "coalesce(x, y)"),
    "now()": ("unknown_function", "now", "`now`", "ask for a period"),
    "current_date": ("unknown_function", "current_date", "`current_date`", "ask for a period"),
    "substring(a, 1)": ("unknown_function", "substring", "only in the query of a dataset", "`sql:`"),
    "frobnicate(a)": ("unknown_function", "frobnicate", "`frobnicate`", "functions.md"),
    "cast(a as uuid)": ("unknown_type", "cast(a as uuid)", "`uuid`", "varchar"),
    "1e999": ("not_finite", "1e999", "`1e999`", "308"),
    "9" * 50: ("not_finite", "9" * 50, "`99999999999999999999`", ""),
    "a b": ("syntax", "b", "right after `a`", "double quotes"),
    "1 2": ("syntax", "2", "right after `1`", "operator"),
    "a +": ("syntax", "+", "after `+` a value is missing", "complete"),
    "a + * b": ("syntax", "+", "after `+` a value is missing", "complete"),
    "/ a": ("syntax", "/", "before `/` a value is missing", "complete"),
    "(= 3)": ("syntax", "=", "before `=` a value is missing", "complete"),
    "a, b": ("syntax", ",", "a comma", "one value"),
    "sum(a": ("syntax", "(", "not closed", "`)`"),
    "sum(a))": ("syntax", ")", "closes nothing", "open it before"),
    "case when a then 1": ("syntax", "case", "no `end`", "case when"),
    "case when a then 1 else end": ("syntax", "else", "after `else` a value is missing", "complete"),
    "a between 1": ("syntax", "between", "no `and`", "between 1 and 5"),
    "a as b": ("syntax", "as", "`as` cannot stand here", "the id of the KPI"),
    "sum(like)": ("syntax", "like", "`like` cannot stand here", '"like"'),
    "'abc": ("syntax", "'", "a text begins here", "close it"),
    '"abc': ("syntax", '"', "a name in double quotes", "close it"),
    "a /* b": ("syntax", "/*", "a comment", "*/"),
    "“a”": ("bad_character", "“", "keyboard", "single quotes"),
    "a − b": ("bad_character", "−", "keyboard", "minus sign"),
    "a × b": ("bad_character", "×", "keyboard", "`*`"),
    "ѕum(a)": ("bad_character", "ѕ", "U+0455", "Latin letters"),
    "a\u200bb": ("bad_character", "\u200b", "invisible character U+200B", "delete"),
    "": ("empty_formula", "", "nothing here", "count(visits)"),
    "-- a": ("empty_formula", "-", "but a comment", "count(visits)"),
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_refused(text):
    code, underlined, message, hint = REFUSED[text]
    with pytest.raises(Refused) as caught:
        read(text)
    (mistake,) = caught.value.mistakes[:1] if code == "operator" and text.startswith("{") else caught.value.mistakes
    assert mistake.code == code
    assert text[mistake.offset : mistake.offset + mistake.length] == underlined
    assert message in mistake.message
    assert hint in mistake.hint


def test_every_mistake_is_said_at_once_in_order():
    text = "summ(a) + nullif(b) + sum(distinct c) / frob(1)"
    with pytest.raises(Refused) as caught:
        read(text)
    found = [(m.code, text[m.offset : m.offset + m.length]) for m in caught.value.mistakes]
    assert found == [
        ("unknown_function", "summ"), ("bad_arguments", "nullif(b)"), ("bad_distinct", "sum(distinct c)"), ("unknown_function", "frob"),
    ]  # fmt: skip


def test_a_mistake_beside_an_unknown_function_is_said_too():
    with pytest.raises(Refused) as caught:
        read("summ(a) + count_if(b in c)")
    assert [m.code for m in caught.value.mistakes] == ["unknown_function", "bad_in"]


KEPT = {
    "sum(a) -- tail": "SUM(a)",
    "/* head */ sum(a)": "SUM(a)",
    "sum (\n  a\n)": "SUM(a)",
    "SUM(A)": "SUM(A)",
    "a\u00a0+ b": "a + b",
    "é + ü": "é + ü",
    '"été 2026"': '"été 2026"',
    "'it''s'": "'it''s'",
    "'{{ x }} ; -- “”'": "'{{ x }} ; -- “”'",
    "1_000": "1000",
    ".5 + 1. + 1e5": "0.5 + 1. + 1e5",
    "- -1": "- -1",
    "a != b": "a <> b",
    "a is unknown": "a IS NULL",
    "a isnull": "a IS NULL",
    "not not a": "NOT NOT a",
    "count(*)": "COUNT(*)",
    "count_if(a and b)": "COUNT_IF(a AND b)",
    "sum(a) filter (where b)": "SUM(a) FILTER(WHERE b)",
    "a.b.c.d = :p": "a.b.c.d = $p",
    "date '2026-01-31' < a": "CAST('2026-01-31' AS DATE) < a",
    "timestamp '2026-01-31 12:00:00'": "CAST('2026-01-31 12:00:00' AS TIMESTAMP)",
    "cast(a as decimal(18, 2))": "CAST(a AS DECIMAL(18, 2))",
    "sum(date) + max(rank) + min(order)": 'SUM(date) + MAX(rank) + MIN("order")',
    "a.at + value": 'a."at" + value',
}


@pytest.mark.parametrize("text", KEPT)
def test_what_is_let_through(text):
    assert read(text).sql("duckdb", comments=False) == KEPT[text]


@pytest.mark.parametrize(
    ("text", "node", "stretch"),
    [
        ("1 + sum(a * b) / 2", "Sum", "sum(a * b)"),
        ("1 + (a - b)", "Sub", "a - b"),
        ("1 + (a - b)", "Paren", "(a - b)"),
        ("x + case when a then (b) end", "Case", "case when a then (b) end"),
        ("x + cast(a as date)", "Cast", "cast(a as date)"),
        ("x + if(a, b)", "If", "if(a, b)"),
        ("x + count(*)", "Count", "count(*)"),
        ("sum(a) filter (where (b > 1)) + 1", "Filter", "sum(a) filter (where (b > 1))"),
        ("a + :p * :q", "Mul", ":p * :q"),
        ("x and a in ('b', 'c')", "In", "a in ('b', 'c')"),
        ("quantile_cont(a, 0.5) + 1", "PercentileCont", "quantile_cont(a, 0.5)"),
    ],
)
def test_where_a_part_stands(text, node, stretch):
    found = next(part for part in read(text).walk() if type(part).__name__ == node)
    offset, length = span(found)
    assert text[offset : offset + length] == stretch


def codes(text, kind="formula"):
    with pytest.raises(Refused) as caught:
        read(text, kind)
    return [mistake.code for mistake in caught.value.mistakes]


def test_bounds_are_checked_before_parsing():
    assert read("(" * MAX_DEPTH + "a" + ")" * MAX_DEPTH)
    assert codes("(" * (MAX_DEPTH + 1) + "a" + ")" * (MAX_DEPTH + 1)) == ["too_deep"]
    assert codes("a" + " " * MAX_LENGTH) == ["formula_too_long"]
    assert codes("+".join(["a"] * MAX_WORDS)) == ["formula_too_long"]
    assert codes("-- '\n" + "(" * 100 + "\n-- '") == ["too_deep"]


@pytest.mark.parametrize("step", ["+a", "-a*a", " and a", " or a=1", "/a", " is null"])
def test_long_chains_are_bounded(step):
    assert read("a" + step * (MAX_NESTING // 3))
    assert codes("a" + step * MAX_NESTING) == ["too_deep"]


def test_chains_of_one_kind_may_be_a_hundred_long():
    text = "+".join(["a"] * (MAX_NESTING - 1))
    assert read(text).sql("duckdb") == text.replace("+", " + ")


@pytest.mark.parametrize("unit", ["not ", "- ", "case when a then ", "abs(", "(", "if(a, "])
def test_no_depth_is_ever_a_crash(unit):
    for count in (10, 50, 300, 900):
        try:
            read(unit * count + "a")
        except Refused:
            continue


BY_THE_TREE = {
    "(select max(a) from b)": "not_allowed",
    "exists (select 1)": "not_allowed",
    "a in (select b from c)": "bad_in",
    "sum(a) over ()": "not_allowed",
    "getenv('X')": "not_allowed",
    "sum(a) * random()": "not_allowed",
    "current_date": "not_allowed",
    "repeat(a, 1000000)": "not_allowed",
    "x -> y": "not_allowed",
    "a[1]": "not_allowed",
    "{'a': 1}": "not_allowed",
    "a like 'x%'": "not_allowed",
    "a || b": "not_allowed",
    "'a' 'b'": "not_allowed",
    "a % 2": "not_allowed",
    "a at time zone 'UTC'": "not_allowed",
    "try_cast(a as int)": "not_allowed",
    "a.b(1)": "path_too_long",
    "sum(distinct a)": "bad_distinct",
    "count(a, b)": "bad_arguments",
    "floor(a to day)": "syntax",
    "cast(a as date format 'YYYY')": "not_allowed",
    "?": "bad_parameter",
    "$1": "bad_parameter",
    "a; b": "not_allowed",
}


@pytest.mark.parametrize("text", BY_THE_TREE)
def test_the_tree_is_a_wall_of_its_own(monkeypatch, text):
    """Whatever the words let through, a tree of other nodes or shapes is refused."""
    monkeypatch.setattr(grammar, "mistakes", lambda *_: ())
    with pytest.raises(Refused) as caught:
        _read.__wrapped__(text, "formula")
    assert BY_THE_TREE[text] in [mistake.code for mistake in caught.value.mistakes]


@pytest.mark.parametrize(
    "text",
    ["select getenv('X')", "select * from read_csv('x')", "select random() from t", "select repeat(a, 9) from t"],
)
def test_the_tree_of_a_query_is_a_wall_of_its_own(monkeypatch, text):
    monkeypatch.setattr(grammar, "mistakes", lambda *_: ())
    with pytest.raises(Refused):
        _read.__wrapped__(text, "query")
