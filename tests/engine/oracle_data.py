"""Random tables for the oracle's cases: unknown values, keys that lead nowhere, instants at the edges of days, months and years."""
# ruff: noqa: DTZ001 - local times carry no zone

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from oracle_calendar import DAY
from oracle_model import Dataset, Link, Row

if TYPE_CHECKING:
    from random import Random

TONES = ("good", "bad", "o'x", "")
EDGES = (
    datetime(2024, 2, 29, 23, 30), datetime(2024, 3, 1), datetime(2024, 3, 31, 1, 30), datetime(2024, 3, 31, 0, 59, 59), datetime(2024, 10, 27, 2, 30),
    datetime(2024, 12, 31, 23, 59, 59), datetime(2025, 1, 1), datetime(2023, 12, 31, 22, 30), datetime(2024, 1, 31, 23, 0), datetime(2024, 6, 30, 14),
    datetime(2023, 2, 28), datetime(2024, 12, 30), datetime(2024, 3, 10, 7, 30), datetime(2024, 11, 3, 5, 30),
)  # fmt: skip
FIRST = datetime(2023, 1, 15)


class Tables:
    """Makes the datasets of one project."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def datasets(self) -> dict[str, Dataset]:
        """Make them all, with their rows."""
        return {
            "brands": self._brands(),
            "outlets": self._outlets(),
            "listings": self._listings(),
            "clips": self._clips(),
            "spend": self._spend(),
            "levels": self._levels(),
        }

    def _maybe(self, value: Any, share: float = 0.2) -> Any:
        return None if self.random.random() < share else value

    def _moment(self, kind: str) -> date | datetime:
        random = self.random
        naive = (
            random.choice(EDGES)
            if random.random() < 0.3
            else FIRST + timedelta(minutes=random.randrange(0, 800 * 24 * 60))
        )
        return naive.date() if kind == "date" else naive.replace(tzinfo=UTC) if kind == "instant" else naive

    def _brands(self) -> Dataset:
        rows = [{"brand_id": n, "grp": self._maybe(self.random.choice("PQ"))} for n in range(1, 4)]
        return Dataset({"brand_id": "int", "grp": "text"}, rows, ("brand_id",))

    def _outlets(self) -> Dataset:
        types = {"outlet_id": "int", "region": "text", "readers": "int", "brand_id": "int"}
        readers = (100, 100, 250, None)
        rows: list[Row] = [
            {
                "outlet_id": n,
                "region": self._maybe(self.random.choice(("N", "S"))),
                "readers": self.random.choice(readers),
                "brand_id": self._maybe(self.random.randint(1, 4)),
            }
            for n in range(1, 5)
        ]
        return Dataset(types, rows, ("outlet_id",), joins={"brand": Link("brands", {"brand_id": "brand_id"})})

    def _listings(self) -> Dataset:
        kind = self.random.choice(("date", "local", "utc", "instant"))
        rows: list[Row] = []
        for outlet in range(1, 4):
            start = FIRST + self.random.randrange(0, 200) * DAY
            for tier in self.random.sample(("gold", "tin", "clay"), self.random.randint(0, 3)):
                end = None if self.random.random() < 0.3 else start + self.random.randrange(20, 300) * DAY
                shown = [
                    each
                    and (each.date() if kind == "date" else each.replace(tzinfo=UTC) if kind == "instant" else each)
                    for each in (start, end)
                ]
                rows.append({"outlet_id": outlet, "since": shown[0], "until": shown[1], "tier": tier})
                if end is None:
                    break
                start = end + self.random.choice((0, 0, 15)) * DAY
        return Dataset({"outlet_id": "int", "since": kind, "until": kind, "tier": "text"}, rows, ("outlet_id", "since"))

    def _clips(self) -> Dataset:
        random = self.random
        kinds = {
            "at": random.choice(("instant", "local", "utc", "date")),
            "seen": random.choice(("instant", "local", "utc", "date")),
        }
        types = {
            "clip_id": "int", "outlet_id": "int", "tone": "text", **kinds, "reach": "int", "amount": "money", "score": "float", "flag": "bool",
        }  # fmt: skip
        rows = [
            {
                "clip_id": n, "outlet_id": self._maybe(random.randint(1, 5)), "tone": self._maybe(random.choice(TONES)),
                "at": self._maybe(self._moment(kinds["at"]), 0.05), "seen": self._maybe(self._moment(kinds["seen"])),
                "reach": self._maybe(random.choice((0, 1, 7, 7, 10**12, -3))), "amount": self._maybe(Decimal(random.randrange(-500, 5000)) / 100),
                "score": self._maybe(random.randrange(-8, 9) / 4), "flag": self._maybe(random.random() < 0.5),
            }
            for n in range(random.choice((0, 1, 5, 25, 40, 40)))
        ]  # fmt: skip
        return Dataset(
            types, rows, ("clip_id",), "at", {"seen_time": "seen"},
            {"tone": "tone", "outlet_id": "outlet_id", "region": "outlet.region", "grp": "outlet.brand.grp", "tier": "listing.tier", "flag": "flag"},
            {"outlet": Link("outlets", {"outlet_id": "outlet_id"}), "listing": Link("listings", {"outlet_id": "outlet_id"}, ("since", "until"))},
            depends={"outlet_id": frozenset({"region", "grp"})},
        )  # fmt: skip

    def _spend(self) -> Dataset:
        random = self.random
        rows = [
            {
                "region": self._maybe(random.choice(("N", "S", "W"))),
                "tone": self._maybe(random.choice(TONES)),
                "day": self._moment("date"),
                "amount": self._maybe(Decimal(random.randrange(0, 9999)) / 100),
            }
            for _ in range(random.choice((0, 3, 20, 20)))
        ]
        return Dataset(
            {"region": "text", "tone": "text", "day": "date", "amount": "money"},
            rows,
            (),
            "day",
            {},
            {"region": "region", "tone": "tone"},
        )

    def _levels(self) -> Dataset:
        random = self.random
        kind = random.choice(("date", "date", "instant", "utc"))
        moments = [self._moment(kind) for _ in range(6)]
        rows = [
            {
                "account": self._maybe(random.randint(1, 3), 0.1),
                "region": self._maybe(random.choice(("N", "S"))),
                "tone": self._maybe(random.choice(TONES)),
                "taken": self._maybe(random.choice(moments) if random.random() < 0.6 else self._moment(kind), 0.05),
                "size": self._maybe(random.randrange(0, 500), 0.1),
            }
            for _ in range(random.choice((0, 4, 25, 25)))
        ]
        types = {"account": "int", "region": "text", "tone": "text", "taken": kind, "size": "int"}
        dimensions = {"region": "region", "tone": "tone", "account": "account"}
        return Dataset(
            types, rows, (), "taken", {}, dimensions, entity=("account",), keep_days=random.choice((None, None, 45, 10))
        )
