"""Relations that hold between answers, whatever the data are: no oracle is needed for these."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from itertools import permutations
from random import Random

import pytest
from number_projects import column, opened

AS_OF = "2026-06-30"
PERIOD = {"period": "2026-01-15..2026-05-20", "as_of": AS_OF}


def rows(seed):
    random = Random(seed)  # noqa: S311 - the same rows again
    found = []
    for n in range(400):
        day = f"2026-{random.randint(1, 6):02}-{random.randint(1, 28):02} {random.randint(0, 23):02}:30:00+00"
        channel, device = random.choice(("'a'", "'b'", "'c'", "NULL")), random.choice(("'x'", "'y'", "NULL"))
        visitor, amount = (
            random.choice(("NULL", *(f"'v{k}'" for k in range(40)))),
            random.choice(("NULL", *(f"{k}.25" for k in range(-3, 20)))),
        )
        found.append(
            f"({n}, '{day}', {channel}, {device}, {visitor}, {amount}, {random.choice(('true', 'false', 'NULL'))})"
        )
    return ", ".join(found)


KPIS = {
    "n": "count(facts)", "total": "sum(amount)", "visitors": "count(distinct visitor)", "mean": "avg(amount)", "lowest": "min(amount)", "highest": "max(amount)", "known": "count(amount)",
    "rate": "count_if(flag) / count(facts)", "mid": "median(amount)",
    "growth": {"inputs": {"now": "n", "before": {"from": "n", "offset": "1 month"}}, "formula": "now / before - 1"},
    "share": {"inputs": {"x": "facts", "every": {"from": "facts", "across": "channel"}}, "formula": "count(x) / count(every)"},
    "per_visitor": {"inputs": {"x": {"from": "n", "per": "visitor"}}, "formula": "avg(x)"},
    "ever": {"inputs": {"x": {"from": "facts", "all_time": True}}, "formula": "count(x)"},
    "yes": {"inputs": {"f": {"from": "facts", "where": "flag"}}, "formula": "count(f)"}, "no": {"inputs": {"f": {"from": "facts", "where": "not flag"}}, "formula": "count(f)"},
    "perhaps": {"inputs": {"f": {"from": "facts", "where": "flag is null"}}, "formula": "count(f)"},
    "yes_sum": {"inputs": {"f": {"from": "facts", "where": "flag"}}, "formula": "coalesce(sum(f.amount), 0)"}, "no_sum": {"inputs": {"f": {"from": "facts", "where": "not flag"}}, "formula": "coalesce(sum(f.amount), 0)"},
    "perhaps_sum": {"inputs": {"f": {"from": "facts", "where": "flag is null"}}, "formula": "coalesce(sum(f.amount), 0)"},
    "half": {"inputs": ["total"], "formula": "total * 0.5"},
}  # fmt: skip


def project(data, zone="Europe/Paris"):
    columns = (
        "id int, at_ timestamptz, channel varchar, device varchar, visitor varchar, amount decimal(18,2), flag boolean"
    )
    return opened(
        {"fact": (columns, data)},
        {"facts": {"table": "fact", "key": "id", "time": "at_", "dimensions": ["channel", "device", "flag"]}},
        KPIS,
        {"timezone": zone},
    )


@pytest.fixture(params=[1, 2, 3], scope="module")
def engine(request):
    with project(rows(request.param)) as engine:
        yield engine


def alike(one, other):
    """Say whether two rows are the same, but for the last digits of a float."""
    return one.keys() == other.keys() and all(
        one[name]
        == (pytest.approx(other[name], rel=1e-12, abs=1e-12) if isinstance(other[name], float) else other[name])
        for name in one
    )


@pytest.mark.parametrize("grain", [None, "month"])
def test_adding_a_kpi_changes_no_other(engine, grain):
    together = engine.run(list(KPIS), by=["channel", "device"], grain=grain, compare="previous_period", **PERIOD)
    keys = ["channel", "device", *(["period"] if grain else [])]
    for kpi in KPIS:
        alone = engine.run(kpi, by=["channel", "device"], grain=grain, compare="previous_period", **PERIOD)
        columns = (kpi, f"{kpi}__previous_period", f"{kpi}__previous_period_change")
        known = {
            tuple(row[k] for k in keys): {name: row[name] for name in (*keys, *columns)} for row in together.rows()
        }
        assert alone.rows()
        for row in alone.rows():
            assert alike(known[tuple(row[k] for k in keys)], row)


def test_the_order_of_kpis_and_dimensions_only_orders_columns(engine):
    kpis = ["share", "n", "visitors"]
    sorted_rows = {frozenset(row.items()) for row in engine.run(kpis, by=["channel", "device"], **PERIOD).rows()}
    for names in permutations(kpis):
        for by in permutations(["channel", "device"]):
            result = engine.run(names, by=by, **PERIOD)
            assert list(result.rows()[0]) == [*by, *names]
            assert {frozenset(row.items()) for row in result.rows()} == sorted_rows


@pytest.mark.parametrize("by", [["channel"], ["device", "channel"]])
@pytest.mark.parametrize("grain", [None, "day", "week", "month", "quarter"])
def test_what_is_additive_adds_up_to_its_total(engine, by, grain):
    for kpi in ("n", "known", "yes", "half"):
        result = engine.run(kpi, by=by, grain=grain, **PERIOD)
        assert sum(value for value in column(result, kpi) if value is not None) == result.totals()[kpi]


def test_a_distinct_count_lies_between_its_largest_group_and_their_sum(engine):
    result = engine.run("visitors", by="channel", **PERIOD)
    assert max(column(result, "visitors")) <= result.totals()["visitors"] <= sum(column(result, "visitors"))


@pytest.mark.parametrize("kpi", ["rate", "mean"])
def test_a_ratio_lies_between_those_of_its_slices(engine, kpi):
    for by in ("channel", "device"):
        result = engine.run(kpi, by=by, **PERIOD)
        slices = [value for value in column(result, kpi) if value is not None]
        assert min(slices) - 1e-12 <= result.totals()[kpi] <= max(slices) + 1e-12


def test_true_false_and_unknown_make_the_whole(engine):
    for by in ([], ["channel"]):
        for row in engine.run(
            ["n", "yes", "no", "perhaps", "total", "yes_sum", "no_sum", "perhaps_sum"], by=by, **PERIOD
        ).rows():
            assert row["yes"] + row["no"] + row["perhaps"] == row["n"]
            assert row["yes_sum"] + row["no_sum"] + row["perhaps_sum"] == (row["total"] or 0)


def test_filters_make_the_whole_too(engine):
    parts = [engine.run("total", where={"flag": value}, **PERIOD).totals()["total"] for value in (True, False, None)]
    assert sum(parts) == engine.run("total", **PERIOD).totals()["total"]
    parts = [
        engine.run(["lowest", "highest"], where_sql=text, **PERIOD).totals()
        for text in ("channel = 'a'", "not (channel = 'a')", "channel is null")
    ]
    whole = engine.run(["lowest", "highest"], **PERIOD).totals()
    assert (min(part["lowest"] for part in parts), max(part["highest"] for part in parts)) == (
        whole["lowest"],
        whole["highest"],
    )


def test_a_slice_is_the_filter_by_its_member(engine):
    for row in engine.run(list(KPIS), by="channel", compare="previous_period", **PERIOD).rows():
        # A share ignores the filter in its denominator as it ignores the split, so it is the same too.
        filtered = engine.run(
            list(KPIS), where={"channel": row["channel"]}, compare="previous_period", **PERIOD
        ).totals()
        assert alike(filtered, {name: value for name, value in row.items() if name != "channel"})


def test_months_made_of_days_are_the_months_of_the_rows(engine):
    days = engine.run(["n", "known"], grain="day", by="channel", **PERIOD).rows()
    for row in engine.run(["n", "known"], grain="month", by="channel", **PERIOD).rows():
        inside = [
            day for day in days if day["period"].month == row["period"].month and day["channel"] == row["channel"]
        ]
        assert (sum(day["n"] for day in inside), sum(day["known"] for day in inside)) == (row["n"], row["known"])


def test_one_period_with_a_grain_and_without_agrees(engine):
    for period, grain in (
        ("2026-03", "month"),
        ("2026-Q1", "quarter"),
        ("2026", "year"),
        ("2026-W10", "week"),
        ("2026-03-29", "day"),
    ):
        request = {"by": "channel", "period": period, "compare": ["previous_period", "previous_year"], "as_of": AS_OF}
        without, within = (
            engine.run(list(KPIS), **request).rows(),
            engine.run(list(KPIS), grain=grain, **request).rows(),
        )
        assert len(within) == len(without) > 0
        for one, other in zip(within, without, strict=True):
            assert alike({name: value for name, value in one.items() if name != "period"}, other)


def test_the_period_before_is_the_answer_of_that_period(engine):
    now = {
        row["channel"]: row
        for row in engine.run(list(KPIS), by="channel", period="2026-04", compare="previous_period", as_of=AS_OF).rows()
    }
    for row in engine.run(list(KPIS), by="channel", period="2026-03", as_of=AS_OF).rows():
        for kpi in KPIS:
            assert now[row["channel"]][f"{kpi}__previous_period"] == pytest.approx(row[kpi])


def test_derived_is_derived_from_its_parts(engine):
    for row in engine.run(["total", "half"], by=["channel", "device"], **PERIOD).rows():
        assert row["half"] == (None if row["total"] is None else Fraction(row["total"]) / 2)


def test_the_same_request_gives_the_same_rows(engine):
    request = {"by": ["channel", "device"], "grain": "week", "compare": ["previous_period", "previous_year"], **PERIOD}
    first = engine.run(list(KPIS), **request)
    again = engine.run(list(KPIS), **request)
    assert first.rows() == again.rows()
    assert first.totals() == again.totals()


def test_the_order_of_rows_in_the_data_does_not_matter():
    data = rows(7)
    parts = data.replace("), (", ")|(").split("|")
    Random(0).shuffle(parts)  # noqa: S311 - the same order again
    request = {"by": ["channel", "device"], "grain": "month", "compare": "previous_period", **PERIOD}
    with project(data) as one, project(", ".join(parts)) as other:
        assert one.run(list(KPIS), **request).rows() == other.run(list(KPIS), **request).rows()


def test_twice_the_rows_give_twice_the_counts_and_the_same_rates():
    data = rows(8)
    with project(data) as one, project(f"{data}, {data}") as two:
        for kpi, factor in {
            "n": 2,
            "total": 2,
            "visitors": 1,
            "mean": 1,
            "rate": 1,
            "mid": 1,
            "growth": 1,
            "share": 1,
            "per_visitor": 2,
            "ever": 2,
        }.items():
            once, twice = (engine.run(kpi, by="channel", grain="month", **PERIOD) for engine in (one, two))
            assert column(twice, kpi) == [
                None if value is None else pytest.approx(float(value) * factor) for value in column(once, kpi)
            ]


def test_another_kpi_that_fails_changes_nothing(engine):
    assert (
        engine.run(["n"], by="channel", **PERIOD).rows()
        == engine.run(["n"], by="channel", on_error="collect", **PERIOD).rows()
    )


def test_eight_threads_on_one_engine_give_what_one_gives():
    requests = [
        {"kpis": kpis, "by": by, "grain": grain, "compare": compare}
        for kpis in (["n", "share"], ["per_visitor", "mid"], list(KPIS))
        for by in ([], ["channel"], ["device", "channel"])
        for grain, compare in ((None, []), ("month", ["previous_period"]))
    ]

    def answer(engine, request):
        result = engine.run(
            request["kpis"], by=request["by"], grain=request["grain"], compare=request["compare"], **PERIOD
        )
        return result.rows(), result.totals()

    data = rows(9)
    with project(data) as alone:
        expected = [answer(alone, request) for request in requests]
    with project(data) as shared, ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda request: answer(shared, request), requests * 2))
    assert found == expected * 2
