"""The project of the table of compositions: its rows in a database, and what each of its kinds and modifiers means in Python."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import yaml
from composed import (
    Converted,
    Formula,
    Kind,
    Leaf,
    Moved,
    Per,
    Place,
    Row,
    Rows,
    Value,
    across,
    asked,
    block_so_far,
    count,
    covers,
    data,
    divided,
    edge,
    first_day,
    known,
    mean,
    midnight,
    moved_back,
    quantile,
    step_back,
    summed,
    total,
)
from composed_cohorts import Cohort

import kpi_engine

FILE = Path(__file__).parents[2] / "docs" / "composition.yaml"
COLUMNS = {
    "visit": "id int, day date, paid_on date, channel varchar, device varchar, visitor varchar, outlet_id int, amount int, weight int",
    "purchase": "id int, day date, paid_on date, channel varchar, visitor varchar, amount int",
    "reading": "account int, day date, noted_on date, channel varchar, visitor varchar, size int",
    "outlet": "id int, region varchar",
    "payment": "id int, day date, channel varchar, visitor varchar, amount decimal(18,2), currency varchar",
    "rate": "currency varchar, target varchar, day date, rate decimal(9,4)",
    "block": "first date",
}
TABLES = {
    "visit": "visits",
    "purchase": "orders",
    "reading": "levels",
    "payment": "payments",
    "rate": "rates",
    "block": "blocks",
}
OUTLETS = [{"id": 1, "region": "north"}, {"id": 2, "region": "south"}, {"id": 3, "region": None}]


@cache
def table() -> dict[str, Any]:
    """Read the table that the page of the docs is made of."""
    found: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return found


def definition(kind: str) -> dict[str, Any]:
    """Give the definition of a kind, as a project has it."""
    return {key: value for key, value in table()["kinds"][kind].items() if key not in {"title", "asked"}}


def asked_of(name: str) -> dict[str, Any]:
    """Give what every request of a KPI must filter by: that of the kind that it is, or is over."""
    parts = {name.rpartition("_over_")[2], *name.split("_with_")}
    said = [each for each in (table()["kinds"] | table()["modifiers"]).items() if each[0] in parts]
    return next((each["asked"] for _, each in said if "asked" in each), {})


def connected() -> duckdb.DuckDBPyConnection:
    """Put the rows into a database."""
    connection = duckdb.connect()
    rows = {name: data()[source] for name, source in TABLES.items()} | {"outlet": OUTLETS}
    for name, columns in COLUMNS.items():
        connection.execute(f"CREATE TABLE {name} ({columns})")
        names = [column.split()[0] for column in columns.split(", ")]
        one = f"({', '.join('?' * len(names))})"
        values = [row[each] for row in rows[name] for each in names]
        connection.execute(f"INSERT INTO {name} VALUES {', '.join([one] * len(rows[name]))}", values)
    return connection


def opened(kpis: dict[str, Any]) -> kpi_engine.Engine:
    """Open an engine over the kinds and more KPIs."""
    kinds = {name: definition(name) for name in table()["kinds"]}
    project = {
        "calendar": {"timezone": "UTC", "units": table()["units"]},
        "datasets": table()["datasets"],
        "kpis": {**kinds, **kpis},
    }
    return kpi_engine.open(project, connected())


def _weighted(rows: list[Row]) -> Value:
    products = [
        Fraction(row["amount"] * row["weight"])
        for row in rows
        if row["amount"] is not None and row["weight"] is not None
    ]
    above = sum(products, Fraction(0)) if products else (None if rows else Fraction(0))
    return divided(above, summed("weight")(rows))


def _app(row: Row) -> bool:
    return bool(row["device"] == "app")


@cache
def kinds() -> dict[str, Kind]:
    """Give what each kind means."""
    tables = data()
    visits, orders = Rows("visits", tables), Rows("orders", tables)
    size, amount = summed("size", nothing=None), summed("amount")

    def levels(take: str) -> Rows:
        return Rows("levels", tables, take=take)

    found: dict[str, Kind] = {
        "count": Leaf(visits, count),
        "sum": Leaf(visits, amount),
        "unknown_sum": Leaf(visits, summed("amount", nothing=None)),
        "weighted": Leaf(visits, _weighted),
        "average": Leaf(visits, lambda rows: mean(known(rows, "amount"))),
        "largest": Leaf(visits, lambda rows: max(known(rows, "amount"), default=None)),
        "distinct": Leaf(visits, lambda rows: Fraction(len({row["visitor"] for row in rows} - {None}))),
        "percentile": Leaf(visits, lambda rows: quantile(known(rows, "amount"), Fraction(9, 10))),
        "declared": Leaf(visits, lambda rows: Fraction(len({row["id"] for row in rows}))),
        "filtered": Leaf(visits, amount, filter=_app),
        "counted_if": Leaf(visits, count, filter=_app),
        "condition": Leaf(Rows("visits", tables, where=lambda row: row["device"] == "web"), amount),
        "other_time": Leaf(Rows("visits", tables, time="paid_on"), amount),
        "closing": Leaf(levels("closing"), size),
        "opening": Leaf(levels("opening"), size),
        "first_reading": Leaf(levels("first"), size),
        "last_reading": Leaf(levels("last"), size),
        "readings": Leaf(levels("rows"), count),
        "money": Leaf(Rows("payments", tables), summed("in_euro")),
        "observed": Leaf(visits, count, frame="observed"),
        "every_period": Leaf(visits, count, frame="every_period"),
    }
    counted, added, different = found["count"], found["sum"], found["distinct"]
    return found | {
        "ratio": Formula((counted, found["closing"]), divided),
        "offset": Moved(added, moved_back(1, "month")),
        "step_back": Moved(added, step_back),
        "first_day": Moved(added, first_day),
        "to_date": Moved(added, covers("to_date", "quarter")),
        "block_so_far": Moved(added, block_so_far),
        "window": Moved(different, covers("window", 28, "day")),
        "all_time": Moved(different, covers("all")),
        "share": Formula((counted, Moved(counted, across("channel"))), divided),
        "share_of_all": Formula((counted, Moved(counted, across("all"))), divided),
        "per_visitor": Per(added, mean, names=("visitor",)),
        "per_day": Per(added, mean, unit="day"),
        "first_week": Per(counted, lambda values: edge(values, 0), unit="week"),
        "cohort": Cohort(visits, ("visitor", "channel", "device"), (1, 3)),
        "conversion": Formula((Converted(orders, visits, count), counted), divided),
    }


def _mail(row: Row) -> bool:
    return bool(row["channel"] == "mail")


def _regular(place: Place) -> Place:
    """Keep the visitors with more than 21 visits over all time, the unknown one among them if it has as many."""
    timed = [row for row in data()["visits"] if row["day"] is not None and midnight(row["day"]) < place.as_of]
    visits = Counter(row["visitor"] for row in timed)
    return replace(place, where=(*place.where, lambda row: visits[row["visitor"]] > 21))


CHANGES = {
    "where": asked(_mail),
    "among": _regular,
    "offset": moved_back(1, "month"),
    "offset_period": step_back,
    "offset_first_day": first_day,
    "to_date": covers("to_date", "quarter"),
    "window": covers("window", 28, "day"),
    "all_time": covers("all"),
    "across": across("channel"),
    "across_all": across("all"),
}
"""What a modifier changes of the place at which the input is read."""


def modified(modifier: str, below: Kind) -> Kind:
    """Give what a modifier of an input makes of the KPI that the input reads."""
    if modifier == "per_dimension":
        return Per(below, total, names=("visitor",))
    if modifier == "per_day":
        return Per(below, mean, unit="day")
    if modifier == "per_block":
        return Per(below, mean, unit="block")
    if modifier == "per_week":
        return Per(below, lambda values: edge(values, -1), unit="week")
    return Moved(below, CHANGES[modifier])


def together(first: str, second: str) -> Kind:
    """Give what two modifiers of one input of rows make of the number of its rows."""
    names = {first, second}
    takes = [name.removeprefix("take_") for name in names if name.startswith("take_")]
    pers = [name.removeprefix("per_") for name in names if name.startswith("per_")]
    rows = Rows(
        dataset_of(first, second),
        data(),
        time=("noted_on" if takes else "paid_on") if "time" in names else "day",
        take=takes[0] if takes else "rows",
        where=_mail if "where" in names else lambda _: True,
    )
    kind: Kind = Leaf(rows, count, frame="observed")
    if "age" in names:
        kind = Cohort(Rows("visits", data()), ("visitor", "channel"), (1, 3), rows)
    if "conversion" in names:
        kind = Converted(rows, Rows("visits", data()), count)
    if pers:
        by = {"names": ("visitor",)} if pers == ["dimension"] else {"unit": pers[0]}
        kind = Per(kind, lambda values: Fraction(len(values)), **by)  # type: ignore[arg-type]
    for name in (each for each in (*STRETCHES, *OFFSETS, "across", "across_all", "among") if each in names):
        kind = Moved(kind, CHANGES[name])
    return kind


STRETCHES = ("to_date", "window", "all_time")
OFFSETS = ("offset", "offset_period", "offset_first_day")


def dataset_of(first: str, second: str) -> str:
    """Choose the dataset that two modifiers stand at together."""
    if "take_" in f"{first} {second}":
        return "levels"
    return "orders" if "conversion" in {first, second} else "visits"


def datasets_of(kind: Any) -> set[str]:
    """Name the datasets below a kind whose rows have the dimensions of a split: that of orders has no channel."""
    below: dict[type[Kind], Any] = {
        Leaf: lambda: {kind.rows.dataset},
        Moved: lambda: datasets_of(kind.below),
        Per: lambda: datasets_of(kind.below),
        Formula: lambda: set().union(*map(datasets_of, kind.parts)),
        Converted: lambda: {kind.earlier.dataset},
        Cohort: lambda: {kind.rows.dataset},
    }
    found: set[str] = below[type(kind)]()
    return found
