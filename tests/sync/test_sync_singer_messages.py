"""What Singer messages become: keys that change, whole tables, lookbacks of bookmarks, numbers of many digits, and messages that are none."""

from __future__ import annotations

import json
import sys
from decimal import Decimal

import pytest
from scripted import served

import kpi_engine
from kpi_engine.api import Stream, Wanted
from kpi_engine.builtin.sources.singer.states import told
from kpi_engine.sync.wishes import length

WHOLE, TEXT, DAY = {"type": "integer"}, {"type": ["null", "string"]}, {"type": "string", "format": "date"}
ID = {"id": WHOLE, "line": WHOLE, "v": WHOLE}


def schema(columns, key=("id",), cursor=""):
    described = {"type": "SCHEMA", "stream": "o", "schema": {"properties": columns}, "key_properties": key}
    return {**described, "bookmark_properties": [cursor]} if cursor else described


def row(**record):
    return {"type": "RECORD", "stream": "o", "record": record}


class Tap:
    """A project with one source, whose messages a file has or a program writes."""

    def __init__(self, root):
        self.root = root
        (root / "definitions").mkdir()
        self.settings("file: o.ndjson")

    def settings(self, text):
        (self.root / "kpi.yaml").write_text(f"project: p\nsources:\n  t: {{plugin: singer, {text}}}\n")

    def says(self, *messages, full=False):
        lines = [each if isinstance(each, str) else json.dumps(each) for each in messages]
        (self.root / "o.ndjson").write_text("".join(f"{line}\n" for line in lines))
        with kpi_engine.open(self.root) as engine:
            return engine.sync(full=full).sources[0]

    def rows(self, query="SELECT * EXCLUDE (_kpi_version) FROM o ORDER BY ALL"):
        return served(self.root, query, "t")


@pytest.fixture
def tap(tmp_path):
    return Tap(tmp_path)


KEYS = {
    "a narrower one": (("id", "line"), ("id",)),
    "a wider one": (("id",), ("id", "line")),
    "one where there was none": ((), ("id",)),
}


@pytest.mark.parametrize("kind", KEYS)
def test_a_key_that_changes_keeps_no_row_twice(tap, kind) -> None:
    """Rows that are kept by another key would stay beside those that come, or be written once for each that has the new key."""
    before, after = KEYS[kind]
    known = [row(id=1, line=1, v=1), row(id=2, line=1, v=1)]
    assert tap.says(schema(ID, before), *known).error is None
    assert tap.says(schema(ID, after), row(id=1, line=1, v=5)).error.code == "changed_key"
    assert tap.rows() == [(1, 1, 1), (2, 1, 1)]
    assert tap.says(schema(ID, after), row(id=1, line=1, v=5), full=True).error is None
    assert tap.rows() == [(1, 1, 5)]


def test_a_key_that_changes_within_a_sync_is_refused(tap) -> None:
    source = tap.says(
        schema(ID, ("id", "line")), row(id=1, line=1, v=1), row(id=1, line=2, v=1), schema(ID), row(id=1, line=2, v=5)
    )
    assert source.error.code == "changed_key"


def test_the_order_of_a_key_and_a_sync_without_rows_change_nothing(tap) -> None:
    tap.says(schema(ID, ("id", "line")), row(id=1, line=1, v=1))
    assert tap.says(schema(ID, ())).error is None
    assert tap.says(schema(ID, ("line", "id")), row(id=1, line=1, v=2)).error is None
    assert tap.rows() == [(1, 1, 2)]


TAP = """
import json, sys
if "--discover" in sys.argv:
    print(json.dumps({"streams": [{"stream": "o", "tap_stream_id": "o", "schema": %s, "replication_key": "day"}]}))
else:
    sys.stdout.write(open("o.ndjson").read())
"""


def test_rows_of_a_tap_without_a_key_are_those_it_gave_last(tap) -> None:
    """It is asked for all, so what it changed or took back long ago counts too."""
    columns = {"day": DAY, "v": WHOLE}
    (tap.root / "tap.py").write_text(TAP % repr({"properties": columns}))
    tap.settings(f"executable: {sys.executable}, arguments: tap.py")
    days = [row(day=f"2026-01-0{n}", v=n) for n in range(1, 5)]
    assert tap.says(schema(columns, (), "day"), *days).error is None
    assert tap.says(schema(columns, (), "day"), row(day="2026-01-01", v=10), *days[2:]).error is None
    assert tap.rows("SELECT v FROM o ORDER BY v") == [(3,), (4,), (10,)]


FAILING = """
import json, sys
def out(kind, **said):
    print(json.dumps({"type": kind, **said}), flush=True)
COLUMNS = {"properties": {"id": {"type": "integer"}}}
if "--discover" in sys.argv:
    print(json.dumps({"streams": [{"stream": "o", "tap_stream_id": "o", "schema": COLUMNS, "key_properties": ["id"]}]}))
else:
    known = json.load(open(sys.argv[sys.argv.index("--state") + 1])) if "--state" in sys.argv else {"next": 0}
    out("SCHEMA", stream="o", schema=COLUMNS, key_properties=["id"])
    for number in range(known["next"], known["next"] + 25):
        out("RECORD", stream="o", record={"id": number})
        if number % 10 == 9:
            out("STATE", value={"next": number + 1})
    sys.exit(known["next"] < 40)
"""


def test_a_tap_that_fails_each_time_after_a_while_comes_to_its_end(tap) -> None:
    """What it said before its last STATE is committed, so that the next sync goes on from there."""
    (tap.root / "tap.py").write_text(FAILING)
    tap.settings(f"executable: {sys.executable}, arguments: tap.py, sync: {{commit_rows: 1}}")
    assert [tap.says().status for _ in range(3)] == ["failed", "failed", "done"]
    assert tap.rows("SELECT count(*), count(DISTINCT id), max(id) FROM o") == [(65, 65, 64)]


