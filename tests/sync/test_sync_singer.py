"""Singer taps as programs of their own: what they are told, what they say, and what becomes of them."""

from __future__ import annotations

import json
import os
import sys
import time
from decimal import Decimal
from pathlib import Path

import pytest
from scripted import served

import kpi_engine

SCHEMA = {
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        "at": {"type": ["null", "string"], "format": "date-time"},
        "amount": {"type": ["null", "number"], "multipleOf": 0.01},
        "tags": {"type": ["null", "array"], "items": {"type": "string"}},
    },
}
TAP = """
import json, os, sys, time, subprocess
def given(option):
    return json.load(open(sys.argv[sys.argv.index(option) + 1])) if option in sys.argv else None
def out(kind, **said):
    print(json.dumps({"type": kind, **said}), flush=True)
def row(stream, number, **more):
    out("RECORD", stream=stream, record={"id": number, "at": "2026-01-03T09:00:00Z", **more})
SCHEMA = %s
CATALOG = {"streams": [
    {"tap_stream_id": "leads", "stream": "leads", "schema": SCHEMA, "key_properties": ["id"], "replication_key": "at"},
    {"tap_stream_id": "pages", "stream": "pages", "schema": SCHEMA, "metadata": [{"breadcrumb": [], "metadata": {}}]},
]}
config, state = given("--config"), given("--state")
if "--discover" in sys.argv:
    print(json.dumps(CATALOG))
    sys.exit()
wanted = [each["stream"] for each in given("--catalog")["streams"] if each["metadata"][0]["metadata"]["selected"]]
with open("told.jsonl", "a") as file:
    modes = [oct(os.stat(sys.argv[n + 1]).st_mode & 0o777) for n, a in enumerate(sys.argv) if a in ("--config", "--state")]
    seen = sorted(name for name in os.environ if name.startswith("KPI_TEST"))
    told = {"config": config, "state": state, "wanted": wanted, "modes": modes, "seen": seen, "pid": os.getpid()}
    file.write(json.dumps(told) + chr(10))
def schemas(*names):
    for name in names or wanted:
        out("SCHEMA", stream=name, schema=SCHEMA, key_properties=["id"] if name == "leads" else [])
"""


@pytest.fixture
def tap(tmp_path):
    """Write a project with a tap that does what the test says."""

    def synced(body: str, settings: str = ""):
        program = tmp_path / "taps" / "tap-test"
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!{sys.executable}\n" + TAP % repr(SCHEMA) + body)
        program.chmod(0o755)
        (tmp_path / "kpi.yaml").write_text(
            f"project: taps\ndefinitions: []\nsources:\n  crm: {{plugin: singer, executable: taps/tap-test{settings}}}\n"
        )
        with kpi_engine.open(tmp_path) as engine:
            return engine.sync().sources[0]

    return synced


def told(root):
    return [json.loads(line) for line in (root / "told.jsonl").read_text().splitlines()]


def test_a_state_that_comes_first_and_several_times_and_rows_that_come_again(tap, tmp_path) -> None:
    body = """
out("STATE", value=state)
schemas()
first = (state or {}).get("bookmarks", {}).get("leads", {}).get("id", 1)
for number in range(first, first + 4):
    row("leads", number, amount=number / 4, tags=["a"])
    out("STATE", value={"bookmarks": {"leads": {"id": number, "progress_markers": {"Note": "as it is"}}}})
    schemas("leads")
row("pages", 1)
row("pages", 1)
"""
    first, second = tap(body), tap(body)
    assert first.error is None
    assert [(each.stream, each.added, each.rows) for each in first.streams] == [("leads", 4, 4), ("pages", 2, 2)]
    assert [(each.stream, each.added, each.rows) for each in second.streams] == [("leads", 3, 7), ("pages", 2, 2)]
    assert served(tmp_path, "SELECT id, amount, CAST(tags AS VARCHAR) FROM leads WHERE id = 3", "crm") == [
        (3, Decimal("0.75"), '["a"]')
    ]
    assert told(tmp_path)[1]["state"] == {"bookmarks": {"leads": {"id": 4, "progress_markers": {"Note": "as it is"}}}}


