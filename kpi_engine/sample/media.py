"""The press: outlets with their readers and rates, and the clips that name the company and its rivals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from kpi_engine.sample.brands import BRANDS, Brand
from kpi_engine.sample.days import CAMPAIGN, Day, data_days
from kpi_engine.sample.dice import Dice

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime


@dataclass(frozen=True)
class Outlet:
    """A newspaper, site, station or podcast; readers and rate where they are known, the rate in EUR."""

    outlet_id: str
    name: str
    domain: str
    media_type: str
    country: str
    readers: int | None = None
    rate: int | None = None


_OUTLETS: Final = (
    Outlet("courrier", "Le Courrier des Affaires", "courrier-affaires.example", "print", "FR", 184000, 21500),
    Outlet("gazette", "La Gazette des PME", "gazette-pme.example", "print", "FR", 62000, 8200),
    Outlet("atelier", "L’Atelier, mensuel", "atelier-mensuel.example", "print", "FR", 41000, 5400),
    Outlet("nord", "Nord & Entreprises", "nord-entreprises.example", "print", "FR", 28500, 3100),
    Outlet("leman", "Le Journal du Léman", "journal-leman.example", "print", "CH", 73000, 9800),
    Outlet("brabant", "Brabant Économie", "brabant-eco.example", "print", "BE", None, 4700),
    Outlet("echo", "L’Écho du Logiciel", "echo-logiciel.example", "online", "FR", 310000),
    Outlet("numerique", "Numérique Demain", "numerique-demain.example", "online", "FR", 310000),
    Outlet("canal", "Canal Distribution", "canal-distribution.example", "online", "FR", 96000),
    Outlet("relation", "Relation Client Hebdo", "relation-hebdo.example", "online", "FR", 54000),
    Outlet("cloud", 'Cloud "Actu"', "cloud-actu.example", "online", "FR", 128000),
    Outlet("vente", "Vente & Méthode", "vente-methode.example", "online", "FR", 22500),
    Outlet("startup", "Startup Matin", "startup-matin.example", "online", "FR", 87000),
    Outlet("ledger", "The Daily Ledger", "daily-ledger.example", "online", "GB", 540000),
    Outlet("channel", "Channel Review", "channel-review.example", "online", "GB", 71000),
    Outlet("wallonie", "Wallonie Tech", "wallonie-tech.example", "online", "BE", 33000),
    Outlet("quebec", "Québec Affaires, l’édition du soir", "quebec-affaires.example", "online", "CA", 118000),
    Outlet("carnet", "Le Carnet du Commercial", "carnet-commercial.example", "online", "FR"),
    Outlet("fil", "Le Fil B2B", "fil-b2b.example", "online", "FR"),
    Outlet("depeche", "Dépêche Info", "depeche-info.example", "online", "FR", 205000),
    Outlet("rivage", "Radio Rivage", "radio-rivage.example", "radio", "FR", 420000, 1900),
    Outlet("onde", "Onde Éco", "onde-eco.example", "radio", "FR", 150000, 800),
    Outlet("telecap", "TéléCap Économie", "telecap.example", "tv", "FR", 690000, 7400),
    Outlet("minute", "La Minute Vente", "minute-vente.example", "podcast", "FR", 9500),
    Outlet("micro", "Micro & Marges", "micro-marges.example", "podcast", "FR"),
)
_UNITS: Final = {
    "print": ("readers_per_issue", "enquete_lectorat"),
    "online": ("monthly_unique_visitors", "panel_web"),
    "radio": ("audience", "panel_radio"),
    "tv": ("audience", "panel_tv"),
    "podcast": ("audience", "hebergeur"),
}
_RATE_UNITS: Final = {"print": "page", "radio": "30s", "tv": "30s"}
_KINDS: Final = {"online": 60, "print": 24, "radio": 8, "tv": 4, "podcast": 4}
_MOOD: Final = {"positive": 29, "neutral": 54, "negative": 11, None: 6}
_HEADLINES: Final = (
    "{}, l’outsider du CRM français",
    "{} lève le voile sur son assistant de vente",
    'CRM : "{}", un pari à suivre',
    "Ce que {} change pour les PME, et pour leurs clients",
    "{} ouvre un bureau à Lyon",
    "Logiciels : {} dans notre comparatif, le détail",
    "{} signs three new partners",
    "Entretien avec la direction de {}",
)
_SPRING: Final = "Le printemps de la vente : {} réunit 1 200 commerciaux en ligne"
_AGENCY: Final = "depeche"
"""The outlet whose stories others copy."""
_PAGES: Final = (0.1, 0.25, 0.25, 0.5, 0.5, 1.0)


def media_outlet() -> Iterator[tuple[object, ...]]:
    """Give the rows of `media_outlet`: some have no known readers, some no rate; two have as many readers as each other."""
    for one in _OUTLETS:
        unit, source = _UNITS[one.media_type] if one.readers else (None, None)
        read = one.readers, unit, source, date(2025, 1, 1) if one.readers else None
        rate_unit, currency = (_RATE_UNITS[one.media_type], "EUR") if one.rate else (None, None)
        rate = Decimal(one.rate) if one.rate else None
        yield one.outlet_id, one.name, one.domain, one.media_type, one.country, *read, rate, rate_unit, currency


def media_coverage() -> Iterator[tuple[object, ...]]:
    """Give the rows of `media_coverage`: a clip that names several brands has a row for each; copies are clips of their own."""
    dice, number = Dice("clips"), 0
    for day in data_days():
        for brand in BRANDS:
            for _ in range(dice.near(brand.clips_per_day * brand.buzz(day))):
                number += 1
                yield from _clip(f"N{number:05}", brand, day, dice)


@dataclass(frozen=True)
class _Story:
    """What a clip and its copies have in common: the headline, the brands they name, and how well each comes off."""

    at: datetime
    headline: str
    brands: tuple[Brand, ...]
    moods: tuple[str | None, ...]
    campaign: str | None


def _clip(clip_id: str, brand: Brand, day: Day, dice: Dice) -> Iterator[tuple[object, ...]]:
    outlet, story = _outlet(dice), _story(brand, day, dice)
    yield from _rows(clip_id, outlet, story, story.at, dice)
    for copy in range(dice.whole(1, 3) if outlet.outlet_id == _AGENCY and dice.chance(0.5) else 0):
        later = story.at + timedelta(seconds=dice.whole(1800, 20000))
        yield from _rows(f"{clip_id}-{copy + 1}", _site(dice), story, later, dice)


def _story(brand: Brand, day: Day, dice: Dice) -> _Story:
    is_campaign = brand.is_own and day.in_campaign and dice.chance(0.5)
    headline = (_SPRING if is_campaign else dice.pick(_HEADLINES)).format(brand.name)
    named = (brand, *(other for other in BRANDS if other is not brand and dice.chance(0.05)))
    moods = tuple(dice.weighted(_MOOD) for _ in named)
    at = day.at(dice.whole(5 * 3600, 19 * 3600))
    return _Story(at, headline, named, moods, CAMPAIGN if is_campaign else None)


def _rows(clip_id: str, outlet: Outlet, story: _Story, at: datetime, dice: Dice) -> Iterator[tuple[object, ...]]:
    """Give a row for each brand; reach is frozen on the day where it was read then, and some sites have a vendor's price."""
    reach = int(outlet.readers * dice.around(0.12)) if outlet.readers and dice.chance(0.6) else None
    has_price = outlet.media_type == "online" and dice.chance(0.35)
    value = (Decimal(dice.whole(12000, 260000)) / 100, "EUR") if has_price else (None, None)
    url, is_copy = f"https://{outlet.domain}/{clip_id.lower()}", at != story.at
    for brand, mood in zip(story.brands, story.moods, strict=True):
        judge = ("human" if dice.chance(0.3) else "vendor") if mood else None
        what = outlet.outlet_id, at, story.headline, url, mood, judge, reach
        campaign = story.campaign if brand.is_own else None
        yield clip_id, brand.brand_id, *what, _space(clip_id, outlet), *value, is_copy, campaign


def _space(clip_id: str, outlet: Outlet) -> float | None:
    """Give pages of a newspaper, or seconds of air time divided by 30, where the outlet has a rate."""
    dice = Dice(f"space {clip_id}")
    if outlet.media_type == "print":
        return dice.pick(_PAGES)
    return float(dice.whole(1, 6)) if outlet.rate else None


def _outlet(dice: Dice) -> Outlet:
    kind = dice.weighted(_KINDS)
    return dice.pick([outlet for outlet in _OUTLETS if outlet.media_type == kind])


def _site(dice: Dice) -> Outlet:
    return dice.pick([outlet for outlet in _OUTLETS if outlet.media_type == "online" and outlet.outlet_id != _AGENCY])
