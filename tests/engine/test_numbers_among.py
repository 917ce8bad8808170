"""Inputs that keep the members for which a condition on KPIs holds, against SQL written by hand."""

import re

import duckdb
import pytest

import kpi_engine
from kpi_engine import DefinitionError, RequestError

ORDERS = """
(1, 'ann', date '2026-01-04', 10, 'web'), (2, 'ann', date '2026-01-20', 20, 'shop'), (3, 'ann', date '2026-03-01', 30, 'web'),
(4, 'bob', date '2026-01-09', 100, 'web'), (5, 'bob', date '2026-02-02', 5, 'web'), (6, 'cid', date '2026-02-03', 7, 'shop'),
(7, null, date '2026-01-02', 1, 'web'), (8, null, date '2026-01-03', 2, null), (9, null, date '2026-03-03', 4, 'web')
"""
VISITS = """
(1, 'ann', date '2026-01-01'), (2, 'bob', date '2026-01-05'), (3, 'dan', date '2026-01-06'), (4, 'dan', date '2026-02-06'),
(5, null, date '2026-01-07'), (6, 'eve', date '2026-02-07')
"""
LEVELS = """
('ann', date '2026-01-05', 1), ('bob', date '2026-01-06', 2), ('cid', date '2026-01-07', 4), ('ann', date '2026-02-05', 8)
"""
BOUGHT = (
    "(select count(*) from orders i where i.customer is not distinct from o.customer and i.day < date '2026-04-01')"
)


def among(target, condition, name="customer", **modifiers):
    return {"from": target, "among": {name: condition}} | modifiers


def definitions():
    kpis = {
        "order_count": {"inputs": ["order_rows"], "formula": "count(order_rows)"},
        "revenue": {"inputs": ["order_rows"], "formula": "sum(amount)"},
        "visit_count": {"inputs": ["visit_rows"], "formula": "count(visit_rows)"},
        "orders_per_visit": {"inputs": ["order_count", "visit_count"], "formula": "order_count / visit_count"},
        "regular": {"inputs": {"o": among("order_rows", "order_count > 2")}, "formula": "sum(o.amount)"},
        "of_regulars": {"inputs": {"r": among("revenue", "order_count > 2")}, "formula": "r"},
        "with_parameter": {"inputs": {"o": among("order_rows", "order_count > :least")}, "formula": "sum(o.amount)"},
        "of_large": {
            "inputs": {"o": among("order_rows", "order_count >= 2 and revenue / order_count > 15")}, "formula": "sum(o.amount)",
        },
        "visits_of_nobuyers": {"inputs": {"v": among("visit_rows", "order_count = 0")}, "formula": "count(v)"},
        "visits_of_few": {"inputs": {"v": among("visit_rows", "not (order_count > 2)")}, "formula": "count(v)"},
        "visits_by_ratio": {"inputs": {"v": among("visit_rows", "orders_per_visit >= 2")}, "formula": "count(v)"},
        "trailing": {"inputs": {"r": among("revenue", "order_count > 2", window="2 months")}, "formula": "r"},
        "before": {"inputs": {"r": among("revenue", "order_count > 2", offset="1 month")}, "formula": "r"},
        "running": {"inputs": {"o": among("order_rows", "order_count > 2", to_date="year")}, "formula": "sum(o.amount)"},
        "share": {
            "inputs": {"r": among("revenue", "order_count > 2"), "every": {"from": "revenue", "across": "channel"}},
            "formula": "r / every",
        },
        "best": {"inputs": {"c": among("revenue", "order_count > 1", per="customer")}, "formula": "max(c)"},
        "buyers": {"inputs": {"c": among("order_rows", "order_count > 1", per="customer")}, "formula": "count(c)"},
        "level": {"inputs": {"l": among("level_rows", "order_count > 1")}, "formula": "sum(l.reading)"},
        "opening": {"inputs": {"l": among("level_rows", "order_count > 1", take="opening")}, "formula": "sum(l.reading)"},
        "twice": {
            "inputs": {"o": {"from": "order_rows", "among": {"customer": "order_count > 1", "channel": "revenue > 50"}}},
            "formula": "count(o)",
        },
        "nested": {"inputs": {"r": among("of_regulars", "visit_count > 0")}, "formula": "r"},
        "on_nested": {"inputs": {"o": among("order_rows", "of_regulars > 10")}, "formula": "count(o)"},
        "converted": {
            "inputs": {
                "v": among("visit_rows", "order_count > 2"),
                "o": {"from": "order_rows", "of": "customer", "after": "v"},
            },
            "formula": "count(o)",
        },
        "retained": {
            "inputs": {
                "v": among("visit_rows", "order_count > 1"),
                "o": {"from": "order_rows", "of": "customer", "after": "v", "age": "month"},
            },
            "formula": "count(distinct o.customer) / count(distinct v.customer)",
        },
    }  # fmt: skip
    return {
        "datasets": {
            "order_rows": {"table": "orders", "key": "id", "time": "day", "dimensions": ["customer", "channel"]},
            "visit_rows": {"table": "visits", "key": "id", "time": "day", "dimensions": ["customer"]},
            "level_rows": {
                "table": "levels", "time": "day", "snapshot": {"of": "customer"}, "dimensions": ["customer"],
            },
        },
        "parameters": {"least": {"type": "number", "default": 2}},
        "kpis": kpis,
    }  # fmt: skip


