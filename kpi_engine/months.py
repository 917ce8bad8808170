"""The names of the months, whole and short, in the languages of labels; English where there are none of its own."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

WHOLE: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "en": (
            "January", "February", "March", "April", "May", "June",
            "July", "August", "September", "October", "November", "December",
        ),
        "fr": (
            "janvier", "février", "mars", "avril", "mai", "juin",
            "juillet", "août", "septembre", "octobre", "novembre", "décembre",
        ),
    }
)  # fmt: skip
SHORT: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "en": (
            "Jan", "Feb", "Mar", "Apr", "May", "Jun",
            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ),
        "fr": (
            "janv.", "févr.", "mars", "avr.", "mai", "juin",
            "juil.", "août", "sept.", "oct.", "nov.", "déc.",
        ),
    }
)  # fmt: skip


def name(month: int, language: str, *, short: bool = False) -> str:
    """Name a month by its number.

    >>> name(2, "fr"), name(2, "en", short=True)
    ('février', 'Feb')
    """
    names = SHORT if short else WHOLE
    return names["fr" if language == "fr" else "en"][month - 1]
