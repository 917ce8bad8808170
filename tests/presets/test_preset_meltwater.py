"""Meltwater's CSV: UTF-16 with tabs, a day and a time apart, the same document in two exports, copies of one text, reach per site."""

from __future__ import annotations

import pytest

import kpi_engine

HEADER = [
    "Date", "Time", "Document ID", "URL", "Input Name", "Keywords", "Information Type", "Source Type", "Source Name", "Source Domain",
    "Content Type", "Author Name", "Author Handle", "Title", "Opening Text", "Hit Sentence", "Image", "Hashtags", "Links", "Country",
    "Region", "State", "City", "Language", "Sentiment", "Keyphrases", "Reach", "Global Reach", "National Reach", "Local Reach", "AVE",
    "Social Echo", "Editorial Echo", "Engagement", "Shares", "Quotes", "Likes", "Replies", "Reposts", "Comments", "Reactions", "Views",
    "Estimated Views", "Document Tags", "Custom Categories", "Custom Fields",
]  # fmt: skip
NEWS = [  # day, time, id, search, source, domain, title, sentiment, reach, AVE
    (
        "05-Jan-2026",
        "9:05 AM",
        "wZ1",
        "Acmé",
        "Le Monde",
        "lemonde.fr",
        "Acmé lève 10 M€ ; « un record »",
        "Positive",
        "100000",
        "925.00",
    ),
    (
        "6-Jan-2026",
        "11:00 PM",
        "wZ2",
        "Acmé",
        "Ouest-France",
        "ouest-france.fr",
        "Acmé lève 10 M€ ; « un record »",
        "Positive",
        "50000",
        "462.50",
    ),
    (
        "07-Jan-2026",
        "10:00 AM",
        "wZ3",
        "Acmé",
        "Le Monde",
        "lemonde.fr",
        "Panne chez Acmé\tet excuses",
        "Negative",
        "100000",
        "925.00",
    ),
    (
        "20-Jan-2026",
        "10:00 AM",
        "wZ4",
        "Acmé",
        "Petit blog",
        "petit.example",
        "Acmé lève 10 M€ ; « un record »",
        "Not Rated",
        "",
        "",
    ),
    ("31-Jan-2026", "11:30 PM", "wZ5", "Acmé", "Le Monde", "lemonde.fr", "Bilan", "Neutral", "100000", "925.00"),
    (
        "08-Jan-2026",
        "8:00 AM",
        "wZ3",
        "Rival",
        "Le Monde",
        "lemonde.fr",
        "Panne chez Acmé\tet excuses",
        "Neutral",
        "100000",
        "925.00",
    ),
    ("01-Feb-2026", "12:05 AM", "wZ6", "Acmé", "Le Monde", "lemonde.fr", "Février", "Neutral", "100000", "925.00"),
]
AGAIN = [NEWS[0], NEWS[2]]  # a second export overlaps the first
SOCIAL = [  # day, time, id, search, network, handle, sentiment
    ("05-Jan-2026", "9:05 AM", "s1", "Acmé", "X", "@ann", "Positive"),
    ("05-Jan-2026", "9:06 PM", "s2", "Acmé", "Twitter", "@bob", "Negative"),
    ("06-Jan-2026", "12:06 PM", "s3", "Rival", "Facebook", "", "Not Rated"),
]
KPI_YAML = """
project: p
calendar: {timezone: Europe/Paris}
sources:
  press:
    plugin: files
    path: data
    tables: {meltwater_documents: {path: "export-*.csv"}}
definitions: [definitions, marketing, meltwater]
"""
OWN = """
datasets:
  clips: {override: partial, sql: select * from meltwater_clips}
  outlets: {override: partial, sql: select * from meltwater_outlets}
  mentions: {override: partial, sql: select * from meltwater_mentions}
kpis:
  people_reached: {inputs: [meltwater_clips], formula: sum(reach)}
"""