@pytest.fixture(scope="module")
def connection():
    with duckdb.connect() as made:
        made.execute(f"create table orders as from (values {ORDERS}) t(id, customer, day, amount, channel)")
        made.execute(f"create table visits as from (values {VISITS}) t(id, customer, day)")
        made.execute(f"create table levels as from (values {LEVELS}) t(customer, day, reading)")
        yield made


@pytest.fixture(scope="module")
def engine(connection):
    with kpi_engine.open(definitions(), connection) as opened:
        assert opened.check() == []
        yield opened


def monthly(engine, kpi, **request):
    rows = engine.run(kpi, grain="month", period="2026-Q1", as_of="2026-03-31", **request).rows()
    return [row[kpi] for row in rows]


def by_hand(connection, value, rows, condition, frame="o.day >= m and o.day < m + interval 1 month"):
    months = "unnest([date '2026-01-01', date '2026-02-01', date '2026-03-01']) as months(m)"
    found = connection.execute(
        f"select coalesce((select {value} from {rows} o where {frame} and ({condition})), 0) from {months} order by m"
    )
    return [row[0] for row in found.fetchall()]


@pytest.mark.parametrize(
    ("kpi", "value", "rows", "condition", "frame"),
    [
        ("regular", "sum(amount)", "orders", BOUGHT + " > 2", ""),
        ("of_regulars", "sum(amount)", "orders", BOUGHT + " > 2", ""),
        ("with_parameter", "sum(amount)", "orders", BOUGHT + " > 2", ""),
        ("of_large", "sum(amount)", "orders", "customer in ('ann', 'bob')", ""),
        ("visits_of_nobuyers", "count(*)", "visits", BOUGHT + " = 0", ""),
        ("visits_of_few", "count(*)", "visits", BOUGHT + " <= 2", ""),
        ("visits_by_ratio", "count(*)", "visits", "customer in ('ann', 'bob') or customer is null", ""),
        ("trailing", "sum(amount)", "orders", BOUGHT + " > 2", "o.day >= m - interval 1 month and o.day < m + interval 1 month"),
        ("before", "sum(amount)", "orders", BOUGHT + " > 2", "o.day >= m - interval 1 month and o.day < m"),
        ("running", "sum(amount)", "orders", BOUGHT + " > 2", "o.day < m + interval 1 month"),
        ("twice", "count(*)", "orders", BOUGHT + " > 1 and channel = 'web'", ""),
        ("nested", "sum(amount)", "orders", BOUGHT + " > 2 and (customer is null or customer = 'ann')", ""),
        ("on_nested", "count(*)", "orders", "customer = 'ann'", ""),
        ("buyers", "count(distinct coalesce(customer, '-'))", "orders", BOUGHT + " > 1", ""),
    ],
)  # fmt: skip
def test_rows_of_the_members_that_are_kept(engine, connection, kpi, value, rows, condition, frame):
    frames = {"frame": frame} if frame else {}
    assert monthly(engine, kpi) == by_hand(connection, value, rows, condition, **frames)


def test_a_value_is_looked_at_over_all_time_and_without_the_filters_of_the_request(engine):
    assert monthly(engine, "regular", where={"channel": "web"}) == [11, 0, 34]
    assert engine.run("regular", period="2026", as_of="2026-02-28").rows() == [{"regular": 0}]
    assert engine.run("with_parameter", period="2026", as_of="2026-12-31", parameters={"least": 0}).rows() == [
        {"with_parameter": 179}
    ]


def test_split_totals_comparison_and_order(engine):
    result = engine.run("regular", by="customer", period="2026-Q1", as_of="2026-03-31", order="-regular")
    assert result.rows() == [{"customer": "ann", "regular": 60}, {"customer": None, "regular": 7}]
    assert result.totals() == {"regular": 67}
    compared = engine.run("regular", period="2026-03", as_of="2026-03-31", compare="previous_period").rows()
    assert compared[0]["regular__previous_period"] == 0
    shares = engine.run("share", by="channel", period="2026-01", as_of="2026-03-31").rows()
    assert {row["channel"]: row["share"] for row in shares} == {"web": 11 / 133, "shop": 20 / 133, None: 2 / 133}


