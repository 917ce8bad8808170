"""First members, ranks and shares from the command line, and how outputs show them."""

from __future__ import annotations

import csv
import io
import json

import pytest
from asking_again import planned, settled, without_cache  # noqa: F401 - fixtures

pytestmark = pytest.mark.usefixtures("shop")
ASKED = ("run", "visits", "--by", "channel", "--top", "1", "--others", "--rank", "visits", "--share", "visits")


def asked(kpi, *more):
    ran = kpi(*ASKED, *more)
    assert ran.code == 0, ran.err
    return ran.out


def test_json_says_which_row_is_that_of_the_others(kpi):
    assert json.loads(asked(kpi, "--output", "json")) == {
        "columns": ["channel", "channel__others", "visits", "visits__rank", "visits__share"],
        "rows": [
            {"channel": "email", "channel__others": False, "visits": 2, "visits__rank": 1, "visits__share": 0.4},
            {"channel": None, "channel__others": True, "visits": 3, "visits__rank": None, "visits__share": 0.6},
        ],
        "measures": {"visits": {"additive_over": [], "additivity": "additive", "format": "integer", "unit": "visits"}},
        "totals": {"visits": 5, "visits__share": 1.0},
    }


def test_csv_does_too(kpi):
    rows = [*csv.reader(io.StringIO(asked(kpi, "--output", "csv")))]
    assert rows == [
        ["channel", "channel__others", "visits", "visits__rank", "visits__share"],
        ["email", "false", "2", "1", "0.4"],
        ["", "true", "3", "", "0.6"],
    ]


@pytest.mark.parametrize(
    ("language", "word", "share", "head"),
    [("en", "(others)", "60.0\u202f%", "share of the total"), ("fr", "(autres)", "60,0\u202f%", "part du total")],
)
def test_people_read_it_in_words(kpi, language, word, share, head):
    table = asked(kpi, "--output", "table", "--language", language)
    assert [line.split()[0] for line in table.splitlines() if word in line or "email" in line] == ["email", word]
    page = asked(kpi, "--output", "html", "--language", language)
    for shown in (table, page):
        assert share in shown
        assert head in " ".join(shown.split())
        assert "channel__others" not in shown
        assert "True" not in shown
    assert f'<td class="member">{word}' in page


def test_the_second_answer_is_the_first_and_is_not_planned(kpi, planned):  # noqa: F811 - the fixture
    asked_again = (*ASKED, "--output", "json")
    first = kpi(*asked_again)
    assert kpi(*asked_again) == first
    assert len(planned) == 1
    assert without_cache(kpi, *asked_again[1:]) == first
    other = kpi(*(word if word != "1" else "2" for word in asked_again))
    assert len(json.loads(other.out)["rows"]) == 3


def test_the_order_another_end_and_the_dimensions_are_named(kpi):
    ran = kpi(
        "run", "visits", "--by", "channel,city", "--top", "2", "--top-of", "channel", "--top-by", "revenue", "--lowest", "--rank",
        "visits over channel", "--share", "visits over city", "--output", "json",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["columns"] == ["channel", "city", "visits", "visits__rank", "visits__share"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--others"], "--others says more of --top N"),
        (["--top-by", "visits"], "--top-by says more of --top N"),
        (["--top", "0"], "error[bad_top]"),
        (["--top", "many"], "'many' is not a valid integer"),
        (["--share", "visits over channel", "--share", "revenue"], "where one names its dimensions all do"),
        (["--rank", "visits over channel", "--rank", "visits over city"], "`visits` is named twice"),
    ],
)
def test_what_cannot_be_meant_is_said(kpi, options, said):
    ran = kpi("run", "visits", "revenue", "--by", "channel", *options)
    assert ran.code != 0
    assert said in ran.err


def test_limit_0_gives_the_columns_alone(kpi):
    assert json.loads(asked(kpi, "--limit", "0", "--output", "json"))["rows"] == []
    assert asked(kpi, "--limit", "0", "--output", "csv").split() == [
        "channel,channel__others,visits,visits__rank,visits__share"
    ]
