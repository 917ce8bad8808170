from __future__ import annotations

import csv
from datetime import date
from hashlib import sha256
from itertools import pairwise

import pytest

from kpi_engine.sample.content import RESET_NETWORK, RESET_POST
from kpi_engine.sample.days import FIRST_DAY, LAST_DAY
from kpi_engine.sample.social import CLOSED_ACCOUNT, CLOSED_ON
from kpi_engine.sample.tables import TABLES

DIGEST = "c02df8c5cd86c8619f775081fdca35d1a7769aaaa64a32e6710e9b104f145688"
"""Of all rows of all tables; it is the same on every machine and with every version of DuckDB. New rows, new digest."""

KEYS = {
    "brand": "brand_id",
    "web_session": "session_id",
    "web_page_view": "page_view_id",
    "web_conversion": "conversion_id",
    "content_item": "content_id",
    "content_share_snapshot": "content_id, network, captured_on",
    "social_account": "account_id",
    "social_account_snapshot": "account_id, captured_on",
    "social_post": "post_id",
    "mention": "mention_id, brand_id",
    "media_outlet": "outlet_id",
    "media_coverage": "clip_id, brand_id",
    "lead": "lead_id",
    "deal": "deal_id",
    "marketing_spend": "spend_date, platform, channel, campaign_id, cost_type",
    "link_edge": "graph_id, captured_on, source, target",
    "domain_score": "domain, provider, metric, captured_on",
}
REFERENCES = [
    ("web_page_view.session_id", "web_session.session_id"),
    ("web_page_view.content_id", "content_item.content_id"),
    ("web_conversion.session_id", "web_session.session_id"),
    ("web_conversion.lead_id", "lead.lead_id"),
    ("content_share_snapshot.content_id", "content_item.content_id"),
    ("social_account.brand_id", "brand.brand_id"),
    ("social_account_snapshot.account_id", "social_account.account_id"),
    ("social_post.account_id", "social_account.account_id"),
    ("mention.brand_id", "brand.brand_id"),
    ("media_coverage.brand_id", "brand.brand_id"),
    ("media_coverage.outlet_id", "media_outlet.outlet_id"),
    ("deal.lead_id", "lead.lead_id"),
]


def shown(column, kind):
    return f"coalesce({f'epoch_us({column})' if kind == 'TIMESTAMPTZ' else column}::varchar, '~')"


def test_the_rows_are_the_same_on_every_machine(data):
    digest = sha256()
    for name, layout in TABLES.items():
        row = " || '|' || ".join(shown(column, kind) for column, kind in layout.columns.items())
        digest.update(data.value(f"select string_agg(md5({row}), '' order by md5({row})) from {name}").encode())
    assert digest.hexdigest() == DIGEST


def test_every_canonical_table_has_one_file_in_one_of_both_formats(data):
    assert len(TABLES) == 18
    assert {file.name for file in data.folder.iterdir()} == {f"{name}.{one.format}" for name, one in TABLES.items()}
    assert {one.format for one in TABLES.values()} == {"csv", "parquet"}


def test_all_of_it_is_small(data):
    assert sum(file.stat().st_size for file in data.folder.iterdir()) < 15_000_000


@pytest.mark.parametrize("table", TABLES)
def test_columns_have_their_canonical_types(data, table):
    found = {name: kind for name, kind, *_ in data.rows(f"describe {table}")}
    declared = {
        name: kind.replace("TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE") for name, kind in TABLES[table].columns.items()
    }
    assert found == declared


@pytest.mark.parametrize("table", KEYS)
def test_keys_are_unique_and_known(data, table):
    key = KEYS[table]
    assert data.value(f"select count(*) from (select {key} from {table} group by all having count(*) > 1)") == 0
    assert (
        data.value(f"select count(*) from {table} where {' or '.join(f'{part} is null' for part in key.split(', '))}")
        == 0
    )


@pytest.mark.parametrize(("child", "parent"), REFERENCES)
def test_what_is_referred_to_is_there(data, child, parent):
    (table, column), (other, key) = child.split("."), parent.split(".")
    assert data.value(f"select count(distinct {column}) from {table}") > 1
    assert (
        data.value(
            f"select count(*) from {table} where {column} is not null and {column} not in (select {key} from {other})"
        )
        == 0
    )


