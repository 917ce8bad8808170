"""The strict reader: what a text means, what is refused, and that nothing but our own mistakes ever comes out."""

from __future__ import annotations

import json

import pytest
import yaml as pyyaml
from hypothesis import given
from hypothesis import strategies as st

from kpi_engine.definitions import yaml
from kpi_engine.definitions.yaml import read


def value_of(text: str):
    document = read(text.encode(), "a.yaml")
    assert not document.mistakes, [str(mistake.diagnostic) for mistake in document.mistakes]
    return document.value


def mistakes(data: str | bytes):
    document = read(data.encode() if isinstance(data, str) else data, "a.yaml")
    return [mistake.diagnostic for mistake in document.mistakes]


def codes(data: str | bytes) -> list[str]:
    return [each.code for each in mistakes(data)]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("no", "no"), ("on", "on"), ("yes", "yes"), ("NO", "NO"), ("y", "y"), ("off", "off"),
        ("12:34:56", "12:34:56"), ("017", "017"), ("1_000", "1_000"), ("2026-01-01", "2026-01-01"), ("2024-02-30", "2024-02-30"),
        ("2026-01-01 10:00:00", "2026-01-01 10:00:00"), ("1e5x", "1e5x"), ("0b11", "0b11"), ("--", "--"), ("+", "+"), (".", "."),
        ("1,5", "1,5"), ("=", "="), ("Null0", "Null0"), ("0o9", "0o9"), ("-017", "-017"), ("01.5", "01.5"),
        ("", None), ("~", None), ("null", None), ("NULL", None), ("Null", None),
        ("true", True), ("True", True), ("FALSE", False), ("false", False),
        ("0", 0), ("-7", -7), ("+7", 7), ("0x1F", 31), ("0o17", 15), ("123456789012345678901234567890", 123456789012345678901234567890),
        ("1.10", 1.1), (".5", 0.5), ("5.", 5.0), ("1e3", 1000.0), ("-2.5E-3", -0.0025),
        ("'no'", "no"), ('"5"', "5"), ("''", ""), ('"\\x1f"', "\x1f"), ("'it''s'", "it's"), ("|\n  a\n  b\n", "a\nb\n"), (">-\n  a\n  b\n", "a b"),
    ],
)  # fmt: skip
def test_a_scalar_means_what_yaml_1_2_says(written, meant):
    value = value_of(f"a: {written}")["a"]
    assert value == meant
    assert type(value) is type(meant)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: {b: [1, {c: d}], e: }\nf:\n- g\n-\n  h: i\n", {"a": {"b": [1, {"c": "d"}], "e": None}, "f": ["g", {"h": "i"}]}),
        ("---\na: b\n", {"a": "b"}),
        ("a: b\n...\n", {"a": "b"}),
        ("%YAML 1.1\n---\na: b\n", {"a": "b"}),
        ("no: 1\n'1': 2\n\"<<\": 3\n", {"no": 1, "1": 2, "<<": 3}),
        ("\ufeffa: b", {"a": "b"}),
        ("a: b\r\nc: d\r\n", {"a": "b", "c": "d"}),
        ("a: b\rc: d\r", {"a": "b", "c": "d"}),
        ("é: ✓\nعربي: 😀\n", {"é": "✓", "عربي": "😀"}),
        ('a: "tab\\tand \\u00e9"\n', {"a": "tab\tand é"}),
        ("a: half-open [from, to)\n", {"a": "half-open [from, to)"}),
    ],
)  # fmt: skip
def test_mappings_and_lists_become_plain_python(text, value):
    assert value_of(text) == value


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a: 1\na: 2\n", "duplicate_key"),
        ("a: {b: 1, b: 2}\n", "duplicate_key"),
        ("a: &x 1\n", "anchor"),
        ("a: &x [1]\n", "anchor"),
        ("&x a: 1\n", "anchor"),
        ("a: *x\n", "alias"),
        ("<<: {a: 1}\n", "merge_key"),
        ("a: !!str 1\n", "tag"),
        ("a: !ENV x\n", "tag"),
        ("a: ! x\n", "tag"),
        ("a: !!binary aGk=\n", "tag"),
        ("a: !!python/object/apply:os.system [id]\n", "tag"),
        ("!!map {a: 1}\n", "tag"),
        ("a: 1\n---\nb: 2\n", "several_documents"),
        ("1: a\n", "key_not_text"),
        ("true: a\n", "key_not_text"),
        ("null: a\n", "key_not_text"),
        ("1.5: a\n", "key_not_text"),
        ("[a]: b\n", "key_not_text"),
        ("{a: b}: c\n", "key_not_text"),
        (f"{'k' * 201}: a\n", "key_too_long"),
        ('"a\\u202eb": 1\n', "hidden_character"),
        ("a\u202eb: 1\n", "hidden_character"),
        ("a\u2066b: 1\n", "hidden_character"),
        ("a\u200bb: 1\n", "hidden_character"),
        ('"a\\tb": 1\n', "hidden_character"),
        ('"a\\0b": 1\n', "control_character"),
        ('a: "\\0"\n', "control_character"),
        ("a: .nan\n", "not_finite"),
        ("a: .NaN\n", "not_finite"),
        ("a: -.inf\n", "not_finite"),
        ("a: .INF\n", "not_finite"),
        ("a: 1e999\n", "not_finite"),
        ("a: -1.0e+999\n", "not_finite"),
        (f"a: 1{'0' * 30}\n", "number_too_long"),
        (f"a: -{'9' * 100_000}\n", "number_too_long"),
        (f"a: 0x{'f' * 40}\n", "number_too_long"),
        ("- a\n", "not_a_mapping"),
        ("a\n", "not_a_mapping"),
        ("5\n", "not_a_mapping"),
        ("", "empty_file"),
        ("# a comment\n", "empty_file"),
        ("---\n", "empty_file"),
        ("~\n", "empty_file"),
        ("\n\n", "empty_file"),
    ],
)  # fmt: skip
def test_what_yaml_allows_and_a_definition_does_not(text, code):
    found = mistakes(text)
    assert [each.code for each in found] == [code]
    assert found[0].place.file == "a.yaml"
    assert found[0].hint


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\xff\xfea\x00:\x00 \x001\x00", "not_utf8"),
        (b"\xfe\xff\x00a", "not_utf8"),
        (b"a: \xe9t\xe9\n", "not_utf8"),
        (b"a: \xed\xa0\x80\n", "not_utf8"),
        (b"a: b\x00c\n", "control_character"),
        (b"a: b\x1b[31m\n", "control_character"),
        ("a: b\x85c\n".encode(), "control_character"),
        ("a: b\u2028c\n".encode(), "control_character"),
        ("a: b\n\ufeffc: d\n".encode(), "control_character"),
        (b"a: 1\n" * 210_000, "too_large"),
        (b"a: [" + b"1," * 250_000 + b"]\n", "too_many_nodes"),
    ],
)
def test_bytes_that_are_no_definition_file(data, code):
    assert codes(data) == [code]
    assert read(data, "a.yaml").value is None


