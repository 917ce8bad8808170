"""What kind of number a KPI is: its unit and its additivity follow from its formula, and nothing is called additive that is not."""

from __future__ import annotations

import pytest

from kpi_engine.catalogue import Catalogue
from kpi_engine.definitions import from_mapping
from kpi_engine.errors import DefinitionError

DATASETS = {
    "views": {
        "key": "id", "time": "at", "dimensions": ["channel", "visitor"],
        "columns": {"seconds": {"unit": "seconds"}, "cost": {"unit": "EUR"}, "price": {"currency": "cur"}, "at": {"type": "timestamptz"}},
        "joins": {"visit": {"to": "visits", "keys": ["visit_id"]}},
    },
    "visits": {
        "key": "visit_id", "time": "at", "columns": {"pages": {"unit": "pages"}, "at": {"type": "timestamptz"}}, "dimensions": ["channel"],
        "times": {"ended": "at"},
    },
    "followers": {
        "time": "day", "snapshot": {"of": "account"}, "dimensions": ["channel"],
        "columns": {"count": {"unit": "followers"}, "day": {"type": "date"}},
    },
    "likes": {"time": "day", "snapshot": {"of": "account"}, "dimensions": ["channel"], "columns": {"day": {"type": "date"}}},
}  # fmt: skip
KPIS = {
    "time_spent": {"inputs": ["views"], "formula": "sum(seconds)"},
    "plain": {"inputs": ["views"], "formula": "count(views)"},
    "spend": {"inputs": ["views"], "formula": "sum(cost)"},
    "view_count": {"inputs": ["views"], "formula": "count(views)", "unit": "views"},
    "visit_count": {"inputs": ["visits"], "formula": "count(visits)", "unit": "visits"},
    "visitors": {"inputs": ["views"], "formula": "count(distinct visitor)", "unit": "visitors"},
    "level": {"inputs": ["followers"], "formula": "sum(count)"},
    "won": {
        "inputs": {"closing": "followers", "opening": {"from": "followers", "take": "opening"}},
        "formula": "sum(closing.count) - coalesce(sum(opening.count), 0)",
    },
    "rate": {"inputs": ["view_count", "visit_count"], "formula": "view_count / visit_count"},
}
PARAMETERS = {"factor": {"type": "number", "default": 2}}


def resolved(formula, inputs, **kpi):
    definitions = {
        "datasets": DATASETS,
        "kpis": {**KPIS, "k": {"inputs": inputs, "formula": formula, **kpi}},
        "parameters": PARAMETERS,
    }
    return Catalogue(from_mapping(definitions), lambda _: None).kpi("k")


