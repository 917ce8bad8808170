"""Every mistake that a KPI can hold is reported with its code, its place and the text underlined, and with what to do."""

from __future__ import annotations

import pytest

FORMULAS = {
    "an unparsable formula": ("[leads]", "count(leads)⟨syntax:)⟩ / 2", "closes nothing", "open it before"),
    "a bracket that is not closed": ("[leads]", "sum⟨syntax:(⟩amount", "not closed", "close it"),
    "an operator without a value": ("[leads]", "sum(amount) ⟨syntax:/⟩", "after `/` a value is missing", "complete it"),
    "two values side by side": ("[leads]", "sum(amount) ⟨syntax:count⟩(leads)", "right after `)`", "operator"),
    "a case without end": ("[leads]", "sum(⟨syntax:case⟩ when amount > 1 then 1)", "no `end`", "case when"),
    "an unknown column": ("[leads]", "sum(⟨unknown_column:amuont⟩)", "dataset `leads` has no column or dimension `amuont`", "`amount`"),
    "an unknown column of a named input": ("{l: leads}", "sum(⟨unknown_column:l.amuont⟩)", "no column or dimension `amuont`", "`amount`"),
    "an unknown column behind a join": ("[leads]", "count(⟨unknown_column:session.devise⟩)", "dataset `sessions`", "`device`"),
    "an unknown join": ("[leads]", "count(⟨unknown_join:sesion.device⟩)", "`sesion` is not a join of dataset `leads`", "`session`"),
    "an unknown function": ("[leads]", "⟨unknown_function:summ⟩(amount)", "`summ` is not a function", "`sum`"),
    "a function of spreadsheets": ("[leads]", "⟨unknown_function:AVERAGE⟩(amount)", "`AVERAGE` is not a function", "`avg(x)`"),
    "a function with too few values": ("[leads]", "sum(⟨bad_arguments:nullif(amount)⟩)", "takes two values, and has one", "nullif(x, y)"),
    "an unknown input": ("[revenue]", "⟨unknown_input:revnue⟩ * 2", "`revnue` is not an input", "`revenue`"),
    "an unknown parameter": ("[revenue]", "revenue * ⟨unknown_parameter::facter⟩", "no parameter `:facter`", "`factor`"),
    "an unknown parameter in an aggregate": ("[leads]", "sum(amount * ⟨unknown_parameter::facter⟩)", "`:facter`", "`factor`"),
    "an aggregate inside an aggregate": ("[leads]", "sum(⟨nested_aggregate:max(amount)⟩)", "inside another", "`per`"),
    "an aggregate inside a filter": ("[leads]", "sum(amount) filter (where amount > ⟨nested_aggregate:avg(amount)⟩)", "inside another", "`per`"),
    "a column outside an aggregate": ("[leads]", "sum(amount) / ⟨column_outside_aggregate:amount⟩", "stands outside an aggregate", "sum(amount)"),
    "a rows input used as a value": ("[leads]", "⟨rows_as_value:leads⟩ * 2", "`leads` is many rows", "count(leads)"),
    "a rows input used as a column": ("[leads]", "sum(⟨rows_as_column:leads⟩)", "`leads` is many rows, and a column", "count(leads)"),
    "a column of a value": ("[revenue]", "⟨value_has_no_columns:revenue.amount⟩ * 2", "has no columns", "`revenue`"),
    "a value inside an aggregate": ("[leads, visits]", "sum(leads.amount * ⟨value_in_aggregate:visits⟩)", "value of a KPI", "take it out"),
    "two inputs in one aggregate": (
        "[leads, page_views]", "⟨two_inputs_in_aggregate:sum(leads.amount * page_views.engagement_seconds)⟩", "`leads` and `page_views`",
        "aggregate each",
    ),
    "an ambiguous input": ("[leads, page_views]", "⟨ambiguous_input:count(channel)⟩", "not clear over which input", "`leads.…`"),
    "no rows to aggregate": ("[revenue]", "⟨nothing_to_aggregate:count(*)⟩", "no rows", "without an aggregate"),
    "two columns counted at once": ("[leads]", "⟨bad_arguments:count(distinct lead_id, channel)⟩", "has two", "count(distinct x)"),
    "a percentile beyond 1": ("[leads]", "⟨bad_fraction:quantile_cont(amount, 90)⟩", "from 0 to 1", "0.9"),
    "a sum of texts": ("[leads]", "sum(⟨not_a_number:note⟩)", "`note` of dataset `leads` is a text (VARCHAR)", "type: double"),
    "an average of instants": ("[leads]", "avg(⟨not_a_number:created_at⟩)", "TIMESTAMP", "count(created_at)"),
    "a sum of texts behind a join": ("[leads]", "sum(⟨not_a_number:session.device⟩)", "`session.device`", "type: double"),
    "a KPI that is a text": ("[leads]", "⟨not_a_number:max(note)⟩", "gives a text (VARCHAR), and a KPI is a number", "measure"),
    "a KPI that is true or false": ("[leads]", "⟨not_a_number:sum(amount) > 3⟩", "gives true or false (BOOLEAN)", "count_if"),
    "a function that takes another type": ("[leads]", "⟨types_do_not_fit:sum(amount + note)⟩", "`+` cannot be used with", "cast"),
    "a filter that is no condition": ("[leads]", "⟨not_a_condition:sum(amount) filter (where channel)⟩", "is a text (VARCHAR)", "compare it"),
    "units that do not add": ("[revenue, time_on_site]", "⟨mixed_units:revenue + time_on_site⟩", "`EUR` and `seconds`", "convert"),
    "units that do not compare": (
        "[revenue, time_on_site]", "case when ⟨mixed_units:revenue > time_on_site⟩ then revenue end", "cannot be compared", "convert",
    ),
    "units that do not add inside an aggregate": (
        "[leads]", "sum(⟨mixed_units:amount + session_seconds⟩)", "`EUR` and `seconds`", "convert",
    ),
    "a template": ("[leads]", "sum(⟨template:{{⟩ column }})", "template", ":name"),
    "a query": ("[leads]", "(⟨subquery:select⟩ max(amount) from leads)", "a query cannot stand", "`sql:`"),
    "a window": ("[leads]", "sum(amount) ⟨window_function:over⟩ ()", "window", "`offset`"),
    "a pattern": ("[leads]", "count_if(note ⟨like:like⟩ 'x%')", "`like` is not part", "starts_with"),
    "a sign of other languages": ("[leads]", "sum(amount) ⟨operator:%⟩ 2", "`%` is not part", "0.03"),
    "a number in hexadecimal digits": ("[leads]", "count(leads) * ⟨bad_number:0x1F⟩", "`0x1F` is not a number", "31"),
    "typographic quotes": ("[leads]", "count_if(channel = ⟨bad_character:“⟩email”)", "keyboard", "single quotes"),
}  # fmt: skip


