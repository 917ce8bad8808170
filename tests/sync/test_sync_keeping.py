"""What a sync keeps: rows by key, whole tables, rows from a cursor on; columns that change; what does not fit."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest
from scripted import asked, project, script, served

import kpi_engine

LEADS = {"name": "leads", "columns": {"id": "BIGINT", "amount": "DECIMAL(18,2)"}, "key": ["id"]}


@pytest.fixture
def root(tmp_path):
    return project(tmp_path)


def sync(root, **how):
    with kpi_engine.open(root) as engine:
        return engine.sync(**how)


def only(report):
    (source,) = report.sources
    assert source.error is None, source.error
    return source


def test_what_is_given_twice_is_kept_once_and_the_last_row_of_a_key_counts(root) -> None:
    script(root, [LEADS], ["rows", "leads", [{"id": 1, "amount": "1.00"}, {"id": 2, "amount": "2"}]], ["state", 1])
    first = only(sync(root)).streams[0]
    assert (first.received, first.added, first.changed) == (2, 2, 0)
    again = [{"id": 2, "amount": "2"}, {"id": 1, "amount": "7"}, {"id": 1, "amount": "8.50"}, {"id": 3, "amount": "3"}]
    script(root, [LEADS], ["rows", "leads", again], ["state", 2])
    second = only(sync(root)).streams[0]
    assert (second.received, second.added, second.changed, second.rows) == (4, 1, 1, 3)
    assert served(root, "SELECT id, amount FROM leads ORDER BY id") == [
        (1, Decimal("8.50")), (2, Decimal("2.00")), (3, Decimal("3.00")),
    ]  # fmt: skip
    assert [each["state"] for each in asked(root)] == [None, 1]


def test_the_cursor_less_the_lookback_is_asked_for(root) -> None:
    events = {
        "name": "events",
        "columns": {"id": "BIGINT", "at": "TIMESTAMPTZ"},
        "key": ["id"],
        "cursor": "at",
        "lookback_days": 3,
    }
    script(root, [events], ["rows", "events", [{"id": 1, "at": "2026-03-10T12:00:00+02:00"}]])
    sync(root)
    sync(root)
    assert [each["wanted"][0][1] for each in asked(root)] == [None, "2026-03-07 10:00:00+00:00"]


def test_a_cursor_that_is_ahead_of_time_is_told(root) -> None:
    """Whatever is changed before that moment is not asked for: with one row of the year 2999, nothing ever is."""
    events = {"name": "events", "columns": {"id": "BIGINT", "at": "TIMESTAMPTZ"}, "key": ["id"], "cursor": "at"}
    script(root, [events], ["rows", "events", [{"id": 1, "at": "2026-01-05T00:00:00Z"}]])
    sync(root)
    assert only(sync(root)).notices == ()
    script(root, [events], ["rows", "events", [{"id": 2, "at": "2999-01-05T00:00:00Z"}]])
    sync(root)
    (notice,) = only(sync(root)).notices
    assert "newest row of `events` is of 2999-01-05" in notice


def test_a_stream_without_a_key_is_replaced_as_a_whole(root) -> None:
    pages = {"name": "pages"}
    script(root, [pages], ["rows", "pages", [{"url": "/a", "n": 1}, {"url": "/a", "n": 1}]])
    assert only(sync(root)).streams[0].rows == 2
    script(root, [pages], ["rows", "pages", [{"url": "/b", "n": 2}]])
    stream = only(sync(root)).streams[0]
    assert (stream.added, stream.removed, stream.rows) == (1, 2, 1)
    assert served(root, "SELECT url, n FROM pages") == [("/b", 2)]


def test_a_whole_table_that_was_not_given_to_its_end_is_not_read(root) -> None:
    script(root, [{"name": "pages"}], ["rows", "pages", [{"url": "/a"}]])
    sync(root)
    script(root, [{"name": "pages"}], ["rows", "pages", [{"url": "/b"}]], ["state", 1], ["fail", "the API is down"])
    (source,) = sync(root).sources
    assert (source.status, source.error.code) == ("failed", "api")
    assert served(root, "SELECT url FROM pages") == [("/a",)]
    script(root, [{"name": "pages"}], ["rows", "pages", [{"url": "/c"}]])
    sync(root)
    assert served(root, "SELECT url FROM pages") == [("/c",)]


def test_rows_with_a_cursor_and_no_key_are_appended_once(root) -> None:
    log = {"name": "log", "columns": {"at": "DATE", "n": "BIGINT"}, "cursor": "at"}
    days = [{"at": "2026-01-01", "n": 1}, {"at": "2026-01-02", "n": 2}, {"at": "2026-01-02", "n": 2}]
    script(root, [log], ["rows", "log", days])
    sync(root)
    later = [
        {"at": "2026-01-02", "n": 2},
        {"at": "2026-01-02", "n": 2},
        {"at": "2026-01-03", "n": 3},
        {"at": None, "n": 9},
    ]
    script(root, [log], ["rows", "log", days[:1]], ["rows", "log", later])
    stream = only(sync(root)).streams[0]
    assert stream.quarantined == 1
    assert served(root, 'SELECT CAST("at" AS VARCHAR), n FROM log ORDER BY ALL') == [
        ("2026-01-01", 1), ("2026-01-02", 2), ("2026-01-02", 2), ("2026-01-03", 3),
    ]  # fmt: skip


@pytest.mark.parametrize("messages", [
    [["rows", "t", [{"id": 1}, {"id": 2}], 1], ["activated", "t", 1], ["rows", "t", [{"id": 2}, {"id": 3}], 2], ["activated", "t", 2]],
    [["rows", "t", [{"id": 1}, {"id": 2}, {"id": 3}]], ["deleted", "t", [{"id": 1}, {"id": 7}]]],
])  # fmt: skip
def test_rows_that_are_no_more_go(root, messages) -> None:
    script(root, [{"name": "t", "key": ["id"]}], *messages)
    assert only(sync(root)).streams[0].rows == 2
    assert served(root, "SELECT id FROM t ORDER BY id") == [(2,), (3,)]


def test_columns_that_come_later_are_added_and_named_and_types_are_widened(root) -> None:
    script(root, [{"name": "t", "columns": {"id": "BIGINT", "n": "BIGINT", "d": "DATE"}, "key": ["id"]}],
           ["rows", "t", [{"id": 1, "n": 5, "d": "2026-01-01"}]])  # fmt: skip
    sync(root)
    now = {
        "name": "t",
        "columns": {"id": "BIGINT", "n": "DECIMAL(18,2)", "d": "TIMESTAMP", "why": "VARCHAR"},
        "key": ["id"],
    }
    script(
        root, [now], ["schema", now], ["rows", "t", [{"id": 2, "n": "5.25", "d": "2026-01-01T10:00:00", "why": "x"}]]
    )
    stream = only(sync(root)).streams[0]
    assert stream.schema_changes == (
        "column `n` is DECIMAL(21,2) instead of BIGINT",
        "column `d` is TIMESTAMP instead of DATE",
        "new column `why` (VARCHAR)",
    )
    assert served(root, "SELECT id, n, CAST(d AS VARCHAR), why FROM t ORDER BY id") == [
        (1, Decimal("5.00"), "2026-01-01 00:00:00", None), (2, Decimal("5.25"), "2026-01-01 10:00:00", "x"),
    ]  # fmt: skip


BAD = {
    "a text for a number": ("BIGINT", "many"),
    "a fraction for a whole number": ("BIGINT", "1.5"),
    "a fraction that came as a number": ("BIGINT", 1.5),
    "too many digits": ("DECIMAL(18,2)", "1.005"),
    "too large": ("DECIMAL(4,2)", "100"),
    "no number": ("DOUBLE", "nan"),
    "infinite": ("DOUBLE", "1e400"),
    "a day that is none": ("DATE", "2026-02-30"),
    "a time for a day": ("DATE", "2026-02-03T10:00:00"),
    "a zone for a clock": ("TIMESTAMP", "2026-02-03T10:00:00+02:00"),
    "a word for a time": ("TIMESTAMPTZ", "infinity"),
    "a word for a day": ("DATE", "epoch"),
    "a year of five digits": ("TIMESTAMPTZ", "20260-01-05T00:00:00Z"),
    "no truth": ("BOOLEAN", "perhaps"),
    "a truth for a number": ("BIGINT", True),
}
KEPT = {"TIMESTAMPTZ": "TIMESTAMP WITH TIME ZONE"}
GOOD = {
    "a time far ahead": ("TIMESTAMP", " 9999-12-31 23:59:59", datetime(9999, 12, 31, 23, 59, 59)),  # noqa: DTZ001
    "a whole number with a point": ("BIGINT", "12.0", 12),
    "a whole number with an exponent": ("BIGINT", "1e3", 1000),
    "a float that is whole": ("BIGINT", 3.0, 3),
    "zeros behind": ("DECIMAL(18,2)", "1.500", Decimal("1.50")),
    "an exponent": ("DECIMAL(18,2)", "1e2", Decimal("100.00")),
    "large": ("DECIMAL(38,2)", "123456789012345678901234567890.12", Decimal("123456789012345678901234567890.12")),
    "a number for a text": ("VARCHAR", 5, "5"),
    "nothing": ("BIGINT", None, None),
}


@pytest.mark.parametrize(("kind", "value"), BAD.values(), ids=BAD)
def test_a_value_that_does_not_fit_is_quarantined_with_its_row_and_reason(root, kind, value) -> None:
    stream = {"name": "t", "columns": {"id": "BIGINT", "v": kind}, "key": ["id"]}
    script(root, [stream], ["rows", "t", [{"id": 1, "v": value}]], ["rows", "t", [{"id": 2, "v": None}]])
    assert only(sync(root)).streams[0].quarantined == 1
    assert served(root, "SELECT id, v FROM t") == [(2, None)]
    ((reason, row),) = served(root, "SELECT reason, json_extract(row, '$.id') FROM sync.quarantine")
    assert (reason, row) == (f"`v` is no {KEPT.get(kind, kind)}", "1")
    sync(root)
    assert served(root, "SELECT count(*), max(run) FROM sync.quarantine") == [(1, 2)]


@pytest.mark.parametrize(("kind", "value", "kept"), GOOD.values(), ids=GOOD)
def test_a_value_that_is_the_same_in_another_type_is_kept(root, kind, value, kept) -> None:
    stream = {"name": "t", "columns": {"id": "BIGINT", "v": kind}, "key": ["id"]}
    script(root, [stream], ["rows", "t", [{"id": 1, "v": value}]])
    assert only(sync(root)).streams[0].quarantined == 0
    assert served(root, "SELECT v FROM t") == [(kept,)]


def test_whole_numbers_that_a_float_cannot_hold_are_not_widened_to_floats(root) -> None:
    stream = {"name": "t", "columns": {"id": "BIGINT"}, "key": ["id"]}
    script(
        root,
        [stream],
        ["rows", "t", [{"id": 1, "n": 2**53 + 1}]],
        ["rows", "t", [{"id": 2, "n": 0.5}, {"id": 3, "n": 2.0}]],
    )
    assert only(sync(root)).streams[0].quarantined == 1
    assert served(root, "SELECT id, n FROM t ORDER BY id") == [(1, 2**53 + 1), (3, 2)]


def test_full_fetches_all_anew_and_forgets_what_is_no_more(root) -> None:
    script(
        root, [LEADS], ["rows", "leads", [{"id": 1, "amount": "1"}, {"id": 2, "amount": "2"}]], ["state", {"page": 7}]
    )
    sync(root)
    script(root, [LEADS], ["rows", "leads", [{"id": 2, "amount": "2"}]], ["state", {"page": 8}])
    assert only(sync(root, full=True)).streams[0].rows == 1
    assert [each["state"] for each in asked(root)] == [None, None]
    assert served(root, "SELECT count(*) FROM sync.runs WHERE finished IS NOT NULL") == [(2,)]


def test_an_api_that_fails_half_way_leaves_what_kpis_read_and_its_secret_is_not_said(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("API_TOKEN", "hunter2-secret")
    root = project(tmp_path, ", token: {env: API_TOKEN}")
    script(root, [LEADS], ["rows", "leads", [{"id": 1, "amount": "1"}]])
    sync(root)
    for how in ("fail", "crash"):
        script(root, [LEADS], ["rows", "leads", [{"id": 2, "amount": "1"}]], [how, "refused with {token}"])
        (source,) = sync(root).sources
        assert source.status == "failed"
        assert "hunter2" not in str(source.error)
        assert "refused with •••" in source.error.message
    assert served(root, "SELECT id FROM leads") == [(1,)]


REFUSED = {
    "unknown_stream": (", sync: {only: [lead]}", [LEADS]),
    "no_key": (", sync: {streams: {t: {loading: merge}}}", [{"name": "t"}]),
    "ambiguous_streams": ("", [{"name": "t"}, {"name": "T"}]),
    "plugin_failed": ("", [{"name": "t", "columns": {"a": "MONEY"}}]),
    "ambiguous_columns": ("", [{"name": "t", "columns": {"a": "BIGINT", "A": "BIGINT"}}]),
}


@pytest.mark.parametrize("code", REFUSED)
def test_what_cannot_be_kept_is_refused_by_name(tmp_path, code) -> None:
    settings, streams = REFUSED[code]
    root = project(tmp_path, settings)
    script(root, streams, ["rows", streams[0]["name"], [{"a": 1}]])
    (source,) = sync(root).sources
    assert source.error.code == code
    assert source.error.hint


@pytest.mark.parametrize("names", [["nope"], ["files"]])
def test_only_sources_that_are_fetched_can_be_synced(tmp_path, names) -> None:
    root = project(tmp_path)
    (root / "data").mkdir()
    with (root / "kpi.yaml").open("a") as file:
        file.write("  files: {plugin: files, path: data}\n")
    with pytest.raises(kpi_engine.RequestError) as caught:
        sync(root, sources=names)
    assert caught.value.code in {"unknown_source", "not_a_stream"}


def test_the_projects_word_on_a_stream_counts(tmp_path) -> None:
    root = project(tmp_path, ", sync: {only: t, streams: {t: {key: code, cursor: day, lookback: 1 month}}}")
    script(root, [{"name": "t"}, {"name": "u"}], ["rows", "t", [{"code": "a", "day": "2026-03-05"}]])
    assert [each.stream for each in only(sync(root)).streams] == ["t"]
    assert only(sync(root)).streams[0].rows == 1
    assert asked(root)[1]["wanted"] == [["t", "2026-02-02", "merge"]]
