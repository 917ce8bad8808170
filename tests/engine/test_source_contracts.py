"""What a source says of its figures holds as if the dataset declared it, and the engine acts on it."""

from __future__ import annotations

import json

import pytest

import kpi_engine
from kpi_engine import DefinitionError
from kpi_engine.api import DataError, PluginError

SOURCE = """
from arro3.core import Array, DataType, Table as Arrow
from pydantic import BaseModel
from kpi_engine.api import Contract, Table, hookimpl

class Ads:
    name = "ads"
    class Config(BaseModel):
        pass
    def __init__(self, config, context): pass
    def tables(self): return [Table("posts")]
    def scan(self, scan):
        days = ["2026-01-05", "2026-01-06", "2026-02-20", "2026-02-27"]
        return Arrow.from_pydict({
            "day": Array(days, DataType.string()), "reach": Array([10, 20, 30, 40], DataType.int64()),
            "followers": Array([1, 2, 3, 4], DataType.int64()), "clicks": Array([1, 1, 2, 4], DataType.int64()),
            "cost": Array([1.0, 2.0, 3.0, 4.0], DataType.float64()), "money": Array(["EUR", "EUR", "USD", "USD"], DataType.string()),
            "seen": Array([0, 0, 0, 0], DataType.int64()),
            "seen_at": Array(days, DataType.string()).cast(DataType.date32()),
        })
    def contract(self, table):
        return TERMS

@hookimpl
def sources():
    return [Ads]
"""
TERMS = """{
    "reach": Contract(additivity="non_additive"), "followers": Contract(additivity="semi_additive"),
    "clicks": Contract(unit="clicks", restated="10 days", sampled="1 in 10 posts"), "Cost": Contract(currency="money"),
}"""
POSTS = {"table": "posts", "time": "day", "columns": {"day": {"type": "date"}}}
AS_OF = "2026-03-01"


@pytest.fixture
def project(tmp_path):
    """Open a project over the source, with KPIs by their formulas."""
    engines = []

    def opened(formulas, *, terms=TERMS, posts=POSTS, more=None, inputs=("posts",)):
        (tmp_path / "plugins").mkdir(exist_ok=True)
        (tmp_path / "plugins" / "ads.py").write_text(SOURCE.replace("TERMS", terms, 1))
        settings = {
            "project": "p",
            "sources": {"vendor": {"plugin": "ads"}},
            "datasets": {"posts": posts, **(more or {})},
        }
        settings["kpis"] = {
            name: {"inputs": inputs if isinstance(inputs, dict) else list(inputs), "formula": formula}
            for name, formula in formulas.items()
        }
        definitions = {key: settings.pop(key) for key in ("datasets", "kpis")}
        (tmp_path / "kpi.yaml").write_text(json.dumps(settings))
        (tmp_path / "definitions").mkdir(exist_ok=True)
        (tmp_path / "definitions" / "all.yaml").write_text(json.dumps(definitions))
        engines.append(kpi_engine.open(tmp_path))
        return engines[-1]

    yield opened
    for each in engines:
        each.close()


def codes(engine):
    return {each.subject: each.code for each in engine.check() if each.severity == "error"}


@pytest.mark.parametrize(
    ("formula", "is_refused"),
    [
        ("sum(reach)", True),
        ("sum(reach * 2)", True),
        ("sum(case when clicks > 1 then reach else 0 end)", True),
        ("sum(coalesce(reach, 0) + clicks)", True),
        ("sum(case when reach > 15 then clicks end)", False),
        ("max(reach)", False),
        ("avg(reach)", False),
        ("count(distinct reach)", False),
        ("sum(clicks)", False),
        ("sum(followers)", True),
    ],
)
def test_what_may_not_be_added_up_is_refused_before_it_is_computed(project, formula, is_refused):
    engine = project({"k": formula})
    assert codes(engine) == ({"kpi k": "not_addable"} if is_refused else {})
    if not is_refused:
        engine.run("k", as_of=AS_OF)
        return
    with pytest.raises(DefinitionError, match="the source `vendor` says so"):
        engine.run("k", as_of=AS_OF)


def test_levels_are_added_up_where_they_are_taken_as_levels(project):
    posts = {**POSTS, "snapshot": {"of": ["seen"]}}
    engine = project({"k": "sum(followers)", "r": "sum(reach)"}, posts=posts)
    assert codes(engine) == {"kpi r": "not_addable"}
    assert engine.run("k", period="2026-01", as_of=AS_OF).rows() == [{"k": 2}]


def test_the_dataset_may_say_it_of_a_source_without_a_contract(project):
    posts = {**POSTS, "columns": {**POSTS["columns"], "seen": {"additivity": "non_additive"}}}
    engine = project({"k": "sum(seen)"}, terms="{}", posts=posts)
    assert codes(engine) == {"kpi k": "not_addable"}
    assert "the dataset `posts` declares so" in str(engine.check()[0])


