"""Each class of number by month, by quarter and in total, on data with its traps."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from number_projects import LATE, by_member, column, opened, table

JAN, FEB, MAR, APR, MAY, JUN = (date(2026, month, 1) for month in range(1, 7))
MONTHS = {"grain": "month", "period": "2026-01..2026-06", "as_of": LATE}
QUARTERS = {"grain": "quarter", "period": "2026-01..2026-06", "as_of": LATE}


class TestLevel:
    """Followers: A is read three times, B stops being read in February, C is read twice at one instant (two networks), D is never read."""

    @pytest.fixture
    def engine(self):
        rows = """
            ('A', 'x', '2026-01-10', 100), ('A', 'x', '2026-02-20', 110), ('A', 'x', '2026-05-05', 90),
            ('B', 'y', '2026-01-31', 50), ('B', 'y', '2026-02-10', 55),
            ('C', 'x', '2026-03-15', 7), ('C', 'z', '2026-03-15', 3), ('C', 'x', '2026-03-01', 1000),
            ('E', 'w', NULL, 5000)"""
        tables = {"readings": ("account varchar, network varchar, day date, size bigint", rows)}
        base = {"table": "readings", "time": "day", "dimensions": ["network", "account"]}
        with opened(
            tables,
            {"kept": {**base, "snapshot": {"of": "account"}}, "dropped": {**base, "snapshot": {"of": "account", "keep": "45 days"}}},
            {
                "size": "sum(size)", "accounts": "count(distinct account)", "zero": {"inputs": ["kept"], "formula": "sum(size)", "empty": 0},
                "fresh": {"inputs": ["dropped"], "formula": "sum(size)"},
                "growth": {"inputs": {"now": "size", "before": {"from": "size", "offset": "1 month"}}, "formula": "now / before - 1"},
                "readings": {"inputs": {"x": {"from": "kept", "take": "rows"}}, "formula": "count(x)"},
            },
        ) as engine:  # fmt: skip
            yield engine

    def test_it_closes_by_month(self, engine):
        assert table(engine.run("size", **MONTHS)) == [
            (JAN, 150),
            (FEB, 165),
            (MAR, 175),
            (APR, 175),
            (MAY, 155),
            (JUN, 155),
        ]

    def test_it_closes_by_quarter_and_in_total(self, engine):
        result = engine.run("size", **QUARTERS)
        assert table(result) == [(JAN, 175), (APR, 155)]
        assert result.totals() == {"size": 155}

    def test_one_that_is_no_longer_read_is_dropped_after_its_keep(self, engine):
        # B lapses 45 days after 10 February; A and C 45 days after their last reading, unless read again.
        assert column(engine.run("fresh", **MONTHS), "fresh") == [150, 165, 120, None, 90, None]

    def test_all_rows_at_the_last_instant_count(self, engine):
        result = engine.run("size", by="network", period="2026-03", as_of=LATE)
        assert by_member(result, "network", "size") == {"x": 110 + 7, "y": 55, "z": 3}

    def test_a_member_that_is_not_read_yet_has_no_level(self, engine):
        result = engine.run("size", by="network", **MONTHS)
        z = [row["size"] for row in result.rows() if row["network"] == "z"]
        assert z == [None, None, 3, 3, 3, 3]

    def test_a_level_before_any_reading_is_unknown_and_its_count_is_none(self, engine):
        assert engine.run(["size", "accounts", "zero"], period="2025", as_of=LATE).totals() == {
            "size": None,
            "accounts": 0,
            "zero": 0,
        }

    def test_growth_by_month_reads_the_month_before_the_first(self, engine):
        expected = [None, 165 / 150 - 1, 175 / 165 - 1, 0, 155 / 175 - 1, 0]
        assert column(engine.run("growth", **MONTHS), "growth") == [
            None if e is None else pytest.approx(e) for e in expected
        ]

    def test_a_reading_is_a_row_when_rows_are_taken(self, engine):
        assert column(engine.run("readings", **MONTHS), "readings") == [2, 2, 3, 0, 1, 0]

    def test_levels_compare_with_the_level_a_year_before(self, engine):
        row = engine.run("size", period="2027-02", compare="previous_year", as_of="2027-06-01").rows()[0]
        assert row == {
            "size": 155,
            "size__previous_year": 165,
            "size__previous_year_change": pytest.approx(155 / 165 - 1),
        }


class TestCounter:
    """Shares so far of two posts: q is reset in March, r is first seen in February."""

    @pytest.fixture
    def engine(self):
        rows = """
            ('p', 'x', '2025-12-31', 10), ('p', 'x', '2026-01-15', 18), ('p', 'x', '2026-02-28', 25), ('p', 'x', '2026-04-30', 40),
            ('q', 'x', '2026-01-20', 30), ('q', 'x', '2026-02-10', 35), ('q', 'x', '2026-03-05', 2),
            ('r', NULL, '2026-02-11', 4), ('r', NULL, '2026-05-11', 4)"""
        with opened(
            {"shares": ("post varchar, network varchar, day date, n bigint", rows)},
            {"shares": {"time": "day", "snapshot": {"of": ["post", "network"]}, "dimensions": ["network", "post"]}},
            {
                "gained": {
                    "inputs": {"closing": "shares", "opening": {"from": "shares", "take": "opening"}},
                    "formula": "sum(closing.n) - coalesce(sum(opening.n), 0)",
                }
            },
        ) as engine:
            yield engine

    def test_by_month(self, engine):
        assert column(engine.run("gained", **MONTHS), "gained") == [8 + 30, 7 + 5 + 4, -33, 15, 0, 0]

    def test_by_quarter_and_in_total_it_adds_up(self, engine):
        result = engine.run("gained", **QUARTERS)
        assert column(result, "gained") == [21, 15]
        assert result.totals() == {"gained": 36}

    def test_a_network_that_is_not_known_is_a_group(self, engine):
        result = engine.run("gained", by="network", period="2026-Q1", as_of=LATE)
        assert by_member(result, "network", "gained") == {"x": 17, None: 4}


class TestCohort:
    """Leads by the month they were created in; nobody was created in March, and customers come later."""

    @pytest.fixture
    def engine(self):
        rows = """
            (1, '2026-01-05', '2026-01-20', 'mail'), (2, '2026-01-09', NULL, 'mail'), (3, '2026-01-31', '2026-04-02', NULL),
            (4, '2026-02-03', '2026-02-04', 'ads'), (5, '2026-02-27', NULL, 'ads'), (6, '2026-02-28', NULL, 'ads'), (7, '2026-02-28', NULL, 'mail'),
            (8, '2026-04-01', '2026-06-30', NULL)"""
        with opened(
            {"lead": ("id int, created date, won date, channel varchar", rows)},
            {
                "leads": {
                    "table": "lead",
                    "key": "id",
                    "time": "created",
                    "times": {"won": "won"},
                    "dimensions": ["channel"],
                }
            },
            {
                "rate": {
                    "inputs": ["leads"],
                    "formula": "count(leads) filter (where won is not null) / count(leads)",
                    "format": "percent",
                },
                "won_in_period": {"inputs": {"w": {"from": "leads", "time": "won"}}, "formula": "count(w)"},
                "leads_created": "count(leads)",
            },
        ) as engine:
            yield engine

    def test_by_month(self, engine):
        result = engine.run(["rate", "won_in_period", "leads_created"], **MONTHS)
        assert column(result, "rate") == [pytest.approx(2 / 3), 0.25, None, 1, None, None]
        assert column(result, "won_in_period") == [1, 1, 0, 1, 0, 1]
        assert column(result, "leads_created") == [3, 4, 0, 1, 0, 0]

    def test_by_quarter_and_in_total_it_is_a_ratio_of_sums(self, engine):
        result = engine.run("rate", **QUARTERS)
        assert column(result, "rate") == [pytest.approx(3 / 7), 1]
        assert result.totals() == {"rate": 0.5}

    def test_by_channel_the_unknown_channel_is_a_group(self, engine):
        result = engine.run("rate", by="channel", period="2026-01..2026-06", as_of=LATE)
        assert by_member(result, "channel", "rate") == {
            "ads": pytest.approx(1 / 3),
            "mail": pytest.approx(1 / 3),
            None: 1,
        }

    def test_a_change_of_a_rate_is_in_points_and_skips_no_empty_month(self, engine):
        result = engine.run("rate", compare="previous_period", **MONTHS)
        assert column(result, "rate__previous_period") == [None, pytest.approx(2 / 3), 0.25, None, 1, None]
        assert column(result, "rate__previous_period_points") == [
            None,
            pytest.approx(0.25 - 2 / 3),
            None,
            None,
            None,
            None,
        ]


class TestShareAcross:
    """Clips of our brand and of others; the outlet `w` has none of ours, `v` only those of a brand that nobody knows."""

    @pytest.fixture
    def engine(self):
        clips = """
            (1, 'us', 'o', '2026-01-02'), (2, 'us', 'o', '2026-01-03'), (3, 'rival', 'o', '2026-01-03'), (4, 'rival', 'w', '2026-01-04'),
            (5, 'us', 'w2', '2026-03-01'), (6, 'other', 'w2', '2026-03-01'), (7, NULL, 'v', '2026-01-05'), (8, 'gone', 'v', '2026-02-05')"""
        with opened(
            {"clip": ("id int, brand_id varchar, outlet varchar, day date", clips), "brand": ("id varchar, name varchar, own boolean", "('us', 'Us', true), ('rival', 'Rival', false), ('other', 'Other', false)")},
            {
                "clips": {"table": "clip", "key": "id", "time": "day", "joins": {"brand": {"to": "brands", "keys": {"brand_id": "id"}}}, "dimensions": {"brand": "brand_id", "name": "brand.name", "outlet": None}},
                "brands": {"table": "brand", "key": "id"},
            },
            {
                "ours": {"inputs": {"ours": {"from": "clips", "where": "brand.own"}, "every": {"from": "clips", "across": "brand"}}, "formula": "count(ours) / count(every)", "format": "percent"},
                "share": {"inputs": {"mine": "clips", "every": {"from": "clips", "across": "brand"}}, "formula": "count(mine) / count(every)", "format": "percent"},
            },
        ) as engine:  # fmt: skip
            yield engine

    def test_by_month_by_quarter_and_in_total(self, engine):
        result = engine.run("ours", **MONTHS)
        assert column(result, "ours") == [pytest.approx(2 / 5), 0, 0.5, None, None, None]
        assert column(engine.run("ours", **QUARTERS), "ours") == [pytest.approx(3 / 8), None]
        assert result.totals() == {"ours": pytest.approx(3 / 8)}

    def test_the_shares_of_all_brands_are_one(self, engine):
        result = engine.run("share", by="brand", period="2026", as_of=LATE)
        assert by_member(result, "brand", "share") == {
            "us": 3 / 8,
            "rival": 2 / 8,
            "other": 1 / 8,
            "gone": 1 / 8,
            None: 1 / 8,
        }

    def test_what_depends_on_the_brand_is_ignored_too(self, engine):
        result = engine.run("share", by="name", period="2026", as_of=LATE)
        assert by_member(result, "name", "share") == {"Us": 3 / 8, "Rival": 2 / 8, "Other": 1 / 8, None: 2 / 8}

    def test_an_outlet_without_our_clips_has_a_share_of_nothing(self, engine):
        result = engine.run("ours", by="outlet", period="2026", as_of=LATE)
        assert by_member(result, "outlet", "ours") == {"o": pytest.approx(2 / 3), "v": 0, "w": 0, "w2": 0.5}

    def test_a_filter_by_brand_leaves_the_denominator_alone(self, engine):
        assert engine.run("share", where={"brand": "rival"}, period="2026", as_of=LATE).totals() == {"share": 2 / 8}
        assert engine.run("share", where={"brand": "rival", "outlet": "o"}, period="2026", as_of=LATE).totals() == {
            "share": pytest.approx(1 / 3)
        }


class TestDistinct:
    """Visitors: `a` comes every month, `b` twice in January, one visit has no visitor."""

    @pytest.fixture
    def engine(self):
        rows = """
            ('a', '2026-01-01', 'web'), ('b', '2026-01-02', 'web'), ('b', '2026-01-03', 'app'), (NULL, '2026-01-03', 'app'), ('a', '2026-02-01', 'app'),
            ('a', '2026-03-01', 'web'), ('c', '2026-05-31', NULL)"""
        with opened(
            {"visit": ("visitor varchar, day date, device varchar", rows)},
            {"visits": {"table": "visit", "time": "day", "dimensions": ["device"]}},
            {
                "visitors": "count(distinct visitor)",
                "ever": {"inputs": {"v": {"from": "visits", "all_time": True}}, "formula": "count(distinct v.visitor)"},
                "per_visitor": "count(visits) / count(distinct visitor)",
            },
        ) as engine:
            yield engine

    def test_it_is_counted_again_at_every_grain(self, engine):
        assert column(engine.run("visitors", **MONTHS), "visitors") == [2, 1, 1, 0, 1, 0]
        result = engine.run("visitors", **QUARTERS)
        assert column(result, "visitors") == [2, 1]
        assert result.totals() == {"visitors": 3}

    def test_the_total_is_not_the_sum_of_the_groups(self, engine):
        result = engine.run("visitors", by="device", period="2026-01", as_of=LATE)
        assert by_member(result, "device", "visitors") == {"app": 1, "web": 2}
        assert result.totals() == {"visitors": 2}

    def test_since_the_beginning_it_is_counted_again_and_not_added_up(self, engine):
        assert column(engine.run("ever", **MONTHS), "ever") == [2, 2, 2, 2, 3, 3]

    def test_a_ratio_over_a_distinct_count(self, engine):
        assert column(engine.run("per_visitor", **QUARTERS), "per_visitor") == [3, 1]


class TestRatioOfSums:
    """Cost per lead from two datasets: spend without leads, leads without spend, a channel that only one of them knows."""

    @pytest.fixture
    def engine(self):
        spend = "('2026-01-01', 'ads', 100.10), ('2026-01-20', 'mail', 20), ('2026-02-01', 'ads', 50), ('2026-02-02', NULL, 5), ('2026-05-01', 'ads', NULL)"
        leads = "(1, '2026-01-03', 'ads'), (2, '2026-01-03', 'ads'), (3, '2026-02-03', 'mail'), (4, '2026-03-03', 'fair'), (5, '2026-02-03', NULL)"
        with opened(
            {"costs": ("day date, channel varchar, amount decimal(18,2)", spend), "lead": ("id int, day date, channel varchar", leads)},
            {"spend": {"table": "costs", "time": "day", "dimensions": ["channel"]}, "leads": {"table": "lead", "key": "id", "time": "day", "dimensions": ["channel"]}},
            {"cpl": {"inputs": ["spend", "leads"], "formula": "sum(spend.amount) / count(leads)"}, "cost": "sum(amount)", "strict": {"inputs": ["spend"], "formula": "sum(amount)", "empty": "unknown"}},
        ) as engine:  # fmt: skip
            yield engine

    def test_by_month_by_quarter_and_in_total(self, engine):
        result = engine.run("cpl", **MONTHS)
        assert column(result, "cpl") == [pytest.approx(60.05), 27.5, 0, None, None, None]
        assert column(engine.run("cpl", **QUARTERS), "cpl") == [pytest.approx(175.1 / 5), None]
        assert result.totals() == {"cpl": pytest.approx(175.1 / 5)}

    def test_by_channel_each_dataset_counts_for_itself(self, engine):
        result = engine.run(["cpl", "cost"], by="channel", period="2026-Q1", as_of=LATE)
        assert by_member(result, "channel", "cpl") == {"ads": pytest.approx(75.05), "mail": 20, "fair": 0, None: 5}
        assert by_member(result, "channel", "cost") == {"ads": Decimal("150.10"), "mail": 20, "fair": 0, None: 5}

    def test_nothing_is_not_zero(self, engine):
        result = engine.run(["cost", "strict"], **MONTHS)
        assert column(result, "cost") == [Decimal("120.10"), 55, 0, 0, None, 0]
        assert column(result, "strict") == [Decimal("120.10"), 55, None, None, None, None]


class TestPerEntity:
    """Readership of the outlets that took up a story: each outlet once, also where two have the same number of readers."""

    @pytest.fixture
    def engine(self):
        clips = "(1, 'a', '2026-01-01', 'x'), (2, 'a', '2026-01-02', 'y'), (3, 'b', '2026-01-03', 'x'), (4, 'b', '2026-02-01', 'x'), (5, 'c', '2026-02-02', 'x'), (6, NULL, '2026-02-03', NULL), (7, 'zz', '2026-02-03', NULL)"
        outlets = "('a', 1000), ('b', 1000), ('c', NULL)"
        with opened(
            {"clip": ("id int, outlet_id varchar, day date, topic varchar", clips), "outlet": ("id varchar, readers bigint", outlets)},
            {"clips": {"table": "clip", "key": "id", "time": "day", "joins": {"outlet": {"to": "outlets", "keys": {"outlet_id": "id"}}}, "dimensions": ["topic"]}, "outlets": {"table": "outlet", "key": "id"}},
            {
                "readership": "max(outlet.readers)",
                "reach": {"inputs": {"by_outlet": {"from": "readership", "per": "outlet_id"}}, "formula": "sum(by_outlet)"},
                "outlets_reached": {"inputs": {"by_outlet": {"from": "clips", "per": "outlet_id"}}, "formula": "count(by_outlet)"},
                "clip_count": "count(clips)",
                "mean": {"inputs": {"by_outlet": {"from": "clip_count", "per": "outlet_id"}}, "formula": "avg(by_outlet)"},
            },
        ) as engine:  # fmt: skip
            yield engine

    def test_two_outlets_of_equal_readership_count_twice_and_one_outlet_once(self, engine):
        result = engine.run("reach", **MONTHS)
        assert column(result, "reach") == [2000, 1000, 0, 0, 0, 0]
        assert column(engine.run("reach", **QUARTERS), "reach") == [2000, 0]
        assert result.totals() == {"reach": 2000}

    def test_by_topic_an_outlet_counts_for_each(self, engine):
        assert by_member(engine.run("reach", by="topic", period="2026-01", as_of=LATE), "topic", "reach") == {
            "x": 2000,
            "y": 1000,
        }

    def test_clips_without_an_outlet_are_one_entity(self, engine):
        assert column(engine.run("outlets_reached", **MONTHS), "outlets_reached") == [2, 4, 0, 0, 0, 0]

    def test_compared_with_the_period_before(self, engine):
        result = engine.run(["reach", "mean"], compare="previous_period", **MONTHS)
        assert column(result, "reach__previous_period") == [0, 2000, 1000, 0, 0, 0]
        assert column(result, "mean") == [1.5, 1, None, None, None, None]
        assert column(result, "mean__previous_period") == [None, 1.5, 1, None, None, None]

    def test_without_a_period_every_month_that_has_rows_is_there(self, engine):
        assert table(engine.run("reach", grain="month", as_of=LATE)) == [(JAN, 2000), (FEB, 1000)]
