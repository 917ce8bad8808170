"""Sources of dlt, read by the protocol, with rows kept as the engine keeps them: by key, with dlt's own state."""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from kpi_source_dlt.source import DltSource
from loopback import Reply

import kpi_engine
from kpi_engine.api import Checkpoint, Rows, SourceContext, SourceError, StreamSource, Wanted

SECRET = "s3cr3t/te+st"  # noqa: S105


def made(root, source, **settings):
    config = DltSource.Config.model_validate({"source": source, **settings})
    return DltSource(config, SourceContext("crm", root))


def read(source, state=None):
    """Give the rows of each stream, and the state after them."""
    rows = {}
    for message in source.read([Wanted(each) for each in source.streams()], state):
        if isinstance(message, Rows):
            rows.setdefault(message.stream, []).extend(pa.table(message.data).to_pylist())
        if isinstance(message, Checkpoint):
            state = message.state
    return rows, json.loads(json.dumps(state))


def failing(source):
    with pytest.raises(SourceError) as caught:
        read(source)
    assert "the source `crm`: `" in caught.value.message
    assert SECRET not in str(caught.value)
    return caught.value


def write(root, text):
    (root / "sources.py").write_text("import dlt\n" + text)
    return root


CRM = """
from dlt.sources.rest_api import rest_api_source

def crm(base_url, token=dlt.secrets.value):
    return rest_api_source({
        "client": {"base_url": base_url, "auth": {"type": "bearer", "token": token},
                   "paginator": {"type": "cursor", "cursor_path": "paging.after", "cursor_param": "after"}},
        "resources": [{"name": "contacts", "primary_key": "id", "write_disposition": "merge", "endpoint": {
            "path": "contacts", "data_selector": "results",
            "incremental": {"cursor_path": "updatedAt", "start_param": "since", "initial_value": "2026-01-01T00:00:00Z"}}}],
    }, name="crm")
"""
CONTACTS = [
    {"id": "a", "updatedAt": "2026-02-01T08:00:00Z", "properties": {"stage": "mql", "tags": ["x", "y"]}},
    {"id": "b", "updatedAt": "2026-02-02T08:00:00Z", "properties": {"stage": "lead", "tags": []}},
    {"id": "c", "updatedAt": "2026-02-03T08:00:00Z", "properties": {"stage": "lead", "tags": []}},
]


def pages(contacts):
    def answer(asked):
        found = [each for each in contacts if each["updatedAt"] >= asked.query["since"]]
        start = int(asked.query.get("after", 0))
        after = {"after": str(start + 2)} if start + 2 < len(found) else {}
        return {"results": found[start : start + 2], "paging": after}

    return answer


def test_rest_api_is_asked_for_all_and_then_for_what_is_new(api, tmp_path):
    api.answer = pages(CONTACTS)
    source = made(write(tmp_path, CRM), "sources:crm", arguments={"base_url": api.url}, secrets={"token": SECRET})
    assert isinstance(source, StreamSource)
    (stream,) = source.streams()
    assert (stream.name, stream.key, stream.loading, stream.cursor) == ("contacts", ("id",), "merge", "")
    rows, state = read(source)
    assert [(each["id"], each["properties__stage"], each["properties__tags"]) for each in rows["contacts"]] == [
        ("a", "mql", '["x", "y"]'), ("b", "lead", "[]"), ("c", "lead", "[]"),
    ]  # fmt: skip
    assert rows["contacts"][0]["updated_at"].isoformat() == "2026-02-01T08:00:00+00:00"
    assert not any(name.startswith("_dlt") for name in rows["contacts"][0])
    assert {each.headers["authorization"] for each in api.asked} == {f"Bearer {SECRET}"}
    assert SECRET not in json.dumps(state)

    changed = {"id": "a", "updatedAt": "2026-02-04T08:00:00Z", "properties": {"stage": "customer", "tags": []}}
    api.answer, api.asked = pages([*CONTACTS[1:], changed]), []
    rows, later = read(source, state)
    assert [each["id"] for each in rows["contacts"]] == ["a"]
    assert api.asked[0].query["since"] == "2026-02-03T08:00:00Z"
    assert later != state


