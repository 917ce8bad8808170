"""What others say of the company and its rivals, on the networks and elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kpi_engine.sample.brands import BRANDS, Brand
from kpi_engine.sample.days import data_days
from kpi_engine.sample.dice import Dice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kpi_engine.sample.days import Day

_SOURCES: Final = {"social": 62, "forum": 10, "news": 10, "blog": 8, "review": 7, "podcast": 3}
_NETWORKS: Final = {"x": 38, "linkedin": 34, "instagram": 12, "facebook": 9, "youtube": 7}
_LANGUAGES: Final = {"fr": 78, "en": 19, "de": 3}
_COUNTRIES: Final = {"FR": 66, "BE": 10, "CH": 7, "CA": 5, "GB": 4, None: 8}
_OWN_MOOD: Final = {"positive": 33, "neutral": 46, "negative": 15, "mixed": 6}
_RIVAL_MOOD: Final = {"positive": 27, "neutral": 48, "negative": 19, "mixed": 6}
_UNLABELLED: Final = 0.2
_TONE: Final = {"positive": 0.55, "neutral": 0.02, "negative": -0.5, "mixed": 0.0}
_TEXTS: Final = {
    ("fr", "positive"): ("{} nous fait gagner une heure par jour, merci !", "Très content de {}, vraiment."),
    ("fr", "neutral"): ("Quelqu’un utilise {} pour une équipe de 12 ?", "{} sort une mise à jour, à suivre."),
    ("fr", "negative"): ("Encore une panne chez {}, pénible…", "Le support de {} ? Trois jours sans réponse."),
    ("fr", "mixed"): ("{} : bon produit, mais l’import est lent.",),
    ("en", "positive"): ("Moved to {} last month, no regrets.", 'Our team says {} is "finally usable".'),
    ("en", "neutral"): ("Anyone comparing {} with others?",),
    ("en", "negative"): ("{} raised its prices, again.",),
    ("en", "mixed"): ("{} is great, its mobile app less so.",),
}


def mention() -> Iterator[tuple[object, ...]]:
    """Give the rows of `mention`: an item that names two brands has a row for each."""
    dice, number = Dice("mentions"), 0
    for day in data_days():
        for brand in BRANDS:
            for _ in range(dice.near(brand.mentions_per_day * brand.buzz(day))):
                number += 1
                yield from _item(f"M{number:06}", brand, day, dice)


def _item(mention_id: str, brand: Brand, day: Day, dice: Dice) -> Iterator[tuple[object, ...]]:
    source = dice.weighted(_SOURCES)
    network = dice.weighted(_NETWORKS) if source == "social" else None
    is_own_author = brand.is_own and source == "social" and dice.chance(0.07)
    author = "acme-crm" if is_own_author else f"a{dice.skewed(1, 9000):04}"
    at, language = day.at(dice.whole(6 * 3600, 23 * 3600)), dice.weighted(_LANGUAGES)
    place = language, dice.weighted(_COUNTRIES)
    reach = None if dice.chance(0.15) else 40 + dice.skewed(0, 60000)
    size = reach, dice.skewed(0, 180)
    url = f"https://{network or source}.example/{mention_id.lower()}"
    others = [other for other in BRANDS if other is not brand]
    named = (brand, dice.pick(others)) if dice.chance(0.05) and not is_own_author else (brand,)
    for one in named:
        mood = dice.weighted(_OWN_MOOD if one.is_own else _RIVAL_MOOD)
        text = _text(one, language, mood, dice)
        who = one.brand_id, source, network, author, is_own_author
        yield mention_id, *who, at, text, url, *place, *_label(mood, dice), *size


def _text(brand: Brand, language: str, mood: str, dice: Dice) -> str:
    return dice.pick(_TEXTS["en" if language == "en" else "fr", mood]).format(brand.name)


def _label(mood: str, dice: Dice) -> tuple[str | None, float | None, str | None]:
    """Give the sentiment, its score and who judged it; nobody judged a fifth of them."""
    if dice.chance(_UNLABELLED):
        return None, None, None
    if dice.chance(0.1):
        return mood, None, "human"
    score = round(_TONE[mood] + 0.4 * (dice.unit() - 0.5), 3)
    return mood, score or 0.0, "vendor"