def test_facts_of_the_site_lie_within_the_two_years(data):
    for table, column in (
        ("web_session", "started_at"),
        ("web_page_view", "viewed_at"),
        ("web_conversion", "occurred_at"),
    ):
        assert data.rows(f"select min({column})::date, max({column})::date from {table}") == [(FIRST_DAY, LAST_DAY)]
    assert data.rows("select min(spend_date), max(spend_date) from marketing_spend") == [(FIRST_DAY, LAST_DAY)]


def test_a_visit_agrees_with_its_page_views(data):
    different = """
        select count(*) from web_session s join (
          select session_id, count(*) as views, sum(engagement_seconds) as seconds, min(viewed_at) as first, max(visitor_id) as visitor,
            arg_min(page_path, viewed_at) as landing, epoch(max(viewed_at)) as last
          from web_page_view group by session_id
        ) p using (session_id)
        where (s.page_views, s.engagement_seconds, s.started_at, s.visitor_id, s.landing_path)
            is distinct from (p.views, p.seconds, p.first, p.visitor, p.landing) or epoch(s.started_at) + s.duration_seconds < p.last
    """
    assert data.value(different) == 0
    assert (
        data.value("select count(*) from web_session where session_id not in (select session_id from web_page_view)")
        == 0
    )


def test_posts_are_read_after_they_were_published(data):
    assert (
        data.value(
            "select count(*) from web_page_view join content_item using (content_id) where viewed_at < published_at"
        )
        == 0
    )


def test_visits_of_a_visitor_are_numbered_over_the_whole_history(data):
    visits = """
        select session_number - lag(session_number) over w as step,
          epoch(started_at) - lag(epoch(started_at) + duration_seconds) over w as pause
        from web_session window w as (partition by visitor_id order by started_at)
    """
    assert data.rows(f"select min(step), max(step) from ({visits})") == [(1, 1)]
    assert data.value(f"select min(pause) from ({visits})") > 30 * 60
    first_seen = (
        "select visitor_id, min(session_number) as first, min(started_at) as began from web_session group by visitor_id"
    )
    known_before = f"select count(*) filter (first > 1) / count(*), arg_max(first, began) from ({first_seen})"
    share, last = data.rows(known_before)[0]
    assert 0 < share < 0.05
    assert last == 1


def test_a_conversion_happens_during_its_visit(data):
    outside = """
        select count(*) from web_conversion c join web_session s using (session_id)
        where c.visitor_id <> s.visitor_id or epoch(c.occurred_at) not between epoch(s.started_at) and epoch(s.started_at) + s.duration_seconds + 60
    """
    assert data.value(outside) == 0


def test_two_or_three_visits_in_a_hundred_convert(data):
    rate = """
        select (select count(distinct session_id) from web_conversion where is_direct_request) / (select count(*) from web_session)
    """
    assert 0.02 < data.value(rate) < 0.03


def test_leads_go_down_the_funnel_in_order(data):
    wrong = "mql_at < created_at or sal_at < mql_at or sql_at < contacted_at or opportunity_at < sql_at or customer_at < opportunity_at"
    assert data.value(f"select count(*) from lead where {wrong}") == 0
    counts = data.rows(
        "select count(*), count(mql_at), count(sal_at), count(sql_at), count(opportunity_at), count(customer_at) from lead"
    )[0]
    assert all(more > fewer > 0 for more, fewer in pairwise(counts))
    assert data.value("select count(*) from lead where sal_at is not null and contacted_at is null") > 0
    assert data.value("select count(*) from lead where contacted_at is not null and sal_at is null") > 0
    assert data.value("select count(*) from lead where sal_at is not null and mql_at is null") > 0


def test_a_customer_is_a_lead_with_a_won_deal_of_that_instant(data):
    customers = "select lead_id, customer_at from lead where customer_at is not null"
    won = "select lead_id, closed_at from deal where is_won and lead_id is not null"
    assert data.rows(f"({customers} except {won}) union all ({won} except {customers})") == []
    assert data.value("select count(*) from deal where is_won is null and closed_at is null") > 0
    assert data.value("select count(*) from deal where lead_id is null") > 0
    assert data.rows("select distinct currency from deal") == [("EUR",)]


def test_leads_are_linked_to_the_request_that_made_them(data):
    later = "select count(*) from web_conversion join lead using (lead_id) where occurred_at < created_at"
    assert data.value(later) == 0
    assert data.value("select count(*) from web_conversion where session_id is null and lead_id is not null") > 0
    assert data.value("select count(*) from web_conversion where is_direct_request and lead_id is null") > 0


