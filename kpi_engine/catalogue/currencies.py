"""Currencies: how they are written, which there are, and the dataset that converts one into another."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kpi_engine.formula.mistakes import Mistake

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kpi_engine.definitions.models import Dataset

AS_RECORDED = "as_recorded"
"""What a request names instead of a currency, to have no amount converted."""
_CODE = re.compile("[A-Z]{3}")
HINT = "write three capital letters, such as EUR"


def is_currency(text: str) -> bool:
    """Whether a text is written as currencies are; one that is used no more, or by few, is one too."""
    return _CODE.fullmatch(text) is not None


def currency_mistake(text: str) -> Mistake | None:
    """Say what is wrong with a currency in a definition; nothing where none is written."""
    if not text or is_currency(text):
        return None
    return Mistake("bad_currency", f"`{text}` is not a currency", 0, len(text), HINT)


def no_rates(currency: str) -> Mistake:
    """Say that nothing can be converted."""
    message = f"amounts cannot be converted into {currency}: no dataset holds exchange rates"
    return Mistake("no_rates", message, 0, len(currency), "give a dataset of rates the key `rates:`")


def rates_dataset(datasets: Mapping[str, Dataset]) -> str:
    """Name the dataset that holds the exchange rates; empty where there is none."""
    return next((name for name, each in datasets.items() if each.rates is not None), "")
