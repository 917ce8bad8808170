"""The projects of these tests have no mistake but those they are given."""

from __future__ import annotations

from marked import unmarked


def test_the_definitions_beside_which_mistakes_stand_have_none(check):
    check()


def test_marks_are_taken_out_and_counted():
    text, found = unmarked("a\n  b: ⟨x:cd⟩ ⟨y_z:e⟩", "f")
    assert text == "a\n  b: cd e"
    assert [(e.line, e.column, e.code, e.text) for e in found] == [(2, 6, "x", "cd"), (2, 9, "y_z", "e")]
