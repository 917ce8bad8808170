"""Joins to the one side: they never repeat a row and never lose one."""

from __future__ import annotations

import duckdb
import pytest
from number_projects import LATE, by_member, opened

from kpi_engine import DataError

SALES = "(1, 1, 10), (2, 1, 20), (3, 2, 30), (4, NULL, 40), (5, 99, 50)"


def shop(stores, regions="('n', 'North')", **kpis):
    return opened(
        {"sale": ("id int, store int, amount int", SALES), "store": ("id int, region varchar", stores), "region": ("code varchar, name varchar", regions)},
        {
            "sales": {"table": "sale", "key": "id", "joins": {"store": {"to": "stores", "keys": {"store": "id"}}}, "dimensions": {"region": "store.region", "name": "store.region.name", "store": None}},
            "stores": {"table": "store", "key": "id", "joins": {"region": {"to": "regions", "keys": {"region": "code"}}}},
            "regions": {"table": "region", "key": "code"},
        },
        {"turnover": "sum(amount)", "n": "count(sales)", **kpis},
    )  # fmt: skip


def test_a_key_that_is_unknown_or_leads_nowhere_is_a_group_of_its_own():
    with shop("(1, 'n'), (2, NULL)") as engine:
        result = engine.run(["turnover", "n"], by="region")
        assert by_member(result, "region", "turnover") == {"n": 30, None: 120}
        assert by_member(result, "region", "n") == {"n": 2, None: 3}
        assert result.totals() == {"turnover": 150, "n": 5}


def test_over_two_hops():
    with shop("(1, 'n'), (2, 's')") as engine:
        assert by_member(engine.run("turnover", by="name"), "name", "turnover") == {"North": 30, None: 120}
        assert engine.run("turnover", where={"name": "North"}).totals() == {"turnover": 30}
        assert engine.run("turnover", where={"name": None}).totals() == {"turnover": 120}


@pytest.mark.parametrize("rows", ["(1, 'n'), (1, 'n')", "(1, 'n'), (1, 's')", "(1, 'n'), (77, 'n'), (77, 'n')"])
def test_a_key_that_stands_twice_is_refused(rows):
    with shop(rows) as engine:
        with pytest.raises(DataError) as caught:
            engine.run("turnover", by="region")
        assert caught.value.code == "key_not_unique"
        with pytest.raises(DataError):
            engine.run("turnover", where={"name": "North"})
        assert engine.run("turnover").totals() == {"turnover": 150}, "without the join there is nothing to repeat"


def test_a_key_that_stands_twice_two_hops_away_is_refused():
    with shop("(1, 'n')", regions="('n', 'North'), ('n', 'Nord')") as engine:
        assert engine.run("turnover", by="region").totals() == {"turnover": 150}
        with pytest.raises(DataError) as caught:
            engine.run("turnover", by="name")
        assert caught.value.code == "key_not_unique"


def test_keys_that_are_unknown_may_stand_often():
    with shop("(1, 'n'), (NULL, 's'), (NULL, 't')") as engine:
        assert by_member(engine.run("turnover", by="region"), "region", "turnover") == {"n": 30, None: 120}


def test_a_condition_over_a_join_holds_for_no_row_without_one():
    away = {"inputs": {"x": {"from": "sales", "where": "store.region <> 'n'"}}, "formula": "sum(x.amount)"}
    unknown = {"inputs": {"x": {"from": "sales", "where": "store.region is null"}}, "formula": "sum(x.amount)"}
    with shop("(1, 'n'), (2, 's')", away=away, unknown=unknown) as engine:
        assert engine.run(["away", "unknown"]).totals() == {"away": 30, "unknown": 90}