def test_what_was_not_committed_is_given_again(api, tmp_path):
    api.answer = pages(CONTACTS)
    source = made(write(tmp_path, CRM), "sources:crm", arguments={"base_url": api.url}, secrets={"token": "t"})
    first, _ = read(source)
    assert read(source)[0] == first
    assert len(first["contacts"]) == 3


def test_a_sync_that_is_stopped_leaves_nothing(api, tmp_path, monkeypatch):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    api.answer = pages(CONTACTS)
    source = made(write(tmp_path, CRM), "sources:crm", arguments={"base_url": api.url}, secrets={"token": "t"})
    reading = source.read([Wanted(each) for each in source.streams()], None)
    assert isinstance(next(reading), Rows)
    reading.close()
    assert list(temporary.iterdir()) == []


def test_settings_of_rest_api_may_stand_in_the_project(api, tmp_path):
    api.answer = lambda _: [{"id": 1}, {"id": 2}]
    config = {"client": {"base_url": api.url, "auth": {"type": "bearer"}}, "resources": ["contacts"]}
    source = made(
        tmp_path, "dlt.sources.rest_api:rest_api_source", arguments={"config": config}, secrets={"config.client.auth.token": SECRET}
    )  # fmt: skip
    assert read(source)[0] == {"contacts": [{"id": 1}, {"id": 2}]}
    assert api.asked[0].headers["authorization"] == f"Bearer {SECRET}"


def test_a_table_of_a_database_is_read_by_its_cursor(tmp_path):
    write(tmp_path, """
from dlt.sources.sql_database import sql_table

def orders(file):
    return sql_table(f"sqlite:///{file}", table="orders", backend="pyarrow", primary_key="id",
                     incremental=dlt.sources.incremental("id"), write_disposition="merge")
""")  # fmt: skip
    file = tmp_path / "shop.sqlite"
    with closing(sqlite3.connect(file)) as shop:
        shop.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, amount REAL)")
        shop.executemany("INSERT INTO orders VALUES (?, ?)", [(1, 1.5), (2, 2.5)])
        shop.commit()
        source = made(tmp_path, "sources:orders", arguments={"file": str(file)})
        rows, state = read(source)
        assert rows == {"orders": [{"id": 1, "amount": 1.5}, {"id": 2, "amount": 2.5}]}
        assert read(source, state)[0].get("orders", []) == []
        shop.execute("INSERT INTO orders VALUES (3, 4.0)")
        shop.commit()
    assert read(source, state)[0] == {"orders": [{"id": 3, "amount": 4.0}]}


def test_files_of_a_folder_are_read_once(tmp_path):
    write(tmp_path, """
from dlt.sources.filesystem import filesystem

@dlt.transformer
def lines(items):
    import csv
    for item in items:
        with item.open(mode="r") as file:
            yield list(csv.DictReader(file))

def spend(folder):
    files = filesystem(bucket_url=folder, file_glob="*.csv", incremental=dlt.sources.incremental("file_name"))
    return (files | lines).with_name("spend")
""")  # fmt: skip
    folder = tmp_path / "exports"
    folder.mkdir()
    (folder / "2026-01.csv").write_text("day,amount\n2026-01-01,10.5\n2026-01-02,1\n")
    source = made(tmp_path, "sources:spend", arguments={"folder": folder.as_uri()})
    rows, state = read(source)
    assert [each["amount"] for each in rows["spend"]] == ["10.5", "1"]
    (folder / "2026-02.csv").write_text("day,amount\n2026-02-01,7\n")
    assert [each["amount"] for each in read(source, state)[0]["spend"]] == ["7"]


LOADING = """
@dlt.resource
def everything(): yield [{"id": 1}]

@dlt.resource(write_disposition="replace", primary_key="id")
def replaced(): yield [{"id": 1}]

@dlt.resource(primary_key=("A", "someId"))
def keyed(): yield [{"A": 1, "someId": 2}]

@dlt.resource
def events(at=dlt.sources.incremental("at")): yield [{"at": 1}]

@dlt.source
def all_kinds(): return everything, replaced, keyed, events
"""


def test_how_rows_are_kept_follows_what_dlt_gives_again(tmp_path):
    found = made(write(tmp_path, LOADING), "sources:all_kinds").streams()
    assert {each.name: (each.key, each.loading) for each in found} == {
        "everything": ((), "replace"), "replaced": (("id",), "replace"), "keyed": (("a", "some_id"), "merge"), "events": ((), "append"),
    }  # fmt: skip


