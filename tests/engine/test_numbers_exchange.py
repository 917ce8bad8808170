"""Amounts converted into one currency, each at the rate of its own time: the same as plain Python over the same rows."""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from number_projects import LATE, by_member, opened

from kpi_engine import DataError, DefinitionError, RequestError

FX = "day date, cur varchar, quote varchar, rate decimal(18,6)"
SALE = "id int, day date, shop varchar, amount decimal(18,2), cur varchar"
RATES = {"from": "cur", "to": "quote", "rate": "rate"}
SALES = {
    "table": "sale", "key": "id", "time": "day", "dimensions": {"shop": None, "currency": "cur"}, "columns": {"amount": {"currency": "cur"}},
}  # fmt: skip


def project(sales, quotes, kpis, columns=FX, fx=None, sale=SALE, datasets=None, **rates):
    exchange = {"table": "fx", "key": ["cur", "quote", "day"], "time": "day", "rates": {**RATES, **rates}}
    return opened(
        {"sale": (sale, sales), "fx": (columns, quotes)},
        {"sales": SALES, "exchange_rates": {**exchange, **(fx or {})}, **(datasets or {})},
        kpis,
    )


def rate(quotes, currency, to, day, *, keep=7, inverse=False, through=""):
    """Give the rate at a day: the last one that is not older than `keep` days; None where there is none."""

    def last(left, right):
        known = [(since, value) for since, a, b, value in quotes if (a, b) == (left, right) and since <= day]
        since, value = max(known, default=(None, None))
        return None if since is None or (keep and day >= since + timedelta(days=keep)) else Fraction(value)

    def leg(left, right):
        if any((a, b) == (left, right) for _, a, b, _ in quotes):
            return last(left, right)
        turned = last(right, left) if inverse else None
        return turned and 1 / turned

    def has(left, right):
        return any((a, b) == (left, right) or (inverse and (b, a) == (left, right)) for _, a, b, _ in quotes)

    if currency == to:
        return Fraction(1)
    if has(currency, to) or not through:
        return leg(currency, to)
    first, second = leg(currency, through), leg(through, to)
    return first * second if first and second else None


def literal(rows):
    shown = [
        "("
        + ", ".join("NULL" if v is None else str(v) if isinstance(v, int | Decimal) else f"'{v}'" for v in row)
        + ")"
        for row in rows
    ]
    return ", ".join(shown)


START = date(2026, 1, 1)
DIRECT = [
    (START, "USD", "EUR", Decimal("0.9")), (START + timedelta(3), "USD", "EUR", Decimal("0.95")), (START + timedelta(20), "USD", "EUR", Decimal("0.8")),
    (START, "GBP", "EUR", Decimal("1.15")),
]  # fmt: skip
ROWS = [
    (1, START, "a", Decimal("10.00"), "EUR"), (2, START + timedelta(1), "a", Decimal("5.50"), "USD"), (3, START + timedelta(3), "b", Decimal("7.05"), "USD"),
    (4, START + timedelta(9), "b", Decimal("1.01"), "USD"), (5, START + timedelta(6), "c", Decimal("3.33"), "GBP"), (6, START + timedelta(6), "c", None, "XXX"),
]  # fmt: skip


def expected(rows, quotes, to="EUR", **how):
    return sum(
        (Fraction(amount) * rate(quotes, cur, to, day, **how) for _, day, _, amount, cur in rows if amount is not None),
        Fraction(0),
    )


