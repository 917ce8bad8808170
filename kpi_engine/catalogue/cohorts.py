"""Cohorts: inputs of which the first row of each entity is followed from age to age by the rows that come after it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from kpi_engine.calendar import parse_age
from kpi_engine.catalogue.faults import Fault
from kpi_engine.catalogue.resolved import Age, Followed
from kpi_engine.definitions.naming import LENGTH, NAME, RESERVED
from kpi_engine.errors import KpiError
from kpi_engine.formula.mistakes import Mistake

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kpi_engine.catalogue.resolved import ResolvedInput
    from kpi_engine.catalogue.surroundings import Surroundings
    from kpi_engine.definitions.models import Input


def age_of(alias: str, model: Input, around: Surroundings, faults: list[Fault]) -> Age | None:
    """Read the age by which an input is counted, where it says one; what is wrong with it goes to `faults`."""
    if model.age is None:
        return None
    before, name, written = len(faults), model.age.as_, model.age.unit
    place = ("inputs", alias, "age")
    try:
        unit = parse_age(written)
    except KpiError as error:
        faults.append(Fault(place, Mistake(error.code, error.message, 0, len(written), error.hint)))
    if name in RESERVED["dimensions"] or len(name) > LENGTH or not re.fullmatch(NAME, name):
        message = f"an age cannot be called `{name}`"
        hint = "use letters a to z, digits and single underscores, and no word of requests"
        faults.append(Fault((*place, "as"), Mistake("bad_name", message, 0, len(name), hint)))
    if owner := next((d for d, each in around.names.datasets.items() if name in each.dimensions), ""):
        message = f"`{name}` is a dimension of the dataset `{owner}`, and an age has a name of its own"
        hint = f"call it otherwise: `age: {{unit: {written}, as: {name}_of_cohort}}`"
        faults.append(Fault(place, Mistake("bad_age", message, hint=hint), on_key=True))
    faults += _misfits(alias, model)
    return Age(name, unit) if len(faults) == before else None


def _misfits(alias: str, model: Input) -> list[Fault]:
    """A cohort is where an entity came first, and ages say how much later a row comes."""
    said = {
        "touch": "a cohort is made of first rows, so `age` and `touch: last` do not go together" if model.touch == "last" else "",
        "within": "`age` says how much later a row comes, so it does not go together with `within`" if model.within else "",
        "per": "`age` counts rows, so it does not go together with `per`" if model.per else "",
    }  # fmt: skip
    hints = {
        "touch": "leave out `touch`",
        "within": "leave out `within`, and filter a request by the age",
        "per": "make a KPI of it, and give an input over that KPI the `per`",
    }
    return [
        Fault(("inputs", alias, key), Mistake("bad_age", message, hint=hints[key]), on_key=True)
        for key, message in said.items()
        if message
    ]


def with_cohorts(inputs: Mapping[str, ResolvedInput]) -> tuple[dict[str, ResolvedInput], list[Fault]]:
    """Make cohorts of the inputs that others follow by age; all that follow one input do so by the same age and entity."""
    made, faults = dict(inputs), list[Fault]()
    followed: dict[str, Followed] = {}
    for alias, each in inputs.items():
        given = each.conversion
        if given is None or not any(
            other.conversion and other.conversion.age and other.conversion.base.alias == given.base.alias
            for other in inputs.values()
        ):
            continue
        own = Followed(tuple(there for _, there in given.keys), given.age) if given.age else None
        if own is None or followed.setdefault(given.base.alias, own) != own:
            message = f"`{given.base.alias}` is a cohort, which all inputs follow by one `age` and one entity (`of`)"
            mistake = Mistake("bad_age", message, hint="say the same `age` and `of` in each, or make a KPI of each")
            faults.append(Fault(("inputs", alias, "after"), mistake, on_key=True))
            made.pop(alias)
    for alias, cohort in followed.items():
        made[alias] = replace(inputs[alias], followed=cohort)
    for alias, each in made.items():
        if each.conversion is not None and each.conversion.base.alias in followed:
            made[alias] = replace(each, conversion=replace(each.conversion, base=made[each.conversion.base.alias]))
    return made, faults


def ages_in(around: Surroundings) -> set[str]:
    """Name the ages that there are in a project."""
    return {each.age.as_ for kpi in around.kpis.values() for each in kpi.inputs.values() if each.age is not None}
