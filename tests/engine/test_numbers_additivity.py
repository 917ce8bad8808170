"""Over what numbers may be added up: declared where it cannot be inferred, looked at in the data, and said beside each answer."""

from __future__ import annotations

import json

import pytest
from number_projects import LATE, by_member, opened

from kpi_engine import DataError, DefinitionError, RequestError

VISITS = """
    (1, 'ann', 'FR', 'home', '2026-01-01'), (2, 'ann', 'FR', 'shop', '2026-01-02'), (3, 'bob', 'US', 'home', '2026-01-02'), (4, 'bob', 'US', 'home', '2026-02-02'),
    (5, NULL, 'FR', 'home', '2026-01-03'), (6, NULL, 'US', 'home', '2026-01-03'), (7, 'eve', NULL, 'shop', '2026-01-04')"""  # fmt: skip
DATASETS = {"visits": {"table": "visit", "key": "id", "time": "day", "dimensions": ["country", "page"]}}
VISITORS = {"inputs": ["visits"], "formula": "count(distinct visitor)", "additive_over": "country"}


def project(kpis, visits=VISITS, **datasets):
    tables = {"visit": ("id int, visitor varchar, country varchar, page varchar, day date", visits)}
    return opened(tables, {**DATASETS, **datasets}, kpis)


def test_what_the_data_confirm_is_said_and_adds_up():
    with project({"visitors": VISITORS}) as engine:
        result = engine.run("visitors", by="country", as_of=LATE)
        found = by_member(result, "country", "visitors")
        assert found == {"FR": 1, "US": 1, None: 1}
        assert sum(found.values()) == result.totals()["visitors"] == 3
        measure = result.measure("visitors")
        assert (measure.additivity, measure.additive_over) == ("non_additive", ("country",))
        assert measure.adds_up_over("country")
        assert not measure.adds_up_over("page")
        assert not measure.adds_up_over("period")
        assert engine.check(live=True) == []


@pytest.mark.parametrize(
    ("row", "example"),
    [("(8, 'ann', 'US', 'home', '2026-03-01')", "ann / FR / US"), ("(8, 'bob', NULL, 'home', '2026-03-01')", "bob / US / unknown"),
     ("(8, 'ann', 'US', 'x', '2026-03-01'), (9, 'bob', 'FR', 'x', '2026-03-01')", "ann / FR / US, bob / FR / US")],
)  # fmt: skip
def test_what_the_data_contradict_is_an_error_with_examples(row, example):
    with project({"visitors": VISITORS, "n": "count(visits)"}, f"{VISITS}, {row}") as engine:
        with pytest.raises(DataError, match=example) as caught:
            engine.run(["visitors", "n"], by="country", as_of=LATE)
        assert caught.value.code == "additivity_contradicted"
        assert engine.run("visitors", by="page", as_of=LATE).rows(), "another split relies on nothing"
        assert engine.run("visitors", as_of=LATE).totals() == {"visitors": 3}
        said = engine.check(live=True)
        assert [(d.code, d.severity, d.subject) for d in said] == [("additivity_contradicted", "error", "kpi visitors")]
        assert engine.check() == []


def test_it_is_looked_at_again_when_the_data_change():
    with project({"visitors": VISITORS}) as engine:
        assert len(engine.run("visitors", by="country", as_of=LATE)) == 3
        engine.run("visitors", by="country", as_of=LATE)
        engine._database._given.execute("INSERT INTO visit VALUES (9, 'ann', 'US', 'home', '2026-01-01')")
        with pytest.raises(DataError) as caught:
            engine.run("visitors", by="country", as_of=LATE)
        assert caught.value.code == "additivity_contradicted"


def test_only_the_rows_that_are_counted_are_looked_at():
    kpi = {
        "inputs": {"v": {"from": "visits", "where": "page = 'home'"}},
        "formula": "count(distinct v.visitor) filter (where id < 100)",
        "additive_over": ["country"],
    }
    rows = f"{VISITS}, (8, 'ann', 'US', 'shop', '2026-03-01'), (100, 'ann', 'US', 'home', '2026-03-01'), (101, 'bob', 'FR', 'home', NULL)"
    with project({"visitors": kpi}, rows) as engine:
        assert by_member(engine.run("visitors", by="country", as_of=LATE), "country", "visitors")["FR"] == 1