def test_weekends_are_half_as_busy(data):
    by_day = "select started_at::date as day, isodow(min(started_at)) > 5 as weekend, count(*) as visits from web_session group by 1"
    weekend, week = data.rows(f"select avg(visits) from ({by_day}) group by weekend order by weekend desc")
    assert 0.38 < weekend[0] / week[0] < 0.52


def test_the_second_year_is_a_third_larger(data):
    first, second = data.rows(
        "select count(*) from web_session group by started_at < '2025-07-01' order by started_at < '2025-07-01' desc"
    )
    assert 1.25 < second[0] / first[0] < 1.35


def test_some_come_at_night(data):
    assert 0.05 < data.value("select avg((hour(started_at) < 6)::int) from web_session") < 0.12


def visits(data, month):
    return data.value(f"select count(*) from web_session where strftime(started_at, '%Y-%m') = '{month}'")


def test_seasons_and_a_slow_month_show(data):
    assert visits(data, "2025-08") < 0.85 * visits(data, "2025-07") < visits(data, "2025-09")
    assert visits(data, "2025-12") < visits(data, "2026-01")
    assert visits(data, "2026-02") < 0.75 * visits(data, "2026-01")
    assert visits(data, "2025-02") > 0.85 * visits(data, "2025-01")


def test_three_days_were_not_tracked(data):
    days = "select distinct started_at::date from web_session"
    missing = f"select day::date from range(date '{FIRST_DAY}', date '{LAST_DAY}', interval 1 day) t(day) where day::date not in ({days}) order by 1"
    assert data.rows(missing) == [(date(2025, 11, 18),), (date(2025, 11, 19),), (date(2025, 11, 20),)]
    assert data.value("select count(*) from marketing_spend where spend_date = '2025-11-19'") > 0


@pytest.mark.parametrize(
    ("counted", "at_least"),
    [
        ("web_session where channel = 'paid_social' and started_at", 3),
        ("web_conversion where conversion_type = 'webinar_signup' and occurred_at", 1.5),
        ("mention where brand_id = 'acme' and published_at", 1.4),
        ("media_coverage where brand_id = 'acme' and published_at", 1.3),
    ],
)
def test_the_campaign_shows(data, counted, at_least):
    before = data.value(f"select count(*) from {counted} between '2026-03-01' and '2026-04-12'")
    during = data.value(f"select count(*) from {counted} between '2026-04-13' and '2026-05-25'")
    assert during > at_least * before > 0


def test_the_campaign_has_one_name_everywhere(data):
    for table in ("web_session", "lead", "marketing_spend", "media_coverage"):
        assert data.value(f"select count(*) from {table} where campaign = 'printemps_2026'") > 10


def share_missing(data, table, column):
    return data.value(f"select avg(({column} is null)::int) from {table}")


def test_some_values_are_missing(data):
    assert 0.005 < share_missing(data, "web_session", "channel") < 0.02
    assert 0.005 < share_missing(data, "web_session", "device") < 0.03
    assert 0.005 < share_missing(data, "web_session", "country") < 0.03
    assert 0.15 < share_missing(data, "mention", "sentiment") < 0.25
    for table, column in (
        ("media_coverage", "sentiment"),
        ("media_outlet", "avg_readership"),
        ("social_post", "likes"),
        ("content_item", "author"),
    ):
        assert 0 < share_missing(data, table, column) < 0.3


def test_channels_sources_and_media_agree(data):
    media = dict(
        data.rows(
            "select channel, string_agg(distinct medium, ',') from web_session where channel is not null group by 1"
        )
    )
    assert media == {
        "organic_search": "organic", "direct": "(none)", "paid_search": "cpc", "email": "email", "organic_social": "social",
        "paid_social": "paid_social", "referral": "referral",
    }  # fmt: skip
    assert (
        data.value(
            "select count(*) from web_session where channel is null and (source is not null or medium is not null)"
        )
        == 0
    )
    seen = "select distinct campaign from web_session where channel = 'paid_search'"
    spend = "select distinct campaign from marketing_spend where channel = 'paid_search' and cost_type = 'media'"
    assert data.rows(f"({spend} except {seen}) union all ({seen} except {spend})") == []


def test_share_counters_only_grow_but_for_one_reset(data):
    steps = "shares_cumulative - lag(shares_cumulative) over (partition by content_id, network order by captured_on)"
    falls = f"select content_id, network from (select *, {steps} as step from content_share_snapshot) where step < 0"
    assert data.rows(falls) == [(RESET_POST, RESET_NETWORK)]


