"""Every bad input has one outcome, said well: none leaks, hangs, crashes or gives a number that it should not.

`UPDATE_BAD_INPUTS=1` writes what is found into the cases, to be read before it is kept.
"""

from __future__ import annotations

import faulthandler
import json
import math
import os
import signal
from contextlib import contextmanager
from decimal import Decimal

import duckdb
import pytest
import yaml
from bad_input_cases import AREAS, HERE, draft, files, id_of, load, outcome_line, rewrite
from click.testing import CliRunner

import kpi_engine
from kpi_engine.cli.commands import kpi as command

UPDATE = bool(os.environ.get("UPDATE_BAD_INPUTS"))
CANARY = "canary-3f9ac1"
NEVER = (CANARY, "root:x:0", "42424", "Traceback", "error[internal]")
"""What no output may hold: the canary of the environment and of a file beside the project, /etc/passwd, another table, a crash."""
PATIENCE = 120
"""Seconds after which a case counts as hanging; a case takes far less than one."""


def cases(*outcomes, area="*"):
    """Give the cases of an area, all or those with one of the outcomes, which are not known while they are rewritten."""
    listed = [file for file in files() if area in ("*", file.parent.name) and not (UPDATE and outcomes)]
    kept = [file for file in listed if not outcomes or outcome_line(file) in outcomes]
    return [pytest.param(file, id=f"{file.parent.name}/{file.stem}") for file in kept]


