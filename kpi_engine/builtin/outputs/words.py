"""The outputs' own words, in English and in French."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Words:
    """What the outputs say besides the report's own labels."""

    as_of: str
    better: str
    colon: str
    compared_with: str
    contents: str
    deprecated: str
    deprecated_practice: str
    draft: str
    failed: str
    kpi: str
    legend: str
    level: str
    previous_period: str
    previous_year: str
    total: str
    trend: str
    trend_said: str
    unfinished: str
    unfinished_point: str
    unknown: str
    value: str
    worse: str

    def mapping(self) -> dict[str, str]:
        """Give the words by name, as a template takes them."""
        return asdict(self)

    def status(self, status: str) -> str:
        """Say a status that a reader must know of; nothing for an active KPI."""
        return {
            "deprecated": self.deprecated,
            "deprecated_practice": self.deprecated_practice,
            "draft": self.draft,
        }.get(status, "")


ENGLISH = Words(
    as_of="As of",
    better="better",
    colon=": ",
    compared_with="Compared with",
    contents="Contents",
    deprecated="Deprecated",
    deprecated_practice="Discredited practice",
    draft="Draft",
    failed="failed",
    kpi="KPI",
    legend="An arrow says which way a number went; better or worse says whether that is good news. A dash is unknown, which is not zero.",
    level="unchanged",
    previous_period="the period before",
    previous_year="a year before",
    total="Total",
    trend="Trend",
    trend_said="{label}, {first} to {last}: {start} at first, {end} at last; lowest {low}, highest {high}",
    unfinished="Period not over yet",
    unfinished_point="not over yet",
    unknown="unknown",
    value="Value",
    worse="worse",
)

FRENCH = Words(
    as_of="Situation au",
    better="mieux",
    colon=" : ",
    compared_with="Comparé à",
    contents="Sommaire",
    deprecated="Obsolète",
    deprecated_practice="Pratique déconseillée",
    draft="Brouillon",
    failed="échec",
    kpi="Indicateur",
    legend="Une flèche dit dans quel sens le chiffre a bougé ; mieux ou moins bien dit si c’est une bonne nouvelle. Un tiret signifie inconnu, ce qui n’est pas zéro.",
    level="stable",
    previous_period="la période précédente",
    previous_year="un an plus tôt",
    total="Total",
    trend="Tendance",
    trend_said="{label}, de {first} à {last} : {start} au début, {end} à la fin ; minimum {low}, maximum {high}",
    unfinished="Période en cours",
    unfinished_point="en cours",
    unknown="inconnu",
    value="Valeur",
    worse="moins bien",
)


def words(language: str) -> Words:
    """Give the words of a report's language; English where there are none of its own."""
    return FRENCH if language == "fr" else ENGLISH


def unit_words(unit: str, language: str) -> str:
    """Say a unit in the report's language; a name that is not known stays as the definition writes it.

    >>> unit_words("interactions / post", "fr")
    'interactions / publication'
    >>> unit_words("EUR / web visit", "fr")
    'EUR / web visit'
    """
    return re.sub(r"[A-Za-z_]+(?: [A-Za-z_]+)*", lambda name: _unit_name(name.group(), language), unit)


def _unit_name(name: str, language: str) -> str:
    french = {
        "clip": "retombée", "clips": "retombées",
        "conversion": "conversion", "conversions": "conversions",
        "customer": "client", "customers": "clients",
        "day": "jour", "days": "jours",
        "follower": "abonné", "followers": "abonnés",
        "hour": "heure", "hours": "heures",
        "interaction": "interaction", "interactions": "interactions",
        "mention": "mention", "mentions": "mentions",
        "order": "commande", "orders": "commandes",
        "page": "page", "pages": "pages",
        "post": "publication", "posts": "publications",
        "request": "demande", "requests": "demandes",
        "second": "seconde", "seconds": "secondes",
        "share": "partage", "shares": "partages",
        "user": "utilisateur", "users": "utilisateurs",
        "view": "vue", "views": "vues",
        "visit": "visite", "visits": "visites",
        "visitor": "visiteur", "visitors": "visiteurs",
    }  # fmt: skip
    return french.get(name, name) if language == "fr" else name
