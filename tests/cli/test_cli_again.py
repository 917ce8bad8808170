"""A request asked again is answered as if it were the first time: whatever has changed, and whatever became of the cache."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from asking_again import kept, planned, settled, without_cache  # noqa: F401 - fixtures
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kpi_engine.api import versions
from kpi_engine.cli import run as verb

pytestmark = pytest.mark.usefixtures("shop")
REQUESTS = (
    ("visits",),
    ("revenue", "--by", "channel", "--output", "json"),
    ("own_share", "--by", "city", "--period", "2026-Q1", "--compare", "previous-period", "--output", "csv"),
    ("--role", "team", "--grain", "month", "--period", "2026-Q1", "--output", "json"),
    ("scaled", "--parameter", "factor=3", "--where", "score>=2", "--having", "scaled>0", "--output", "json"),
)


@pytest.mark.parametrize("request_", REQUESTS, ids=" ".join)
def test_the_second_answer_is_the_first_and_is_not_planned(kpi, planned, request_):
    first = kpi("run", *request_)
    assert first.code == 0
    again = kpi("run", *request_)
    assert len(planned) == 1
    assert again == first == without_cache(kpi, *request_)


def edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def definition(old, new):
    return lambda shop: edit(shop / "definitions" / "all.yaml", old, new)


def setting(old, new):
    return lambda shop: edit(shop / "kpi.yaml", old, new)


def rows(old, new):
    return lambda shop: edit(shop / "data" / "sessions.csv", old, new)


def plugin(text):
    def write(shop):
        (shop / "plugins").mkdir(exist_ok=True)
        (shop / "plugins" / "mine.py").write_text(text)

    return write


RIVAL = """
from pydantic import BaseModel
from kpi_engine.api import hookimpl

class Config(BaseModel):
    pass

class Rival:
    name = "{word}"
    Config = Config
    suffix = ""
    def __init__(self, config, context=None):
        pass
    def tables(self):
        return []
    def scan(self, scan):
        raise ValueError("none")
    def render(self, report, target):
        target.write(b"rival")

@hookimpl
def {kind}s():
    return [Rival]
