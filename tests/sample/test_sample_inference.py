from __future__ import annotations

import gzip
import json
from decimal import Decimal

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kpi_engine
from kpi_engine.definitions import load
from kpi_engine.definitions.naming import check_name
from kpi_engine.definitions.yaml import read
from kpi_engine.errors import OutputError, SourceError
from kpi_engine.sample import infer_dataset, write_from_files
from kpi_engine.sample.choices import sanitised
from kpi_engine.sample.yamltext import plain, quoted

ORDERS = "order_id,created_at,updated_at,channel,amount,currency,zip\n" + "".join(
    f"{number},2026-01-{number:02}T10:00:00Z,2026-02-01T10:00:00Z,{'web' if number % 3 else 'shop'},{number}.50,EUR,0{number}000\n"
    for number in range(1, 21)
)


def project(folder, *files):
    """Write a project over files and load it; a mistake in it fails the test."""
    write_from_files(folder, "mine", files)
    loaded = load(folder)
    assert [str(each) for each in loaded.diagnostics] == []
    return loaded


def write(file, text, encoding="utf-8"):
    file.write_text(text, encoding=encoding, newline="")
    return file


def dataset_of(tmp_path, text, name="orders.csv", encoding="utf-8"):
    """Infer the one dataset of a file."""
    loaded = project(tmp_path / "mine", write(tmp_path / name, text, encoding))
    return next(iter(loaded.datasets.values()))


def test_a_file_becomes_a_dataset_with_key_time_dimensions_and_types(tmp_path):
    loaded = project(tmp_path / "mine", write(tmp_path / "orders.csv", ORDERS))
    orders = loaded.datasets["orders"]
    assert orders.table == "orders"
    assert orders.key == ("order_id",)
    assert orders.time.column == "created_at"
    assert {name: time.column for name, time in orders.times.items()} == {"updated_at": "updated_at"}
    assert list(orders.dimensions) == ["channel"]
    assert orders.columns["amount"].type == "decimal(18,2)"
    assert orders.columns["amount"].currency == "currency"
    assert orders.columns["created_at"].type == "timestamptz"
    assert (tmp_path / "mine" / "data" / "orders.csv").read_text(encoding="utf-8") == ORDERS


def test_a_file_gets_a_count_and_sums_of_its_amounts(tmp_path):
    loaded = project(tmp_path / "mine", write(tmp_path / "orders.csv", ORDERS))
    assert {name: kpi.formula for name, kpi in loaded.kpis.items()} == {
        "orders_count": "count(orders)",
        "orders_amount": "sum(amount)",
    }
    assert all(kpi.role == ("team",) for kpi in loaded.kpis.values())
    assert set(loaded.roles) == {"team"}


def test_comments_say_why(tmp_path):
    text = infer_dataset(write(tmp_path / "orders.csv", ORDERS))
    assert "# inferred: unique in all 20 rows" in text
    assert "# inferred: from 2026-01-01 to 2026-01-20" in text
    assert "# 2 values, from `shop` to `web`" in text


def test_a_pair_is_the_key_where_no_column_is(tmp_path):
    rows = "".join(f"2026-01-{day:02},{shop},{day}\n" for day in range(1, 9) for shop in ("north", "south"))
    assert dataset_of(tmp_path, f"day,shop,visits\n{rows}").key == ("day", "shop")


def test_no_key_is_better_than_a_wrong_one(tmp_path):
    assert dataset_of(tmp_path, "channel,visits\n" + "web,1\nshop,2\n" * 10).key == ()


def test_a_column_with_a_gap_is_no_key(tmp_path):
    rows = "".join(f"{number or ''},k{number}\n" for number in range(10))
    assert dataset_of(tmp_path, f"order_id,code\n{rows}").key == ("code",)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("updated_at,created_at", "created_at"),
        ("birth_date,date", "date"),
        ("closed_on,ordered_on", "ordered_on"),
        ("end_day,day", "day"),
        ("first,second", "first"),
    ],
)
def test_the_time_is_when_a_row_came_about(tmp_path, header, expected):
    rows = "".join(f"2026-01-{day:02},2026-02-{day:02}\n" for day in [*range(1, 10), *range(1, 10)])
    assert dataset_of(tmp_path, f"{header}\n{rows}").time.column == expected


