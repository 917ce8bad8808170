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
CODES = frozenset(
    [
        "AED",
        "AFN",
        "ALL",
        "AMD",
        "AOA",
        "ARS",
        "AUD",
        "AWG",
        "AZN",
        "BAM",
        "BBD",
        "BDT",
        "BGN",
        "BHD",
        "BIF",
        "BMD",
        "BND",
        "BOB",
        "BRL",
        "BSD",
        "BTN",
        "BWP",
        "BYN",
        "BZD",
        "CAD",
        "CDF",
        "CHF",
        "CLP",
        "CNY",
        "COP",
        "CRC",
        "CUP",
        "CVE",
        "CZK",
        "DJF",
        "DKK",
        "DOP",
        "DZD",
        "EGP",
        "ERN",
        "ETB",
        "EUR",
        "FJD",
        "FKP",
        "GBP",
        "GEL",
        "GHS",
        "GIP",
        "GMD",
        "GNF",
        "GTQ",
        "GYD",
        "HKD",
        "HNL",
        "HTG",
        "HUF",
        "IDR",
        "ILS",
        "INR",
        "IQD",
        "IRR",
        "ISK",
        "JMD",
        "JOD",
        "JPY",
        "KES",
        "KGS",
        "KHR",
        "KMF",
        "KPW",
        "KRW",
        "KWD",
        "KYD",
        "KZT",
        "LAK",
        "LBP",
        "LKR",
        "LRD",
        "LSL",
        "LYD",
        "MAD",
        "MDL",
        "MGA",
        "MKD",
        "MMK",
        "MNT",
        "MOP",
        "MRU",
        "MUR",
        "MVR",
        "MWK",
        "MXN",
        "MYR",
        "MZN",
        "NAD",
        "NGN",
        "NIO",
        "NOK",
        "NPR",
        "NZD",
        "OMR",
        "PAB",
        "PEN",
        "PGK",
        "PHP",
        "PKR",
        "PLN",
        "PYG",
        "QAR",
        "RON",
        "RSD",
        "RUB",
        "RWF",
        "SAR",
        "SBD",
        "SCR",
        "SDG",
        "SEK",
        "SGD",
        "SHP",
        "SLE",
        "SOS",
        "SRD",
        "SSP",
        "STN",
        "SVC",
        "SYP",
        "SZL",
        "THB",
        "TJS",
        "TMT",
        "TND",
        "TOP",
        "TRY",
        "TTD",
        "TWD",
        "TZS",
        "UAH",
        "UGX",
        "USD",
        "UYU",
        "UZS",
        "VED",
        "VES",
        "VND",
        "VUV",
        "WST",
        "XAF",
        "XCD",
        "XOF",
        "XPF",
        "YER",
        "ZAR",
        "ZMW",
        "ZWG",
    ]
)
"""The currencies of ISO 4217 that are in use: a unit of such a name is money, and `MQL` is none."""
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