class TestOfAProject:
    @pytest.fixture
    def engine(self):
        kpis = {
            "turnover": "sum(amount)", "mean": "avg(amount)", "highest": "max(amount)", "n": "count(sales)", "amounts": "count(amount)",
            "euros": {"inputs": ["sales"], "formula": "sum(amount)", "currency": "EUR"},
            "shops": {"inputs": {"x": {"from": "turnover", "per": "shop"}}, "formula": "max(x)"},
            "per_sale": {"inputs": ["turnover", "n"], "formula": "turnover / n"},
            "growth": {"inputs": {"now": "turnover", "before": {"from": "turnover", "offset": "3 days"}}, "formula": "now - before"},
            "running": {"inputs": {"x": {"from": "turnover", "window": "7 days"}}, "formula": "x"},
            "both": {"inputs": ["euros", "turnover"], "formula": "euros + turnover"},
        }  # fmt: skip
        with project(literal(ROWS), literal(DIRECT), kpis) as engine:
            yield engine

    def test_nothing_is_wrong_with_it(self, engine):
        assert engine.check(live=True) == []

    def test_a_sum_is_exact(self, engine):
        # 10.00 + 5.50 x 0.9 + 7.05 x 0.95 + 1.01 x 0.95 + 3.33 x 1.15
        result = engine.run("turnover", currency="EUR", as_of=LATE)
        assert result.totals() == {"turnover": Decimal("26.4365")} == {"turnover": expected(ROWS, DIRECT)}
        assert result.currencies == {"turnover": "EUR"}

    def test_every_aggregate_is_over_converted_amounts(self, engine):
        worth = [Fraction(a) * rate(DIRECT, c, "EUR", d) for _, d, _, a, c in ROWS if a is not None]
        found = engine.run(
            ["mean", "highest", "n", "amounts", "per_sale", "shops"], currency="EUR", as_of=LATE
        ).totals()
        assert found["mean"] == pytest.approx(float(sum(worth) / len(worth)), rel=1e-14)
        assert found["highest"] == max(worth)
        assert (found["n"], found["amounts"]) == (6, 5)
        assert found["per_sale"] == pytest.approx(float(sum(worth) / 6), rel=1e-14)
        assert found["shops"] == expected([row for row in ROWS if row[2] == "a"], DIRECT)

    def test_by_member_and_period_and_compared(self, engine):
        found = engine.run("turnover", currency="EUR", by="shop", as_of=LATE)
        assert by_member(found, "shop", "turnover") == {
            s: expected([r for r in ROWS if r[2] == s], DIRECT) for s in "abc"
        }
        rows = engine.run(
            ["turnover", "growth", "running"], currency="EUR", grain="day", period="2026-01", as_of=LATE
        ).rows()
        for row in rows:
            day = row["period"]
            assert row["turnover"] == expected([r for r in ROWS if r[1] == day], DIRECT)
            before = expected([r for r in ROWS if r[1] == day - timedelta(days=3)], DIRECT)
            assert row["growth"] == Fraction(row["turnover"]) - before
            week = [r for r in ROWS if day - timedelta(days=7) < r[1] <= day]
            assert row["running"] == expected(week, DIRECT)
        compared = engine.run(
            "turnover", currency="EUR", period="2026-01-04..2026-01-06", compare="previous_period", as_of=LATE
        )
        assert compared.rows()[0]["turnover__previous_period"] == expected(
            [r for r in ROWS if r[1] < START + timedelta(3)], DIRECT
        )

    def test_a_definition_names_its_currency(self, engine):
        result = engine.run("euros", as_of=LATE)
        assert result.totals() == {"euros": Decimal("26.4365")}
        assert result.currencies == {"euros": "EUR"}

    def test_a_request_says_more_than_a_definition(self, engine):
        with pytest.raises(DataError, match="no rate from EUR to USD") as caught:
            engine.run("euros", currency="USD", as_of=LATE)
        assert caught.value.code == "no_rate"
        with pytest.raises(DataError) as caught:
            engine.run("euros", currency="as_recorded", as_of=LATE)
        assert caught.value.code == "mixed_currencies"

    def test_converted_and_recorded_amounts_do_not_mix(self, engine):
        with pytest.raises(DataError) as caught:
            engine.run("both", as_of=LATE)
        assert caught.value.code == "mixed_currencies"
        assert engine.run("both", where={"currency": "EUR"}, as_of=LATE).totals() == {"both": 20}
        assert engine.run("both", currency="EUR", as_of=LATE).totals() == {"both": 2 * Decimal("26.4365")}

    def test_without_a_currency_nothing_is_converted(self, engine):
        with pytest.raises(DataError) as caught:
            engine.run("turnover", as_of=LATE)
        assert caught.value.code == "mixed_currencies"

    def test_what_is_no_currency_is_refused(self, engine):
        for written in ("euro", "eur", "EURO", "E1R"):
            with pytest.raises(RequestError) as caught:
                engine.run("turnover", currency=written)
            assert caught.value.code == "bad_currency"


