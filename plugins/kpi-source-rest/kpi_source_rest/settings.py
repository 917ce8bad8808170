"""The settings of the source `rest`; keys are named as in dlt's `rest_api`, so that whoever knows that one knows this one."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, field_validator, model_validator

Scalar = str | int | float | bool
_UNITS = {"minute": 60, "hour": 3_600, "day": 86_400, "week": 604_800}
_SPAN = re.compile(r"(\d+) *(minute|hour|day|week)s?")


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class BearerAuth(_Model):
    """A token in the header `Authorization`."""

    type: Literal["bearer"]
    token: SecretStr


class BasicAuth(_Model):
    """A user and a password."""

    type: Literal["http_basic"]
    username: str
    password: SecretStr


class ApiKeyAuth(_Model):
    """A key in a header or in the address."""

    type: Literal["api_key"]
    name: str = Field(default="Authorization", min_length=1)
    api_key: SecretStr
    location: Literal["header", "query"] = "header"


class OAuthAuth(_Model):
    """A token that is asked for with the client's id and secret, and asked for again when it is over."""

    type: Literal["oauth2_client_credentials"]
    access_token_url: str
    client_id: str
    client_secret: SecretStr
    access_token_request_data: dict[str, str] = {}

    @field_validator("access_token_url")
    @classmethod
    def _is_address(cls, value: str) -> str:
        return _address(value)


class SinglePage(_Model):
    """All there is in one answer."""

    type: Literal["single_page"] = "single_page"


class PageNumber(_Model):
    """Pages by number, until one is empty or the last one is reached."""

    type: Literal["page_number"]
    base_page: int = 0
    page_param: str = "page"
    total_path: str = ""
    maximum_page: int | None = None


class Offset(_Model):
    """Pages by the number of records before them, until one is empty or the total is reached."""

    type: Literal["offset"]
    limit: int = Field(gt=0)
    offset: int = Field(default=0, ge=0)
    offset_param: str = "offset"
    limit_param: str = "limit"
    total_path: str = ""
    maximum_offset: int | None = None


class Cursor(_Model):
    """A token in the answer that asks for the next page."""

    type: Literal["cursor"]
    cursor_path: str = "cursors.next"
    cursor_param: str = "cursor"


class JsonLink(_Model):
    """The address of the next page in the answer."""

    type: Literal["json_link"]
    next_url_path: str = "next"


class HeaderLink(_Model):
    """The address of the next page in the header `Link`."""

    type: Literal["header_link"]
    links_next_key: str = "next"


Auth = Annotated[BearerAuth | BasicAuth | ApiKeyAuth | OAuthAuth, Field(discriminator="type")]
Paginator = Annotated[
    SinglePage | PageNumber | Offset | Cursor | JsonLink | HeaderLink,
    Field(discriminator="type"),
    BeforeValidator(lambda value: {"type": value} if isinstance(value, str) else value),
]


class Incremental(_Model):
    """How only newer records are asked for."""

    cursor_path: str = Field(
        min_length=1, description="Where in a record the value stands by which newer ones are known."
    )
    start_param: str = Field(default="", description="The parameter that says from where on records are wanted.")
    initial_value: Scalar | None = Field(
        default=None, description="From where on the first sync asks; without it, for everything."
    )
    format: str = Field(
        default="iso",
        description="How a time is written in the request: `iso`, `date`, `epoch`, `epoch_ms`, or a pattern such as `%Y%m%d`.",
    )

    @field_validator("format")
    @classmethod
    def _is_format(cls, value: str) -> str:
        if value not in ("iso", "date", "epoch", "epoch_ms") and "%" not in value:
            message = "must be `iso`, `date`, `epoch`, `epoch_ms`, or a pattern with `%`"
            raise ValueError(message)
        return value


class Endpoint(_Model):
    """What is asked for."""

    path: str
    method: Literal["GET", "POST"] = "GET"
    params: dict[str, Scalar | list[Scalar]] = {}
    json_: dict[str, Any] | None = Field(default=None, alias="json")
    data_selector: str = ""
    paginator: Paginator | None = None
    incremental: Incremental | None = None


