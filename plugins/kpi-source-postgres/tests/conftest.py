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
def dsn():
    """Give the address of a server of the tests' own, which also stands in the environment, for settings."""
    from server import server

    with server() as address, pytest.MonkeyPatch.context() as patch:
        patch.setenv("KPI_TEST_POSTGRES", address)
        yield address
