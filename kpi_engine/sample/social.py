"""The social networks: accounts of the company and its rivals, their followers, and what they post."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from kpi_engine.sample.brands import OWN
from kpi_engine.sample.content import SITE
from kpi_engine.sample.days import CAMPAIGN, LAST_DAY, Day, all_days, data_days
from kpi_engine.sample.dice import Dice

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kpi_engine.sample.content import Post

CLOSED_ACCOUNT: Final = "acme-facebook"
CLOSED_ON: Final = date(2025, 11, 30)
"""The company left this network: the account's last reading and last post."""
_UNREAD: Final = (date(2025, 3, 3), date(2025, 3, 14))
"""Nothing was read of one network from the first to the last of these days."""


@dataclass(frozen=True)
class Account:
    """An account: its followers on the first day, what it gains on a usual day, and its posts a week."""

    account_id: str
    network: str
    handle: str
    brand_id: str
    followers: int
    gain: float
    posts_per_week: float

    def is_open(self, day: date) -> bool:
        """Say whether the account is still there."""
        return self.account_id != CLOSED_ACCOUNT or day <= CLOSED_ON


_ACCOUNTS: Final = (
    Account("acme-linkedin", "linkedin", "acme-crm", OWN, 14180, 13.5, 3.2),
    Account("acme-x", "x", "@acme_crm", OWN, 6240, -0.8, 3.6),
    Account("acme-instagram", "instagram", "acme.crm", OWN, 2870, 4.6, 1.8),
    Account("acme-youtube", "youtube", "@AcmeCRM", OWN, 1150, 1.4, 0.5),
    Account(CLOSED_ACCOUNT, "facebook", "acmecrm", OWN, 4310, 0.4, 1.0),
    Account("norvane-linkedin", "linkedin", "norvane", "norvane", 31400, 11.0, 2.2),
    Account("norvane-x", "x", "@norvane", "norvane", 12050, -1.6, 2.0),
    Account("norvane-instagram", "instagram", "norvane.fr", "norvane", 5210, 3.1, 1.0),
    Account("kolibri-linkedin", "linkedin", "kolibri-suite", "kolibri", 9840, 9.5, 1.8),
    Account("kolibri-x", "x", "@kolibrisuite", "kolibri", 3900, 0.5, 1.0),
    Account("pragmea-linkedin", "linkedin", "pragmea", "pragmea", 16500, 5.2, 1.4),
)
_LIKES: Final = {"linkedin": 74, "x": 16, "instagram": 62, "youtube": 38, "facebook": 21}
_TYPES: Final = {
    "linkedin": ("link", "image", "video", "document"),
    "x": ("text", "link", "image"),
    "instagram": ("image", "reel", "carousel"),
    "youtube": ("video",),
    "facebook": ("link", "image"),
}
_TEXTS: Final = (
    "« {title} » : à lire sur le blog",
    "Nouveau sur le blog : {title}",
    'On en parle : "{title}", en 4 minutes',
    "{title} – qu’en pensez-vous ?",
    "Worth a read, even on a Friday: {title}",
)


def social_account() -> Iterator[tuple[object, ...]]:
    """Give the rows of `social_account`."""
    for account in _ACCOUNTS:
        yield account.account_id, account.network, account.handle, account.brand_id, account.brand_id == OWN


def social_account_snapshot() -> Iterator[tuple[object, ...]]:
    """Give the rows of `social_account_snapshot`: most days of each account, from the eve of the first day on."""
    for account in _ACCOUNTS:
        dice, followers = Dice(f"followers {account.account_id}"), float(account.followers)
        for day in all_days():
            if day.number >= -1 and account.is_open(day.date):
                followers += account.gain * day.weight * dice.around(1.4) * (1.9 if _is_boosted(account, day) else 1)
                if day.number == -1 or _is_read(account, day.date, dice):
                    yield account.account_id, day.date, _shown(account, followers)


def _is_boosted(account: Account, day: Day) -> bool:
    return day.in_campaign and account.brand_id == OWN and account.gain > 1


