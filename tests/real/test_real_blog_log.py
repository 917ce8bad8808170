"""A blog's access log: visits, visitors, what they read and where they came from, against plain Python over the lines."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest

PROJECT = "blog_log"
PERIOD = "2015-05-17..2015-05-20"
DAYS = [date(2015, 5, day) for day in range(17, 21)]
BOTS = [
    "bot", "crawl", "spider", "slurp", "archiver", "feed", "rss", "fetch", "wget", "curl", "libwww-perl", "python", "ruby",
    "externalhit", "embedly", "ezooms", "nutch", "validator",
]  # fmt: skip
ENGINES = ("google", "bing", "yahoo", "duckduckgo", "baidu", "yandex", "daum", "ask")
COUNTS = ["visits", "unique_visitors", "pages_viewed"]
RATES = ["pages_per_visit", "blog_traffic_share", "organic_share"]


@dataclass(frozen=True, order=True)
class View:
    visitor: str
    at: datetime
    path: str
    referrer: str

    @property
    def day(self) -> date:
        return self.at.astimezone(ZoneInfo("America/Los_Angeles")).date()

    @property
    def is_blog(self) -> bool:
        return self.path.split("/")[1] == "blog"

    @property
    def came_from(self) -> str:
        host = self.referrer
        if not host:
            return "direct"
        if "semicomplete.com" in host:
            return "own site"
        return "search engine" if any(label in ENGINES for label in host.split(".")[:-1]) else "elsewhere"


def viewed(line: str) -> View | None:
    """Read a line by splitting it at its quotes; None when it is not a page that a person looked at."""
    opening, request, answer, referrer, _, agent, _ = line.split('"')
    method, target, _ = request.split(" ")
    path, _, query = target.partition("?")
    last = path.split("/")[-1]
    ending = last.rpartition(".")[2] if "." in last else ""
    is_page = ending in {"", "html", "xhtml", "htm", "php"}
    is_feed = any(part.startswith("flav=") for part in query.split("&"))
    is_person = agent not in {"", "-"} and not any(word in agent.lower() for word in BOTS)
    if not (method == "GET" and answer.split()[0] in {"200", "304"} and is_page and not is_feed and is_person):
        return None
    at = datetime.strptime(opening.partition("[")[2].rstrip("] "), "%d/%b/%Y:%H:%M:%S %z")
    host = (urlsplit(referrer).hostname or "") if "://" in referrer else ""
    return View(f"{opening.split(' ')[0]} {agent}", at, path, host)


@pytest.fixture(scope="module")
def visits(real_data) -> list[list[View]]:
    """The visits, each a list of page views; a line without its seven pieces is none."""
    lines = [line for line in real_data("apache_logs.log").read_text().splitlines() if line.count('"') == 6]
    found: list[list[View]] = []
    for view in sorted(view for view in map(viewed, lines) if view):
        last = found[-1][-1] if found else None
        if last is None or last.visitor != view.visitor or view.at - last.at > timedelta(minutes=30):
            found.append([])
        found[-1].append(view)
    return found


def expected(visits: list[list[View]]) -> dict[str, float]:
    return {
        "visits": len(visits),
        "unique_visitors": len({visit[0].visitor for visit in visits}),
        "pages_viewed": sum(len(visit) for visit in visits),
        "pages_per_visit": sum(len(visit) for visit in visits) / len(visits),
        "blog_traffic_share": sum(any(view.is_blog for view in visit) for visit in visits) / len(visits),
        "organic_share": sum(visit[0].came_from == "search engine" for visit in visits) / len(visits),
    }


def test_the_whole_log(engine, visits):
    row = engine.run([*COUNTS, *RATES], period=PERIOD).totals()
    assert {name: row[name] for name in COUNTS} == {name: expected(visits)[name] for name in COUNTS}
    assert row == pytest.approx(expected(visits), rel=1e-12)


def test_day_by_day_in_the_blogs_own_zone(engine, visits):
    by_day = defaultdict(list)
    for visit in visits:
        by_day[visit[0].day].append(visit)
    rows = {
        row["period"]: row
        for row in engine.run(["visits", "unique_visitors", *RATES], grain="day", period=PERIOD).rows()
    }
    assert list(rows) == DAYS
    for day, row in rows.items():
        wanted = expected(by_day[day])
        assert {name: row[name] for name in ["visits", "unique_visitors", *RATES]} == pytest.approx(
            {name: wanted[name] for name in ["visits", "unique_visitors", *RATES]}, rel=1e-12
        )


def test_visitors_of_the_log_are_fewer_than_visitors_day_by_day(engine, visits):
    """A visitor who comes on two days is one visitor of the log: a total is counted again, not added up."""
    result = engine.run("unique_visitors", grain="day", period=PERIOD)
    assert sum(row["unique_visitors"] for row in result.rows()) > result.totals()["unique_visitors"]
    assert result.totals()["unique_visitors"] == expected(visits)["unique_visitors"]


def test_page_views_day_by_day_and_section(engine, visits):
    wanted = Counter((view.day, "blog" if view.is_blog else "site") for visit in visits for view in visit)
    rows = engine.run("pages_viewed", by=["section"], grain="day", period=PERIOD).rows()
    assert {(row["period"], row["section"]): row["pages_viewed"] for row in rows} == wanted


def test_where_visits_came_from(engine, visits):
    wanted = Counter(visit[0].came_from for visit in visits)
    result = engine.run(["visits", "share_of_visits"], by=["came_from"], period=PERIOD)
    assert {row["came_from"]: row["visits"] for row in result.rows()} == wanted
    shares = {name: number / len(visits) for name, number in wanted.items()}
    assert {row["came_from"]: row["share_of_visits"] for row in result.rows()} == pytest.approx(shares, rel=1e-12)
    assert result.totals()["share_of_visits"] == pytest.approx(1, rel=1e-12)


def test_a_filter_leaves_the_denominator_of_a_share_alone(engine, visits):
    result = engine.run("share_of_visits", by=["came_from"], period=PERIOD, where={"came_from": "direct"})
    direct = sum(visit[0].came_from == "direct" for visit in visits) / len(visits)
    assert [(row["came_from"], row["share_of_visits"]) for row in result.rows()] == [
        ("direct", pytest.approx(direct, rel=1e-12))
    ]


def test_no_line_is_lost_unsaid(engine, real_data):
    lines = real_data("apache_logs.log").read_text().splitlines()
    cut_off = [line for line in lines if line.count('"') != 6]
    assert len(cut_off) == 1
    assert engine.run("unreadable_lines").totals() == {"unreadable_lines": 1}
