"""What goes wrong with an API: what passes is tried again, what stays is told, and no secret is said."""

import gzip
import socket
from contextlib import suppress
from threading import Event, Thread
from types import SimpleNamespace

import pytest
from kpi_source_rest.waiting import Clock
from loopback import Reply
from reading import FakeClock, messages, notices, rows, source

from kpi_engine.api import SourceError

OK = [{"id": 1}]
SECRET = "s3cr3t/te+st"  # noqa: S105


def failing(made):
    with pytest.raises(SourceError) as caught:
        rows(made)
    text = f"{caught.value} {caught.value.message} {caught.value.hint}"
    assert "`crm`" in text
    assert "`contacts`" in text
    assert SECRET not in text
    assert "s3cr3t" not in text
    return caught.value


def test_429_waits_as_long_as_the_server_asks(api):
    clock = FakeClock()
    api.answer = [Reply(status=429, headers={"Retry-After": "7"}), OK]
    found = messages(source(api, "contacts", clock=clock))
    assert clock.waits == [pytest.approx(7.375)]
    assert notices(found) == ["`contacts`: 1 request was repeated (429 ×1), after 7.4 s of waiting"]


def test_retry_after_may_be_a_date(api):
    clock = FakeClock()
    api.answer = [Reply(status=503, headers={"Retry-After": "Thu, 01 Jan 2026 00:00:20 GMT"}), OK]
    assert rows(source(api, "contacts", clock=clock)) == OK
    assert clock.waits == [pytest.approx(20.375)]


def test_a_wait_longer_than_allowed_is_not_begun(api):
    clock = FakeClock()
    api.answer = [Reply(status=429, headers={"Retry-After": "3600"})]
    error = failing(source(api, "contacts", clock=clock))
    assert (error.code, clock.waits) == ("unreachable_api", [])
    assert "3600 s" in error.hint


def test_500_twice_then_well(api):
    clock = FakeClock()
    api.answer = [Reply(status=500), Reply(status=500), OK]
    found = messages(source(api, "contacts", clock=clock))
    assert clock.waits == [pytest.approx(0.375), pytest.approx(0.75)]
    assert "2 requests were repeated (500 ×2)" in notices(found)[0]


def test_waits_double_and_tries_end(api):
    clock = FakeClock()
    api.answer = lambda _: Reply({"error": {"message": "down"}}, status=502)
    error = failing(source(api, "contacts", clock=clock))
    assert len(api.asked) == 5
    assert clock.waits == [pytest.approx(0.375 * 2**n) for n in range(4)]
    assert "answered 502: down (5 tries in 6 s)" in error.message


def test_tries_end_by_time_too(api):
    clock = FakeClock()
    api.answer = lambda _: Reply(status=503)
    failing(source(api, "contacts", clock=clock, more={"retries": {"tries": 20, "seconds": 10}}))
    assert clock.passed <= 10


@pytest.mark.parametrize("broken", [{"cut": True}, {"reset": True}])
def test_a_connection_that_is_lost_is_made_again(api, broken):
    api.answer = [Reply(OK, **broken), OK]
    found = messages(source(api, "contacts"))
    assert "connection lost ×1" in notices(found)[0]
    assert len(api.asked) == 2


def test_a_server_that_hangs_is_given_up(api):
    api.answer = lambda _: Reply(hang=True)
    error = failing(source(api, "contacts", more={"timeouts": {"read": 0.1}, "retries": {"tries": 2}}))
    assert "gave no answer in time (2 tries" in error.message
    assert len(api.asked) == 2


def test_a_server_that_is_not_there_is_told(api):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    clock = FakeClock()
    error = failing(source(api, "contacts", clock=clock, client={"base_url": f"http://127.0.0.1:{port}"}))
    assert error.code == "unreachable_api"
    assert "cannot be reached: Connection refused (5 tries" in error.message


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "refused_request"),
        (401, "not_authorised"),
        (403, "not_authorised"),
        (404, "no_such_endpoint"),
        (422, "refused_request"),
    ],
)
def test_what_the_server_refuses_is_not_tried_again(api, status, code):
    api.answer = lambda _: Reply({"message": f"bad token {SECRET}"}, status=status)
    clock = FakeClock()
    error = failing(source(api, "contacts", clock=clock, client={"auth": {"type": "bearer", "token": SECRET}}))
    assert error.code == code
    assert f"{api.url}/v1/contacts answered {status}: bad token •••" in error.message
    assert (len(api.asked), clock.waits) == (1, [])


def test_malformed_json_is_told(api):
    api.answer = lambda _: Reply(raw=b'[{"id": 1}, {"id"')
    error = failing(source(api, "contacts"))
    assert error.code == "not_json"
    assert "JSON that is damaged" in error.message


@pytest.mark.parametrize("body", [b'[{"id": NaN}]', b'[{"id": ' + b"9" * 5000 + b"}]", b"[" * 100_000, b""])
def test_what_is_nearly_json_is_refused(api, body):
    api.answer = lambda _: Reply(raw=body)
    assert failing(source(api, "contacts")).code == "not_json"