def test_units_and_currencies_hold_as_if_they_were_declared(project):
    engine = project({"clicks": "sum(clicks)", "cost": "sum(cost)", "both": "sum(cost) + sum(clicks)"})
    assert engine.measure("clicks").unit == "clicks"
    assert engine.run("cost", period="2026-01", as_of=AS_OF).rows() == [{"cost": 3.0}]
    with pytest.raises(DataError) as caught:
        engine.run("cost", period="2026", as_of=AS_OF)
    assert caught.value.code == "mixed_currencies"


@pytest.mark.parametrize(
    ("column", "said"),
    [
        ({"clicks": {"unit": "taps"}}, "contradicts_source"),
        ({"reach": {"additivity": "additive"}}, "contradicts_source"),
        ({"clicks": {"unit": "clicks", "sampled": "all", "restated": "1 day"}}, None),
    ],
)
def test_a_dataset_that_says_otherwise_is_refused(project, column, said):
    engine = project({"k": "sum(reach)"}, posts={**POSTS, "columns": {**POSTS["columns"], **column}})
    assert codes(engine).get("dataset posts") == said
    with pytest.raises(DefinitionError) as caught:
        engine.run("k", as_of=AS_OF)
    assert caught.value.code == (said or "not_addable")


def test_what_is_made_of_a_table_inherits_its_terms_and_may_say_otherwise(project):
    more = {
        "made": {"sql": "select day, reach, clicks from posts", "time": "day", "columns": {"day": {"type": "date"}}},
        "own": {"sql": "select day, max(reach) as reach from posts group by day", "time": "day",
                "columns": {"day": {"type": "date"}, "reach": {"additivity": "additive"}}},
    }  # fmt: skip
    engine = project({"k": "sum(reach)"}, more=more, inputs=("made",))
    assert codes(engine) == {"kpi k": "not_addable"}
    engine = project({"k": "sum(reach)"}, more=more, inputs=("own",))
    assert codes(engine) == {}


def test_what_a_dataset_declares_is_inherited_by_what_is_made_of_it(project):
    columns = {
        **POSTS["columns"],
        "seen": {"additivity": "non_additive", "unit": "views"},
        "clicks": {"restated": "3 days"},
    }
    more = {
        "made": {"sql": "select * from posts", "time": "day", "columns": {"day": {"type": "date"}}},
        "again": {"sql": "select day, seen, clicks from made", "time": "day", "columns": {"day": {"type": "date"}}},
        "own": {"sql": "select day, max(seen) as seen from made group by day", "time": "day",
                "columns": {"day": {"type": "date"}, "seen": {"additivity": "additive"}}},
        "more": {"sql": "select day, seen from own", "time": "day", "columns": {"day": {"type": "date"}}},
    }  # fmt: skip
    posts = {**POSTS, "columns": columns}
    for name in ("made", "again"):
        engine = project({"k": "sum(seen)"}, terms="{}", posts=posts, more=more, inputs=(name,))
        assert codes(engine) == {"kpi k": "not_addable"}
        assert "the dataset `posts` declares so" in str(engine.check()[0])
    engine = project({"k": "sum(seen)"}, terms="{}", posts=posts, more=more, inputs=("more",))
    assert codes(engine) == {}
    engine = project({"k": "sum(clicks)"}, terms="{}", posts=posts, more=more, inputs=("again",))
    rows = engine.run("k", grain="month", period="2026-01..2026-02", as_of=AS_OF).provisional
    assert rows


def test_all_rows_of_a_dataset_may_still_change(project):
    days = {"day": {"type": "date"}}
    posts = {**POSTS, "restated": "2 months"}
    more = {
        "made": {"sql": "select day, clicks from posts", "time": "day", "columns": days},
        "again": {"sql": "select day from made", "time": "day", "columns": days},
        "shorter": {"sql": "select day from made", "time": "day", "columns": days, "restated": "1 day"},
    }  # fmt: skip
    for name in ("posts", "made", "again"):
        engine = project({"k": f"count({name})"}, terms="{}", posts=posts, more=more, inputs=(name,))
        assert "2 months" in engine.run("k", period="2026-01", as_of=AS_OF).provisional, name
    engine = project({"k": "count(shorter)"}, terms="{}", posts=posts, more=more, inputs=("shorter",))
    assert not engine.run("k", period="2026-01", as_of=AS_OF).provisional
    assert "1 day" in engine.run("k", period="2026-03", as_of=AS_OF).provisional


def test_a_length_of_change_that_is_none_is_refused(project):
    engine = project({"k": "count(posts)"}, terms="{}", posts={**POSTS, "restated": "soon"})
    assert codes(engine)["dataset posts"] == "bad_duration"


def test_of_two_lengths_of_change_the_longer_one_is_inherited(project):
    days = {"day": {"type": "date"}}
    more = {
        "short": {"sql": "select day, clicks from posts", "time": "day", "columns": {**days, "clicks": {"restated": "3 days"}}},
        "long": {"sql": "select day, clicks from posts", "time": "day", "columns": {**days, "clicks": {"restated": "2 months"}}},
        "both": {"sql": "select * from short union all select * from long", "time": "day", "columns": days},
    }  # fmt: skip
    engine = project({"k": "sum(clicks)"}, terms="{}", more=more, inputs=("both",))
    assert engine.run("k", period="2026-01", as_of=AS_OF).provisional