def news(row):
    day, time, number, search, source, domain, title, sentiment, reach, ave = row
    return {
        "Date": day, "Time": time, "Document ID": number, "Input Name": search, "Information Type": "News", "Source Type": "Online News",
        "Source Name": source, "Source Domain": domain, "Title": title, "Country": "FR", "Language": "fr", "Sentiment": sentiment,
        "Reach": reach, "Global Reach": reach, "AVE": ave,
    }  # fmt: skip


def social(row):
    day, time, number, search, network, handle, sentiment = row
    return {
        "Date": day, "Time": time, "Document ID": number, "Input Name": search, "Information Type": "Social", "Source Type": network,
        "Source Name": handle, "Author Handle": handle, "Language": "fr", "Sentiment": sentiment, "Reach": "10",
    }  # fmt: skip


def write(path, rows):
    """Write a file as Meltwater does: every cell quoted, tabs between them, UTF-16 in little-endian order with its mark."""
    lines = [HEADER, *([row.get(name, "") for name in HEADER] for row in rows)]
    text = "".join("\t".join('"' + cell.replace('"', '""') + '"' for cell in line) + "\r\n" for line in lines)
    path.write_bytes(b"\xff\xfe" + text.encode("utf-16-le"))


@pytest.fixture
def project(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "definitions").mkdir()
    (tmp_path / "kpi.yaml").write_text(KPI_YAML, encoding="utf-8")
    (tmp_path / "definitions" / "own.yaml").write_text(OWN, encoding="utf-8")
    brands = "brand_id,name,is_own,competitor_set\nAcmé,Acmé,true,crm\nRival,Rival,false,crm\n"
    (tmp_path / "data" / "brand.csv").write_text(brands, encoding="utf-8")
    write(tmp_path / "data" / "export-1.csv", [*map(news, NEWS), *map(social, SOCIAL)])
    write(tmp_path / "data" / "export-2.csv", [*map(news, AGAIN), social(SOCIAL[0])])
    return tmp_path


@pytest.fixture
def engine(project):
    with kpi_engine.open(project) as opened:
        yield opened


def of(search, month):
    """Pick the clips of a search in a month such as `Jan`."""
    return [row for row in NEWS if row[3] == search and f"-{month}-" in row[0]]


def run(engine, *kpis, **request):
    rows = engine.run(list(kpis), period="2026-01", as_of="2026-06-30", **request).rows()
    return rows if request.get("by") else rows[0]


def test_clips_are_counted_once_however_often_they_were_exported(engine, mistakes):
    assert [each for each in mistakes(engine) if "people_reached" not in each] == []
    found = run(engine, "media_coverage", "media_coverage_original")
    assert found["media_coverage"] == len(of("Acmé", "Jan")) == 5
    assert found["media_coverage_original"] == 4
    (february,) = engine.run("media_coverage", period="2026-02", as_of="2026-06-30").rows()
    assert february["media_coverage"] == 1


def test_tone_leaves_out_what_is_not_rated(engine):
    found = run(
        engine, "media_positive_share", "media_negative_share", "media_net_sentiment", "media_sentiment_coverage"
    )
    assert found == {
        "media_positive_share": pytest.approx(2 / 4), "media_negative_share": pytest.approx(1 / 4),
        "media_net_sentiment": pytest.approx(1 / 4), "media_sentiment_coverage": pytest.approx(4 / 5),
    }  # fmt: skip


def test_reach_is_of_contacts_where_the_pack_says_so_and_of_people_nowhere(engine, mistakes):
    found = run(engine, "potential_reach", "readership_coverage")
    assert found["potential_reach"] == sum(int(row[8] or 0) for row in of("Acmé", "Jan")) == 350_000
    assert found["readership_coverage"] == pytest.approx(4 / 5)
    (refused,) = mistakes(engine)
    assert "`reach` may not be added up at all: the dataset `meltwater_documents` declares so" in refused


