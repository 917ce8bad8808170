"""Definitions given as a Python mapping."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_engine.definitions import from_mapping

KPI = "{inputs: [page_views], formula: count(page_views)}"


def found(project) -> list[tuple[str, str]]:
    return [(each.code, each.subject) for each in project.diagnostics]


MAPPING = {
    "project": "embedded",
    "calendar": {"timezone": "Europe/Paris"},
    "sources": {"here": {"plugin": "arrow", "tables": object()}},
    "datasets": {"page_views": {"table": "t", "key": ("id",), "dimensions": ["section"]}},
    "kpis": {"visits": {"inputs": ["page_views"], "formula": "count(page_views)"}},
    "parameters": {"factor": {"type": "number"}},
}


def test_definitions_as_a_mapping():
    loaded = from_mapping(MAPPING)
    assert found(loaded) == []
    assert loaded.settings.project == "embedded"
    assert loaded.settings.calendar.timezone == "Europe/Paris"
    assert loaded.datasets["page_views"].key == ("id",)
    assert list(loaded.kpis) == ["visits"]
    assert loaded.origins[("kpis", "visits")] == "the definitions given"


def test_a_mapping_needs_no_settings():
    loaded = from_mapping({"kpis": MAPPING["kpis"]})
    assert found(loaded) == []
    assert loaded.settings.project == "project"


def test_a_parameter_of_a_mapping_is_declared_or_given():
    loaded = from_mapping({"parameters": {"factor": {"type": "number"}, "other": 5}})
    assert found(loaded) == [("unknown_parameter", "parameter other")]
    assert list(loaded.parameters) == ["factor"]


def test_a_mapping_may_name_packs_and_with_a_root_folders(write_project, shelf):  # noqa: ARG001
    assert list(from_mapping({"definitions": "base"}).kpis) == ["visits", "leads"]
    root = write_project({"definitions/a.yaml": f"kpis:\n  own: {KPI}\n"})
    assert found(from_mapping({"definitions": "definitions"})) == [("unknown_pack", "file definitions")]
    loaded = from_mapping(
        {"definitions": ["definitions", "base"], "kpis": {"more": {"inputs": ["own"], "formula": "own"}}}, root
    )
    assert found(loaded) == []
    assert sorted(loaded.kpis) == ["leads", "more", "own", "visits"]


CYCLE: dict = {}
CYCLE["kpis"] = CYCLE
BUSHY: object = "x"
for _ in range(30):
    BUSHY = [BUSHY] * 9


@pytest.mark.parametrize(
    ("definitions", "code"),
    [
        ({"kpis": {1: {}}}, "key_not_text"),
        ({1: {}}, "key_not_text"),
        ({"kpis": {"a\u202e": {}}}, "hidden_character"),
        ({"kpis": {"k" * 300: {}}}, "key_too_long"),
        ({"kpis": {"a": {"inputs": ["b"], "formula": float("nan")}}}, "not_finite"),
        ({"kpis": {"a": {"inputs": ["b"], "formula": 10**5000}}}, "number_too_long"),
        ({"kpis": {"a": {"inputs": ["b"], "formula": "a\0"}}}, "control_character"),
        ({"kpis": {"a": {"inputs": ["b"], "formula": b"a"}}}, "wrong_type"),
        ({"kpis": {"a": {"inputs": ["b"], "formula": 5}}}, "wrong_type"),
        ({"kpis": ["a"]}, "wrong_type"),
        ({"kpys": {}}, "unknown_key"),
        ({"langage": "fr"}, "unknown_key"),
        ({"language": "de"}, "bad_value"),
        ({"datasets": {"a": {"options": BUSHY}}}, "too_many_nodes"),
        (CYCLE, "too_deep"),
    ],
)  # fmt: skip
def test_a_mapping_is_held_to_what_a_file_may_hold(definitions, code):
    loaded = from_mapping(definitions)
    assert code in [each.code for each in loaded.diagnostics]
    assert all(each.place is None for each in loaded.diagnostics)
    assert all(str(each) for each in loaded.diagnostics)


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.binary(max_size=2)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                [
                    "inputs",
                    "formula",
                    "from",
                    "where",
                    "label",
                    "en",
                    "columns",
                    "times",
                    "type",
                    "default",
                    "window",
                    "a",
                    "B",
                ]
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "kpis",
                "datasets",
                "roles",
                "groups",
                "parameters",
                "project",
                "language",
                "sources",
                "definitions",
                "calendar",
                "x",
            ]
        ),
        st.one_of(VALUES, st.dictionaries(st.sampled_from(["a", "b", "A", "a__b"]), VALUES, max_size=3)),
        max_size=5,
    )
)
def test_no_mapping_raises_anything(definitions):
    loaded = from_mapping(definitions)
    assert all(each.code and str(each) for each in loaded.diagnostics)
    for section in ("kpis", "datasets", "roles", "groups", "parameters"):
        assert not {f"{section[:-1]} {name}" for name in getattr(loaded, section)} & loaded.broken
