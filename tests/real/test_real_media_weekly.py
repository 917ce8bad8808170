"""Weekly online stories about candidates: a total that repeats on every row, against the published share and against SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pytest

if TYPE_CHECKING:
    from datetime import date

PROJECT = "media_weekly"
PERIOD = "2018-12-30..2019-10-26"
BOTH = ["share_of_voice", "share_of_voice_per_week"]


@pytest.fixture(scope="module")
def query(real_data):
    """Ask SQL over the file, which stands there as `media`."""
    with duckdb.connect() as con:
        con.execute(f"create table media as from read_csv('{real_data('media_online_weekly.csv')}')")
        yield lambda sql: con.execute(sql).fetchall()


def weekly(engine, kpi: str) -> dict[tuple[str, date], float]:
    rows = engine.run(kpi, by=["candidate"], grain="week", period=PERIOD).rows()
    return {(row["candidate"], row["period"]): row[kpi] for row in rows}


@pytest.mark.parametrize("kpi", BOTH)
def test_every_week_and_name_has_the_published_share(engine, query, kpi):
    published = {
        (name, week): share for name, week, share in query("select name, date, pct_of_all_candidate_stories from media")
    }
    found = weekly(engine, kpi)
    assert {key: found[key] for key in published} == pytest.approx(published, rel=0, abs=1e-9)


@pytest.mark.parametrize("kpi", BOTH)
def test_a_week_without_a_row_is_a_week_without_stories(engine, query, kpi):
    rows = {(name, week) for name, week in query("select name, date from media")}
    found = weekly(engine, kpi)
    assert len(found) == 25 * 43 > len(rows)
    assert {found[key] for key in set(found) - rows} == {0.0}


@pytest.mark.parametrize("kpi", BOTH)
@pytest.mark.parametrize(
    ("period", "days"),
    [
        (PERIOD, "'2018-12-30' and '2019-10-26'"),
        ("2019-Q2", "'2019-04-01' and '2019-06-30'"),
        ("2019-07", "'2019-07-01' and '2019-07-31'"),
    ],
)
def test_the_share_of_several_weeks_counts_each_weeks_total_once(engine, query, kpi, period, days):
    wanted = query(f"""
        with inside as (from media where date between {days})
        select name, sum(matched_stories)
                     / (select sum(total) from (select date, max(all_candidate_stories) as total from inside group by date))
        from inside group by name
    """)
    rows = engine.run(kpi, by=["candidate"], period=period).rows()
    found = {row["candidate"]: row[kpi] for row in rows if row[kpi]}
    assert found == pytest.approx({name: share for name, share in wanted if share}, rel=1e-12)


def test_totals_of_a_weekly_table_are_those_of_the_whole_range(engine, query):
    result = engine.run(["stories", "stories_of_any_candidate"], grain="week", period=PERIOD)
    ((stories, every),) = query("""
        select (select sum(matched_stories) from media),
               (select sum(total) from (select distinct date, all_candidate_stories as total from media))
    """)
    assert result.totals() == {"stories": stories, "stories_of_any_candidate": every}
    assert every < query("select sum(all_candidate_stories) from media")[0][0]
    weeks = dict(query("select date, max(all_candidate_stories) from media group by date"))
    assert {row["period"]: row["stories_of_any_candidate"] for row in result.rows()} == weeks


def test_a_filter_on_a_candidate_leaves_the_weeks_total_whole(engine, query):
    (row,) = engine.run(BOTH, by=["candidate"], period="2019-07", where={"candidate": "Joe Biden"}).rows()
    ((ours, every),) = query("""
        with july as (from media where date between '2019-07-01' and '2019-07-31')
        select (select sum(matched_stories) from july where name = 'Joe Biden'),
               (select sum(total) from (select date, max(all_candidate_stories) as total from july group by date))
    """)
    assert [row[name] for name in BOTH] == pytest.approx([ours / every] * 2, rel=1e-12)
