"""What type a number has when it comes out, and that it is exact where it can be."""

from __future__ import annotations

import json
import math
from datetime import date
from decimal import Decimal

import duckdb
import pytest
from arro3.core import Table
from number_projects import LATE, opened

import kpi_engine

ROWS = """
    (1, '2026-01-01', 5.25, 9223372036854775807, 'a', true, 120, 1.5, 0.1), (2, '2026-01-02', 1.10, 9223372036854775807, NULL, false, 120, 2.25, 0.2),
    (3, '2026-01-02', NULL, 5, NULL, NULL, 3, NULL, 0.3)"""


@pytest.fixture
def engine():
    columns = "id int, day date, amount decimal(18,2), big bigint, name varchar, flag boolean, tiny tinyint, x double, tenth decimal(3,1)"
    formulas = {
        "rows_": "count(facts)", "names": "count(distinct name)", "flags": "count_if(flag)", "money": "sum(amount)", "highest": "max(amount)", "minus": "-sum(amount)",
        "taxed": "sum(amount) * 1.2", "big_sum": "sum(big)", "tiny_sum": "sum(tiny)", "mean": "avg(amount)", "third": "count(facts) / 9", "half": "1 / 2", "x": "sum(x)",
        "rate": "sum(amount) / count(facts)", "tenths": "sum(tenth)", "thirds": "sum(tiny) / 3 * 3", "nothing": "sum(amount) / (count(facts) - count(facts))",
        "log_of_nothing": "ln(count(facts) - 3)", "root": "sqrt(0 - count(facts))", "huge": "exp(sum(big))", "nan": "sum(x) / 0 * 0", "none": "min(amount) filter (where name = 'zz')",
    }  # fmt: skip
    formulas["half"] = "1 / 2 * count(facts)"
    with opened(
        {"fact": (columns, ROWS)},
        {"facts": {"table": "fact", "key": "id", "time": "day", "dimensions": ["day", "flag", "amount", "id", "name"]}},
        formulas,
    ) as engine:
        yield engine


def value(engine, kpi):
    return engine.run(kpi, as_of=LATE).rows()[0][kpi]


@pytest.mark.parametrize(
    ("kpi", "kind", "expected"),
    [
        ("rows_", int, 3), ("names", int, 1), ("flags", int, 1), ("tiny_sum", int, 243), ("big_sum", int, 2 * (2**63 - 1) + 5),
        ("money", Decimal, Decimal("6.35")), ("highest", Decimal, Decimal("5.25")), ("minus", Decimal, Decimal("-6.35")), ("taxed", Decimal, Decimal("7.62")),
        ("tenths", Decimal, Decimal("0.6")), ("mean", float, 3.175), ("third", float, 3 / 9), ("half", float, 1.5), ("x", float, 3.75), ("rate", float, 6.35 / 3), ("thirds", float, 243),
    ],
)  # fmt: skip
def test_counts_are_int_decimals_stay_and_rates_are_float(engine, kpi, kind, expected):
    found = value(engine, kpi)
    assert type(found) is kind
    assert found == (pytest.approx(expected, rel=1e-15) if kind is float else expected)


@pytest.mark.parametrize("kpi", ["nothing", "log_of_nothing", "root", "huge", "nan", "none"])
def test_what_is_no_number_is_unknown(engine, kpi):
    assert value(engine, kpi) is None


def test_not_a_number_and_infinity_in_the_data_never_come_out():
    rows = "(1, 'nan', 'a'), (2, 'inf', 'b'), (3, '-inf', 'c'), (4, 2, 'd'), (5, 'nan', 'd'), (6, NULL, 'e')"
    formulas = {f: f"{f}(x)" for f in ("sum", "avg", "min", "max", "median", "stddev")} | {
        "ratio": "sum(x) / count(facts)",
        "change": "sum(x) - 1",
        "inverse": "1 / sum(x)",
    }
    with opened(
        {"fact": ("id int, x double, g varchar", rows)},
        {"facts": {"table": "fact", "dimensions": ["g"]}},
        {f"k_{name}": text for name, text in formulas.items()},
    ) as engine:
        for by in ([], ["g"]):
            result = engine.run(list(engine.kpis()), by=by)
            numbers = [v for row in (*result.rows(), result.totals()) for v in row.values() if isinstance(v, float)]
            assert all(math.isfinite(number) for number in numbers)
        assert [row["k_sum"] for row in engine.run("k_sum", by="g").rows()] == [None] * 5


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("hugeint", (2**127 - 1, 1 - 2**127, 10**38, 10**37, 5)),
        ("uhugeint", (2**128 - 1, 2**127, 2**127 - 1, 10**38, 5)),
        ("ubigint", (2**64 - 1, 2**63, 5)),
    ],
)
def test_whole_numbers_of_any_length_come_out_whole_however_often_they_are_asked_for(kind, values):
    rows = ", ".join(f"({number}, {value})" for number, value in enumerate(values))
    facts = {"facts": {"table": "fact", "dimensions": ["g", "x"]}}
    with opened({"fact": (f"g int, x {kind}", rows)}, facts, {"top": "max(x)", "n": "count(facts)"}) as engine:
        for _ in range(3):
            assert [row["top"] for row in engine.run("top", by="g").rows()] == list(values)
            assert engine.run("top").totals() == {"top": max(values)}
            assert [row["x"] for row in engine.run("n", by="x").rows()] == sorted(values)
        told = json.loads(engine.render(engine.run("top", by="g"), "json"))
        assert [int(row["top"]) for row in told["rows"]] == list(values)
        if kind == "ubigint":
            assert Table.from_arrow(engine.run("top", by="g"))["top"].to_pylist() == list(values)
        else:
            with pytest.raises(kpi_engine.DataError, match="38 digits"):
                Table.from_arrow(engine.run("top", by="g"))


