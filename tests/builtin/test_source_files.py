from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
import os
import tempfile
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from relation_reading import call, columns, rows

from kpi_engine.api import DataError, FileRelation, FolderSource, Scan, SourceContext, SourceError
from kpi_engine.api.sources import RelationSource
from kpi_engine.builtin.sources.files import FilesSource, reading
from kpi_engine.builtin.sources.files.dialects import Wanted, dialect_of
from kpi_engine.plugins import configure

if TYPE_CHECKING:
    from collections.abc import Callable


def source(root: Path, **config) -> FilesSource:
    return FilesSource(configure(FilesSource, config), SourceContext("web", root))


def write(folder: Path, name: str, content: str | bytes) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def refused(root: Path, table: str, types=None, **config) -> SourceError:
    with pytest.raises(SourceError) as caught:
        source(root, **config).relation(Scan(table, types=types or {}))
    return caught.value


class TestTables:
    def test_a_file_is_the_table_of_its_name_without_the_ending(self, tmp_path):
        for name in (
            "leads.csv",
            "visits.csv.gz",
            "clips.PARQUET",
            "posts.json",
            "pages.ndjson",
            "ads.jsonl",
            "rank.tsv",
            "a.b.csv",
        ):
            write(tmp_path, name, "x")
        assert [table.name for table in source(tmp_path).tables()] == sorted(
            ["leads", "visits", "clips", "posts", "pages", "ads", "rank", "a.b"]
        )

    def test_a_text_is_a_table_only_where_the_settings_name_it(self, tmp_path):
        for name in ("notes.txt", "graph.dat", "access.log", ".hidden.csv", "report.pdf"):
            write(tmp_path, name, "x")
        assert source(tmp_path).tables() == []
        assert [table.name for table in source(tmp_path, tables={"access": {}}).tables()] == ["access"]

    def test_a_sub_folder_with_data_files_is_one_table(self, tmp_path):
        write(tmp_path, "leads/2024.csv", "a\n1\n")
        write(tmp_path, "leads/2025.csv", "a\n2\n")
        write(tmp_path, "empty/readme.txt", "x")
        files = source(tmp_path)
        assert [table.name for table in files.tables()] == ["leads"]
        assert rows(files.relation(Scan("leads"))) == [(1,), (2,)]

    def test_the_folder_is_relative_to_the_project(self, tmp_path):
        write(tmp_path, "data/leads.csv", "a\n1\n")
        assert rows(source(tmp_path, path="data").relation(Scan("leads"))) == [(1,)]

    def test_it_is_a_source_of_folders_and_relations(self, tmp_path):
        files = source(tmp_path)
        assert isinstance(files, FolderSource)
        assert isinstance(files, RelationSource)


