"""Whatever becomes of a sync, the next one puts it right: nothing lost, nothing double, and no operator needed."""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import subprocess
import time

import duckdb
import pytest
from paged import complete, counts, finished, process, project, wants

import kpi_engine
from kpi_engine.sync.failpoints import STEPS

posix = pytest.mark.skipif(os.name != "posix", reason="signals")


@posix
@pytest.mark.parametrize("step", STEPS)
def test_a_sync_that_dies_at_any_step_is_made_good_by_the_next(tmp_path, step) -> None:
    root = project(tmp_path)
    wants(root, 60)
    assert finished(root)[0] == 0
    wants(root, 200)
    assert finished(root, KPI_FAILPOINT=f"{step}:kill")[0] == -signal.SIGKILL
    assert counts(root) in (complete(60), complete(200))
    code, said = finished(root)
    assert (code, counts(root)) == (0, complete(200)), said
    assert sorted(path.name for path in (root / ".kpi" / "sync" / "api").iterdir()) == [
        "lock",
        "served.duckdb",
        "work.duckdb",
    ]


@posix
@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("before", [0, 60])
def test_a_sync_that_makes_a_store_anew_may_die_at_any_step_too(tmp_path, step, before) -> None:
    root = project(tmp_path)
    with kpi_engine.open(root) as engine:
        wants(root, before)
        assert not before or engine.sync().ok
        wants(root, 200)
        dying = ("--full",) if before else ()
        assert finished(root, *dying, KPI_FAILPOINT=f"{step}:kill")[0] == -signal.SIGKILL
        served = root / ".kpi" / "sync" / "api" / "served.duckdb"
        assert served.exists() or not before
        assert not served.exists() or counts(root) in (complete(before), complete(200))
        assert engine.sync().ok
    assert counts(root) == complete(200)


@pytest.mark.parametrize("step", STEPS)
def test_a_file_that_cannot_be_written_at_any_step_is_told_and_the_next_sync_goes_on(
    tmp_path, monkeypatch, step
) -> None:
    root = project(tmp_path)
    wants(root, 60)
    with kpi_engine.open(root) as engine:
        assert engine.sync().ok
        wants(root, 200)
        monkeypatch.setenv("KPI_FAILPOINT", f"{step}:error")
        (source,) = engine.sync().sources
        assert (source.status, source.error.code) == ("failed", "unwritable_store")
        assert str(root) in source.error.message
        assert counts(root) in (complete(60), complete(200))
        monkeypatch.delenv("KPI_FAILPOINT")
        assert engine.sync().ok
    assert counts(root) == complete(200)


@posix
@pytest.mark.slow
def test_sixty_kills_at_random_points_lose_nothing_and_double_nothing(tmp_path) -> None:
    root, dice, total = project(tmp_path, pause=0.005), random.Random(7), 100  # noqa: S311 - no secret
    wants(root, total)
    assert finished(root)[0] == 0
    killed, shortest = 0, 2.0
    while killed < 60:
        total += 60
        wants(root, total)
        (root / "started").unlink(missing_ok=True)
        run = process(root)
        until(lambda run=run: (root / "started").exists() or run.poll() is not None)
        started = time.monotonic()
        try:
            run.wait(dice.uniform(0, shortest))
            shortest = min(shortest, time.monotonic() - started)
        except subprocess.TimeoutExpired:
            killed += 1
        run.send_signal(signal.SIGKILL)
        run.communicate()
        assert run.returncode in (0, -signal.SIGKILL)
        served = counts(root)
        assert len(set(served.values())) == 1, served
        assert served["merged"][0] == served["merged"][1] == served["merged"][2] + 1
    code, said = finished(root)
    assert (code, counts(root)) == (0, complete(total)), said
    with duckdb.connect(str(root / ".kpi/sync/api/served.duckdb"), read_only=True) as connection:
        ((state,),) = connection.execute("SELECT state FROM sync.store").fetchall()
    assert json.loads(state) == {"done": total}


@posix
def test_of_two_syncs_at_once_one_wins_and_the_other_says_so(tmp_path) -> None:
    root = project(tmp_path)
    wants(root, 100)
    (root / "hold").touch()
    first = process(root)
    until((root / "started").exists)
    code, said = finished(root)
    assert code == 4
    assert f"another process, {first.pid}" in said
    second = process(root, "--wait")
    assert second.stderr is not None
    assert f"Waiting for the process {first.pid}" in second.stderr.readline()
    (root / "hold").unlink()
    for run in (first, second):
        assert run.communicate(timeout=60)[1] == ""
        assert run.returncode == 0
    assert counts(root) == complete(100)


@posix
def test_the_lock_of_a_sync_that_was_killed_is_free(tmp_path) -> None:
    root = project(tmp_path)
    wants(root, 100)
    (root / "hold").touch()
    first = process(root)
    until((root / "started").exists)
    first.kill()
    first.communicate()
    (root / "hold").unlink()
    assert finished(root)[0] == 0
    assert counts(root) == complete(100)


@posix
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_and_leaves_what_kpis_read(tmp_path, number, code) -> None:
    root = project(tmp_path)
    wants(root, 40)
    assert finished(root)[0] == 0
    (root / "hold").touch()
    (root / "started").unlink()
    wants(root, 400)
    run = process(root)
    until((root / "started").exists)
    run.send_signal(number)
    out, errors = run.communicate(timeout=30)
    assert run.returncode == code, out + errors
    assert "Traceback" not in errors
    assert counts(root) == complete(40)