def test_one_account_stops_and_others_have_gaps(data):
    last = dict(data.rows("select account_id, max(captured_on) from social_account_snapshot group by 1"))
    assert last.pop(CLOSED_ACCOUNT) == CLOSED_ON
    assert min(last.values()) > date(2026, 6, 20)
    gap = "select max(captured_on - lag) from (select *, lag(captured_on) over (partition by account_id order by captured_on) as lag from social_account_snapshot)"
    assert data.value(gap) > 10


def test_counters_that_a_network_does_not_give_are_unknown(data):
    assert data.value("select count(*) from social_post where network = 'x' and shares is not null") == 0
    assert (
        data.value(
            "select count(*) from social_post where network = 'linkedin' and (reposts is not null or quotes is not null)"
        )
        == 0
    )
    assert data.value("select sum(reposts) from social_post where network = 'x'") > 0


def test_mentions_hold_own_authors_rivals_and_items_of_two_brands(data):
    assert data.value("select count(*) from mention where is_own_author and brand_id = 'acme'") > 10
    assert data.value("select count(*) from mention where is_own_author and brand_id <> 'acme'") == 0
    assert data.value("select count(distinct brand_id) from mention") == data.value("select count(*) from brand")
    assert data.value("select count(*) - count(distinct mention_id) from mention") > 10
    assert data.value("select count(*) from mention where (source_type = 'social') <> (network is not null)") == 0


def test_two_outlets_have_as_many_readers_and_clips_name_several_brands(data):
    assert (
        data.value(
            "select max(n) from (select count(*) as n from media_outlet where avg_readership is not null group by avg_readership)"
        )
        == 2
    )
    assert data.value("select count(*) - count(distinct clip_id) from media_coverage") > 10
    copies = "select count(*) from media_coverage c where is_syndicated and headline not in (select headline from media_coverage where not is_syndicated)"
    assert data.value("select count(*) from media_coverage where is_syndicated") > 10
    assert data.value(copies) == 0
    assert data.value("select count(*) from media_coverage where (ave_vendor is null) <> (ave_currency is null)") == 0
    assert data.value("select count(ave_vendor) from media_coverage") > 10


def test_spending_has_all_its_kinds(data):
    kinds = {kind for (kind,) in data.rows("select distinct cost_type from marketing_spend")}
    assert kinds == {"media", "tool", "labour", "content", "agency"}
    assert data.rows("select distinct currency from marketing_spend") == [("EUR",)]


def test_pages_of_the_link_graph_come_and_go(data):
    nodes = "select captured_on, source as node from link_edge union select captured_on, target from link_edge"
    sizes = [count for (count,) in data.rows(f"select count(*) from ({nodes}) group by captured_on")]
    assert len(sizes) == 24
    assert 90 < min(sizes) < max(sizes) < 150
    first, last = (f"select node from ({nodes}) where captured_on = '{day}'" for day in ("2024-07-15", "2026-06-15"))
    assert data.value(f"select count(*) from ({first} except {last})") > 0
    assert data.value(f"select count(*) from ({last} except {first})") > 0
    assert (
        data.value(
            f"select count(*) from ({nodes}) where (captured_on, node) not in (select (captured_on, source) from link_edge)"
        )
        > 24
    )
    assert data.value("select count(*) from link_edge where is_nofollow") > 24
    assert data.value("select count(*) from link_edge where source = target") > 0


def test_search_clicks_never_exceed_impressions_and_rare_queries_have_no_words(data):
    assert data.value("select count(*) from search_performance where clicks > impressions or sum_position < 0") == 0
    assert data.value("select count(*) from search_performance where is_anonymized <> (query is null)") == 0
    assert data.value("select count(*) from search_performance where is_anonymized") > 0


def test_the_csv_files_are_honest_csv(data):
    with (data.folder / "content_item.csv").open(encoding="utf-8", newline="") as file:
        titles = [row["title"] for row in csv.DictReader(file)]
    assert titles == [title for (title,) in data.rows("select title from content_item")]
    for sign in (",", '"', "é", "«"):
        assert any(sign in title for title in titles)


def test_instants_are_written_in_utc(data):
    with (data.folder / "lead.csv").open(encoding="utf-8", newline="") as file:
        assert all(row["created_at"].endswith("Z") for row in csv.DictReader(file))