def test_by_a_key_of_two_columns():
    with opened(
        {"post": ("id int, network varchar, account int", "(1, 'x', 1), (2, 'x', 2), (3, 'y', 1), (4, NULL, 1)"), "account": ("network varchar, id int, owner varchar", "('x', 1, 'us'), ('x', 2, 'them'), ('y', 1, 'them')")},
        {
            "posts": {"table": "post", "key": "id", "joins": {"acc": {"to": "accounts", "keys": {"network": "network", "account": "id"}}}, "dimensions": {"owner": "acc.owner"}},
            "accounts": {"table": "account", "key": ["network", "id"]},
        },
        {"n": "count(posts)"},
    ) as engine:  # fmt: skip
        assert by_member(engine.run("n", by="owner"), "owner", "n") == {"them": 2, "us": 1, None: 1}


def test_a_dataset_joined_by_two_roads_is_two_tables():
    with opened(
        {"letter": ("id int, sender int, receiver int", "(1, 1, 2), (2, 1, 1), (3, 2, NULL)"), "person": ("id int, town varchar", "(1, 'Lyon'), (2, 'Brest')")},
        {
            "letters": {"table": "letter", "key": "id", "joins": {"s": {"to": "people", "keys": {"sender": "id"}}, "r": {"to": "people", "keys": {"receiver": "id"}}}, "dimensions": {"from_town": "s.town", "to_town": "r.town"}},
            "people": {"table": "person", "key": "id"},
        },
        {"n": "count(letters)"},
    ) as engine:  # fmt: skip
        rows = {
            (row["from_town"], row["to_town"]): row["n"] for row in engine.run("n", by=["from_town", "to_town"]).rows()
        }
        assert rows == {("Lyon", "Brest"): 1, ("Lyon", "Lyon"): 1, ("Brest", None): 1}


class TestValidAt:
    """A listing is gold in January, silver from 1 March on: nothing in February; the instant of a change belongs to the new row."""

    @pytest.fixture
    def engine(self):
        visits = "(1, '2026-01-01 00:00', 'p'), (2, '2026-01-31 23:59:59', 'p'), (3, '2026-02-01 00:00', 'p'), (4, '2026-03-01 00:00', 'p'), (5, '2029-01-01 00:00', 'p'), (6, '2025-12-31 23:59', 'p'), (7, '2026-01-05 00:00', NULL), (8, '2026-01-05 00:00', 'q')"
        history = "('p', '2026-01-01 00:00', '2026-02-01 00:00', 'gold'), ('p', '2026-03-01 00:00', NULL, 'silver'), ('p', '2026-02-10 00:00', '2026-02-10 00:00', 'never'), ('p', NULL, '2020-01-01 00:00', 'unknown')"
        with opened(
            {"visit": ("id int, at_ timestamp, page varchar", visits), "history": ("page varchar, since timestamp, until timestamp, tier varchar", history)},
            {
                "visits": {"table": "visit", "key": "id", "time": "at_", "joins": {"then": {"to": "tiers", "keys": ["page"], "valid": ["since", "until"]}}, "dimensions": {"tier": "then.tier"}},
                "tiers": {"table": "history"},
            },
            {"n": "count(visits)"},
        ) as engine:  # fmt: skip
            yield engine

    def test_each_row_meets_the_one_valid_at_its_time(self, engine):
        result = engine.run("n", by="tier", as_of=LATE)
        assert by_member(result, "tier", "n") == {"gold": 2, "silver": 2, None: 4}
        assert result.totals() == {"n": 8}

    def test_by_month_it_is_the_rows_time_that_counts_and_not_the_periods_end(self, engine):
        result = engine.run("n", by="tier", period="2026-01", as_of=LATE)
        assert by_member(result, "tier", "n") == {"gold": 2, None: 2}


def test_a_key_that_comes_to_stand_twice_is_refused_from_then_on():
    with shop("(1, 'n'), (2, 's')") as engine:
        assert by_member(engine.run("n", by="region"), "region", "n") == {"n": 2, "s": 1, None: 2}
        engine._database._given.execute("INSERT INTO store VALUES (1, 'w')")
        with pytest.raises(DataError) as caught:
            engine.run("n", by="region")
        assert caught.value.code == "key_not_unique"