@posix
def test_a_full_disk_is_told_by_its_path_and_leaves_what_kpis_read(tmp_path) -> None:
    root = project(tmp_path)
    wants(root, 40)
    assert finished(root)[0] == 0
    wants(root, 400_000)
    size = (root / ".kpi" / "sync" / "api" / "served.duckdb").stat().st_size
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100_000, before[1]))
    try:
        (root / "kpi.yaml").write_text(
            (root / "kpi.yaml").read_text().replace("commit_rows: 50", "commit_rows: 500000")
        )
        code, said = finished(root)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert code == 2
    assert "error[unwritable_store]" in said, said
    assert str(root / ".kpi") in said.replace(" .kpi", f" {root}/.kpi")
    assert counts(root) == complete(40)
    wants(root, 400)
    assert finished(root)[0] == 0
    assert counts(root) == complete(400)


DAMAGES = {
    "cut": lambda content: content[: len(content) // 2],
    "empty": lambda _: b"",
    "other": lambda _: b"SQLite format 3\0" * 400,
    "head": lambda content: b"\xff" * 64 + content[64:],
    "block": lambda content: content[:12288] + bytes(255 - each for each in content[12288:40000]) + content[40000:],
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_work_file_that_is_damaged_is_made_again_from_what_is_served(tmp_path, damage) -> None:
    root = project(tmp_path)
    wants(root, 60)
    with kpi_engine.open(root) as engine:
        assert engine.sync().ok
        work = root / ".kpi" / "sync" / "api" / "work.duckdb"
        work.write_bytes(DAMAGES[damage](work.read_bytes()))
        wants(root, 200)
        (source,) = engine.sync().sources
        assert source.error is None or (damage == "block" and source.error.code == "damaged_store")
        assert source.error is None or counts(root) == complete(60)
        assert engine.sync().ok
        assert counts(root) == complete(200)


@pytest.mark.parametrize("part", [1, 2, 3, 6])
def test_a_work_file_with_a_bit_turned_loses_no_row_and_ends_in_no_traceback(tmp_path, part) -> None:
    root = project(tmp_path, commit_rows=5000)
    wants(root, 3000)
    with kpi_engine.open(root) as engine:
        assert engine.sync().ok
        work = root / ".kpi" / "sync" / "api" / "work.duckdb"
        content = bytearray(work.read_bytes())
        content[len(content) * (2 * part + 1) // 16] ^= 1
        work.write_bytes(content)
        wants(root, 3300)
        (source,) = engine.sync().sources
        assert source.error is None or (source.error.code, counts(root)) == ("damaged_store", complete(3000))
        assert engine.sync().ok
    assert counts(root) == complete(3300)


@pytest.mark.parametrize("damage", DAMAGES)
def test_where_all_is_damaged_the_error_says_what_to_do_and_that_works(tmp_path, damage) -> None:
    root = project(tmp_path)
    wants(root, 60)
    with kpi_engine.open(root) as engine:
        assert engine.sync().ok
        for name in ("work", "served"):
            file = root / ".kpi" / "sync" / "api" / f"{name}.duckdb"
            file.write_bytes(DAMAGES[damage](file.read_bytes()))
        (source,) = engine.sync().sources
        assert (source.error.code, "--full" in source.error.hint) == ("damaged_store", True)
        assert engine.sync(full=True).ok
    assert counts(root) == complete(60)


@pytest.mark.slow
def test_a_served_file_with_a_bit_turned_never_gives_another_number(tmp_path) -> None:
    root, dice = project(tmp_path), random.Random(3)  # noqa: S311 - no secret
    (root / "definitions").mkdir()
    (root / "definitions" / "all.yaml").write_text(
        "datasets:\n  merged: {key: id}\nkpis:\n  total: {inputs: [merged], formula: sum(merged.id)}\n"
    )
    (root / "kpi.yaml").write_text((root / "kpi.yaml").read_text().replace("definitions: []\n", ""))
    wants(root, 5000)
    with kpi_engine.open(root) as engine:
        assert engine.sync().ok
    served = root / ".kpi" / "sync" / "api" / "served.duckdb"
    content = served.read_bytes()
    for _ in range(40):
        turned = bytearray(content)
        turned[dice.randrange(len(turned))] ^= 1 << dice.randrange(8)
        served.write_bytes(turned)
        with kpi_engine.open(root) as engine:
            try:
                assert engine.run("total").rows() == [{"total": 5000 * 4999 // 2}]
            except kpi_engine.KpiError as error:
                assert error.hint  # noqa: PT017


def test_a_store_of_another_source_is_refused(tmp_path) -> None:
    root = project(tmp_path)
    wants(root, 40)
    with kpi_engine.open(root) as engine:
        assert engine.sync().ok
    (root / ".kpi" / "sync" / "api").rename(root / ".kpi" / "sync" / "other")
    (root / "kpi.yaml").write_text((root / "kpi.yaml").read_text().replace("  api:", "  other:"))
    with kpi_engine.open(root) as engine:
        (source,) = engine.sync().sources
        assert source.error.code == "foreign_store"
        assert engine.sync(full=True).ok


def until(condition) -> None:
    """Wait for something that another process does, and not for ever."""
    patience = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < patience
        time.sleep(0.02)
