"""MetricFlow definitions in both spellings, what becomes of them, and what is said of the rest."""

import duckdb
import pytest
from kpi_format_metricflow import formats
from kpi_format_metricflow.names import Names, spelled
from kpi_format_metricflow.reading import MetricflowFormat, Options
from kpi_format_metricflow.templates import NotCarriedOver, Reference, condition, reference

import kpi_engine
from kpi_engine.api import Format

LEGACY = """
semantic_models:
  - name: orders
    model: ref('fct_orders')
    defaults: {agg_time_dimension: ordered_at}
    entities:
      - {name: order, type: primary, expr: order_id}
      - {name: customer, type: foreign, expr: customer_id}
    dimensions:
      - {name: ordered_at, type: time, type_params: {time_granularity: day}}
      - {name: size, type: categorical, expr: "case when amount > 15 then 'large' else 'small' end"}
    measures:
      - {name: amount, agg: sum, create_metric: true}
      - {name: buyers, agg: count_distinct, expr: customer_id, create_metric: true}
      - {name: order_count, agg: sum, expr: 1}
  - name: customers
    model: ref('dim_customers')
    entities: [{name: customer, type: primary, expr: id}]
    dimensions: [{name: country, type: categorical}]
metrics:
  - name: orders
    type: simple
    type_params: {measure: order_count}
  - name: french_orders
    type: simple
    type_params: {measure: {name: order_count, fill_nulls_with: 0, join_to_timespine: true}}
    filter: "{{ Dimension('customer__country') }} = 'fr'"
  - name: french_share
    type: ratio
    type_params: {numerator: french_orders, denominator: orders}
  - name: growth
    type: derived
    type_params:
      expr: now - before
      metrics: [{name: amount, alias: now}, {name: amount, alias: before, offset_window: 1 month}]
  - name: to_date
    type: cumulative
    type_params: {measure: amount, cumulative_type_params: {grain_to_date: month, period_agg: last}}
"""
LATEST = """
models:
  - name: fct_orders
    semantic_model: {enabled: true, name: orders}
    agg_time_dimension: ordered_at
    columns:
      - {name: order_id, entity: {type: primary, name: order}}
      - {name: customer_id, entity: {type: foreign, name: customer}}
      - {name: ordered_at, granularity: day, dimension: {type: time}}
    derived_semantics:
      dimensions: [{name: size, type: categorical, expr: "case when amount > 15 then 'large' else 'small' end"}]
    metrics:
      - {name: amount, type: simple, agg: sum, expr: amount}
      - {name: buyers, type: simple, agg: count_distinct, expr: customer_id}
      - {name: orders, type: simple, agg: sum, expr: 1}
      - name: french_orders
        type: simple
        agg: sum
        expr: 1
        fill_nulls_with: 0
        join_to_timespine: true
        filter: "{{ Dimension('customer__country') }} = 'fr'"
      - {name: to_date, type: cumulative, input_metric: amount, grain_to_date: month, period_agg: last}
  - name: dim_customers
    semantic_model: {enabled: true, name: customers}
    columns:
      - {name: id, entity: {type: primary, name: customer}}
      - {name: country, dimension: categorical}
metrics:
  - {name: french_share, type: ratio, numerator: french_orders, denominator: orders}
  - name: growth
    type: derived
    expr: now - before
    input_metrics: [{name: amount, alias: now}, {name: amount, alias: before, offset_window: 1 month}]
"""


def read(text):
    return MetricflowFormat(Options()).read({"models.yml": text})


@pytest.fixture
def connection():
    with duckdb.connect() as made:
        made.execute("""create table fct_orders as from (values (1, 1, timestamp '2026-01-05', 10), (2, 1, timestamp '2026-01-20', 20),
            (3, 2, timestamp '2026-02-03', 30), (4, null, timestamp '2026-02-04', 5)) t(order_id, customer_id, ordered_at, amount)""")
        made.execute("create table dim_customers as from (values (1, 'fr'), (2, 'de')) t(id, country)")
        yield made


def asked(engine, kpi, by=(), **request):
    rows = engine.run(kpi, by=by, period="2026-01..2026-03", as_of="2026-12-31", **request).rows()
    return [tuple(row.values()) for row in rows]


def test_it_is_a_format():
    (announced,) = formats()
    assert isinstance(announced(Options()), Format)
    assert announced.name == "metricflow"


