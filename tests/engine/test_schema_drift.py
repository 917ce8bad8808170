"""Data whose columns are no longer what they were: what needs none of the changes is as before, and the rest says which column it misses."""

from __future__ import annotations

import duckdb
import pytest

import kpi_engine

DEFINITIONS = """
datasets:
  facts: {table: fact, key: id, time: day, columns: {day: {type: date}%s}, dimensions: [g]}
kpis:
  n: {inputs: [facts], formula: count(facts)}
  a: {inputs: [facts], formula: sum(amount)}
  u: {inputs: [facts], formula: count(distinct name)}
  d: {inputs: [a, n], formula: a / n}
"""
BEFORE = "id,day,g,amount,name\n1,2026-01-01,a,10,ann\n2,2026-01-02,b,20,bob\n"
SAME = {"n": 2, "a": 30, "u": 2, "d": 15.0, "by g": 2}
DRIFTS = {
    "a column more": (BEFORE.replace("\n", ",more\n"), {}),
    "another order": ("name,amount,g,day,id\nann,10,a,2026-01-01,1\nbob,20,b,2026-01-02,2\n", {}),
    "other capitals": (BEFORE.replace("amount", "AMOUNT"), {}),
    "a text that is a number": (BEFORE.replace("ann", "7").replace("bob", "8"), {}),
    "a value that is unknown": (BEFORE.replace(",20,", ",,"), {"a": 10, "d": 5.0}),
    "a day with its time": (BEFORE.replace("01-01", "01-01 10:00:00").replace("01-02", "01-02 23:59:59"), {}),
    "a column fewer": (
        "id,day,g,name\n1,2026-01-01,a,ann\n2,2026-01-02,b,bob\n",
        {"a": ("unknown_column", "amount"), "d": ("unknown_column", "amount")},
    ),
    "another name": (
        BEFORE.replace("amount", "sum"),
        {"a": ("unknown_column", "amount"), "d": ("unknown_column", "amount")},
    ),
    "a number that is a text": (
        BEFORE.replace(",20,", ",twenty,"),
        {"a": ("not_a_number", "amount"), "d": ("not_a_number", "amount")},
    ),
    "no time": (
        BEFORE.replace("day", "when"),
        dict.fromkeys(SAME, ("unknown_column", "day")),
    ),
    "no dimension": (BEFORE.replace(",g,", ",group,"), {"by g": ("unknown_column", "g")}),
    "a day that is none": (BEFORE.replace("2026-01-02", "yesterday"), dict.fromkeys(SAME, ("bad_value", "yesterday"))),
    "two columns of one name": (
        BEFORE.replace("amount,name", "amount,Amount,name").replace(",10,", ",10,5,").replace(",20,", ",20,5,"),
        dict.fromkeys(SAME, ("duplicate_column", "Amount")),
    ),
}


@pytest.fixture
def project(tmp_path):
    (tmp_path / "kpi.yaml").write_text("project: drift\nsources: {data: {plugin: files, path: data}}\n")
    (tmp_path / "definitions").mkdir()
    (tmp_path / "definitions" / "all.yaml").write_text(DEFINITIONS % "")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "fact.csv").write_text(BEFORE)
    return tmp_path


def found(engine):
    """Give each number, or the code of its error and the message."""
    answers = {}
    for name, kpi, by in (*((kpi, kpi, ()) for kpi in engine.kpis()), ("by g", "n", "g")):
        try:
            rows = engine.run(kpi, by=by, as_of="2026-12-31").rows()
            answers[name] = len(rows) if by else rows[0][kpi]
        except kpi_engine.KpiError as error:
            answers[name] = error.diagnostics[0] if isinstance(error, kpi_engine.DefinitionError) else error
    return answers


@pytest.mark.parametrize("drift", DRIFTS)
def test_only_what_needs_the_column_fails_and_names_it(project, drift):
    content, changed = DRIFTS[drift]
    with kpi_engine.open(project) as engine:
        assert found(engine) == SAME
        (project / "data" / "fact.csv").write_text(content)
        for opened in (engine, kpi_engine.open(project)):
            with opened:
                for name, value in found(opened).items():
                    expected = changed.get(name, SAME[name])
                    if isinstance(expected, tuple):
                        assert (name, value.code) == (name, expected[0])
                        assert f"`{expected[1]}`" in value.message
                    else:
                        assert (name, value) == (name, expected)


@pytest.mark.parametrize(
    ("change", "failing"),
    [
        ("ADD COLUMN more INTEGER", {}),
        ("RENAME amount TO total", {"a": "unknown_column", "d": "unknown_column"}),
        ("DROP COLUMN name", {"u": "unknown_column"}),
        ("ALTER amount TYPE VARCHAR", {"a": "not_a_number", "d": "not_a_number"}),
        ("ALTER amount TYPE DOUBLE", {}),
        ("ALTER name TYPE BLOB", {}),
    ],
)
def test_the_same_holds_of_a_table_of_a_database(project, change, failing):
    def alter(*statements):
        with duckdb.connect(str(project / "data.duckdb")) as connection:
            for statement in statements:
                connection.execute(statement)

    alter(f"CREATE TABLE fact AS FROM read_csv('{project}/data/fact.csv')")
    (project / "kpi.yaml").write_text("project: drift\nsources: {data: {plugin: duckdb, path: data.duckdb}}\n")
    with kpi_engine.open(project) as engine:
        assert found(engine) == SAME
    alter(f"ALTER TABLE fact {change}")
    with kpi_engine.open(project) as engine:
        answers = found(engine)
    assert {name: value for name, value in answers.items() if name not in failing} == {
        name: value for name, value in SAME.items() if name not in failing
    }
    assert {name: answers[name].code for name in failing} == failing
