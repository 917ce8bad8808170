import pytest
from kpi_source_rest.source import RestSource

from kpi_engine.testing import StreamCase, StreamSourceKit

ORDERS = [{"id": n, "placed_at": f"2026-01-0{n}T10:00:00Z", "amount": f"{n}.10"} for n in range(1, 6)]


class TestRest(StreamSourceKit):
    @pytest.fixture
    def case(self, api, tmp_path, monkeypatch):
        def answer(asked):
            found = [each for each in ORDERS if each["placed_at"] >= asked.query.get("since", "")]
            start = int(asked.query["offset"])
            return {"items": found[start : start + 2]}

        api.answer = answer
        monkeypatch.setenv("SHOP_TOKEN", "hunter2/te+st")
        orders = {
            "name": "orders",
            "primary_key": "id",
            "columns": {"placed_at": "timestamptz", "amount": "decimal(18,2)"},
            "endpoint": {
                "path": "orders",
                "data_selector": "items",
                "paginator": {"type": "offset", "limit": 2},
                "incremental": {"cursor_path": "placed_at", "start_param": "since"},
            },
        }
        client = {"base_url": api.url, "auth": {"type": "bearer", "token": {"env": "SHOP_TOKEN"}}}
        settings = {"client": client, "resources": [orders], "retries": {"tries": 1}}
        return StreamCase(RestSource, settings, "orders", tmp_path)
