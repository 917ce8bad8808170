"""How a request that is asked again is tried: with a clock that stands, settled files, and a cache of its own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import time_machine

from kpi_engine.api import versions
from kpi_engine.cli import run as verb


@pytest.fixture(autouse=True)
def settled(monkeypatch, tmp_path_factory):
    """Take files for settled as soon as they are written, let no clock go on, and begin with an empty cache."""
    monkeypatch.setattr(versions, "SETTLED", -(10**18))
    monkeypatch.setenv("KPI_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
    with time_machine.travel("2026-07-15T10:20:30.123456+00:00", tick=False):
        yield


@pytest.fixture
def planned(monkeypatch):
    """Count the commands that opened a project in order to plan."""
    times = []
    before = verb.opened

    def opened(*args, **options):
        times.append(args)
        return before(*args, **options)

    monkeypatch.setattr(verb, "opened", opened)
    return times


def without_cache(kpi, *args):
    """Run a request as if it were the first."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KPI_NO_CACHE", "1")
        return kpi("run", *args)


def kept():
    """List the files of the cache."""
    return sorted((Path(os.environ["KPI_CACHE_DIR"]) / "kpi-engine").glob("*.kpi"))