def test_only_the_resources_that_are_named_are_read(tmp_path):
    source = made(write(tmp_path, LOADING), "sources:all_kinds", resources=["events", "keyed"])
    assert set(read(source)[0]) == {"events", "keyed"}


def test_a_resource_alone_is_a_source(tmp_path):
    source = made(write(tmp_path, LOADING), "sources:events")
    rows, state = read(source)
    assert rows == {"events": [{"at": 1}]}
    assert read(source, state)[0].get("events", []) == []


def test_values_of_several_types_stay_in_their_column(tmp_path):
    write(tmp_path, """
from decimal import Decimal
COLUMNS = {
    "mixed": [1, 2.5, 3], "words": [1, "n/a", 3], "long": [9007199254740993, 2.5, None], "flags": [True, "n/a", None],
    "money": [Decimal("1.10"), "x", None], "exact": [Decimal("0.10"), Decimal("0.20"), None],
}
@dlt.resource
def numbers():
    yield [{name: values[n] for name, values in COLUMNS.items()} for n in range(3)]
""")  # fmt: skip
    rows, _ = read(made(tmp_path, "sources:numbers"))
    found = {name: [each[name] for each in rows["numbers"]] for name in rows["numbers"][0]}
    assert found == {
        "mixed": [1.0, 2.5, 3.0], "words": ["1", "n/a", "3"], "long": ["9007199254740993", "2.5", None], "flags": ["true", "n/a", None],
        "money": ["1.1", "x", None], "exact": [Decimal("0.1"), Decimal("0.2"), None],
    }  # fmt: skip


def test_many_rows_come_in_parts_and_none_is_lost(tmp_path):
    write(tmp_path, '@dlt.resource\ndef many():\n    yield from ({"n": n} for n in range(50_000))\n')
    source = made(tmp_path, "sources:many")
    parts = [
        pa.table(m.data).num_rows
        for m in source.read([Wanted(each) for each in source.streams()], None)
        if isinstance(m, Rows)
    ]
    assert max(parts) <= 20_000
    assert sum(parts) == 50_000


def test_nothing_of_dlt_stays_in_the_project(tmp_path):
    project = tmp_path / "project"
    project.mkdir()
    read(made(write(project, LOADING), "sources:everything"))
    assert {each.name for each in project.iterdir()} <= {"sources.py", "__pycache__"}


FAULTS = {
    "no module": ("nowhere:x", "no_dlt_source", "there is no module `nowhere`"),
    "no such name": ("sources:x", "no_dlt_source", "the module `sources` has no `x`"),
    "something else": ("sources:number", "no_dlt_source", "neither a source nor resources"),
    "an error": ("sources:broken", "dlt_failed", "ValueError: no such stage"),
    "an exit": ("sources:leaving", "dlt_failed", "its process ended with 3"),
    "a secret in an error": ("sources:telling", "dlt_failed", "the token ••• is wrong"),
}
BROKEN = """
import os
number = 1

@dlt.resource
def broken():
    yield {"id": 1}
    raise ValueError("no such stage")

@dlt.resource
def leaving():
    os._exit(3)
    yield

@dlt.resource
def telling(token=""):
    raise RuntimeError(f"the token {token} is wrong")
    yield

@dlt.resource
def hanging():
    import threading
    threading.Event().wait()
    yield
"""


@pytest.mark.parametrize("case", FAULTS)
def test_what_fails_is_told(tmp_path, case):
    source, code, said = FAULTS[case]
    secrets = {"token": SECRET} if "secret" in case else {}
    error = failing(made(write(tmp_path, BROKEN), source, secrets=secrets))
    assert error.code == code
    assert said in error.message


def test_a_refusal_of_the_api_is_told_without_the_token(api, tmp_path):
    api.answer = lambda _: Reply({"message": "no"}, status=401)
    error = failing(
        made(write(tmp_path, CRM), "sources:crm", arguments={"base_url": api.url}, secrets={"token": SECRET})
    )
    assert error.code == "dlt_failed"
    assert "401" in error.message


def test_a_source_that_hangs_is_stopped(tmp_path):
    source = made(write(tmp_path, BROKEN), "sources:hanging", timeout=4)
    error = failing(source)
    assert error.code == "dlt_timeout"