class TestWhichFiles:
    @pytest.mark.parametrize(
        "names", [("leads.csv", "leads.json"), ("leads.csv", "leads.csv.gz"), ("leads.csv", "leads/1.csv")]
    )
    def test_two_files_of_one_table_are_refused(self, tmp_path, names):
        for name in names:
            write(tmp_path, name, "a\n1\n")
        error = refused(tmp_path, "leads")
        assert error.code == "ambiguous_table"
        assert all(f"`{name.split('1')[0]}`" in error.message for name in names)

    def test_the_settings_say_which_of_two(self, tmp_path):
        write(tmp_path, "leads.csv", "a\n1\n")
        write(tmp_path, "leads.json", '[{"a": 2}]')
        chosen = source(tmp_path, tables={"leads": {"path": "leads.json"}})
        assert rows(chosen.relation(Scan("leads"))) == [(2,)]

    def test_a_folder_with_two_formats_is_refused(self, tmp_path):
        write(tmp_path, "leads/1.csv", "a\n1\n")
        write(tmp_path, "leads/2.json", '[{"a": 2}]')
        assert refused(tmp_path, "leads").code == "ambiguous_table"

    def test_a_definition_may_name_a_file_or_a_pattern(self, tmp_path):
        write(tmp_path, "leads-1.csv", "a\n1\n")
        write(tmp_path, "leads-2.csv", "a\n2\n")
        write(tmp_path, "sub/leads-3.csv", "a\n3\n")
        files = source(tmp_path)
        assert rows(files.relation(Scan("leads-1.csv"))) == [(1,)]
        assert rows(files.relation(Scan("leads-*.csv"))) == [(1,), (2,)]
        assert rows(files.relation(Scan("sub/leads-3.csv"))) == [(3,)]
        assert rows(files.relation(Scan("**/leads-*.csv"))) == [(1,), (2,), (3,)]

    @pytest.mark.parametrize("table", ["../secret.csv", "sub/../../secret.csv", "..", "*/../../secret.csv"])
    def test_nothing_outside_the_folder_is_read(self, tmp_path, table):
        write(tmp_path, "secret.csv", "a\n1\n")
        write(tmp_path, "data/sub/x.csv", "a\n1\n")
        assert refused(tmp_path, table, path="data").code == "outside_source"
        assert refused(tmp_path, "secret", path="data", tables={"secret": {"path": table}}).code == "outside_source"

    def test_an_absolute_path_is_outside(self, tmp_path):
        secret = write(tmp_path, "secret.csv", "a\n1\n")
        (tmp_path / "data").mkdir()
        assert refused(tmp_path, str(secret), path="data").code == "outside_source"
        assert refused(tmp_path, str(tmp_path / "data" / "*.csv"), path="data").code == "outside_source"

    def test_a_link_to_the_outside_is_outside(self, tmp_path):
        write(tmp_path, "private/secret.csv", "a\n1\n")
        write(tmp_path, "data/leads.csv", "a\n1\n")
        (tmp_path / "data" / "open.csv").symlink_to(tmp_path / "private" / "secret.csv")
        (tmp_path / "data" / "folder").symlink_to(tmp_path / "private")
        files = source(tmp_path, path="data")
        assert [table.name for table in files.tables()] == ["leads"]
        for table in ("open.csv", "open*", "folder/secret.csv", "*/secret.csv"):
            assert refused(tmp_path, table, path="data").code == "outside_source"

    def test_a_link_inside_the_folder_is_read(self, tmp_path):
        write(tmp_path, "2024-leads.csv", "a\n1\n")
        (tmp_path / "leads.csv").symlink_to(tmp_path / "2024-leads.csv")
        assert rows(source(tmp_path).relation(Scan("leads"))) == [(1,)]

    def test_a_missing_file_names_the_folder_what_is_there_and_the_nearest_name(self, tmp_path):
        write(tmp_path, "leads.csv", "a\n1\n")
        write(tmp_path, "visits.parquet", "x")
        error = refused(tmp_path, "leeds")
        assert error.code == "missing_file"
        assert str(tmp_path.resolve()) in error.message
        assert "`leads.csv`, `visits.parquet`" in error.message
        assert error.hint == "did you mean `leads`?"

    @pytest.mark.parametrize("table", ["**x", "a\0b", ".", "", "[", "none-*.csv", "x" * 300])
    def test_what_names_no_file_is_a_missing_file(self, tmp_path, table):
        assert refused(tmp_path, table).code == "missing_file"

    def test_a_missing_folder_is_named(self, tmp_path):
        error = refused(tmp_path, "leads", path="dat")
        assert error.code == "missing_folder"
        assert str(tmp_path.resolve() / "dat") in error.message

    def test_a_file_instead_of_a_folder_is_named(self, tmp_path):
        write(tmp_path, "data", "x")
        assert "a file" in refused(tmp_path, "leads", path="data").message

    @pytest.mark.parametrize("content", [b"", b"\n", codecs.BOM_UTF8, codecs.BOM_UTF16_LE, b" \r\n\r\n"])
    @pytest.mark.parametrize("name", ["leads.csv", "leads.json", "leads.log"])
    def test_an_empty_file_is_named(self, tmp_path, name, content):
        write(tmp_path, name, content)
        error = refused(tmp_path, name)
        assert error.code == "empty_source_file"
        assert name in error.message

    def test_an_empty_packed_file_is_empty(self, tmp_path):
        write(tmp_path, "leads.csv.gz", gzip.compress(b""))
        assert refused(tmp_path, "leads").code == "empty_source_file"

    def test_a_damaged_packed_file_is_named(self, tmp_path):
        write(tmp_path, "leads.csv.gz", gzip.compress(b"a,b\n" + os.urandom(1000).hex().encode())[:-20])
        error = refused(tmp_path, "leads")
        assert error.code == "unreadable_file"
        assert "leads.csv.gz" in error.message

    def test_an_unknown_ending_asks_for_the_format(self, tmp_path):
        write(tmp_path, "leads.xyz", "a,b\n1,2\n")
        assert refused(tmp_path, "leads.xyz").code == "unknown_format"
        named = source(tmp_path, tables={"leads": {"path": "leads.xyz", "format": "csv"}})
        assert rows(named.relation(Scan("leads"))) == [(1, 2)]

    def test_a_name_with_the_signs_of_a_pattern_is_a_name(self, tmp_path):
        write(tmp_path, "leads [1].csv", "a\n1\n")
        write(tmp_path, "leads 1.csv", "a\n99\n")
        assert rows(source(tmp_path).relation(Scan("leads [1].csv"))) == [(1,)]
        assert rows(source(tmp_path).relation(Scan("leads [1]"))) == [(1,)]

    def test_a_folder_with_the_signs_of_a_pattern_is_a_folder(self, tmp_path):
        write(tmp_path, "acme [1]/leads.csv", "a\n1\n")
        write(tmp_path, "acme 1/leads.csv", "a\n99\n")
        with duckdb.connect() as connection:
            connection.sql("SELECT 3 AS a").write_parquet(str(tmp_path / "posts.parquet"))
        (tmp_path / "posts.parquet").rename(tmp_path / "acme [1]" / "posts.parquet")
        files = source(tmp_path, path="acme [1]")
        assert rows(files.relation(Scan("leads"))) == [(1,)]
        assert rows(files.relation(Scan("posts"))) == [(3,)]

    def test_a_folder_named_like_a_partition_adds_no_column(self, tmp_path):
        write(tmp_path, "env=prod/leads.csv", "a\n1\n")
        assert columns(source(tmp_path, path="env=prod").relation(Scan("leads"))) == {"a": "BIGINT"}