@pytest.mark.parametrize("day", [7, 8, 19])
def test_a_rate_that_is_too_old_is_none(day):
    quotes = [(START, "USD", "EUR", Decimal("0.9")), (START + timedelta(20), "USD", "EUR", Decimal(1))]
    row = literal([(1, START + timedelta(day), "a", 5, "USD"), (2, START, "b", 5, "USD")])
    with project(row, literal(quotes), {"turnover": "sum(amount)"}) as engine:
        with pytest.raises(DataError, match=f"USD of {START + timedelta(day)}, and there is no rate from USD to EUR"):
            engine.run("turnover", currency="EUR", as_of=LATE)
        assert engine.run("turnover", currency="EUR", period="2026-01-01", as_of=LATE).totals() == {
            "turnover": Decimal("4.5")
        }
    with project(row, literal(quotes), {"turnover": "sum(amount)"}, keep="forever") as engine:
        assert engine.run("turnover", currency="EUR", as_of=LATE).totals() == {"turnover": 9}


@pytest.mark.parametrize("request_", [{"by": "shop"}, {"by": "shop", "limit": 1}, {"by": "shop", "having": {"turnover": {">": 50}}}, {"grain": "month"},
    {"order": "-turnover", "by": "shop", "limit": 1}, {"where": {"shop": {"among": {"having": {"turnover": {">": 50}}}}}}])  # fmt: skip
def test_an_amount_without_a_rate_is_never_dropped(request_):
    rows = [
        (1, START, "a", Decimal(100), "EUR"),
        (2, START, "b", Decimal(40), "EUR"),
        (3, START, "b", Decimal(500), "JPY"),
    ]
    with project(literal(rows), literal(DIRECT), {"turnover": "sum(amount)", "n": "count(sales)"}) as engine:
        for kpi in ("turnover", *(["n"] if "where" in request_ else [])):
            with pytest.raises(DataError, match="JPY of 2026-01-01") as caught:
                engine.run(kpi, currency="EUR", as_of=LATE, **request_)
            assert caught.value.code == "no_rate"
        left = engine.run(
            "turnover",
            currency="EUR",
            where={"currency": "EUR"},
            as_of=LATE,
            **{k: v for k, v in request_.items() if k != "where"},
        )
        assert left.rows()


def test_an_amount_without_a_currency_is_refused():
    rows = [(1, START, "a", Decimal(100), None), (2, START, "b", None, None)]
    with project(literal(rows), literal(DIRECT), {"turnover": "sum(amount)"}) as engine:
        with pytest.raises(DataError, match="2026-01-01 without a currency") as caught:
            engine.run("turnover", currency="EUR", as_of=LATE)
        assert caught.value.code == "no_rate"
        assert engine.run("turnover", currency="EUR", where={"shop": "b"}, as_of=LATE).totals() == {"turnover": None}


@pytest.mark.parametrize("wrong", ["0", "-1", "NULL"])
def test_a_rate_that_is_none_is_as_good_as_no_rate(wrong):
    with project("(1, '2026-01-02', 'a', 5, 'USD')", f"('2026-01-02', 'USD', 'EUR', {wrong})", {"turnover": "sum(amount)"}) as engine, \
            pytest.raises(DataError, match="no rate from USD to EUR"):  # fmt: skip
        engine.run("turnover", currency="EUR", as_of=LATE)


def test_two_rates_at_one_time_are_refused_with_their_keys():
    quotes = literal([*DIRECT, (START, "GBP", "EUR", Decimal("1.16"))])
    with project(literal(ROWS), quotes, {"turnover": "sum(amount)", "n": "count(sales)"}) as engine:
        with pytest.raises(DataError, match="GBP / EUR / 2026-01-01 \\(2 rows\\)") as caught:
            engine.run("turnover", currency="EUR", as_of=LATE)
        assert caught.value.code == "key_not_unique"
        assert engine.run("n", currency="EUR", as_of=LATE).totals() == {"n": 6}, "a count needs no rate"
        assert [d.code for d in engine.check(live=True)] == ["key_not_unique"]


