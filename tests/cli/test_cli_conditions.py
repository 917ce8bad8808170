"""Conditions after `--where` and `--having`."""

from __future__ import annotations

from decimal import Decimal

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_engine.cli.conditions import havings, wheres


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("channel=email", {"eq": "email"}),
        ("channel = email ", {"eq": "email"}),
        ("channel==email", {"eq": "email"}),
        ("channel=email,direct", {"in": ["email", "direct"]}),
        ("channel in email, direct", {"in": ["email", "direct"]}),
        ("channel in (email, direct)", {"in": ["email", "direct"]}),
        ("channel IN email", {"in": ["email"]}),
        ("channel not in email,direct", {"not_in": ["email", "direct"]}),
        ("channel!=email", {"ne": "email"}),
        ("channel<>email,direct", {"not_in": ["email", "direct"]}),
        ("channel=NULL", {"eq": None}),
        ("channel!=NULL", {"ne": None}),
        ("channel=email,NULL", {"in": ["email", None]}),
        ("channel is null", {"is_null": True}),
        ("channel is not null", {"is_null": False}),
        ("channel='NULL'", {"eq": "NULL"}),
        ("channel=null", {"eq": "null"}),
        ("channel=''", {"eq": ""}),
        ("city='Paris, Texas'", {"eq": "Paris, Texas"}),
        ('city="Paris, Texas",Lyon', {"in": ["Paris, Texas", "Lyon"]}),
        ("city='O''Hara'", {"eq": "O'Hara"}),
        ("city=O'Hara", {"eq": "O'Hara"}),
        ("path contains a=b", {"contains": "a=b"}),
        ("path starts with /blog", {"starts_with": "/blog"}),
        ("path ends_with .pdf", {"ends_with": ".pdf"}),
        ("score=5", {"eq": "5"}),
        ("score>=5", {"gte": 5}),
        ("score<-2.5", {"lt": Decimal("-2.5")}),
        ("score > '5'", {"gt": "5"}),
        ("day>=2026-01-31", {"gte": "2026-01-31"}),
        ("score between 1 and 5", {"between": [1, 5]}),
        ("day between 2026-01-01,2026-02-01", {"between": ["2026-01-01", "2026-02-01"]}),
        ("is_own=true", {"eq": "true"}),
        ("score>12345678901234567890123", {"gt": Decimal(12345678901234567890123)}),
    ],
)
def test_a_condition_is_read(written, meant):
    (read,) = wheres([written]).values()
    assert read == meant
    assert [type(value) for value in read.values()] == [type(value) for value in meant.values()]


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("channel", "write NAME=VALUE"),
        ("=email", "write NAME=VALUE"),
        ("channel like email", "write NAME=VALUE"),
        ("channelin email", "write NAME=VALUE"),
        ("channel=", "a value is missing"),
        ("channel=email,", "a value is missing"),
        ("channel in", "a value is missing"),
        ("score=>5", "begins with >"),
        ("score>=5,6", "takes one value"),
        ("score between 1", "NAME between 1 and 5"),
        ("score between 1,2,3", "NAME between 1 and 5"),
        ("city='Lyon", "is not closed"),
        ("city='Lyon' or so", "is not closed"),
        ("score>NULL", "a missing value"),
        ("channel is null 5", "nothing follows"),
    ],
)
def test_a_condition_that_cannot_be_meant_is_refused(written, why):
    with pytest.raises(click.BadParameter, match=why):
        wheres([written])


def test_conditions_on_one_dimension_stand_together():
    assert wheres(["score>=2", "score<9", "channel=email"]) == {
        "score": {"gte": 2, "lt": 9},
        "channel": {"eq": "email"},
    }


def test_two_values_in_two_conditions_are_refused_rather_than_never_met():
    with pytest.raises(click.BadParameter, match="channel=A,B"):
        wheres(["channel=email", "channel=direct"])


@given(st.lists(st.text(), min_size=1), st.sampled_from("'\""))
def test_any_text_in_quotes_is_that_text(values, mark):
    written = ",".join(mark + value.replace(mark, mark * 2) + mark for value in values)
    assert wheres([f"city in {written}"]) == {"city": {"in": values}}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("visits>=100", {"gte": 100}),
        ("rate<3%", {"lt": Decimal("0.03")}),
        ("rate = 2.5", {"eq": Decimal("2.5")}),
        ("rate between 1% and 2 %", {"between": [Decimal("0.01"), Decimal("0.02")]}),
        ("visits__previous_year_change!=NULL", {"ne": None}),
        ("visits in 1,2", {"in": [1, 2]}),
    ],
)
def test_a_column_of_the_answer_is_compared_with_numbers(written, meant):
    (read,) = havings([written]).values()
    assert read == meant


@pytest.mark.parametrize(
    "written", ["visits>=many", "visits='5'", "visits>5%%", "visits contains x", "visits>nan", "visits>1e5"]
)
def test_a_column_is_not_compared_with_a_text(written):
    with pytest.raises(click.BadParameter, match="with a number"):
        havings([written])
