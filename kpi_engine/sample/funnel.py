"""From a request to a customer: conversions, leads with their stages, and deals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import chain
from typing import TYPE_CHECKING, Final

from kpi_engine.sample.days import LAST_DAY, all_days, data_days, instant
from kpi_engine.sample.dice import Dice

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from kpi_engine.sample.web import Request

PARTNER: Final = "partenaire-erp.example"
SEAT_PRICE: Final = Decimal("29.90")
"""What one seat costs a month, in EUR."""
_DAY: Final = 24 * 3600
_QUALITY: Final = {
    "demo_request": 1.7, "contact_request": 1.4, "phone_call": 1.5, "trade_show": 1.1, "webinar_signup": 0.95,
    "ebook_download": 0.8, "blog_subscription": 0.45,
}  # fmt: skip
_OFF_SITE: Final = {"phone_call": 0.13, "trade_show": 0.09, "webinar_signup": 0.05}
"""How many a day come by another way than the site; a partner's webinar is a conversion without a visit."""

_EARLIER: Final = 4.6
"""How many leads a day there were before the first day, had it been a usual one."""
_CHANNELS: Final = {
    "organic_search": 25, "direct": 27, "email": 17, "paid_search": 12, "referral": 7, "organic_social": 5, "paid_social": 3, None: 2,
}  # fmt: skip
_TYPES: Final = {
    "ebook_download": 31, "blog_subscription": 28, "webinar_signup": 18, "demo_request": 11, "contact_request": 8, "phone_call": 3,
}  # fmt: skip


@dataclass(frozen=True)
class Lead:
    """A person who asked for something; `visitor` only where the site saw it. Stages are seconds since 1970."""

    lead_id: str
    visitor: str | None
    created: int
    request_type: str
    channel: str | None
    source: str | None
    campaign: str | None
    country: str | None


@dataclass(frozen=True)
class Stages:
    """When a lead reached each stage, in seconds since 1970; nothing where it has not, or not yet."""

    mql: int | None = None
    sal: int | None = None
    contacted: int | None = None
    sql: int | None = None
    opportunity: int | None = None
    closed: int | None = None
    won: bool | None = None
    disqualified: int | None = None


def leads(requests: Sequence[Request]) -> tuple[Lead, ...]:
    """Make a lead of each visitor's first request and of those who came another way, in the order of time.

    As in a company's own system, leads from before the first day are still there: some become customers after it.
    """
    dice, firsts = Dice("leads"), dict[str, "Request"]()
    for request in requests:
        if request.type != "purchase" and not dice.chance(0.03):
            firsts.setdefault(request.visitor_id, request)
    drafts = sorted(chain(map(_of_request, firsts.values()), _off_site(), _earlier()), key=lambda draft: draft[1])
    return tuple(Lead(f"L{number:05}", *draft) for number, draft in enumerate(drafts, 1))


Draft = tuple[str | None, int, str, str | None, str | None, str | None, str | None]
"""A lead without its number."""


def _of_request(request: Request) -> Draft:
    where = request.channel, request.source, request.campaign, request.country
    return request.visitor_id, request.asked, request.type, *where


def _off_site() -> Iterator[Draft]:
    dice = Dice("off site")
    for day in data_days():
        for kind, expected in _OFF_SITE.items():
            for _ in range(dice.near(expected * day.weight)):
                channel = "referral" if kind == "webinar_signup" else None
                source = PARTNER if channel else kind
                country = dice.pick(("FR", "FR", "FR", "BE", "CH", None))
                yield None, day.midnight + dice.whole(9 * 3600, 18 * 3600), kind, channel, source, None, country


def _earlier() -> Iterator[Draft]:
    dice = Dice("earlier leads")
    for day in all_days():
        for _ in range(dice.near(_EARLIER * day.weight) if day.number < 0 else 0):
            at = day.midnight + dice.whole(8 * 3600, 20 * 3600)
            channel = dice.weighted(_CHANNELS)
            yield None, at, dice.weighted(_TYPES), channel, None, None, dice.pick(("FR", "FR", "FR", "BE", "CH"))


def stages(all_leads: Iterable[Lead]) -> Mapping[str, Stages]:
    """Lead each lead through the funnel, as far as it comes before the data end."""
    dice = Dice("stages")
    return {lead.lead_id: _so_far(_stages(lead, dice)) for lead in all_leads}


def _stages(lead: Lead, dice: Dice) -> Stages:
    """Most fall out on the way; some are accepted and never contacted, some contacted before they are accepted."""
    interest = _QUALITY[lead.request_type] * (1.3 if "social" in (lead.channel or "") else 1)
    if not dice.chance(min(0.44 * interest, 0.9)):
        return Stages(disqualified=_later(lead.created, 1, 30, dice) if dice.chance(0.14) else None)
    mql = _later(lead.created, 0, 12, dice)
    if not dice.chance(0.64):
        contacted = _later(mql, 2, 9, dice) if dice.chance(0.05) else None
        return Stages(mql=mql, contacted=contacted, disqualified=_later(mql, 5, 40, dice) if dice.chance(0.3) else None)
    sal = _later(mql, 1, 9, dice)
    noted = None if dice.chance(0.025) else mql
    if not dice.chance(0.91):
        return Stages(mql=noted, sal=sal)
    contacted = _later(mql, 0, 3, dice) if dice.chance(0.12) else _later(sal, 0, 6, dice)
    if not dice.chance(0.8):
        return Stages(noted, sal, contacted)
    accepted = _later(max(sal, contacted), 1, 12, dice)
    if not dice.chance(0.78):
        return Stages(noted, sal, contacted, accepted)
    opportunity = _later(accepted, 1, 10, dice)
    return Stages(noted, sal, contacted, accepted, opportunity, _later(opportunity, 8, 65, dice), dice.chance(0.46))


