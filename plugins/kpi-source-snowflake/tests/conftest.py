"""Make the package, and what the tests of the engine share, importable from their source folders."""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parents[2] / "tests" / "engine")]


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory):
    """Keep what is kept between commands apart from the user's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KPI_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def server():
    """Give a server that answers as Snowflake does, on DuckDB; the password stands in the environment, for settings."""
    from fake_server import served

    with served() as running, pytest.MonkeyPatch.context() as patch:
        patch.setenv("KPI_TEST_SNOWFLAKE", running.password)
        yield running