INVERSE = [
    (START, "EUR", "USD", Decimal("1.25")),
    (START + timedelta(4), "EUR", "USD", Decimal("1.6")),
    (START, "EUR", "GBP", Decimal("0.8")),
]
ABROAD = [
    (1, START, "a", Decimal(10), "USD"),
    (2, START + timedelta(5), "b", Decimal(16), "USD"),
    (3, START + timedelta(6), "b", Decimal(8), "GBP"),
]


def test_a_rate_is_turned_round_only_where_that_is_declared():
    with project(literal(ABROAD), literal(INVERSE), {"turnover": "sum(amount)"}, inverse=True) as engine:
        assert engine.run("turnover", currency="EUR", as_of=LATE).totals() == {"turnover": 8 + 10 + 10}
        with pytest.raises(DataError, match="no rate from GBP to USD"):
            engine.run("turnover", currency="USD", as_of=LATE)
    with (
        project(literal(ABROAD), literal(INVERSE), {"turnover": "sum(amount)"}) as engine,
        pytest.raises(DataError, match="no rate"),
    ):
        engine.run("turnover", currency="EUR", as_of=LATE)


def test_two_currencies_meet_over_a_third_only_where_that_is_declared():
    with project(literal(ABROAD), literal(INVERSE), {"turnover": "sum(amount)"}, inverse=True, through="EUR") as engine:
        # GBP to USD: 1 / 0.8 x 1.6 on 7 January
        assert engine.run("turnover", currency="USD", as_of=LATE).totals() == {"turnover": 10 + 16 + 16}


def test_what_is_given_goes_before_what_is_computed():
    quotes = literal([*INVERSE, (START, "USD", "EUR", Decimal(2)), (START, "GBP", "USD", Decimal(3))])
    with project(literal(ABROAD), quotes, {"turnover": "sum(amount)"}, inverse=True, through="EUR") as engine:
        assert engine.run("turnover", currency="EUR", as_of=LATE).totals() == {"turnover": 20 + 32 + 10}
        assert engine.run("turnover", currency="USD", as_of=LATE).totals() == {"turnover": 10 + 16 + 24}


@pytest.mark.parametrize("seed", range(12))
def test_random_rows_and_rates(seed):
    chance = random.Random(seed)  # noqa: S311
    currencies = ["EUR", "USD", "GBP", "CHF", "JPY"]
    pairs = chance.sample([(a, b) for a in currencies for b in currencies if a != b], chance.randint(2, 7))
    days = [START + timedelta(n) for n in range(60)]
    quotes = [
        (day, *pair, Decimal(chance.randint(50, 200_000)) / 1000)
        for pair in pairs
        for day in sorted(chance.sample(days, chance.randint(1, 30)))
    ]
    how = {
        "keep": chance.choice([3, 7, 30]),
        "inverse": chance.random() < 0.6,
        "through": chance.choice(["", "EUR", "USD"]),
    }
    to = chance.choice(currencies)
    rows = [
        (
            n,
            chance.choice(days),
            chance.choice("abc"),
            Decimal(chance.randint(-50_000, 50_000)) / 100,
            chance.choice(currencies),
        )
        for n in range(200)
    ]
    rated = [row for row in rows if rate(quotes, row[4], to, row[1], **how) is not None]
    unrated = [row for row in rows if row not in rated and row[3] is not None]
    declared = {**how, "keep": f"{how['keep']} days"}
    with project(literal(rated), literal(quotes), {"turnover": "sum(amount)"}, **declared) as engine:
        found = engine.run("turnover", currency=to, by="shop", grain="week", as_of=LATE).rows()
        for row in found:
            here = [
                r for r in rated if r[2] == row["shop"] and row["period"] <= r[1] < row["period"] + timedelta(days=7)
            ]
            wanted = float(expected(here, quotes, to, **how))
            assert float(row["turnover"]) == pytest.approx(wanted, rel=1e-9, abs=1e-6)
    for bad in unrated[:3]:
        with project(literal([*rated, bad]), literal(quotes), {"turnover": "sum(amount)"}, **declared) as engine, \
                pytest.raises(DataError, match=f"{bad[4]} of {bad[1]}, and there is no rate from {bad[4]} to {to}"):  # fmt: skip
            engine.run("turnover", currency=to, as_of=LATE)


