"""Random projects and questions for the oracle: one seed gives one model with its data, and as many questions as asked."""
# ruff: noqa: DTZ001 - local times carry no zone; a seed gives the same case again

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from oracle_calendar import DAY, MONTHS, Almanac, Asked, Window, floor, following
from oracle_data import EDGES, TONES, Tables
from oracle_model import Condition, Formula, Input, Kpi, Model, Question

if TYPE_CHECKING:
    from random import Random

ZONES = ("UTC", "Europe/Paris", "America/New_York", "Asia/Kolkata", "Pacific/Auckland", "America/Sao_Paulo")


class Maker:
    """Makes one model and questions to it."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def model(self) -> Model:
        """Make a model with its data."""
        pick = self.random.choice
        almanac = Almanac(pick(ZONES), pick((0, 0, 6)), pick((1, 4, 7, 10)))
        return Model(Tables(self.random).datasets(), self._kpis(), almanac)

    # -- definitions

    def _kpis(self) -> dict[str, Kpi]:
        kpis: dict[str, Kpi] = {}
        for n in range(4):
            kpis[f"leaf{n}"] = self._leaf()
        for n in range(3):
            kpis[f"ratio{n}"] = self._ratio()
        for n in range(3):
            kpis[f"over{n}"] = self._over([name for name in kpis if not name.startswith("over")])
        for n in range(4):
            kpis[f"per{n}"] = self._per([name for name in kpis if not name.startswith("per")], kpis)
        return kpis

    def _dataset_input(self) -> tuple[str, Input]:
        random = self.random
        name = random.choice(("clips", "clips", "spend", "levels"))
        used: dict[str, Any] = {}
        if random.random() < 0.4:
            used["where"] = self._condition(name)
        if name == "clips" and random.random() < 0.25:
            used["time"] = "seen_time"
        if name == "levels" and random.random() < 0.5:
            used["take"] = random.choice(("closing", "opening", "rows"))
        if random.random() < 0.2:
            used["across"] = frozenset(
                random.choice(
                    (("tone",), ("region",), ("all",), ("outlet_id",) if name == "clips" else ("tone", "region"))
                )
            )
        if random.random() < 0.3:
            used["offset"] = random.choice(
                ((1, "month"), (1, "year"), "period", (1, "week"), (2, "month"), (1, "quarter"))
            )
        if random.random() < 0.3:
            units = ("week", "month", "quarter", "year", "fiscal_quarter", "fiscal_year")
            lengths = (
                ("window", 28, "day"),
                ("window", 3, "month"),
                ("window", 10, "day"),
                ("window", 1, "month"),
                ("window", 2, "week"),
            )
            used["covers"] = random.choice((("all",), ("to_date", random.choice(units)), random.choice(lengths)))
        return name, Input(name, **used)

    def _condition(self, name: str) -> Condition:
        random = self.random
        tests: list[Condition] = [
            ("eq", "tone", random.choice(TONES)), ("ne", "tone", "good"), ("in", "tone", ["good", "bad"]), ("null", "tone"), ("not", ("null", "region")),
            ("not", ("eq", "region", "N")), ("not", ("in", "tone", ["good"])), ("eq", "region", "S"),
        ]  # fmt: skip
        if name == "clips":
            tests += [
                ("gt", "reach", 0),
                ("le", "amount", Decimal("10.5")),
                ("eq", "flag", True),
                ("eq", "outlet.brand.grp", "P"),
                ("ge", "outlet.readers", 200),
                ("eq", "tier", "gold"),
            ]
        if name == "levels":
            tests += [("ge", "size", 100)]
        one, two = random.choice(tests), random.choice(tests)
        return random.choice((one, one, ("and", one, two), ("or", one, two), ("not", ("or", one, two))))

    def _additive(self, name: str, alias: str) -> Formula:
        """Make an aggregate that is exact on every engine: a count or a sum of whole numbers, decimals or quarters."""
        random = self.random
        columns = {"clips": ("reach", "amount", "score", "outlet.readers"), "spend": ("amount",), "levels": ("size",)}[
            name
        ]
        where = self._condition(name) if random.random() < 0.25 else None
        kind = random.choice(("count", "sum", "sum", "distinct", "known"))
        if kind == "count":
            return ("agg", "count", alias, None, where)
        column = (
            random.choice({"clips": ("outlet_id", "tone", "reach"), "spend": ("region",), "levels": ("account",)}[name])
            if kind == "distinct"
            else random.choice(columns)
        )
        return ("agg", kind, alias, column, where)

    def _leaf(self) -> Kpi:
        random = self.random
        name, used = self._dataset_input()
        if random.random() < 0.6:
            formula = self._additive(name, "x")
        else:
            column = random.choice(
                {"clips": ("reach", "amount", "score"), "spend": ("amount",), "levels": ("size",)}[name]
            )
            formula = (
                "agg",
                random.choice(("avg", "min", "max", "median")),
                "x",
                column,
                self._condition(name) if random.random() < 0.2 else None,
            )
        return Kpi({"x": used}, formula, random.random() < 0.2, random.random() < 0.3)

    def _ratio(self) -> Kpi:
        random = self.random
        (above, x), (below, y) = self._dataset_input(), self._dataset_input()
        top, bottom = self._additive(above, "x"), self._additive(below, "y")
        if random.random() < 0.3:
            top = ("coalesce", top, "0")
        if random.random() < 0.2:
            y, bottom = x, self._additive(above, "x")
        else:
            bottom = ("+", bottom, ("num", "1")) if random.random() < 0.2 else bottom
        formula: Formula = (random.choice(("/", "/", "/", "-", "+", "*")), top, bottom)
        inputs = {"x": x, "y": y} if any(each != "x" for each in _aliases(formula)) else {"x": x}
        return Kpi(inputs, formula, random.random() < 0.5, random.random() < 0.3)

    def _over(self, names: list[str]) -> Kpi:
        random = self.random

        def used() -> Input:
            found: dict[str, Any] = {}
            if random.random() < 0.5:
                found["offset"] = random.choice(((1, "month"), (1, "year"), "period"))
            if random.random() < 0.25:
                found["across"] = frozenset(random.choice((("tone",), ("region",), ("all",))))
            if random.random() < 0.25:
                found["where"] = random.choice(
                    (("eq", "tone", "good"), ("not", ("null", "region")), ("eq", "region", "S"))
                )
            return Input(random.choice(names), **found)

        formula: Formula = random.choice((
            ("-", ("/", ("input", "now"), ("input", "before")), ("num", "1")),
            ("-", ("input", "now"), ("coalesce", ("input", "before"), "0")),
            ("*", ("input", "now"), ("num", "0.5")), ("/", ("input", "now"), ("input", "before")),
        ))  # fmt: skip
        aliases = set(_aliases(formula))
        return Kpi({name: used() for name in ("now", "before") if name in aliases}, formula, random.random() < 0.4)

    def _per(self, leaves: list[str], kpis: dict[str, Kpi]) -> Kpi:
        random = self.random
        leaf = random.choice(leaves)
        sources = {each.source for each in kpis[leaf].inputs.values()}
        dataset = sources.pop() if len(sources) == 1 else ""
        entity = random.choice(
            {"clips": ("outlet_id", "tone"), "spend": ("region", "tone"), "levels": ("account", "tone")}.get(
                dataset, ("region", "tone")
            )
        )
        offset = random.choice((None, None, (1, "month"), "period"))
        if random.random() < 0.2 and leaf.startswith("leaf"):
            return Kpi({"x": Input(dataset, per=(entity,), offset=offset)}, ("agg", "count", "x", None, None))
        inputs = {"x": Input(leaf, per=(entity,), offset=offset)}
        return Kpi(
            inputs,
            ("agg", random.choice(("sum", "avg", "min", "max", "median", "count")), "x", None, None),
            empty_unknown=random.random() < 0.3,
        )

    # -- questions

    def question(self, model: Model) -> tuple[Question, str]:
        """Make a question, and its `as_of` as a text."""
        random = self.random
        last = date(2024, 1, 1) + random.randrange(0, 600) * DAY if random.random() < 0.5 else date(2025, 6, 1)
        as_of = datetime(last.year, last.month, last.day) + DAY
        kpis = tuple(random.sample(list(model.kpis), random.choice((1, 1, 2, 3))))
        by = tuple(random.sample(self._dimensions(model, kpis), random.choice((0, 1, 1, 2))))
        period = self._period(model.almanac, last)
        said = last.isoformat()
        if random.random() < 0.2 and "to date" not in (period.text or ""):
            as_of, said = as_of - timedelta(hours=9, minutes=30), f"{said}T14:30"
        grain = self._grain(period)
        compare = (
            tuple(random.sample(("previous_period", "previous_year"), random.choice((0, 0, 1, 2))))
            if period.text
            else ()
        )
        where = tuple(self._filter() for _ in range(random.choice((0, 0, 0, 1))))
        return Question(kpis, period, as_of, by, grain, where, compare), said

    def _dimensions(self, model: Model, kpis: tuple[str, ...]) -> list[str]:
        sources = {source for kpi in kpis for source in _sources(model, kpi)}
        shared = [set(model.datasets[each].dimensions) for each in sources]
        return sorted(set.intersection(*shared))

    def _filter(self) -> Condition:
        return self.random.choice((
            ("eq", "tone", "good"), ("ne", "tone", "good"), ("in", "region", ["N", "W"]), ("not", ("in", "tone", ["bad", ""])),
            ("null", "region"), ("not", ("null", "tone")), ("gt", "tone", "c"),
        ))  # fmt: skip

    def _grain(self, period: Asked) -> str | None:
        if not period.text:
            return None
        assert period.window.start is not None
        assert period.window.end is not None
        days = (period.window.end - period.window.start).days
        grains = ["month", "quarter", "year", "fiscal_quarter", "fiscal_year", "week", *(["day"] if days < 35 else [])]
        return (
            self.random.choice((None, *grains))
            if days < 130
            else self.random.choice((None, None, "month", "quarter", "year", "fiscal_quarter", "fiscal_year"))
        )

    def _period(self, almanac: Almanac, last: date) -> Asked:
        random = self.random
        day = datetime(2023, 6, 1) + random.randrange(0, 640) * DAY
        if random.random() < 0.3:
            day = random.choice(EDGES).replace(hour=0, minute=0, second=0)
        today = datetime(last.year, last.month, last.day)
        kind = random.choice(("all", "unit", "unit", "unit", "range", "range", "units", "last", "to_date"))
        if kind == "all":
            return Asked(None, Window(None, None))
        if kind == "unit":
            grain = random.choice(
                ("day", "week", "month", "month", "quarter", "quarter", "year", "fiscal_quarter", "fiscal_year")
            )
            start = floor(day, grain, almanac)
            return Asked(
                _unit_text(start, grain, almanac),
                Window(start, following(start, grain), ("step", 1, grain), grain == "week"),
            )
        if kind == "range":
            end = day + random.choice((1, 3, 17, 45, 76)) * DAY
            return Asked(f"{day.date()}..{(end - DAY).date()}", Window(day, end, ("step", (end - day).days, "day")))
        if kind == "units":
            start, count = floor(day, "month", almanac), random.randint(2, 5)
            end = start
            for _ in range(count):
                end = following(end, "month")
            return Asked(f"{start:%Y-%m}..{end - DAY:%Y-%m}", Window(start, end, ("step", count, "month")))
        if kind == "last":
            grain, count = random.choice(("day", "week", "month")), random.randint(2, 6)
            end = floor(today, grain, almanac)
            start = end
            for _ in range(count):
                start = floor(start - DAY, grain, almanac)
            return Asked(f"last {count} {grain}s", Window(start, end, ("step", count, grain), grain == "week"))
        grain = random.choice(("month", "quarter", "year"))
        return Asked(f"{grain} to date", Window(floor(today, grain, almanac), today + DAY, ("to_date", 1, grain)))


def _unit_text(start: datetime, grain: str, almanac: Almanac) -> str:
    if grain == "day":
        return f"{start:%Y-%m-%d}"
    if grain == "week":
        middle = start + 3 * DAY
        return f"{middle.year}-W{(middle.timetuple().tm_yday - 1) // 7 + 1:02}"
    if grain in {"month", "year"}:
        return f"{start:%Y-%m}" if grain == "month" else f"{start:%Y}"
    if grain == "quarter":
        return f"{start.year}-Q{(start.month + 2) // 3}"
    months = (start.month - almanac.fiscal_start) % 12
    year = (start.year * 12 + start.month - 1 - months) // 12 + (almanac.fiscal_start > 1)
    return f"fiscal {year}" if grain == "fiscal_year" else f"fiscal {year}-Q{months // MONTHS['quarter'] + 1}"


def _aliases(formula: Formula) -> list[str]:
    if formula[0] == "agg":
        return [formula[2]]
    if formula[0] == "input":
        return [formula[1]]
    return [alias for part in formula[1:] if isinstance(part, tuple) for alias in _aliases(part)]


def _sources(model: Model, kpi: str) -> set[str]:
    found: set[str] = set()
    for used in model.kpis[kpi].inputs.values():
        found |= {used.source} if used.source in model.datasets else _sources(model, used.source)
    return found
