"""Make the package, and what the tests of the engine share, importable from their source folders."""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parents[2] / "tests" / "engine")]


@pytest.fixture(scope="session", autouse=True)
def surroundings(tmp_path_factory):
    """Keep what is kept between commands apart from the user's own, and ask this machine whatever proxy it has."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KPI_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("NO_PROXY", "127.0.0.1,localhost")
        yield


@pytest.fixture(scope="session")
def server(surroundings):  # noqa: ARG001 - it asks this machine
    """Give a server that answers as BigQuery does, on DuckDB."""
    from emulator import served

    with served() as running:
        yield running
