"""What is wrong with one definition, in the words of the person who wrote it."""

from __future__ import annotations

import pytest

from kpi_engine.definitions import load


@pytest.fixture
def mistakes(tmp_path):
    """Load one definition file and give its mistakes."""

    def find(text: str):
        (tmp_path / "kpi.yaml").write_text("project: acme\n")
        (tmp_path / "definitions").mkdir(exist_ok=True)
        (tmp_path / "definitions" / "a.yaml").write_text(text)
        return load(tmp_path).diagnostics

    return find


def kpi(lines: str, *, inputs: str = "[page_views]", formula: str = "count(page_views)") -> str:
    return f"kpis:\n  visits:\n    inputs: {inputs}\n    formula: {formula}\n{lines}"


def dataset(lines: str) -> str:
    return f"datasets:\n  leads:\n    table: lead\n{lines}"


def underlined(place) -> str:
    return place.text[place.column - 1 : place.column - 1 + place.length]


@pytest.mark.parametrize(
    ("text", "code", "at", "says"),
    [
        (kpi("    formul: x\n"), "unknown_key", "formul", "did you mean `formula`?"),
        (kpi("    zzz: x\n"), "unknown_key", "zzz", "expected one of `additive_over`, `better`"),
        (kpi("", inputs="{p: {from: x, wher: y}}"), "unknown_key", "wher", "`wher` is not a key of `inputs.p`"),
        (kpi("", inputs="{p: {from: x, wher: y}}"), "unknown_key", "wher", "one of `across`, `after`, `age`, `all_time`, `among`, `from`, `of`, `offset`, `per`, `take`, `time`, `to_date`, `touch`, `where`, `window`, `within`"),
        (kpi("", inputs="{p: {from: x, where: a, b}}"), "unknown_key", "b", "a comma ends an unquoted text: quote the whole condition"),
        (dataset("    columns: {a: {tipe: x}}\n"), "unknown_key", "tipe", "did you mean `type`?"),
        (dataset("    joins: {c: {to: x, keys: id, on: x}}\n"), "unknown_key", "on", "expected one of `keys`, `to`, `valid`"),
        (dataset("    time: {colum: x}\n"), "unknown_key", "colum", "did you mean `column`?"),
        (dataset("    snapshot: {off: x, of: y}\n"), "unknown_key", "off", "`off` is not a key of `snapshot`"),
        ("kpis:\n  visits: {inputs: [a]}\n", "missing_key", "visits", "`formula` is missing"),
        (kpi("", inputs="{p: {where: x}}"), "missing_key", "p", "`from` is missing in `inputs.p`"),
        (dataset("    joins: {c: {keys: id}}\n"), "missing_key", "c", "`to` is missing in `joins.c`"),
        ("kpis:\n  visits: 5\n", "wrong_type", "5", "kpi `visits` is the number 5, expected a mapping"),
        (kpi("", formula="5"), "wrong_type", "5", "`formula` is the number 5, expected a text"),
        (kpi("", formula="5"), "wrong_type", "5", 'put it in quotes: "5"'),
        (kpi("", formula="true"), "wrong_type", "true", "`formula` is `true`, expected a text"),
        (kpi("    unit: [a]\n"), "wrong_type", "[a]", "`unit` is a list, expected a text"),
        (kpi("    unit: {a: b}\n"), "wrong_type", "{a: b}", "`unit` is a mapping, expected a text"),
        (kpi("    unit:\n"), "wrong_type", "unit", "`unit` is nothing, expected a text"),
        (kpi("    role: 5\n"), "wrong_type", "5", "expected a name or a list of names"),
        (kpi("    role: [a, 5]\n"), "wrong_type", "5", "`role[2]` is the number 5, expected a text"),
        (kpi("    label: 5\n"), "wrong_type", "5", "expected a text, or a mapping with one text per language"),
        (kpi("    label: {fr: 404}\n"), "wrong_type", "404", "`label.fr` is the number 404, expected a text"),
        (kpi("    override: yes\n"), "wrong_type", "yes", "write `true`; `yes` is a text"),
        (kpi("    override: no\n"), "wrong_type", "no", "write `false`; `no` is a text"),
        (kpi("    decimals: 1.5\n"), "wrong_type", "1.5", "expected a whole number"),
        (kpi("    decimals: two\n"), "wrong_type", "two", "without quotes"),
        (kpi("", inputs="5"), "wrong_type", "5", "expected a list of names, or a mapping"),
        (kpi("", inputs="page_views"), "wrong_type", "page_views", "expected a list of names, or a mapping"),
        (kpi("", inputs="{p: 5}"), "wrong_type", "5", "expected a name, or a mapping"),
        (dataset("    time: 5\n"), "wrong_type", "5", "expected a name, or a mapping"),
        (dataset("    joins: {c: {to: x, keys: 5}}\n"), "wrong_type", "5", "expected a list of names, or a mapping"),
        (dataset("    joins: {c: {to: x, keys: id, valid: [a]}}\n"), "wrong_type", "[a]", "a list of two columns"),
        (dataset("    joins: {c: {to: x, keys: id, valid: [a, b, c]}}\n"), "wrong_type", "[a, b, c]", "a list of two columns"),
        (kpi("    better: up\n"), "bad_value", "up", "expected one of `higher`, `lower`, `neither`"),
        (kpi("    better: highr\n"), "bad_value", "highr", "did you mean `higher`?"),
        (kpi("    empty: 1\n"), "bad_value", "1", "expected one of `0`, `unknown`"),
        (kpi("    decimals: 40\n"), "bad_value", "40", "at most 12 is allowed"),
        (kpi("    decimals: -1\n"), "bad_value", "-1", "at least 0 is allowed"),
        (kpi("", inputs="{p: {from: x, take: closed}}"), "bad_value", "closed", "did you mean `closing`?"),
        ("parameters:\n  p: {type: bool}\n", "bad_value", "bool", "did you mean `boolean`?"),
        (kpi("    label: {english: Visits}\n"), "bad_language", "english", "write two small letters, such as `en` or `fr`"),
        (kpi("    notice: {FR: x}\n"), "bad_language", "FR", "`FR`, which is no language code"),
        (dataset("    dimensions: {a: {label: {fra: x}}}\n"), "bad_language", "fra", "no language code"),
        ("roles:\n  r: {label: {e: x}}\n", "bad_language", "e", "the label of role `r`"),
        ("kpis:\n  Visits: {inputs: [a], formula: a}\n", "bad_name", "Visits", "for example `visits`"),
        ("kpis:\n  temps moyen à: {inputs: [a], formula: a}\n", "bad_name", "temps moyen à", "for example `temps_moyen_a`"),
        ("kpis:\n  a__b: {inputs: [a], formula: a}\n", "bad_name", "a__b", "no two underscores in a row"),
        ("kpis:\n  __a: {inputs: [a], formula: a}\n", "bad_name", "__a", "no two underscores in a row"),
        ("kpis:\n  _a: {inputs: [a], formula: a}\n", "bad_name", "_a", "begins with a letter"),
        ("kpis:\n  1a: {inputs: [a], formula: a}\n", "bad_name", "1a", "begins with a letter"),
        ("kpis:\n  \u0455um: {inputs: [a], formula: a}\n", "bad_name", "\u0455um", "a letter a to z"),
        ("kpis:\n  '': {inputs: [a], formula: a}\n", "bad_name", "''", "begins with a letter"),
        ("kpis:\n  period: {inputs: [a], formula: a}\n", "bad_name", "period", "a word of requests"),
        (f"kpis:\n  {'k' * 65}: {{inputs: [a], formula: a}}\n", "bad_name", "k" * 65, "at most 64 characters"),
        (kpi("", inputs="{Blog: x}"), "bad_name", "Blog", "input 1 of kpi `visits`"),
        (kpi("", inputs="[Blog]"), "bad_name", "Blog", "input 1 of kpi `visits`"),
        (dataset("    joins: {A b: {to: x, keys: id}}\n"), "bad_name", "A b", "for example `a_b`"),
        (dataset("    times: {Won: x}\n"), "bad_name", "Won", "time 1 of dataset `leads`"),
        (dataset("    dimensions: [section, b-c]\n"), "bad_name", "b-c", "dimension 2 of dataset `leads`"),
        (dataset("    dimensions: {period: }\n"), "bad_name", "period", "a word of requests"),
        (dataset("    dimensions: [all]\n"), "bad_name", "all", "a word of requests"),
        ("roles:\n  SEO: {}\n", "bad_name", "SEO", "a role is called `SEO`"),
        (dataset("    dimensions: [a, b, a]\n"), "duplicate_key", "a", "`a` stands twice in `dimensions`"),
        (kpi("", inputs="[a, a]"), "duplicate_key", "a", "`a` stands twice in `inputs`"),
    ],
)  # fmt: skip
def test_a_mistake_is_said_once_at_its_place_with_its_mend(mistakes, text, code, at, says):
    (found,) = mistakes(text)
    assert found.code == code
    assert says in str(found)
    assert underlined(found.place) == at


