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
def sail():
    """Give the address of an engine that speaks Spark Connect and runs inside the tests."""
    from pysail.spark import SparkConnectServer

    server = SparkConnectServer("127.0.0.1", 0)
    server.start(background=True)
    yield "sc://{}:{}".format(*server.listening_address)
    server.stop()


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    """Give a cluster of the tests' own: one master, two workers."""
    from cluster import cluster

    with cluster(tmp_path_factory.mktemp("cluster")) as made:
        yield made