@pytest.mark.parametrize(
    ("kind", "literal", "code"),
    [
        ("interval", "interval 3 day", "types_do_not_fit"), ("struct(a interval)", "{'a': interval 3 day}", "types_do_not_fit"),
        ("date", "'12000-01-01'", "bad_value"), ("date", "'0044-03-15 (BC)'", "bad_value"), ("date", "'infinity'", "bad_value"),
        ("timestamp", "'-infinity'", "bad_value"),
    ],
)  # fmt: skip
def test_a_member_that_cannot_be_shown_is_an_error_and_not_another_member(kind, literal, code):
    facts = {"facts": {"table": "fact", "dimensions": ["x"]}}
    with opened({"fact": (f"x {kind}", f"({literal}), (NULL)")}, facts, {"n": "count(facts)"}) as engine:
        assert engine.run("n").rows() == [{"n": 2}]
        with pytest.raises(kpi_engine.DataError) as caught:
            engine.run("n", by="x").rows()
        assert caught.value.code == code


@pytest.mark.parametrize(
    ("kind", "literal"),
    [
        ("time", "'10:00'"),
        ("blob", "'ab'::blob"),
        ("int[]", "[1, 2]"),
        ("struct(a int)", "{'a': 1}"),
        ("uuid", "uuid()"),
    ],
)
def test_a_member_of_any_type_is_told_from_an_unknown_one(kind, literal):
    facts = {"facts": {"table": "fact", "dimensions": ["x"]}}
    with opened({"fact": (f"x {kind}", f"({literal}), (NULL)")}, facts, {"n": "count(facts)"}) as engine:
        result = engine.run("n", by="x")
        known, unknown = (row["x"] for row in json.loads(engine.render(result, "json"))["rows"])
        assert known
        assert unknown is None


def test_what_is_too_large_for_its_type_is_an_error_and_no_number():
    columns = "h hugeint, b bigint, d decimal(38,2), e decimal(18,2)"
    rows = f"({2**127 - 1}, {2**63 - 1}, '{'9' * 36}.99', '{'9' * 16}.99'), (1, 1, 0.01, 0.01)"
    formulas = {"h": "sum(h)", "b": "max(b) + 1", "bb": "sum(b * b)", "d": "max(d) * 100", "e": "max(e) * max(e)"}
    with opened({"fact": (columns, rows)}, {"facts": {"table": "fact"}}, formulas) as engine:
        for kpi in formulas:
            with pytest.raises(kpi_engine.DataError) as caught:
                engine.run(kpi)
            assert caught.value.code == "overflow"


def test_dimensions_keep_their_types(engine):
    row = engine.run("rows_", by=["day", "flag", "amount", "name", "id"], as_of=LATE).rows()[0]
    assert [type(row[name]) for name in ("day", "flag", "amount", "name", "id")] == [date, bool, Decimal, str, int]


def test_a_filter_takes_values_of_the_dimensions_type(engine):
    for where, expected in (
        ({"flag": True}, 1),
        ({"day": date(2026, 1, 2)}, 2),
        ({"day": "2026-01-02"}, 2),
        ({"amount": Decimal("1.10")}, 1),
        ({"amount": {">": 1.1}}, 1),
        ({"id": [1, 2]}, 2),
    ):
        assert engine.run("rows_", where=where, as_of=LATE).totals() == {"rows_": expected}


def test_a_declared_decimal_is_exact_over_binary_numbers_in_the_data():
    rows = ", ".join("(0.1)" for _ in range(1000))
    with opened(
        {"fact": ("x double", rows)},
        {"facts": {"table": "fact", "columns": {"x": {"type": "decimal(18,2)"}}}},
        {"s": "sum(x)"},
    ) as engine:
        assert engine.run("s").totals() == {"s": Decimal("100.00")}


