"""Random tables for the oracle's cases: unknown values, keys that lead nowhere, instants at the edges of days, months and years."""
# ruff: noqa: DTZ001 - local times carry no zone

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from oracle_calendar import DAY
from oracle_model import Dataset, Link, Row
from oracle_money import CURRENCIES, Rates

if TYPE_CHECKING:
    from random import Random

TONES = ("good", "bad", "o'x", "")
EDGES = (
    datetime(2024, 2, 29, 23, 30), datetime(2024, 3, 1), datetime(2024, 3, 31, 1, 30), datetime(2024, 3, 31, 0, 59, 59), datetime(2024, 10, 27, 2, 30),
    datetime(2024, 12, 31, 23, 59, 59), datetime(2025, 1, 1), datetime(2023, 12, 31, 22, 30), datetime(2024, 1, 31, 23, 0), datetime(2024, 6, 30, 14),
    datetime(2023, 2, 28), datetime(2024, 12, 30), datetime(2024, 3, 10, 7, 30), datetime(2024, 11, 3, 5, 30),
)  # fmt: skip
FRIDAY = 4
FIRST = datetime(2023, 1, 15)
SIZES = (0, 1, 5, 5, 25, 40, 40, 40)


class Tables:
    """Makes the datasets of one project; `large` is of 2,049 rows."""

    def __init__(self, random: Random, *, large: bool = False) -> None:
        self.random = random
        self.large = large

    def datasets(self) -> dict[str, Dataset]:
        """Make them all, with their rows."""
        clips = self._clips()
        return {
            "brands": self._brands(),
            "outlets": self._outlets(),
            "listings": self._listings(),
            "marks": self._marks(),
            "clips": clips,
            "shaped": self._shaped(clips),
            "spend": self._spend(),
            "levels": self._levels(),
            "visits": self._visits(),
            "orders": self._orders(),
            "payments": self._payments(),
            "quotes": self._quotes(),
        }

    def _maybe(self, value: Any, share: float = 0.2) -> Any:
        return None if self.random.random() < share else value

    def _size(self) -> int:
        return 2049 if self.large else self.random.choice(SIZES)

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
        return Dataset({"brand_id": "int", "grp": "text"}, rows, ("brand_id",), dimensions={"grp": "grp"})

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
                brand = self._maybe(self.random.randint(1, 4))
                rows.append(
                    {"outlet_id": outlet, "since": shown[0], "until": shown[1], "tier": tier, "brand_id": brand}
                )
                if end is None:
                    break
                start = end + self.random.choice((0, 0, 15)) * DAY
        types = {"outlet_id": "int", "since": kind, "until": kind, "tier": "text", "brand_id": "int"}
        return Dataset(types, rows, ("outlet_id", "since"), joins={"brand": Link("brands", {"brand_id": "brand_id"})})

    def _marks(self) -> Dataset:
        """Make a dataset with a key of two columns, of which some pairs are missing."""
        rows = [
            {"outlet": outlet, "tone": tone, "mark": self._maybe(self.random.choice(("high", "low")))}
            for outlet in range(1, 5) for tone in TONES if self.random.random() < 0.7
        ]  # fmt: skip
        return Dataset({"outlet": "int", "tone": "text", "mark": "text"}, rows, ("outlet", "tone"))

    def _clips(self) -> Dataset:
        random = self.random
        kinds = {
            "at": random.choice(("instant", "local", "utc", "date")),
            "seen": random.choice(("instant", "local", "utc", "date")),
        }
        types = {
            "clip_id": "int", "outlet_id": "int", "source_id": "int", "tone": "text", **kinds, "reach": "int", "amount": "money", "score": "float", "flag": "bool",
        }  # fmt: skip
        rows = [
            {
                "clip_id": n, "outlet_id": self._maybe(random.randint(1, 5)), "source_id": self._maybe(random.randint(1, 5)),
                "tone": self._maybe(random.choice(TONES)),
                "at": self._maybe(self._moment(kinds["at"]), 0.05), "seen": self._maybe(self._moment(kinds["seen"])),
                "reach": self._maybe(random.choice((0, 1, 7, 7, 10**12, -3))), "amount": self._maybe(Decimal(random.randrange(-500, 5000)) / 100),
                "score": self._maybe(random.randrange(-8, 9) / 4), "flag": self._maybe(random.random() < 0.5),
            }
            for n in range(self._size())
        ]  # fmt: skip
        band = ("case", ("gt", "reach", 5), ("lit", "big"), ("lit", "small"))
        times: dict[str, Any] = {"seen_time": "seen"}
        if kinds["at"] == kinds["seen"]:
            times["known_time"] = ("coalesce", "seen", "at")
            times["later_time"] = ("greatest", "seen", "at")
        return Dataset(
            types, rows, ("clip_id",), "at", times,
            {
                "tone": "tone", "outlet_id": "outlet_id", "source_id": "source_id", "region": "outlet.region", "grp": "outlet.brand.grp",
                "tier": "listing.tier", "tier_grp": "listing.brand.grp", "flag": "flag", "origin": "origin.region", "mark": "mark.mark",
                "band": band, "loud": ("upper", ("coalesce", "tone", ("lit", "none"))),
            },
            {
                "outlet": Link("outlets", {"outlet_id": "outlet_id"}), "origin": Link("outlets", {"source_id": "outlet_id"}),
                "listing": Link("listings", {"outlet_id": "outlet_id"}, ("since", "until")),
                "mark": Link("marks", {"outlet_id": "outlet", "tone": "tone"}),
            },
            depends={"outlet_id": frozenset({"region", "grp"}), "source_id": frozenset({"origin"})},
        )  # fmt: skip

    def _shaped(self, clips: Dataset) -> Dataset:
        """Make a dataset that is a query over another's table."""
        types = {name: clips.types[name] for name in ("clip_id", "tone", "at", "reach")} | {"twice": "int"}
        rows = [
            {**{name: row[name] for name in types if name != "twice"}, "twice": None if row["reach"] is None else row["reach"] * 2}
            for row in clips.rows
            if row["flag"] is True
        ]  # fmt: skip
        query = 'select clip_id, tone, "at", reach, reach * 2 as twice from clips where flag'
        return Dataset(types, rows, ("clip_id",), "at", {}, {"tone": "tone"}, query=query)

    def _spend(self) -> Dataset:
        random = self.random
        rows = [
            {
                "region": self._maybe(random.choice(("N", "S", "W"))),
                "tone": self._maybe(random.choice(TONES)),
                "day": self._moment("date"),
                "amount": self._maybe(Decimal(random.randrange(0, 9999)) / 100),
                "weight": self._maybe(random.randrange(0, 5)),
            }
            for _ in range(random.choice((0, 3, 20, 20)))
        ]
        types = {"region": "text", "tone": "text", "day": "date", "amount": "money", "weight": "int"}
        return Dataset(types, rows, (), "day", {}, {"region": "region", "tone": "tone"})

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
            for _ in range(2049 if self.large else random.choice((0, 1, 4, 25, 25)))
        ]
        types = {"account": "int", "region": "text", "tone": "text", "taken": kind, "size": "int"}
        dimensions = {"region": "region", "tone": "tone", "account": "account"}
        keep = random.choice((None, None, (45, "day"), (10, "day"), (1, "month"), (2, "week"), (1, "quarter")))
        entity = random.choice((("account",), ("account",), ("account", "region"), ()))
        return Dataset(types, rows, (), "taken", {}, dimensions, entity=entity, keep=keep)

    def _visits(self) -> Dataset:
        """Make earlier rows for conversions."""
        random = self.random
        kind = random.choice(("date", "instant", "local", "utc"))
        rows = [
            {
                "visit_id": n, "visitor": self._maybe(random.randint(1, 4), 0.1), "device": self._maybe(random.choice(("tv", "pc"))),
                "tone": self._maybe(random.choice(TONES)), "came": self._maybe(self._close(kind), 0.05), "pages": self._maybe(random.randrange(0, 5)),
            }
            for n in range(random.choice((0, 1, 5, 25, 25)))
        ]  # fmt: skip
        types = {"visit_id": "int", "visitor": "int", "device": "text", "tone": "text", "came": kind, "pages": "int"}
        dimensions = {"tone": "tone", "device": "device", "visitor": "visitor"}
        return Dataset(types, rows, ("visit_id",), "came", {}, dimensions)

    def _orders(self) -> Dataset:
        """Make later rows for conversions."""
        random = self.random
        kind = random.choice(("date", "instant", "local", "utc"))
        rows = [
            {
                "order_id": n, "buyer": self._maybe(random.randint(1, 4), 0.1), "device": self._maybe(random.choice(("tv", "pc"))),
                "tone": self._maybe(random.choice(TONES)), "bought": self._maybe(self._close(kind), 0.05),
                "amount": self._maybe(Decimal(random.randrange(0, 9999)) / 100),
            }
            for n in range(random.choice((0, 1, 5, 25, 25)))
        ]  # fmt: skip
        types = {"order_id": "int", "buyer": "int", "device": "text", "tone": "text", "bought": kind, "amount": "money"}
        return Dataset(types, rows, ("order_id",), "bought", {}, {"tone": "tone", "device": "device"})

    def _payments(self) -> Dataset:
        """Make amounts of money, each in a currency, on days with and without a rate."""
        random = self.random
        kind = random.choice(("date", "instant", "local", "utc"))
        known = random.choice((CURRENCIES, CURRENCIES[:2], CURRENCIES[:1]))
        rows = [
            {
                "payment_id": n, "tone": self._maybe(random.choice(TONES)), "paid": self._moment(kind),
                "amount": self._maybe(Decimal(random.randrange(-500, 5000)) / 100), "currency": self._maybe(random.choice(known), random.choice((0, 0, 0.02))),
            }
            for n in range(random.choice((0, 1, 5, 40, 60, 60)))
        ]  # fmt: skip
        types = {"payment_id": "int", "tone": "text", "paid": kind, "amount": "money", "currency": "text"}
        dimensions = {"tone": "tone", "currency": "currency"}
        return Dataset(types, rows, ("payment_id",), "paid", {}, dimensions, currencies={"amount": "currency"})

    def _quotes(self) -> Dataset:
        """Make rates of some days: none at weekends, none for weeks, none that is above 0; turned round each is a decimal again.

        Over a third currency a rate is a product of binary numbers, so those are powers of two.
        """
        random, rows = self.random, []
        kind = random.choice(("date", "date", "local"))
        pairs = random.choice((
            (("USD", "EUR"), ("GBP", "EUR")), (("USD", "EUR"), ("EUR", "USD"), ("GBP", "EUR"), ("EUR", "GBP")), (("EUR", "USD"), ("EUR", "GBP")),
            (("USD", "EUR"), ("EUR", "USD"), ("USD", "GBP"), ("GBP", "USD")),
        ))  # fmt: skip
        missing = random.choice((0, 0, 0.1, 0.6))
        through = random.choice(("", "", "EUR", "USD"))
        values = ("0.5", "0.25", "2", "4", "8") if through else ("0.5", "0.8", "1.25", "2", "0.625", "1.6", "1.6")
        for one, other in pairs:
            day = FIRST - 20 * DAY
            while day < FIRST + 810 * DAY:
                day += random.choice((1, 1, 2, 4, 5)) * DAY
                if day.weekday() > FRIDAY or random.random() < missing:
                    continue
                rate = random.choice(values) if random.random() < 0.97 else None
                since = day.date() if kind == "date" else day + timedelta(hours=random.choice((0, 9, 16)))
                rows.append({"cur": one, "quote": other, "since": since, "rate": rate and Decimal(rate)})
        how = Rates(
            random.choice(((7, "day"), (7, "day"), None, None, (1, "month"), (3, "day"))),
            random.random() < 0.5,
            through,
        )
        types = {"cur": "text", "quote": "text", "since": kind, "rate": "rate"}
        return Dataset(types, rows, ("cur", "quote", "since"), "since", rates=how)

    def _close(self, kind: str) -> date | datetime:
        """Make a moment of two months, often one that others share."""
        naive = datetime(2024, 2, 20) + timedelta(
            hours=self.random.choice((0, 24, 36, 500, 700, self.random.randrange(0, 1500)))
        )
        return naive.date() if kind == "date" else naive.replace(tzinfo=UTC) if kind == "instant" else naive
