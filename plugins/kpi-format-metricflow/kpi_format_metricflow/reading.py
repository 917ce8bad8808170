"""The format: texts in, definitions out, with a diagnostic for each thing that could not be carried over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel

from kpi_engine.api import Imported
from kpi_format_metricflow.datasets import Datasets
from kpi_format_metricflow.documents import documents
from kpi_format_metricflow.kpis import Kpis
from kpi_format_metricflow.names import Names
from kpi_format_metricflow.parsing import parsed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kpi_engine.api import Place


class Options(BaseModel):
    """The options of the format."""


class MetricflowFormat:
    """MetricFlow definitions, in the spelling of semantic models and measures, and in that of dbt models and simple metrics."""

    name: ClassVar[str] = "metricflow"
    Config: ClassVar[type[BaseModel]] = Options
    suffixes: ClassVar[tuple[str, ...]] = (".yaml", ".yml")

    def __init__(self, config: Options) -> None:
        self.config = config

    def read(self, texts: Mapping[str, str]) -> Imported:
        """Read the texts of all files."""
        found, diagnostics = documents(texts)
        manifest = parsed(found)
        names = Names()
        for metric in manifest.metrics:
            names.name(metric.name)
        datasets = Datasets(manifest, _Apart(names))
        for spine in manifest.spines:
            datasets.of_spine(spine)
        for model in manifest.models:
            datasets.of_model(model)
        kpis = Kpis(manifest, datasets, names)
        kpis.make()
        places: dict[tuple[str, str], Place] = {
            ("kpis", names.name(each.name)): each.place for each in manifest.metrics
        } | {("datasets", datasets.of_model(each)): each.place for each in manifest.models}
        definitions: dict[str, Any] = {"datasets": datasets.definitions, "kpis": kpis.definitions}
        if units := datasets.units():
            definitions["calendar"] = {"units": units}
        said = (*diagnostics, *manifest.diagnostics, *kpis.diagnostics)
        return Imported({key: value for key, value in definitions.items() if value}, said, places)


class _Apart(Names):
    """Names of datasets, which are told apart from those of KPIs."""

    def __init__(self, kpis: Names) -> None:
        super().__init__(taken=set(kpis.taken))
