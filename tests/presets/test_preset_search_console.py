"""Search Console's bulk export: two tables that count alike things differently, positions from 0, queries without a text."""

from __future__ import annotations

from collections import defaultdict

import pytest

SITE = [  # data_date, query, anonymised, country, search_type, device, impressions, clicks, sum_top_position
    ("2026-01-05", "acme crm", False, "fra", "WEB", "DESKTOP", 10, 3, 12),
    ("2026-01-05", "acme crm", False, "fra", "WEB", "DESKTOP", 4, 0, 2),  # the same keys again, as the export has them
    ("2026-01-05", None, True, "fra", "WEB", "MOBILE", 20, 2, 90),
    ("2026-01-31", "crm", False, "bel", "WEB", "MOBILE", 6, 1, 0),
    ("2026-02-01", "acme crm", False, "fra", "WEB", "MOBILE", 8, 4, 0),
    ("2026-02-03", None, False, "fra", "DISCOVER", "MOBILE", 100, 7, 0),
]
URL = [  # data_date, url, query, anonymised, search_type, impressions, clicks, sum_position
    ("2026-01-05", "https://acme.example/", "acme crm", False, "WEB", 14, 3, 14),
    ("2026-01-05", "https://acme.example/blog", "acme crm", False, "WEB", 14, 0, 40),
    ("2026-01-05", "https://acme.example/blog", None, True, "WEB", 20, 2, 90),
]
OWN = """
datasets:
  searches: {{override: partial, sql: select * from {dataset}}}
"""


def site(rows=SITE):
    names = (
        "data_date",
        "query",
        "is_anonymized_query",
        "country",
        "search_type",
        "device",
        "impressions",
        "clicks",
        "sum_top_position",
    )
    return [{"site_url": "sc-domain:acme.example", **dict(zip(names, row, strict=True))} for row in rows]


def url():
    names = ("data_date", "url", "query", "is_anonymized_query", "search_type", "impressions", "clicks", "sum_position")
    same = {
        "site_url": "sc-domain:acme.example",
        "country": "fra",
        "device": "DESKTOP",
        "is_anonymized_discover": False,
    }
    return [{**same, **dict(zip(names, row, strict=True))} for row in URL]


@pytest.fixture
def engine(preset):
    tables = {"searchdata_site_impression": site(), "searchdata_url_impression": url()}

    def opened(dataset="search_console_searches"):
        return preset("marketing, search_console", tables, OWN.format(dataset=dataset))

    return opened


KPIS = ["gsc_clicks", "gsc_impressions", "gsc_average_position"]


def expected(rows):
    """Add up by hand; Discover has impressions and no position."""
    ranked = [row for row in rows if row[4] == "WEB"]
    position = sum(row[8] for row in ranked) / sum(row[6] for row in ranked) + 1 if ranked else None
    return sum(row[7] for row in rows), sum(row[6] for row in rows), position


def values(row):
    return row["gsc_clicks"], row["gsc_impressions"], row["gsc_average_position"]


def near(wanted):
    return tuple(each if each is None else pytest.approx(each, rel=1e-12) for each in wanted)


@pytest.mark.parametrize("preset", ["files", "duckdb"], indirect=True)
def test_the_totals_by_month_are_those_of_the_property(engine, mistakes):
    opened = engine()
    assert mistakes(opened) == []
    rows = opened.run(KPIS, grain="month", period="2026-01..2026-02", as_of="2026-06-30").rows()
    assert values(rows[0]) == near(expected([row for row in SITE if row[0] < "2026-02"]))
    assert values(rows[1]) == near(expected([row for row in SITE if row[0] >= "2026-02"]))
    assert rows[0]["gsc_average_position"] == pytest.approx((12 + 2 + 90 + 0) / 40 + 1)
    assert rows[1]["gsc_average_position"] == pytest.approx(1)


def test_queries_without_a_text_are_a_group_of_their_own(engine):
    rows = engine().run(KPIS, by="query", period="2026-01", as_of="2026-06-30").rows()
    wanted = defaultdict(list)
    for row in SITE[:4]:
        wanted[row[1]].append(row)
    assert {row["query"]: values(row) for row in rows} == {
        query: near(expected(found)) for query, found in wanted.items()
    }
    assert None in wanted


def test_days_are_taken_as_they_stand_in_every_time_zone(preset):
    """The export's days are those of Los Angeles: 31 January stays in January in Tokyo too."""
    engine = preset(
        "marketing, search_console",
        {"searchdata_site_impression": site()},
        OWN.format(dataset="search_console_searches"),
        calendar="{timezone: Asia/Tokyo}",
    )
    (row,) = engine.run("gsc_clicks", period="2026-01", as_of="2026-06-30").rows()
    assert row["gsc_clicks"] == 6


def test_by_page_there_is_more_than_by_property(engine):
    opened = engine("search_console_page_searches")
    rows = opened.run(KPIS, by="result_page", period="2026-01", as_of="2026-06-30").rows()
    assert {row["result_page"]: values(row) for row in rows} == {
        "https://acme.example/": near((3, 14, 14 / 14 + 1)),
        "https://acme.example/blog": near((2, 34, 130 / 34 + 1)),
    }
    by_property = sum(row[6] for row in SITE if row[0] == "2026-01-05")
    assert sum(row["gsc_impressions"] for row in rows) == 48 > by_property == 34


def test_the_last_days_are_provisional(engine):
    opened = engine()
    assert opened.run("gsc_clicks", period="2026-02", as_of="2026-03-02").provisional
    assert opened.run("gsc_average_position", period="2026-02", as_of="2026-03-02").provisional
    assert not opened.run("gsc_clicks", period="2026-02", as_of="2026-03-10").provisional