class Resource(_Model):
    """One stream."""

    name: str = Field(min_length=1)
    endpoint: Annotated[Endpoint, BeforeValidator(lambda value: {"path": value} if isinstance(value, str) else value)]
    primary_key: Annotated[
        tuple[str, ...], BeforeValidator(lambda value: (value,) if isinstance(value, str) else value)
    ] = ()
    write_disposition: Literal["merge", "replace", "append"] | None = None
    columns: dict[str, str] = {}
    lookback: timedelta | None = None
    row_order: Literal["asc"] | None = Field(
        default=None,
        description="`asc` where records come in the order of their cursor: then a sync that is cut goes on where it was.",
    )

    @field_validator("lookback", mode="before")
    @classmethod
    def _span(cls, value: object) -> object:
        found = _SPAN.fullmatch(value) if isinstance(value, str) else None
        if value is not None and not isinstance(value, timedelta) and found is None:
            message = "must be a span of time such as `3 days`, in minutes, hours, days or weeks"
            raise ValueError(message)
        return timedelta(seconds=int(found[1]) * _UNITS[found[2]]) if found else value

    @model_validator(mode="after")
    def _fits(self) -> Resource:
        asks = self.endpoint.incremental
        placed = any("{incremental.start_value}" in str(each) for each in self.endpoint.params.values())
        if asks and not asks.start_param and not placed:
            message = "`endpoint.incremental` needs `start_param`, or a parameter with `{incremental.start_value}`"
            raise ValueError(message)
        if placed and not asks:
            message = "a parameter has `{incremental.start_value}`, but `endpoint.incremental` is missing"
            raise ValueError(message)
        if placed and asks and asks.initial_value is None:
            message = "`endpoint.incremental.initial_value` is missing, which the first sync writes for `{incremental.start_value}`"
            raise ValueError(message)
        if self.lookback and not asks:
            message = "`lookback` needs `endpoint.incremental`"
            raise ValueError(message)
        if self.row_order and not asks:
            message = "`row_order` needs `endpoint.incremental`"
            raise ValueError(message)
        if self.write_disposition == "merge" and not self.primary_key:
            message = "`write_disposition: merge` needs `primary_key`"
            raise ValueError(message)
        if self.write_disposition == "append" and not asks:
            message = (
                "`write_disposition: append` needs `endpoint.incremental`, or each sync would add all records again"
            )
            raise ValueError(message)
        if self.write_disposition == "replace" and asks:
            message = (
                "`write_disposition: replace` wants all records, and `endpoint.incremental` asks for newer ones only"
            )
            raise ValueError(message)
        return self


class Client(_Model):
    """What all requests have in common."""

    base_url: str
    headers: dict[str, str] = {}
    auth: Auth | None = None
    paginator: Paginator = SinglePage()

    @field_validator("base_url")
    @classmethod
    def _is_address(cls, value: str) -> str:
        return _address(value)


class Retries(_Model):
    """How long a request is repeated that failed for a reason that passes."""

    tries: int = Field(default=5, ge=1, le=20)
    seconds: float = Field(default=300, gt=0)


class Timeouts(_Model):
    """How long is waited, in seconds: for a connection, for the next bytes, and for one whole answer."""

    connect: float = Field(default=10, gt=0)
    read: float = Field(default=60, gt=0)
    total: float = Field(default=300, gt=0)


class RestSettings(_Model):
    """The settings of the source `rest`."""

    client: Client = Field(description="What all requests have in common: the address, and who asks.")
    resources: list[Resource] = Field(
        min_length=1, description="The streams, each with the endpoint that gives its records."
    )
    retries: Retries = Field(
        default=Retries(), description="How long a request is repeated that failed for a reason that passes."
    )
    timeouts: Timeouts = Field(default=Timeouts(), description="How many seconds an answer may take.")
    max_pages: int = Field(default=10_000, gt=0, description="So many pages a stream has at most; more are an error.")

    @field_validator("resources")
    @classmethod
    def _named_once(cls, value: list[Resource]) -> list[Resource]:
        names = [each.name.casefold() for each in value]
        if twice := sorted({each.name for each in value if names.count(each.name.casefold()) > 1}):
            message = f"two of them have the name {', '.join(f'`{name}`' for name in twice)}"
            raise ValueError(message)
        return value


def _address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        message = "must be an address that begins with `https://`"
        raise ValueError(message)
    if parts.username or parts.password:
        message = "must hold no user and password; they belong into `auth`"
        raise ValueError(message)
    return value
