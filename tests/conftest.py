"""What several kinds of test need."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb
import pytest
from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

REAL = Path(os.environ.get("KPI_REAL_DATA") or Path(__file__).parents[2] / "shared" / "data" / "real")
FIXTURE = Path(__file__).parent / "data" / "fixture"


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory):
    """Keep what is kept between commands apart from the user's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KPI_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        patch.delenv("KPI_NO_CACHE", raising=False)
        yield


@pytest.fixture(scope="session")
def real_file():
    """Find a file of the real data, which are not part of the project: without their folder a test is skipped, without one of them it fails."""

    def find(name):
        file = REAL / name
        if not file.exists():
            missing = pytest.fail if REAL.is_dir() else pytest.skip
            missing(f"the real data are missing: no file {file} (see CONTRIBUTING.md, real data)")
        return file

    return find


@pytest.fixture
def fixture_connection():
    """The hand-checked fixture in an in-memory DuckDB."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    for name in ("schema.sql", "fixture.sql"):
        connection.execute((FIXTURE / name).read_text(encoding="utf-8"))
    yield connection
    connection.close()
