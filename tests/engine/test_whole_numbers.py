"""A column that is declared to hold whole numbers is not rounded, whatever it is read from."""

import json

import duckdb
import pytest

import kpi_engine

VALUES = {"broken": [3, 20.5, None], "whole": [3.0, 20.0, None]}
SOURCES = ("csv", "jsonl", "parquet", "decimal", "text", "handed in")


def opened(folder, source, values, kind="integer"):
    """Open a project over a column of numbers in one kind of source."""
    (folder / "data").mkdir()
    connection = duckdb.connect()
    types = {"decimal": "decimal(5,1)", "text": "varchar"}
    connection.execute(f"create table t (id int, x {types.get(source, 'double')})")
    connection.executemany("insert into t values (?, ?)", list(enumerate(values)))
    data = None
    if source in ("parquet", "decimal", "text"):
        connection.execute(f"copy t to '{folder}/data/t.parquet'")
    elif source == "handed in":
        data = connection
    else:
        rows = [{"id": number, "x": value} for number, value in enumerate(values)]
        written = {
            "csv": "id,x\n" + "".join(f"{row['id']},{'' if row['x'] is None else row['x']}\n" for row in rows),
            "jsonl": "".join(f"{json.dumps(row)}\n" for row in rows),
        }
        (folder / "data" / f"t.{source}").write_text(written[source], encoding="utf-8")
    definitions = {
        "project": "numbers", "sources": {"d": {"plugin": "files", "path": str(folder / "data")}},
        "datasets": {"t": {"key": "id", "columns": {"x": {"type": kind}}}}, "kpis": {"total": {"inputs": ["t"], "formula": "sum(x)"}},
    }  # fmt: skip
    if data is not None:
        del definitions["sources"]
    return kpi_engine.open(definitions, data)


@pytest.mark.parametrize("source", SOURCES)
def test_a_number_that_is_not_whole_is_an_error(tmp_path, source):
    with opened(tmp_path, source, VALUES["broken"]) as engine:
        with pytest.raises(kpi_engine.DataError, match=r"`20\.5` in the column `x` is not a whole number"):
            engine.run("total").rows()
        [found] = [each for each in engine.check(live=True) if each.code == "bad_value"]
        assert "in 1 of 3 rows: 20.5" in found.message


@pytest.mark.parametrize("source", SOURCES)
def test_whole_numbers_of_another_type_are_read(tmp_path, source):
    with opened(tmp_path, source, VALUES["whole"], "bigint") as engine:
        assert engine.run("total").rows() == [{"total": 23}]
        assert engine.check(live=True) == []


def test_a_column_of_a_long_file_that_begins_with_whole_numbers_is_not_rounded(tmp_path):
    (tmp_path / "data").mkdir()
    lines = "".join(f"{number},{number % 7}\n" for number in range(30_000))
    (tmp_path / "data" / "t.csv").write_text(f"id,x\n{lines}30000,0.5\n", encoding="utf-8")
    definitions = {
        "project": "numbers", "sources": {"d": {"plugin": "files", "path": str(tmp_path / "data")}},
        "datasets": {"t": {"key": "id"}}, "kpis": {"total": {"inputs": ["t"], "formula": "sum(x)"}},
    }  # fmt: skip
    with kpi_engine.open(definitions) as engine:
        assert engine.run("total").rows() == [{"total": sum(n % 7 for n in range(30_000)) + 0.5}]


def test_a_file_is_looked_at_once_and_again_when_it_is_another(tmp_path, monkeypatch):
    looked, connect = [], duckdb.connect
    with opened(tmp_path, "csv", [3, 2075]) as engine:
        assert engine.run("total").rows() == [{"total": 2078}]
        monkeypatch.setattr(duckdb, "connect", lambda *given: looked.append(given) or connect(*given))
        assert engine.run("total").rows() == [{"total": 2078}]
        assert looked == []
        file = tmp_path / "data" / "t.csv"
        file.write_text(file.read_text().replace("2075", "20.5"))
        with pytest.raises(kpi_engine.DataError, match=r"`20\.5` in the column `x` is not a whole number"):
            engine.run("total").rows()
        assert looked
