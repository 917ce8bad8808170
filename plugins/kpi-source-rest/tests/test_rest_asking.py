"""What is asked of an API: who asks, since when, and what its answers become."""

from datetime import UTC, date, datetime, timedelta

import pytest
from kpi_source_rest.source import RestSource
from loopback import Reply
from pydantic import ValidationError
from reading import FakeClock, plain, rows, source

from kpi_engine.api import Checkpoint, SourceError, Wanted

OK = [{"id": 1}]
AUTHS = {
    "bearer": ({"type": "bearer", "token": "abc"}, {"authorization": "Bearer abc"}),
    "basic": (
        {"type": "http_basic", "username": "ann", "password": "pässword"},
        {"authorization": "Basic YW5uOnDDpHNzd29yZA=="},
    ),
    "header": ({"type": "api_key", "name": "X-Key", "api_key": "abc"}, {"x-key": "abc"}),
}


@pytest.mark.parametrize("kind", AUTHS)
def test_who_asks_is_said(api, kind):
    auth, headers = AUTHS[kind]
    api.answer = lambda _: OK
    assert rows(source(api, "contacts", client={"auth": auth})) == OK
    assert headers.items() <= api.asked[0].headers.items()


OAUTH = {"type": "oauth2_client_credentials", "client_id": "me", "client_secret": "hush hush"}


def test_a_token_is_asked_for_once(api, other):
    other.answer = lambda _: {"access_token": "t1", "expires_in": 3600}
    api.answer = lambda asked: {"items": [] if asked.query["page"] == "2" else [{"id": asked.query["page"]}]}
    auth = {**OAUTH, "access_token_url": other.url + "/token", "access_token_request_data": {"scope": "read"}}
    endpoint = {"path": "contacts", "data_selector": "items", "paginator": "page_number"}
    assert rows(source(api, endpoint, client={"auth": auth})) == [{"id": "0"}, {"id": "1"}]
    assert {each.headers["authorization"] for each in api.asked} == {"Bearer t1"}
    assert [each.body for each in other.asked] == [
        b"grant_type=client_credentials&client_id=me&client_secret=hush+hush&scope=read"
    ]


def test_a_token_that_is_over_is_asked_for_again(api, other):
    other.answer = lambda _: {"access_token": f"t{len(other.asked)}"}
    api.answer = lambda asked: OK if asked.headers["authorization"] == "Bearer t2" else Reply(status=401)
    assert rows(source(api, "contacts", client={"auth": {**OAUTH, "access_token_url": other.url}})) == OK


def test_a_token_that_is_refused_is_told(api, other):
    other.answer = lambda _: Reply({"error_description": "no client: hush hush"}, status=400)
    with pytest.raises(SourceError, match="gave no token: 400 no client: •••") as caught:
        rows(source(api, "contacts", client={"auth": {**OAUTH, "access_token_url": other.url}}))
    assert caught.value.code == "not_authorised"
    assert api.asked == []


def test_a_redirect_within_the_server_keeps_who_asks(api):
    api.answer = lambda asked: OK if asked.path == "/there" else Reply(status=301, headers={"Location": "/there"})
    assert rows(source(api, "contacts", client={"auth": AUTHS["bearer"][0]})) == OK
    assert api.asked[1].headers["authorization"] == "Bearer abc"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_another_server_does_not_say_who_asks(api, other, status):
    api.answer = lambda _: Reply(status=status, headers={"Location": other.url + "/back"})
    other.answer = lambda _: OK
    client = {"auth": AUTHS["header"][0], "headers": {"X-Tenant": "acme"}}
    assert rows(source(api, {"path": "contacts", "method": "POST", "json": {"q": "x"}}, client=client)) == OK
    assert api.asked[0].headers["x-tenant"] == "acme"
    assert not {"x-key", "x-tenant", "authorization"} & other.asked[0].headers.keys()
    assert other.asked[0].body == b""