@pytest.mark.parametrize("text", [LEGACY, LATEST], ids=["legacy", "latest"])
def test_both_spellings_give_the_same_answers(connection, text):
    imported = read(text)
    assert imported.diagnostics == ()
    with kpi_engine.open(imported.definitions, connection) as engine:
        assert engine.check() == []
        assert asked(engine, "amount", "customer_country") == [("de", 30), ("fr", 30), (None, 5)]
        assert asked(engine, "orders", "order_size") == [("large", 2), ("small", 2)]
        assert [row[1] for row in asked(engine, "orders", grain="month")] == [2, 2]
        assert [row[1] for row in asked(engine, "french_orders", grain="month")] == [2, 0, 0]
        assert [row[1] for row in asked(engine, "buyers", grain="month")] == [1, 1]
        assert [row[1] for row in asked(engine, "french_share", grain="month")] == [1.0, 0.0, None]
        assert [row[1] for row in asked(engine, "growth", grain="month")] == [None, 5, None]
        assert asked(engine, "to_date", grain="day", where={"period": "2026-02-04"})[0][1] == 35
        assert engine.members("order_ordered_at_month", of="amount").rows()[0]["order_ordered_at_month"].month == 1


CONVERTED = """
semantic_models:
  - name: looks
    model: ref('looks')
    defaults: {agg_time_dimension: seen_at}
    entities: [{name: look, type: primary, expr: id}, {name: person, type: foreign, expr: person_id}]
    dimensions:
      - {name: seen_at, type: time, type_params: {time_granularity: day}}
      - {name: looked_at, type: categorical, expr: product}
    measures: [{name: look_count, agg: sum, expr: 1}]
  - name: buys
    model: ref('buys')
    defaults: {agg_time_dimension: bought_at}
    entities: [{name: buy, type: primary, expr: id}, {name: person, type: foreign, expr: person_id}]
    dimensions:
      - {name: bought_at, type: time, type_params: {time_granularity: day}}
      - {name: bought, type: categorical, expr: item}
    measures: [{name: buy_count, agg: sum, expr: 1}]
metrics:
  - name: bought_what_was_seen
    type: conversion
    type_params:
      conversion_type_params:
        base_measure: look_count
        conversion_measure: buy_count
        entity: person
        calculation: conversions
        constant_properties: [{base_property: looked_at, conversion_property: bought}]
"""


def test_a_constant_property_of_a_conversion_must_be_the_same_in_both_rows():
    imported = read(CONVERTED)
    assert imported.diagnostics == ()
    (source,) = (
        each for each in imported.definitions["kpis"]["bought_what_was_seen"]["inputs"].values() if "after" in each
    )
    assert len(source["of"]) == 2
    with duckdb.connect() as made:
        made.execute("""create table looks as from (values (1, 1, timestamp '2026-01-01', 'hat'), (2, 1, timestamp '2026-01-02', 'bag'),
            (3, 2, timestamp '2026-01-03', 'hat'), (4, 3, timestamp '2026-01-04', null)) t(id, person_id, seen_at, product)""")
        made.execute("""create table buys as from (values (1, 1, timestamp '2026-02-01', 'hat'), (2, 2, timestamp '2026-02-02', 'bag'),
            (3, 3, timestamp '2026-02-03', null), (4, 1, timestamp '2026-02-04', 'bag')) t(id, person_id, bought_at, item)""")
        by_hand = made.execute("""select count(*) from buys b where exists (from looks l where l.person_id = b.person_id
            and l.product = b.item and l.seen_at <= b.bought_at)""").fetchone()[0]
        with kpi_engine.open(imported.definitions, made) as engine:
            assert engine.check() == []
            assert asked(engine, "bought_what_was_seen", "look_looked_at") == [("bag", 1), ("hat", 1)]
            assert asked(engine, "bought_what_was_seen") == [(by_hand,)]


def test_the_original_names_are_the_labels_and_the_places_are_known():
    imported = read(LEGACY)
    datasets = imported.definitions["datasets"]
    labels = {each["label"] for each in datasets["orders_2"]["dimensions"].values()}
    assert {"customer__country", "order__size", "customer", "metric_time__month", "order__ordered_at__week"} <= labels
    assert imported.places["kpis", "orders"].line == 21
    assert imported.places["datasets", "orders_2"].line == 3