"""
EDITS = {
    "formula": definition("formula: sum(amount)", "formula: sum(amount) + 1"),
    "formula below": definition("formula: count(own)", "formula: count(own) * 2"),
    "condition": definition('where: "is_own"', 'where: "not is_own"'),
    "label": definition("{en: Revenue, fr:", "{en: Income, fr:"),
    "unit": definition("unit: EUR", "unit: USD"),
    "decimals": definition("    format: percent\n", "    format: percent\n    decimals: 3\n"),
    "role": definition("    role: press\n    label: {en: Own", "    role: [press, team]\n    label: {en: Own"),
    "default of a parameter": definition("default: 1}", "default: 7}"),
    "type of a column": definition('"decimal(18,2)"', "double"),
    "dimension": definition("      city:\n", "      city: {sql: upper(city)}\n"),
    "time": definition("    time: day\n", ""),
    "mistake elsewhere": definition("formula: scaled * 2", "formula: scaled * nothing"),
    "mistake in all": definition("formula: count(sessions)\n", "formula: count(nothing)\n"),
    "file of definitions": lambda shop: (shop / "definitions" / "more.yaml").write_text(
        "kpis:\n  extra: {role: team, inputs: [sessions], formula: max(score)}\n"
    ),
    "no definitions": lambda shop: (shop / "definitions" / "all.yaml").unlink(),
    "zone": setting("Europe/Paris", "America/New_York"),
    "language": setting("project: shop", "project: shop\nlanguage: fr"),
    "currency": setting("project: shop", "project: shop\ncurrency: CHF"),
    "notice": setting("project: shop", "project: shop\nnotice: {en: Made up}"),
    "title": setting("project: shop", "project: other"),
    "parameter": setting("definitions: [definitions]", "definitions: [definitions]\nparameters: {factor: 11}"),
    "source": setting("path: data", "path: elsewhere"),
    "settings of the source": setting("path: data", "path: data, tables: {sessions: {null: [NULL]}}"),
    "pack": setting("[definitions]", "[definitions, marketing]"),
    "no project": lambda shop: (shop / "kpi.yaml").unlink(),
    "value": rows("10.50", "99.99"),
    "row": rows("5,2026-03-31", "6,2026-03-30,email,Lyon,true,3,7.00\n5,2026-03-31"),
    "member": rows("3,2026-02-03,direct", "3,2026-02-03,fax"),
    "column": rows("id,day,channel,city,", "id,day,channel,town,"),
    "value of another type": rows("2.00", "two"),
    "type of the data": rows(",9,1.00", ",9.5,1.00"),
    "delimiter": lambda shop: edit_all(shop / "data" / "sessions.csv", ",", ";"),
    "second file of the table": lambda shop: shutil.copy(
        shop / "data" / "sessions.csv", shop / "data" / "sessions.tsv"
    ),
    "folder in the place of the file": lambda shop: moved_below(shop / "data" / "sessions.csv"),
    "file in another encoding": lambda shop: encoded(shop / "data" / "sessions.csv", "utf-16"),
    "no data": lambda shop: (shop / "data" / "sessions.csv").unlink(),
    "no rows": lambda shop: (shop / "data" / "sessions.csv").write_text("id,day,channel,city,is_own,score,amount\n"),
    "plugin that claims the source": plugin(RIVAL.format(word="files", kind="source")),
    "plugin that claims the output": plugin(RIVAL.format(word="json", kind="output")),
    "plugin that is broken": plugin("raise ValueError"),
    "disabled plugin": lambda _: os.environ.update(KPI_DISABLE_PLUGINS="builtin:json"),
}


def edit_all(path, old, new):
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


def moved_below(path):
    folder = path.with_suffix("")
    folder.mkdir()
    path.rename(folder / "part.csv")


def encoded(path, encoding):
    path.write_text(path.read_text(encoding="utf-8"), encoding=encoding)


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """Put back what an edit changes of the environment."""
    monkeypatch.setenv("KPI_DISABLE_PLUGINS", "")


@pytest.mark.parametrize("what", EDITS)
def test_after_any_change_the_answer_is_that_of_no_cache(shop, kpi, what):
    requests = (REQUESTS[1], REQUESTS[3])
    for request in requests:
        kpi("run", *request)
    EDITS[what](shop)
    for request in requests:
        assert kpi("run", *request) == without_cache(kpi, *request), request


@pytest.mark.slow
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(sorted(set(EDITS) - {"disabled plugin"})), max_size=4), st.sampled_from(REQUESTS))
def test_after_any_changes_in_a_row_the_answer_is_that_of_no_cache(shop, kpi, tmp_path_factory, changes, request):
    copy = tmp_path_factory.mktemp("copy")
    shutil.copytree(shop, copy, dirs_exist_ok=True)
    for change in ["", *changes]:
        try:
            EDITS.get(change, lambda _: None)(copy)
        except (AssertionError, OSError, UnicodeError):
            continue  # an earlier change has taken away what this one changes
        expected = without_cache(kpi, *request, "--project", copy)
        assert kpi("run", *request, "--project", copy) == expected
        assert kpi("run", *request, "--project", copy) == expected


def test_a_key_that_is_no_longer_unique_is_an_error_and_no_number(shop, kpi, planned):
    (shop / "data" / "places.csv").write_text("place,region\nLyon,south\nO'Hara,west\n")
    places = "  places: {key: place, dimensions: [region]}\n"
    joined = "    joins: {place: {to: places, keys: {city: place}}}\n    dimensions:\n      region: place.region\n"
    definition("datasets:\n", f"datasets:\n{places}")(shop)
    definition("    dimensions:\n      channel", f"{joined}      channel")(shop)
    request = ("visits", "--by", "region", "--output", "csv")
    first = kpi("run", *request)
    assert (first.code, kpi("run", *request), len(planned)) == (0, first, 1)
    edit(shop / "data" / "places.csv", "Lyon,south\n", "Lyon,south\nLyon,south\n")
    assert "error[key_not_unique]" in kpi("run", *request).err


def test_data_of_the_same_size_and_time_are_other_data(shop, kpi):
    data = shop / "data" / "sessions.csv"
    kpi("run", "revenue", "--output", "csv")
    before = data.stat()
    data.write_text(data.read_text(encoding="utf-8").replace("10.50", "20.50"), encoding="utf-8")
    os.utime(data, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert kpi("run", "revenue", "--output", "csv").out == "revenue\n23.75\n"


def test_data_that_may_still_change_unseen_are_not_relied_on(kpi, planned, monkeypatch):
    monkeypatch.setattr(versions, "SETTLED", 10**18)
    first = kpi("run", "visits")
    assert kpi("run", "visits") == first
    assert len(planned) == 2


def test_rows_are_read_anew_each_time(kpi, planned):
    kpi("run", "visits", "--output", "csv")
    again = kpi("run", "visits", "--output", "csv")
    assert (again.out, len(planned)) == ("visits\n5\n", 1)
    for file in kept():
        assert b"Lyon" not in file.read_bytes()
        assert b"10.5" not in file.read_bytes()


def test_what_depends_on_rows_is_not_kept(kpi, planned):
    """Without a period, the months shown are those of the data."""
    first = kpi("run", "visits", "--grain", "month")
    assert kpi("run", "visits", "--grain", "month") == first
    assert len(planned) == 2


def test_an_answer_with_failures_is_not_kept(shop, kpi, planned):
    edit(shop / "definitions" / "all.yaml", "formula: sum(amount)", "formula: sum(channel)")
    first = kpi("run", "--role", "team")
    assert first.code == 1
    assert kpi("run", "--role", "team") == first
    assert len(planned) == 2


def test_a_mistake_is_said_each_time(kpi):
    first = kpi("run", "vists")
    assert first.code == 3
    assert kpi("run", "vists") == first


def test_other_output_options_and_files_need_no_new_plan(kpi, planned, tmp_path):
    kpi("run", "visits", "--by", "channel")
    for more in (["--output", "json"], ["--output", "json", "--option", "indent=0"], ["--out", tmp_path / "a.html"]):
        said = kpi("run", "visits", "--by", "channel", *more)
        assert said == without_cache(kpi, "visits", "--by", "channel", *more)
    assert len(planned) == 1 + 3  # those without a cache
    assert kpi("run", "visits", "--by", "channel", "--output", "nothing").err.startswith("error[unknown_plugin]")
    assert kpi("run", "visits", "--by", "channel", "--option", "indent=2").err.startswith("error[bad_settings]")


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "gone", "text", "folder"])
def test_a_damaged_cache_changes_no_answer(kpi, damage):
    expected = kpi("run", "revenue", "--by", "channel")
    files = kept()
    assert len(files) >= 3
    for file in files:
        harm(file, damage)
        assert kpi("run", "revenue", "--by", "channel") == expected
        if file.is_dir():
            file.rmdir()
        assert kpi("run", "revenue", "--by", "channel") == expected


def harm(file, damage):
    content = file.read_bytes()
    match damage:
        case "cut":
            file.write_bytes(content[: len(content) // 2])
        case "flip":
            file.write_bytes(content[:-9] + bytes([content[-9] ^ 1]) + content[-8:])
        case "empty":
            file.write_bytes(b"")
        case "gone":
            file.unlink()
        case "text":
            file.write_text("{}")
        case "folder":
            file.unlink()
            file.mkdir()


def test_a_cache_that_cannot_be_written_changes_no_answer_and_is_told_on_request(kpi, tmp_path, monkeypatch):
    expected = without_cache(kpi, "visits")
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("KPI_CACHE_DIR", str(tmp_path / "file"))
    assert kpi("run", "visits") == expected
    monkeypatch.setenv("KPI_DEBUG", "1")
    told = kpi("run", "visits")
    assert told.out == expected.out
    assert "Note: nothing is kept for the next command" in told.err
    assert "cannot be written" in kpi("cache", "path").err


def test_nothing_is_written_into_a_project(shop, kpi):
    def state():
        return {path: (path.stat().st_mtime_ns, path.is_file() and path.read_bytes()) for path in shop.rglob("*")}

    before = state()
    for path in (*shop.rglob("*"), shop):
        path.chmod(stat.S_IMODE(path.stat().st_mode) & ~0o222)
    for _ in range(2):
        assert kpi("run", "visits", "--by", "channel").code == 0
        assert kpi("check").code == 0
        assert kpi("report", "--as-of", "2026-06-30").code == 0
    for path in (shop, *shop.rglob("*")):
        path.chmod(stat.S_IMODE(path.stat().st_mode) | 0o200)
    assert state() == before


def test_the_cache_is_named_and_cleared(kpi):
    kpi("run", "visits")
    path = kpi("cache", "path")
    assert (path.code, path.err) == (0, "")
    assert Path(path.out.strip()) == kept()[0].parent
    number = len(kept())
    assert kpi("cache", "clear").err == f"Deleted {number} files\n"
    assert kept() == []
    assert kpi("run", "visits").code == 0


def test_nothing_is_kept_where_it_is_switched_off(kpi, monkeypatch):
    monkeypatch.setenv("KPI_NO_CACHE", "1")
    assert kpi("run", "visits").code == 0
    assert kept() == []
    assert "KPI_NO_CACHE is set" in kpi("cache", "path").err


def test_a_database_is_attached_again(shop, kpi, planned):
    with duckdb.connect(str(shop / "shop.duckdb")) as connection:
        connection.execute(f"CREATE TABLE sessions AS FROM '{shop / 'data' / 'sessions.csv'}'")
    edit(shop / "kpi.yaml", "{plugin: files, path: data}", "{plugin: duckdb, path: shop.duckdb}")
    first = kpi("run", "visits", "--by", "channel")
    assert (first.code, kpi("run", "visits", "--by", "channel")) == (0, first)
    assert len(planned) == 1
    with duckdb.connect(str(shop / "shop.duckdb")) as connection:
        connection.execute("INSERT INTO sessions SELECT * FROM sessions")
    assert kpi("run", "visits", "--output", "csv").out == "visits\n10\n"


def test_files_that_are_copied_to_be_read_are_copied_again(shop, kpi, planned):
    encoded(shop / "data" / "sessions.csv", "utf-16")
    first = kpi("run", "visits", "--by", "channel")
    assert (first.code, kpi("run", "visits", "--by", "channel")) == (0, first)
    assert len(planned) == 2  # the copy went with the engine that made it


def test_a_transformed_dataset_is_planned_again(shop, kpi, planned):
    (shop / "data" / "links.csv").write_text("source,target\na,b\nb,c\nc,a\n")
    (shop / "definitions" / "links.yaml").write_text(
        "datasets:\n"
        "  links: {table: links}\n"
        "  ranks: {transform: pagerank, from: links, options: {source: source, target: target}, dimensions: [node]}\n"
        "kpis:\n"
        "  best: {inputs: [ranks], formula: max(page_rank)}\n"
    )
    first = kpi("run", "best")
    again = kpi("run", "best")
    assert (first.code, again) == (0, first)
    assert len(planned) == 2


MODULES = """
import sys
from kpi_engine.api import versions
versions.SETTLED = -(10**18)
import time_machine
time_machine.travel("2026-07-15T10:20:30.123456+00:00", tick=False).start()
from kpi_engine.cli import main
sys.argv[1:] = {args!r}
try:
    main()