def test_over_joins_and_through_other_kpis():
    datasets = {
        "visits": {
            **DATASETS["visits"],
            "joins": {"who": {"to": "people", "keys": {"visitor": "name"}}},
            "dimensions": {"country": "who.country", "page": None},
        },
        "people": {"table": "person", "key": "name"},
    }
    tables = {"visit": ("id int, visitor varchar, page varchar, day date", "(1, 'ann', 'a', '2026-01-01'), (2, 'ann', 'b', '2026-01-02'), (3, 'bob', 'a', '2026-01-02')"),
              "person": ("name varchar, country varchar", "('ann', 'FR'), ('bob', 'US')")}  # fmt: skip
    twice = {"inputs": {"a": "visitors", "b": {"from": "visitors", "where": "page = 'a'"}}, "formula": "a + b"}
    visitors = {"inputs": ["visits"], "formula": "count(distinct visitor)"}
    kpis = {
        "visitors": visitors,
        "by_country": {**twice, "additive_over": "country"},
        "by_page": {**twice, "additive_over": "page"},
    }
    with opened(tables, datasets, kpis) as engine:
        assert by_member(engine.run("by_country", by="country", as_of=LATE), "country", "by_country") == {
            "FR": 2,
            "US": 2,
        }
        with pytest.raises(DataError, match="ann / a / b"):
            engine.run("by_page", by="page", as_of=LATE)


@pytest.mark.parametrize(
    ("kpi", "reason"),
    [
        ({"formula": "count(distinct visitor) / count(visits)"}, "a ratio"),
        ({"formula": "avg(id)"}, "an average"),
        ({"formula": "max(id) + count(visits)"}, "a largest value"),
        ({"formula": "count(v)", "inputs": {"v": {"from": "visits", "per": "visitor"}}}, "one value for each visitor"),
        (
            {"formula": "count(distinct v.visitor)", "inputs": {"v": {"from": "visits", "across": "page"}}},
            "ignores a dimension",
        ),
    ],
)
def test_what_can_never_add_up_is_refused(kpi, reason):
    with project({"k": {"inputs": ["visits"], "additive_over": "country", **kpi}}) as engine:
        assert [(d.code, reason in d.message) for d in engine.check()] == [("not_additive", True)]
        with pytest.raises(DefinitionError):
            engine.run("k", by="country")


def test_a_dimension_that_the_kpi_lacks_is_refused():
    with project({"k": {**VISITORS, "additive_over": ["county"]}}) as engine:
        assert [(d.code, "country" in d.hint) for d in engine.check()] == [("missing_dimension", True)]


def test_a_sum_may_be_declared_to_add_up_and_says_nothing_new():
    with project({"n": {"inputs": ["visits"], "formula": "count(visits)", "additive_over": "country"}}) as engine:
        measure = engine.run("n", by="country", as_of=LATE).measure("n")
        assert (measure.additivity, measure.additive_over) == ("additive", ())
        assert all(measure.adds_up_over(name) for name in ("country", "page", "period"))


def test_a_result_says_of_each_kpi_whether_it_adds_up():
    levels = {"table": "visit", "time": "day", "snapshot": {"of": "visitor"}, "dimensions": ["country"]}
    kpis = {
        "visitors": VISITORS,
        "level": {"inputs": ["levels"], "formula": "sum(id)"},
        "rate": "count(distinct visitor) / count(visits)",
    }
    with project(kpis, levels=levels) as engine:
        result = engine.run(list(kpis), by="country", grain="month", period="2026-01", as_of=LATE)
        assert result.measure("level").adds_up_over("country")
        assert not result.measure("level").adds_up_over("period")
        assert not result.measure("rate").adds_up_over("country")
        with pytest.raises(RequestError, match="visitor"):
            result.measure("visitor")
        document = json.loads(engine.render(result, "json"))
        assert document["measures"]["visitors"] == {
            "unit": "",
            "format": "number",
            "additivity": "non_additive",
            "additive_over": ["country"],
        }
        assert document["measures"]["level"]["additivity"] == "semi_additive"


def test_why_not_is_described():
    kpis = {
        "visitors": VISITORS,
        "rate": "count(distinct visitor) / count(visits)",
        "n": "count(visits)",
        "above": {"inputs": ["rate"], "formula": "rate"},
    }
    with project(kpis) as engine:
        assert {kpi: engine.describe(kpi).not_additive for kpi in kpis} == {
            "visitors": "things that occur in several groups are counted in each", "rate": "it is a ratio", "n": "", "above": "it is a ratio",
        }  # fmt: skip


@pytest.mark.parametrize("output", ["table", "csv", "json", "html"])
def test_no_output_adds_up_what_does_not(output):
    """Two visitors came to both pages, one to one: 3 in all, and 5 nowhere."""
    rows = ", ".join(
        f"({n}, '{who}', 'FR', '{page}', '2026-01-01')"
        for n, (who, page) in enumerate([("a", "x"), ("a", "y"), ("b", "x"), ("b", "y"), ("c", "x")])
    )
    with project({"visitors": {**VISITORS, "additive_over": []}}, rows) as engine:
        result = engine.run("visitors", by="page", as_of="2026-02-03")
        assert by_member(result, "page", "visitors") == {"x": 3, "y": 2}
        text = engine.render(result, output).decode()
        assert result.totals() == {"visitors": 3}
        assert ">5<" not in text
        assert not any(line.split() in (["Total", "5"], ["5"]) or line.endswith(",5") for line in text.splitlines())