def _later(moment: int, fewest: int, most: int, dice: Dice) -> int:
    """Go some days on, to working hours of a working day, and never back before the moment itself."""
    midnight = (moment // _DAY + dice.whole(fewest, most)) * _DAY
    weekday = (midnight // _DAY + 3) % 7
    free_days = max(0, 7 - weekday) if weekday in {5, 6} else 0
    return max(midnight + free_days * _DAY + dice.whole(8 * 3600, 16 * 3600), moment + 1800)


def _so_far(found: Stages) -> Stages:
    """Leave out what has not happened yet when the data end."""
    end = data_days()[-1].midnight + _DAY
    known = {name: at for name, at in vars(found).items() if name != "won" and at is not None and at < end}
    return Stages(**known, won=found.won if "closed" in known else None)


def web_conversion(requests: Sequence[Request], all_leads: Sequence[Lead]) -> Iterator[tuple[object, ...]]:
    """Give the rows of `web_conversion`: the requests of visits, and those that reached the site without one."""
    known = {lead.visitor: lead for lead in all_leads if lead.visitor}
    rows = [_conversion(request, known.get(request.visitor_id)) for request in requests]
    rows += [_without_visit(lead) for lead in all_leads if not lead.visitor and lead.source == PARTNER]
    for number, (asked, session, visitor, *rest) in enumerate(sorted(rows, key=lambda row: row[:2]), 1):
        yield f"K{number:05}", session or None, visitor, instant(asked), *rest


ConversionRow = tuple[int, str, str | None, str, bool, str | None, Decimal | None, str | None]


def _conversion(request: Request, lead: Lead | None) -> ConversionRow:
    lead_id = lead.lead_id if lead and lead.created <= request.asked else None
    price = Decimal(request.price) if request.price else None
    direct = request.type != "purchase"
    currency = "EUR" if price else None
    return request.asked, request.session_id, request.visitor_id, request.type, direct, lead_id, price, currency


def _without_visit(lead: Lead) -> ConversionRow:
    return lead.created, "", None, lead.request_type, True, lead.lead_id, None, None


def lead(all_leads: Sequence[Lead], reached: Mapping[str, Stages]) -> Iterator[tuple[object, ...]]:
    """Give the rows of `lead`."""
    for one in all_leads:
        at = reached[one.lead_id]
        customer = at.closed if at.won else None
        moments = at.mql, at.sal, at.contacted, at.sql, at.opportunity, customer, at.disqualified
        who = one.request_type, one.channel, one.source, one.campaign, one.country
        yield one.lead_id, instant(one.created), *who, *(_instant(moment) for moment in moments)


def _instant(seconds: int | None) -> datetime | None:
    return None if seconds is None else instant(seconds)


@dataclass(frozen=True)
class Deal:
    """An opportunity, won, lost or still open; `lead_id` is missing where a customer buys more."""

    lead_id: str | None
    customer_id: str | None
    created: datetime
    closed: datetime | None
    won: bool | None
    amount: Decimal
    channel: str | None


def deal(all_leads: Sequence[Lead], reached: Mapping[str, Stages]) -> Iterator[tuple[object, ...]]:
    """Give the rows of `deal`: one for each opportunity, and customers who buy more without a new lead."""
    dice = Dice("deals")
    first = [_opportunity(one, reached[one.lead_id], dice) for one in all_leads if reached[one.lead_id].opportunity]
    more = _more_seats(first, dice)
    for number, one in enumerate(sorted([*first, *more], key=lambda one: one.created), 1):
        margin = None if dice.chance(0.08) else round(0.68 + 0.16 * dice.unit(), 2)
        when = one.created, one.closed, one.won
        yield f"D{number:05}", one.lead_id, one.customer_id, *when, one.amount, "EUR", margin, one.channel


def _opportunity(lead: Lead, at: Stages, dice: Dice) -> Deal:
    customer = f"C{lead.lead_id[1:]}" if at.won else None
    created = instant(at.opportunity or lead.created)
    return Deal(lead.lead_id, customer, created, _instant(at.closed), at.won, _amount(dice), lead.channel)


def _more_seats(deals: Sequence[Deal], dice: Dice) -> Iterator[Deal]:
    for one in deals:
        begun = one.closed + timedelta(days=dice.whole(90, 300)) if one.won and one.closed else None
        if begun and dice.chance(0.3) and begun.date() <= LAST_DAY - timedelta(days=30):
            closed = begun + timedelta(days=dice.whole(3, 25), seconds=dice.whole(0, 7200))
            yield Deal(None, one.customer_id, begun, closed, True, _amount(dice) * 2 / 5, None)  # noqa: FBT003


def _amount(dice: Dice) -> Decimal:
    """Give what a year costs."""
    return (6 + dice.skewed(0, 110)) * 12 * SEAT_PRICE
