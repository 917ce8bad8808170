"""Random definitions for the oracle: KPIs of every kind, each made of those before it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from oracle_data import TONES
from oracle_model import Condition, Conversion, Formula, Input, Kpi, Param, Term
from oracle_money import CURRENCIES
from oracle_terms import walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from random import Random

    from oracle_model import Dataset

NUMBERS: dict[str, tuple[Term, ...]] = {
    "clips": (
        "reach", "amount", "score", "outlet.readers", "origin.readers", ("*", "amount", "score"), ("case", ("eq", "tone", "good"), "reach", None),
        ("coalesce", "reach", ("lit", 0)), ("abs", "amount"), ("neg", "score"), ("nullif", "reach", ("lit", 7)),
        ("greatest", "reach", ("lit", 0)), ("/", "amount", "score"), ("-", "amount", ("lit", Decimal("0.05"))),
    ),
    "shaped": ("reach", "twice"),
    "spend": ("amount", "weight", ("*", "amount", "weight")),
    "levels": ("size", ("+", "size", ("lit", 1))),
    "visits": ("pages", "pages", ("sign", "pages")),
    "orders": ("amount", ("case", ("gt", "amount", 30), ("lit", 1), ("lit", 0))),
    "payments": ("amount", "amount", ("*", "amount", ("lit", 2)), ("neg", "amount"), ("abs", "amount"), ("coalesce", "amount", ("lit", 0))),
}  # fmt: skip
MEMBERS: dict[str, tuple[Term, ...]] = {
    "clips": ("outlet_id", "tone", "reach", "band", ("lower", "tone")),
    "shaped": ("tone",),
    "spend": ("region",),
    "levels": ("account",),
    "visits": ("visitor", "device"),
    "orders": ("buyer", "device"),
    "payments": ("currency", "tone"),
}
WEIGHED = {"clips": ("amount", "reach"), "spend": ("amount", "weight")}
SPREAD = {"clips": ("amount", "score"), "spend": ("amount",), "levels": ("size",), "orders": ("amount",)}
PERCENTILES = ("cont:0.25", "cont:0.9", "disc:0.25", "disc:0.5", "disc:0.9", "cont:0", "disc:1")
OFFSETS = (
    (1, "month"), (1, "year"), "period", (1, "week"), (2, "month"), (1, "quarter"), (1, "day"), (28, "day"), (52, "week"),
    "start of month", "start of year", "start of week", "start of quarter",
    (1, "season"), (2, "season"), (1, "term"), "start of season",
)  # fmt: skip
LENGTHS = (
    (28, "day"),
    (3, "month"),
    (10, "day"),
    (1, "month"),
    (2, "week"),
    (1, "year"),
    (1, "quarter"),
    (1, "season"),
    (3, "season"),
)
UNITS = ("week", "month", "quarter", "year", "fiscal_quarter", "fiscal_year", "season", "term")
AGES = ("month", "month", "month", "week", "quarter", "quarter", "year", "fiscal_quarter", "fiscal_year", "day")
AGED = ("cohort", "aged")
"""How KPIs are called that are counted by age."""
MONEY = ("paid", "funds")
"""How KPIs are called that are of money."""
APART = (*AGED, *MONEY)
CONSTANTS = ("outlets", "brands")


class Definitions:
    """Makes the KPIs of one project."""

    def __init__(self, random: Random, datasets: Mapping[str, Dataset]) -> None:
        self.random = random
        self.datasets = datasets
        self.kpis: dict[str, Kpi] = {}
        self.age = random.choice(AGES)

    def made(self) -> dict[str, Kpi]:
        """Make them."""
        for kind, count in (
            ("leaf", 5),
            ("ratio", 3),
            ("rate", 2),
            ("over", 4),
            ("per", 4),
            ("daily", 3),
            ("deep", 3),
            ("cohort", 2),
            ("aged", 3),
            ("paid", 3),
            ("funds", 3),
        ):
            for n in range(count):
                make = getattr(self, f"_{kind}")
                kpi = make(list(self.kpis))
                self.kpis[f"{kind}{n}"] = replace(kpi, frame=self._frame(kind))
        return self.kpis

    def _chance(self, share: float) -> bool:
        return self.random.random() < share

    def _frame(self, kind: str) -> str:
        return (
            self.random.choice(("observed", "every_period"))
            if kind in {"leaf", "ratio"} and self._chance(0.15)
            else "whole"
        )

    def sources(self, kpi: str) -> set[str]:
        """Name the datasets whose rows a KPI is split by."""
        found: set[str] = set()
        for used in self.kpis[kpi].inputs.values():
            if used.source in self.datasets:
                found |= set() if used.source in CONSTANTS or used.conversion else {used.source}
            else:
                found |= self.sources(used.source)
        return found

    def has_constants(self, kpi: str) -> bool:
        """Say whether some input of a KPI has no time."""
        inputs = self.kpis[kpi].inputs.values()
        return any(
            used.source in CONSTANTS if used.source in self.datasets else self.has_constants(used.source)
            for used in inputs
        )

    def shared(self, kpi: str) -> set[str]:
        """Name the dimensions that all datasets below a KPI have."""
        return set.intersection(*(set(self.datasets[each].dimensions) for each in self.sources(kpi)))

    # -- inputs

    def _dataset_input(self, name: str = "") -> tuple[str, Input]:
        pick = self.random.choice
        name = name or pick(("clips", "clips", "clips", "spend", "levels", "levels", "shaped", "visits"))
        used: dict[str, Any] = {}
        if self._chance(0.4):
            used["where"] = self.condition(name)
        if self.datasets[name].times and self._chance(0.25):
            used["time"] = pick(list(self.datasets[name].times))
        if name == "levels" and self._chance(0.6):
            used["take"] = pick(("closing", "opening", "rows", "first", "last"))
        if self._chance(0.15):
            used["across"] = frozenset(pick(self._across(name)))
        if self._chance(0.25):
            used["offset"] = pick(OFFSETS)
        if self._chance(0.25):
            used["covers"] = pick((("all",), ("to_date", pick(UNITS)), ("window", *pick(LENGTHS))))
        if self._chance(0.1):
            used["among"] = self._among(self.datasets[name].dimensions)
        return name, Input(name, **used)

    def _among(self, known: Iterable[str]) -> tuple[Any, ...]:
        """Make a condition on a KPI that is there already and may be asked for without a period."""
        dimension = self.random.choice(
            [each for each in ("tone", "region", "outlet_id", "account", "visitor") if each in known]
        )
        fitting = [
            kpi
            for kpi in self.kpis
            if not kpi.startswith(APART)
            and dimension in self.shared(kpi)
            and self.is_free(kpi)
            and not self.has_constants(kpi)
        ]
        if not fitting:
            return ()
        pick = self.random.choice
        test = pick(
            (("gt", Decimal("1.00371")), ("le", Decimal("3.00371")), ("null",), ("ne", 0), ("lt", Param("least")))
        )
        return ((dimension, ((pick(fitting), *test),)),)

    def is_free(self, kpi: str) -> bool:
        """Say whether a KPI may be asked for without a period, and keeps every split."""
        inputs = self.kpis[kpi].inputs.values()
        return all(
            not isinstance(used.offset, str) and not used.across and not used.per and not used.unit
            and (used.source in self.datasets or self.is_free(used.source))
            for used in inputs
        )  # fmt: skip

    def _across(self, name: str) -> tuple[tuple[str, ...], ...]:
        if name == "clips":
            return (("tone",), ("region",), ("all",), ("outlet_id",), ("tone", "region"), ("source_id",), ("tier",))
        return (
            (("tone",), ("all",)) if name == "shaped" else (("tone",), (min(self.datasets[name].dimensions),), ("all",))
        )

    def condition(self, name: str) -> Condition:
        """Make a condition on rows."""
        pick = self.random.choice
        tests: list[Condition] = [
            ("eq", "tone", pick(TONES)), ("ne", "tone", "good"), ("in", "tone", ("good", "bad")), ("null", "tone"),
            ("not", ("in", "tone", ("good",))), ("contains", "tone", "o"), ("starts", "tone", "b"), ("ends", "tone", "d"),
            ("distinct", "tone", "good"), ("between", "tone", "a", "good"), ("eq", "tone", Param("word")),
        ]  # fmt: skip
        if name in {"clips", "spend", "levels"}:
            tests += [("not", ("null", "region")), ("not", ("eq", "region", "N")), ("eq", "region", "S")]
        if name == "clips":
            tests += [
                ("gt", "reach", 0), ("le", "amount", Decimal("10.5")), ("eq", "flag", True), ("eq", "outlet.brand.grp", "P"),
                ("ge", "outlet.readers", 200), ("eq", "tier", "gold"), ("is", "flag", False), ("not", ("is", "flag", True)),
                ("gt", "reach", Param("least")), ("eq", "mark", "high"), ("eq", "band", "big"), ("eq", "origin", "N"),
                ("eq", "listing.brand.grp", "Q"), ("lt", ("*", "amount", "score"), 3), ("gt", ("length", "tone"), 2),
            ]  # fmt: skip
        if name == "payments":
            tests += [("eq", "currency", "EUR"), ("gt", "amount", 10), ("null", "currency")]
        if name in {"levels", "visits", "orders"}:
            tests.append(("ge", {"levels": "size", "visits": "pages", "orders": "amount"}[name], pick((1, 40, 100))))
        one, two = pick(tests), pick(tests)
        return pick((one, one, ("and", one, two), ("or", one, two), ("not", ("or", one, two))))

    # -- aggregates

    def _additive(self, name: str, alias: str) -> Formula:
        """Make an aggregate that is exact on every engine: a count or a sum."""
        pick = self.random.choice
        where = self.condition(name) if self._chance(0.25) else None
        kind = pick(("count", "sum", "sum", "distinct", "known", "count_if"))
        if kind == "count":
            return ("agg", "count", alias, None, where)
        if kind == "count_if":
            return ("agg", "count_if", alias, self.condition(name), where)
        return ("agg", kind, alias, pick((MEMBERS if kind == "distinct" else NUMBERS)[name]), where)

    def _aggregate(self, name: str, alias: str) -> Formula:
        pick = self.random.choice
        if self._chance(0.55):
            return self._additive(name, alias)
        where = self.condition(name) if self._chance(0.2) else None
        if name in SPREAD and self._chance(0.15):
            return ("agg", "stddev", alias, pick(SPREAD[name]), where)
        return ("agg", pick(("avg", "min", "max", "median", pick(PERCENTILES))), alias, pick(NUMBERS[name]), where)

    # -- kinds

    def _leaf(self, _names: list[str]) -> Kpi:
        name, used = self._dataset_input()
        return Kpi({"x": used}, self._aggregate(name, "x"), self._chance(0.2), self._chance(0.3))

    def _ratio(self, _names: list[str]) -> Kpi:
        pick = self.random.choice
        if self._chance(0.2):
            name = pick(list(WEIGHED))
            value, weight = WEIGHED[name]
            known = ("agg", "sum", "x", ("*", value, weight), None)
            return Kpi({"x": self._dataset_input(name)[1]}, ("/", known, ("agg", "sum", "x", weight, None)))
        (above, x), (below, y) = self._dataset_input(), self._dataset_input()
        top, bottom = self._additive(above, "x"), self._additive(below, "y")
        if self._chance(0.3):
            top = ("coalesce", top, ("lit", 0))
        if self._chance(0.15):
            y, bottom = Input(pick(CONSTANTS), across=frozenset({"all"})), ("agg", "count", "y", None, None)
        elif self._chance(0.2):
            y, bottom = x, self._additive(above, "x")
        elif self._chance(0.2):
            bottom = ("+", bottom, ("lit", 1))
        formula: Formula = (pick(("/", "/", "/", "-", "+", "*")), top, bottom)
        aliases = {each[2] for each in walk(formula) if each[0] == "agg"}
        inputs = {name: used for name, used in (("x", x), ("y", y)) if name in aliases}
        return Kpi(inputs, formula, self._chance(0.5), self._chance(0.3))

    def _rate(self, _names: list[str]) -> Kpi:
        """Make a conversion: orders after visits, or visits after visits."""
        pick = self.random.choice
        later = pick(("orders", "orders", "visits"))
        person = "buyer" if later == "orders" else "visitor"
        keys = pick((((person, "visitor"),), ((person, "visitor"), ("device", "device"))))
        within = pick((None, (7, "day"), (1, "day"), (30, "day"), (1, "hour"), (1, "month"), (2, "week")))
        earlier = Input("visits", where=self.condition("visits") if self._chance(0.3) else None)
        if self._chance(0.15):
            earlier = replace(earlier, across=frozenset({pick(("tone", "device"))}))
        made = Conversion("e", keys, within, self._chance(0.3))
        if self._chance(0.1):
            earlier = replace(earlier, among=self._among(self.datasets["visits"].dimensions))
        given = Input(later, where=self.condition(later) if self._chance(0.3) else None, conversion=made)
        top = self._aggregate(later, "l")
        formula: Formula = top if self._chance(0.4) else ("/", top, ("agg", "count", "e", None, None))
        return Kpi({"e": earlier, "l": given}, formula, self._chance(0.3), self._chance(0.2))

    def _cohort(self, _names: list[str]) -> Kpi:
        """Make what first visitors do at each age: orders, or further visits."""
        pick = self.random.choice
        later = pick(("orders", "visits"))
        person = "buyer" if later == "orders" else "visitor"
        keys = pick((((person, "visitor"),), ((person, "visitor"),), ((person, "visitor"), ("device", "device"))))
        first = Input("visits", where=self.condition("visits") if self._chance(0.3) else None)
        if self._chance(0.1):
            first = replace(first, across=frozenset({pick(("tone", "device"))}))
        if self._chance(0.1):
            first = replace(first, among=self._among(self.datasets["visits"].dimensions))
        given = Input(
            later,
            where=self.condition(later) if self._chance(0.3) else None,
            conversion=Conversion("e", keys, age=self.age),
        )
        top = self._aggregate(later, "l")
        size: Formula = pick(
            (
                ("agg", "count", "e", None, None),
                ("agg", "distinct", "e", "visitor", None),
                self._additive("visits", "e"),
            )
        )
        formula = pick((top, size, ("/", top, size), ("/", ("agg", "distinct", "l", person, None), size)))
        return Kpi({"e": first, "l": given}, formula, self._chance(0.3), self._chance(0.2))

    def _aged(self, names: list[str]) -> Kpi:
        """Make a KPI over such that are counted by age, or over one of them and one that ignores ages."""
        pick = self.random.choice
        cohorts = [name for name in names if name.startswith(AGED)]
        now, kind = pick(cohorts), pick(("one", "two", "constant", "per", "daily"))
        if kind == "per" and not now.startswith("aged"):
            return Kpi({"x": Input(now, per=(pick(("tone", "visitor", "device")),))}, self._of_values())
        if kind == "daily" and not now.startswith("aged"):
            unit = pick(("day", "week", "month", "season"))
            return Kpi(
                {"x": Input(now, unit=unit)}, ("agg", pick(("sum", "avg", "max", "count", "last")), "x", None, None)
            )
        if kind == "constant":
            flat = Input(pick([name for name in names if name.startswith("leaf")]), across=frozenset({"age"}))
            if "visits" in self.sources(flat.source):
                return Kpi({"now": self._value([now]), "before": flat}, ("/", ("input", "now"), ("input", "before")))
        if kind == "two":
            inputs = {"now": self._value([now]), "before": self._value([pick(cohorts)])}
            return Kpi(inputs, (pick(("-", "/", "+")), ("input", "now"), ("input", "before")), self._chance(0.3))
        return Kpi({"now": self._value([now])}, ("-", ("lit", 1), ("input", "now")), self._chance(0.3))

    def _paid(self, _names: list[str]) -> Kpi:
        """Make an aggregate over amounts of money."""
        name, used = self._dataset_input("payments")
        kind = self._aggregate(name, "x")
        return Kpi({"x": used}, kind, False, self._chance(0.3), currency=self._currency())

    def _currency(self) -> str:
        return self.random.choice(CURRENCIES) if self._chance(0.4) else ""

    def _funds(self, names: list[str]) -> Kpi:
        """Make a KPI over amounts of money: of another time, of each member, divided by others."""
        pick = self.random.choice
        money = [name for name in names if name.startswith("paid")]
        kind = pick(("ratio", "per", "daily", "change"))
        if kind == "per":
            used = Input(pick(money), per=(pick(("tone", "currency")),), offset=pick((None, "period")))
            return Kpi({"x": used}, self._of_values(), empty_unknown=self._chance(0.3), currency=self._currency())
        if kind == "daily":
            used = Input(pick(money), unit=pick(("day", "week", "season")))
            return Kpi({"x": used}, self._of_values(), currency=self._currency())
        now = pick(money)
        before = self._value([now]) if kind == "change" else self._value([pick(money)])
        formula = (
            ("/", ("input", "now"), ("input", "before"))
            if kind == "ratio"
            else ("-", ("input", "now"), ("coalesce", ("input", "before"), ("lit", 0)))
        )
        return Kpi({"now": Input(now), "before": before}, formula, currency=self._currency())

    def _over(self, names: list[str]) -> Kpi:
        names = [name for name in names if not name.startswith(("per", "daily", "deep"))]
        formula: Formula = self.random.choice((
            ("-", ("/", ("input", "now"), ("input", "before")), ("lit", 1)),
            ("-", ("input", "now"), ("coalesce", ("input", "before"), ("lit", 0))),
            ("*", ("input", "now"), ("lit", Decimal("0.5"))), ("/", ("input", "now"), ("input", "before")),
            ("*", ("input", "now"), ("lit", Param("factor"))), ("greatest", ("input", "now"), ("input", "before")),
            ("case", ("gt", ("input", "now"), Decimal("2.00371")), ("input", "now"), None),
            ("case", ("null", ("input", "before")), ("lit", -1), ("nullif", ("input", "now"), ("lit", 0))), ("abs", ("input", "now")),
        ))  # fmt: skip
        aliases = {each[1] for each in walk(formula) if each[0] == "input"} | _tested(formula)
        return Kpi(
            {name: self._value(names) for name in ("now", "before") if name in aliases}, formula, self._chance(0.4)
        )

    def _value(self, names: list[str]) -> Input:
        """Make an input that is another KPI."""
        pick = self.random.choice
        source = pick(names)
        found: dict[str, Any] = {}
        shared = sorted(self.shared(source) & {"tone", "region"})
        if self._chance(0.5):
            found["offset"] = pick(((1, "month"), (1, "year"), "period", (1, "week"), (1, "season")))
        if self._chance(0.1) and not self.has_constants(source):
            found["covers"] = pick((("all",), ("to_date", pick(UNITS)), ("window", *pick(LENGTHS))))
        if self._chance(0.25) and (shared or not source.startswith(AGED)):
            found["across"] = frozenset(
                pick((*((each,) for each in shared), *(() if source.startswith(AGED) else (("all",),))))
            )
        if shared and self._chance(0.25) and not self.has_constants(source):
            name = pick(shared)
            found["where"] = pick((("eq", name, "good"), ("not", ("null", name)), ("eq", name, "S")))
        if shared and self._chance(0.1) and not self.has_constants(source):
            found["among"] = self._among(shared)
        return Input(source, **found)

    def _per(self, names: list[str]) -> Kpi:
        names = [name for name in names if not name.startswith("per") and not self.has_constants(name)]
        pick = self.random.choice
        leaf = pick(names)
        sources = self.sources(leaf)
        dataset = next(iter(sources)) if len(sources) == 1 else ""
        entities = {
            "clips": ("outlet_id", "tone", "band"), "spend": ("region", "tone"), "levels": ("account", "tone"), "visits": ("visitor", "tone"),
        }  # fmt: skip
        known = entities.get(dataset, tuple(sorted(self.shared(leaf) & {"tone", "region"})))
        per = tuple(self.random.sample(known, min(len(known), pick((1, 1, 1, 2)))))
        offset = pick((None, None, None, (1, "month"), "period", (1, "season")))
        if dataset and self._chance(0.2) and leaf.startswith("leaf"):
            return Kpi({"x": Input(dataset, per=per, offset=offset)}, ("agg", "count", "x", None, None))
        return Kpi({"x": Input(leaf, per=per, offset=offset)}, self._of_values(), empty_unknown=self._chance(0.3))

    def _of_values(self) -> Formula:
        function = self.random.choice(("sum", "avg", "min", "max", "median", "count", "cont:0.25", "disc:0.5"))
        return ("agg", function, "x", None, None)

    def _daily(self, names: list[str]) -> Kpi:
        """Make a number for each unit of time, and perhaps for each member."""
        pick = self.random.choice
        names = [name for name in names if not name.startswith("daily") and not self.has_constants(name)]
        source = pick(names)
        unit = pick(("day", "day", "week", "month", "month", "quarter", "fiscal_quarter", "season"))
        covers = ("window", *pick(LENGTHS)) if self._chance(0.15) else ()
        offset = pick((None, None, None, (1, "month"), "period"))
        if self._chance(0.15):
            dataset = pick(("clips", "spend", "visits", "levels"))
            per = ("tone",) if self._chance(0.3) else ()
            return Kpi({"x": Input(dataset, per=per, unit=unit, offset=offset)}, ("agg", "count", "x", None, None))
        entity = sorted(self.shared(source) & {"tone", "region"})
        if entity and self._chance(0.3):
            used = Input(source, per=(pick(entity),), unit=unit, offset=offset, covers=covers)
            return Kpi({"x": used}, self._of_values(), empty_unknown=self._chance(0.3))
        function = pick(("sum", "avg", "min", "max", "median", "count", "first", "last", "disc:0.9"))
        return Kpi({"x": Input(source, unit=unit, offset=offset, covers=covers)}, ("agg", function, "x", None, None))

    def _deep(self, names: list[str]) -> Kpi:
        """Make a KPI over any other."""
        formula: Formula = self.random.choice((
            ("-", ("input", "now"), ("input", "before")), ("/", ("input", "now"), ("input", "before")),
        ))  # fmt: skip
        return Kpi({"now": self._value(names), "before": self._value(names)}, formula, self._chance(0.3))


def _tested(formula: Formula) -> set[str]:
    return {formula[1][1][1]} if formula[0] == "case" else set()