finally:
    print("imported", *sys.modules, file=sys.stderr)
"""


def in_a_process(*args):
    done = subprocess.run(
        [sys.executable, "-c", MODULES.format(args=list(args))],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(verb.__file__).parents[2])},
    )
    said, _, modules = done.stderr.rpartition("imported ")
    return done.returncode, done.stdout, said, set(modules.split())


@pytest.mark.parametrize("output", ["table", "csv", "json"])
def test_what_takes_long_to_import_is_not_imported_again(output):
    request = ("run", "visits", "--by", "channel", "--period", "2026-Q1", "--output", output)
    *first, before = in_a_process(*request)
    *again, after = in_a_process(*request)
    assert first == again
    assert (again[0], again[2]) == (0, "")
    heavy = {"sqlglot", "pydantic", "yaml", "babel", "jinja2", "pyarrow", "numpy", "scipy"}
    assert heavy & before >= {"sqlglot", "pydantic"}
    assert not heavy & after


def test_what_is_kept_says_where_the_settings_of_sources_stand(shop, kpi, planned):
    """Somebody may have written a secret there."""
    (shop / "data").rename(shop / "c4nary")
    edit(shop / "kpi.yaml", "path: data", "path: c4nary")
    kpi("check")
    first = kpi("run", "visits")
    assert (first.code, kpi("run", "visits"), len(planned)) == (0, first, 1)
    recipes = [path.read_text() for path in kept() if '"sources":{"data":["files"' in path.read_text()]
    assert len(recipes) == 1
    assert '["files",{"path":["text",' in recipes[0]
    definitions = [path.read_text() for path in kept() if '"settings":' in path.read_text()]
    assert definitions
    assert not [text for text in definitions if "c4nary" in text]