@pytest.fixture
def world(tmp_path, monkeypatch):
    """A folder with a place for the project, and beside it what must neither be read nor changed."""
    for name in [*os.environ]:
        if name.startswith("KPI_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("KPI_SECRET", CANARY)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("KPI_CACHE_DIR", str(tmp_path / "cache"))
    for folder in ("cache", "home", "outside", "project"):
        (tmp_path / folder).mkdir()
    (tmp_path / "outside" / "secret.txt").write_text(CANARY, encoding="utf-8")
    (tmp_path / "outside" / "secret.csv").write_text(f"a,b\n1,{CANARY}\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path


@pytest.fixture(autouse=True)
def _watchdog():
    """Fail a case that hangs; where it hangs in a library that hears no signal, end the process with a trace of it."""

    def overdue(*_):
        raise AssertionError("the case hangs")

    faulthandler.dump_traceback_later(PATIENCE * 2, exit=True)
    if hasattr(signal, "SIGALRM"):
        before = signal.signal(signal.SIGALRM, overdue)
        signal.alarm(PATIENCE)
    yield
    if hasattr(signal, "SIGALRM"):
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    faulthandler.cancel_dump_traceback_later()


def written(case, world):
    for name, data in case.project().items():
        path = world / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def surroundings(world):
    """Give all there is beside the project, but for what is kept there for the next time."""
    inside = {world / "project", world / "cache"}
    beside = (path for path in world.rglob("*") if not inside & {path, *path.parents})
    return {str(path): path.read_bytes() if path.is_file() else b"" for path in beside}


def said(diagnostic, world):
    """Write a mistake as in a case, with paths counted from the project."""
    here = f"{world / 'project'}{os.sep}"
    found = {
        "code": diagnostic.code,
        "place": str(diagnostic.place).replace(here, "") if diagnostic.place else "",
        "message": diagnostic.message.replace(here, ""),
        "hint": diagnostic.hint.replace(here, ""),
        "severity": diagnostic.severity,
    }
    return {key: value for key, value in found.items() if value and (key, value) != ("severity", "error")}


def mistakes_of(error):
    """Give the mistakes that an error carries."""
    if isinstance(error, kpi_engine.DefinitionError):
        return list(error.diagnostics)
    return [kpi_engine.Diagnostic(error.code, error.message, error.place, error.hint)]


def number(value):
    """Write a value as in a case; what is not finite never leaves the engine."""
    if isinstance(value, Decimal | float):
        assert math.isfinite(value)
        return int(value) if value == int(value) else float(value)
    return value


def values_of(result):
    shown = [column.key for column in result.columns if column.role not in ("dimension", "period")]
    return [number(row[key]) for row in result.rows() for key in shown]


def outcome_of(case, world):
    """Check the project and ask it through the public API; give what a case says of it, and the error that ended it."""
    try:
        engine = kpi_engine.open(".")
    except kpi_engine.KpiError as error:
        return {"outcome": "refused", "mistakes": [said(each, world) for each in mistakes_of(error)]}, error
    with engine:
        checked = engine.check()
        found = {"outcome": "refused", "mistakes": [said(each, world) for each in checked]}
        if case.ask is None:
            return found, None
        try:
            values = values_of(engine.run(**case.ask.arguments(), timeout=PATIENCE / 2))
        except kpi_engine.KpiError as error:
            if not any(each.severity == "error" for each in checked):
                more = [said(each, world) for each in mistakes_of(error)]
                found = {"outcome": "error", "mistakes": found["mistakes"] + more}
            return found, error
        known = any(value is not None for value in values)
        warnings = {"mistakes": found["mistakes"]} if checked else {}
        return {"outcome": "number" if known else "unknown", **warnings, "values": values}, None


@contextmanager
def unchanged(world):
    """Fail where anything beside the project was made or changed."""
    before = surroundings(world)
    yield
    assert surroundings(world) == before
    kept = (path.read_bytes() for path in (world / "cache").rglob("*") if path.is_file())
    assert all(CANARY.encode() not in each for each in kept)


def through_the_command_line(*words):
    """Run `kpi` in this process; give its exit code and all that it wrote."""
    ran = CliRunner().invoke(command, [*words])
    assert ran.exception is None or isinstance(ran.exception, SystemExit), ran.exception
    for secret in NEVER:
        assert secret not in ran.output
    return ran.exit_code, ran.stdout + ran.stderr


def exit_code(mistakes, error):
    """Say which exit code the reference promises."""
    if isinstance(error, kpi_engine.RequestError):
        return 3
    if error is not None and not isinstance(error, kpi_engine.DefinitionError):
        return 2
    return 2 if mistakes and mistakes[0]["code"] in ("no_project", "unreadable") else 1


@pytest.mark.parametrize("file", cases())
def test_the_outcome(file, world):
    case = draft(file) if UPDATE else load(file)
    written(case, world)
    with unchanged(world):
        found, error = outcome_of(case, world)
        if case.ask is not None and found["outcome"] == "refused":
            assert error is not None, "what is refused gave a number"
            assert error.code in {each["code"] for each in found["mistakes"]} | {"broken_input", "left_out"}
    assert all(secret not in f"{error}{json.dumps(found, ensure_ascii=False)}" for secret in NEVER)
    assert not isinstance(error, kpi_engine.TimeoutExceeded), "it took too long"
    assert [each for each in found.get("mistakes", ()) if not each.get("hint")] == [], "a mistake without a hint"
    if UPDATE:
        rewrite(file, found)
        return
    expected = case.model_dump(exclude_defaults=True, include={"outcome", "mistakes", "values"})
    assert found == expected | ({"outcome": "number"} if case.outcome == "dropped" else {})


@pytest.mark.parametrize("file", cases("refused", "error"))
def test_the_outcome_on_the_command_line(file, world):
    case = load(file)
    written(case, world)
    with unchanged(world):
        _, error = outcome_of(case, world)
        mistakes = [each.model_dump() for each in case.mistakes]
        if case.outcome == "refused":
            code, output = through_the_command_line("check", ".")
            assert code == exit_code(mistakes, None)
            for each in mistakes:
                assert f"{each['severity']}[{each['code']}]: {each['message']}" in output.replace(
                    f"{world / 'project'}/", ""
                )
                assert each["hint"] in output
        if case.ask is not None and case.ask.words():
            code, output = through_the_command_line("run", *case.ask.words())
            assert code == exit_code(mistakes, error)
            assert "error[" in output or "Error: " in output


def test_the_corpus_is_whole():
    ids = [id_of(file) for file in files()]
    assert len(files()) >= 150
    assert len(set(ids)) == len(ids), "two cases have one id"
    assert {f"F{number:02}" for number in range(1, 78)} | {"L1", "L2", "L3"} <= set(ids)
    assert {path.name for path in HERE.iterdir() if path.is_dir() and path.name != "__pycache__"} <= set(AREAS)


@pytest.mark.parametrize("file", cases("refused", area="formulas"))
def test_what_no_formula_may_say_no_condition_may_say(file):
    """Neither that of an input, nor of a dimension, nor of a request."""
    definitions = load(file).project()["definitions/k.yaml"].decode()
    try:
        text = yaml.safe_load(definitions)["kpis"]["k"]["formula"] or " "
    except yaml.YAMLError:
        text = "sum(amount)\0"
    connection = duckdb.connect()
    connection.execute("CREATE TABLE orders AS SELECT 1 AS id, 'north' AS region, 10.00::DECIMAL(18,2) AS amount")
    connection.execute("CREATE TABLE salaries AS SELECT 424242 AS salary")
    asked = [({"where": text}, {}, {}), ({}, {"sql": text}, {"by": "region"}), ({}, {}, {"where_sql": text})]
    for given, dimension, request in asked:
        dataset = {"table": "orders", "dimensions": {"region": dimension}}
        kpi = {"inputs": {"orders": {"from": "orders", **given}}, "formula": "count(orders)"}
        made = kpi_engine.open({"datasets": {"orders": dataset}, "kpis": {"k": kpi}}, connection)
        with made as engine, pytest.raises(kpi_engine.KpiError) as caught:
            engine.run("k", timeout=PATIENCE, **request)
        assert not isinstance(caught.value, kpi_engine.TimeoutExceeded)
        assert "42424" not in str(caught.value)
    assert connection.execute("SELECT count(*) FROM duckdb_tables()").fetchone() == (2,)
    connection.close()