@pytest.mark.parametrize(
    ("metric", "says"),
    [
        (
            "{name: k, type: derived, type_params: {expr: a, metrics: [{name: orders, alias: a, offset_window: 1 moon}]}}",
            "`1 moon`",
        ),
        ("{name: k, type: simple, type_params: {measure: nothing}}", "`nothing`"),
        ("{name: k, type: ratio, type_params: {numerator: orders, denominator: nothing}}", "`nothing`"),
        (
            "{name: k, type: simple, filter: \"{{ Metric('orders', ['customer']) }} > 2 or true\", type_params: {measure: amount}}",
            "value of the metric",
        ),
        ("{name: k, type: simple, filter: \"{{ Dimension('a__b') }} > 2\", type_params: {measure: amount}}", "`a__b`"),
        ("{name: k, type: guess}", "`guess`"),
    ],
)
def test_what_cannot_be_carried_over_is_said_at_its_place(metric, says):
    imported = read(f"{LEGACY}  - {metric}\n")
    (found,) = imported.diagnostics
    assert says in found.message
    assert (found.code, found.severity, found.subject) == ("not_carried_over", "error", "kpi k")
    assert (found.place.file, found.place.line) == ("models.yml", LEGACY.count("\n") + 1)
    assert "k" not in imported.definitions["kpis"]
    assert "orders" in imported.definitions["kpis"]


def test_a_metric_of_one_that_is_left_out_is_left_out_and_both_are_said():
    text = f"{LEGACY}  - {{name: k, type: simple, type_params: {{measure: nothing}}}}\n  - {{name: l, type: ratio, type_params: {{numerator: k, denominator: orders}}}}\n"
    assert [each.subject for each in read(text).diagnostics] == ["kpi k", "kpi l"]


def test_a_circle_is_no_metric():
    text = "metrics:\n  - {name: a, type: derived, type_params: {expr: b, metrics: [b]}}\n  - {name: b, type: derived, type_params: {expr: a, metrics: [a]}}\n"
    assert {each.subject for each in read(text).diagnostics} == {"kpi a", "kpi b"}


def test_a_file_that_is_no_yaml_is_said_and_the_others_are_read():
    imported = MetricflowFormat(Options()).read({"bad.yml": "a: [1,\nb: }", "good.yml": LEGACY})
    assert [each.code for each in imported.diagnostics] == ["bad_yaml"]
    assert imported.diagnostics[0].place.line == 2
    assert "orders" in imported.definitions["kpis"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Dimension('listing__is_lux')", Reference("dimension", "listing__is_lux")),
        ("Dimension('country', entity_path=['user', 'company'])", Reference("dimension", "user__company__country")),
        ("TimeDimension('metric_time', 'month')", Reference("time", "metric_time", "month")),
        ("Dimension('user__born').grain('year')", Reference("dimension", "user__born", "year")),
        ("TimeDimension('user__born', date_part_name='dow')", Reference("time", "user__born", "", "dow")),
        ("Entity('listing')", Reference("entity", "listing")),
        ("Metric('views', group_by=['listing'])", Reference("metric", "views", by=("listing",))),
    ],
)
def test_references(text, expected):
    assert reference(text) == expected


@pytest.mark.parametrize(
    "text", ["1 +", "x", "Dimension(x)", "__import__('os')", "Dimension('a').run('b')", "Dimension()"]
)
def test_what_is_no_reference_is_refused(text):
    with pytest.raises(NotCarriedOver):
        reference(text)


def test_a_filter_keeps_its_own_words():
    assert (
        condition("{{ Dimension('a__b') }} in ('x') AND {{Entity('a')}} IS NULL", lambda each: each.name)
        == "a__b in ('x') AND a IS NULL"
    )


def test_names_are_spelled_in_our_letters_and_told_apart():
    names = Names()
    assert [names.name(each) for each in ("a__b_c", "a_b__c", "Größe", "2x", "period", "a__b_c")] == [
        "a_b_c", "a_b_c_2", "gr_e", "n_2x", "period_2", "a_b_c",
    ]  # fmt: skip
    assert len(spelled("x" * 200)) <= 64


def test_a_filter_on_a_metric_of_an_entity_keeps_its_members(connection):
    name = "{name: of_regulars, type: simple, filter: \"{{ Metric('orders', group_by=['customer']) }} >= 2\", type_params: {measure: amount}}"
    imported = read(f"{LEGACY}  - {name}\n")
    assert imported.diagnostics == ()
    assert imported.definitions["kpis"]["of_regulars"]["inputs"]["source"]["among"] == {"customer": "orders >= 2"}
    by_hand = connection.execute("""select sum(amount) from fct_orders where customer_id in
        (select customer_id from fct_orders group by 1 having count(*) >= 2)""").fetchone()[0]
    every = connection.execute("select sum(amount) from fct_orders").fetchone()[0]
    assert by_hand not in {None, every}
    with kpi_engine.open(imported.definitions, connection) as engine:
        assert engine.check() == []
        assert asked(engine, "of_regulars") == [(by_hand,)]