@pytest.mark.parametrize(
    "text",
    [
        "[" * 30_000,
        "a: " + "[" * 30_000,
        "a: " + "{b: " * 30_000,
        "[\n" * 30_000,
        "{b:\n" * 10_000,
        "- " * 30_000,
        "? " * 30_000,
        "\n".join(" " * depth + f"k{depth}:" for depth in range(300)),
        "a: '" + "]" * 60 + "'\nb: " + "[" * 60 + "]" * 60,
    ],
)
def test_deep_nesting_is_refused_before_it_can_do_harm(text):
    assert codes(text) == ["too_deep"]


def test_parentheses_and_brackets_in_texts_are_not_nesting():
    formula = "(" * 200 + "1" + ")" * 200
    interval = "half-open [from, to)"
    text = f"formula: {formula}\n" + "".join(f"k{n}: {interval} # {interval}\n" for n in range(200))
    assert value_of(text)["formula"] == formula


def test_fifty_levels_are_still_read():
    text = "a: " + "[" * 49 + "]" * 49
    assert codes(text) == []
    assert codes("a: " + "[" * 50 + "]" * 50) == ["too_deep"]


def test_an_alias_bomb_is_refused_at_its_first_alias():
    bomb = "a: &a [x, x]\n" + "".join(f"{c}: &{c} [*{p}, *{p}]\n" for p, c in zip("abcdefgh", "bcdefghi", strict=True))
    assert set(codes(bomb)) == {"anchor", "alias"}


def test_a_merge_bomb_is_refused():
    bomb = "a: &a {k: v}\n" + "".join(f"{c}: &{c} {{<<: [*{p}, *{p}]}}\n" for p, c in zip("abc", "bcd", strict=True))
    assert {"anchor", "alias", "merge_key"} == set(codes(bomb))


def test_a_list_that_holds_itself_is_refused():
    assert codes("a: &x [*x]\n") == ["anchor", "alias"]


def test_a_repeated_key_names_both_lines_and_the_first_holds():
    document = read(b"kpis:\n  a: 1\n  b: 2\n  a: 3\n", "a.yaml")
    (mistake,) = document.mistakes
    assert mistake.path == ("kpis", "a")
    assert mistake.diagnostic.place.line == 4
    assert "line 2" in mistake.diagnostic.message
    assert document.value == {"kpis": {"a": 1, "b": 2}}


