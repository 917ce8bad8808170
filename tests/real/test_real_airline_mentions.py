"""Tweets to six airlines: volume, sentiment and share of voice, against pandas."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

PROJECT = "airline_mentions"
PERIOD = "2015-02-16..2015-02-24"
SENTIMENTS = ("negative", "neutral", "positive")
SHARES = [f"{sentiment}_share" for sentiment in SENTIMENTS]


@pytest.fixture(scope="module")
def judgements(real_data) -> pd.DataFrame:
    return pd.read_csv(real_data("airline_tweets.csv"), dtype={"tweet_id": str})


@pytest.fixture(scope="module")
def tweets(judgements) -> pd.DataFrame:
    """Each tweet once, by the rule of the project; all times are written with Los Angeles' own offset of that month."""
    assert set(judgements["tweet_created"].str[-5:]) == {"-0800"}
    worst_first = judgements.assign(mood=judgements["airline_sentiment"].map(SENTIMENTS.index))
    ordered = worst_first.sort_values(["airline_sentiment_confidence", "mood"], ascending=[False, True])
    kept = ordered.groupby("tweet_id", as_index=False).first()
    return kept.assign(day=kept["tweet_created"].str[:10])


def test_every_row_is_read_though_texts_run_over_several_lines(engine, judgements, real_data):
    lines = real_data("airline_tweets.csv").read_text(encoding="utf-8").count("\n")
    assert len(judgements) < lines - 1
    assert engine.run("judgement_count", period=PERIOD).totals() == {"judgement_count": len(judgements)}


def test_a_tweet_that_was_judged_twice_counts_once(engine, tweets, judgements):
    assert engine.run("mentions", period=PERIOD).totals() == {"mentions": judgements["tweet_id"].nunique()}
    rows = engine.run("mentions", by=["brand", "sentiment"], period=PERIOD).rows()
    wanted = tweets.groupby(["airline", "airline_sentiment"]).size().to_dict()
    assert {(row["brand"], row["sentiment"]): row["mentions"] for row in rows} == wanted


def test_volume_by_brand_and_day_of_los_angeles(engine, tweets):
    rows = engine.run("mentions", by=["brand"], grain="day", period=PERIOD).rows()
    wanted = tweets.groupby(["airline", "day"]).size().to_dict()
    assert {(row["brand"], row["period"].isoformat()): row["mentions"] for row in rows if row["mentions"]} == wanted
    assert len(rows) == tweets["airline"].nunique() * 9


def test_sentiment_shares_by_brand_and_day(engine, tweets):
    rows = engine.run(SHARES, by=["brand"], grain="day", period=PERIOD).rows()
    shares = {
        (airline, day): {f"{name}_share": (group["airline_sentiment"] == name).mean() for name in SENTIMENTS}
        for (airline, day), group in tweets.groupby(["airline", "day"])
    }
    for row in rows:
        wanted = shares.get((row["brand"], row["period"].isoformat()))
        if wanted is None:
            assert [row[name] for name in SHARES] == [None] * 3
        else:
            assert {name: row[name] for name in SHARES} == pytest.approx(wanted, rel=1e-12)


def test_share_of_voice_by_brand_and_day(engine, tweets):
    rows = engine.run("share_of_voice", by=["brand"], grain="day", period=PERIOD).rows()
    ours, every = tweets.groupby(["airline", "day"]).size(), tweets.groupby("day").size()
    for row in rows:
        day = row["period"].isoformat()
        assert row["share_of_voice"] == pytest.approx(ours.get((row["brand"], day), 0) / every[day], rel=1e-12)
    for day in every.index:
        on_day = [row["share_of_voice"] for row in rows if row["period"] == date.fromisoformat(day)]
        assert sum(on_day) == pytest.approx(1, rel=1e-12)


def test_share_of_voice_in_total_is_not_an_average_of_days(engine, tweets):
    rows = engine.run("share_of_voice", by=["brand"], period=PERIOD).rows()
    wanted = (tweets["airline"].value_counts() / len(tweets)).to_dict()
    assert {row["brand"]: row["share_of_voice"] for row in rows} == pytest.approx(wanted, rel=1e-12)
    (united,) = engine.run("share_of_voice", by=["brand"], period=PERIOD, where={"brand": "United"}).rows()
    assert united["share_of_voice"] == pytest.approx(wanted["United"], rel=1e-12)


def test_texts_are_searched_over_all_their_lines(engine, tweets):
    wanted = tweets["text"].str.lower().str.contains("cancelled flight", regex=False).sum()
    assert engine.run("cancellations_mentioned", period=PERIOD).totals() == {"cancellations_mentioned": int(wanted)}


def test_order_and_limit(engine, tweets):
    rows = engine.run("mentions", by=["brand"], period=PERIOD, order="-mentions", limit=2).rows()
    wanted = tweets["airline"].value_counts().head(2)
    assert [(row["brand"], row["mentions"]) for row in rows] == list(wanted.items())