class TestCsv:
    @pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
    def test_the_delimiter_is_found(self, tmp_path, delimiter):
        write(tmp_path, "leads.csv", "id,name\n1,Ann\n2,Bo\n".replace(",", delimiter))
        assert rows(source(tmp_path).relation(Scan("leads"))) == [(1, "Ann"), (2, "Bo")]

    def test_a_blank_is_a_delimiter_where_the_settings_say_so(self, tmp_path):
        write(tmp_path, "graph.dat", "start end\n1 2\n8 2\n")
        relation = source(tmp_path, tables={"links": {"path": "graph.dat", "delimiter": " "}}).relation(Scan("links"))
        assert columns(relation) == {"start": "BIGINT", "end": "BIGINT"}
        assert rows(relation) == [(1, 2), (8, 2)]

    def test_a_default_delimiter_holds_for_all_tables_but_not_for_tsv(self, tmp_path):
        write(tmp_path, "a.csv", "x:y\n1:2\n")
        write(tmp_path, "b.tsv", "x\ty\n1\t2\n")
        files = source(tmp_path, delimiter=":")
        assert rows(files.relation(Scan("a"))) == [(1, 2)]
        assert rows(files.relation(Scan("b"))) == [(1, 2)]

    def test_the_first_line_of_excel_tells_the_delimiter(self, tmp_path):
        write(tmp_path, "leads.csv", "sep=;\r\na;b,c\r\n1;2\r\n")
        assert columns(source(tmp_path).relation(Scan("leads"))) == {"a": "BIGINT", "b,c": "BIGINT"}

    def test_a_single_column_stays_whole(self, tmp_path):
        write(tmp_path, "names.csv", "name\nAnn Lee\nBo; Ash\n")
        assert rows(source(tmp_path).relation(Scan("names"))) == [("Ann Lee",), ("Bo; Ash",)]

    def test_a_comma_in_numbers_is_no_delimiter_where_it_is_the_decimal_sign(self, tmp_path):
        write(tmp_path, "spend.csv", "day;cost, net\n2024-01-01;1,50\n2024-01-02;12,25\n")
        files = source(tmp_path, decimal=",")
        relation = files.relation(Scan("spend", types={"cost, net": "decimal(18,2)"}))
        assert rows(relation) == [(date(2024, 1, 1), Decimal("1.50")), (date(2024, 1, 2), Decimal("12.25"))]

    def test_declared_types_are_taken_and_others_inferred_from_every_row(self, tmp_path):
        body = "".join(f"{number},{number}\n" for number in range(30_000))
        write(tmp_path, "leads.csv", f"id,code\n{body}30000,A1\n")
        relation = source(tmp_path).relation(Scan("leads", types={"ID": "decimal(18,2)", "absent": "date"}))
        assert columns(relation) == {"id": "DECIMAL(18,2)", "code": "VARCHAR"}

    @pytest.mark.parametrize("kind", ["timestamptz", "TIMESTAMP WITH TIME ZONE", "timetz"])
    def test_an_instant_that_cannot_be_read_is_never_unknown(self, tmp_path, kind):
        """DuckDB 2 says so itself; DuckDB 1.5 would make it NULL."""
        write(tmp_path, "clips.csv", "it's seen,n\n,0\nnonsense,1\n")
        with pytest.raises((DataError, duckdb.ConversionException), match="nonsense"):
            rows(source(tmp_path).relation(Scan("clips", types={"IT'S SEEN": kind})))

    def test_instants_that_can_be_read_are(self, tmp_path):
        write(tmp_path, "clips.csv", "seen,n\n2024-01-01 10:00:00+02:00,1\nNA,2\n2024-01-01T10:00:00Z,3\n")
        files = source(tmp_path, tables={"clips": {"null": "NA"}})
        relation = files.relation(Scan("clips", types={"seen": "timestamptz"}))
        assert columns(relation)["seen"] == "TIMESTAMP WITH TIME ZONE"
        assert rows(relation, "epoch(seen)::BIGINT") == [(1704096000,), (None,), (1704103200,)]

    def test_a_text_where_a_number_should_be_is_an_error_of_the_reader(self, tmp_path):
        write(tmp_path, "leads.csv", "id,n\n1,2\nx,3\n")
        with pytest.raises(duckdb.ConversionException, match="Line: 3"):
            rows(source(tmp_path).relation(Scan("leads", types={"id": "bigint"})))

    def test_a_row_that_begins_with_a_hash_is_a_row(self, tmp_path):
        write(tmp_path, "posts.csv", "text,likes\n#win,1\n#win,2\n# lose,3\n")
        assert rows(source(tmp_path).relation(Scan("posts")), "count(*), sum(likes)") == [(3, 6)]

    def test_a_line_that_looks_like_a_comment_is_never_left_out(self, tmp_path):
        write(tmp_path, "posts.csv", "text,likes\nx,1\n# only a note\ny,2\n")
        error = refused(tmp_path, "posts")
        assert error.code == "malformed_file"
        assert "line 3 has 1 values" in error.message

    def test_a_header_with_blanks_before_its_quotes_is_matched(self, tmp_path):
        write(tmp_path, "leads.csv", 'id, "cost"\n1, "2.50"\n')
        relation = source(tmp_path).relation(Scan("leads", types={"cost": "decimal(18,2)"}))
        assert columns(relation) == {"id": "BIGINT", "cost": "DECIMAL(18,2)"}

    @pytest.mark.parametrize("cut", ["a,b\n1,2\n3", 'a,b\n1,2\n3,"x\ny', 'a,b\n1,2\n3,"x', 'a,b\n"1"'])
    def test_a_row_that_the_sample_cuts_off_is_no_misfit(self, cut):
        assert dialect_of(cut, Wanted(), whole=False).doubt == ""
        assert dialect_of(cut, Wanted(), whole=True).doubt

    def test_lines_above_the_header_are_never_left_out_unasked(self, tmp_path):
        write(tmp_path, "report.csv", "Report 2024\na,b\n1,2\n3,4\n")
        error = refused(tmp_path, "report")
        assert error.code == "malformed_file"
        assert "skip" in error.hint
        told = source(tmp_path, tables={"report": {"skip": 1}})
        assert rows(told.relation(Scan("report"))) == [(1, 2), (3, 4)]

    @pytest.mark.parametrize("end", ["\n", "\r\n"])
    def test_blank_lines_above_the_header_and_between_rows_do_not_count(self, tmp_path, end):
        write(tmp_path, "leads.csv", end.join(["", "", "a,b", "1,2", "", "3,4", "", ""]))
        assert rows(source(tmp_path).relation(Scan("leads"))) == [(1, 2), (3, 4)]

    @pytest.mark.parametrize(
        ("content", "line"),
        [
            ("a,b\n1,2,3\n3,4\n", "line 2 has 3 values, the first row has 2"),
            ("a,b\n1,2\n3\n4,5\n", "line 3 has 1 values"),
            ('a,b\n"x" y,2\n', "line 2: a quote is out of place"),
            ('a,b\n1,2\n"x,2\ny,3\n', "quote is out of place"),
        ],
    )
    def test_a_row_that_does_not_fit_is_named_with_its_line(self, tmp_path, content, line):
        write(tmp_path, "leads.csv", content)
        error = refused(tmp_path, "leads")
        assert error.code == "malformed_file"
        assert line in error.message

    def test_what_duckdb_reads_is_not_refused(self, tmp_path):
        write(tmp_path, "leads.csv", 'a,b\n1, "x, y"\n2,"z" \n3,w,\n')
        assert rows(source(tmp_path).relation(Scan("leads"))) == [(1, "x, y"), (2, "z"), (3, "w")]

    def test_line_breaks_and_quotes_in_texts_stay(self, tmp_path):
        text = 'one\ntwo, "three"\r\n\r\nfour'
        quoted = text.replace('"', '""')
        write(tmp_path, "clips.csv", f'id,text\n1,"{quoted}"\n2,5" disk\n')
        assert rows(source(tmp_path).relation(Scan("clips"))) == [(1, text), (2, '5" disk')]

    def test_many_rows_with_line_breaks_are_all_read(self, tmp_path):
        body = "".join(f'{number},"line {number}\nnext, ""q"" {"x" * (number % 97)}"\n' for number in range(60_000))
        write(tmp_path, "clips.csv", f"id,text\n{body}")
        assert rows(source(tmp_path).relation(Scan("clips")), "count(*), sum(id), min(length(text)) > 10") == [
            (60_000, sum(range(60_000)), True)
        ]

    def test_quotes_escaped_by_a_backslash_are_found(self, tmp_path):
        write(tmp_path, "clips.csv", 'text,n\n"say \\"hi\\", you",1\n"no",2\n')
        assert rows(source(tmp_path).relation(Scan("clips"))) == [('say "hi", you', 1), ("no", 2)]

    def test_a_backslash_at_the_end_of_a_text_stays(self, tmp_path):
        write(tmp_path, "clips.csv", 'path,n\n"C:\\dir\\",1\n"x",2\n')
        assert rows(source(tmp_path).relation(Scan("clips"))) == [("C:\\dir\\", 1), ("x", 2)]

    def test_without_quotes_a_quote_is_a_letter(self, tmp_path):
        write(tmp_path, "clips.csv", 'text,n\n"open,1\n')
        assert rows(source(tmp_path, tables={"clips": {"quote": ""}}).relation(Scan("clips"))) == [('"open', 1)]

    @pytest.mark.parametrize("ends", [("\n", "\r\n"), ("\r\n", "\n"), ("\r", "\r")])
    def test_line_endings_may_differ(self, tmp_path, ends):
        write(tmp_path, "leads.csv", f"a,b{ends[0]}1,2{ends[1]}3,4{ends[0]}")
        assert rows(source(tmp_path).relation(Scan("leads"))) == [(1, 2), (3, 4)]

    def test_names_with_blanks_stay_as_they_are(self, tmp_path):
        write(tmp_path, "posts.csv", "Post _Weekday,Total likes\n1,2\n")
        assert list(columns(source(tmp_path).relation(Scan("posts")))) == ["Post _Weekday", "Total likes"]

    @pytest.mark.parametrize("header", ["a,b,a", "a,b,A", "a, b,b"])
    def test_two_columns_of_one_name_are_refused(self, tmp_path, header):
        write(tmp_path, "leads.csv", f"{header}\n1,2,3\n")
        error = refused(tmp_path, "leads")
        assert error.code == "duplicate_column"
        assert "leads.csv" in error.message
        named = source(tmp_path, tables={"leads": {"columns": ["x", "y", "z"], "header": True}})
        assert columns(named.relation(Scan("leads"))) == dict.fromkeys("xyz", "BIGINT")

    def test_a_header_that_looks_like_data_is_a_header(self, tmp_path):
        write(tmp_path, "words.csv", "city,name\nParis,Ann\nRome,Bo\n")
        assert rows(source(tmp_path).relation(Scan("words"))) == [("Paris", "Ann"), ("Rome", "Bo")]

    def test_without_a_header_the_settings_name_the_columns(self, tmp_path):
        write(tmp_path, "words.csv", "Paris,1\nRome,2\n")
        named = source(tmp_path, tables={"words": {"columns": ["city", "n"]}}).relation(
            Scan("words", types={"n": "double"})
        )
        assert columns(named) == {"city": "VARCHAR", "n": "DOUBLE"}
        assert rows(named) == [("Paris", 1.0), ("Rome", 2.0)]
        numbered = source(tmp_path, tables={"words": {"header": False}}).relation(Scan("words"))
        assert columns(numbered) == {"column0": "VARCHAR", "column1": "BIGINT"}

    def test_names_must_be_as_many_as_columns(self, tmp_path):
        write(tmp_path, "words.csv", "Paris,1\n")
        assert refused(tmp_path, "words", tables={"words": {"columns": ["city"]}}).code == "bad_settings"

    def test_a_header_alone_is_a_table_without_rows(self, tmp_path):
        write(tmp_path, "leads.csv", "id;name")
        relation = source(tmp_path).relation(Scan("leads", types={"id": "bigint"}))
        assert columns(relation) == {"id": "BIGINT", "name": "VARCHAR"}
        assert rows(relation) == []

    def test_texts_that_mean_unknown(self, tmp_path):
        write(tmp_path, "leads.csv", "a,b\n1,n/a\n,NA\n3,2\n")
        relation = source(tmp_path, tables={"leads": {"null": ["NA", "n/a"]}}).relation(Scan("leads"))
        assert rows(relation) == [(1, None), (None, None), (3, 2)]

    def test_formats_of_dates(self, tmp_path):
        write(tmp_path, "leads.csv", "d,t\n03/04/2024,03/04/2024 10:11\n")
        told = source(
            tmp_path, tables={"leads": {"date_format": "%m/%d/%Y", "timestamp_format": "%m/%d/%Y %H:%M"}}
        ).relation(Scan("leads", types={"d": "date", "t": "timestamp"}))
        assert rows(told) == [(date(2024, 3, 4), datetime.fromisoformat("2024-03-04T10:11"))]

    def test_files_of_one_table_are_joined_by_the_names_of_their_columns(self, tmp_path):
        write(tmp_path, "leads-1.csv", "id,name\n1,Ann\n")
        write(tmp_path, "leads-2.csv", "name,id,won\nBo,2,2024-01-01\n")
        relation = source(tmp_path).relation(Scan("leads-*.csv", types={"won": "timestamp"}))
        assert columns(relation) == {"id": "BIGINT", "name": "VARCHAR", "won": "TIMESTAMP"}
        assert rows(relation, "id, name, won") == [(1, "Ann", None), (2, "Bo", datetime.fromisoformat("2024-01-01"))]

    def test_files_of_one_table_have_one_type_for_a_column(self, tmp_path):
        write(tmp_path, "leads-1.csv", "id,n\n1,2\n")
        write(tmp_path, "leads-2.csv", "id,n\nA,2\n")
        assert columns(source(tmp_path).relation(Scan("leads-*.csv")))["id"] == "VARCHAR"

    def test_files_of_one_table_are_written_alike(self, tmp_path):
        write(tmp_path, "leads-1.csv", "id,n\n1,2\n")
        write(tmp_path, "leads-2.csv", "id;n\n1;2\n")
        error = refused(tmp_path, "leads-*.csv")
        assert error.code == "mixed_dialects"
        assert "leads-2.csv" in error.message

    def test_a_packed_file_is_read(self, tmp_path):
        write(tmp_path, "leads.csv.gz", gzip.compress(b"a,b\n1,2\n"))
        assert rows(source(tmp_path).relation(Scan("leads"))) == [(1, 2)]

    @pytest.mark.parametrize(
        "setting",
        [
            {"delimiter": ";;"},
            {"encoding": "utf-99"},
            {"encoding": "rot13"},
            {"decimal": "x"},
            {"skip": -1},
            {"format": "xml"},
        ],
    )
    def test_settings_that_mean_nothing_are_refused(self, tmp_path, setting):
        with pytest.raises(SourceError) as caught:
            source(tmp_path, tables={"leads": setting})
        assert caught.value.code == "bad_settings"
        assert f"`tables.leads.{next(iter(setting))}" in caught.value.message

    def test_settings_that_say_nothing_for_the_format_are_refused(self, tmp_path):
        write(tmp_path, "leads.json", '[{"a": 1}]')
        error = refused(tmp_path, "leads", tables={"leads": {"delimiter": ";", "skip": 1}})
        assert error.code == "bad_settings"
        assert "`delimiter`, `skip`" in error.message


