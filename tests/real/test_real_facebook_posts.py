"""Posts of a cosmetics brand: engagement per post and by type, from a file without dates, against pandas."""

from __future__ import annotations

import pandas as pd
import pytest

PROJECT = "facebook_posts"
KPIS = ["post_count", "engagement", "engagement_per_post", "engagement_rate", "impressions_per_reach", "median_reach"]


@pytest.fixture(scope="module")
def posts(real_data) -> pd.DataFrame:
    return pd.read_csv(real_data("facebook_posts.csv"))


def expected(posts: pd.DataFrame) -> dict[str, float]:
    engagement = int(posts[["comment", "like", "share"]].sum().sum())
    return {
        "post_count": len(posts),
        "engagement": engagement,
        "engagement_per_post": engagement / len(posts),
        "engagement_rate": posts["Lifetime_Engaged_Users"].sum() / posts["Lifetime_Post_Total_Reach"].sum(),
        "impressions_per_reach": posts["Lifetime _Post_Total_Impressions"].sum()
        / posts["Lifetime_Post_Total_Reach"].sum(),
        "median_reach": posts["Lifetime_Post_Total_Reach"].median(),
    }


def test_all_posts(engine, posts):
    row = engine.run(KPIS).totals()
    assert (row["post_count"], row["engagement"]) == (expected(posts)["post_count"], expected(posts)["engagement"])
    assert row == pytest.approx(expected(posts), rel=1e-12)


@pytest.mark.parametrize(
    ("dimension", "column"),
    [("type", "Type"), ("month", "Post_Month"), ("weekday", "Post _Weekday"), ("hour", "Post_Hour")],
)
def test_by_each_dimension(engine, posts, dimension, column):
    rows = engine.run(KPIS, by=[dimension]).rows()
    groups = dict(list(posts.groupby(column)))
    assert [row[dimension] for row in rows] == sorted(groups)
    for row in rows:
        assert {name: row[name] for name in KPIS} == pytest.approx(expected(groups[row[dimension]]), rel=1e-12)


def test_by_two_dimensions_at_once(engine, posts):
    rows = engine.run("engagement_per_post", by=["type", "paid"]).rows()
    named = posts.assign(paid=posts["Paid"].map({1: "paid", 0: "organic"}))
    wanted = {key: expected(group)["engagement_per_post"] for key, group in named.groupby(["Type", "paid"])}
    assert {(row["type"], row["paid"]): row["engagement_per_post"] for row in rows} == pytest.approx(wanted, rel=1e-12)


def test_only_groups_above_a_bound(engine, posts):
    rows = engine.run(["post_count", "engagement_per_post"], by=["type"], having={"post_count": {">": 10}}).rows()
    counts = posts["Type"].value_counts()
    assert {row["type"]: row["post_count"] for row in rows} == counts[counts > 10].to_dict()


def test_posts_whose_stated_total_is_wrong(engine, posts):
    wrong = posts["Total_Interactions"] != posts[["comment", "like", "share"]].sum(axis=1)
    assert wrong.sum() == 1
    assert engine.run("wrong_totals").totals() == {"wrong_totals": 1}


def test_an_empty_cell_is_unknown_and_not_zero(real_project, real_data):
    """The likes of every third post are taken out of the file; those of all videos as well."""
    import kpi_engine

    posts = pd.read_csv(real_data("facebook_posts.csv"))
    emptied = (posts.index % 3 == 0) | (posts["Type"] == "Video")
    posts["like"] = posts["like"].astype("Int64").mask(emptied)
    project = real_project(PROJECT)
    posts.to_csv(project / "data" / "facebook_posts.csv", index=False)
    with kpi_engine.open(project) as engine:
        rows = {
            row["type"]: row
            for row in engine.run(["likes", "likes_known", "average_likes", "post_count"], by=["type"]).rows()
        }
    for name, group in posts.groupby("Type"):
        known = group["like"].dropna()
        row = rows[name]
        assert (row["post_count"], row["likes_known"]) == (len(group), len(known))
        assert row["likes"] == (int(known.sum()) if len(known) else None)
        assert row["average_likes"] == (pytest.approx(float(known.mean()), rel=1e-12) if len(known) else None)
    assert rows["Video"]["likes"] is None
