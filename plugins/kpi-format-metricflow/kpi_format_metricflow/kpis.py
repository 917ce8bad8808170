"""Metrics as KPIs: what each is made of, and what MetricFlow's conventions are in our words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kpi_engine.api import Diagnostic
from kpi_format_metricflow.datasets import Datasets, measure_column
from kpi_format_metricflow.model import GRAINS
from kpi_format_metricflow.names import Names
from kpi_format_metricflow.templates import NotCarriedOver, Reference, condition, of_metric

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kpi_engine.api import Place
    from kpi_format_metricflow.model import Manifest, Measure, Metric, MetricInput

ROWS = "source"
"""What the one rows input of a KPI is called."""
BASE, LATER = "earlier", "later"
"""What the inputs of a conversion are called."""
DAILY = "daily"
OBSERVED, EVERY_PERIOD = "observed", "every_period"


@dataclass
class Kpis:
    """Makes KPIs from metrics; one that cannot be made is said and left out."""

    manifest: Manifest
    datasets: Datasets
    names: Names
    definitions: dict[str, dict[str, Any]] = field(default_factory=dict)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    _refused: dict[str, str] = field(default_factory=dict)

    def make(self) -> None:
        """Make all metrics, each after those it is made of."""
        for metric in self.manifest.metrics:
            self._metric(metric, ())

    def _metric(self, metric: Metric, above: tuple[str, ...]) -> str:
        """Name the KPI of a metric and make it where it is not there yet; raise `NotCarriedOver` where it cannot be."""
        name = self.names.name(metric.name)
        if metric.name in self._refused and not above:
            return name
        if metric.name in self._refused:
            raise NotCarriedOver(f"the metric `{metric.name}`, which is not carried over")
        if name in self.definitions:
            return name
        if metric.name in above:
            raise NotCarriedOver(f"the metric `{metric.name}`, which is made of itself")
        try:
            made = self._made(metric, (*above, metric.name))
        except NotCarriedOver as reason:
            self._refused[metric.name] = str(reason)
            message = f"the metric `{metric.name}` is not carried over: there is no counterpart to {reason}"
            self.diagnostics.append(
                Diagnostic(
                    "not_carried_over", message, metric.place, "define it in our language", subject=f"kpi {name}"
                )
            )
            if above:
                raise NotCarriedOver(f"the metric `{metric.name}`, which is not carried over") from None
            return name
        texts = {"label": metric.label, "description": metric.description}
        self.definitions[name] = {**{key: text for key, text in texts.items() if text}, **made}
        return name

    def _made(self, metric: Metric, above: tuple[str, ...]) -> dict[str, Any]:
        if metric.type == "simple":
            return self._simple(metric, above)
        if metric.type == "cumulative":
            return self._cumulative(metric, above)
        if metric.type == "ratio":
            return self._ratio(metric, above)
        if metric.type == "derived":
            return self._derived(metric, above)
        return self._conversion(metric, above)

    def _simple(self, metric: Metric, above: tuple[str, ...]) -> dict[str, Any]:
        read = metric.inputs[0]
        measure = self._measure(read)
        source = self._rows(measure, [*read.filters, *metric.filters], above)
        return {
            "inputs": {ROWS: source},
            "formula": _filled(_aggregate(measure), read.fill),
            "empty": "unknown",
            "frame": EVERY_PERIOD if read.join_to_spine else OBSERVED,
        }

    def _cumulative(self, metric: Metric, above: tuple[str, ...]) -> dict[str, Any]:
        if not metric.inputs:
            raise NotCarriedOver("a cumulative metric of nothing")
        read = metric.inputs[0]
        covers: dict[str, Any] = {"all_time": True}
        if metric.window:
            covers = {"window": self._length(metric.window)}
        elif metric.to_date:
            covers = {"to_date": self._unit(metric.to_date)}
        frame = EVERY_PERIOD if read.join_to_spine else OBSERVED
        if not metric.of_measure:
            inner = self._value(read, metric.filters, above)
            inputs, formula = {"value": inner | covers}, _filled("value", read.fill)
            return self._of_periods(metric, {"inputs": inputs, "formula": formula, "frame": frame})
        measure = self._measure(read)
        source = self._rows(measure, [*read.filters, *metric.filters], above) | covers
        formula = _filled(_aggregate(measure), read.fill)
        made = {"inputs": {ROWS: source}, "formula": formula, "empty": "unknown", "frame": frame}
        return self._of_periods(metric, made)

    def _conversion(self, metric: Metric, above: tuple[str, ...]) -> dict[str, Any]:
        """Read a conversion: the later rows count where the last earlier row of the entity does, once each."""
        said = metric.conversion
        if said is None or not said.entity:
            raise NotCarriedOver("a conversion without an entity")
        base, later = self._base_or_later(said.base), self._base_or_later(said.conversion)
        source = self._rows(base, [*said.base.filters, *metric.filters], above)
        given = self._rows(later, list(said.conversion.filters), above)
        if "among" in given:
            raise NotCarriedOver(
                "a filter on the value of a metric at the later input of a conversion, whose rows are kept by the earlier one"
            )
        pairs = [(said.entity, said.entity), *((there, here) for here, there in said.constants)]
        same = {self._key(later, here): self._key(base, there) for here, there in pairs}
        if len(same) < len(pairs):
            raise NotCarriedOver("a conversion in which one property is to be the same as two others")
        given |= {
            "of": same,
            "after": BASE,
            "touch": "last",
        }
        if said.window:
            given["within"] = self._shorter(said.window, base)
        over = _filled(_aggregate(later, LATER), said.conversion.fill)
        under = _filled(_aggregate(base, BASE), said.base.fill)
        formula = over if said.calculation == "conversions" else f"({over}) / ({under})"
        frame = EVERY_PERIOD if said.base.join_to_spine or said.conversion.join_to_spine else OBSERVED
        return {"inputs": {BASE: source, LATER: given}, "formula": formula, "empty": "unknown", "frame": frame}

    def _base_or_later(self, read: MetricInput) -> Measure:
        """Give the measure of an input of a conversion: itself, or that of a simple metric."""
        inner = self.manifest.metric(read.name)
        if self.manifest.measure(read.name) is None and inner is not None and inner.of_measure and not inner.filters:
            return self._measure(inner.inputs[0])
        return self._measure(read)

    def _key(self, measure: Measure, name: str) -> str:
        model = self.datasets.model(measure.model)
        assert model is not None  # noqa: S101 - the measure has one
        return self.datasets.column(model, name)

    def _shorter(self, text: str, base: Measure) -> str:
        """Say a window that its first moment is no part of: of whole days, a day less."""
        count, _, unit = _duration(text).partition(" ")
        model = self.datasets.model(base.model)
        time = model.dimension(base.time) if model else None
        if time is None or unit.removesuffix("s") != time.grain or int(count) < 2:  # noqa: PLR2004 - nothing would be left
            raise NotCarriedOver(f"the window `{text}` of a conversion, which is no number of the units of its time")
        return f"{int(count) - 1} {unit}"

    def _of_periods(self, metric: Metric, made: dict[str, Any]) -> dict[str, Any]:
        """Take the first or the average of the days of a longer period; the last is what stands at its end."""
        aggregate = {"first": "first", "average": "avg", "last": ""}.get(metric.period_aggregate)
        if aggregate is None:
            raise NotCarriedOver(f"the aggregate `{metric.period_aggregate}` of periods")
        if not aggregate:
            return made
        daily = self.names.name(f"{metric.name} of a day")
        self.definitions[daily] = made
        inputs = {DAILY: {"from": daily, "per": "day"}}
        formula = _filled(f"{aggregate}({DAILY})", metric.inputs[0].fill)
        return {"inputs": inputs, "formula": formula, "frame": made["frame"]}

    def _ratio(self, metric: Metric, above: tuple[str, ...]) -> dict[str, Any]:
        if len(metric.inputs) != 2:  # noqa: PLR2004 - a ratio
            raise NotCarriedOver("a ratio without a numerator and a denominator")
        over, under = (self._value(each, metric.filters, above) for each in metric.inputs)
        inputs = {"numerator": over, "denominator": under}
        return {"inputs": inputs, "formula": "numerator / denominator", "frame": self._frame(inputs.values())}

    def _derived(self, metric: Metric, above: tuple[str, ...]) -> dict[str, Any]:
        names = Names(taken=set())
        inputs = {
            names.name(each.alias or each.name): self._value(each, metric.filters, above) for each in metric.inputs
        }
        formula = metric.expression or next(iter(inputs), "")
        return {"inputs": inputs, "formula": formula, "frame": self._frame(inputs.values())}

    def _frame(self, inputs: Iterable[dict[str, Any]]) -> str:
        """Say which rows appear: every period, where that is so of one of the KPIs below."""
        frames = {self.definitions[each["from"]]["frame"] for each in inputs}
        return EVERY_PERIOD if EVERY_PERIOD in frames else OBSERVED

    def _value(self, read: MetricInput, filters: Iterable[tuple[str, Place]], above: tuple[str, ...]) -> dict[str, Any]:
        metric = self.manifest.metric(read.name)
        if metric is None:
            raise NotCarriedOver(f"the metric `{read.name}`, which is not defined")
        found: dict[str, Any] = {"from": self._metric(metric, above)}
        found |= self._conditions([*read.filters, *filters], above)
        if read.offset_window:
            found["offset"] = self._length(read.offset_window)
        if read.offset_to_grain:
            found["offset"] = f"start of {self._unit(read.offset_to_grain)}"
        return found

    def _measure(self, read: MetricInput) -> Measure:
        measure = self.manifest.measure(read.name)
        if measure is None or self.datasets.model(measure.model) is None:
            raise NotCarriedOver(f"the measure `{read.name}`, which is not defined")
        return measure

    def _rows(self, measure: Measure, filters: list[tuple[str, Place]], above: tuple[str, ...]) -> dict[str, Any]:
        level = measure.non_additive
        found: dict[str, Any] = {"from": self.datasets.of_measure(measure)}
        found |= self._conditions(filters, above)
        if level is not None:
            if level.dimension != measure.time:
                raise NotCarriedOver(f"a level by `{level.dimension}`, which is not the time of the measure")
            found["take"] = {"min": "first", "max": "last"}[level.choice]
        return found

    def _conditions(self, filters: list[tuple[str, Place]], above: tuple[str, ...]) -> dict[str, Any]:
        """Give the filters of an input: on its rows, and on what metrics are for members, over all time."""
        among: dict[str, list[str]] = {}
        plain = []
        for text, _ in filters:
            compared = of_metric(text)
            if compared is None:
                plain.append(text)
                continue
            name, said = self._among(*compared, above)
            among.setdefault(name, []).append(said)
        found: dict[str, Any] = {}
        if where := self._where(plain):
            found["where"] = where
        if among:
            found["among"] = {name: " and ".join(dict.fromkeys(each)) for name, each in among.items()}
        return found

    def _among(self, reference: Reference, comparison: str, above: tuple[str, ...]) -> tuple[str, str]:
        """Give the dimension whose members are kept, and the condition; members without rows have no value there as here."""
        metric = self.manifest.metric(reference.name)
        if metric is None:
            raise NotCarriedOver(f"the metric `{reference.name}`, which is not defined")
        if len(reference.by) != 1 or "__" in reference.by[0]:
            raise NotCarriedOver(
                f"a filter on the metric `{reference.name}` by anything but one entity of its own rows"
            )
        return self.dimension(Reference("entity", reference.by[0])), f"{self._metric(metric, above)} {comparison}"

    def _where(self, filters: list[str]) -> str:
        conditions = list(dict.fromkeys(condition(text, self.dimension) for text in filters))
        return conditions[0] if len(conditions) == 1 else " and ".join(f"({each})" for each in conditions)

    def dimension(self, reference: Reference) -> str:
        """Give our name of what a filter refers to."""
        if reference.kind == "metric":
            raise NotCarriedOver(
                f"a filter on the value of the metric `{reference.name}` that is more than a comparison with a number: `among` keeps "
                "members by a condition of its own, and cannot be one side of an `or`"
            )
        name, suffix = reference.name, f"extract_{reference.part}" if reference.part else reference.grain
        stem, _, last = name.rpartition("__")
        if not suffix and stem and (last in GRAINS or self._is_custom(last)):
            name, suffix = stem, last
        known = self.datasets.dimension_names.given
        for label in (f"{name}__{suffix}",) if suffix else (name, *(f"{name}__{grain}" for grain in GRAINS)):
            if label in known:
                return known[label]
        raise NotCarriedOver(f"the dimension `{reference.name}`, which no semantic model has")

    def _length(self, text: str) -> str:
        """Say a length of time, also one in a unit that the spine names."""
        count, _, unit = text.strip().partition(" ")
        custom = next((name for name in (unit.strip(), unit.strip().removesuffix("s")) if self._is_custom(name)), "")
        return f"{count} {self.datasets.unit_names.name(custom)}" if custom and count.isdigit() else _duration(text)

    def _unit(self, text: str) -> str:
        return self.datasets.unit_names.name(text) if self._is_custom(text) else _grain(text)

    def _is_custom(self, word: str) -> bool:
        spine = self.manifest.custom_spine
        return spine is not None and word in dict(spine.custom)


def _aggregate(measure: Measure, rows: str = ROWS) -> str:
    """Write a measure as a formula whose value over no rows is unknown."""
    column, kind = measure_column(measure), measure.aggregation
    if rows != ROWS:
        if column.isdigit() and kind in {"sum", "count"}:
            return f"nullif(count({rows}), 0)" + (f" * {column}" if kind == "sum" and column != "1" else "")
        column = f"{rows}.{column}"
    if kind == "percentile" and measure.fraction is not None:
        name = "approx_quantile" if measure.approximate else "quantile_disc" if measure.discrete else "quantile_cont"
        return f"{name}({column}, {measure.fraction!r})"
    formulas = {
        **{each: f"{each}({column})" for each in ("sum", "min", "max", "median")},
        "average": f"avg({column})",
        "count": f"sum(case when {column} is not null then 1 else 0 end)",
        "sum_boolean": f"sum(case when {column} then 1 else 0 end)",
        "count_distinct": f"case when count({rows}) > 0 then count(distinct {column}) end",
    }
    if kind not in formulas:
        raise NotCarriedOver(f"the aggregate `{kind}`")
    return formulas[kind]


def _filled(formula: str, fill: str) -> str:
    """Write a value in the place of unknown."""
    return f"coalesce({formula}, {fill})" if fill else formula


def _duration(text: str) -> str:
    count, _, unit = text.strip().lower().partition(" ")
    unit = unit.strip().removesuffix("s")
    if not count.isdigit() or unit not in GRAINS:
        raise NotCarriedOver(f"the length of time `{text}`")
    return f"{count} {unit}s"


def _grain(text: str) -> str:
    if text.lower() not in GRAINS:
        raise NotCarriedOver(f"the unit of time `{text}`")
    return text.lower()