def test_recent_periods_are_provisional(project):
    engine = project({"k": "sum(clicks)", "n": "max(reach)"})
    result = engine.run("k", grain="week", period="2026-01-05..2026-03-01", as_of="2026-03-01")
    (period,) = [each for each in result.columns if each.role == "period"]
    assert (
        period.provisional_from == "2026-02-16"
    )  # that week ends on 23 February, after 19 February: ten days before 2 March
    assert "10 days" in result.provisional
    assert "(provisional)" in engine.render(result, "table").decode()
    assert json.loads(engine.render(result, "json"))["provisional_from"] == "2026-02-16"
    head, *rows = engine.render(result, "csv").decode().split()
    assert head == "period,k,provisional"
    assert [row.rsplit(",", 1)[1] for row in rows] == ["false"] * 6 + ["true"] * 2
    assert engine.run("n", period="2026", as_of=AS_OF).provisional == ""
    assert engine.run("k", period="2026-01", as_of=AS_OF).provisional == ""
    french = engine.run("k", period="2026-02", as_of=AS_OF, language="fr")
    assert french.provisional == "Provisoire : une source modifie encore ses chiffres pendant 10 jours."
    assert "Provisoire" in engine.render(french, "html").decode()
    assert engine.render(french, "csv").decode().startswith("k,provisional\r\n")
    late = engine.render(
        engine.run("k", grain="week", period="2026-02-09..2026-03-01", as_of="2026-02-26"), "csv"
    ).decode()
    assert [row.split(",", 2)[2] for row in late.split()] == [
        "unfinished,provisional",
        "false,false",
        "false,true",
        "true,true",
    ]
    final = engine.run("k", grain="month", period="2026-01", as_of=AS_OF)
    assert engine.render(final, "csv").decode().startswith("period,k\r\n")


def test_all_rows_of_a_table_may_be_provisional_and_estimated(project):
    engine = project({"n": "count(posts)"}, terms='{"*": Contract(restated="1 month", sampled="half")}')
    assert engine.run("n", period="2026-02", as_of=AS_OF).provisional
    assert engine.measure("n").notice == "Estimated from a sample: half."


def test_samples_are_said_of_the_kpi(project):
    engine = project({"k": "sum(clicks)", "of_it": "avg(clicks)"})
    assert engine.measure("k").notice == "Estimated from a sample: 1 in 10 posts."
    assert engine.measure("k", "fr").notice == "Estimé sur un échantillon : 1 in 10 posts."


@pytest.mark.parametrize(
    "terms",
    ["[]", "{'reach': 5}", "{'reach': Contract(unit='EUR //')}", "{'reach': Contract(zone='Mars/Olympus')}",
     "{'reach': Contract(restated='long')}", "{'reach': Contract(additivity='sometimes')}", "1/0",
     "{'*': Contract(zone='Europe/Paris')}", "{'*': Contract(additivity='non_additive', sampled='1 in 2')}"],
)  # fmt: skip
@pytest.mark.parametrize("posts", [POSTS, {"table": "posts", "time": "seen_at"}])
def test_a_contract_that_is_none_is_the_plugins_fault(project, terms, posts):
    """Also of a dataset that declares no column, of which the contract says all."""
    engine = project({"k": "max(reach)"}, terms=terms, posts=posts)
    assert [each.code for each in engine.check()] == ["plugin_failed"]
    with pytest.raises(PluginError, match="`ads`") as caught:
        engine.run("k", as_of=AS_OF)
    assert caught.value.code == "plugin_failed"


def test_any_mapping_is_a_contract(project):
    terms = "__import__('types').MappingProxyType({'reach': Contract(additivity='non_additive')})"
    with pytest.raises(DefinitionError, match="may not be added up"):
        project({"k": "sum(reach)"}, terms=terms).run("k", as_of=AS_OF)


def test_a_contract_that_cannot_be_said_once_is_asked_for_again(project, tmp_path):
    """Without it a sum would be computed that the source forbids."""
    terms = "__import__('pathlib').Path('terms.json').read_text() and {'reach': Contract(additivity='non_additive')}"
    engine = project({"k": "sum(reach)"}, terms=terms.replace("terms.json", str(tmp_path / "terms.json")))
    assert set(codes(engine).values()) <= {"plugin_failed"}
    for _ in range(2):
        with pytest.raises(PluginError, match="FileNotFoundError"):
            engine.run("k", as_of=AS_OF)
    (tmp_path / "terms.json").write_text("1")
    with pytest.raises(DefinitionError, match="may not be added up"):
        engine.run("k", as_of=AS_OF)


def test_a_column_that_only_an_input_asks_for_is_used_too(project):
    engine = project({"k": "count(x)"}, inputs={"x": {"from": "posts", "where": "clicks > 1"}})
    assert "10 days" in engine.run("k", period="2026-02", as_of=AS_OF).provisional
    assert engine.measure("k").notice == "Estimated from a sample: 1 in 10 posts."
