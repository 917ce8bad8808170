"""What the company publishes: blog posts, guides and webinars, and how often they are shared."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from kpi_engine.sample.days import CAMPAIGN_START, FIRST_DAY, HISTORY_START, LAST_DAY, Day, all_days
from kpi_engine.sample.dice import Dice

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SITE = "https://www.acme.example"
RESET = (2026, 2)
"""The month in which one share counter fell back to nothing and began again."""
RESET_POST = "post-043"
RESET_NETWORK = "facebook"

_AUTHORS: Final = (
    "Camille Orval", "Nadia Ferrand-Lys", "Théo Maubert", "Iris Quélan", "Jonas O’Brann", "Hélène d’Aubrac",
)  # fmt: skip
_TOPICS: Final = (
    ("prospection", "la prospection", "prospecting"),
    ("crm", "le CRM", "CRM"),
    ("automatisation", "l’automatisation", "automation"),
    ("donnees", "la donnée client", "customer data"),
    ("reporting", "le reporting", "reporting"),
    ("pipeline", "le pipeline de vente", "the sales pipeline"),
    ("service_client", "le service client", "customer service"),
    ("emailing", "l’e-mailing", "email marketing"),
    ("seo", "le référencement", "SEO"),
    ("fidelisation", "la fidélisation", "retention"),
    ("rgpd", "le RGPD", "GDPR"),
    ("onboarding", "l’onboarding", "onboarding"),
)
_TITLES: Final = (
    ("fr", "Réussir {} : 7 étapes, 3 pièges"),
    ("fr", "« {} », mode d’emploi pour les PME"),
    ("fr", 'Pourquoi "{}" change tout, enfin presque'),
    ("fr", "{} : le guide complet"),
    ("fr", "Bien mesurer {}, sans tableur"),
    ("fr", "5 idées reçues sur {}"),
    ("fr", "{} : ce que disent 120 directions commerciales"),
    ("fr", "Démarrer avec {}, en une journée"),
    ("fr", "{}, vu par celles et ceux qui vendent"),
    ("fr", "Budget : combien coûte {} ?"),
    ("en", "{}: an honest guide"),
    ("en", 'What "good" looks like in {}, and what does not'),
    ("en", "{}, step by step"),
    ("en", "Seven questions to ask about {}"),
)
_DOWNLOADS: Final = (
    ("ebook-crm", "ebook", "/ressources/livre-blanc-crm", "Livre blanc : choisir son CRM, sans regret", "crm"),
    ("ebook-data", "ebook", "/ressources/livre-blanc-donnees", "Livre blanc : la donnée client, pas à pas", "donnees"),
    ("ebook-guide", "ebook", "/ressources/sales-guide", 'The "no-nonsense" sales guide', "pipeline"),
    ("webinar-vente", "webinar", "/webinaires/vente", "Webinaire : vendre mieux, relancer moins", "pipeline"),
    ("webinar-ia", "webinar", "/webinaires/printemps-2026", "Webinaire : le printemps de la vente", "automatisation"),
)
_OPENING: Final = FIRST_DAY - timedelta(days=1)
_NETWORKS: Final = {"linkedin": 1.0, "x": 0.45, "facebook": 0.3}


@dataclass(frozen=True)
class Post:
    """A blog post: the `number`-th, counting from 1 in the order of publication."""

    number: int
    content_id: str
    path: str
    title: str
    author: str | None
    published: Day
    published_at: datetime
    topic: str


def posts() -> tuple[Post, ...]:
    """List the blog posts in the order of publication; a quarter of them are in English."""
    dice = Dice("posts")
    themes = [(topic, pattern) for topic in _TOPICS for pattern in _TITLES]
    dates = [day for day in all_days() if day.date.weekday() in {1, 3} and dice.chance(0.67)]
    pairs = zip(dates, dice.shuffled(themes), strict=False)
    return tuple(_post(number, day, theme, dice) for number, (day, theme) in enumerate(pairs, 1))


def posts_before(day: date, published: Sequence[Post]) -> int:
    """Count the posts a visitor can read on that day: those of the days before."""
    return sum(post.published.date < day for post in published)


def _post(number: int, day: Day, theme: tuple[tuple[str, str, str], tuple[str, str]], dice: Dice) -> Post:
    (topic, french, english), (language, pattern) = theme
    words = pattern.format(french if language == "fr" else english)
    title = words[0].upper() + words[1:]
    author = None if dice.chance(0.03) else dice.pick(_AUTHORS)
    at = day.at(8 * 3600 + 60 * dice.whole(0, 120))
    return Post(number, f"post-{number:03}", f"/blog/{_slug(title)}", title, author, day, at, topic)


def _slug(title: str) -> str:
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return "-".join("".join(sign if sign.isalnum() else " " for sign in plain).split())


def content_item(published: Sequence[Post]) -> Iterator[tuple[object, ...]]:
    """Give the rows of `content_item`."""
    for post in published:
        yield post.content_id, "blog_post", SITE + post.path, post.title, post.author, post.published_at, post.topic
    launched = {day.date: day for day in all_days()}
    for content_id, kind, path, title, topic in _DOWNLOADS:
        day = launched[CAMPAIGN_START - timedelta(days=3) if "2026" in path else HISTORY_START]
        yield content_id, kind, SITE + path, title, None, day.at(9 * 3600), topic


def content_share_snapshot(published: Sequence[Post]) -> Iterator[tuple[object, ...]]:
    """Give the rows of `content_share_snapshot`: a counter per post and network that only grows, but for one reset.

    What was counted before the first day stands in a reading on the eve of it.
    """
    dice = Dice("shares")
    for post in published:
        appeal = 4 + dice.skewed(0, 160)
        for network, part in _NETWORKS.items():
            yield from _counter(post, network, appeal * part, dice)


def _counter(post: Post, network: str, appeal: float, dice: Dice) -> Iterator[tuple[object, ...]]:
    """Count one post on one network: most shares come in the first weeks; readings weekly, then monthly."""
    is_reset = (post.content_id, network) == (RESET_POST, RESET_NETWORK)
    count, left = 0.0, appeal
    for day in _readings(post.published.date):
        gained = left * 0.3 * (0.5 + dice.unit())
        left = max(left - gained, appeal * 0.04)
        count = 2.0 if is_reset and (day.year, day.month) == RESET else count + gained
        if day >= _OPENING and not dice.chance(0.04):
            yield post.content_id, network, day, int(count)


def _readings(published: date) -> Iterator[date]:
    weekly = [published + timedelta(days=7 * week) for week in range(1, 7)]
    yield from (day for day in weekly if day <= LAST_DAY)
    month_ends = (day.date for day in all_days() if (day.date + timedelta(days=1)).day == 1)
    yield from (day for day in month_ends if day > weekly[-1])
