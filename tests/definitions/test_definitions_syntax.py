"""YAML's own traps, each named with what to write instead."""

from __future__ import annotations

import pytest

from kpi_engine.definitions.yaml import read


def mistake(text: str):
    (found,) = [each.diagnostic for each in read(text.encode(), "a.yaml").mistakes]
    return found


@pytest.mark.parametrize(
    ("text", "line", "column", "says", "hint"),
    [
        ("a: 1\nwhere: x = 'b': c\n", 2, 15, "a colon and a blank", "where: \"x = 'b': c\""),
        ("label: Blog: visits\n", 1, 12, "a colon and a blank", 'label: "Blog: visits"'),
        ("where: 'a' = b\nx: 1\n", 1, 12, "the quoted text ends before this", "where: \"'a' = b\""),
        ('where: "a" = b\n', 1, 12, "the quoted text ends before this", "where: '\"a\" = b'"),
        ("formula: [a] = 1\n", 1, 10, "`[` at the beginning", 'formula: "[a] = 1"'),
        ("formula: {a} / 2\n", 1, 10, "`{` at the beginning", 'formula: "{a} / 2"'),
        ("formula: %x\n", 1, 10, "`%` at the beginning", 'formula: "%x"'),
        ("formula: @x\n", 1, 10, "`@` at the beginning", 'formula: "@x"'),
        ("formula: `x` + 1\n", 1, 10, "a backtick at the beginning", 'formula: "`x` + 1"'),
        ("formula: * 2\n", 1, 10, "`*` at the beginning", 'formula: "* 2"'),
        ("formula: *count / 2\n", 1, 10, "`*` at the beginning", 'formula: "*count / 2"'),
        ("formula: & 2\n", 1, 10, "`&` at the beginning", 'formula: "& 2"'),
        ("where: > 3\n", 1, 8, "`>` at the beginning", 'where: "> 3"'),
        ("where: | x\n", 1, 8, "`|` at the beginning", 'where: "| x"'),
        ("where: - b\n", 1, 8, "`-` at the beginning", 'where: "- b"'),
        ("a:\n\tb: 1\n", 2, 1, "a tab is used as indentation", "spaces only"),
        ("a:\n  b: 1\n\tc: 2\n", 3, 1, "a tab is used as indentation", "spaces only"),
        ("a: 'never closed\nb: 2\n", 1, 4, "a quote is opened here and never closed", "close it"),
        ('a: "x\\qy"\n', 1, 6, "`\\q` is no escape", "backslash twice"),
        ("a: {from: x, where: section in ('b', 'c')}\n", 1, 41, "what `{` opens at line 1", "quote every text with a comma"),
        ("a: {where: x: y}\n", 1, 13, "what `{` opens at line 1", "quote every text with a comma"),
        ("a: {b: 1\nc: 2\n", 2, 2, "what `{` opens at line 1", "quote every text"),
        ("a: [1, 2\n", 1, 9, "what `[` opens at line 1", "quote every text"),
        ("a: 1\nb\nc: 2\n", 2, 1, "this line has no `key:`", "key: value"),
        ("a: 1\nb:2\nc: 3\n", 2, 2, "no blank follows this colon", "key: value"),
        ("a:b\nc: d\n", 1, 2, "no blank follows this colon", "key: value"),
        ("a:\n  b: 1\n c: 2\n", 3, 2, "indented like no line above it", "same column"),
        ("- a\nb: 1\n", 2, 1, "indented like no line above it", "same column"),
        ("a: b\n c: d\n", 2, 3, "the line above it has a value already", "below `a: b`"),
        ("formula: sum(a\n  # why\n  + b)\nc: 1\n", 3, 3, "the comment above ended the text", "begin the text with `|`"),
        ("%FOO\na: b\n", 1, 1, "begins with `%`", "remove the line"),
    ],
)  # fmt: skip
def test_a_trap_is_named_and_mended(text, line, column, says, hint):
    found = mistake(text)
    assert found.code == "yaml_syntax"
    assert says in found.message
    assert hint in found.hint
    assert (found.place.line, found.place.column) == (line, column)
    assert found.place.text == text.split("\n")[line - 1]


def test_what_the_hint_says_to_write_is_read_as_one_text():
    for text, value in [
        ("where: x = 'b': c", "x = 'b': c"),
        ("where: 'a' = b", "'a' = b"),
        ('where: "a" = \'b\'', "\"a\" = 'b'"),
        ('where: "a" like \'\\d\'', "\"a\" like '\\d'"),
    ]:  # fmt: skip
        mended = mistake(text + "\n").hint.removeprefix("quote the whole text: ")
        assert read(mended.encode(), "a.yaml").value == {"where": value}


def test_a_whole_message_reads_well():
    assert str(mistake("kpis:\n  visits:\n    where: 'blog' = section\n")) == (
        "a.yaml:3:19: error[yaml_syntax]: the quoted text ends before this, and more follows\n"
        "    3 │     where: 'blog' = section\n"
        "      │                   ^\n"
        "      = quote the whole text: where: \"'blog' = section\""
    )


def test_mistakes_before_the_syntax_error_are_kept():
    found = [each.diagnostic.code for each in read(b"a: 1\na: 2\nb: 'x' y\n", "a.yaml").mistakes]
    assert found == ["duplicate_key", "yaml_syntax"]
