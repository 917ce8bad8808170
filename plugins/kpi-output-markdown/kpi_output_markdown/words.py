"""The output's own words, in English and in French."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """What stands in a document besides the report's own labels."""

    as_of: str
    unfinished: str
    kpi: str
    value: str
    unit: str
    change: str
    total: str
    failed: str
    better: str
    worse: str
    colon: str


ENGLISH = Words("as of", "not over yet", "KPI", "Value", "Unit", "change", "Total", "failed", "better", "worse", ": ")
FRENCH = Words(
    "situation au",
    "en cours",
    "Indicateur",
    "Valeur",
    "Unité",
    "évolution",
    "Total",
    "échec",
    "mieux",
    "moins bien",
    "\N{NO-BREAK SPACE}: ",
)


def words(language: str) -> Words:
    """Give the words of a language; English where there are none of its own."""
    return FRENCH if language == "fr" else ENGLISH
