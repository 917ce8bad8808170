import pytest
from kpi_source_dlt.source import DltSource

from kpi_engine.testing import StreamCase, StreamSourceKit

SOURCES = """
import dlt

@dlt.resource(primary_key="id", write_disposition="merge")
def orders(token, placed_at=dlt.sources.incremental("placed_at")):
    yield [{"id": n, "placed_at": f"2026-01-0{n}T10:00:00Z", "amount": n + 0.5} for n in range(1, 6)]

@dlt.resource
def refunds(token):
    yield [{"id": 1}]

@dlt.source
def shop(token=dlt.secrets.value):
    return orders(token), refunds(token)
"""


class TestDlt(StreamSourceKit):
    @pytest.fixture
    def case(self, tmp_path, monkeypatch):
        (tmp_path / "shop_sources.py").write_text(SOURCES)
        monkeypatch.setenv("SHOP_TOKEN", "hunter2/te+st")
        settings = {"source": "shop_sources:shop", "secrets": {"token": {"env": "SHOP_TOKEN"}}}
        return StreamCase(DltSource, settings, "orders", tmp_path)