def test_a_document_that_names_two_brands_counts_for_each(engine):
    assert run(engine, "share_of_voice")["share_of_voice"] == pytest.approx(5 / 6)
    assert run(engine, "share_of_voice_by_reach")["share_of_voice_by_reach"] == pytest.approx(350_000 / 450_000)


def test_the_value_of_clips_is_the_vendors_in_dollars(engine):
    assert float(run(engine, "ave_vendor")["ave_vendor"]) == 925 * 3 + 462.5
    rows = run(engine, "ave", by="currency")
    assert {row["currency"]: float(row["ave"]) for row in rows if row["ave"]} == {"USD": 925 * 3 + 462.5}


def test_outlets_are_split_by_name(engine):
    rows = run(engine, "media_coverage", by="outlet")
    assert {row["outlet"]: row["media_coverage"] for row in rows} == {"Le Monde": 3, "Ouest-France": 1, "Petit blog": 1}


def test_mentions_are_those_of_social_networks(engine):
    rows = run(engine, "social_mentions", by="network")
    assert {row["network"]: row["social_mentions"] for row in rows if row["social_mentions"]} == {"x": 2}
    assert run(engine, "social_positive_mention_share")["social_positive_mention_share"] == pytest.approx(1 / 2)
    assert run(engine, "share_of_voice_by_mentions")["share_of_voice_by_mentions"] == pytest.approx(2 / 3)


def test_times_are_those_of_the_projects_zone(engine):
    """31 January, half past eleven in the evening, and 1 February, five past midnight, fall on these days."""
    rows = engine.run("media_coverage", grain="day", period="2026-01-31..2026-02-01", as_of="2026-06-30").rows()
    assert [row["media_coverage"] for row in rows] == [1, 1]


def test_a_date_in_another_form_stops_the_request(project):
    write(project / "data" / "export-3.csv", [news(("05/01/2026", "09:05", "wZ9", *NEWS[0][3:]))])
    with kpi_engine.open(project) as opened, pytest.raises(kpi_engine.KpiError, match="05/01/2026 09:05"):
        opened.run("media_coverage", period="2026-01", as_of="2026-06-30")


@pytest.mark.parametrize("day", [("5-Jan-26", "9:05 AM"), ("05-Jan-2026", "9h05"), ("2026-01-05T09:05:00Z", "")])
def test_a_date_that_could_be_read_as_another_one_stops_the_request(project, day):
    """Two digits of a year are not the year 26, in which nobody would miss the clip."""
    write(project / "data" / "export-3.csv", [news((*day, "wZ9", *NEWS[0][3:]))])
    with kpi_engine.open(project) as opened, pytest.raises(kpi_engine.KpiError, match=day[0]):
        opened.run("media_coverage", period="2026-01", as_of="2026-06-30")


@pytest.mark.parametrize("day", [
    ("2026-01-05", ""), ("2026-01-05", "9:05 AM"), ("2026-01-05", "21:05"), ("2026-01-05", "09:05:30"), ("05-Jan-2026", ""), ("5-Jan-2026", "21:05"),
])  # fmt: skip
def test_dates_in_both_forms_count(project, engine, day):
    before = run(engine, "media_coverage")["media_coverage"]
    write(project / "data" / "export-3.csv", [news((*day, "wZ9", *NEWS[0][3:]))])
    with kpi_engine.open(project) as opened:
        assert run(opened, "media_coverage")["media_coverage"] == before + 1


def test_documents_without_an_id_count_once_each(project, engine):
    before = run(engine, "media_coverage", "potential_reach")
    rows = [
        news((*NEWS[0][:2], " ", "Acmé", "Le Monde", "lemonde.fr", title, "Positive", "1000", ""))
        for title in ("One", "Two", "Two")
    ]
    write(project / "data" / "export-3.csv", rows)
    with kpi_engine.open(project) as opened:
        after = run(opened, "media_coverage", "potential_reach")
    assert {name: after[name] - before[name] for name in after} == {"media_coverage": 2, "potential_reach": 2000}
