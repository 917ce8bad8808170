"""The pages of an API, in every way that they are named."""

import pytest
from loopback import Reply
from reading import kinds, messages, rows, source

from kpi_engine.api import SourceError

RECORDS = [{"id": n} for n in range(1, 8)]


def page_of(asked, size=3):
    page = int(asked.query["page"])
    return {"items": RECORDS[(page - 1) * size : page * size], "meta": {"pages": 3}}


def offset_of(asked):
    start, size = int(asked.query["offset"]), int(asked.query["limit"])
    return {"items": RECORDS[start : start + size], "total": "7"}


def cursor_of(asked):
    start = int(asked.query.get("after", 0))
    following = str(start + 3) if start + 3 < len(RECORDS) else None
    return {"items": RECORDS[start : start + 3], "paging": {"next": {"after": following}}}


def json_link_of(asked):
    start = int(asked.query.get("from", 0))
    return {"items": RECORDS[start : start + 3], "next": f"/v1/contacts?from={start + 3}" if start < 6 else None}


def header_link_of(asked):
    start = int(asked.query.get("from", 0))
    link = f'<http://{asked.headers["host"]}/v1/contacts?from={start + 3}>; rel="next", <x>; rel="last"'
    return Reply({"items": RECORDS[start : start + 3]}, headers={"Link": link} if start < 6 else {})