def test_all_mistakes_of_a_file_come_together_and_the_rest_is_read():
    document = read(b"a: 1\na: 2\nb: *x\nc: !t 3\nd: .inf\n1: e\nf: fine\n", "a.yaml")
    assert [each.diagnostic.code for each in document.mistakes] == [
        "duplicate_key", "alias", "tag", "not_finite", "key_not_text",
    ]  # fmt: skip
    assert [each.diagnostic.place.line for each in document.mistakes] == [2, 3, 4, 5, 6]
    assert document.value["f"] == "fine"


def test_a_file_full_of_mistakes_is_left_after_a_hundred():
    found = codes("".join(f"k{n}: *a\n" for n in range(5_000)))
    assert found == ["alias"] * 100 + ["too_many_mistakes"]


def test_a_sign_that_breaks_the_syntax_is_one_mistake():
    assert codes("formula: *count / 2\n") == ["yaml_syntax"]


def test_a_control_character_is_shown_where_it_stands_and_never_as_itself():
    (found,) = mistakes("a: b\nc: d\x1be\n")
    assert (found.place.line, found.place.column) == (2, 5)
    assert found.place.text == "c: d\ufffde"
    assert "\x1b" not in str(found)


def test_a_byte_that_is_no_utf8_is_shown_where_it_stands():
    (found,) = mistakes(b"a: 1\nb: \xc3\xa9t\xe9\n")
    assert (found.place.line, found.place.column) == (2, 6)


def test_text_that_turns_the_line_around_is_shown_as_a_replacement():
    document = read('a: "x\u202ey"\n'.encode(), "a.yaml")
    assert document.value == {"a": "x\u202ey"}
    assert document.located.value("a").text == 'a: "x\ufffdy"'


@pytest.mark.parametrize("length", [10_000, 900_000])
def test_a_message_never_holds_a_whole_long_line(length):
    for text in ("a: " * (length // 3), "&" + "a" * length, "k" * length + ": 1", "a: !" + "b" * length + " c"):
        assert mistakes(text)
        assert all(len(str(each)) < 2_000 for each in mistakes(text))


FRAGMENTS = st.lists(
    st.sampled_from(
        ["a", "b: ", "\n", "  ", "- ", "? ", "[", "]", "{", "}", ",", "'", '"', "#", " #", "&x ", "*x", "!t ", "|\n", ">-\n", "%", "@",
         "`", "---\n", "...\n", "<<: ", "\t", "\\", "\\u12", ".nan", "1e9", "é", "\u202e", "\0", "\r", "kpis:", "~", "0x", "%YAML 1.1\n",
         '"\\UFFFFFFFF"']
    ),
    max_size=40,
).map("".join)  # fmt: skip


@given(st.one_of(FRAGMENTS, st.text()))
def test_no_text_raises_anything(text):
    document = read(text.encode("utf-8", "surrogatepass"), "a.yaml")
    assert document.value is not None or document.mistakes
    for mistake in document.mistakes:
        assert mistake.diagnostic.code
        assert str(mistake.diagnostic).startswith("a.yaml")


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything(data):
    document = read(data, "a.yaml")
    assert document.value is not None or document.mistakes


def positions(document, *paths):
    located = document.located
    return [(located.key(*path), located.value(*path), located.within(path, 1, 2)) for path in paths]


@given(FRAGMENTS)
def test_both_parsers_of_pyyaml_read_the_same(text):
    data = text.encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yaml, "_loader", lambda: pyyaml.Loader)
        slow = read(data, "a.yaml")
    fast = read(data, "a.yaml")
    if fast.value is None or slow.value is None:
        return
    assert fast.value == slow.value
    assert [each.diagnostic.code for each in fast.mistakes] == [each.diagnostic.code for each in slow.mistakes]
    paths = [(key,) for key in fast.value]
    assert positions(fast, *paths) == positions(slow, *paths)


def test_the_python_parser_refuses_the_same_threats(monkeypatch):
    monkeypatch.setattr(yaml, "_loader", lambda: pyyaml.Loader)
    assert codes("[" * 30_000) == ["too_deep"]
    assert codes("[\n" * 3_000) == ["too_deep"]
    assert codes("a: &x [*x]\n") == ["anchor", "alias"]
    assert codes('a: "\\UFFFFFFFF"\n') == ["yaml_syntax"]
    assert codes('a: "\\ud800"\n') == ["control_character"]
    assert codes("a: 'b' c\n") == ["yaml_syntax"]


PLAIN_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(10**20), 10**20), st.text("abc: #-'\"é\n[]{},", max_size=12)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text("abcé _", max_size=6), inner, max_size=4)),
    max_leaves=20,
)  # fmt: skip


@given(st.dictionaries(st.text("abcxyz", min_size=1, max_size=6), PLAIN_VALUES, min_size=1, max_size=5))
def test_what_json_writes_is_read_back(value):
    assert value_of(json.dumps(value, ensure_ascii=False)) == value
