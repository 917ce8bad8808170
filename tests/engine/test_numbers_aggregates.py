"""Filtered and weighted aggregates, percentiles and edges of time, everywhere a number is asked for, against SQL written by hand."""

import duckdb
import pytest

import kpi_engine

FORMULAS = {
    "filtered_average": ("avg(amount) filter (where channel = 'web')",) * 2,
    "counted_if": ("count_if(amount > 10)",) * 2,
    "weighted": (
        "sum(amount * weight) / sum(weight)",
        "case when count(*) = 0 then null else sum(amount * weight) / nullif(sum(weight), 0) end",
    ),
    "filtered_weighted": (
        "sum(amount * weight) filter (where channel = 'web') / sum(weight) filter (where channel = 'web')",
        "sum(amount * weight) filter (where channel = 'web') / nullif(sum(weight) filter (where channel = 'web'), 0)",
    ),
    "middle": ("median(amount)",) * 2,
    "between_values": ("quantile_cont(amount, 0.9)",) * 2,
    "of_the_values": ("quantile_disc(amount, 0.9)",) * 2,
    "estimated": ("approx_quantile(amount, 0.5)",) * 2,
    "filtered_percentile": ("quantile_disc(amount, 0.5) filter (where channel = 'web')",) * 2,
    "spread": ("stddev(amount)",) * 2,
}
"""What a definition says, and what is asked of the database."""
MODIFIED = {
    "now": ({}, "day >= {start} and day < {end}"),
    "trailing": ({"window": "3 months"}, "day >= {start} - interval 2 month and day < {end}"),
    "earlier": ({"offset": "1 month"}, "day >= {start} - interval 1 month and day < {start}"),
    "since": ({"to_date": "year"}, "day >= date '2026-01-01' and day < {end}"),
    "ever": ({"all_time": True}, "day < {end}"),
}


def definitions():
    kpis = {name: {"inputs": ["visits"], "formula": formula} for name, (formula, _) in FORMULAS.items()}
    kpis |= {
        f"{name}_{how}": {"inputs": {"x": {"from": name} | modifiers}, "formula": "x"}
        for name in FORMULAS for how, (modifiers, _) in MODIFIED.items() if modifiers
    }  # fmt: skip
    kpis |= {
        f"{name}_per_visitor": {"inputs": {"x": {"from": name, "per": "visitor"}}, "formula": "avg(x)"}
        for name in FORMULAS
    }
    datasets = {"visits": {"table": "visit", "key": "id", "time": "day", "dimensions": ["channel", "visitor"]}}
    return {"datasets": datasets, "kpis": kpis}


@pytest.fixture(scope="module")
def connection():
    with duckdb.connect() as made:
        made.execute("""
            create table visit as select n as id, date '2025-11-01' + (n * 7 % 170)::int as day,
            case n % 3 when 0 then 'web' when 1 then 'shop' end as channel,
            case when n % 11 > 0 then 'v' || (n % 5) end as visitor,
            case when n % 7 > 0 then (n * 37 % 101) / 2.0 end::double as amount, case when n % 5 > 0 then n % 4 end as weight
            from range(200) t(n)
        """)
        yield made


@pytest.fixture(scope="module")
def engine(connection):
    with kpi_engine.open(definitions(), connection) as opened:
        yield opened


def by_hand(connection, sql, frame, start, end, where="true"):
    bounds = {"start": f"date '{start}'", "end": f"date '{end}'"}
    return connection.execute(f"select {sql} from visit where {frame.format(**bounds)} and {where}").fetchone()[0]


MONTHS = [("2026-01-01", "2026-02-01"), ("2026-02-01", "2026-03-01"), ("2026-03-01", "2026-04-01")]
ASKED = {"period": "2026-Q1", "as_of": "2026-12-31"}


@pytest.mark.parametrize("how", MODIFIED)
@pytest.mark.parametrize("name", FORMULAS)
def test_an_aggregate_is_the_same_by_month_by_member_and_in_total(engine, connection, name, how):
    kpi = name if how == "now" else f"{name}_{how}"
    sql, frame = FORMULAS[name][1], MODIFIED[how][1]
    result = engine.run(kpi, grain="month", **ASKED)
    assert [row[kpi] for row in result.rows()] == pytest.approx(
        [by_hand(connection, sql, frame, *month) for month in MONTHS]
    )
    if how != "earlier":
        assert result.totals()[kpi] == pytest.approx(
            by_hand(connection, sql, frame, "2026-01-01", "2026-04-01")
            if how != "trailing"
            else by_hand(connection, sql, "day >= {start} and day < {end}", "2026-01-01", "2026-04-01")
        )
    for row in engine.run(kpi, by="channel", period="2026-02", as_of="2026-12-31").rows():
        member = "channel is null" if row["channel"] is None else f"channel = '{row['channel']}'"
        assert row[kpi] == pytest.approx(by_hand(connection, sql, frame, *MONTHS[1], member))


@pytest.mark.parametrize("name", FORMULAS)
def test_an_aggregate_is_compared_and_taken_per_member(engine, connection, name):
    sql, frame = FORMULAS[name][1], MODIFIED["now"][1]
    row = engine.run(name, period="2026-02", as_of="2026-12-31", compare="previous_period").rows()[0]
    assert row[f"{name}__previous_period"] == pytest.approx(by_hand(connection, sql, frame, *MONTHS[0]))
    inner = f"select visitor, {sql} as x from visit where {frame} group by visitor"
    bounds = {"start": f"date '{MONTHS[1][0]}'", "end": f"date '{MONTHS[1][1]}'"}
    expected = connection.execute(f"select avg(x) from ({inner.format(**bounds)})").fetchone()[0]
    found = engine.run(f"{name}_per_visitor", period="2026-02", as_of="2026-12-31").rows()[0][f"{name}_per_visitor"]
    assert found == pytest.approx(expected)