def _is_read(account: Account, day: date, dice: Dice) -> bool:
    was_read = not dice.chance(0.07)
    return was_read and not (account.account_id == "acme-x" and _UNREAD[0] <= day <= _UNREAD[1])


def _shown(account: Account, followers: float) -> int:
    """Give the count as the network shows it: one of them rounds."""
    return int(followers / 10) * 10 if account.network == "youtube" else int(followers)


def social_post(published: Sequence[Post]) -> Iterator[tuple[object, ...]]:
    """Give the rows of `social_post`."""
    dice, number = Dice("social posts"), 0
    for day in data_days():
        for account in _ACCOUNTS:
            expected = account.posts_per_week / 5.8 * day.shape * (1.6 if _is_boosted(account, day) else 1)
            for _ in range(dice.near(expected) if account.is_open(day.date) else 0):
                number += 1
                yield f"T{number:05}", account.account_id, account.network, *_post(account, day, published, dice)


def _post(account: Account, day: Day, published: Sequence[Post], dice: Dice) -> tuple[object, ...]:
    at = day.at(dice.whole(7 * 3600, 19 * 3600))
    paid_chance = (0.3 if day.in_campaign else 0.06) if account.brand_id == OWN else 0.0
    is_paid = account.network in {"linkedin", "facebook", "instagram"} and dice.chance(paid_chance)
    text, url = _words(account, day, published, dice)
    counters = _counters(account, day, dice, is_paid=is_paid)
    return at, dice.pick(_TYPES[account.network]), text, url, is_paid, *counters, _read_at(at)


def _words(account: Account, day: Day, published: Sequence[Post], dice: Dice) -> tuple[str | None, str | None]:
    if account.brand_id != OWN:
        return None, None
    if day.in_campaign and dice.chance(0.4):
        return (
            "Le printemps de la vente : inscrivez-vous au webinaire !",
            f"{SITE}/webinaires/{CAMPAIGN.replace('_', '-')}",
        )
    readable = [post for post in published if post.published.date < day.date]
    post = readable[-1 - dice.skewed(0, len(readable) - 1)]
    return dice.pick(_TEXTS).format(title=post.title), SITE + post.path


def _counters(account: Account, day: Day, dice: Dice, *, is_paid: bool) -> tuple[int | None, ...]:
    """Give likes, comments, shares, reposts, quotes, saves, clicks, impressions and reach, as far as the network tells them."""
    if dice.chance(0.012):
        return (None,) * 9
    size = _LIKES[account.network] * (0.7 + 0.3 * day.growth) * (0.35 + 2.6 * dice.unit() * dice.unit())
    likes = dice.near(size * (2.2 if is_paid else 1) * (account.followers / 9000 if account.brand_id != OWN else 1))
    network, is_own = account.network, account.brand_id == OWN
    comments = dice.near(likes * 0.09 * dice.around(0.8))
    shares = dice.near(likes * 0.07 * dice.around(0.8)) if network in {"linkedin", "facebook"} else None
    reposts = dice.near(likes * 0.22 * dice.around(0.8)) if network == "x" else None
    quotes = dice.near(likes * 0.04) if network == "x" else None
    saves = dice.near(likes * 0.05) if network == "instagram" and is_own else None
    clicks = dice.near(likes * 0.6 * dice.around(0.7)) if network in {"linkedin", "x", "facebook"} and is_own else None
    impressions = dice.near(likes * 31 * dice.around(0.5)) + likes if is_own else None
    reach = int(impressions * 0.78) if impressions is not None and network not in {"x", "youtube"} else None
    return likes, comments, shares, reposts, quotes, saves, clicks, impressions, reach


def _read_at(published_at: datetime) -> datetime:
    """Counters are read thirty days after the post, or at the end of the data."""
    end = datetime(LAST_DAY.year, LAST_DAY.month, LAST_DAY.day, 21, 30, tzinfo=published_at.tzinfo)
    return min(published_at + timedelta(days=30), end)