def test_by_the_instant_and_not_the_day():
    """A rate of 23:30 UTC holds in Paris from half past midnight on; the instant of a change belongs to the new rate."""
    rows = "(1, '2026-01-05 23:29:59+00', 10, 'USD'), (2, '2026-01-05 23:30:00+00', 10, 'USD'), (3, '2026-01-06 10:00:00+00', 10, 'USD')"
    kinds = {
        "day timestamptz": "'2026-01-05 00:00:00+00', '2026-01-05 23:30:00+00'",
        "day timestamp": "'2026-01-05 01:00:00', '2026-01-06 00:30:00'",
    }
    for column, moments in kinds.items():
        first, second = moments.split(", ")
        sales = {
            "table": "sale",
            "key": "id",
            "time": "day",
            "dimensions": ["id"],
            "columns": {"amount": {"currency": "cur"}},
        }
        with project(rows, f"({first}, 'USD', 'EUR', 0.5), ({second}, 'USD', 'EUR', 0.25)", {"turnover": "sum(amount)"},
                     columns=FX.replace("day date", column), sale="id int, day timestamptz, amount decimal(18,2), cur varchar",
                     datasets={"sales": sales}) as engine:  # fmt: skip
            found = engine.run("turnover", currency="EUR", by="id", as_of=LATE)
            assert by_member(found, "id", "turnover") == {1: 5, 2: Decimal("2.5"), 3: Decimal("2.5")}


def test_a_rate_of_a_day_holds_from_its_midnight_in_the_projects_zone():
    rows = "(1, '2026-01-05 22:59:00+00', 10, 'USD'), (2, '2026-01-05 23:00:00+00', 10, 'USD')"
    sales = {
        "table": "sale",
        "key": "id",
        "time": "day",
        "dimensions": ["id"],
        "columns": {"amount": {"currency": "cur"}},
    }
    with project(rows, "('2026-01-05', 'USD', 'EUR', 0.5), ('2026-01-06', 'USD', 'EUR', 0.25)", {"turnover": "sum(amount)"},
                 sale="id int, day timestamptz, amount decimal(18,2), cur varchar", datasets={"sales": sales}) as engine:  # fmt: skip
        assert by_member(engine.run("turnover", currency="EUR", by="id", as_of=LATE), "id", "turnover") == {
            1: 5,
            2: Decimal("2.5"),
        }


def test_an_amount_whose_unit_is_a_currency_is_converted_too():
    sales = {**SALES, "columns": {"amount": {"unit": "USD"}, "id": {"unit": "MQL"}}}
    with project(
        "(1, '2026-01-01', 'a', 10, NULL)",
        literal(DIRECT),
        {"turnover": "sum(amount)", "ids": "sum(id)"},
        datasets={"sales": sales},
    ) as engine:
        found = engine.run(["turnover", "ids"], currency="EUR", as_of=LATE)
        assert found.totals() == {"turnover": 9, "ids": 1}
        assert engine.run("turnover", currency="USD", as_of=LATE).totals() == {"turnover": 10}
        assert engine.run("turnover", as_of=LATE).totals() == {"turnover": 10}


def test_over_a_join_the_currency_is_that_of_the_joined_row():
    with opened(
        {"item": ("id int, day date, product int, n int", "(1, '2026-01-02', 1, 3), (2, '2026-01-05', 2, 2)"),
         "product": ("id int, price decimal(18,2), cur varchar", "(1, 10, 'USD'), (2, 5, 'EUR')"), "fx": (FX, literal(DIRECT))},
        {"items": {"table": "item", "key": "id", "time": "day", "joins": {"product": {"to": "products", "keys": {"product": "id"}}}},
         "products": {"table": "product", "key": "id", "columns": {"price": {"currency": "cur"}}},
         "exchange_rates": {"table": "fx", "key": ["cur", "quote", "day"], "time": "day", "rates": RATES}},
        {"value": "sum(n * product.price)"},
    ) as engine:  # fmt: skip
        assert engine.run("value", currency="EUR", as_of=LATE).totals() == {"value": 27 + 10}