ADDITIVITY = {
    # rows
    "sum(seconds)": (["views"], "additive"),
    "count(views)": (["views"], "additive"),
    "count_if(channel = 'x')": (["views"], "additive"),
    "sum(visit.pages)": (["views"], "additive"),
    "sum(seconds) filter (where channel = 'x')": (["views"], "additive"),
    "sum(case when channel = 'x' then seconds end)": (["views"], "additive"),
    "sum(seconds * cost)": (["views"], "additive"),
    "-sum(seconds)": (["views"], "additive"),
    "(sum(score) + count(views)) * 2": (["views"], "additive"),
    "sum(seconds) / 60": (["views"], "additive"),
    ":factor * sum(seconds) / (1 + :factor)": (["views"], "additive"),
    "coalesce(sum(seconds), 0)": (["views"], "additive"),
    "coalesce(sum(score), 0.0) - coalesce((count(views)), 0)": (["views"], "additive"),
    "coalesce(sum(seconds), 1)": (["views"], "non_additive"),
    "coalesce(sum(score), count(views))": (["views"], "non_additive"),
    "coalesce(sum(seconds), 0, 1)": (["views"], "non_additive"),
    "coalesce(sum(seconds), '0')": (["views"], "non_additive"),
    "sum(seconds) + 1": (["views"], "non_additive"),
    "sum(seconds) * sum(cost)": (["views"], "non_additive"),
    "sum(seconds) / sum(cost)": (["views"], "non_additive"),
    "1 / sum(seconds)": (["views"], "non_additive"),
    "sum(seconds) * -sum(cost)": (["views"], "non_additive"),
    "count(distinct visitor)": (["views"], "non_additive"),
    "avg(seconds)": (["views"], "non_additive"),
    "min(seconds)": (["views"], "non_additive"),
    "max(seconds) + sum(seconds)": (["views"], "non_additive"),
    "median(seconds)": (["views"], "non_additive"),
    "stddev(seconds)": (["views"], "non_additive"),
    "quantile_cont(seconds, 0.5)": (["views"], "non_additive"),
    "case when sum(seconds) > 0 then sum(seconds) end": (["views"], "non_additive"),
    "if(count(views) > 0, sum(seconds), 0)": (["views"], "non_additive"),
    "round(sum(seconds))": (["views"], "non_additive"),
    "abs(sum(seconds))": (["views"], "non_additive"),
    "greatest(sum(seconds), 0)": (["views"], "non_additive"),
    "nullif(sum(seconds), 0)": (["views"], "non_additive"),
    "sqrt(sum(seconds))": (["views"], "non_additive"),
    "cast(sum(seconds) as bigint)": (["views"], "non_additive"),
    "sum(seconds) > 3": (["views"], "non_additive"),
    "1": (["views"], "non_additive"),
    # KPIs
    "time_spent + spend * 3": (["time_spent", "spend"], "additive"),
    "time_spent * spend": (["time_spent", "spend"], "non_additive"),
    "rate * 100": (["rate"], "non_additive"),
    "level * 2": (["level"], "semi_additive"),
    "level - plain": (["level", "plain"], "semi_additive"),
    "level / time_spent": (["level", "time_spent"], "non_additive"),
    "won + plain": (["won", "plain"], "additive"),
    "x": ({"x": {"from": "time_spent", "where": "channel = 'x'"}}, "additive"),
    "a - b": ({"a": "time_spent", "b": {"from": "time_spent", "offset": "7 days"}}, "additive"),
    "a - b - 0 * a": ({"a": "time_spent", "b": {"from": "time_spent", "offset": "1 month"}}, "semi_additive"),
    "a - b - 0 * b": ({"a": "time_spent", "b": {"from": "time_spent", "offset": "period"}}, "semi_additive"),
    "a + 0 * a": ({"a": {"from": "time_spent", "all_time": True}}, "semi_additive"),
    "b + 0 * b": ({"b": {"from": "time_spent", "across": "channel"}}, "non_additive"),
    "c + 0 * c": ({"c": {"from": "time_spent", "across": "all"}}, "non_additive"),
    # entities
    "count(v)": ({"v": {"from": "views", "per": "visitor"}}, "non_additive"),
    "sum(v)": ({"v": {"from": "time_spent", "per": "visitor"}}, "non_additive"),
    "avg(v)": ({"v": {"from": "time_spent", "per": "visitor"}}, "non_additive"),
    # levels
    "sum(followers.count)": (["followers"], "semi_additive"),
    "count(followers)": (["followers"], "semi_additive"),
    "max(followers.count)": (["followers"], "non_additive"),
    "sum(f.count)": ({"f": {"from": "followers", "take": "rows"}}, "additive"),
    "sum(f.count) + 0 * sum(f.count)": ({"f": {"from": "followers", "take": "opening"}}, "semi_additive"),
}  # fmt: skip


@pytest.mark.parametrize("formula", ADDITIVITY)
def test_what_may_be_added_up(formula):
    inputs, expected = ADDITIVITY[formula]
    assert resolved(formula, inputs).additivity == expected


OPENING = {"from": "followers", "take": "opening"}
FLOWS = {
    "sum(c.count) - sum(o.count)": ({"c": "followers", "o": OPENING}, "additive"),
    "sum(o.count) - sum(c.count)": ({"c": "followers", "o": OPENING}, "additive"),
    "(coalesce(sum(c.count), 0) - (coalesce(sum(o.count), 0))) / 2 + 3 * (count(c) - count(o))": ({"c": "followers", "o": OPENING}, "additive"),
    "sum(c.count) + sum(o.count)": ({"c": "followers", "o": OPENING}, "semi_additive"),
    "sum(c.count) - sum(o.other)": ({"c": "followers", "o": OPENING}, "semi_additive"),
    "sum(c.count) - count(o)": ({"c": "followers", "o": OPENING}, "semi_additive"),
    "sum(c.count) - 2 * sum(o.count)": ({"c": "followers", "o": OPENING}, "semi_additive"),
    "sum(c.count) - sum(o.count) filter (where channel = 'x')": ({"c": "followers", "o": OPENING}, "semi_additive"),
    "max(c.count) - max(o.count)": ({"c": "followers", "o": OPENING}, "non_additive"),
    "coalesce(sum(c.count) - sum(o.count), 1)": ({"c": "followers", "o": OPENING}, "non_additive"),
    "sum(c.x) - sum(o.x)": ({"c": "followers", "o": {"from": "likes", "take": "opening"}}, "semi_additive"),
    "sum(c.x) - sum(o.x) - 0": ({"c": "followers", "o": {**OPENING, "where": "channel = 'x'"}}, "non_additive"),
    "sum(c.y) - sum(o.y)": ({"c": "followers", "o": {**OPENING, "where": "channel = 'x'"}}, "semi_additive"),
    "sum(c.z) - sum(o.z)": ({"c": {"from": "followers", "offset": "1 month"}, "o": {**OPENING, "offset": "1 month"}}, "semi_additive"),
    "sum(c.u) - sum(o.u)": ({"c": {"from": "followers", "across": "channel"}, "o": {**OPENING, "across": "channel"}}, "non_additive"),
    "sum(c.v) - sum(o.v)": ({"c": {"from": "followers", "all_time": True}, "o": {**OPENING, "all_time": True}}, "semi_additive"),
    "sum(c.w) - sum(d.w)": ({"c": "followers", "d": "followers"}, "semi_additive"),
}  # fmt: skip