class TestEncodings:
    TEXT = "mot;vu\nété à Köln;1\n"

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
    def test_what_a_file_tells_of_itself_is_enough(self, tmp_path, encoding):
        write(tmp_path, "clips.csv", self.TEXT.encode(encoding))
        assert rows(source(tmp_path).relation(Scan("clips"))) == [("été à Köln", 1)]
        assert list(columns(source(tmp_path).relation(Scan("clips")))) == ["mot", "vu"]

    @pytest.mark.parametrize("mark", [(codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")])
    def test_tables_of_a_media_monitor_in_utf_16_with_tabs(self, tmp_path, mark):
        body = '"Date"\t"Headline"\t"Reach"\r\n"2024-01-01"\t"Noël, ""hier"""\t"12"\r\n'
        write(tmp_path, "clips.csv", mark[0] + body.encode(mark[1]))
        files = source(tmp_path)
        relation = files.relation(Scan("clips"))
        assert rows(relation) == [(date(2024, 1, 1), 'Noël, "hier"', 12)]

    @pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "utf-16-le", "mac-roman", "shift_jis"])
    def test_a_declared_encoding_is_read(self, tmp_path, encoding):
        text = "テスト;1" if encoding == "shift_jis" else "été;1"
        write(tmp_path, "clips.csv", f"mot;vu\n{text}\n".encode(encoding))
        for config in ({"encoding": encoding}, {"tables": {"clips": {"encoding": encoding}}}):
            assert rows(source(tmp_path, **config).relation(Scan("clips"))) == [(text[:-2], 1)]

    def test_the_euro_sign_of_windows(self, tmp_path):
        write(tmp_path, "spend.csv", "cost;n\n5 €;1\n".encode("cp1252"))
        assert rows(source(tmp_path, encoding="cp1252").relation(Scan("spend"))) == [("5 €", 1)]

    @pytest.mark.parametrize("name", ["clips.csv", "clips.json", "clips.log", "clips.csv.gz"])
    def test_an_undeclared_encoding_names_the_file_and_the_mend(self, tmp_path, name):
        content = "mot;vu\nx;0\nété;1\n".encode("cp1252")
        write(tmp_path, name, gzip.compress(content) if name.endswith("gz") else content)
        error = refused(tmp_path, name)
        assert error.code == "bad_encoding"
        assert name in error.message
        assert "line 3" in error.message
        assert "encoding: cp1252" in error.hint

    def test_a_wrong_letter_far_behind_is_found(self, tmp_path):
        write(tmp_path, "clips.csv", b"a,b\n" + b"1,2\n" * 400_000 + b"\xe9,1\n")
        assert "line 400002" in refused(tmp_path, "clips").message

    def test_a_wrong_declaration_is_an_error(self, tmp_path):
        write(tmp_path, "clips.csv", "mot;vu\nété;1\n".encode("cp1252"))
        error = refused(tmp_path, "clips", encoding="utf-8")
        assert error.code == "bad_encoding"
        assert "utf-8" in error.message

    def test_the_copy_is_made_once_lies_in_the_named_folders_and_goes_away(self, tmp_path):
        write(tmp_path, "clips.csv", self.TEXT.encode("utf-16"))
        files = source(tmp_path)
        first, second = (files.relation(Scan("clips")).paths[0] for _ in range(2))
        assert first == second
        assert "clips.csv" in first
        folder, private = files.folders()
        assert folder == str(tmp_path.resolve())
        assert Path(first).parent == Path(private)
        files.close()
        assert not Path(private).exists()
        assert rows(files.relation(Scan("clips"))) == [("été à Köln", 1)]
        files.close()

    def test_a_changed_file_is_read_again(self, tmp_path):
        write(tmp_path, "clips.csv", self.TEXT.encode("utf-16"))
        files = source(tmp_path)
        files.relation(Scan("clips"))
        write(tmp_path, "clips.csv", "mot;vu\nneuf;22\n".encode("utf-16"))
        assert rows(files.relation(Scan("clips"))) == [("neuf", 22)]

    def test_the_private_folder_goes_with_its_source(self, tmp_path):
        files = source(tmp_path)
        private = Path(files.folders()[1])
        assert private.is_dir()
        del files
        assert not private.exists()

    def test_duckdb_reads_everything_with_nothing_but_the_named_folders_allowed(self, tmp_path):
        write(tmp_path, "data/a.csv", "x\n1\n")
        write(tmp_path, "data/b.csv", "x\n2\n".encode("utf-16"))
        write(tmp_path, "data/c [1].csv", "x\n3\n")
        write(tmp_path, "data/d.json", '[{"x": 4}]')
        files = source(tmp_path, path="data")
        with duckdb.connect() as connection:
            connection.execute("SET allowed_directories = " + str(list(files.folders())))
            connection.execute("SET enable_external_access = false")
            found = [
                connection.sql(f"FROM {call(files.relation(Scan(name)))}").fetchall()
                for name in ("a", "b", "c [1]", "d")
            ]
        assert found == [[(1,)], [(2,)], [(3,)], [(4,)]]


class TestLines:
    def test_a_log_is_its_lines_as_they_stand(self, tmp_path):
        lines = ['a "b c" \'d\', "un', 'closed "" \\ x; y\tz', "  blanks ", "#hash", "last"]
        write(tmp_path, "access.log", "\n".join(lines))
        relation = source(tmp_path).relation(Scan("access.log"))
        assert columns(relation) == {"line": "VARCHAR"}
        assert rows(relation) == [(line,) for line in lines]

    @pytest.mark.parametrize("end", ["\n", "\r\n"])
    def test_blank_lines_are_left_out_and_endings_do_not_stay(self, tmp_path, end):
        write(tmp_path, "access.log", end.join(["", "a", "", "b", ""]))
        assert rows(source(tmp_path).relation(Scan("access.log"))) == [("a",), ("b",)]

    def test_any_text_can_be_lines(self, tmp_path):
        write(tmp_path, "notes.txt", "a,b\nc\n")
        told = source(tmp_path, tables={"notes": {"format": "lines"}})
        assert rows(told.relation(Scan("notes"))) == [("a,b",), ("c",)]

    def test_a_packed_log_in_another_encoding(self, tmp_path):
        write(tmp_path, "access.log.gz", gzip.compress("é\n".encode("latin-1")))
        assert rows(source(tmp_path, encoding="latin-1").relation(Scan("access.log.gz"))) == [("é",)]

    def test_the_name_of_a_log_is_enough_where_the_settings_name_it(self, tmp_path):
        write(tmp_path, "access.log", "a\n")
        assert rows(source(tmp_path, tables={"access": {}}).relation(Scan("access"))) == [("a",)]
        assert refused(tmp_path, "access").code == "missing_file"


class TestJson:
    ROWS = ({"a": 1, "b": "x"}, {"a": 2, "b": None})

    @pytest.mark.parametrize("name", ["posts.json", "posts.ndjson", "posts.jsonl", "posts.ndjson.gz", "mark.json"])
    def test_lists_and_lines_of_objects(self, tmp_path, name):
        text = json.dumps(self.ROWS) if name.endswith(".json") else "\n".join(map(json.dumps, self.ROWS))
        content = text.encode("utf-8-sig" if name == "mark.json" else "utf-8")
        write(tmp_path, name, gzip.compress(content) if name.endswith("gz") else content)
        assert rows(source(tmp_path).relation(Scan(name)), "a, b") == [(1, "x"), (2, None)]

    def test_declared_types_are_taken(self, tmp_path):
        write(tmp_path, "posts.json", '[{"ID": "00123", "seen": "2024-01-01T00:00:00+02:00", "cost": 0.10, "n": 1}]')
        types = {"id": "varchar", "seen": "timestamptz", "cost": "decimal(18,2)", "absent": "date"}
        relation = source(tmp_path).relation(Scan("posts", types=types))
        assert columns(relation) == {
            "ID": "VARCHAR",
            "seen": "TIMESTAMP WITH TIME ZONE",
            "cost": "DECIMAL(18,2)",
            "n": "BIGINT",
        }
        assert rows(relation, "ID, epoch(seen)::BIGINT, cost") == [("00123", 1704060000, Decimal("0.10"))]

    def test_nested_values_and_strange_names_survive(self, tmp_path):
        write(tmp_path, "posts.json", json.dumps([{"a b": {"it's": [1, 2]}, 'q"': 1}]))
        assert rows(source(tmp_path).relation(Scan("posts"))) == [({"it's": [1, 2]}, 1)]

    def test_late_keys_are_columns(self, tmp_path):
        write(tmp_path, "posts.ndjson", '{"a": 1}\n' * 30_000 + '{"a": 1, "late": 2}\n')
        assert rows(source(tmp_path).relation(Scan("posts")), "sum(late)") == [(2,)]

    def test_files_of_one_table_are_joined_by_name(self, tmp_path):
        write(tmp_path, "posts/1.json", '[{"a": 1, "b": "x"}]')
        write(tmp_path, "posts/2.ndjson", '{"b": "y", "c": 2}')
        assert rows(source(tmp_path).relation(Scan("posts")), "a, b, c") == [(1, "x", None), (None, "y", 2)]

    @pytest.mark.parametrize("content", ['[{"a": 1},', '[{"a": 1}', '[{"a": 1}\n{"a": ', "{", "no json"])
    def test_a_file_that_is_cut_off_is_refused(self, tmp_path, content):
        write(tmp_path, "posts.json", content)
        assert refused(tmp_path, "posts").code == "malformed_file"

    @pytest.mark.parametrize("content", ["[]", "[1, 2]", "[{}]", '"json"'])
    def test_a_file_without_records_is_refused(self, tmp_path, content):
        write(tmp_path, "posts.json", content)
        assert refused(tmp_path, "posts").code in ("empty_source_file", "malformed_file")

    def test_a_key_named_json_is_a_column(self, tmp_path):
        write(tmp_path, "posts.json", '[{"json": 1}]')
        assert rows(source(tmp_path).relation(Scan("posts"))) == [(1,)]


class TestParquet:
    def write(self, folder: Path, name: str, query: str) -> Path:
        folder.mkdir(exist_ok=True)
        with duckdb.connect() as connection:
            connection.sql(query).write_parquet(str(folder / name))
        return folder / name

    def test_types_are_the_file_s(self, tmp_path):
        self.write(tmp_path, "spend.parquet", "SELECT 1.50::DECIMAL(18,2) AS cost, DATE '2024-01-01' AS day")
        relation = source(tmp_path).relation(Scan("spend", types={"cost": "double"}))
        assert rows(relation) == [(Decimal("1.50"), date(2024, 1, 1))]

    def test_a_sub_folder_is_joined_by_name(self, tmp_path):
        self.write(tmp_path / "spend", "1.parquet", "SELECT 1 AS a")
        self.write(tmp_path / "spend", "2.parquet", "SELECT 2 AS b, 3 AS a")
        assert rows(source(tmp_path).relation(Scan("spend")), "a, b") == [(1, None), (3, 2)]

    def test_a_file_that_is_cut_off_is_refused(self, tmp_path):
        file = self.write(tmp_path, "spend.parquet", "SELECT 1 AS a")
        write(tmp_path, "cut.parquet", file.read_bytes()[:-10])
        write(tmp_path, "text.parquet", "a,b\n1,2\n")
        write(tmp_path, "none.parquet", "")
        assert refused(tmp_path, "cut").code == "malformed_file"
        assert refused(tmp_path, "text").code == "malformed_file"
        assert refused(tmp_path, "none").code == "empty_source_file"


cells = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00\r"), max_size=8)
letters = st.text(st.characters(categories=("L", "N", "Zs", "P", "S")), max_size=8)


@settings(max_examples=60)
@given(
    table=st.lists(st.tuples(cells, cells, st.integers(0, 9)), min_size=1, max_size=8),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    ending=st.sampled_from(["\n", "\r\n"]),
)
def test_what_a_spreadsheet_writes_is_what_is_read(table, delimiter, encoding, ending):
    """Every text comes back as it was written; an empty one is unknown."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator=ending)
    writer.writerows([("first", "second", "n"), *table])
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), "t.csv", text.getvalue().encode(encoding))
        files = source(Path(folder))
        types = {"first": "varchar", "second": "varchar", "n": "bigint"}
        assert rows(files.relation(Scan("t", types=types))) == [(a or None, b or None, n) for a, b, n in table]
        files.close()


ways = st.sampled_from([
    ("1", "20", "-3", "", "007"), ("1", "2.5", "1e3", ""), ("true", "FALSE", "t", ""), ("10:00:00", "23:59:59"),
    ("2026-01-31", "1999-12-01", ""), ("31/01/2026", "01/12/1999", ""), ("01-02-26", "31-12-25"), ("2026/01/31", "20260131"),
    ("2026-01-31 10:00:00", "2026-01-31T10:00:00.5", ""), ("31/01/2026 10:00:00", "01/12/1999 23:59:59"), ("2026-01-31T10:00:00Z", ""),
    ("a", "1", ""), ("2026-01-31", "a"), ("2026-01-31", "31/01/2026"), ("1", "1.5x"), ("2026-01-31", "2026-01-31 10:00"),
])  # fmt: skip
declared = st.sampled_from(["", "", "varchar", "date", "timestamp", "double", "decimal(18,2)", "boolean"])


@settings(max_examples=60, deadline=None)
@given(
    table=st.lists(
        st.tuples(ways.flatmap(lambda way: st.lists(st.sampled_from(way), min_size=4, max_size=4)), declared),
        min_size=1,
        max_size=4,
    ),
    large=st.sampled_from([0, 1 << 20]),
)
def test_columns_are_read_as_duckdb_reads_them_that_looks_at_all_rows(table, large):
    types = {f"c{number}": kind for number, (_, kind) in enumerate(table) if kind}
    lines = [",".join(f"c{number}" for number in range(len(table)))]
    lines += [",".join(f'"{values[row]}"' for values, _ in table) for row in range(4)]
    with tempfile.TemporaryDirectory() as folder:
        file = write(Path(folder), "t.csv", "\n".join([*lines, ""]).encode())
        files = source(Path(folder))
        told = {
            "delim": ",",
            "quote": '"',
            "escape": '"',
            "comment": "",
            "header": True,
            "sample_size": -1,
            "types": types,
        }
        by_hand = FileRelation("csv", (str(file),), {name: value for name, value in told.items() if value != {}})
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(reading, "LARGE", large)
            assert outcome(lambda: files.relation(Scan("t", types=types))) == outcome(lambda: by_hand)
        files.close()


def outcome(relation: Callable[[], FileRelation]) -> object:
    """Give the types and rows that a table has, or that it cannot be read."""
    try:
        found = relation()
        return columns(found), rows(found)
    except (duckdb.Error, DataError):
        return "refused"


@pytest.mark.parametrize(
    ("first", "last"),
    [("1", "2.5"), ("1", "a"), ("2026-01-02", "31/12/2026"), ("01/02/2026", "31/12/2026"), ("01/02/2026", "12/31/2026"), ("", "2026-01-02")],
)  # fmt: skip
def test_the_last_row_of_a_long_file_counts_as_the_first_does(tmp_path, monkeypatch, first, last):
    monkeypatch.setattr(reading, "LARGE", 0)
    file = write(tmp_path, "t.csv", "d\n" + f'"{first}"\n' * 30_000 + f'"{last}"\n')
    by_hand = FileRelation("csv", (str(file),), {"delim": ",", "header": True, "sample_size": -1})
    made = source(tmp_path).relation(Scan("t"))
    assert columns(made) == columns(by_hand)
    assert rows(made, "min(d), max(d)") == rows(by_hand, "min(d), max(d)")
