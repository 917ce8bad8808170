"""The marketing pack holds the catalogue: every KPI, role and label, in both languages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from kpi_engine.catalogue import Catalogue
from kpi_engine.definitions.loading import load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kpi_engine.definitions.loading import Project

CATALOGUE: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parent.parent / "data" / "kpi_catalog_ids.yaml").read_text(encoding="utf-8")
)
LANGUAGES = {"en", "fr"}
DISCREDITED = {"ave", "ave_rate_card", "ave_vendor", "ave_meltwater_online"}
SIBLINGS = (
    "blog_avg_time_per_visitor",
    "blog_avg_time_per_page_view",
    "blog_traffic_share_by_page_views",
    "blog_traffic_share_by_landing_visits",
    "social_sentiment_coverage",
    "media_sentiment_coverage",
    "share_of_voice_by_reach",
    "share_of_voice_by_mentions",
    "potential_reach_outlets",
    "readership_coverage",
    "direct_requests_leads",
    "lead_to_mql_rate_period",
    "mql_to_sal_rate_period",
    "sal_to_customer_rate_period",
    "lead_to_customer_rate_period",
    "site_conversion_rate_by_visits",
    "converted_visitor_rate",
    "organic_search_visit_conversion_rate",
    "page_rank_position",
    "page_rank_score",
    "harmonic_centrality",
    "gsc_average_position",
    "purchases",
    "marketing_roi",
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Load a project that has the pack and nothing else."""
    folder = tmp_path_factory.mktemp("marketing")
    settings = "project: test\nsources: {data: {plugin: files, path: data}}\ndefinitions: [marketing]\n"
    (folder / "kpi.yaml").write_text(settings, encoding="utf-8")
    return load(folder)


def texts(project: Project) -> Iterator[tuple[str, dict[str, str]]]:
    """Go through every text that a reader of the pack can meet."""
    for section in ("datasets", "groups", "roles", "kpis", "parameters"):
        for name, model in getattr(project, section).items():
            for key in ("label", "description", "notice"):
                yield f"{section} {name} {key}", getattr(model, key, {})
    for name, dataset in project.datasets.items():
        for part in ("columns", "dimensions", "times"):
            for inner, model in getattr(dataset, part).items():
                yield f"{name}.{part}.{inner} label", model.label
                yield f"{name}.{part}.{inner} description", getattr(model, "description", {})


def test_the_pack_has_no_mistake(project: Project) -> None:
    assert [str(d) for d in project.diagnostics] == []


def test_every_name_resolves_before_any_data_are_known(project: Project) -> None:
    assert [str(d) for d in Catalogue(project, lambda _: None).check()] == []


def test_scorecards_show_the_37_kpis_of_the_catalogue_and_no_other(project: Project) -> None:
    shown = {name for name, kpi in project.kpis.items() if kpi.role}
    assert len(CATALOGUE["kpis"]) == 37
    assert shown == set(CATALOGUE["kpis"])


@pytest.mark.parametrize("name", CATALOGUE["kpis"])
def test_a_kpi_is_labelled_placed_and_judged_as_the_catalogue_says(project: Project, name: str) -> None:
    kpi, expected = project.kpis[name], CATALOGUE["kpis"][name]
    assert kpi.label == expected["label"]
    assert kpi.role == (expected["role"],)
    assert kpi.better == expected["better"]


@pytest.mark.parametrize("section", ["groups", "roles"])
def test_groups_and_roles_are_those_of_the_catalogue(project: Project, section: str) -> None:
    found = {name: model.model_dump(exclude={"override"}) for name, model in getattr(project, section).items()}
    assert found == CATALOGUE[section]


@pytest.mark.parametrize("name", SIBLINGS)
def test_a_choice_of_formula_is_a_kpi_of_its_own(project: Project, name: str) -> None:
    assert project.kpis[name].role == ()


def test_every_kpi_says_in_both_languages_what_it_is(project: Project) -> None:
    lacking = [
        name
        for name, kpi in project.kpis.items()
        if not (kpi.label.keys() == LANGUAGES == kpi.description.keys())
        or not all(text.strip() for text in (*kpi.label.values(), *kpi.description.values()))
    ]
    assert lacking == []


def test_every_dimension_dataset_and_parameter_is_named_in_both_languages(project: Project) -> None:
    lacking = [f"dataset {name}" for name, dataset in project.datasets.items() if dataset.label.keys() != LANGUAGES]
    lacking += [
        f"{name}.{inner}"
        for name, dataset in project.datasets.items()
        for inner, dimension in dataset.dimensions.items()
        if dimension.label.keys() != LANGUAGES
    ]
    lacking += [name for name, parameter in project.parameters.items() if parameter.description.keys() != LANGUAGES]
    assert lacking == []


def test_no_text_is_given_in_one_language_only(project: Project) -> None:
    assert [where for where, text in texts(project) if text and text.keys() != LANGUAGES] == []


def test_a_dimension_is_called_the_same_in_every_dataset(project: Project) -> None:
    labels: dict[str, set[str]] = {}
    for dataset in project.datasets.values():
        for name, dimension in dataset.dimensions.items():
            labels.setdefault(name, set()).add(str(sorted(dimension.label.items())))
    assert {name: found for name, found in labels.items() if len(found) > 1} == {}


def test_typography_is_that_of_the_language(project: Project) -> None:
    straight = [where for where, text in texts(project) if any(re.search(r"\w'\w", each) for each in text.values())]
    breaking = [
        where for where, text in texts(project) if re.search(r" [:;?!%»]|« |(?<![\s\u00a0])[;?!]", text.get("fr", ""))
    ]
    assert (straight, breaking) == ([], [])


def test_every_companion_is_a_kpi_that_has_the_same_dimensions(project: Project) -> None:
    catalogue = Catalogue(project, lambda _: None)
    companions = {name: kpi.quality for name, kpi in project.kpis.items() if kpi.quality}
    assert companions.keys() >= {
        "blog_avg_time",
        "social_positive_mention_share",
        "media_net_sentiment",
        "potential_reach",
    }
    assert [name for name in companions.values() if name not in project.kpis] == []
    lacking = {
        name: missing
        for name, companion in companions.items()
        if (missing := set(catalogue.dimensions(name)) - set(catalogue.dimensions(companion)))
    }
    assert lacking == {}


def test_the_values_of_coverage_as_advertising_carry_a_warning(project: Project) -> None:
    flagged = {name for name, kpi in project.kpis.items() if kpi.status == "deprecated_practice"}
    assert flagged == DISCREDITED
    assert all(project.kpis[name].notice.keys() == LANGUAGES for name in flagged)


def test_what_costs_is_unknown_where_nothing_is_recorded(project: Project) -> None:
    assert {name for name, kpi in project.kpis.items() if kpi.empty == "unknown"} == {
        "marketing_spend",
        "social_spend",
        "social_community_size",
    }


def test_what_means_nothing_in_total_needs_its_split(project: Project) -> None:
    splits = {name: kpi.split for name, kpi in project.kpis.items() if kpi.role and kpi.split}
    assert splits == {"visits_by_channel": ("channel",), "page_rank": ("page",)}
