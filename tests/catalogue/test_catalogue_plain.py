"""What is said of types by looking is what a database says; it may be nothing."""

from __future__ import annotations

import duckdb
import pytest

from kpi_engine.catalogue.plain import kind_of, misfit_in
from kpi_engine.catalogue.sqltypes import family
from kpi_engine.formula.gate import read

COLUMNS = {
    "n": "BIGINT",
    "d": "DECIMAL(18,2)",
    "x": "DOUBLE",
    "t": "VARCHAR",
    "b": "BOOLEAN",
    "day": "DATE",
    "moment": "TIMESTAMPTZ",
}
KNOWN = {
    "n + d * 2": "number",
    "-(n)": "number",
    "n / d": "number",
    "coalesce(n, 0)": "number",
    "nullif(d, 0)": "number",
    "greatest(n, d, 1)": "number",
    "round(x, 2)": "number",
    "abs(n) + floor(x)": "number",
    "length(trim(t))": "number",
    "t": "text",
    "'a'": "text",
    "lower(t)": "text",
    "coalesce(t, 'none')": "text",
    "b": "boolean",
    "n = 1": "boolean",
    "n = 1 and not b": "boolean",
    "t in ('a', 'b') or t is null": "boolean",
    "d between 1 and 5": "boolean",
    "contains(t, 'a')": "boolean",
    "t is distinct from 'a'": "boolean",
    "day": "time",
    "moment": "time",
    "day = day": "boolean",
    "cast(n as double)": "number",
    "case when b then 1 end": "number",
    "case when n = 1 then 'a' else 'b' end": "text",
    "if(b, 1, 2)": "number",
}
NOT_SEEN = [
    "n = 'a'", "n and b", "not n", "t + 1", "t = 5", "day > '2026-01-31'", "n + b", "coalesce(t, 5)", "abs(t)", "lower(n)", "contains(n, 'a')",
    "case when n then 1 end", "case when b then 1 else 'a' end", "cast(t as bigint)", "if(n, 1, 2)", "nothing", "t between 1 and 5", "n in (1, 'a')", "b or n = 1 or t",
]  # fmt: skip


def leaf(node):
    return family(COLUMNS.get(node.name, "")) or None


def kinds_that_duckdb_sees(text):
    columns = ", ".join(f"CAST(NULL AS {kind}) AS {name}" for name, kind in COLUMNS.items())
    with duckdb.connect() as connection:
        return family(str(connection.sql(f"SELECT {text} FROM (SELECT {columns})").types[0]))


@pytest.mark.parametrize("text", KNOWN)
def test_what_is_seen_is_what_a_database_says(text):
    assert kind_of(read(text, "condition"), leaf) == KNOWN[text] == kinds_that_duckdb_sees(text)


@pytest.mark.parametrize("text", NOT_SEEN)
def test_what_has_rules_of_its_own_is_left_to_the_database(text):
    assert kind_of(read(text, "condition"), leaf) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("n = 'a'", "a number is compared with the text 'a'"),
        ("t = 5", "a text is compared with the number 5"),
        ("b and day > '2026-02-30'", "a time is compared with the text '2026-02-30'"),
        ("day in ('2026-01-31', 'soon')", "a time is compared with the text 'soon'"),
        ("t = n", "a text is compared with a number"),
    ],
)
def test_what_cannot_be_compared(text, said):
    found = misfit_in(read(text, "condition"), leaf)
    assert found is not None
    assert found[0] == said
    assert found[1]


@pytest.mark.parametrize("text", [*KNOWN, "n = '5'", "b = 'true'", "day > '2026-01-31'", "moment = '2026-01-31 12:00'"])
def test_what_may_be_compared(text):
    assert misfit_in(read(text, "condition"), leaf) is None
