"""Documents in, one manifest out: both generations of the spelling are read into the same things."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

from kpi_engine.api import Diagnostic
from kpi_format_metricflow.model import (
    Conversion,
    Dimension,
    Entity,
    Manifest,
    Measure,
    Metric,
    MetricInput,
    NonAdditive,
    SemanticModel,
    Spine,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kpi_engine.api import Place
    from kpi_format_metricflow.documents import Node

Thing = TypeVar("Thing", SemanticModel, Measure, Metric)
_REF = re.compile(
    r"""\s*(?:\{\{)?\s*(?:ref|source)\s*\(\s*(?:['"][^'"]*['"]\s*,\s*)?['"]([^'"]+)['"]\s*\)\s*(?:\}\})?\s*"""
)
_AGGREGATIONS = {"avg": "average", "count_if": "sum_boolean", "distinct_count": "count_distinct"}


def parsed(documents: Iterable[Node]) -> Manifest:
    """Read all documents."""
    reading = _Reading()
    for document in documents:
        reading.document(document)
    return reading.manifest()


@dataclass
class _Reading:
    models: list[SemanticModel] = field(default_factory=list)
    measures: list[Measure] = field(default_factory=list)
    metrics: list[Metric] = field(default_factory=list)
    spines: list[Spine] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)

    def manifest(self) -> Manifest:
        return Manifest(
            tuple(self._once(self.models, "semantic model")),
            tuple(self._once(self.measures, "measure")),
            tuple(self._once(self.metrics, "metric")),
            tuple(self.spines),
            tuple(self.diagnostics),
        )

    def document(self, node: Node) -> None:
        """Read a document; the keys in the singular are those of a file that holds one thing for each document."""
        for key in ("semantic_models", "semantic_model"):
            for each in node.items(key):
                self._legacy_model(each)
        for key in ("metrics", "metric"):
            for each in node.items(key):
                self._metric(each)
        for each in node.items("models"):
            self._dbt_model(each)
        for key in ("saved_queries", "saved_query"):
            for each in node.items(key):
                message = f"the saved query `{each.text('name')}` is a request, and definitions hold none"
                self._say("not_carried_over", message, each.place, "ask for it: by, grain, where", warning=True)
        for each in node.items("project_configuration"):
            self._configuration(each)

    def _legacy_model(self, node: Node) -> None:
        name = node.text("name")
        table = node.text("node_relation", "alias") or _table(node.text("model")) or name
        default = node.text("defaults", "agg_time_dimension")
        self.models.append(
            SemanticModel(
                name, table, node.place, node.text("label"), node.text("description"),
                tuple(_entity(each) for each in node.items("entities")),
                tuple(_dimension(each) for each in node.items("dimensions")),
                node.text("primary_entity") or _primary(_entity(each) for each in node.items("entities")), default,
            )
        )  # fmt: skip
        for each in node.items("measures"):
            measure = _measure(each, name, default)
            self.measures.append(measure)
            if each.flag("create_metric"):
                shown = each.text("create_metric_display_name") or each.text("label")
                made = MetricInput(measure.name, each.place)
                self.metrics.append(
                    Metric(
                        measure.name,
                        "simple",
                        each.place,
                        shown,
                        each.text("description"),
                        inputs=(made,),
                        of_measure=True,
                    )
                )

    def _dbt_model(self, node: Node) -> None:
        """Read a dbt model that says of itself what a semantic model says."""
        if node.get("time_spine") is not None:
            self.spines.append(_dbt_spine(node))
        said = node.get("semantic_model")
        if said is None or said.value is False or said.text("enabled") == "false":
            return
        name = said.text("name") or node.text("name")
        entities = [e for column in node.items("columns") if (e := _column_entity(column)) is not None]
        entities += [_entity(each) for each in node.items("derived_semantics", "entities")]
        dimensions = [d for column in node.items("columns") if (d := _column_dimension(column)) is not None]
        dimensions += [_dimension(each) for each in node.items("derived_semantics", "dimensions")]
        default = _element(node.text("agg_time_dimension"), dimensions)
        self.models.append(
            SemanticModel(
                name, node.text("name"), node.place, node.text("label"), node.text("description"), tuple(entities),
                tuple(dimensions), node.text("primary_entity") or _primary(entities), default,
            )
        )  # fmt: skip
        for each in node.items("metrics"):
            self._metric(each, name, default)

    def _metric(self, node: Node, model: str = "", default_time: str = "") -> None:
        kind = node.text("type").lower() or "simple"
        metric = Metric(
            node.text("name"), kind, node.place, node.text("label"), node.text("description"), _filters(node),
            grain=node.text("time_granularity"),
        )  # fmt: skip
        params = node.get("type_params") or node
        if kind == "simple":
            self._simple(metric, node, params, model, default_time)
        elif kind == "cumulative":
            self.metrics.append(_cumulative(metric, params))
        elif kind == "ratio":
            inputs = tuple(_input(each) for key in ("numerator", "denominator") for each in params.items(key))
            self.metrics.append(replace(metric, inputs=inputs))
        elif kind == "derived":
            inputs = tuple(_input(each) for key in ("metrics", "input_metrics") for each in params.items(key))
            place = params.place_of("expr")
            self.metrics.append(replace(metric, inputs=inputs, expression=params.text("expr"), expression_place=place))
        elif kind == "conversion":
            self.metrics.append(replace(metric, conversion=_conversion(params)))
        else:
            message = f"the metric `{metric.name}` is of the type `{kind}`, which is not known"
            self._say("not_carried_over", message, node.place_of("type"), "", subject=f"kpi {metric.name}")

    def _simple(self, metric: Metric, node: Node, params: Node, model: str, default_time: str) -> None:
        """Read a simple metric: over a measure, or in the newer spelling with the aggregate in itself."""
        own = params.get("metric_aggregation_params")
        if params.get("measure") is not None:
            read = _input(params.items("measure")[0])
        elif own is not None or node.text("agg"):
            said = own or node
            where = said.text("semantic_model") or model
            expression = params.text("expr") or node.text("expr") or said.text("expr")
            self.measures.append(_measure(said, where, default_time, name=metric.name, expression=expression))
            spined, fill = _spined(params) or _spined(node), _fill(params) or _fill(node)
            read = MetricInput(metric.name, node.place, join_to_spine=spined, fill=fill)
        else:
            message = f"the simple metric `{metric.name}` names no measure and no aggregate"
            hint = "give it a `measure`, or `agg` and `expr`"
            self._say("not_carried_over", message, node.place, hint, subject=f"kpi {metric.name}")
            return
        self.metrics.append(replace(metric, inputs=(read,), of_measure=True))

    def _configuration(self, node: Node) -> None:
        for each in node.items("time_spines"):
            custom = tuple(
                (c.text("name"), c.text("column_name") or c.text("name")) for c in each.items("custom_granularities")
            )
            column, grain = each.text("primary_column", "name"), each.text("primary_column", "time_granularity")
            self.spines.append(Spine(each.text("node_relation", "alias"), column, grain, custom))
        known = {spine.table for spine in self.spines}
        for each in node.items("time_spine_table_configurations"):
            table = each.text("location").rpartition(".")[2]
            if table not in known:
                self.spines.append(Spine(table, each.text("column_name"), each.text("grain") or "day"))

    def _once(self, things: list[Thing], noun: str) -> Iterator[Thing]:
        seen: dict[str, Place] = {}
        for each in things:
            if not each.name:
                self._say("not_carried_over", f"a {noun} has no name", each.place, "give it a `name`")
            elif each.name in seen:
                message = f"the {noun} `{each.name}` stands already at {seen[each.name]}"
                self._say("duplicate_definition", message, each.place, "rename one of them")
            else:
                seen[each.name] = each.place
                yield each

    def _say(
        self, code: str, message: str, place: Place, hint: str, *, subject: str = "", warning: bool = False
    ) -> None:
        severity = "warning" if warning else "error"
        self.diagnostics.append(Diagnostic(code, message, place, hint, severity, subject))  # type: ignore[arg-type]


def _cumulative(metric: Metric, params: Node) -> Metric:
    holders = [each for each in (params.get("cumulative_type_params"), params) if each is not None]

    def said(name: str) -> str:
        return next((text for holder in holders if (text := _length(holder.get(name)))), "")

    of_measure = params.get("measure") is not None
    names = ("measure",) if of_measure else ("input_metric", "metric")
    found = [_input(each) for name in names for holder in holders for each in holder.items(name)]
    return replace(
        metric, inputs=tuple(found[:1]), of_measure=of_measure, window=said("window"), to_date=said("grain_to_date"),
        period_aggregate=said("period_agg") or "first",
    )  # fmt: skip


def _table(written: str) -> str:
    match = _REF.fullmatch(written)
    return match[1] if match else written.rpartition(".")[2]


def _primary(entities: Iterable[Entity]) -> str:
    return next((each.name for each in entities if each.type == "primary"), "")


def _entity(node: Node) -> Entity:
    name = node.text("name")
    return Entity(name, node.text("type").lower() or "foreign", node.text("expr") or name, node.place)


def _dimension(node: Node) -> Dimension:
    name, params = node.text("name"), node.get("type_params") or node
    is_time = node.text("type").lower() == "time"
    grain = (params.text("time_granularity") or params.text("granularity") or "day") if is_time else ""
    validity = (
        "start"
        if params.flag("validity_params", "is_start")
        else "end"
        if params.flag("validity_params", "is_end")
        else ""
    )
    return Dimension(name, node.text("expr") or name, node.place, grain.lower(), node.flag("is_partition"), validity)


def _column_entity(column: Node) -> Entity | None:
    said = column.get("entity")
    if said is None:
        return None
    is_word = not isinstance(said.value, dict)
    name = "" if is_word else said.text("name")
    kind = str(said.value) if is_word else said.text("type")
    return Entity(name or column.text("name"), kind.lower() or "foreign", column.text("name"), said.place)


def _column_dimension(column: Node) -> Dimension | None:
    said = column.get("dimension")
    if said is None:
        return None
    is_word = not isinstance(said.value, dict)
    kind = str(said.value) if is_word else said.text("type")
    name = column.text("name") if is_word else said.text("name") or column.text("name")
    grain = (column.text("granularity") or said.text("granularity") or "day") if kind.lower() == "time" else ""
    validity = (
        "start" if said.flag("validity_params", "is_start") else "end" if said.flag("validity_params", "is_end") else ""
    )
    return Dimension(name, column.text("name"), said.place, grain.lower(), said.flag("is_partition"), validity)


def _element(column: str, dimensions: Iterable[Dimension]) -> str:
    """Give a time dimension by its name, or by that of its column."""
    known = list(dimensions)
    if any(each.name == column for each in known):
        return column
    return next((each.name for each in known if each.expression == column), column)


def _measure(node: Node, model: str, default_time: str, *, name: str = "", expression: str = "") -> Measure:
    name = name or node.text("name")
    kind = node.text("agg").lower()
    params = node.get("agg_params") or node
    fraction = params.text("percentile")
    level = node.get("non_additive_dimension")
    return Measure(
        name, model, _AGGREGATIONS.get(kind, kind), expression or node.text("expr") or name, node.place,
        node.text("agg_time_dimension") or default_time, float(fraction) if _is_number(fraction) else None,
        params.flag("use_discrete_percentile") or params.text("percentile_type") == "discrete", params.flag("use_approximate_percentile"),
        _non_additive(level) if level is not None else None,
    )  # fmt: skip


def _non_additive(node: Node) -> NonAdditive:
    choice = (node.text("window_choice") or node.text("window_agg") or "min").lower()
    groups = node.items("window_groupings") or node.items("group_by")
    return NonAdditive(node.text("name"), choice, tuple(str(each.value) for each in groups))


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[0-9]*\.?[0-9]+", text) is not None


def _input(node: Node) -> MetricInput:
    if not isinstance(node.value, dict):
        return MetricInput(str(node.value), node.place)
    return MetricInput(
        node.text("name"), node.place, node.text("alias"), _filters(node), _length(node.get("offset_window")),
        node.text("offset_to_grain"), _spined(node), _fill(node),
    )  # fmt: skip


def _spined(node: Node) -> bool:
    return node.flag("join_to_timespine")


def _fill(node: Node) -> str:
    return node.text("fill_nulls_with")


def _filters(node: Node) -> tuple[tuple[str, Place], ...]:
    found = []
    for each in node.items("filter"):
        inner = each.items("where_filters") or [each]
        found += [(one.text("where_sql_template") or str(one.value).strip(), one.place) for one in inner]
    return tuple(found)


def _length(node: Node | None) -> str:
    """Read a length of time: a text, or a count and a granularity."""
    if node is None:
        return ""
    if isinstance(node.value, dict):
        return f"{node.text('count')} {node.text('granularity')}"
    return str(node.value)


def _conversion(params: Node) -> Conversion:
    said = params.get("conversion_type_params") or params
    base = said.items("base_measure") or said.items("base_metric")
    conversion = said.items("conversion_measure") or said.items("conversion_metric")
    nothing = MetricInput("", said.place)
    constants = tuple(
        (each.text("base_property"), each.text("conversion_property")) for each in said.items("constant_properties")
    )
    return Conversion(
        _input(base[0]) if base else nothing, _input(conversion[0]) if conversion else nothing, said.text("entity"),
        said.text("calculation") or "conversion_rate", _length(said.get("window")), constants,
    )  # fmt: skip


def _dbt_spine(node: Node) -> Spine:
    column = node.text("time_spine", "standard_granularity_column")
    grains = {each.text("name"): each.text("granularity") for each in node.items("columns")}
    custom = tuple(
        (each.text("name"), each.text("column_name") or each.text("name"))
        for each in node.items("time_spine", "custom_granularities")
    )
    return Spine(node.text("name"), column, grains.get(column) or "day", custom)