KINDS = {
    "number": (page_of, {"type": "page_number", "base_page": 1}, 4),
    "number with a total": (page_of, {"type": "page_number", "base_page": 1, "total_path": "meta.pages"}, 3),
    "offset": (offset_of, {"type": "offset", "limit": 3}, 4),
    "offset with a total": (offset_of, {"type": "offset", "limit": 3, "total_path": "total"}, 3),
    "cursor": (cursor_of, {"type": "cursor", "cursor_path": "paging.next.after", "cursor_param": "after"}, 3),
    "link in the body": (json_link_of, {"type": "json_link"}, 3),
    "link in the header": (header_link_of, "header_link", 3),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_page_is_read_once(api, kind):
    api.answer, paginator, requests = KINDS[kind]
    assert rows(source(api, {"path": "contacts", "data_selector": "items", "paginator": paginator})) == RECORDS
    assert len(api.asked) == requests


def test_the_paginator_of_the_client_counts_where_a_stream_has_none(api):
    api.answer = cursor_of
    paginator = {"type": "cursor", "cursor_path": "paging.next.after", "cursor_param": "after"}
    assert rows(source(api, {"path": "contacts", "data_selector": "items"}, client={"paginator": paginator})) == RECORDS


def test_parameters_are_sent_with_every_page(api):
    api.answer = cursor_of
    paginator = {"type": "cursor", "cursor_path": "paging.next.after", "cursor_param": "after"}
    rows(
        source(
            api,
            {
                "path": "contacts",
                "params": {"size": 3, "archived": False},
                "data_selector": "items",
                "paginator": paginator,
            },
        )
    )
    assert [each.query for each in api.asked] == [
        {"size": "3", "archived": "false", **({"after": after} if after else {})} for after in ("", "3", "6")
    ]


def test_a_server_that_does_not_know_the_parameter_is_noticed(api):
    api.answer = lambda _: {"items": RECORDS}
    with pytest.raises(SourceError, match="the same page twice") as caught:
        rows(source(api, {"path": "contacts", "data_selector": "items", "paginator": "page_number"}))
    assert caught.value.code == "endless_paging"
    assert len(api.asked) == 2


def test_a_token_that_comes_again_is_noticed(api):
    api.answer = lambda _: {"items": [{"id": len(api.asked)}], "cursors": {"next": "same"}}
    with pytest.raises(SourceError, match="a second time") as caught:
        rows(source(api, {"path": "contacts", "data_selector": "items", "paginator": "cursor"}))
    assert caught.value.code == "endless_paging"


def test_no_more_pages_than_allowed_are_asked_for(api):
    api.answer = lambda _: {"items": [{"id": len(api.asked)}]}
    endpoint = {"path": "contacts", "data_selector": "items", "paginator": "page_number"}
    with pytest.raises(SourceError, match="would be page 6") as caught:
        rows(source(api, endpoint, more={"max_pages": 5}))
    assert caught.value.code == "endless_paging"
    assert len(api.asked) == 5


def test_a_next_page_on_another_server_is_refused(api, other):
    api.answer = lambda _: {"items": RECORDS, "next": other.url + "/v1/contacts"}
    with pytest.raises(SourceError, match="is on another server") as caught:
        rows(source(api, {"path": "contacts", "data_selector": "items", "paginator": "json_link"}))
    assert caught.value.code == "foreign_page"
    assert other.asked == []


@pytest.mark.parametrize("total", [None, "many", True, 1.5])
def test_a_total_that_is_none_is_an_error(api, total):
    api.answer = lambda _: {"items": RECORDS, "total": total}
    with pytest.raises(SourceError, match="no whole number at `total`") as caught:
        rows(
            source(
                api,
                {
                    "path": "x",
                    "data_selector": "items",
                    "paginator": {"type": "offset", "limit": 3, "total_path": "total"},
                },
            )
        )
    assert caught.value.code == "no_total"


def test_a_stream_that_is_whole_is_a_checkpoint(api):
    api.answer = cursor_of
    endpoint = {
        "path": "contacts", "data_selector": "items", "incremental": {"cursor_path": "id", "start_param": "since"},
        "paginator": {"type": "cursor", "cursor_path": "paging.next.after", "cursor_param": "after"},
    }  # fmt: skip
    assert kinds(messages(source(api, endpoint))) == ["Rows", "Rows", "Rows", "Checkpoint"]


def test_a_page_of_a_stream_in_order_is_a_checkpoint(api):
    api.answer = cursor_of
    endpoint = {
        "path": "contacts", "data_selector": "items", "incremental": {"cursor_path": "id", "start_param": "since"},
        "paginator": {"type": "cursor", "cursor_path": "paging.next.after", "cursor_param": "after"},
    }  # fmt: skip
    found = kinds(messages(source(api, endpoint, row_order="asc")))
    assert found == ["Rows", "Checkpoint", "Rows", "Checkpoint", "Rows", "Checkpoint", "Checkpoint"]


CAPPED = {"path": "contacts", "data_selector": "items", "paginator": {"type": "offset", "limit": 5}}


def capped(asked):
    """Give three records at most, whatever is asked for, as many APIs do."""
    start = int(asked.query["offset"])
    return {"items": RECORDS[start : start + 3], "total": 7}


@pytest.mark.parametrize("more", [{}, {"total_path": "total"}])
def test_an_api_that_gives_fewer_records_than_asked_for_loses_none(api, more):
    api.answer = capped
    endpoint = {**CAPPED, "paginator": {**CAPPED["paginator"], **more}}
    assert rows(source(api, endpoint, primary_key="id")) == RECORDS


@pytest.mark.parametrize("more", [{}, {"total_path": "total"}])
def test_records_without_a_key_that_would_be_missed_are_an_error(api, more):
    api.answer = capped
    endpoint = {**CAPPED, "paginator": {**CAPPED["paginator"], **more}}
    with pytest.raises(SourceError, match="3 records where 5 were asked for") as caught:
        rows(source(api, endpoint))
    assert caught.value.code == "short_page"
    assert "`limit` of the paginator to 3" in caught.value.hint


ORDERED = {
    "path": "contacts", "data_selector": "items", "incremental": {"cursor_path": "at", "start_param": "since"},
    "paginator": {"type": "cursor", "cursor_path": "next"},
}  # fmt: skip


def in_pages(times):
    def answer(asked):
        n = int(asked.query.get("cursor", 0))
        return {"items": [{"at": at} for at in times[n]], "next": str(n + 1) if n + 1 < len(times) else None}

    return answer


@pytest.mark.parametrize("pages", [
    [["2026-01-03T00:00:00Z"], ["2026-01-02T00:00:00Z"]],
    [["2026-01-02T23:00:00Z"], ["2026-01-03T00:00:00+02:00"]],
    [["2026-01-03T00:00:00Z"], [None], ["2026-01-02T00:00:00Z"]],
])  # fmt: skip
def test_records_that_are_not_in_the_order_that_is_declared_are_an_error(api, pages):
    """Where a sync is cut, the next one would ask from the newest record on, and never for the older ones."""
    api.answer = in_pages(pages)
    with pytest.raises(SourceError, match="older than those of the page before") as caught:
        rows(source(api, ORDERED, columns={"at": "timestamptz"}, row_order="asc"))
    assert caught.value.code == "unordered_records"


def test_records_of_one_page_and_of_one_time_may_come_in_any_order(api):
    api.answer = in_pages([["2026-01-03T00:00:00Z", "2026-01-01T00:00:00Z"], ["2026-01-03T00:00:00Z", None]])
    assert len(rows(source(api, ORDERED, columns={"at": "timestamptz"}, row_order="asc"))) == 4