def test_a_page_for_people_is_told(api):
    api.answer = lambda _: Reply(raw=b"<html>Log in</html>", headers={"Content-Type": "text/html; charset=utf-8"})
    error = failing(source(api, "contacts"))
    assert error.code == "not_json"
    assert "answered with text/html instead of JSON" in error.message


def test_a_compressed_answer_is_read(api):
    api.answer = lambda _: Reply(raw=gzip.compress(b'[{"id": 1}]'), headers={"Content-Encoding": "gzip"})
    assert rows(source(api, "contacts")) == OK


@pytest.mark.parametrize(
    ("value", "selector", "said"),
    [
        ({"results": []}, "", "gave no list of records"),
        ({"results": []}, "data.items", "gave no records at `data.items`"),
        ([1, 2], "", "records that are no objects"),
        ("text", "", "records that are no objects"),
    ],
)
def test_records_that_are_not_there_are_told(api, value, selector, said):
    api.answer = lambda _: value
    error = failing(source(api, {"path": "contacts", "data_selector": selector}))
    assert error.code == "no_records"
    assert said in error.message
    assert ("`results`" in error.hint) == isinstance(value, dict)


def test_a_key_that_no_record_has_is_told(api):
    api.answer = lambda _: [{"ID": 1}]
    assert failing(source(api, "contacts", primary_key="id")).code == "no_such_field"


@pytest.mark.parametrize("record", [{"a": {"b": 1}, "a__b": 2}, {"id": 1, "ID": 2}])
def test_two_fields_of_one_column_are_told(api, record):
    api.answer = lambda _: [record]
    assert failing(source(api, "contacts")).code == "ambiguous_columns"


def test_redirects_without_end_are_told(api):
    api.answer = lambda _: Reply(status=302, headers={"Location": "/v1/contacts"})
    assert failing(source(api, "contacts")).code == "endless_redirect"
    assert len(api.asked) == 6


def test_a_line_break_in_a_secret_is_told_and_not_said(api):
    error = failing(source(api, "contacts", client={"auth": {"type": "bearer", "token": SECRET + "\nx"}}))
    assert error.code == "bad_address"
    assert api.asked == []


def test_a_secret_in_the_address_is_not_said(api):
    api.answer = lambda _: Reply(status=400)
    auth = {"type": "api_key", "name": "q", "api_key": SECRET, "location": "query"}
    error = failing(source(api, "contacts", client={"auth": auth}))
    assert "?q=•••" in error.message
    assert api.asked[0].query == {"q": SECRET}


def test_a_token_in_a_link_of_the_api_is_not_said(api):
    api.answer = lambda asked: Reply(
        {"items": OK, "next": "/v1/contacts?page=2&access_token=s3cr3t"}, status=400 if asked.query else 200
    )
    error = failing(source(api, {"path": "contacts", "data_selector": "items", "paginator": "json_link"}))
    assert "page=2&access_token=•••" in error.message


def test_an_answer_that_drips_is_given_up_after_its_time():
    """One byte now and then keeps a connection alive for ever, and is no answer."""
    over = Event()

    def drip(server):
        connection, _ = server.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n")
            with suppress(OSError):
                for _ in range(200):
                    if not over.wait(0.02):
                        connection.sendall(b" ")

    with socket.create_server(("127.0.0.1", 0)) as server:
        api = SimpleNamespace(url=f"http://127.0.0.1:{server.getsockname()[1]}")
        thread = Thread(target=drip, args=(server,))
        thread.start()
        more = {"timeouts": {"connect": 5, "read": 5, "total": 0.2}, "retries": {"tries": 1}}
        try:
            error = failing(source(api, "contacts", clock=Clock(), more=more))
        finally:
            over.set()
            thread.join()
    assert (error.code, "gave no whole answer in time" in error.message) == ("unreachable_api", True)


@pytest.mark.parametrize("value", ["0", "Wed, 21 Oct 2015 07:28:00 GMT"])
def test_a_server_that_asks_to_come_back_at_once_is_given_time_all_the_same(api, value):
    busy = Reply({}, 429, {"Retry-After": value})
    api.answer, clock = [busy, busy, busy, OK], FakeClock()
    assert rows(source(api, "contacts", clock=clock)) == OK
    assert clock.waits == [0.0, 0.75, 1.5]


@pytest.mark.parametrize("errors", [{"errors": [{"message": "quota exceeded"}]}, {"error": "quota exceeded"}])
def test_errors_in_place_of_records_are_no_empty_page(api, errors):
    api.answer = [{"data": None, **errors}]
    error = failing(source(api, {"path": "contacts", "data_selector": "data"}))
    assert (error.code, "quota exceeded" in error.message) == ("no_records", True)
    api.asked.clear()
    api.answer = [{"data": None}]
    assert rows(source(api, {"path": "contacts", "data_selector": "data"})) == []


def test_half_a_character_is_kept_as_the_sign_for_an_unknown_one(api):
    api.answer = [Reply(raw=b'[{"id": 1, "name": "cut \\ud83d", "tags": ["\\ude00"], "face": "\\ud83d\\ude00"}]')]
    assert rows(source(api, "contacts")) == [
        {"id": 1, "name": "cut \ufffd", "tags": '["\ufffd"]', "face": "\U0001f600"}
    ]
