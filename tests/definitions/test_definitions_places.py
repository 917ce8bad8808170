"""From a path back to file, line and column, and from an offset in a text to its very character."""

from __future__ import annotations

import pytest
import yaml as pyyaml
from hypothesis import assume, given
from hypothesis import strategies as st

from kpi_engine.definitions import load
from kpi_engine.definitions.yaml import read

KPIS = """\
kpis:
  visits:
    inputs:
      blog: {from: page_views, where: "section = 'blog'"}
      every: page_views
    formula: sum(blog.seconds) / count(every)
    label:
      en: Visits
      fr:
    role: [seo, content]
    description: |
      First line

        second line
    notice: >-
      some words
      that go on

      and on
"""


def located(text: str):
    document = read(text.encode(), "a.yaml")
    assert not document.mistakes
    return document.located


def underlined(place) -> str:
    return place.text[place.column - 1 : place.column - 1 + place.length]


@pytest.fixture
def visits():
    return located(KPIS).child("kpis", "visits")


@pytest.mark.parametrize(
    ("path", "key", "value"),
    [
        ((), "visits", "inputs:"),
        (("formula",), "formula", "sum(blog.seconds) / count(every)"),
        (("inputs", "blog"), "blog", "{from: page_views, where: \"section = 'blog'\"}"),
        (("inputs", "blog", "where"), "where", "\"section = 'blog'\""),
        (("inputs", "blog", "from"), "from", "page_views"),
        (("label", "en"), "en", "Visits"),
        (("role", 1), "content", "content"),
    ],
)
def test_keys_and_values_are_found(visits, path, key, value):
    assert underlined(visits.key(*path)) == key
    assert underlined(visits.value(*path)) == value
    assert visits.key(*path).file == "a.yaml"


def test_a_value_that_is_not_there_is_shown_by_its_key(visits):
    assert underlined(visits.value("label", "fr")) == "fr"


def test_a_path_that_leads_nowhere_gives_the_nearest_thing_around_it(visits):
    assert underlined(visits.key("inputs", "blog", "wher")) == "blog"
    assert underlined(visits.value("inputs", "blog", "wher")).startswith("{from")
    assert underlined(visits.key("unit")) == "visits"


def test_the_short_forms_of_the_language_are_understood(visits):
    assert underlined(visits.value("inputs", "every", "from")) == "page_views"
    assert underlined(visits.value("role", "seo")) == "seo"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (("formula",), ["sum", "blog", "seconds", "count", "every"]),
        (("inputs", "blog", "where"), ["section", "=", "'blog'"]),
        (("description",), ["First", "line", "second"]),
        (("notice",), ["some", "words", "that", "on"]),
    ],
)
def test_a_word_inside_a_text_is_underlined_exactly(visits, path, words):
    text = visits.spot_of(*path).text
    for word in words:
        assert underlined(visits.within(path, text.index(word), len(word))) == word


def test_an_offset_at_the_end_of_a_formula_stands_behind_it(visits):
    formula = visits.spot_of("formula").text
    place = visits.within(("formula",), len(formula))
    assert place.column == visits.value("formula").column + len(formula)


def test_a_stretch_over_two_lines_is_shown_by_its_first(visits):
    text = visits.spot_of("notice").text
    place = visits.within(("notice",), text.index("words"), len("words that"))
    assert underlined(place) == "words"


def test_the_inside_of_a_mapping_is_the_mapping(visits):
    assert visits.within(("inputs", "blog"), 3) == visits.value("inputs", "blog")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("a: 'it''s here'", "here"),
        ("a: '''x'' = here'", "here"),
        ('a: "tab\\there"', "here"),
        ('a: "\\u00e9\\x41\\U0001F600here"', "here"),
        ('a: "one \\\n  two\\\n   here"', "here"),
        ("a: one\n  two\n\n  here", "here"),
        ("a: 'one\n\n\n  here'", "here"),
        ("a: |2-\n    two\n    here", "here"),
        ("a: |+\n\n\n  here\n\n", "here"),
        ("a: > # a comment\n  one\n  two\n    three\n\n  here", "here"),
        ("a:   \n     here", "here"),
        ("{a: one here, b: 1}", "here"),
        ('"a" : "😀 here"', "here"),
        ("a: one\r\n  here\r\n", "here"),
    ],
)
def test_every_way_to_write_a_text_keeps_its_places(text, word):
    place = located(text)
    value = place.spot_of("a").text
    assert underlined(place.within(("a",), value.index(word), len(word))) == word


@given(st.text("ab ='\"\\(),\n é😀#:", min_size=1, max_size=40), st.sampled_from([None, "'", '"', "|", ">"]))
def test_every_visible_character_is_found(text, style):
    written = pyyaml.dump({"a": {"b": text}}, default_style=style, allow_unicode=True, width=20)
    document = read(written.encode(), "a.yaml")
    assume(not document.mistakes and document.value is not None and isinstance(document.value["a"], dict))
    spot = document.located.spot_of("a", "b")
    assume(spot is not None)
    escaped = '"\\' if spot.style == '"' else ""
    for offset, char in enumerate(spot.text):
        place = document.located.within(("a", "b"), offset)
        shown = place.text[place.column - 1 : place.column]
        if char.isspace() or char in escaped or (spot.style == '"' and shown == "\\"):
            continue
        assert shown == char, (written, offset, char)


def test_places_of_a_project_begin_with_the_section(tmp_path):
    (tmp_path / "kpi.yaml").write_text("project: acme\nsources:\n  web: {plugin: files, path: data}\n")
    (tmp_path / "definitions").mkdir()
    (tmp_path / "definitions" / "a.yaml").write_text(KPIS)
    places = load(tmp_path).places
    assert underlined(places.key("kpis", "visits", "formula")) == "formula"
    assert underlined(places.value("kpis", "visits", "inputs", "blog", "from")) == "page_views"
    assert underlined(places.within(("kpis", "visits", "formula"), 4, 4)) == "blog"
    assert places.key("kpis", "visits").file == str(tmp_path / "definitions" / "a.yaml")
    assert underlined(places.value("sources", "web", "plugin")) == "files"
    assert underlined(places.value("project", "project")) == "acme"
    assert places.value("project", "project").file == str(tmp_path / "kpi.yaml")
    assert places.key("kpis", "no_such") is None
    assert places.key() is None


def test_nothing_is_known_of_what_came_from_no_file():
    from kpi_engine.definitions import from_mapping

    places = from_mapping({"kpis": {"a": {"inputs": ["b"], "formula": "b"}}}).places
    assert places.key("kpis", "a") is None
    assert places.value("kpis", "a", "formula") is None
    assert places.within(("kpis", "a", "formula"), 0) is None