@pytest.mark.parametrize(
    ("lines", "sign", "whole"),
    [
        ("      p:\n        from: x\n        where: tag = #x\n", "#", 'where: "tag = #x"'),
        ("      p:\n        from: x\n        where: tag in ('a', #b\n", "#", "where: \"tag in ('a', #b\""),
        ("      p:\n        from: x\n        where: a and # why\n", "#", 'where: "a and # why"'),
    ],
)
def test_a_condition_cut_by_a_comment(mistakes, lines, sign, whole):
    (found,) = mistakes(f"kpis:\n  visits:\n    formula: count(p)\n    inputs:\n{lines}")
    assert found.code == "cut_text"
    assert underlined(found.place) == sign
    assert whole in found.hint


def test_a_condition_cut_by_a_comma(mistakes):
    found = mistakes(kpi("", inputs="{p: {from: x, where: f(a, b)}}"))
    assert [each.code for each in found] == ["cut_text", "unknown_key"]
    assert 'where: "f(a, b)"' in found[0].hint


@pytest.mark.parametrize(
    "where",
    ["a = 1 # why", "a = '(' # (", "a = 'it''s' # why", "lower(a) = ')' # (", "x in (1, 2)", "lower(name) = 'b' #"],
)
def test_a_comment_behind_a_whole_condition_is_a_comment(mistakes, where):
    text = f"kpis:\n  visits:\n    formula: count(p)\n    inputs:\n      p:\n        from: x\n        where: {where}\n"
    assert [each.code for each in mistakes(text)] == []