@pytest.mark.parametrize("formula", FLOWS)
def test_levels_at_the_end_less_levels_at_the_start_are_a_flow(formula):
    inputs, expected = FLOWS[formula]
    assert resolved(formula, inputs).additivity == expected


UNITS = {
    "sum(seconds)": (["views"], "seconds"),
    "avg(seconds)": (["views"], "seconds"),
    "max(seconds) - min(seconds)": (["views"], "seconds"),
    "median(seconds) + quantile_cont(seconds, 0.9)": (["views"], "seconds"),
    "sum(visit.pages)": (["views"], "pages"),
    "sum(seconds * cost)": (["views"], "EUR * seconds"),
    "sum(cost / seconds)": (["views"], "EUR / seconds"),
    "sum(case when channel = 'x' then seconds else 0 end)": (["views"], "seconds"),
    "sum(coalesce(seconds, 0))": (["views"], "seconds"),
    "sum(cost) / sum(seconds)": (["views"], "EUR / seconds"),
    "sum(cost) / sum(cost)": (["views"], ""),
    "sum(cost) / sum(cost) - 1": (["views"], ""),
    "100 * sum(cost) / sum(cost)": (["views"], None),
    "100 * (sum(cost) / sum(cost))": (["views"], ""),
    "count(views)": (["views"], "view"),
    "count(distinct visitor)": (["views"], "visitor"),
    "sum(cost) / count(views)": (["views"], "EUR / view"),
    "sum(seconds) / count(distinct visitor)": (["views"], "seconds / visitor"),
    "count(distinct visitor) / count(views)": (["views"], ""),
    "1 - count(distinct visitor) / count(views)": (["views"], ""),
    "sum(cost) / count(views) * count(views)": (["views"], "EUR"),
    "count(views) - count_if(channel = 'x')": (["views"], "view"),
    "count(views) * 2 + sum(cost)": (["views"], "EUR"),
    "spend / n": ({"spend": "spend", "n": "plain"}, "EUR / view"),
    "n + view_count": ({"n": "plain", "view_count": "view_count"}, "views"),
    "n + x / n": ({"n": "plain", "x": "plain"}, "view"),
    "level + n": ({"n": "plain", "level": "level"}, "followers"),
    "sum(price)": (["views"], "¤"),
    "sum(price) + sum(cost)": (["views"], "¤"),
    "sum(price) / sum(seconds)": (["views"], "¤ / seconds"),
    "sum(price) / sum(price)": (["views"], ""),
    "sum(price) / sum(cost)": (["views"], "¤ / EUR"),
    "sum(seconds) / 60": (["views"], None),
    "2 * sum(seconds)": (["views"], None),
    "greatest(sum(seconds), 0) + 5": (["views"], "seconds"),
    "round(sum(seconds), 2)": (["views"], "seconds"),
    "nullif(sum(seconds), 0)": (["views"], "seconds"),
    "case when count(views) > 0 then sum(seconds) end": (["views"], "seconds"),
    "sqrt(sum(seconds))": (["views"], None),
    "spend / view_count": (["spend", "view_count"], "EUR / views"),
    "spend / visitors * visitors": (["spend", "visitors"], "EUR"),
    "view_count / visit_count": (["view_count", "visit_count"], "views / visits"),
    "now / before - 1": ({"now": "spend", "before": {"from": "spend", "offset": "1 year"}}, ""),
    "rate * visit_count": (["rate", "visit_count"], "views"),
    "avg(v)": ({"v": {"from": "time_spent", "per": "visitor"}}, "seconds"),
}  # fmt: skip


@pytest.mark.parametrize("formula", UNITS)
def test_the_unit_that_follows(formula):
    inputs, expected = UNITS[formula]
    unit = resolved(formula, inputs).unit
    assert (None if unit is None else str(unit)) == expected