def test_levels_first_rows_and_conversions_take_the_rate_of_their_own_row():
    rows = literal(
        [
            (1, START, "a", Decimal(10), "USD"),
            (2, START + timedelta(4), "a", Decimal(20), "USD"),
            (3, START + timedelta(1), "b", Decimal(10), "EUR"),
        ]
    )
    datasets = {
        "balances": {
            "table": "sale",
            "time": "day",
            "snapshot": {"of": "shop"},
            "dimensions": ["shop"],
            "columns": {"amount": {"currency": "cur"}},
        },
        "visits": {"table": "sale", "key": "id", "time": "day", "dimensions": ["shop"]},
    }
    kpis = {
        "level": {"inputs": ["balances"], "formula": "sum(amount)"},
        "last_one": {"inputs": {"x": {"from": "balances", "take": "last"}}, "formula": "sum(x.amount)"},
        "bought": {
            "inputs": {"v": "visits", "s": {"from": "sales", "of": "shop", "after": "v", "within": "30 days"}},
            "formula": "sum(s.amount)",
        },
    }
    with project(rows, literal(DIRECT), kpis, datasets=datasets) as engine:
        found = engine.run(["level", "last_one", "bought"], currency="EUR", period="2026-01", as_of=LATE).totals()
        assert found == {"level": 19 + 10, "last_one": 19 + 10, "bought": 9 + 19 + 10}


def test_without_a_dataset_of_rates_nothing_can_be_converted():
    with opened(
        {"sale": (SALE, literal(ROWS))}, {"sales": SALES}, {"turnover": "sum(amount)", "n": "count(sales)"}
    ) as engine:
        with pytest.raises(RequestError) as caught:
            engine.run("turnover", currency="EUR")
        assert caught.value.code == "no_rates"
        assert engine.run("n", currency="EUR", as_of=LATE).totals() == {"n": 6}


def test_rows_without_a_time_cannot_be_converted():
    sales = {key: value for key, value in SALES.items() if key != "time"}
    with project(literal(ROWS), literal(DIRECT), {"turnover": "sum(amount)"}, datasets={"sales": sales}) as engine:
        with pytest.raises(RequestError) as caught:
            engine.run("turnover", currency="EUR")
        assert caught.value.code == "no_time"


def test_a_project_names_the_currency_it_reports_in():
    exchange = {"table": "fx", "key": ["cur", "quote", "day"], "time": "day", "rates": RATES}
    with opened({"sale": (SALE, literal(ROWS)), "fx": (FX, literal(DIRECT))}, {"sales": SALES, "exchange_rates": exchange},
                {"turnover": "sum(amount)"}, reporting_currency="EUR") as engine:  # fmt: skip
        assert engine.run("turnover", as_of=LATE).totals() == {"turnover": Decimal("26.4365")}
        found = engine.run("turnover", by="currency", currency="as_recorded", where={"currency": "USD"}, as_of=LATE)
        assert by_member(found, "currency", "turnover") == {"USD": Decimal("13.56")}


def test_a_project_over_broken_rates_still_counts():
    with project(
        literal(ROWS), literal(DIRECT), {"turnover": "sum(amount)", "n": "count(sales)"}, fx={"table": "nowhere"}
    ) as engine:
        assert engine.run("n", currency="EUR", as_of=LATE).totals() == {"n": 6}
        result = engine.run(["n", "turnover"], currency="EUR", as_of=LATE, on_error="collect")
        assert set(result.failures) == {"turnover"}
        assert result.totals()["n"] == 6


def test_a_rate_of_binary_numbers_is_read_as_it_is_written():
    rows = literal([(n, START, "a", Decimal("0.01"), "USD") for n in range(1000)])
    with project(
        rows,
        "('2026-01-01', 'USD', 'EUR', 163.4)",
        {"turnover": "sum(amount)"},
        columns=FX.replace("decimal(18,6)", "double"),
    ) as engine:
        assert engine.run("turnover", currency="EUR", as_of=LATE).totals() == {"turnover": Decimal("1634.00")}


def test_a_currency_of_a_definition_that_is_none_is_said():
    with project(
        literal(ROWS),
        literal(DIRECT),
        {"turnover": {"inputs": ["sales"], "formula": "sum(amount)", "currency": "euro"}},
    ) as engine:
        assert [d.code for d in engine.check()] == ["bad_currency"]


