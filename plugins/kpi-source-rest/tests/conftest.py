"""Make the package, and the server of the tests, importable from their source folders."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import pytest  # noqa: E402
from loopback import Loopback  # noqa: E402


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    """Ask the loopback server, whatever proxy the machine has."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")


@pytest.fixture
def api():
    """Give an API that answers as a test says."""
    with Loopback() as server:
        yield server


@pytest.fixture
def other():
    """Give another API."""
    with Loopback() as server:
        yield server
