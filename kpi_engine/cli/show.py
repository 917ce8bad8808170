"""`kpi show`: all there is to say of a KPI."""

from __future__ import annotations

import json
import shutil
from textwrap import wrap
from typing import TYPE_CHECKING

import click

from kpi_engine.cli.exits import Exit, exit_of
from kpi_engine.cli.list import record
from kpi_engine.cli.projects import opened, project_options
from kpi_engine.cli.requests import language_option
from kpi_engine.cli.writing import put, say

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kpi_engine.api import Measure
    from kpi_engine.descriptions import InputDescription, KpiDescription, ParameterDescription

_BESIDE = 14
"""The width of the names on the left."""


@click.command("show", short_help="Show all there is to say of a KPI.")
@click.argument("kpi")
@click.option(
    "--output", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How it is written."
)
@language_option
@project_options
def command(kpi: str, output: str, language: str | None, project: str | None, disabled: Sequence[str]) -> Exit:
    """Show all there is to say of a KPI: formula, inputs, unit, dimensions, parameters, and where it is defined."""
    with opened(project, disabled) as engine:
        found = engine.describe(kpi, language)
    put(json.dumps(record(found), ensure_ascii=False, indent=2) if output == "json" else "\n".join(page(found)))
    if found.fault is None:
        return Exit.OK
    say(f"\n{found.fault}")
    return exit_of(found.fault)


def page(kpi: KpiDescription) -> Iterator[str]:
    """Write a description for the terminal."""
    measure = kpi.measure
    width = max(40, min(shutil.get_terminal_size((100, 24)).columns, 120))
    yield f"{measure.id}  {measure.label}"
    yield from wrap(measure.description, width)
    yield ""
    for name, lines in _facts(kpi):
        for number, line in enumerate(
            line for each in lines for line in wrap(each, width - _BESIDE, break_on_hyphens=False)
        ):
            yield f"{'' if number else name:{_BESIDE}}{line}"


def _facts(kpi: KpiDescription) -> Iterator[tuple[str, list[str]]]:
    """Give what is known, each under its name; what is not there is left out."""
    measure = kpi.measure
    facts = {
        "Formula": [kpi.formula],
        "Inputs": [_input(each) for each in kpi.inputs],
        "Unit": [_unit(measure, kpi)],
        "Adds up": [_adds_up(measure, kpi)] if kpi.fault is None else [],
        "Good news": [{"higher": "when it rises", "lower": "when it falls", "neither": ""}[measure.better]],
        "Split by": [", ".join(kpi.dimensions)],
        "Only split by": [", ".join(kpi.split)],
        "Parameters": [_parameter(each) for each in kpi.parameters],
        "Roles": [", ".join(kpi.roles) or "none: it stands on no scorecard"],
        "Status": ["" if measure.status == "active" else measure.status.replace("_", " ")],
        "Notice": [measure.notice],
        "Trust": [f"{kpi.quality} says how far" if kpi.quality else ""],
        "Owner": [kpi.owner],
        "From": [", ".join(kpi.sources)],
        "Used by": [", ".join(kpi.used_by)],
        "Defined in": [kpi.place],
    }
    yield from ((name, lines) for name, lines in facts.items() if any(lines))


def _input(each: InputDescription) -> str:
    of = f"{each.kind} {each.of}"
    said = "; ".join(f"{name} {value}" for name, value in each.modifiers.items())
    return (of if each.name == each.of else f"{each.name} is {of}") + (f": {said}" if said else "")


def _adds_up(measure: Measure, kpi: KpiDescription) -> str:
    if measure.additivity == "additive":
        return "yes"
    if measure.additivity == "semi_additive":
        return f"across dimensions, not over time: {kpi.not_additive}"
    if measure.additive_over:
        return f"over {', '.join(measure.additive_over)} only, as the data confirm; else {kpi.not_additive}"
    return f"no: {kpi.not_additive}; totals are computed from the rows"


def _unit(measure: Measure, kpi: KpiDescription) -> str:
    recorded = kpi.recorded_unit.replace("¤", "the currency beside each amount")
    unit = measure.unit or recorded or ("%" if measure.format == "percent" else "none")
    if measure.unit and recorded != kpi.recorded_unit:
        unit += ", from " + recorded
    return unit + (f", shown as {measure.format}" if measure.format != "number" else "")


def _parameter(each: ParameterDescription) -> str:
    value = "no value" if each.value is None else repr(each.value)
    return f":{each.name} is {value} ({each.type})" + (f": {each.description}" if each.description else "")