def test_data_that_change_between_two_requests_are_read_anew():
    connection = duckdb.connect()
    connection.execute("CREATE TABLE fact AS SELECT 1 AS id")
    import kpi_engine

    definitions = {
        "datasets": {"facts": {"table": "fact", "key": "id"}},
        "kpis": {"n": {"inputs": ["facts"], "formula": "count(facts)"}},
    }
    with kpi_engine.open(definitions, connection) as engine:
        assert engine.run("n").totals() == {"n": 1}
        connection.execute("INSERT INTO fact VALUES (2)")
        assert engine.run("n").totals() == {"n": 2}


def test_over_three_hops_two_roads_and_keys_of_two_columns_as_plain_python_has_it():
    """Flights go from an airport to another; airports stand in towns by country and name, towns in countries: dangling keys at every hop."""
    flights = [
        (1, "CDG", "BES", 3),
        (2, "CDG", "CDG", 5),
        (3, "BES", None, 7),
        (4, "XXX", "LYS", 11),
        (5, "LYS", "ORY", 13),
        (6, None, "JFK", 17),
    ]
    airports = {
        "CDG": ("FR", "Paris"),
        "ORY": ("FR", "Paris"),
        "BES": ("FR", "Brest"),
        "LYS": ("FR", None),
        "JFK": ("US", "Paris"),
    }
    towns = {("FR", "Paris"): "big", ("FR", "Brest"): "small", ("US", "Paris"): "tiny"}

    def size(airport):
        return towns.get(airports.get(airport))

    def listed(rows):
        return ", ".join("(" + ", ".join("NULL" if v is None else repr(v) for v in row) + ")" for row in rows)

    expected = {}
    for _, start, end, seats in flights:
        expected[size(start), size(end)] = expected.get((size(start), size(end)), 0) + seats
    with opened(
        {"flight": ("id int, a varchar, b varchar, seats int", listed(flights)), "airport": ("code varchar, country varchar, town varchar", listed((k, *v) for k, v in airports.items())),
         "town": ("country varchar, name varchar, size varchar", listed((*k, v) for k, v in towns.items())), "scale": ("id varchar", "('big'), ('small')")},
        {"flights": {"table": "flight", "key": "id", "joins": {"start": {"to": "airports", "keys": {"a": "code"}}, "end": {"to": "airports", "keys": {"b": "code"}}},
                     "dimensions": {"from_size": "start.place.size", "to_size": "end.place.size", "known": "start.place.scale.id"}},
         "airports": {"table": "airport", "key": "code", "joins": {"place": {"to": "towns", "keys": {"country": "country", "town": "name"}}}},
         "towns": {"table": "town", "key": ["country", "name"], "joins": {"scale": {"to": "scales", "keys": {"size": "id"}}}},
         "scales": {"table": "scale", "key": "id"}},
        {"seats": "sum(seats)"},
    ) as engine:  # fmt: skip
        result = engine.run("seats", by=["from_size", "to_size"])
        assert {(row["from_size"], row["to_size"]): row["seats"] for row in result.rows() if row["seats"]} == expected
        assert result.totals() == {"seats": 56}
        known = by_member(engine.run("seats", by="known"), "known", "seats")
        assert known == {"big": 8, "small": 7, None: 41}


def test_two_rows_valid_at_one_time_are_refused_with_their_keys():
    tables = {
        "visit": ("id int, at_ date, page varchar", "(1, '2026-01-05', 'p')"),
        "history": (
            "page varchar, since date, until date, tier varchar",
            "('p', '2026-01-01', '2026-02-01', 'gold'), ('p', '2026-01-31', NULL, 'silver'), ('q', '2026-01-01', '2026-02-01', 'gold'), ('q', '2026-02-01', NULL, 'silver')",
        ),
    }
    visits = {
        "table": "visit",
        "key": "id",
        "time": "at_",
        "joins": {"then": {"to": "tiers", "keys": ["page"], "valid": ["since", "until"]}},
        "dimensions": {"tier": "then.tier"},
    }
    with opened(tables, {"visits": visits, "tiers": {"table": "history"}}, {"n": "count(visits)"}) as engine:
        with pytest.raises(DataError, match=r"valid at one time for `page` p\n") as caught:
            engine.run("n", by="tier", as_of=LATE)
        assert caught.value.code == "key_not_unique"
        assert engine.run("n", as_of=LATE).totals() == {"n": 1}