def test_a_search_may_be_posted(api):
    api.answer = lambda _: OK
    assert rows(source(api, {"path": "search", "method": "POST", "json": {"filter": {"stage": "mql"}}})) == OK
    assert api.asked[0].body == b'{"filter": {"stage": "mql"}}'


INCREMENTAL = {"path": "contacts", "incremental": {"cursor_path": "properties.changed", "start_param": "since"}}


def test_a_stream_knows_its_key_its_cursor_and_its_lookback(api):
    made = source(
        api, INCREMENTAL, primary_key="id", lookback="3 days", columns={"properties.changed": "timestamptz", "amount": "decimal(18,2)"}
    ).streams()[0]  # fmt: skip
    assert (made.key, made.cursor, made.lookback) == (("id",), "properties__changed", timedelta(days=3))
    assert made.columns == {"properties__changed": "timestamptz", "amount": "decimal(18,2)"}


TYPED = {"properties.changed": "timestamptz"}
RECORD = {"id": 1, "properties": {"changed": "2026-02-25T08:00:00Z"}}


def test_the_first_run_asks_for_all_and_the_second_since_the_cursor(api):
    api.answer = lambda _: [RECORD]
    rows(source(api, INCREMENTAL, columns=TYPED))
    rows(source(api, INCREMENTAL, columns=TYPED), datetime(2026, 2, 22, 9, tzinfo=UTC))
    assert [each.query for each in api.asked] == [{}, {"since": "2026-02-22T09:00:00Z"}]


def test_a_cursor_of_texts_needs_a_type(api):
    api.answer = lambda _: [RECORD]
    with pytest.raises(SourceError, match="which one is the newest is not known") as caught:
        rows(source(api, INCREMENTAL))
    assert caught.value.code == "untyped_cursor"
    assert rows(source(api, INCREMENTAL, columns={"properties.changed": "varchar"}))
    api.answer = lambda _: [{"properties": {"changed": 7}}]
    assert rows(source(api, INCREMENTAL)) == [{"properties__changed": 7}]


@pytest.mark.parametrize(
    ("format_", "since", "asked"),
    [
        ("iso", date(2026, 2, 22), "2026-02-22"),
        ("iso", datetime(2026, 2, 22, 9), "2026-02-22T09:00:00"),  # noqa: DTZ001
        ("iso", 41, "41"),
        ("iso", "abc", "abc"),
        ("date", datetime(2026, 2, 22, 9, tzinfo=UTC), "2026-02-21"),  # which it still is in Honolulu
        ("date", datetime(2026, 2, 22, 13, tzinfo=UTC), "2026-02-22"),
        ("%Y%m%d", datetime(2026, 2, 22, 2, tzinfo=UTC), "20260221"),
        ("%Y%m%d%H", datetime(2026, 2, 22, 2, tzinfo=UTC), "2026022202"),
        ("epoch", datetime(2026, 2, 22, 9, 0, 0, 900_000, tzinfo=UTC), "1771750800"),
        ("epoch_ms", datetime(2026, 2, 22, 9, 0, 0, 900_000, tzinfo=UTC), "1771750800900"),
        ("epoch", date(2026, 2, 22), "1771718400"),
        ("%Y%m%d", date(2026, 2, 22), "20260222"),
    ],
)
def test_a_time_is_written_as_the_api_wants_it(api, format_, since, asked):
    api.answer = lambda _: [RECORD]
    rows(
        source(api, {**INCREMENTAL, "incremental": {**INCREMENTAL["incremental"], "format": format_}}, columns=TYPED),
        since,
    )
    assert api.asked[0].query == {"since": asked}


def test_the_start_may_stand_within_a_parameter(api):
    api.answer = lambda _: [RECORD]
    endpoint = {
        "path": "contacts", "params": {"filter": "changed ge {incremental.start_value}"},
        "incremental": {"cursor_path": "properties.changed", "initial_value": "2020-01-01"},
    }  # fmt: skip
    rows(source(api, endpoint, columns=TYPED))
    rows(source(api, endpoint, columns=TYPED), date(2026, 2, 22))
    assert [each.query["filter"] for each in api.asked] == ["changed ge 2020-01-01", "changed ge 2026-02-22"]