@pytest.mark.parametrize("case", FORMULAS)
def test_a_mistake_in_a_formula(check, case):
    inputs, formula, message, hint = FORMULAS[case]
    extra = ""
    if "session_seconds" in formula:
        inputs, formula = "{l: timed}", formula.replace("session_seconds", "seconds")
        extra = """\
datasets:
  timed:
    sql: select amount, amount as seconds from leads
    columns: {amount: {unit: EUR}, seconds: {unit: seconds}}
"""
    found = check(f"{extra}kpis:\n  broken:\n    inputs: {inputs}\n    formula: {formula}\n")
    assert message in found[0].message
    assert hint in found[0].hint


INPUTS = {
    "an unknown dataset or KPI": ("from: ⟨unknown_input:laeds⟩", "no dataset or KPI `laeds`", "`leads`"),
    "an unparsable condition": ('from: leads, where: "channel ⟨syntax:=⟩"', "after `=` a value is missing", "complete it"),
    "an unknown column": ("from: leads, where: \"⟨unknown_column:chanel⟩ = 'email'\"", "`chanel`", "`channel`"),
    "an aggregate": ('from: leads, where: "⟨aggregate_in_condition:sum⟩(amount) > 3"', "looks at one row", "formula"),
    "an unknown parameter": ('from: leads, where: "amount > ⟨unknown_parameter::facter⟩"', "`:facter`", "`factor`"),
    "a condition that is none": ("from: leads, where: ⟨not_a_condition:channel⟩", "is a text (VARCHAR)", "compare it"),
    "a condition over types that do not fit": ('from: leads, where: "⟨types_do_not_fit:created_at > amount⟩"', "a time (TIMESTAMP WITH TIME ZONE) is compared with a number (DECIMAL(18,2))", "cast"),
    "an unknown time": ("from: leads, time: ⟨unknown_time:qualfied⟩", "no time `qualfied`", "`qualified`"),
    "a time where none is declared": ("from: page_views, time: ⟨unknown_time:started⟩", "no time `started`", "declares no further"),
    "a take without a snapshot": ("from: leads, take: ⟨not_a_snapshot:closing⟩", "needs a dataset with `snapshot`", "leave it out"),
    "an unknown dimension across": ("from: leads, across: ⟨unknown_dimension:chanel⟩", "no dataset has a dimension `chanel`", "`channel`"),
    "one unknown dimension of two": ("from: leads, across: [channel, ⟨unknown_dimension:devise⟩]", "`devise`", "`device`"),
    "an unknown column to count by": ("from: leads, per: ⟨unknown_column:leed_id⟩", "`leed_id`", "`lead_id`"),
    "a bad offset": ("from: leads, offset: ⟨bad_duration:1 moon⟩", "not a duration", "month"),
    "a `take` that does not exist": ("from: followers, take: ⟨bad_value:latest⟩", "expected one of", ""),
}  # fmt: skip


