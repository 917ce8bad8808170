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
    """Give a server of the tests' own, whose address also stands in the environment, for settings."""
    from mariadb_server import served

    with served() as running, pytest.MonkeyPatch.context() as patch:
        patch.setenv("KPI_TEST_MYSQL", running.dsn)
        yield running


@pytest.fixture(scope="session")
def dsn(server):
    """Give the address of its database."""
    return server.dsn