BOOKINGS = [(1, "a", 1, 10), (2, "a", 2, 20), (3, "b", 1, 30), (4, "b", 2, 40), (5, "c", 1, 50), (6, None, 1, 60), (7, "d", 1, 70)]  # fmt: skip
OWNERS = {"a": "ann", "b": "bob", "c": None, "d": "dan"}
PLANS = {("ann", 1): "gold", ("ann", 2): "silver", ("bob", 1): "gold"}


def prices(booked, *more):
    """Bookings of listings; what the owner of a listing paid is known by owner and week, and only bookings know their week."""
    direct = {"to": "plans", "keys": {"listing.owner": "owner", "week": "week"}}
    return opened(
        {
            "booking": ("id int, listing varchar, week int, nights int", booked),
            "listing": ("id varchar, owner varchar", "('a', 'ann'), ('b', 'bob'), ('c', NULL), ('d', 'dan')"),
            "plan": ("owner varchar, week int, tier varchar", ", ".join(("('ann', 1, 'gold'), ('ann', 2, 'silver'), ('bob', 1, 'gold')", *more))),
            "tier": ("name varchar, rank int", "('gold', 1), ('silver', 2)"),
        },
        {
            "bookings": {"table": "booking", "key": "id", "joins": {"a_plan": direct, "listing": {"to": "listings", "keys": {"listing": "id"}}},
                         "dimensions": {"tier": "a_plan.tier", "rank": "a_plan.tiers.rank", "owner": "listing.owner"}},
            "listings": {"table": "listing", "key": "id"},
            "plans": {"table": "plan", "key": ["owner", "week"], "joins": {"tiers": {"to": "tiers", "keys": {"tier": "name"}}}},
            "tiers": {"table": "tier", "key": "name"},
        },
        {"nights": "sum(nights)"},
    )  # fmt: skip


def listed_bookings():
    return ", ".join(
        f"({n}, {'NULL' if listing is None else repr(listing)}, {week}, {nights})"
        for n, listing, week, nights in BOOKINGS
    )


def test_the_key_of_a_join_may_be_reached_over_another():
    ranks = {"gold": 1, "silver": 2, None: None}
    by_tier, by_both = {}, {}
    for _, listing, week, nights in BOOKINGS:
        tier = PLANS.get((OWNERS.get(listing), week))
        by_tier[tier] = by_tier.get(tier, 0) + nights
        place = (OWNERS.get(listing), ranks[tier])
        by_both[place] = by_both.get(place, 0) + nights
    with prices(listed_bookings()) as engine:
        assert by_member(engine.run("nights", by="tier"), "tier", "nights") == by_tier
        rows = engine.run("nights", by=["owner", "rank"], dense=False).rows()
        assert {(row["owner"], row["rank"]): row["nights"] for row in rows} == by_both
        kept = engine.run("nights", where={"tier": "gold"}).totals()
        assert kept == {"nights": by_tier["gold"]}
        assert engine.run("nights", where_sql="a_plan.tier = 'gold'").totals() == kept


def test_a_key_reached_over_another_join_must_be_unique_there_too():
    with prices(listed_bookings(), "('bob', 1, 'iron')") as engine, pytest.raises(DataError, match="bob") as caught:
        engine.run("nights", by="tier")
    assert caught.value.code == "key_not_unique"


def test_a_check_counts_the_keys_that_are_reached_over_a_join_and_lead_nowhere():
    with prices(listed_bookings()) as engine:
        found = {each.message for each in engine.check(live=True) if each.code == "dangling_keys"}
    assert found == {
        "dataset `bookings`, joins.a_plan: the join `a_plan` of dataset `bookings` leads nowhere in 2 of 7 rows: `plans` has no row for bob / 2 (1 row), dan / 1 (1 row)"
    }