@pytest.mark.parametrize("case", INPUTS)
def test_a_mistake_in_an_input(check, case):
    text, message, hint = INPUTS[case]
    found = check(f"kpis:\n  broken:\n    inputs: {{rows: {{{text}}}}}\n    formula: count(rows)\n")
    assert message in found[0].message
    assert hint in found[0].hint


OVER_KPIS = {
    "a time of a KPI": ("from: revenue, time: ⟨time_of_a_kpi:qualified⟩", "chooses among the times of a dataset"),
    "a take of a KPI": ("from: revenue, take: ⟨not_a_snapshot:closing⟩", "is a KPI"),
    "a condition that a dataset below lacks": ('from: visits, where: "⟨unknown_column:amount⟩ > 3"', "dataset `page_views`"),
}  # fmt: skip


@pytest.mark.parametrize("case", OVER_KPIS)
def test_a_mistake_in_an_input_that_is_a_kpi(check, case):
    text, message = OVER_KPIS[case]
    found = check(f"kpis:\n  broken:\n    inputs: {{value: {{{text}}}}}\n    formula: value\n")
    assert message in found[0].message
    assert found[0].hint


OTHER = {
    "an unknown role": ("role: ⟨unknown_role:seo_manger⟩", "no role `seo_manger`", "`seo_manager`"),
    "one unknown role of two": ("role: [seo_manager, ⟨unknown_role:boss⟩]", "no role `boss`", ""),
    "an unknown companion": ("quality: ⟨unknown_kpi:vists⟩", "no KPI `vists`", "`visits`"),
    "a split by a dimension that it lacks": ("split: ⟨missing_dimension:devise⟩", "has no dimension `devise`", ""),
    "a unit that the formula does not give": ("unit: ⟨unit_mismatch:visits⟩", "the formula gives `EUR`", "correct"),
    "a percentage as a unit": ('unit: "⟨unit_mismatch:%⟩"', "the formula gives `EUR`", "format: percent"),
    "a unit that is none": ("unit: ⟨bad_unit:EUR /⟩", "not a unit", "EUR / lead"),
    "additivity over a dimension that it lacks": ("additive_over: ⟨missing_dimension:devise⟩", "names `devise`", ""),
}  # fmt: skip


@pytest.mark.parametrize("case", OTHER)
def test_a_mistake_in_what_a_kpi_says_of_itself(check, case):
    text, message, hint = OTHER[case]
    found = check(
        f"roles:\n  seo_manager:\nkpis:\n  broken:\n    inputs: [leads]\n    formula: sum(amount)\n    {text}\n"
    )
    assert message in found[0].message
    assert hint in found[0].hint


