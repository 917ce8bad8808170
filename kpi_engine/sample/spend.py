"""What marketing costs: media by the day, people and tools by the month."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from kpi_engine.sample.days import CAMPAIGN, Day, data_days
from kpi_engine.sample.dice import Dice

if TYPE_CHECKING:
    from collections.abc import Iterator

_NONE: Final = "-"
"""Written where a cost belongs to no campaign: it is part of the key."""


@dataclass(frozen=True)
class Campaign:
    """A campaign of ads: EUR on a usual first day, what a click costs in EUR, and clicks per thousand impressions."""

    platform: str
    channel: str
    campaign_id: str
    campaign: str
    per_day: float
    per_click: float
    clicks_per_thousand: float
    seasonal: bool = False
    """Whether it runs only while the spring campaign does."""


@dataclass(frozen=True)
class MonthlyCost:
    """A cost that comes once a month, in EUR."""

    platform: str
    channel: str
    cost_type: str
    amount: int
    day: int = 1


_CAMPAIGNS: Final = (
    Campaign("google_ads", "paid_search", "g-101", "marque", 12, 1.3, 140),
    Campaign("google_ads", "paid_search", "g-102", "generique_crm", 58, 4.6, 42),
    Campaign("google_ads", "paid_search", "g-103", "concurrents", 21, 3.2, 35),
    Campaign("microsoft_ads", "paid_search", "m-201", "marque", 4, 1.1, 90),
    Campaign("linkedin_ads", "paid_social", "l-301", "toujours_visible", 23, 5.2, 6),
    Campaign("meta_ads", "paid_social", "f-401", "toujours_visible", 11, 1.4, 11),
    Campaign("linkedin_ads", "paid_social", "l-326", CAMPAIGN, 118, 4.6, 8, seasonal=True),
    Campaign("meta_ads", "paid_social", "f-426", CAMPAIGN, 46, 1.2, 14, seasonal=True),
)
_MONTHLY: Final = (
    MonthlyCost("internal", "organic_search", "labour", 3900, 28),
    MonthlyCost("internal", "organic_social", "labour", 2100, 28),
    MonthlyCost("internal", "paid_search", "labour", 1600, 28),
    MonthlyCost("internal", "paid_social", "labour", 900, 28),
    MonthlyCost("internal", "email", "labour", 1700, 28),
    MonthlyCost("internal", "referral", "labour", 800, 28),
    MonthlyCost("freelance", "organic_search", "content", 1500, 25),
    MonthlyCost("agence_rp", "referral", "agency", 1800, 5),
    MonthlyCost("seo_suite", "organic_search", "tool", 219),
    MonthlyCost("social_suite", "organic_social", "tool", 149),
    MonthlyCost("mailer", "email", "tool", 189),
    MonthlyCost("analytics", "direct", "tool", 99),
)


def marketing_spend() -> Iterator[tuple[object, ...]]:
    """Give the rows of `marketing_spend`, all in EUR."""
    dice = Dice("spend")
    for day in data_days():
        for campaign in _CAMPAIGNS:
            if day.in_campaign or not campaign.seasonal:
                yield _media(day, campaign, dice)
        for cost in _MONTHLY:
            if day.date.day == cost.day:
                yield _monthly(day, cost, dice)


def _media(day: Day, campaign: Campaign, dice: Dice) -> tuple[object, ...]:
    amount = campaign.per_day * (0.25 + 0.75 * day.shape) * (1 + 0.8 * (day.growth - 1)) * dice.around(0.2)
    clicks = dice.near(amount / campaign.per_click * dice.around(0.25))
    impressions = int(clicks * 1000 / campaign.clicks_per_thousand * dice.around(0.2)) + dice.whole(0, 30)
    names = campaign.platform, campaign.channel, campaign.campaign_id, campaign.campaign
    return day.date, *names, "media", _cents(amount), "EUR", impressions, clicks


def _monthly(day: Day, cost: MonthlyCost, dice: Dice) -> tuple[object, ...]:
    """People get four per cent more in January; tools and agencies keep their price."""
    is_person = cost.cost_type == "labour"
    raises = day.date.year - 2024 if is_person else 0
    amount = cost.amount * (1 + 0.04 * raises) * (dice.around(0.06) if is_person else 1)
    return day.date, cost.platform, cost.channel, _NONE, _NONE, cost.cost_type, _cents(amount), "EUR", None, None


def _cents(amount: float) -> Decimal:
    return Decimal(int(amount * 100 + 0.5)) / 100