def test_per_member_levels_conversions_and_cohorts(engine):
    assert monthly(engine, "best") == [100, 5, 30]
    assert monthly(engine, "level") == [3, 10, 10]
    assert monthly(engine, "opening") == [None, 3, 10]
    assert monthly(engine, "converted") == [3, 0, 0]
    ages = engine.run("retained", by="age", period="2026-01", as_of="2026-03-31").rows()
    assert [(row["age"], row["retained"]) for row in ages] == [(0, 1.0), (1, 0.5), (2, 0.5)]


def test_a_request_keeps_members_without_rows_as_well(engine):
    none = {"customer": {"among": {"having": {"order_count": {"eq": 0}}}}}
    assert engine.run("visit_count", period="2026-Q1", as_of="2026-03-31", where=none).rows() == [{"visit_count": 3}]
    unknown = {"customer": {"among": {"having": {"orders_per_visit": {"is_null": True}}}}}
    assert engine.run("order_count", period="2026-Q1", as_of="2026-03-31", where=unknown).rows() == [{"order_count": 1}]


@pytest.mark.parametrize(
    ("source", "code"),
    [
        (among("order_rows", "nothing > 2"), "unknown_kpi"),
        (among("order_rows", "order_rows > 2"), "unknown_kpi"),
        (among("order_rows", "order_count >"), "syntax"),
        (among("order_rows", ""), "empty_formula"),
        (among("order_rows", "order_count"), "not_a_condition"),
        (among("order_rows", "1 = 1"), "not_a_condition"),
        (among("order_rows", "order_count > :most"), "unknown_parameter"),
        (among("order_rows", "order_count > 2", name="colour"), "unknown_dimension"),
        (among("order_rows", "visit_count > 2", name="channel"), "missing_dimension"),
        (among("order_rows", "retained > 2"), "missing_dimension"),
        (among("order_rows", "k > 2"), "cycle"),
        ({"from": "order_rows", "among": "customer"}, "wrong_type"),
        ({"from": "order_rows", "among": {"customer": 2}}, "wrong_type"),
        ({"from": "order_rows", "among": {"customer": {"having": {"order_count": 2}}}}, "wrong_type"),
    ],
)
def test_what_keeps_no_members_is_refused(connection, source, code):
    assert code in codes_of(connection, {"r": source})


def test_rows_that_are_given_to_others_keep_none(connection):
    later = among("order_rows", "order_count > 2", of="customer", after="v")
    assert codes_of(connection, {"v": "visit_rows", "r": later}) == {"bad_conversion"}


def codes_of(connection, inputs):
    made = definitions()
    made["kpis"] |= {"k": {"inputs": inputs, "formula": "count(r)"}}
    try:
        with kpi_engine.open(made, connection) as opened:
            return {each.code for each in opened.check()}
    except DefinitionError as error:
        return {each.code for each in error.diagnostics}


def test_many_conditions_on_one_another_are_refused_in_one_line(connection):
    made = definitions()
    made["kpis"] |= {"k0": {"inputs": ["order_rows"], "formula": "count(order_rows)"}}
    for n in range(60):
        made["kpis"][f"k{n + 1}"] = {"inputs": {"o": among("order_rows", f"k{n} > 0")}, "formula": "count(o)"}
    with kpi_engine.open(made, connection) as opened:
        assert opened.run("k4", period="2026", as_of="2026-12-31").rows() == [{"k4": 9}]
        with pytest.raises(RequestError, match="stand on one another"):
            opened.run("k60", period="2026")


def test_members_that_are_kept_are_found_once_however_many_inputs_keep_them(connection):
    chain = {"kept0": {"inputs": ["revenue"], "formula": "revenue"}}
    for level in range(1, 4):
        below = f"kept{level - 1}"
        chain[f"kept{level}"] = {
            "inputs": {"r": among(below, f"{below} > {level}"), "o": among("order_rows", f"{below} > {level}"), "every": below},
            "formula": "r + count(o) + every",
        }  # fmt: skip
    made = definitions()
    with kpi_engine.open(made | {"kpis": made["kpis"] | chain}, connection) as engine:
        statement = engine.explain("kept3", period="2026-Q1", as_of="2026-03-31").split("SQL (DuckDB)")[1]
        assert engine.run("kept3", period="2026-Q1", as_of="2026-03-31").rows() == [{"kept3": 1495}]
    heads = re.findall(r'"__members_kept\d+" AS MATERIALIZED \((.*?)\n\)', statement, re.DOTALL)
    assert len(set(heads)) == len(heads) > 2
    assert statement.count("COUNT(*)") < 10 * len(heads)