@pytest.mark.parametrize(
    ("formula", "inputs"),
    [
        ("spend + time_spent", ["spend", "time_spent"]),
        ("spend - time_spent", ["spend", "time_spent"]),
        ("spend > time_spent", ["spend", "time_spent"]),
        ("coalesce(spend, time_spent)", ["spend", "time_spent"]),
        ("greatest(spend, time_spent)", ["spend", "time_spent"]),
        ("nullif(spend, time_spent)", ["spend", "time_spent"]),
        ("case when spend > time_spent then 1 end", ["spend", "time_spent"]),
        ("case when view_count > 1 then spend else time_spent end", ["spend", "time_spent", "view_count"]),
        ("if(view_count > 1, spend, time_spent)", ["spend", "time_spent", "view_count"]),
        ("spend between 1 and time_spent", ["spend", "time_spent"]),
        ("sum(seconds + cost)", ["views"]),
        ("sum(case when cost > seconds then 1 end)", ["views"]),
        ("view_count + visit_count", ["view_count", "visit_count"]),
        ("sum(cost) + count(views)", ["views"]),
        ("count(views) - sum(seconds)", ["views"]),
        ("sum(price) + count(distinct visitor)", ["views"]),
        ("sum(price) > sum(seconds)", ["views"]),
        ("sum(cost) / count(views) + sum(cost)", ["views"]),
        ("sum(cost) / count(views) + count(views)", ["views"]),
        ("coalesce(sum(cost), count(views))", ["views"]),
        ("case when count(views) > sum(cost) then 1 end", ["views"]),
        ("spend + n", {"spend": "spend", "n": "plain"}),
    ],
)
def test_units_that_do_not_go_together(formula, inputs):
    with pytest.raises(DefinitionError) as caught:
        resolved(formula, inputs)
    assert [d.code for d in caught.value.diagnostics] == ["mixed_units"]


@pytest.mark.parametrize(
    ("declared", "formula", "inputs", "fits"),
    [
        ({"unit": "EUR / lead"}, "spend / leads", {"spend": "spend", "leads": "visitors"}, False),
        ({"unit": "EUR / view"}, "spend / view_count", ["spend", "view_count"], True),
        ({"unit": "eur / Views"}, "spend / view_count", ["spend", "view_count"], True),
        ({"unit": "EUR"}, "spend / view_count", ["spend", "view_count"], False),
        ({"unit": "minutes"}, "time_spent / 60", ["time_spent"], True),
        ({"unit": "minutes"}, "time_spent", ["time_spent"], False),
        ({"unit": "points"}, "spend / spend", ["spend"], True),
        ({"unit": "EUR / view"}, "sum(cost) / count(views)", ["views"], True),
        ({"unit": "EUR"}, "sum(cost) / count(views)", ["views"], True),
        ({"unit": "views / EUR"}, "sum(cost) / count(views)", ["views"], False),
        ({"unit": "seconds / view"}, "sum(cost) / count(views)", ["views"], False),
        ({"unit": "EUR"}, "sum(price)", ["views"], True),
        ({"unit": "USD / second"}, "sum(price) / sum(seconds)", ["views"], True),
        ({"unit": "points"}, "sum(price)", ["views"], False),
        ({"unit": "visits"}, "count(visits)", ["visits"], True),
        ({"unit": "%"}, "spend / spend", ["spend"], True),
        ({"unit": "%"}, "view_count / visit_count", ["view_count", "visit_count"], False),
        ({"unit": "%", "format": "percent"}, "view_count / visit_count", ["view_count", "visit_count"], True),
        ({"format": "percent"}, "view_count / visit_count", ["view_count", "visit_count"], True),
        ({"unit": "EUR", "format": "percent"}, "view_count / visit_count", ["view_count", "visit_count"], False),
    ],
)
def test_a_declared_unit_is_what_the_formula_gives(declared, formula, inputs, fits):
    if fits:
        kpi = resolved(formula, inputs, **declared)
        assert "unit" not in declared or str(kpi.unit) in {declared["unit"], ""}
        return
    with pytest.raises(DefinitionError) as caught:
        resolved(formula, inputs, **declared)
    assert [d.code for d in caught.value.diagnostics] == ["unit_mismatch"]


def test_a_percentage_changes_how_a_number_looks_and_nothing_else():
    plain, percent = (
        resolved("view_count / visit_count", ["view_count", "visit_count"], **given)
        for given in ({}, {"format": "percent"})
    )
    assert plain.unit == percent.unit
    assert plain.outer == percent.outer
    assert plain.additivity == percent.additivity


def test_many_kpis_over_one_another():
    kpis = {"k0": {"inputs": ["views"], "formula": "sum(seconds)"}}
    kpis |= {f"k{n}": {"inputs": {"a": f"k{n - 1}", "b": f"k{n - 1}"}, "formula": "a + b"} for n in range(1, 400)}
    catalogue = Catalogue(from_mapping({"datasets": DATASETS, "kpis": kpis}), lambda _: None)
    assert catalogue.check() == []
    assert catalogue.kpi("k399").additivity == "additive"
    assert str(catalogue.kpi("k399").unit) == "seconds"
    assert catalogue.dimensions("k399") == ("channel", "visitor")