def test_rows_that_are_left_out_because_they_come_too_late_are_told(tap) -> None:
    columns = {"day": DAY, "v": WHOLE}
    days = [row(day=f"2026-01-0{n}", v=n) for n in range(1, 4)]
    tap.says(schema(columns, (), "day"), *days)
    assert tap.says(schema(columns, (), "day"), *days).notices == ()
    (notice,) = tap.says(schema(columns, (), "day"), row(day="2026-01-01", v=10), *days[1:]).notices
    assert "`o`: 1 row from before 2026-01-03" in notice
    assert "`lookback`" in notice


def test_a_text_that_is_a_cursor_is_looked_back_in_its_own_form(tap) -> None:
    """Texts are compared as texts: one with a `T` would be behind all those of its day that have a space."""
    tap.settings("file: o.ndjson, sync: {streams: {o: {lookback: 1 day}}}")
    columns = {"at": TEXT, "v": WHOLE}
    tap.says(schema(columns, (), "at"), row(at="2026-01-02 10:00:00", v=1), row(at="2026-01-03 09:00:00", v=2))
    tap.says(schema(columns, (), "at"), row(at="2026-01-02 10:00:00", v=3), row(at="2026-01-03 09:00:00", v=2))
    assert tap.rows("SELECT v FROM o ORDER BY v") == [(2,), (3,)]


MARKS = {
    "of the stream": (
        {"replication_key_value": "2026-01-10T00:00:00Z"},
        {"replication_key_value": "2026-01-07T00:00:00Z"},
    ),
    "of its cursor": ({"at": "2026-01-10T00:00:00.123456+01:00"}, {"at": "2026-01-07T00:00:00.123456+01:00"}),
    "by itself": ("2026-01-10", "2026-01-07"),
    "of its partitions": (
        {"partitions": [{"context": {"account": "2026"}, "replication_key_value": "2026-01-10 00:00:00"}]},
        {"partitions": [{"context": {"account": "2026"}, "replication_key_value": "2026-01-07 00:00:00"}]},
    ),
}


@pytest.mark.parametrize("kind", MARKS)
def test_a_tap_is_told_an_earlier_time_wherever_its_state_has_it(kind) -> None:
    mark, earlier = MARKS[kind]
    wanted = [Wanted(Stream("o", key=("id",), cursor="at", lookback=length("3 days"), loading="merge"), None)]
    assert told({"bookmarks": {"o": mark, "p": mark}}, wanted) == ({"bookmarks": {"o": earlier, "p": mark}}, ())


@pytest.mark.parametrize(
    "state", [{"bookmarks": {"o": {"page": 7}}}, {"o": "2026-01-10"}, {"bookmarks": {"o": 1767603600}}]
)
def test_a_lookback_that_the_state_does_not_take_is_told(state) -> None:
    wanted = [Wanted(Stream("o", key=("id",), cursor="at", lookback=length("3 days"), loading="merge"), None)]
    assert told(state, wanted) == (state, ("o",))


def test_a_decimal_keeps_every_digit(tap) -> None:
    columns = {"id": WHOLE, "amount": {"type": "number", "multipleOf": 0.01}, "text": TEXT, "more": {"type": "object"}}
    records = (
        '{"id": 1, "amount": 12345678901234567.89, "text": "é", "more": {"a": 0.5}}',
        '{"id": 2, "amount": 0.1, "text": null}',
    )
    assert (
        tap.says(schema(columns), *(f'{{"type": "RECORD", "stream": "o", "record": {each}}}' for each in records)).error
        is None
    )
    assert tap.rows("SELECT amount, text, more FROM o ORDER BY id") == [
        (Decimal("12345678901234567.89"), "é", '{"a":0.5}'), (Decimal("0.10"), None, None),
    ]  # fmt: skip


def test_half_a_character_becomes_the_sign_for_an_unknown_one(tap) -> None:
    assert tap.says(schema({"id": WHOLE, "name": TEXT}), row(id=1, name="cut \ud83d")).error is None
    assert tap.rows() == [(1, "cut \ufffd")]


WRONG = {
    '{"type": "RECORD", "stream": "o", "record": 5}': "bad_tap",
    '{"type": "RECORD", "stream": "o", "record": [1]}': "bad_tap",
    '{"type": "RECORD", "stream": "o"}': "bad_tap",
    '{"type": "SCHEMA"}': "bad_tap",
    '{"type": "SCHEMA", "stream": "o", "schema": {"properties": {"id": {}, "v": true}}}': "bad_tap",
    '{"type": "RECORD", "stream": "o", "record": {"id": 1, "ID": 2}}': "ambiguous_columns",
    '{"type": "RECORD", "stream": "o", "record": {"id": 1, "": 2}}': "ambiguous_columns",
    '{"type": "RECORD", "stream": "o", "record": {"id": 1, "_kpi_version": 2}}': "reserved_column",
    '{"type": "RECORD", "stream": "o", "record": {"id": 1, "_KPI_VERSION": 2}}': "reserved_column",
}


@pytest.mark.parametrize("line", WRONG)
@pytest.mark.parametrize("key", [(), ("id",)])
def test_a_message_that_cannot_be_kept_is_refused_by_name(tap, line, key) -> None:
    tap.settings(f"file: o.ndjson, sync: {{streams: {{o: {{key: [{', '.join(key)}]}}}}}}" if key else "file: o.ndjson")
    assert tap.says(schema({"id": WHOLE, "v": WHOLE}, ()), row(id=1, v=1), line).error.code == WRONG[line]
