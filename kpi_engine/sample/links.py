"""Who links to whom on the web around the company: a graph of domains, captured once a month."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from kpi_engine.sample.days import months
from kpi_engine.sample.dice import Dice

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

GRAPH: Final = "web_crm_fr"
ACME: Final = "acme.example"
_KINDS: Final = ("atelier", "cabinet", "agence", "studio", "revue", "forum", "club", "annuaire", "guide", "carnet")
_THEMES: Final = (
    "vente",
    "numerique",
    "pme",
    "client",
    "donnees",
    "logiciel",
    "gestion",
    "cloud",
    "startup",
    "conseil",
    "digital",
    "rh",
    "finance",
    "sante",
)
_HUBS: Final = {
    ACME: 12.0,
    "norvane.example": 18.0,
    "kolibri.example": 7.0,
    "pragmea.example": 11.0,
    "echo-logiciel.example": 15.0,
}
_ANCHORS: Final = ("CRM", "voir le site", "le guide, en détail", 'l’outil "tout-en-un"', "read more", "source", None)


@dataclass(frozen=True)
class Domain:
    """A domain: from which month to which it is in the graph, how much it draws links, and how many it gives."""

    name: str
    first: int
    last: int
    pull: float
    gives: int


@dataclass(frozen=True)
class Link:
    """A link between two domains, and the months it stood."""

    source: str
    target: str
    first: int
    last: int
    is_nofollow: bool
    anchor: str | None


def link_edge() -> Iterator[tuple[object, ...]]:
    """Give the rows of `link_edge`: domains and links come and go, some domains link to nobody, a few to themselves."""
    links = _links(_domains(Dice("domains")), Dice("links"))
    for step, month in enumerate(months()):
        captured = _capture_day(month)
        for link in links:
            if link.first <= step <= link.last:
                yield GRAPH, captured, link.source, link.target, link.is_nofollow, link.anchor


def _capture_day(month: date) -> date:
    return month + timedelta(days=14)


def _domains(dice: Dice) -> tuple[Domain, ...]:
    last = len(list(months())) - 1
    hubs = [Domain(name, 0, last, pull, 8) for name, pull in _HUBS.items()]
    names = [f"{kind}-{theme}.example" for kind in _KINDS for theme in _THEMES]
    return (*hubs, *(_domain(name, last, dice) for name in names))


def _domain(name: str, last: int, dice: Dice) -> Domain:
    """Most are there all the time; some come later, some leave; a quarter give no links at all."""
    first = dice.whole(1, last) if dice.chance(0.25) else 0
    end = dice.whole(first, last) if dice.chance(0.18) else last
    return Domain(
        name,
        first,
        end,
        0.6 + 3 * dice.unit() * dice.unit() * dice.unit(),
        0 if dice.chance(0.25) else 2 + dice.skewed(0, 36),
    )


def _links(domains: Sequence[Domain], dice: Dice) -> tuple[Link, ...]:
    weights = {domain: domain.pull for domain in domains}
    found = dict[tuple[str, str], Link]()
    for domain in domains:
        for _ in range(domain.gives):
            link = _link(domain, dice.weighted(weights), dice)
            if link.first <= link.last:
                found.setdefault((link.source, link.target), link)
    return tuple(found[pair] for pair in sorted(found))


def _link(domain: Domain, target: Domain, dice: Dice) -> Link:
    """Make a link: it stands while both domains do; most links to the company are younger than the others."""
    first, last = max(domain.first, target.first), min(domain.last, target.last)
    late_chance = 0.75 if target.name == ACME else 0.3
    begins = dice.whole(first, last) if last > first and dice.chance(late_chance) else first
    ends = dice.whole(begins, last) if last > begins and dice.chance(0.15) else last
    return Link(domain.name, target.name, begins, ends, dice.chance(0.07), dice.pick(_ANCHORS))
