"""`kpi list`: what a project holds."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from kpi_engine.cli.columns import lined_up
from kpi_engine.cli.exits import Exit
from kpi_engine.cli.projects import opened, project_options, warn_of_mistakes
from kpi_engine.cli.requests import language_option
from kpi_engine.cli.writing import put

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kpi_engine.descriptions import DatasetDescription, KpiDescription
    from kpi_engine.engine import Engine

_STATUSES = {"active": "", "deprecated_practice": "discredited practice"}
"""Statuses that have other words in a list; the active one needs none."""


@click.command("list", short_help="List the KPIs, by role.")
@click.option("--role", metavar="ROLE", help="Only the KPIs of this role.")
@click.option("--datasets", is_flag=True, help="Also the datasets, with what their KPIs may be split and filtered by.")
@click.option(
    "--output", type=click.Choice(["table", "json"]), default="table", show_default=True, help="How it is written."
)
@language_option
@project_options
def command(
    role: str | None, output: str, language: str | None, project: str | None, disabled: Sequence[str], *, datasets: bool
) -> Exit:
    """List the KPIs, by role."""
    from kpi_engine.descriptions import describe_dataset

    with opened(project, disabled) as engine:
        warn_of_mistakes(engine)
        language = language or engine.project.settings.language
        kpis = [engine.describe(kpi_id, language) for kpi_id in engine.kpis(role)]
        found = (
            [describe_dataset(name, engine.project, language) for name in engine.project.datasets] if datasets else []
        )
        lines = [*as_table(kpis, engine, role, language), *_datasets(found)]
    put(as_json(kpis, found if datasets else None) if output == "json" else "\n".join(lines).strip("\n"))
    return Exit.OK


def as_table(kpis: Sequence[KpiDescription], engine: Engine, only: str | None, language: str) -> Iterator[str]:
    """Write the KPIs of each role, and those of no role last."""
    from kpi_engine.describing import text

    shown = {kpi.measure.id: kpi for kpi in kpis}
    lines = dict(zip(shown, lined_up([_cells(kpi) for kpi in kpis], "  "), strict=True)) if kpis else {}
    roles = engine.project.roles
    for role in [only] if only else roles:
        yield f"\n{text(roles[role].label, language) or role}  ({role})"
        yield from (lines[kpi_id] for kpi_id, kpi in shown.items() if role in kpi.roles)
    others = [] if only else [kpi_id for kpi_id, kpi in shown.items() if not any(role in roles for role in kpi.roles)]
    if others:
        yield "\nOn no scorecard"
        yield from (lines[kpi_id] for kpi_id in others)


def _cells(kpi: KpiDescription) -> tuple[str, ...]:
    measure = kpi.measure
    unit = "%" if measure.format == "percent" else measure.unit
    status = _STATUSES.get(measure.status, measure.status)
    return measure.id, measure.label, unit, "! cannot be computed: kpi show says why" if kpi.fault else status


def _datasets(found: Iterable[DatasetDescription]) -> Iterator[str]:
    for dataset in found:
        source = f" in {dataset.source}" if dataset.source else ""
        time = f", by {dataset.time}" if dataset.time else ", without a time"
        yield f"\n{dataset.id}  ({dataset.origin}{source}{time})"
        yield f"  {', '.join(dataset.dimensions) or 'no dimensions'}"


def as_json(kpis: Iterable[KpiDescription], datasets: Iterable[DatasetDescription] | None) -> str:
    """Write the KPIs, and the datasets where they are asked for, for machines."""
    listed = {"kpis": [record(kpi) for kpi in kpis]}
    found = {} if datasets is None else {"datasets": [asdict(dataset) for dataset in datasets]}
    return json.dumps(listed | found, ensure_ascii=False, indent=2)


def record(kpi: KpiDescription) -> dict[str, object]:
    """Write a KPI's description as JSON has it."""
    fault = kpi.fault and {"code": kpi.fault.code, "message": kpi.fault.message, "hint": kpi.fault.hint}
    parts = {
        name: value for name, value in vars(kpi).items() if name not in {"measure", "fault", "inputs", "parameters"}
    }
    inputs = [{**asdict(each), "modifiers": dict(each.modifiers)} for each in kpi.inputs]
    return {
        **asdict(kpi.measure),
        **parts,
        "inputs": inputs,
        "parameters": [asdict(each) for each in kpi.parameters],
        "fault": fault,
    }