def test_an_interpreter_without_dlt_is_told(tmp_path):
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", bare], check=True)  # noqa: S603
    error = failing(made(write(tmp_path, LOADING), "sources:everything", python=str(bare / "bin" / "python")))
    assert (error.code, "dlt is not installed" in error.message) == ("missing_package", True)
    error = failing(made(tmp_path, "sources:everything", python="nowhere/python"))
    assert error.code == "missing_package"


def test_the_program_ends_when_nobody_waits(tmp_path):
    write(tmp_path, BROKEN)
    folder = tmp_path / "task"
    folder.mkdir()
    script = Path(__file__).parents[1] / "kpi_source_dlt" / "extracting.py"
    with subprocess.Popen([sys.executable, script], stdin=subprocess.PIPE, cwd=tmp_path) as process:  # noqa: S603
        task = {
            "task": "extract", "folder": str(folder), "streams": ["hanging"], "state": None, "source": "sources:hanging",
            "arguments": {}, "secrets": {}, "resources": [],
        }  # fmt: skip
        process.stdin.write(json.dumps(task).encode() + b"\n")
        process.stdin.close()
        assert process.wait(60) == 1
    assert not folder.exists()


@pytest.mark.parametrize("source", ["sources", "sources.crm", ":crm", "a b:c", "sources:"])
def test_a_place_that_is_none_is_refused(source):
    with pytest.raises(ValueError, match="module:name"):
        DltSource.Config.model_validate({"source": source})


def test_dlt_tells_nobody_about_its_runs(tmp_path):
    write(tmp_path, """
@dlt.resource
def telling():
    from dlt.common.runtime.anon_tracker import _ANON_TRACKER_ENDPOINT as endpoint
    yield {"telemetry": dlt.config.get("runtime.dlthub_telemetry")}
""")  # fmt: skip
    assert "RUNTIME__DLTHUB_TELEMETRY" not in os.environ
    assert read(made(tmp_path, "sources:telling"))[0]["telling"][0]["telemetry"] in (False, "false")


def stages(engine):
    return {row["stage"]: row["contacts_by_stage"] for row in engine.run("contacts_by_stage", by=["stage"]).rows()}


def test_kpi_sync_keeps_each_row_once_with_the_state_of_dlt(api, tmp_path, monkeypatch):
    monkeypatch.setenv("KPI_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("CRM_TOKEN", SECRET)
    project = tmp_path / "project"
    for folder in ("plugins", "definitions"):
        (project / folder).mkdir(parents=True)
    write(project, CRM)
    (project / "plugins" / "crm_dlt.py").write_text("from kpi_source_dlt import sources\n")
    settings = {
        "plugin": "dlt",
        "source": "sources:crm",
        "arguments": {"base_url": api.url},
        "secrets": {"token": {"env": "CRM_TOKEN"}},
    }
    (project / "kpi.yaml").write_text(json.dumps({"project": "crm", "sources": {"crm": settings}}))
    (project / "definitions" / "crm.yaml").write_text("""
datasets:
  contacts: {key: id, time: updated_at, dimensions: {stage: {sql: properties__stage}}}
kpis:
  contacts_by_stage: {inputs: [contacts], formula: count(*)}
""")
    api.answer = pages(CONTACTS)
    with kpi_engine.open(project) as engine:
        assert [each.code for each in engine.check()] == ["not_synced"]
        assert engine.sync().ok
        assert stages(engine) == {"mql": 1, "lead": 2}
        api.answer = lambda _: Reply(status=400)
        failed = engine.sync()
        assert (failed.sources[0].status, SECRET in str(failed.as_dict())) == ("failed", False)
        assert stages(engine) == {"mql": 1, "lead": 2}
        changed = {"id": "a", "updatedAt": "2026-02-04T08:00:00Z", "properties": {"stage": "customer", "tags": []}}
        api.answer, api.asked = pages([*CONTACTS[1:], changed]), []
        stream = engine.sync().sources[0].streams[0]
        assert (stream.received, stream.added, stream.changed, stream.rows) == (1, 0, 1, 3)
        assert api.asked[0].query["since"] == "2026-02-03T08:00:00Z"
        assert stages(engine) == {"customer": 1, "lead": 2}
    files = [each for each in tmp_path.rglob("*") if each.is_file()]
    assert not [each for each in files if SECRET.encode() in each.read_bytes()]
