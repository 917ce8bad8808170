"""A REST API through `kpi sync`: numbers as plain Python has them, newer records only, and nothing said of secrets."""

from decimal import Decimal

import pytest
from loopback import Reply

import kpi_engine

SECRET = "s3cr3t/te+st"  # noqa: S105
ORDERS = [
    {
        "id": n,
        "placed_at": f"2026-0{1 + n % 3}-1{n % 9}T10:00:00Z",
        "money": {"amount": f"{n}.10"},
        "channel": "web" if n % 2 else "shop",
    }
    for n in range(1, 26)
]
PROJECT = """
project: shop
sources:
  shop:
    plugin: rest
    client:
      base_url: {url}
      auth: {{type: bearer, token: {{env: SHOP_TOKEN}}}}
    timeouts: {{connect: 2, read: 2}}
    retries: {{tries: 1}}
    resources:
      - name: orders
        primary_key: id
        lookback: 2 days
        columns: {{placed_at: timestamptz, money.amount: "decimal(18,2)"}}
        endpoint:
          path: orders
          data_selector: items
          paginator: {{type: offset, limit: 10}}
          incremental: {{cursor_path: placed_at, start_param: since}}
"""
DEFINITIONS = """
datasets:
  orders: {key: id, time: placed_at, dimensions: [channel]}
kpis:
  revenue: {inputs: [orders], formula: sum(money__amount), unit: EUR}
"""


@pytest.fixture
def project(api, tmp_path, monkeypatch):
    monkeypatch.setenv("KPI_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("SHOP_TOKEN", SECRET)
    root = tmp_path / "project"
    for folder in ("plugins", "definitions"):
        (root / folder).mkdir(parents=True)
    (root / "plugins" / "shop_api.py").write_text("from kpi_source_rest import sources\n")
    (root / "kpi.yaml").write_text(PROJECT.format(url=api.url))
    (root / "definitions" / "orders.yaml").write_text(DEFINITIONS)
    return root


def serving(orders):
    def answer(asked):
        assert asked.headers["authorization"] == f"Bearer {SECRET}"
        found = [each for each in orders if each["placed_at"] >= asked.query.get("since", "")]
        start = int(asked.query["offset"])
        return {"items": found[start : start + 10]}

    return answer


def revenue(engine):
    result = engine.run("revenue", by=["channel"], grain="month", period="2026-Q1", as_of="2026-12-31")
    return {(row["channel"], row["period"].month): row["revenue"] for row in result.rows()}


def expected(orders):
    sums = {}
    for each in orders:
        place = each["channel"], int(each["placed_at"][5:7])
        sums[place] = sums.get(place, Decimal(0)) + Decimal(each["money"]["amount"])
    return sums


def test_the_second_sync_asks_since_the_cursor_and_the_numbers_are_right(api, project):
    api.answer = serving(ORDERS)
    with kpi_engine.open(project) as engine:
        assert [each.code for each in engine.check()] == ["not_synced"]
        report = engine.sync()
        assert report.ok, report
        assert report.sources[0].streams[0].added == 25
        assert revenue(engine) == expected(ORDERS)

        newest = max(each["placed_at"] for each in ORDERS)
        changed = {**next(each for each in ORDERS if each["placed_at"] == newest), "money": {"amount": "1000.05"}}
        new = {"id": 99, "placed_at": "2026-03-30T23:30:00Z", "money": {"amount": "0.01"}, "channel": "web"}
        orders = [*(each for each in ORDERS if each["id"] != changed["id"]), changed, new]
        api.answer, api.asked = serving(orders), []
        stream = engine.sync().sources[0].streams[0]
        assert (stream.added, stream.changed, stream.rows) == (1, 1, 26)
        assert api.asked[0].query["since"] == "2026-03-16T10:00:00Z"
        assert revenue(engine) == expected(orders)


@pytest.mark.parametrize("fault", [{"status": 401}, {"raw": b"<html>"}, {"reset": True}, {"status": 500}])
def test_a_sync_that_fails_leaves_the_numbers_as_they_were(api, project, fault):
    api.answer = serving(ORDERS)
    with kpi_engine.open(project) as engine:
        assert engine.sync().ok
        before = revenue(engine)
        api.answer = lambda asked: (
            Reply(**fault) if int(asked.query["offset"]) else {"items": [{**ORDERS[0], "id": 1000}]}
        )
        report = engine.sync()
        error = report.sources[0].error
        assert report.sources[0].status == "failed"
        assert "`orders` of the source `shop`" in error.message
        assert "/orders?since=" in error.message
        assert revenue(engine) == before
        api.answer = serving(ORDERS)
        assert engine.sync().ok
        assert revenue(engine) == before


def test_no_secret_is_kept(api, project):
    api.answer = serving(ORDERS)
    with kpi_engine.open(project) as engine:
        assert engine.sync().ok
        api.answer = lambda _: Reply({"message": f"no {SECRET}"}, status=400)
        assert SECRET not in str(engine.sync().as_dict())
    files = [each for each in project.parent.rglob("*") if each.is_file()]
    assert any(each.name == "served.duckdb" for each in files)
    assert not [each for each in files if SECRET.encode() in each.read_bytes()]
