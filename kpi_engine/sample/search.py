"""Search engines: what people searched for and saw of the site, and how third parties score the domain."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from kpi_engine.sample.content import SITE
from kpi_engine.sample.days import Day, data_days, months
from kpi_engine.sample.dice import Dice

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from kpi_engine.sample.content import Post


@dataclass(frozen=True)
class Query:
    """A search: the page it finds, how often it is seen on a usual first day, and its place, counting from 1."""

    words: str
    page: str
    per_day: float
    place: float


_FIXED: Final = (
    Query("acme", "/", 62, 1.1),
    Query("acme crm", "/", 41, 1.2),
    Query("acme tarifs", "/tarifs", 14, 1.3),
    Query("acme connexion", "/aide", 18, 1.6),
    Query("crm pme", "/produit", 120, 9.5),
    Query("logiciel crm français", "/produit", 85, 7.2),
    Query("crm simple", "/produit", 64, 11.8),
    Query("automatisation des ventes", "/produit/automatisation", 33, 8.4),
    Query("tableau de bord commercial", "/produit/rapports", 47, 10.1),
    Query("prix crm", "/tarifs", 52, 12.5),
    Query("livre blanc crm", "/ressources/livre-blanc-crm", 17, 3.4),
    Query("sales guide pdf", "/ressources/sales-guide", 11, 6.9),
    Query("avis acme crm", "/clients", 12, 2.2),
)
_POST_QUERIES: Final = 22
"""So many of the posts are found by their topic."""
_CTR: Final = ((1.5, 0.34), (2.5, 0.17), (3.5, 0.11), (5.5, 0.065), (8.5, 0.034), (12.5, 0.016), (99.0, 0.006))
"""Up to which place, and how many of those who see a result there open it."""
_DEVICES: Final = {"MOBILE": 0.46, "DESKTOP": 0.51, "TABLET": 0.03}
_COUNTRIES: Final = {"fra": 0.8, "bel": 0.12, "che": 0.08}
_LEAST: Final = 2.5
"""Fewer expected impressions than this are not reported by query."""


def search_performance(published: Sequence[Post]) -> Iterator[tuple[object, ...]]:
    """Give the rows of `search_performance`: rare queries come without their words, summed per device."""
    dice, queries = Dice("search"), (*_FIXED, *_of_posts(published))
    live = {SITE + post.path: post.published.date for post in published}
    for day in data_days():
        for query in queries:
            if day.date > live.get(SITE + query.page, day.date - timedelta(days=1)):
                yield from _seen(query, day, dice)
        for device, part in _DEVICES.items():
            impressions = dice.near(90 * part * day.weight * dice.around(0.2))
            yield from _row(day, _Result("/blog", None, "fra", device, 9.0), impressions, dice)


def _of_posts(published: Sequence[Post]) -> Iterator[Query]:
    dice = Dice("post queries")
    for post in published[:: len(published) // _POST_QUERIES][:_POST_QUERIES]:
        words = post.path.removeprefix("/blog/").replace("-", " ")
        yield Query(words[:60].strip(), post.path, 8 + dice.skewed(0, 90), 2 + 14 * dice.unit())


def _seen(query: Query, day: Day, dice: Dice) -> Iterator[tuple[object, ...]]:
    """Places get better with time; a query is reported where it is seen often enough."""
    place = 1 + (query.place - 1) / (0.6 + 0.4 * day.growth)
    for device, part in _DEVICES.items():
        for country, share in _COUNTRIES.items():
            expected = query.per_day * day.weight * part * share
            if expected >= _LEAST:
                impressions = dice.near(expected * dice.around(0.35))
                yield from _row(day, _Result(query.page, query.words, country, device, place), impressions, dice)


@dataclass(frozen=True)
class _Result:
    """A page in the results of a query, in a country on a kind of device: its place, counting from 1."""

    page: str
    words: str | None
    country: str
    device: str
    place: float


def _row(day: Day, result: _Result, impressions: int, dice: Dice) -> Iterator[tuple[object, ...]]:
    """Give a row where the page was seen at all."""
    if impressions:
        share = next(share for limit, share in _CTR if result.place < limit)
        clicks = min(impressions, dice.near(impressions * share * dice.around(0.5)))
        positions = int(impressions * max(0.0, result.place * dice.around(0.15) - 1))
        what = f"{SITE}/", SITE + result.page, result.words, result.words is None
        yield day.date, *what, result.country, result.device, "web", impressions, clicks, positions


@dataclass(frozen=True)
class _Score:
    """A provider's score of the company at the beginning and the end, and of its rivals."""

    provider: str
    metric: str
    first: float
    last: float
    rivals: tuple[float, ...]


_DOMAINS: Final = ("acme.example", "norvane.example", "kolibri.example", "pragmea.example")
_SCORES: Final = (
    _Score("moz", "domain_authority", 31, 39, (47, 33, 41)),
    _Score("ahrefs", "domain_rating", 38, 49, (56, 40, 47)),
    _Score("majestic", "trust_flow", 19, 25, (31, 18, 24)),
    _Score("semrush", "authority_score", 27, 36, (44, 29, 35)),
    _Score("openpagerank", "open_page_rank", 3.4, 3.9, (4.6, 3.5, 4.1)),
)
_RANKED: Final = (("commoncrawl", "harmonic_centrality", (1.48e7, 1.71e7, 1.5e7, 1.6e7)),)
_NEW_MODEL: Final = ("moz", (2026, 3), 2)
"""A provider changed its model in that month: every domain lost so many points."""


def domain_score() -> Iterator[tuple[object, ...]]:
    """Give the rows of `domain_score`: monthly, some months missing, one change of a provider's model."""
    dice, captures = Dice("scores"), [month + timedelta(days=19) for month in months()]
    for step, captured in enumerate(captures):
        for score in _SCORES:
            for place, domain in enumerate(_DOMAINS):
                if not dice.chance(0.03):
                    value = _score(score, place, step / (len(captures) - 1), captured) * dice.around(0.012)
                    yield domain, score.provider, score.metric, captured, _rounded(score, value), None
        yield from _ranks(captured, step, dice)


def _score(score: _Score, place: int, part: float, captured: date) -> float:
    value = (
        score.rivals[place - 1] + score.rivals[place - 1] * 0.02 * part
        if place
        else score.first + (score.last - score.first) * part
    )
    provider, since, lost = _NEW_MODEL
    return value - lost if score.provider == provider and (captured.year, captured.month) >= since else value


def _rounded(score: _Score, value: float) -> float:
    return round(value, 2) if score.provider == "openpagerank" else float(int(value + 0.5))


def _ranks(captured: date, step: int, dice: Dice) -> Iterator[tuple[object, ...]]:
    for provider, metric, bases in _RANKED:
        for place, (domain, base) in enumerate(zip(_DOMAINS, bases, strict=True)):
            value = base * (1 + (0.004 if place == 0 else 0.001) * step) * dice.around(0.003)
            rank = int(2.9e12 / value) - 90000 + dice.whole(0, 900)
            yield domain, provider, metric, captured, float(int(value)), rank
