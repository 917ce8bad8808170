"""What happens on the site: visits, page views, and what visitors ask for."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from kpi_engine.sample.content import posts_before
from kpi_engine.sample.days import LAST_DAY, all_days
from kpi_engine.sample.dice import Dice
from kpi_engine.sample.files import load

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from duckdb import DuckDBPyConnection

    from kpi_engine.sample.content import Post
    from kpi_engine.sample.days import Day

_ARRIVALS = 74
"""New visitors on a usual first day."""
_CAMPAIGN_ARRIVALS = 26
_DAY = 24 * 3600


@dataclass(frozen=True)
class Request:
    """What a visitor asked for or bought: `price` only where something was bought, `asked` in seconds since 1970."""

    session_id: str
    visitor_id: str
    asked: int
    type: str
    price: int | None
    channel: str | None
    source: str | None
    campaign: str | None
    country: str | None


def build(connection: DuckDBPyConnection, published: Sequence[Post]) -> tuple[Request, ...]:
    """Make the tables `web_session` and `web_page_view` in the connection, and give what was asked for, in the order of time."""
    load(connection, "days", _DAYS, _days(published))
    load(connection, "posts", _POSTS, [(post.number, post.content_id, post.path) for post in published])
    connection.execute(files("kpi_engine.sample").joinpath("web.sql").read_text("utf-8"))
    return tuple(Request(*row) for row in connection.execute("select * from request").fetchall())


_DAYS: Final = {
    "day": "BIGINT",
    "midnight": "BIGINT",
    "last_second": "BIGINT",
    "weekday": "INTEGER",
    "month": "VARCHAR",
    "shape": "DOUBLE",
    "tracked": "BOOLEAN",
    "in_campaign": "BOOLEAN",
    "post_count": "BIGINT",
    "arrivals": "BIGINT",
    "campaign_arrivals": "BIGINT",
    "first_visitor": "BIGINT",
}
_POSTS: Final = {"number": "BIGINT", "content_id": "VARCHAR", "path": "VARCHAR"}


@dataclass(frozen=True)
class _WebDay:
    """A row of the table `days`, in the order of its columns."""

    day: int
    midnight: int
    last_second: int
    weekday: int
    month: str
    shape: float
    tracked: bool
    in_campaign: bool
    post_count: int
    arrivals: int
    campaign_arrivals: int
    first_visitor: int


def _days(published: Sequence[Post]) -> Iterator[tuple[object, ...]]:
    dice, first_visitor = Dice("arrivals"), 1
    for day in all_days():
        arrivals = dice.near(_ARRIVALS * day.weight)
        extra = dice.near(_CAMPAIGN_ARRIVALS * day.weight) if day.in_campaign else 0
        yield astuple(_web_day(day, posts_before(day.date, published), arrivals, extra, first_visitor))
        first_visitor += arrivals + extra


def _web_day(day: Day, post_count: int, arrivals: int, extra: int, first_visitor: int) -> _WebDay:
    """Make a row of the table `days`; nobody comes late on the last day, so that no visit runs on into the next."""
    return _WebDay(
        day=day.number,
        midnight=day.midnight,
        last_second=_DAY - (2 * 3600 if day.date == LAST_DAY else 0),
        weekday=day.date.isoweekday(),
        month=f"{day.date:%Y_%m}",
        shape=day.shape,
        tracked=day.tracked,
        in_campaign=day.in_campaign,
        post_count=max(post_count, 1),
        arrivals=arrivals,
        campaign_arrivals=extra,
        first_visitor=first_visitor,
    )
