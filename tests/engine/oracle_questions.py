"""Random questions for the oracle to a model."""
# ruff: noqa: DTZ001, PLR0911 - local times carry no zone; a line for each kind of period

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from oracle_calendar import DAY, LENGTHS, MONTHS, Almanac, Asked, Window, floor, following
from oracle_cohorts import AGE
from oracle_data import EDGES
from oracle_kpis import AGED, APART, CONSTANTS, MONEY
from oracle_model import Condition, Model, Question, Top
from oracle_money import CURRENCIES

if TYPE_CHECKING:
    from random import Random

CALENDAR = ("month", "quarter", "year", "fiscal_quarter", "fiscal_year")
SEVERAL = (
    ("month", "week"),
    ("day", "week"),
    ("quarter", "month"),
    ("month", "fiscal_quarter"),
    ("week", "year"),
    ("month", "season"),
    ("season", "week"),
)


class Questions:
    """Makes questions to one model."""

    def __init__(self, random: Random, model: Model) -> None:
        self.random = random
        self.model = model

    def made(self) -> Question:
        """Make a question."""
        random, pick = self.random, self.random.choice
        last = date(2024, 1, 1) + random.randrange(0, 600) * DAY if self._chance(0.5) else date(2025, 6, 1)
        as_of, said = datetime(last.year, last.month, last.day) + DAY, last.isoformat()
        period = self._period(last)
        if self._chance(0.2) and "to date" not in (period.text or ""):
            as_of, said = as_of - timedelta(hours=9, minutes=30), f"{said}T14:30"
        if self._chance(0.06):
            return self._members(period, as_of, said)
        counted = self._chance(0.08)
        money = not counted and self._chance(0.08)
        currency = self.random.choice((*CURRENCIES, "EUR", "", "", "")) if money else ""
        every = [kpi for kpi in self.model.kpis if kpi.startswith(AGED) == counted and kpi.startswith(MONEY) == money]
        if money and not currency:
            every = [kpi for kpi in every if kpi.startswith("paid") or self.model.kpis[kpi].currency]
        kpis = tuple(random.sample(every, min(len(every), pick((1, 1, 2, 3)))))
        known = self._dimensions(kpis)
        by = tuple(random.sample(known, min(len(known), pick((0, 1, 1, 2)))))
        grains = self._grains(period, kpis)
        compare = tuple(random.sample(("previous_period", "previous_year"), pick((0, 0, 1, 2)))) if period.text else ()
        drawn = [self._filter(known) for _ in range(pick((0, 0, 0, 1, 2)))] if known else []
        where = tuple({each[:2]: each for each in drawn}.values())
        if counted:
            by, where = self._by_age(by, where)
        where_sql = self._condition(kpis) if self._chance(0.08) else None
        parameters = {"least": 0, "word": "bad"} if self._chance(0.15) else {}
        periods = self._periods(period, grains) if self._chance(0.1) else ()
        dense = money or not (self._chance(0.1) and (by or grains) and all(self._is_plain(each) for each in kpis))
        shape = self._shape(kpis, by, grains, compare)
        if by and dense:
            shape |= self._chosen(kpis, by)
        if compare and self._chance(0.3) and all(self._is_still(each) for each in kpis):
            shape["like_for_like"] = True
        return Question(
            kpis, period, as_of, said, by, grains, where, where_sql, periods, compare,
            dense=dense, parameters=parameters, currency=currency, totals=self._chance(0.35), **shape,
        )  # fmt: skip

    def _by_age(
        self, by: tuple[str, ...], where: tuple[Condition, ...]
    ) -> tuple[tuple[str, ...], tuple[Condition, ...]]:
        """Ask for ages: as members, as some of them, as all up to one, and seldom not at all."""
        pick, kind = self.random.choice, self.random.random()
        bounded: tuple[Condition, ...] = (
            ("eq", AGE, pick((0, 1, 3))), ("le", AGE, pick((1, 2))), ("lt", AGE, 2), ("in", AGE, (0, 2)), ("between", AGE, 1, 3),
        )  # fmt: skip
        if kind < 0.05:
            return by, where
        if kind < 0.35:
            return by, (*where, pick(bounded))
        by = tuple(self.random.sample((*by, AGE), len(by) + 1))
        return by, (*where, pick((*bounded, ("ge", AGE, 1)))) if kind < 0.5 else where

    def _chance(self, share: float) -> bool:
        return self.random.random() < share

    def _members(self, period: Asked, as_of: datetime, said: str) -> Question:
        """Ask for members without a KPI."""
        pick = self.random.choice
        of = pick((("clips",), ("spend",), ("clips", "spend"), ("visits",), ("shaped",)))
        known = sorted(set.intersection(*(set(self.model.datasets[each].dimensions) for each in of)))
        by = tuple(self.random.sample(known, pick((1, 2)) if len(known) > 1 else 1))
        where = (self._filter(known),) if self._chance(0.3) else ()
        dense = not self._chance(0.3)
        grains = (pick(("month", "quarter")),) if period.text and self._chance(0.4) else ()
        return Question(
            (), period, as_of, said, by, grains, where, dense=dense, of=of, dated=not dense or self._chance(0.7)
        )

    def _shape(
        self, kpis: tuple[str, ...], by: tuple[str, ...], grains: tuple[str, ...], compare: tuple[str, ...]
    ) -> dict[str, Any]:
        """Say which rows are kept, how they are sorted and how many there are."""
        pick, found = self.random.choice, {}
        values = [*kpis, *(f"{kpi}__{name}" for name in compare for kpi in kpis)]
        if self._chance(0.15):
            tests = (
                ("gt", Decimal("2.00371")),
                ("le", Decimal("10.00371")),
                ("ne", 0),
                ("null",),
                ("between", -1, Decimal("30.00371")),
            )
            found["having"] = tuple((pick(values), *pick(tests)) for _ in range(pick((1, 1, 2))))
        if self._chance(0.2):
            columns = [*values, *by, *(["period"] if grains else [])]
            found["order"] = tuple(
                pick(("", "-")) + each for each in self.random.sample(columns, min(len(columns), pick((1, 2))))
            )
        if self._chance(0.12):
            found["limit"] = pick((0, 1, 2, 5, 100))
        return found

    def _chosen(self, kpis: tuple[str, ...], by: tuple[str, ...]) -> dict[str, Any]:
        """Ask for ranks, shares, or the first members of a dimension."""
        pick, found = self.random.choice, {}
        exact = tuple(each for each in kpis if self._is_exact(each))
        if exact and self._chance(0.15):
            found["rank"] = (pick(exact),)
        if exact and self._chance(0.15):
            found["share"] = (pick(exact),)
        if (
            len(by) == 1
            and exact
            and self._chance(0.2)
            and all(self._is_plain(each) and self.model.kpis[each].frame == "whole" for each in kpis)
        ):
            found["top"] = Top(pick((1, 2, 2, 5)), by[0], pick(exact), self._chance(0.6))
        return found

    def _is_exact(self, kpi: str) -> bool:
        """Say whether a KPI is a number of rows, or a sum of them, of one input that ignores nothing."""
        known = self.model.kpis[kpi]
        inputs = list(known.inputs.values())
        flows = {"clips", "spend", "shaped", "visits"}
        simple = known.formula[0] == "agg" and known.formula[1] in {"count", "count_if", "known", "sum"}
        return (
            not kpi.startswith(APART)
            and simple
            and inputs[0].source in flows
            and not inputs[0].across
            and "/" not in str(known.formula)
        )

    def _is_still(self, kpi: str) -> bool:
        """Say whether no input of a KPI looks at other times, or at levels."""
        inputs = self._inputs(kpi)
        return all(
            each.source != "levels" and not (each.offset or each.covers or each.per or each.unit or each.conversion)
            for each in inputs
        )

    # -- what the KPIs allow

    def _inputs(self, kpi: str) -> list[Any]:
        own = list(self.model.kpis[kpi].inputs.values())
        return own + [below for each in own if each.source in self.model.kpis for below in self._inputs(each.source)]

    def _sources(self, kpi: str) -> list[Any]:
        return [
            each for each in self._inputs(kpi) if each.source in self.model.datasets and each.source not in CONSTANTS
        ]

    def _dimensions(self, kpis: tuple[str, ...]) -> list[str]:
        sources = {used.source for kpi in kpis for used in self._sources(kpi) if used.conversion is None}
        return sorted(set.intersection(*(set(self.model.datasets[each].dimensions) for each in sources)))

    def _is_plain(self, kpi: str) -> bool:
        """Say whether rows of its own are what all of a KPI's inputs, or some of them, have."""
        inputs = self._inputs(kpi)
        return all(not each.per and not each.unit for each in inputs)

    def _has_hours(self, kpis: tuple[str, ...]) -> bool:
        def kind(used: Any) -> str:
            dataset = self.model.datasets[used.source]
            path = dataset.times[used.time] if used.time else dataset.time
            return dataset.types[path if isinstance(path, str) else path[1]]

        return all(kind(used) != "date" for kpi in kpis for used in self._sources(kpi))

    # -- filters

    def _filter(self, known: list[str]) -> Condition:
        pick = self.random.choice
        tests: list[Condition] = []
        if "tone" in known:
            tests += [
                ("eq", "tone", "good"), ("ne", "tone", "good"), ("in", "tone", ("good", "")), ("not", ("in", "tone", ("bad", ""))),
                ("not", ("null", "tone")), ("gt", "tone", "c"), ("contains", "tone", "o"), ("starts", "tone", "b"), ("ends", "tone", "d"),
                ("between", "tone", "bad", "good"), ("le", "tone", "good"), self._among("tone", "tone"),
            ]  # fmt: skip
        if "region" in known:
            tests += [
                ("in", "region", ("N", "W")),
                ("null", "region"),
                ("eq", "region", "S"),
                self._among("region", "region"),
            ]
        if "origin" in known:
            tests += [("eq", "origin", "N"), self._among("origin", "region")]
        if "outlet_id" in known:
            tests += [
                ("lt", "outlet_id", 3),
                ("in", "outlet_id", (1, 2)),
                ("eq", "flag", True),
                ("eq", "tier", "gold"),
                self._among("outlet_id", "outlet_id"),
            ]
        if "currency" in known:
            tests += [("eq", "currency", "EUR"), ("in", "currency", ("EUR", "USD"))]
        if "visitor" in known:
            tests += [("between", "visitor", 2, 3), self._among("visitor", "visitor")]
        return pick(tests)

    def _among(self, name: str, by: str) -> Condition:
        """Make a condition on the members of a dimension: those with a value of a KPI."""
        pick = self.random.choice
        fitting = [
            kpi
            for kpi in self.model.kpis
            if not kpi.startswith(APART)
            and by in self._dimensions((kpi,))
            and self._is_plain(kpi)
            and self._is_free(kpi)
        ]
        if not fitting:
            return ("not", ("null", name))
        having = (pick(fitting), *pick((("gt", Decimal("1.00371")), ("le", Decimal("3.00371")), ("null",), ("ne", 0))))
        return ("among", name, (having,), by)

    def _is_free(self, kpi: str) -> bool:
        """Say whether a KPI may be asked for without a period, and splits."""
        return all(not isinstance(each.offset, str) and not each.across for each in self._inputs(kpi))

    def _condition(self, kpis: tuple[str, ...]) -> Condition | None:
        if any(each.across for kpi in kpis for each in self._inputs(kpi)):
            return None
        tests = (
            ("eq", "tone", "good"),
            ("or", ("null", "tone"), ("eq", "tone", "bad")),
            ("not", ("contains", "tone", "oo")),
        )
        return self.random.choice(tests)

    def _periods(self, period: Asked, grains: tuple[str, ...]) -> tuple[tuple[str, datetime], ...]:
        if not grains or period.window.start is None or period.window.end is None:
            return ()
        length = (period.window.end - period.window.start) // DAY
        moment = period.window.start + self.random.randrange(0, length + 1) * DAY
        return ((self.random.choice(("ge", "le", "lt", "gt", "ne")), moment),)

    # -- time

    def _grains(self, period: Asked, kpis: tuple[str, ...]) -> tuple[str, ...]:
        pick, window = self.random.choice, period.window
        if window.start is None or window.end is None:
            return (pick(("month", "year", "week", "season")),) if self._chance(0.4) and self._is_bare(kpis) else ()
        days = (window.end - window.start).days
        if days <= 3 and self._chance(0.5) and self._has_hours(kpis):
            return ("hour",)
        if days < 130 and self._chance(0.1):
            return pick(SEVERAL)
        grains = [*CALENDAR, "season", "week", *(["day"] if days < 35 else [])] if days < 130 else [*CALENDAR, "season"]
        return () if self._chance(0.3) else (pick(grains),)

    def _is_bare(self, kpis: tuple[str, ...]) -> bool:
        """Say whether it is plain which days the data cover: those of one input that moves nothing."""
        inputs = self._inputs(kpis[0])
        plain = len(kpis) == len(inputs) == 1 and self.model.kpis[kpis[0]].formula[0] == "agg"
        moved = inputs[0].offset or inputs[0].covers or inputs[0].per or inputs[0].unit or inputs[0].conversion
        return plain and inputs[0].source in self.model.datasets and not moved

    def _period(self, last: date) -> Asked:
        random, almanac = self.random, self.model.almanac
        day = datetime(2023, 6, 1) + random.randrange(0, 640) * DAY
        if self._chance(0.3):
            day = random.choice(EDGES).replace(hour=0, minute=0, second=0)
        today = datetime(last.year, last.month, last.day)
        kind = random.choice(("all", "unit", "unit", "unit", "range", "range", "units", "last", "to_date", "own"))
        if kind == "all":
            return Asked(None, Window(None, None))
        if kind == "unit":
            grain = random.choice(
                ("day", "week", "month", "month", "quarter", "quarter", "year", "fiscal_quarter", "fiscal_year")
            )
            start = floor(day, grain, almanac)
            window = Window(start, following(start, grain), ("step", 1, grain), grain == "week")
            return Asked(_unit_text(start, grain, almanac), window)
        if kind == "range":
            end = day + random.choice((1, 3, 17, 45, 76)) * DAY
            return Asked(f"{day.date()}..{(end - DAY).date()}", Window(day, end, ("step", (end - day).days, "day")))
        if kind == "units":
            start, count = floor(day, "month", almanac), random.randint(2, 5)
            end = _steps(start, "month", count)
            return Asked(f"{start:%Y-%m}..{end - DAY:%Y-%m}", Window(start, end, ("step", count, "month")))
        if kind == "last":
            grain, count = random.choice(("day", "week", "month")), random.randint(2, 6)
            end = start = floor(today, grain, almanac)
            for _ in range(count):
                start = floor(start - DAY, grain, almanac)
            return Asked(f"last {count} {grain}s", Window(start, end, ("step", count, grain), grain == "week"))
        if kind == "own":
            return self._own_period(today)
        grain = random.choice(("month", "quarter", "year"))
        return Asked(f"{grain} to date", Window(floor(today, grain, almanac), today + DAY, ("to_date", 1, grain)))

    def _own_period(self, today: datetime) -> Asked:
        """Ask for periods of a unit of the project's own: by name, the last ones, what is running."""
        pick, unit = self.random.choice, self.random.choice(self.model.almanac.units)
        periods, step = unit.periods, ("step", 1, unit.name)
        number, ended = unit.number(today), [each for each in periods if each[1] <= today]
        kind = pick(("named", "named", "several", "last", "this", "to date"))
        if kind == "last" and len(ended) > 2:
            count = pick((1, 2, 3))
            return Asked(
                f"last {count} {unit.name}s", Window(ended[-count][0], ended[-1][1], ("step", count, unit.name))
            )
        if kind in {"this", "to date"} and number is not None:
            start, end, _ = periods[number]
            if kind == "this":
                return Asked(f"this {unit.name}", Window(start, end, step))
            return Asked(f"{unit.name} to date", Window(start, today + DAY, ("to_date", 1, unit.name)))
        place = pick([n for n, each in enumerate(periods) if datetime(2023, 5, 1) <= each[0] < datetime(2025, 3, 1)])
        start, end, name = periods[place]
        if kind == "several" and place + 2 < len(periods):
            return Asked(
                f"{name}..{periods[place + 2][2]}", Window(start, periods[place + 2][1], ("step", 3, unit.name))
            )
        return Asked(f"{unit.name} {name}", Window(start, end, step))


def _steps(start: datetime, grain: str, count: int) -> datetime:
    for _ in range(count):
        start = following(start, grain)
    return start


def _unit_text(start: datetime, grain: str, almanac: Almanac) -> str:
    if grain in LENGTHS:
        middle = start + 3 * DAY
        return (
            f"{start:%Y-%m-%d}" if grain == "day" else f"{middle.year}-W{(middle.timetuple().tm_yday - 1) // 7 + 1:02}"
        )
    if grain in {"month", "year"}:
        return f"{start:%Y-%m}" if grain == "month" else f"{start:%Y}"
    if grain == "quarter":
        return f"{start.year}-Q{(start.month + 2) // 3}"
    months = (start.month - almanac.fiscal_start) % 12
    year = (start.year * 12 + start.month - 1 - months) // 12 + (
        almanac.fiscal_start > 1 and almanac.named_after == "end"
    )
    return f"fiscal {year}" if grain == "fiscal_year" else f"fiscal {year}-Q{months // MONTHS['quarter'] + 1}"