def test_a_cycle_is_named_in_full_and_once(check):
    found = check("""\
kpis:
  a: {inputs: [⟨cycle:b⟩], formula: b + 1}
  b: {inputs: {x: c}, formula: x + 1}
  c: {inputs: [a, visits], formula: a + visits}
  over_it: {inputs: [a], formula: a * 2}
""")
    assert found[0].message == "the KPIs are made of one another: a → b → c → a"


def test_a_kpi_that_is_made_of_itself(check):
    found = check("kpis:\n  a: {inputs: [⟨cycle:a⟩], formula: a + 1}\n")
    assert found[0].message == "the KPI `a` is made of itself"


def test_two_cycles_are_two_mistakes(check):
    check("kpis:\n  a: {inputs: [⟨cycle:b⟩], formula: b}\n  b: {inputs: [a], formula: a}\n"
          "  c: {inputs: [⟨cycle:d⟩], formula: d}\n  d: {inputs: [c], formula: c}\n")  # fmt: skip


def test_a_dimension_that_one_input_lacks(check):
    found = check(
        "kpis:\n  share: {inputs: [visits, revenue], formula: visits / revenue, split: ⟨missing_dimension:section⟩}\n"
    )
    assert found[0].message == "the input `leads` has no dimension `section`"
    assert "across: section" in found[0].hint


def test_a_dimension_that_one_input_lacks_may_be_ignored(check):
    check(
        "kpis:\n  share: {inputs: {v: visits, every: {from: revenue, across: section}}, formula: v / every, split: section}\n"
    )


def test_an_input_without_a_time_beside_one_with(check):
    found = check(
        "kpis:\n  per_head: {inputs: {l: leads, c: ⟨no_time:countries⟩}, formula: count(l) / sum(c.population)}\n"
    )
    assert "across: all" in found[0].hint


def test_an_input_without_a_time_may_be_a_constant(check):
    check(
        "kpis:\n  per_head: {inputs: {l: leads, c: {from: countries, across: all}}, formula: count(l) / sum(c.population)}\n"
    )


def test_a_kpi_needs_an_input(check):
    check("kpis:\n  none: {⟨no_inputs:inputs⟩: {}, formula: count(x)}\n")


def test_a_group_that_does_not_exist(check):
    found = check("groups: {communication: }\nroles:\n  a: {group: ⟨unknown_group:comunication⟩}\n")
    assert "`communication`" in found[0].hint


def test_where_the_same_words_mean_more_than_one_thing(check):
    """Internal names of the engine are no names of the language."""
    check("""\
kpis:
  a: {inputs: {aggregate: leads, input: visits}, formula: sum(aggregate.amount) / input}
  b: {inputs: {r: leads, value: revenue}, formula: count(r) * value}
  c: {inputs: {input: leads}, formula: ⟨column_outside_aggregate:input.amount⟩}
  d: {inputs: {x: leads}, formula: ⟨column_outside_aggregate:aggregate."0"⟩ + count(x)}
  e: {inputs: {x: leads}, formula: 'count(⟨unknown_join:"r.session".device⟩)'}
""")


def test_an_input_called_as_a_column_is_the_column_inside_an_aggregate(check):
    check("""\
kpis:
  a: {inputs: {amount: leads}, formula: sum(amount) / count(amount)}
  b: {inputs: {leads: leads, amounts: revenue}, formula: ⟨column_outside_aggregate:amount⟩ / amounts + count(leads)}
  c: {inputs: {leads: leads, amounts: revenue}, formula: ⟨unknown_input:amonts⟩ * amounts + count(leads)}
  d: {inputs: {v: {from: leads, per: channel}, n: revenue}, formula: ⟨column_outside_aggregate:channel⟩ * n + count(v)}
""")


