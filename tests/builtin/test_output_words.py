import string
from dataclasses import fields

import pytest

from kpi_engine.builtin.outputs.words import ENGLISH, FRENCH, unit_words, words


def test_every_word_is_there_in_both_languages_with_the_same_places_to_fill():
    for field in fields(ENGLISH):
        english, french = getattr(ENGLISH, field.name), getattr(FRENCH, field.name)
        assert english
        assert french
        assert {name for _, name, *_ in string.Formatter().parse(english)} == {
            name for _, name, *_ in string.Formatter().parse(french)
        }


def test_a_language_without_words_speaks_english():
    assert words("de") is ENGLISH


@pytest.mark.parametrize(
    ("unit", "french"),
    [
        ("visits", "visites"),
        ("interactions / post", "interactions / publication"),
        ("EUR / lead", "EUR / lead"),
        ("", ""),
    ],
)
def test_units_are_said_in_the_reports_language(unit, french):
    assert unit_words(unit, "fr") == french
    assert unit_words(unit, "en") == unit


def test_only_what_a_reader_must_know_of_is_said_of_a_status():
    assert ENGLISH.status("active") == ""
    assert FRENCH.status("deprecated_practice") == "Pratique déconseillée"
    assert ENGLISH.status("draft") == "Draft"
