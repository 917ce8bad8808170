"""What an engine says of itself: KPIs described, answers labelled in a language."""

from __future__ import annotations

import duckdb
import pytest

import kpi_engine

DEFINITIONS = {
    "project": "shop",
    "parameters": {"factor": {"type": "number", "default": 2}, "unused": {"type": "number", "default": 1}},
    "datasets": {
        "sessions": {
            "key": "id", "time": "day",
            "dimensions": {"channel": {"label": {"en": "Channel", "fr": "Canal"}}, "wide": {"sql": "score * 2"}},
        },
    },
    "kpis": {
        "visits": {"inputs": ["sessions"], "formula": "count(sessions)", "label": {"en": "Visits", "fr": "Visites"}},
        "wide_visits": {"inputs": {"rows": {"from": "sessions", "where": "wide > :factor"}}, "formula": "count(rows)"},
        "twice": {"inputs": {"now": "visits", "before": {"from": "wide_visits", "offset": "1 month"}}, "formula": "now + before"},
        "broken": {"inputs": ["sessions"], "formula": "sum(amuont)", "label": {"en": "Broken", "fr": "Cassé"}},
    },
}  # fmt: skip
SESSIONS = """select * from (values (1, date '2026-01-05', 'email', 1), (2, date '2026-02-03', 'direct', 2)) as t(id, day, channel, score)"""


@pytest.fixture
def engine():
    with duckdb.connect() as connection:
        connection.execute(f"create table sessions as {SESSIONS}")
        with kpi_engine.open(DEFINITIONS, connection) as opened:
            yield opened


def test_inputs_modifiers_and_users(engine):
    found = engine.describe("twice")
    assert [(each.name, each.of, each.kind, dict(each.modifiers)) for each in found.inputs] == [
        ("now", "visits", "kpi", {}), ("before", "wide_visits", "kpi", {"offset": "1 month"}),
    ]  # fmt: skip
    assert found.dimensions == ("channel", "wide")
    assert engine.describe("visits").used_by == ("twice",)
    assert engine.describe("visits").place == ""


def test_parameters_are_found_in_conditions_and_in_kpis_below(engine):
    assert [(each.name, each.value) for each in engine.describe("twice").parameters] == [("factor", 2)]
    assert engine.describe("visits").parameters == ()


def test_what_cannot_be_computed_is_described_with_its_fault(engine):
    found = engine.describe("broken", "fr")
    assert (found.measure.label, found.formula) == ("Cassé", "sum(amuont)")
    assert found.fault is not None
    assert found.fault.code == "unknown_column"
    with pytest.raises(kpi_engine.RequestError, match="vists"):
        engine.describe("vists")


def test_an_answer_is_labelled_in_the_language_asked_for(engine):
    def labels(**options):
        result = engine.run(
            "visits", by="channel", grain="month", period="2026-Q1", compare="previous_period", **options
        )
        return [column.label for column in result.columns], result.period, result.language

    assert labels() == (
        ["Channel", "Period", "Visits", "Visits, previous period", "Visits, previous period, change"],
        "Q1 2026",
        "en",
    )
    assert labels(language="fr") == (
        ["Canal", "Période", "Visites", "Visites, période précédente", "Visites, période précédente, évolution"], "T1 2026", "fr",
    )  # fmt: skip


@pytest.mark.parametrize("compare", ["previous-year", "previous year", ["previous_year"]])
def test_a_comparison_of_a_scorecard_may_be_spelt_as_in_a_request(compare):
    definitions = {
        **DEFINITIONS,
        "roles": {"team": {}},
        "kpis": {"visits": {**DEFINITIONS["kpis"]["visits"], "role": "team"}},
    }
    with duckdb.connect() as connection:
        connection.execute(f"create table sessions as {SESSIONS}")
        with kpi_engine.open(definitions, connection) as engine:
            (card,) = engine.report(period="2026-Q1", compare=compare).sections[0].cards
    assert [each.name for each in card.comparisons] == ["previous_year"]


def test_settings_with_a_mistake_are_not_computed_with():
    with kpi_engine.open({**DEFINITIONS, "language": "de"}, {}) as engine:
        for ask in (lambda: engine.run("visits"), engine.report, lambda: engine.explain("visits")):
            with pytest.raises(kpi_engine.DefinitionError, match="language"):
                ask()
        assert [each.subject for each in engine.check() if each.severity == "error"][:1] == ["project"]
