"""The source `rest`: APIs that answer JSON, described in `kpi.yaml`."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, ClassVar

from kpi_engine.api import Checkpoint, Notice, Rows, SourceError, Stream, nearest
from kpi_source_rest.addresses import followed, joined, origin, with_params
from kpi_source_rest.asking import params_of
from kpi_source_rest.paging import GapError, Got, Page, first, following
from kpi_source_rest.records import ABSENT, arrow, column_name, flat, found, kind_of, parsed, place
from kpi_source_rest.settings import RestSettings
from kpi_source_rest.waiting import Clock, Patience

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pydantic import BaseModel

    from kpi_engine.api import Message, SourceContext, Wanted
    from kpi_source_rest.credentials import Credentials
    from kpi_source_rest.http import Answer, Transport
    from kpi_source_rest.settings import Resource

_REFUSED = {
    401: ("not_authorised", "check `auth`: the API does not know who asks"),
    403: ("not_authorised", "check `auth`: who asks may not read this"),
    404: ("no_such_endpoint", "check `base_url` and the `path` of the stream"),
    410: ("no_such_endpoint", "check `base_url` and the `path` of the stream"),
}
_REPEATING = (
    "it would never end: check `paginator`, the names of its parameters, and the number that its first page has"
)


class RestSource:
    """The records of a REST API. Nothing is sent before rows are wanted."""

    name: ClassVar[str] = "rest"
    Config: ClassVar[type[BaseModel]] = RestSettings

    def __init__(self, config: RestSettings, context: SourceContext, clock: Clock | None = None) -> None:
        self._config, self._about = config, context.name
        self._clock = clock or Clock()

    def streams(self) -> Sequence[Stream]:
        """List the resources of the settings."""
        return [_stream(each) for each in self._config.resources]

    def read(self, wanted: Sequence[Wanted], state: Any) -> Iterator[Message]:  # noqa: ANN401, ARG002 - `since` is enough
        """Give the records page by page; a stream that is whole is a checkpoint, and so is a page of one that is in order."""
        from kpi_source_rest.credentials import Credentials
        from kpi_source_rest.http import Transport

        secrets: set[str] = set()
        patience = Patience(self._config.retries, self._clock)
        resources = {each.name: each for each in self._config.resources}
        transport = Transport(self._config.timeouts, patience, secrets)
        try:
            credentials = Credentials(self._config.client.auth, secrets)
            for each in wanted:
                resource = resources.get(each.stream.name)
                if resource is None:
                    raise self._unknown(each.stream.name, resources)
                reading = _Reading(self._config, resource, each, transport, credentials, self._about)
                try:
                    yield from reading.messages()
                finally:
                    repeated = patience.told()
                if repeated:
                    yield Notice(f"`{resource.name}`: {repeated}")
                yield Checkpoint()
        finally:
            transport.close()

    def _unknown(self, name: str, known: Iterable[str]) -> SourceError:
        message = f"the source `{self._about}` has no stream `{name}`"
        return SourceError(message, code="unknown_stream", hint=nearest(name, known))


class _Reading:
    """The reading of one stream."""

    def __init__(
        self, config: RestSettings, resource: Resource, wanted: Wanted, transport: Transport, credentials: Credentials, source: str
    ) -> None:  # fmt: skip
        self._config, self._resource, self._endpoint = config, resource, resource.endpoint
        self._columns = {**_stream(resource).columns, **wanted.stream.columns}
        self._transport, self._credentials = transport, credentials
        self._since = wanted.since
        self._newest: Any = None
        self._where = f"the stream `{resource.name}` of the source `{source}`"
        self._base = joined(config.client.base_url, resource.endpoint.path)

    def messages(self) -> Iterator[Message]:
        paginator = self._endpoint.paginator or self._config.client.paginator
        page: Page | None = first(paginator)
        asked: set[tuple[str, str]] = set()
        before = b""
        count = 0
        while page is not None:
            count += 1
            url = self._url(page)
            self._guard(url, page, asked, count)
            answer = self._answer(url)
            value = self._value(answer)
            records = self._records(value, answer)
            digest = hashlib.sha256(answer.body).digest() if records else b""
            if digest and digest == before:
                raise self._error("endless_paging", answer.url, "gave the same page twice", _REPEATING)
            before = digest
            if records:
                yield Rows(self._resource.name, self._table(records, answer))
            if records and self._resource.row_order:
                yield Checkpoint()
            got = Got(value, len(records), answer.headers.get("link", ""), bool(self._resource.primary_key))
            try:
                page = following(paginator, page, got)
            except GapError as error:
                raise self._error(
                    "short_page", answer.url, f"gave {error.records} records where {error.limit} were asked for, and has more",
                    f"set `limit` of the paginator to {error.records}, which is perhaps the most that it gives; "
                    "with a `primary_key` records are asked for from the last one on",
                ) from None  # fmt: skip
            except LookupError as error:
                raise self._error(
                    "no_total", answer.url, f"gave no whole number at `{error.args[0]}`", "correct `total_path` of the paginator"
                ) from None  # fmt: skip
            if page is not None and page.url:
                page = Page(url=followed(answer.url, page.url))
                self._transport.learn(page.url)

    def _url(self, page: Page) -> str:
        """Give the address of a page, without what is secret in it."""
        if page.url:
            return page.url
        params = params_of(self._endpoint.params, self._endpoint.incremental, self._since)
        names = {name for name, _ in page.params}
        return with_params(self._base, [*(pair for pair in params if pair[0] not in names), *page.params])

    def _guard(self, url: str, page: Page, asked: set[tuple[str, str]], count: int) -> None:
        """Notice pages without end, and a next page that is none of this API's."""
        if page.url and origin(url) != origin(self._base):
            raise self._error(
                "foreign_page", url, "is named as the next page, and is on another server",
                "only the server of `base_url` is asked; correct `paginator`, or ask the one who runs the API",
            )  # fmt: skip
        key = url, repr(page.params)
        if key in asked:
            raise self._error("endless_paging", url, "is named as the next page a second time", _REPEATING)
        asked.add(key)
        if count > self._config.max_pages:
            raise self._error(
                "endless_paging", url, f"would be page {count}", f"raise `max_pages`, which is {self._config.max_pages}, if so many are right"
            )  # fmt: skip

    def _answer(self, url: str) -> Answer:
        answer = self._sent(url)
        if answer.status == 401 and self._credentials.renews:  # noqa: PLR2004
            self._credentials.forget()
            answer = self._sent(url)
        if 200 <= answer.status < 300:  # noqa: PLR2004
            return answer
        code, hint = _REFUSED.get(
            answer.status, ("refused_request", "check `path`, `params` and `headers` of the stream")
        )
        said = self._transport.said(answer)
        raise self._error(code, answer.url, f"answered {answer.status}" + (f": {said}" if said else ""), hint)

    def _sent(self, url: str) -> Answer:
        from kpi_source_rest.http import Request

        credentials = self._credentials.headers(self._transport, self._where)
        private = {**self._config.client.headers, **credentials}
        headers = {"Accept": "application/json", "Accept-Encoding": "gzip, deflate", "User-Agent": "kpi-source-rest"}
        body = None
        if self._endpoint.method == "POST":
            body = json.dumps({**(self._endpoint.json_ or {})}).encode()
            headers["Content-Type"] = "application/json"
        if key := self._credentials.params():
            url = with_params(url, key)
        return self._transport.send(Request(url, self._endpoint.method, headers, private, body), self._where)

    def _value(self, answer: Answer) -> Any:  # noqa: ANN401 - JSON
        if answer.status == 204 and not answer.body:  # noqa: PLR2004
            return []
        try:
            return parsed(answer.body)
        except ValueError as error:
            kind = answer.headers.get("content-type", "").partition(";")[0].strip()
            if "json" not in kind and kind:
                said = f"answered with {kind} instead of JSON"
                hint = "check `base_url` and `path`: this looks like a page for people"
            else:
                said, hint = (
                    f"answered with JSON that is damaged: {error}",
                    "try again; if it stays so, tell the one who runs the API",
                )
            raise self._error("not_json", answer.url, said, hint) from None

    def _records(self, value: Any, answer: Answer) -> list[dict[str, Any]]:  # noqa: ANN401
        path = self._endpoint.data_selector
        records = found(value, path)
        if not path and isinstance(records, dict):
            records = ABSENT
        if records is ABSENT:
            lists = (
                [f"`{name}`" for name, each in value.items() if isinstance(each, list)]
                if isinstance(value, dict)
                else []
            )
            hint = "say in `data_selector` where the records stand" + (
                f": {', '.join(lists)} is a list" if len(lists) == 1 else ""
            )
            said = f"gave no records at `{path}`" if path else "gave no list of records"
            raise self._error("no_records", answer.url, said, hint)
        if records is None:
            self._refuse_errors(value, answer)
            return []
        listed = records if isinstance(records, list) else [records]
        if not all(isinstance(each, dict) for each in listed):
            raise self._error("no_records", answer.url, "gave records that are no objects", "correct `data_selector`")
        return listed

    def _refuse_errors(self, value: Any, answer: Answer) -> None:  # noqa: ANN401
        """Refuse an answer that has errors in place of records: it says nothing of what there is."""
        named = [name for name in ("errors", "error") if isinstance(value, dict) and value.get(name)]
        if named:
            said = self._transport.said(answer)
            raise self._error(
                "no_records", answer.url, f"gave `{named[0]}` and no records" + (f": {said}" if said else ""),
                "the API failed, though it says that it did not: try again, and see what its manual says of this",
            )  # fmt: skip

    def _table(self, records: list[dict[str, Any]], answer: Answer) -> Any:  # noqa: ANN401 - Arrow
        try:
            rows = [flat(each) for each in records]
        except ValueError as error:
            raise self._error(
                "ambiguous_columns",
                answer.url,
                f"gave a record in which `{error}` would be two columns",
                "leave one of them out",
            ) from None
        asks = self._endpoint.incremental
        needed = [*self._resource.primary_key, *([asks.cursor_path] if asks else [])]
        for path in needed:
            if not any(column_name(path) in row for row in rows):
                raise self._error(
                    "no_such_field", answer.url, f"gave records without `{path}`", "correct `primary_key` and `cursor_path`"
                )  # fmt: skip
        cursor = column_name(asks.cursor_path) if asks else ""
        if cursor and cursor not in self._columns and kind_of([row.get(cursor) for row in rows]) == "VARCHAR":
            raise self._error(
                "untyped_cursor", answer.url, f"gave texts at `{asks.cursor_path if asks else ''}`, and which one is the newest is not known",
                f"declare its type: `columns: {{{cursor}: timestamptz}}`, `date`, or `varchar` where the order of texts is right",
            )  # fmt: skip
        if self._resource.row_order:
            self._check_order([row[cursor] for row in rows if row.get(cursor) is not None], answer)
        return arrow(rows, self._columns)

    def _check_order(self, values: Sequence[Any], answer: Answer) -> None:
        """Refuse a page with older records than the page before: where a sync is cut between them, they would never be asked for."""
        places = [place(value) for value in values]
        if not places:
            return
        try:
            is_older = self._newest is not None and min(places) < self._newest
            self._newest = max(places) if self._newest is None else max(self._newest, *places)
        except TypeError:
            is_older = True
        if is_older:
            raise self._error(
                "unordered_records", answer.url, "gave records that are older than those of the page before",
                "ask the API for the order of the cursor, or leave out `row_order`",
            )  # fmt: skip

    def _error(self, code: str, url: str, said: str, hint: str) -> SourceError:
        return SourceError(f"{self._where}: {self._transport.address(url)} {said}", code=code, hint=hint)


def _stream(resource: Resource) -> Stream:
    asks = resource.endpoint.incremental
    return Stream(
        resource.name,
        {column_name(name): kind for name, kind in resource.columns.items()},
        tuple(column_name(path) for path in resource.primary_key),
        column_name(asks.cursor_path) if asks else "",
        resource.lookback,
        resource.write_disposition or "",
    )