def test_it_is_told_its_settings_in_files_of_its_own_and_sees_few_variables(tap, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("KPI_TEST_KEY", "a-long-secret")
    monkeypatch.setenv("KPI_TEST_SEEN", "1")
    settings = ", config: {start: 2026-01-01, auth: {user: me}}, secrets: {auth.key: {env: KPI_TEST_KEY}}, environment: KPI_TEST_SEEN, sync: {only: leads}"
    report = tap('schemas()\nout("STATE", value={"bookmarks": {}})', settings)
    assert report.error is None
    tap("schemas()", settings)
    for each in told(tmp_path):
        assert each["config"] == {"start": "2026-01-01", "auth": {"user": "me", "key": "a-long-secret"}}
        assert (each["wanted"], each["seen"]) == (["leads"], ["KPI_TEST_SEEN"])
        assert set(each["modes"]) == {"0o600"}
    left = [
        path
        for path in tmp_path.rglob("*")
        if path.is_file() and path.name != "told.jsonl" and b"a-long-secret" in path.read_bytes()
    ]
    assert left == []


def test_it_is_told_to_look_back(tap, tmp_path) -> None:
    settings = ", sync: {only: leads, streams: {leads: {lookback: 3 days}}}"
    body = """
schemas()
out("STATE", value={"bookmarks": {"leads": {"replication_key": "at", "replication_key_value": "2026-03-10T00:00:00Z"}}})
"""
    tap(body, settings)
    tap(body, settings)
    assert told(tmp_path)[1]["state"]["bookmarks"]["leads"]["replication_key_value"] == "2026-03-07T00:00:00Z"


def test_rows_that_are_deleted_go(tap, tmp_path) -> None:
    tap("schemas()\nfor n in (1, 2, 3): row('leads', n)", ", sync: {only: leads}")
    body = """
schemas()
row("leads", 1, _sdc_deleted_at="2026-02-01T00:00:00Z")
row("leads", 2, _sdc_deleted_at="2026-02-01T00:00:00Z")
row("leads", 2, _sdc_deleted_at=None, amount=5)
"""
    assert tap(body, ", sync: {only: leads}").error is None
    assert served(tmp_path, "SELECT id FROM leads ORDER BY id", "crm") == [(2,), (3,)]


def test_a_table_that_is_sent_whole_under_a_new_version(tap, tmp_path) -> None:
    body = """
schemas()
for number in ({numbers}):
    out("RECORD", stream="leads", version={version}, record={{"id": number}})
out("ACTIVATE_VERSION", stream="leads", version={version})
"""
    tap(body.format(numbers="1, 2", version=10), ", sync: {only: leads}")
    report = tap(body.format(numbers="2, 3", version=20), ", sync: {only: leads}")
    assert (report.streams[0].added, report.streams[0].removed) == (1, 1)
    assert served(tmp_path, "SELECT id FROM leads ORDER BY id", "crm") == [(2,), (3,)]


def test_a_schema_that_changes_on_the_way(tap, tmp_path) -> None:
    body = """
schemas()
row("leads", 1)
SCHEMA["properties"]["new"] = {"type": ["null", "string"]}
schemas("leads")
row("leads", 2, new="x", odd={"a": 1})
"""
    report = tap(body, ", sync: {only: leads}")
    assert report.streams[0].schema_changes == ("new column `new` (VARCHAR)", "new column `odd` (VARCHAR)")
    assert "`odd`" in report.notices[0]
    assert served(tmp_path, "SELECT id, new, odd FROM leads ORDER BY id", "crm") == [
        (1, None, None),
        (2, "x", '{"a":1}'),
    ]


FAULTS = {
    "batch": ('schemas()\nout("BATCH", stream="leads", encoding={}, manifest=[])', "", "unsupported_message", "BATCH"),
    "no json": ('schemas()\nprint("Traceback")', "", "bad_tap", "Traceback"),
    "no type": ('print("{}")', "", "bad_tap", "no `type`"),
    "row first": ('row("leads", 1)', "", "bad_tap", "before it says"),
    "silent on a stream": ('schemas("leads")', "", "bad_tap", "`pages`"),
    "a code": ('print("no such account", file=sys.stderr)\nsys.exit(3)', "", "tap_failed", "no such account"),
    "a signal": ("os.kill(os.getpid(), 9)", "", "tap_failed", "signal 9"),
    "a hang": ("schemas()\ntime.sleep(60)", ", idle_timeout: 0.3", "tap_timeout", "0.3 seconds"),
    "too long": ("schemas()\nwhile True: row('leads', 1)", ", timeout: 0.5", "tap_timeout", "0.5 seconds"),
    "not there": ("", ", catalog: c.json", "missing_file", "c.json"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_goes_wrong_with_a_tap_is_said_and_commits_nothing_half(tap, tmp_path, fault) -> None:
    body, settings, code, said = FAULTS[fault]
    assert tap("schemas()\nrow('leads', 7)\nout('STATE', value={'bookmarks': {}})").error is None
    report = tap(body, settings)
    assert (report.status, report.error.code) == ("failed", code)
    assert said in report.error.message
    assert served(tmp_path, "SELECT id FROM leads", "crm") == [(7,)]
    assert tap("schemas()\nrow('leads', 8)").error is None


def test_a_secret_in_its_last_words_is_taken_out(tap, monkeypatch) -> None:
    monkeypatch.setenv("KPI_TEST_KEY", "a-long-secret")
    report = tap(
        'print("bad key", config["key"], file=sys.stderr)\nsys.exit(1)', ", secrets: {key: {env: KPI_TEST_KEY}}"
    )
    assert "bad key •••" in str(report.error)


@pytest.mark.skipif(os.name != "posix", reason="process groups")
def test_what_a_tap_started_ends_with_it(tap, tmp_path) -> None:
    body = """
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
open("child.txt", "w").write(str(child.pid))
schemas()
time.sleep(60)
"""
    assert tap(body, ", idle_timeout: 1").error.code == "tap_timeout"
    pid = int((tmp_path / "child.txt").read_text())
    for _ in range(100):
        if not alive(pid):
            break
        time.sleep(0.05)
    assert not alive(pid)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_program_that_is_not_there(tmp_path) -> None:
    (tmp_path / "kpi.yaml").write_text(
        "project: t\ndefinitions: []\nsources:\n  crm: {plugin: singer, executable: taps/none}\n"
    )
    with kpi_engine.open(tmp_path) as engine:
        assert engine.sync().sources[0].error.code == "missing_tap"


def test_what_a_tap_said_once_can_be_replayed_from_a_file(tmp_path) -> None:
    messages = [
        {"type": "SCHEMA", "stream": "leads", "schema": SCHEMA, "key_properties": ["id"]},
        *({"type": "RECORD", "stream": "leads", "record": {"id": n, "amount": 0.1}} for n in (1, 2, 2**60 + 1)),
        {"type": "STATE", "value": {"n": 3}},
    ]
    (tmp_path / "said.ndjson").write_text("\n".join(map(json.dumps, messages)))
    (tmp_path / "kpi.yaml").write_text(
        "project: t\ndefinitions: []\nsources:\n  crm: {plugin: singer, file: said.ndjson}\n"
    )
    with kpi_engine.open(tmp_path) as engine:
        assert engine.sync().sources[0].error is None
        assert engine.sync().sources[0].streams[0].changed == 0
    assert served(tmp_path, "SELECT max(id), sum(amount) FROM leads", "crm") == [(2**60 + 1, Decimal("0.30"))]


RENEWING = """
path = sys.argv[sys.argv.index("--config") + 1]
number = int(config["auth"]["token"].rpartition("-")[2]) + 1
config["auth"]["token"] = f"a-long-secret-{number}"
json.dump(config, open(path, "w"))
schemas()
"""


def test_a_token_that_the_tap_renews_is_kept_and_given_to_it_the_next_time(tap, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("KPI_TEST_KEY", "a-long-secret-1")
    settings = ", config: {auth: {user: me}}, secrets: {auth.token: {env: KPI_TEST_KEY}}, renewed: secrets/crm.json, catalog: catalog.json"
    (tmp_path / "catalog.json").write_text('{"streams": [{"stream": "pages", "schema": {}, "metadata": []}]}')
    reports = [tap(RENEWING, settings) for _ in range(3)]
    assert [(each.error, each.notices) for each in reports] == [(None, ())] * 3
    assert [each["config"]["auth"] for each in told(tmp_path)] == [
        {"user": "me", "token": "a-long-secret-1"},
        {"user": "me", "token": "a-long-secret-2"},
        {"user": "me", "token": "a-long-secret-3"},
    ]
    assert oct((tmp_path / "secrets" / "crm.json").stat().st_mode & 0o777) == "0o600"
    monkeypatch.setenv("KPI_TEST_KEY", "another-secret-7")
    tap(RENEWING, settings)
    tap(RENEWING, settings)
    assert [each["config"]["auth"]["token"] for each in told(tmp_path)[3:]] == ["another-secret-7", "a-long-secret-8"]
    holding = [each.name for each in tmp_path.rglob("*") if each.is_file() and b"a-long-secret" in each.read_bytes()]
    assert sorted(holding) == ["crm.json", "tap-test", "told.jsonl"]


def test_a_token_that_is_renewed_and_kept_nowhere_is_said(tap, monkeypatch) -> None:
    monkeypatch.setenv("KPI_TEST_KEY", "a-long-secret-1")
    report = tap(RENEWING, ", secrets: {auth.token: {env: KPI_TEST_KEY}}")
    assert "`auth.token` of its settings" in " ".join(report.notices)
    assert "renewed: PATH" in " ".join(report.notices)
    assert "a-long-secret" not in str(report)


def test_a_token_that_is_renewed_by_a_tap_that_fails_is_kept_and_not_said(tap, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("KPI_TEST_KEY", "a-long-secret-1")
    settings = ", secrets: {auth.token: {env: KPI_TEST_KEY}}, renewed: secrets/crm.json"
    report = tap(RENEWING + "\nsys.exit('refused: ' + config['auth']['token'])", settings)
    assert report.error is not None
    assert "refused: •••" in str(report.error)
    tap(RENEWING, settings)
    assert told(tmp_path)[1]["config"]["auth"] == {"token": "a-long-secret-2"}


def test_a_file_of_renewed_settings_that_is_damaged_is_said(tap, tmp_path) -> None:
    (tmp_path / "crm.json").write_text('{"token": 1}')
    report = tap("schemas()", ", renewed: crm.json")
    assert (report.error.code, "is damaged" in str(report.error)) == ("renewed_settings", True)
