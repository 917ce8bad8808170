"""The adapter between the suite of MetricFlow's answers and the engine: a request of theirs asked in our language.

`make_engine(connection, models_dir)` gives what the suite's runner calls. It imports the models with the format plugin, as a user
would, and says a request as `run` or `members`. It computes nothing: what has no counterpart raises `NotImplementedError`.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import sqlglot
from sqlglot import exp

sys.path.insert(0, str(Path(__file__).parents[2] / "plugins" / "kpi-format-metricflow"))

from kpi_format_metricflow.reading import MetricflowFormat, Options

import kpi_engine
from kpi_engine.calendar import GRAINS, floor

METRIC_TIME = "metric_time"
LATEST = "2199-12-31"
PARTS = {
    f"extract_{theirs}": ours
    for theirs, ours in {
        "quarter": "quarter_of_year",
        "month": "month_of_year",
        "day": "day_of_month",
        "dow": "day_of_week",
        "doy": "day_of_year",
    }.items()
}
SHIFTS = ("offset", "window", "to_date", "all_time")
_OPERATORS = {exp.EQ: "eq", exp.NEQ: "ne", exp.GT: "gt", exp.GTE: "gte", exp.LT: "lt", exp.LTE: "lte"}
Answer = tuple[list[str], list[list[Any]]]


def make_engine(connection, models_dir):
    models: dict[str, Model] = {}

    def ask(model: str, request: dict[str, Any], _case: dict[str, Any]) -> Answer:
        if model not in models:
            models[model] = Model(connection, Path(models_dir) / model)
        return Asking(models[model], request).answer()

    return ask


@dataclass
class Model:
    """One imported model: its engine, and our names of its dimensions."""

    connection: Any
    folder: Path

    @cached_property
    def imported(self):
        files = sorted(self.folder.rglob("*.yaml"))
        return MetricflowFormat(Options()).read({str(file): file.read_text() for file in files})

    @cached_property
    def engine(self):
        return kpi_engine.open(self.imported.definitions, self.connection)

    @property
    def datasets(self) -> dict[str, Any]:
        return self.imported.definitions["datasets"]

    @property
    def kpis(self) -> dict[str, Any]:
        return self.imported.definitions["kpis"]

    @cached_property
    def dimensions(self) -> dict[str, str]:
        """Our names, by theirs: they are the labels of ours."""
        return {
            each["label"]: name
            for dataset in self.datasets.values()
            for name, each in dataset.get("dimensions", {}).items()
        }

    @property
    def units(self) -> dict[str, str]:
        """Our names of the units of time that a spine names, by theirs."""
        units = self.imported.definitions.get("calendar", {}).get("units", {})
        return {each["label"]: name for name, each in units.items()}

    def dimension(self, label: str) -> str:
        for known in (label, *(f"{label}__{grain}" for grain in ("hour", "day", "month"))):
            if known in self.dimensions:
                return self.dimensions[known]
        raise NotImplementedError(f"the dimension {label}")

    def leaves(self, kpi: str) -> set[str]:
        found = set()
        for each in self.kpis[kpi]["inputs"].values():
            found |= {each["from"]} if each["from"] in self.datasets else self.leaves(each["from"])
        return found

    def inputs(self, kpi: str) -> list[dict[str, Any]]:
        own = list(self.kpis[kpi]["inputs"].values())
        return own + [inner for each in own if each["from"] in self.kpis for inner in self.inputs(each["from"])]

    def made_of(self, kpi: str) -> set[str]:
        below = {each["from"] for each in self.inputs(kpi) if each["from"] in self.kpis}
        return {kpi} | below

    def spine(self, grain: str) -> str:
        """Give the spine of this grain, or of the next finer one."""
        spines = {
            name: each for name, each in self.datasets.items() if each.get("time", {}).get("label") == METRIC_TIME
        }

        def finest(name):
            return min(
                (
                    GRAINS.index(g)
                    for g in GRAINS
                    if f"{METRIC_TIME}__{g}" in {d["label"] for d in spines[name]["dimensions"].values()}
                ),
                default=-1,
            )

        wanted = min(GRAINS.index(grain) if grain in GRAINS else len(GRAINS), GRAINS.index("day"))
        fitting = {name: finest(name) for name in spines if finest(name) <= wanted}
        # of one grain the spine that names the fewest finer units is the one of that grain
        return max(fitting, key=lambda name: (fitting[name], -len(spines[name]["dimensions"])))

    def days(self, grain: str) -> tuple[datetime, datetime]:
        """Give the first and the last day of the spine of a grain."""
        spine, day = self.spine(grain), self.dimensions[f"{METRIC_TIME}__day"]
        ends = [
            self.engine.members(day, of=spine, order=order, limit=1, as_of=LATEST).rows() for order in (day, f"-{day}")
        ]
        return ends[0][0][day], ends[1][0][day]


@dataclass
class Asking:
    model: Model
    request: dict[str, Any]
    columns: dict[str, str] = field(default_factory=dict)
    """Our column, by theirs."""
    by: list[str] = field(default_factory=list)
    grains: list[str] = field(default_factory=list)

    @property
    def engine(self):
        return self.model.engine

    @cached_property
    def kpis(self) -> list[str]:
        if self.request["saved_query"]:
            raise NotImplementedError("a saved query")
        names = self.request["metrics"]
        left_out = {d.subject: d for d in self.model.imported.diagnostics if d.severity == "error" and d.subject}
        for name in names:
            if name not in self.model.kpis:
                why = left_out.get(f"kpi {name}")
                raise NotImplementedError(why.message if why else f"there is no KPI {name}")
        return names

    @cached_property
    def times(self) -> set[str]:
        """Name the time that all rows are dated by."""
        found = [{self.model.datasets[leaf]["time"]["label"] for leaf in self.model.leaves(kpi)} for kpi in self.kpis]
        return {METRIC_TIME} | (set.intersection(*found) if found and all(len(each) == 1 for each in found) else set())

    @cached_property
    def shifted(self) -> bool:
        """Whether the time of a row is not the time that it counts at, or periods without rows appear."""
        return any(any(key in each for key in SHIFTS) for kpi in self.kpis for each in self.model.inputs(kpi)) or any(
            self.model.kpis[kpi]["frame"] == "every_period" for kpi in self.kpis
        )

    def answer(self) -> Answer:
        if not self.request["apply_group_by"]:
            raise NotImplementedError("rows as they are, not grouped")
        if not self.request["metrics"]:
            return self._members()
        for each in self.request["group_by"]:
            self._group(each)
        self._named()
        conditions, rows = self._where()
        found = self.engine.run(
            self.kpis, by=self.by, grain=self.grains or None, where_sql=rows, where=conditions,
            order=[self._order(each) for each in self.request["order_by"]], limit=self.request["limit"], **self._time(),
        )  # fmt: skip
        return self._table(found, self.columns | {name: name for name in self.kpis})

    def _table(self, found, columns: dict[str, str]) -> Answer:
        return list(columns), [[row[ours] for ours in columns.values()] for row in found.rows()]

    def _group(self, item: dict[str, Any]) -> None:
        name = "__".join([*item["entity_path"], item["element"]])
        output = item["output_column"]
        suffix = output.removeprefix(name).removeprefix("__")
        unit = self.model.units.get(suffix) or PARTS.get(suffix) if self.shifted else None
        if name in self.times and (suffix in GRAINS or unit):
            grain = unit or suffix
            if grain not in self.grains:
                self.grains.append(grain)
            self.columns[output] = grain
            return
        if name in self.times and self.shifted:
            raise NotImplementedError(f"the periods of {suffix}, with rows that count at another time than their own")
        dimension = self.model.dimension(output)
        if dimension not in self.by:
            self.by.append(dimension)
        self.columns[output] = dimension

    def _named(self) -> None:
        """Name the columns of periods, once it is known how many grains there are."""
        for theirs, ours in self.columns.items():
            if ours in self.grains:
                alone = len(self.grains) == 1 and ours not in self.model.units.values()
                self.columns[theirs] = "period" if alone else f"period_{ours}"

    def _time(self) -> dict[str, Any]:
        common = [grain for grain in self.grains if grain in GRAINS] or ["day"]
        first, last = self.model.days(min(common, key=GRAINS.index))
        constraint = self.request["time_constraint"]
        as_of = last + timedelta(days=1)
        if self.grains:
            if constraint:
                pass  # said as a condition on periods
            return {"period": (first.date(), last.date()), "as_of": as_of}
        if constraint:
            start, end = (datetime.fromisoformat(each).date() for each in constraint)
            return {"period": (start, end), "as_of": as_of}
        return {"as_of": as_of}

    def _where(self) -> tuple[dict[str, Any], str | None]:
        periods: list[dict[str, Any]] = []
        rows: list[exp.Expression] = []
        among: dict[str, list[dict[str, Any]]] = {}
        if self.grains and (constraint := self.request["time_constraint"]):
            start, end = (datetime.fromisoformat(each) for each in constraint)
            calendar = self.engine.calendar
            periods.append({"gte": min(floor(start, grain, calendar) for grain in self.grains), "lte": end})
        for part in self._conjuncts():
            if list(part.find_all(exp.Anonymous)):
                name, members = self._of_metric(part)
                among.setdefault(name, []).append(members)
                continue
            names = {column.name for column in part.find_all(exp.Column)}
            timed = {name for name in names if self._is_time(name)}
            if timed and self.grains and (self.shifted or not self.request["metrics"]):
                if timed != names:
                    raise NotImplementedError("a condition on periods and on rows at once")
                periods.append(self._of_periods(part, timed))
            else:
                rows.append(part.transform(self._renamed))
        merged: dict[str, Any] = {}
        for each in periods:
            for key, value in each.items():
                if key in merged and key not in {"gte", "lte"}:
                    raise NotImplementedError(f"two conditions on {key} of periods")
                merged[key] = (max if key == "gte" else min)(merged[key], value) if key in merged else value
        sql = " and ".join(f"({each.sql('duckdb')})" for each in rows) or None
        conditions = {name: {"among": _together(found)} for name, found in among.items()}
        return conditions | ({"period": merged} if merged else {}), sql

    def _of_metric(self, part: exp.Expression) -> tuple[str, dict[str, Any]]:
        """Say a condition on a metric's value for each entity as the members that it holds for."""
        call, operator = part.this, _OPERATORS.get(type(part))
        if not isinstance(call, exp.Anonymous) or operator is None or not isinstance(part.expression, exp.Literal):
            raise NotImplementedError(f"the condition {part.sql()} on the value of a metric")
        metric, path = (each.name for each in call.expressions)
        if metric not in self.model.kpis:
            raise NotImplementedError(f"the metric {metric}, which is not carried over")
        there, here = self.model.dimension(path), self._dimension(path.rpartition("__")[2])
        return here, {"by": there, "having": {metric: {operator: part.expression.to_py()}}}

    def _conjuncts(self) -> list[exp.Expression]:
        text = self.request["where"]
        if not text:
            return []
        tree = sqlglot.parse_one(text, dialect="duckdb")
        return [each.unnest() for each in (tree.flatten() if isinstance(tree, exp.And) else [tree])]

    def _is_time(self, name: str) -> bool:
        stem, _, last = name.rpartition("__")
        return name in self.times or (
            stem in self.times
            and (last in GRAINS or last in self.model.units or f"{METRIC_TIME}__{last}" in self.model.dimensions)
        )

    def _renamed(self, node: exp.Expression) -> exp.Expression:
        return exp.column(self._dimension(node.name)) if isinstance(node, exp.Column) else node

    def _dimension(self, label: str) -> str:
        """Give our name of a dimension; one without a grain is meant by the finest that the data have."""
        leaves = {leaf for kpi in self.kpis for leaf in self.model.leaves(kpi)} if self.request["metrics"] else set()
        known = [set(self.model.datasets[leaf]["dimensions"]) for leaf in leaves]
        for each in (label, *(f"{label}__{grain}" for grain in GRAINS)):
            name = self.model.dimensions.get(each)
            if name and all(name in dimensions for dimensions in known):
                return name
        return self.model.dimension(label)

    def _of_periods(self, part: exp.Expression, names: set[str]) -> dict[str, Any]:
        """Say a condition on periods as an operator and a value; only where the period is what the name says."""
        (name,) = names if len(names) == 1 else [""]
        grain = name.rpartition("__")[2] if "__" in name and name not in self.times else "day"
        said = self._compared(part, names)
        if [grain] == self.grains:
            return said
        if grain in self.model.units or grain in GRAINS:
            return {self.model.units.get(grain, grain): said}
        raise NotImplementedError(f"a condition on {grain}, where periods are {', '.join(self.grains)}")

    def _compared(self, part: exp.Expression, names: set[str]) -> dict[str, Any]:
        if isinstance(part, exp.Or):
            found = [self._compared(each.unnest(), names) for each in part.flatten()]
            if all(set(each) == {"eq"} for each in found):
                return {"in": [each["eq"] for each in found]}
        left = part.this.unnest() if isinstance(part.this, exp.Paren) else part.this
        bare = left.this if isinstance(left, exp.Cast) else left
        if type(part) in _OPERATORS and isinstance(bare, exp.Column) and _moment(part.expression) is not None:
            return {_OPERATORS[type(part)]: _moment(part.expression)}
        raise NotImplementedError(f"the condition {part.sql()} on periods")

    def _order(self, item: dict[str, Any]) -> str:
        name = item["name"]
        column = self.columns.get(name) or next(
            (ours for theirs, ours in self.columns.items() if theirs.startswith(f"{name}__")), name
        )
        return ("-" if item["desc"] else "") + column

    def _members(self) -> Answer:
        items = self.request["group_by"]
        wanted = [each["output_column"] or f"{each['name']}__{each['grain']}" for each in items]
        if all(each["element"] == METRIC_TIME for each in items):
            grain = next((each["grain"] for each in items if each["grain"]), "day")
            return self._listed(wanted, self.model.spine(grain))
        labels = [label for label in wanted if not label.startswith(f"{METRIC_TIME}__")]
        for label in wanted:
            if label not in labels:
                self.grains.append(label.rpartition("__")[2])
        for label in wanted:
            self.columns[label] = label.rpartition("__")[2] if label not in labels else self.model.dimension(label)
        self._named()
        self.by = [self.model.dimension(label) for label in labels]
        conditions, rows = self._where()
        needed = {
            *self.by,
            *(self.model.dimension(c.name) for part in self._conjuncts() for c in part.find_all(exp.Column)),
        }
        found = self._nearest(needed)
        if self.request["min_max_only"]:
            (label,) = labels
            return self._ends(label, found)
        time = self._time() if self.grains else {"as_of": LATEST}
        answer = self.engine.members(
            self.by, of=found, grain=self.grains or None, where=conditions, where_sql=rows, dated=False, **time
        )
        return self._table(answer, self.columns)

    def _listed(self, labels: list[str], dataset: str) -> Answer:
        columns = {label: self.model.dimension(label) for label in labels}
        if self._conjuncts():
            columns_of = [c.name for part in self._conjuncts() for c in part.find_all(exp.Column)]
            if any(not name.startswith(METRIC_TIME) for name in columns_of):
                return self._crossed(labels)
        _, rows = self._where()
        return self._table(
            self.engine.members(list(columns.values()), of=dataset, where_sql=rows, as_of=LATEST), columns
        )

    def _crossed(self, labels: list[str]) -> Answer:
        """Every period, where a condition on rows is true for any."""
        self.grains = [label.rpartition("__")[2] for label in labels]
        self.columns = dict(zip(labels, self.grains, strict=True))
        self._named()
        conditions, rows = self._where()
        dataset = self._nearest(
            {self.model.dimension(c.name) for part in self._conjuncts() for c in part.find_all(exp.Column)}
        )
        answer = self.engine.members(
            (), of=dataset, grain=self.grains, where=conditions, where_sql=rows, **self._time()
        )
        return self._table(answer, self.columns)

    def _ends(self, label: str, dataset: str) -> Answer:
        column = self.model.dimension(label)
        rows = [
            self.engine.members(column, of=dataset, order=order, limit=1, as_of=LATEST).rows()[0][column]
            for order in (column, f"-{column}")
        ]
        return [f"{label}__min", f"{label}__max"], [rows]

    def _nearest(self, dimensions: set[str]) -> str:
        """Choose the dataset that reaches these dimensions over the fewest joins."""
        cost = {
            name: sum(each["dimensions"][d]["path"].count(".") for d in dimensions)
            for name, each in self.model.datasets.items()
            if dimensions <= each.get("dimensions", {}).keys()
        }
        if not cost:
            raise NotImplementedError("dimensions of datasets that no join connects")
        return min(cost, key=lambda name: cost[name])


def _together(found: list[dict[str, Any]]) -> dict[str, Any]:
    if len({each["by"] for each in found}) > 1:
        raise NotImplementedError("conditions on metrics by several paths to one entity")
    return {"by": found[0]["by"], "having": {kpi: test for each in found for kpi, test in each["having"].items()}}


def _moment(tree: exp.Expression) -> datetime | None:
    while isinstance(tree, exp.Cast | exp.Paren):
        tree = tree.this
    return datetime.fromisoformat(tree.name) if isinstance(tree, exp.Literal) and tree.is_string else None