def test_names_are_made_names_of_the_language_and_columns_keep_theirs(tmp_path):
    rows = "".join(f'{n},2026-01-{n:02},{"a" if n % 2 else "b"},"say ""{n % 3}""",{n}\n' for n in range(1, 13))
    loaded = project(
        tmp_path / "mine",
        write(tmp_path / "Ventes été 2026.csv", f"Post ID,Post Month,Réseau,period,Total Spend\n{rows}"),
    )
    dataset = loaded.datasets["ventes_ete_2026"]
    assert dataset.key == ("Post ID",)
    assert dataset.time.column == "Post Month"
    assert {name: one.sql for name, one in dataset.dimensions.items()} == {
        "reseau": '"Réseau"',
        "period_value": "period",
    }
    assert loaded.kpis["ventes_ete_2026_total_spend"].formula == 'sum("Total Spend")'
    assert (tmp_path / "mine" / "data" / "ventes_ete_2026.csv").is_file()


def test_many_values_and_single_values_make_no_dimension(tmp_path):
    rows = "".join(f"{n},name {n % 60},same,{'yes' if n % 2 else 'no'},{n % 2 == 0}\n" for n in range(120))
    assert list(dataset_of(tmp_path, f"id,who,what,answer,is_paid\n{rows}").dimensions) == ["answer", "is_paid"]


def test_a_german_or_french_export_is_read_as_it_is_written(tmp_path):
    text = "Commande;Date;Montant;Café\n" + "".join(
        f"{n};0{n}/03/2026;{n},50;{'crème' if n % 2 else 'noir'}\n" for n in range(1, 8)
    )
    loaded = project(tmp_path / "mine", write(tmp_path / "ventes.csv", text, "cp1252"))
    assert loaded.settings.sources["data"].model_extra["tables"] == {"ventes": {"encoding": "cp1252", "decimal": ","}}
    assert loaded.datasets["ventes"].columns["Montant"].type == "decimal(18,2)"
    assert loaded.datasets["ventes"].dimensions["cafe"].sql == '"Café"'


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_texts_of_other_programs_are_read(tmp_path, encoding):
    text = "day\tshop\trevenue\n" + "".join(f"2026-01-{n:02}\tn\t{n}.25\n" for n in range(1, 9))
    dataset = dataset_of(tmp_path, text, "export.txt", encoding)
    assert (dataset.key, dataset.time.column) == (("day",), "day")


def test_json_and_parquet_and_packed_files_are_read(tmp_path):
    records = [
        {"id": n, "createdAt": f"2026-01-0{n}T10:00:00Z", "kind": "ab"[n % 2], "tags": ["x"]} for n in range(1, 9)
    ]
    lines = write(tmp_path / "events.ndjson", "\n".join(json.dumps(record) for record in records))
    duckdb.sql(
        "select range as id, 'a' || range % 2 as kind, '2026-01-0' || (range + 1) as day from range(8)"
    ).write_parquet(str(tmp_path / "rows.parquet"))
    with gzip.open(tmp_path / "packed.csv.gz", "wt", encoding="utf-8") as file:
        file.write(ORDERS)
    loaded = project(tmp_path / "mine", lines, tmp_path / "rows.parquet", tmp_path / "packed.csv.gz")
    assert set(loaded.datasets) == {"events", "rows", "packed"}
    assert loaded.datasets["events"].columns["createdAt"].type == "timestamptz"
    assert set(loaded.datasets["events"].dimensions) == {"kind"}
    assert loaded.datasets["rows"].columns["day"].type == "date"
    assert loaded.datasets["rows"].time.column == "day"
    assert {file.name for file in (tmp_path / "mine" / "data").iterdir()} == {
        "events.ndjson",
        "rows.parquet",
        "packed.csv.gz",
    }


def test_files_of_one_name_become_two_datasets(tmp_path):
    (tmp_path / "other").mkdir()
    files = write(tmp_path / "orders.csv", ORDERS), write(tmp_path / "other" / "orders.csv", ORDERS)
    assert set(project(tmp_path / "mine", *files, files[0]).datasets) == {"orders", "orders_2"}