COMPARED = {
    "channel = 5": "a text (VARCHAR) is compared with the number 5",
    "amount = 'much'": "a number (DECIMAL(18,2)) is compared with the text 'much'",
    "amount in (1, 'two')": "compared with the text 'two'",
    "amount between 1 and 'two'": "compared with the text 'two'",
    "channel = amount": "a text (VARCHAR) is compared with a number (DECIMAL(18,2))",
    "created_at <> true": "a time (TIMESTAMP WITH TIME ZONE) is compared with true or false (BOOLEAN)",
    "(channel = 'a') = 'maybe'": "true or false (BOOLEAN) is compared with the text 'maybe'",
}


@pytest.mark.parametrize("condition", COMPARED)
def test_values_of_different_kinds_are_not_compared(check, condition):
    """A database would compare them letter by letter, or fail on the first value that does not fit."""
    marked = f"⟨types_do_not_fit:{condition}⟩"
    (found,) = check(f'kpis:\n  a: {{inputs: {{x: {{from: leads, where: "{marked}"}}}}, formula: count(x)}}\n')
    assert COMPARED[condition] in found.message


@pytest.mark.parametrize(
    "condition",
    ["amount = '5'", "amount > '-1.5'", "created_at > '2026-01-01'", "(channel = 'a') = 'true'", "(channel = 'a') = 1",
     "amount = 5", "channel = :who", "channel in ('a', null)", "created_at > mql_at", "amount = cast(channel as double)"],
)  # fmt: skip
def test_what_may_be_compared(check, condition):
    parameters = "parameters: {who: {type: text, default: x}}\n"
    check(f'{parameters}kpis:\n  a: {{inputs: {{x: {{from: leads, where: "{condition}"}}}}, formula: count(x)}}\n')


def test_a_comparison_in_a_formula(check):
    check("""\
kpis:
  a: {inputs: [leads], formula: count_if(⟨types_do_not_fit:channel = 5⟩) + count_if(⟨types_do_not_fit:amount = 'x'⟩)}
""")


def test_a_comparison_in_a_dimension_is_a_mistake_of_the_dimension(check):
    check("""\
datasets:
  own: {table: leads, dimensions: {big: {sql: "⟨types_do_not_fit:amount > 'much'⟩"}}}
kpis:
  a: {inputs: {x: {from: own, where: big}}, formula: count(x)}
""")


def test_what_is_wrong_with_a_modifier_is_said_whatever_else_is_wrong(check):
    found = check(
        "kpis:\n"
        "  a: {inputs: {x: {from: ⟨unknown_input:laeds⟩, window: ⟨bad_duration:28 dayz⟩, offset: ⟨bad_duration:a while⟩}}, formula: count(x)}\n"
        "  b:\n"
        "    inputs:\n"
        "      x: leads\n"
        "      y: {from: leads, of: channel, after: ⟨bad_conversion:z⟩, within: ⟨bad_duration:7 dais⟩}\n"
        "    formula: count(y) / count(x)\n"
    )
    assert len(found) == 5


def test_a_conversion_into_a_broken_input_is_not_said_to_be_wrong(check):
    (found,) = check(
        "kpis:\n"
        "  b:\n"
        "    inputs:\n"
        "      x: {from: leads, offset: ⟨bad_duration:a while⟩}\n"
        "      y: {from: leads, of: channel, after: x}\n"
        "    formula: count(y) / count(x)\n"
    )
    assert found.code == "bad_duration"


@pytest.mark.parametrize(
    "inputs",
    [
        "{y: {from: leads, of: channel, after: ⟨bad_conversion:y⟩}}",
        "{y: {from: leads, of: channel, after: ⟨bad_conversion:z⟩}, z: {from: leads, of: channel, after: x}, x: leads}",
        "{x: leads, z: {from: leads, of: channel, after: x}, y: {from: leads, of: channel, after: ⟨bad_conversion:z⟩}}",
    ],
    ids=["to themselves", "to rows that are given below", "to rows that are given above"],
)
def test_rows_are_given_to_rows_that_count_for_themselves(check, inputs):
    (found,) = check(f"kpis:\n  b: {{inputs: {inputs}, formula: count(y)}}\n")
    assert "reads the rows of a dataset" in found.message