def test_an_instant_between_a_rate_and_the_end_of_its_keep():
    rows = "(1, '2026-01-01 11:59', 10, 'USD'), (2, '2026-01-01 12:00', 10, 'USD')"
    sales = {
        "table": "sale",
        "key": "id",
        "time": "day",
        "dimensions": ["id"],
        "columns": {"amount": {"currency": "cur"}},
    }
    with project(rows, "('2026-01-01', 'USD', 'EUR', 0.5)", {"turnover": "sum(amount)"}, keep="12 hours",
                 sale="id int, day timestamp, amount decimal(18,2), cur varchar", datasets={"sales": sales}) as engine:  # fmt: skip
        assert engine.run("turnover", currency="EUR", where={"id": 1}, as_of=LATE).totals() == {"turnover": 5}
        with pytest.raises(DataError, match="2026-01-01 12:00:00"):
            engine.run("turnover", currency="EUR", as_of=LATE)


def test_broken_definitions_of_rates_are_refused_at_once():
    with project(literal(ROWS), literal(DIRECT), {"turnover": "sum(amount)"}, fx={"key": ["cur", "day"]}) as engine:
        assert [d.code for d in engine.check()] == ["rates_not_by_key"]
        with pytest.raises(DefinitionError):
            engine.run("turnover", currency="EUR")


class TestUnits:
    @pytest.fixture
    def engine(self):
        kpis = {
            "turnover": {"inputs": ["sales"], "formula": "sum(amount)", "format": "currency"},
            "leads": {"inputs": ["sales"], "formula": "count(sales)", "unit": "leads"},
            "per_lead": {"inputs": ["turnover", "leads"], "formula": "turnover / leads"},
            "per_sale": {"inputs": ["sales"], "formula": "sum(amount) / count(sales)"},
            "in_dollars": {"inputs": ["turnover", "leads"], "formula": "turnover / leads", "currency": "USD"},
            "share": {"inputs": {"a": "turnover", "b": "turnover"}, "formula": "a / b"},
            "fixed": {"inputs": ["costs"], "formula": "sum(amount)"},
            "plain": {"inputs": ["costs"], "formula": "sum(id)", "unit": "EUR"},
        }  # fmt: skip
        quotes = literal([*DIRECT, (START, "EUR", "USD", Decimal(2)), (START, "GBP", "USD", Decimal(2))])
        costs = {"table": "sale", "key": "id", "time": "day", "columns": {"amount": {"unit": "EUR"}}}
        with project(literal(ROWS[:2]), quotes, kpis, datasets={"costs": costs}) as engine:
            yield engine

    def unit(self, engine, kpi, **request):
        return engine.run(kpi, as_of=LATE, **request).measures()[kpi].unit

    def test_they_follow_the_currency_of_the_request(self, engine):
        assert self.unit(engine, "turnover", currency="EUR") == "EUR"
        assert self.unit(engine, "per_lead", currency="EUR") == "EUR / leads"
        assert self.unit(engine, "per_sale", currency="USD") == "USD / sale"
        assert self.unit(engine, "share", currency="USD") == ""
        assert self.unit(engine, "fixed", currency="USD") == "USD"
        assert self.unit(engine, "leads", currency="USD") == "leads"

    def test_they_follow_the_currency_of_the_definition(self, engine):
        assert self.unit(engine, "in_dollars") == engine.measure("in_dollars").unit == "USD / leads"
        assert self.unit(engine, "in_dollars", currency="EUR") == "EUR / leads"
        assert self.unit(engine, "in_dollars", currency="as_recorded", where={"currency": "EUR"}) == "EUR / leads"

    def test_they_follow_the_one_currency_that_is_met(self, engine):
        assert self.unit(engine, "per_lead", where={"currency": "USD"}) == "USD / leads"
        assert self.unit(engine, "turnover", by="currency") == ""
        assert engine.measure("per_lead").unit == ""
        assert engine.describe("per_lead").recorded_unit == "¤ / leads"
        assert engine.describe("per_sale").recorded_unit == "¤ / sale"

    def test_money_that_no_column_is_said_to_hold_is_not_renamed(self, engine):
        assert self.unit(engine, "plain") == self.unit(engine, "plain", currency="EUR") == "EUR"
        with pytest.raises(RequestError) as caught:
            engine.run("plain", currency="USD", as_of=LATE)
        assert caught.value.code == "not_convertible"