def test_the_modifiers_of_this_version(mistakes):
    inputs = "{p: {from: x, where: a, time: t, take: closing, all_time: true, offset: 1 year, across: [b], per: day, of: id, after: q, within: 1 day, touch: last}, q: x}"
    assert mistakes(kpi("    additive_over: [b]\n", inputs=inputs)) == ()


def test_columns_may_be_called_what_the_data_calls_them(mistakes):
    assert (
        mistakes(dataset("    columns: {Amount €: {type: double}, label: {type: varchar}, period: , a__b: }\n")) == ()
    )


def test_sql_words_are_names_like_any_other(mistakes):
    assert mistakes("kpis:\n  select: {inputs: [order, group], formula: order / group}\n") == ()


def test_one_bad_definition_hides_no_other(mistakes):
    found = mistakes(kpi("    better: up\n    decimals: 99\n") + "  leads: 5\n  Bad: {inputs: [a], formula: 1}\n")
    assert [(each.code, each.subject) for each in found] == [
        ("bad_value", "kpi visits"), ("bad_value", "kpi visits"), ("wrong_type", "kpi leads"),
        ("bad_name", "kpi Bad"), ("wrong_type", "kpi Bad"),
    ]  # fmt: skip


def test_a_whole_message_reads_well(mistakes):
    (found,) = mistakes(kpi("", inputs="{blog: {from: page_views, wher: x}}"))
    assert str(found).split(": ", 1)[1] == (
        "error[unknown_key]: kpi `visits`: `wher` is not a key of `inputs.blog`\n"
        "    3 │     inputs: {blog: {from: page_views, wher: x}}\n"
        "      │                                       ^^^^\n"
        "      = did you mean `where`? expected one of `across`, `after`, `age`, `all_time`, `among`, `from`, `of`, `offset`, `per`, `take`, `time`, `to_date`, `touch`, `where`, `window`, `within`"
    )
