"""What a vendor says of its figures, for the engine to act on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Contract:
    """What holds for a column of a source, or for all rows of a table; what is empty is not said.

    It stands for what a dataset would declare under `columns:`. A dataset may say what the source leaves open. Of `additivity`, `unit`,
    `currency` and `zone` it may not say otherwise; of `restated` and `sampled` it may.
    """

    additivity: Literal["", "additive", "semi_additive", "non_additive"] = ""
    """`non_additive`: its values may not be added up, as those of reach or of unique users; `semi_additive`: over time they may not."""
    unit: str = ""
    """`seconds`, or a currency such as `EUR`."""
    currency: str = ""
    """The column that holds the currency of this amount."""
    zone: str = ""
    """The time zone of a timestamp that carries none."""
    restated: str = ""
    """How long the vendor still changes what it has given, as `30 days`: periods that end later than that ago are provisional."""
    sampled: str = ""
    """How the figures are estimated, for readers: `1 in 10 sessions`."""