def test_files_that_are_in_place_stay_there(tmp_path):
    (tmp_path / "mine" / "data").mkdir(parents=True)
    file = write(tmp_path / "mine" / "data" / "My Orders.csv", ORDERS)
    loaded = project(tmp_path / "mine", file)
    assert loaded.datasets["my_orders"].table == "My Orders"
    assert [entry.name for entry in (tmp_path / "mine" / "data").iterdir()] == ["My Orders.csv"]
    with pytest.raises(OutputError) as refused:
        write_from_files(tmp_path / "mine", "mine", [file])
    assert refused.value.code == "folder_not_empty"


def test_a_folder_with_other_things_is_left_alone(tmp_path):
    file = write(tmp_path / "orders.csv", ORDERS)
    with pytest.raises(OutputError) as refused:
        write_from_files(tmp_path, "mine", [file])
    assert refused.value.code == "folder_not_empty"
    assert [entry.name for entry in tmp_path.iterdir()] == ["orders.csv"]


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("empty.csv", b"", "empty_source_file"),
        ("header.csv", b"day,visits\n", "empty_source_file"),
        ("values.csv", b"2026-01-05,organic,12\n2026-01-06,direct,13\n", "no_header"),
        ("names.csv", b"alice,paris,3\nbob,rome,4\n", "no_header"),
        ("broken.parquet", b"PAR1 and no more", "malformed_file"),
        ("broken.json", b'[{"a": 1}', "malformed_file"),
        ("table.xlsx", b"PK", "unknown_format"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_and_nothing_is_written(tmp_path, name, content, code):
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(SourceError) as refused:
        write_from_files(tmp_path / "mine", "mine", [write(tmp_path / "orders.csv", ORDERS), file])
    assert refused.value.code == code
    assert name in refused.value.message
    assert refused.value.hint
    assert not (tmp_path / "mine").exists()


def test_a_missing_file_and_no_file_are_refused(tmp_path):
    for files in ([tmp_path / "none.csv"], [tmp_path], []):
        with pytest.raises(SourceError) as refused:
            write_from_files(tmp_path / "mine", "mine", files)
        assert refused.value.code == "missing_file"


def test_columns_named_after_years_are_a_header(tmp_path):
    dataset = dataset_of(tmp_path, "country,2024,2025\n" + "".join(f"c{n},{n},{n + 1}\n" for n in range(6)))
    assert dataset.key == ("country",)


@given(st.lists(st.text(max_size=80), max_size=8))
def test_any_text_becomes_a_name_of_its_own(texts):
    names = []
    for text in texts:
        names.append(sanitised(text, names))
    assert len(set(names)) == len(names)
    assert all(check_name("a name", name, None, reserved=("period", "all")) is None for name in names)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60))
def test_any_text_written_in_yaml_is_read_back(text):
    for written in (quoted(text), plain(text)):
        document = read(f"key: {written}\n".encode(), "file")
        assert (document.mistakes, document.value) == ((), {"key": text})


NAMES = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters='"'), min_size=1, max_size=12)


@settings(max_examples=12)
@given(names=st.lists(NAMES, min_size=1, max_size=4, unique_by=str.casefold))
def test_any_header_gives_definitions_that_load(tmp_path_factory, names):
    folder = tmp_path_factory.mktemp("any")
    rows = [{name: f"{'ab'[row % 2]}{place}" for place, name in enumerate(names)} for row in range(6)]
    file = write(folder / "any.json", json.dumps(rows, ensure_ascii=False))
    assert set(project(folder / "mine", file).kpis) == {"any_count"}


def test_the_engine_accepts_and_computes_what_was_inferred(tmp_path):
    text = "Commande;Date;Montant;Café\n" + "".join(
        f"{n};0{n}/03/2026;{n},50;{'crème' if n % 2 else 'noir'}\n" for n in range(1, 8)
    )
    write_from_files(
        tmp_path / "mine",
        "mine",
        [write(tmp_path / "ventes.csv", text, "cp1252"), write(tmp_path / "orders.csv", ORDERS)],
    )
    with kpi_engine.open(tmp_path / "mine") as engine:
        assert [str(each) for each in engine.check()] == []
        rows = engine.run(["ventes_count", "ventes_montant"], by=["cafe"], period="2026-03").rows()
        assert rows == [
            {"cafe": "crème", "ventes_count": 4, "ventes_montant": Decimal("18.00")},
            {"cafe": "noir", "ventes_count": 3, "ventes_montant": Decimal("13.50")},
        ]
        assert engine.run("orders_amount", period="2026").rows() == [{"orders_amount": Decimal("220.00")}]
