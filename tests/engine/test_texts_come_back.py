"""Members that are texts: each is a member of its own, can be filtered by, and comes back from every output as it was."""

from __future__ import annotations

import csv
import html
import io
import json
import re

import duckdb
import pytest

import kpi_engine

LONG = "x" * 2**20
TEXTS = [
    "", " ", "NULL", "null", "None", "\\N", "nan", "o'x", '"quoted"', "a,b", "a;b", "a\nb", "a\r\nb", "a\tb", " lead", "trail ", "é", "e\u0301", "É",
    "😀", "👩‍👧", "עברית", "\u202eturned", "\u2028", "\ufeffmark", "nul\0inside", "=1+1", "-5", "+5", "@x", "%s", "{{ 7*7 }}", "<script>alert(1)</script>", "&amp;",
    "1e5", "true", "2026-01-01", LONG,
]  # fmt: skip


@pytest.fixture(scope="module")
def engine():
    connection = duckdb.connect()
    connection.execute("CREATE TABLE fact (g VARCHAR)")
    connection.executemany("INSERT INTO fact VALUES (?)", [[text] for text in [*TEXTS, None]])
    definitions = {
        "datasets": {"facts": {"table": "fact", "dimensions": ["g"]}},
        "kpis": {"n": {"inputs": ["facts"], "formula": "count(facts)"}},
    }
    with kpi_engine.open(definitions, connection) as engine:
        yield engine


@pytest.fixture(scope="module")
def result(engine):
    return engine.run("n", by="g")


def test_each_is_a_member_of_its_own_and_unknown_is_the_last(engine, result):
    members = [*sorted(TEXTS, key=str.encode), None]
    for answer in (result, engine.run("n", by="g")):
        assert answer.rows() == [{"g": text, "n": 1} for text in members]


def test_each_can_be_filtered_by_or_is_refused(engine):
    for text in TEXTS:
        if text == LONG or "\0" in text:
            with pytest.raises(kpi_engine.RequestError, match="cannot use a text"):
                engine.run("n", where={"g": text})
        else:
            assert engine.run("n", where={"g": text}).rows() == [{"n": 1}], text
    assert engine.run("n", where={"g": None}).rows() == [{"n": 1}]


def test_json_gives_them_back(engine, result):
    assert json.loads(engine.render(result, "json"))["rows"] == result.rows()


def test_csv_gives_them_back(engine, result):
    before = csv.field_size_limit(2 * len(LONG))
    try:
        text = engine.render(result, "csv", formula_guard=False).decode()
        read = [*csv.reader(io.StringIO(text, newline=""))][1:]
    finally:
        csv.field_size_limit(before)
    assert [row[0] for row in read] == [text or "" for text in (row["g"] for row in result.rows())]
    assert '\r\n"",1\r\n' in text
    assert text.endswith("\r\n,1\r\n")


def test_csv_gives_them_back_to_a_database_which_tells_empty_from_unknown(engine, result, tmp_path):
    file = tmp_path / "answer.csv"
    file.write_bytes(engine.render(result, "csv", formula_guard=False))
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"SELECT g FROM read_csv('{file}', all_varchar=true, quote='\"', escape='\"', delim=',', header=true, "
            f"allow_quoted_nulls=false, max_line_size={4 * len(LONG)}, buffer_size={32 * len(LONG)})"
        ).fetchall()
    assert [text for (text,) in rows] == [row["g"] for row in result.rows()]


def test_a_page_shows_them_and_runs_none(engine, result):
    page = engine.render(result, "html").decode()
    assert "<script>alert" not in page
    cells = {html.unescape(cell) for cell in re.findall(r"<t[hd][^>]*>([^<]*)</t[hd]>", page)}
    plain = {text for text in TEXTS if text.isprintable() and text == text.strip()} - {""}
    assert len(plain) > 20
    assert plain <= cells
