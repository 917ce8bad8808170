"""What several kinds of test need."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

FIXTURE = Path(__file__).parent / "data" / "fixture"


@pytest.fixture
def fixture_connection():
    """The hand-checked fixture in an in-memory DuckDB."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    for name in ("schema.sql", "fixture.sql"):
        connection.execute((FIXTURE / name).read_text(encoding="utf-8"))
    yield connection
    connection.close()
