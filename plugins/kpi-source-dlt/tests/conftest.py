"""Make the package, and the server of the tests of `kpi-source-rest`, importable from their source folders."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parents[1] / "kpi-source-rest" / "tests")]

import pytest  # noqa: E402
from loopback import Loopback  # noqa: E402


@pytest.fixture(autouse=True)
def surroundings(monkeypatch, tmp_path):
    """Ask the loopback server, whatever proxy the machine has, and keep dlt's own settings apart from the user's."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setenv("DLT_DATA_DIR", str(tmp_path / "dlt"))


@pytest.fixture
def api():
    """Give an API that answers as a test says."""
    with Loopback() as server:
        yield server