def test_values_keep_their_digits(api):
    raw = b'[{"id": 9007199254740993, "amount": 0.10, "rate": 1.5, "tags": ["a", 0.10], "ok": true, "none": null, "huge": 99999999999999999999}]'
    api.answer = lambda _: Reply(raw=raw)
    assert rows(source(api, "contacts", columns={"amount": "decimal(18,2)"})) == [
        {
            "id": 9007199254740993,
            "amount": "0.10",
            "rate": 1.5,
            "tags": '["a", 0.10]',
            "ok": True,
            "huge": "99999999999999999999",
        }
    ]


def test_a_null_in_place_of_records_is_none(api):
    api.answer = lambda _: {"items": None}
    assert rows(source(api, {"path": "contacts", "data_selector": "items"})) == []


def test_a_checkpoint_of_one_stream_comes_before_the_next(api):
    api.answer = lambda asked: OK if asked.path.endswith("contacts") else Reply(status=404)
    made = source(
        api,
        "contacts",
        more={"resources": [{"name": "contacts", "endpoint": "contacts"}, {"name": "deals", "endpoint": "deals"}]},
    )
    reading = made.read([Wanted(each) for each in made.streams()], None)
    assert plain(next(reading).data) == OK
    assert isinstance(next(reading), Checkpoint)
    with pytest.raises(SourceError, match="`deals`"):
        next(reading)


BAD = {
    "no resources": ({"resources": []}, "at least 1 item"),
    "two of one name": ({"resources": [{"name": "a", "endpoint": "x"}, {"name": "A", "endpoint": "y"}]}, "two of them"),
    "no address": ({"client": {"base_url": "api.example.com"}}, "must be an address"),
    "a password in the address": ({"client": {"base_url": "https://ann:pw@api.example.com"}}, "belong into `auth`"),
    "an unknown kind of auth": ({"client": {"base_url": "https://a.example", "auth": {"type": "magic"}}}, "'bearer'"),
    "an unknown paginator": ({"client": {"base_url": "https://a.example", "paginator": "scroll"}}, "'json_link'"),
    "an unknown key": ({"resources": [{"name": "a", "endpoint": {"path": "x", "parms": {}}}]}, "Extra inputs"),
    "a lookback that is none": ({"resources": [{"name": "a", "endpoint": "x", "lookback": "soon"}]}, "a span of time"),
    "a lookback without a cursor": ({"resources": [{"name": "a", "endpoint": "x", "lookback": "3 days"}]}, "needs `endpoint.incremental`"),
    "merging without a key": ({"resources": [{"name": "a", "endpoint": "x", "write_disposition": "merge"}]}, "needs `primary_key`"),
    "appending everything": ({"resources": [{"name": "a", "endpoint": "x", "write_disposition": "append"}]}, "again"),
    "a start that is asked nowhere": (
        {"resources": [{"name": "a", "endpoint": {"path": "x", "incremental": {"cursor_path": "at"}}}]}, "needs `start_param`",
    ),
    "replacing by the newest": (
        {"resources": [{"name": "a", "write_disposition": "replace", "endpoint": INCREMENTAL}]}, "wants all records",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_settings_that_cannot_be_meant_are_refused(case):
    settings, said = BAD[case]
    whole = {"client": {"base_url": "https://a.example"}, "resources": [{"name": "a", "endpoint": "x"}], **settings}
    with pytest.raises(ValidationError) as caught:
        RestSource.Config.model_validate(whole)
    assert said in str(caught.value)


def test_nothing_is_sent_before_rows_are_wanted(api):
    made = source(api, "contacts", clock=FakeClock())
    assert [each.name for each in made.streams()] == ["contacts"]
    assert api.asked == []