def test_a_change_is_a_float_and_points_are_a_difference():
    with opened(
        {
            "fact": (
                "day date, amount decimal(18,2), n int",
                "('2026-01-01', 30, 1), ('2025-12-01', 20, 4), ('2025-12-01', 0, 0)",
            )
        },
        {"facts": {"table": "fact", "time": "day"}},
        {
            "s": "sum(amount)",
            "neg": "-sum(amount)",
            "zero": "sum(amount) * 0",
            "rate": {"inputs": ["facts"], "formula": "sum(n) / sum(amount)", "format": "percent"},
        },
    ) as other:
        row = other.run(["s", "neg", "zero", "rate"], period="2026-01", compare="previous_period", as_of=LATE).rows()[0]
    assert row["s__previous_period_change"] == 0.5
    assert row["neg__previous_period"] == -20
    assert row["neg__previous_period_change"] is None, "the base is negative"
    assert row["zero__previous_period_change"] is None, "the base is zero"
    assert row["rate__previous_period_points"] == pytest.approx(1 / 30 - 4 / 20)
    assert "rate__previous_period_change" not in row


@pytest.fixture(params=["arrow", "pandas", "polars"])
def frame(request):
    connection = duckdb.connect()
    relation = connection.sql("""
        SELECT * FROM (VALUES
            (1, 'b'::ENUM('b', 'a'), TIMESTAMPTZ '2026-01-31 23:30:00+00', TIMESTAMP '2026-01-31 23:30:00', 1.10::DECIMAL(18,2), 1.5::DOUBLE, true),
            (2, 'a', TIMESTAMPTZ '2026-02-01 00:30:00+00', TIMESTAMP '2026-02-01 00:30:00', 2.25, NULL, NULL),
            (3, NULL, NULL, TIMESTAMP '2026-03-01 00:00:00', NULL, 2, false)) t(id, kind, instant, clock, amount, x, flag)""")
    if request.param == "arrow":
        from arro3.core import Table

        return Table.from_arrow(relation)
    module = pytest.importorskip(request.param)
    pyarrow = pytest.importorskip("pyarrow")
    arrow = pyarrow.table(relation)
    return arrow.to_pandas() if request.param == "pandas" else module.from_arrow(arrow)


def test_data_frames_with_categories_decimals_and_timestamps(frame):
    definitions = {
        "calendar": {"timezone": "Europe/Paris"},
        "datasets": {"facts": {"table": "fact", "key": "id", "time": "instant", "times": {"clock_time": "clock"}, "dimensions": ["kind", "flag"], "columns": {"amount": {"type": "decimal(18,2)"}}}},
        "kpis": {
            "n": {"inputs": ["facts"], "formula": "count(facts)"}, "money": {"inputs": ["facts"], "formula": "sum(amount)"}, "x": {"inputs": ["facts"], "formula": "count(x)"},
            "by_clock": {"inputs": {"f": {"from": "facts", "time": "clock_time"}}, "formula": "count(f)"},
        },
    }  # fmt: skip
    with kpi_engine.open(definitions, {"fact": frame}) as engine:
        result = engine.run(["n", "money", "by_clock", "x"], grain="month", period="2026-Q1", as_of=LATE)
        assert [tuple(row.values())[1:] for row in result.rows()] == [
            (0, 0, 1, 0),
            (2, Decimal("3.35"), 1, 1),
            (0, 0, 1, 0),
        ]
        assert {row["kind"]: row["n"] for row in engine.run("n", by="kind", as_of=LATE).rows()} == {"a": 1, "b": 1}
        assert engine.run("n", where={"kind": "a"}, as_of=LATE).totals() == {"n": 1}
        assert engine.run("n", where={"flag": True}, as_of=LATE).totals() == {"n": 1}


def test_names_with_blanks_quotes_capitals_and_dots():
    definitions = {
        "datasets": {"facts": {"table": "My Fact", "key": "Id", "time": "Day", "dimensions": {"choice": {"sql": '"select"'}, "quoted": {"sql": '"a""b"'}}}},
        "kpis": {
            name: {"inputs": ["facts"], "formula": text}
            for name, text in {"money": 'sum("Montant HT")', "prefixed": 'sum(facts."Montant HT")', "dotted": 'sum("x.y")', "folded": 'sum("montant ht")', "ids": "count(distinct id)"}.items()
        },
    }  # fmt: skip
    connection = duckdb.connect()
    connection.execute(
        'CREATE TABLE "My Fact" ("Id" INT, "Montant HT" DECIMAL(18,2), "a""b" VARCHAR, "select" VARCHAR, "Day" DATE, "x.y" INT)'
    )
    connection.execute(
        "INSERT INTO \"My Fact\" VALUES (1, 2.5, 'p', 's', '2026-01-01', 5), (2, 3, NULL, 't', '2026-01-02', 6)"
    )
    with kpi_engine.open(definitions, connection) as engine:
        assert [
            tuple(row.values()) for row in engine.run(list(engine.kpis()), by=["choice", "quoted"], as_of=LATE).rows()
        ] == [
            ("s", "p", Decimal("2.50"), Decimal("2.50"), 5, Decimal("2.50"), 1),
            ("t", None, 3, 3, 6, 3, 1),
        ]
