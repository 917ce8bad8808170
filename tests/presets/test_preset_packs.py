"""What holds of every preset: it stands alone, fits beside the others, and speaks both languages."""

from __future__ import annotations

import re

import pytest

from kpi_engine.definitions import from_mapping, packs

PRESETS = ("ga4", "google_ads", "hubspot", "meltwater", "meta_ads", "salesforce", "search_console")
LANGUAGES = {"en", "fr"}


def loaded(*names):
    return from_mapping({"project": "p", "definitions": list(names)})


def texts(project):
    """List every label and description, and where it stands."""
    for name, dataset in project.datasets.items():
        yield name, dataset.label
        yield f"{name} description", dataset.description
        for inner, dimension in dataset.dimensions.items():
            yield f"{name}.{inner}", dimension.label
        for inner, column in dataset.columns.items():
            yield from ((f"{name}.{inner}", text) for text in (column.label, column.description) if text)


def test_presets_are_packs():
    assert set(PRESETS) <= set(packs.names())


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_stands_alone(name):
    project = loaded(name)
    assert [str(each) for each in project.diagnostics] == []
    assert project.datasets
    assert not project.kpis


def test_presets_fit_beside_one_another_and_the_marketing_pack():
    assert [str(each) for each in loaded("marketing", *PRESETS).diagnostics] == []


@pytest.mark.parametrize("name", PRESETS)
def test_every_text_is_in_both_languages_with_their_typography(name):
    found = list(texts(loaded(name)))
    assert [where for where, text in found if text.keys() != LANGUAGES] == []
    french = [where for where, text in found if re.search(r" [:;?!%»]|« |(?<![\s\u00a0])[;?!]", text.get("fr", ""))]
    straight = [where for where, text in found if any(re.search(r"\w'\w", each) for each in text.values())]
    assert (french, straight) == ([], [])
