"""The company and its rivals, all of them made up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kpi_engine.sample.days import Day

OWN: Final = "acme"


@dataclass(frozen=True)
class Brand:
    """A brand: how much it is talked of on a usual first day, and how much of the company's growth it shares."""

    brand_id: str
    name: str
    competitor_set: str | None
    mentions_per_day: float
    clips_per_day: float
    growth_share: float

    @property
    def is_own(self) -> bool:
        """Whether it is the company itself."""
        return self.brand_id == OWN

    def buzz(self, day: Day) -> float:
        """How much more than on a usual first day it is talked of; the company's spring campaign doubles it."""
        growth = 1 + (day.growth - 1) * self.growth_share
        return day.shape * growth * (2.0 if self.is_own and day.in_campaign else 1.0)


BRANDS: Final = (
    Brand(OWN, "Acme", "crm_france", 4.6, 0.72, 1.0),
    Brand("norvane", "Norvane", "crm_france", 5.6, 0.95, 0.2),
    Brand("kolibri", "Kolibri Suite", "crm_france", 2.4, 0.42, 0.6),
    Brand("pragmea", "Pragméa", "crm_france", 3.2, 0.5, 0.1),
    Brand("tarkanis", "Tarkanis ERP", "erp_europe", 1.1, 0.3, 0.3),
)


def brand() -> Iterator[tuple[object, ...]]:
    """Give the rows of `brand`."""
    for one in BRANDS:
        yield one.brand_id, one.name, one.is_own, one.competitor_set
