"""What a definition says of others: a KPI of its roles, companion, split and time; a role of its group."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from kpi_engine.catalogue.currencies import currency_mistake, no_rates, rates_dataset
from kpi_engine.catalogue.faults import Fault, LeftOut, unknown
from kpi_engine.catalogue.graph import kpis_compared, made_of
from kpi_engine.errors import nearest
from kpi_engine.formula.mistakes import Mistake

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kpi_engine.catalogue.names import Names
    from kpi_engine.definitions import Project


@dataclass(frozen=True)
class Reading:
    """A dataset that a KPI reads, with the dimensions that are ignored on the way to it."""

    dataset: str
    across: frozenset[str]
    everything: bool
    """Whether all dimensions are ignored, and time."""
    ages: frozenset[str] = frozenset()
    """The ages by which it is counted as a cohort."""


MOST_WAYS = 256
"""In so many ways one KPI may read the datasets under it."""
Way = tuple[str, frozenset[str], bool, frozenset[str]]
"""A dataset, the dimensions that inputs ignore on the way to it, whether they ignore all, and the ages of a cohort."""


@dataclass(frozen=True)
class Fitting:
    """Checks whether the definitions of a project fit together; a KPI in a circle is not asked for."""

    project: Project
    names: Names
    left_out: LeftOut
    below: Callable[[str], list[str]]
    known: dict[str, tuple[Way, ...]] = field(default_factory=dict)
    """The ways under each KPI, once they were asked for."""

    def kpi(self, kpi_id: str) -> Iterator[Fault]:
        """Find what a KPI says that does not fit: its roles, its companion, its split, and that its inputs share a time."""
        model = self.project.kpis[kpi_id]
        for role in model.role:
            if role not in self.project.roles:
                yield Fault(("role", role), unknown(role, self.project.roles, self.left_out, "role"))
        if model.quality and model.quality not in self.project.kpis:
            yield Fault(("quality",), unknown(model.quality, self.project.kpis, self.left_out, "kpi"))
        if model.currency and not currency_mistake(model.currency) and not rates_dataset(self.project.datasets):
            lacking = no_rates(model.currency)
            yield Fault(("currency",), replace(lacking, follows=self.left_out.has_some("dataset")))
        yield from self.additive_over(kpi_id)
        yield from self._split(kpi_id)
        yield from self._ages(kpi_id)
        yield from self._among(kpi_id)
        yield from self._times(kpi_id)
        if len(self.readings(kpi_id)) > MOST_WAYS:
            follows = any(len(self.known[name]) > MOST_WAYS for name in self.below(kpi_id))
            message = f"the data under this KPI would be read in more than {MOST_WAYS} ways: by `across` of inputs on top of one another"
            hint = "ignore the dimensions in one input"
            yield Fault(("inputs",), Mistake("too_many_ways", message, hint=hint, follows=follows), on_key=True)

    def role(self, role_id: str) -> Iterator[Fault]:
        """Find what a role says that does not fit: its group."""
        group = self.project.roles[role_id].group
        if group and group not in self.project.groups:
            yield Fault(("group",), unknown(group, self.project.groups, self.left_out, "group"))

    def dimensions(self, kpi_id: str) -> tuple[str, ...]:
        """Name the dimensions a KPI may be split and filtered by: those that all its inputs have, or ignore."""
        found: dict[str, None] | None = None
        for reading in self.readings(kpi_id):
            if reading.everything:
                continue
            dimensions = self.project.datasets[reading.dataset].dimensions
            own = dict.fromkeys([*dimensions, *reading.across, *sorted(reading.ages)])
            found = own if found is None else {name: None for name in found if name in own}
        return tuple(found or ())

    def ages(self, kpi_id: str) -> tuple[str, ...]:
        """Name the ages without which a KPI means nothing, as something in it is counted by them."""
        counted = (reading for reading in self.readings(kpi_id) if not reading.everything)
        return tuple(dict.fromkeys(name for reading in counted for name in sorted(reading.ages - reading.across)))

    def readings(self, kpi_id: str) -> tuple[Reading, ...]:
        """Go through the datasets under a KPI, each once for each way in which dimensions are ignored before it."""
        for name in made_of(kpi_id, self.below, self.known) if kpi_id not in self.known else ():
            self.known[name] = self._ways(name)
        return tuple(
            Reading(dataset, across and self.names.depending(dataset, across) | across, everything, ages)
            for dataset, across, everything, ages in self.known[kpi_id]
        )

    def _ways(self, kpi_id: str) -> tuple[Way, ...]:
        """Put the ways below a KPI's inputs together, with what the inputs ignore."""
        found: dict[Way, None] = {}
        inputs = self.project.kpis[kpi_id].inputs
        for alias, each in ((alias, model) for alias, model in inputs.items() if not model.after):
            across, everything = frozenset(each.across), "all" in each.across
            if each.from_ in self.project.datasets:
                ages = frozenset(other.age.as_ for other in inputs.values() if other.after == alias and other.age)
                found[each.from_, across, everything, ages] = None
            elif each.from_ in self.project.kpis:
                found |= {(d, a | across, e or everything, n): None for d, a, e, n in self.known[each.from_]}
        return tuple(found)[: MOST_WAYS + 1]

    def additive_over(self, kpi_id: str) -> Iterator[Fault]:
        """Find the dimensions that a KPI is declared to add up over and cannot be split by."""
        known = self.dimensions(kpi_id)
        for name in self.project.kpis[kpi_id].additive_over:
            if name not in known:
                hint = nearest(name, known) or "it has no dimensions"
                message = f"`additive_over` names `{name}`, by which this KPI cannot be split"
                mistake = Mistake("missing_dimension", message, 0, len(name), hint)
                yield Fault(("additive_over", name), mistake)

    def _split(self, kpi_id: str) -> Iterator[Fault]:
        datasets = self.project.datasets
        for name in self.project.kpis[kpi_id].split:
            for reading in self.readings(kpi_id):
                if (
                    not reading.everything
                    and name not in reading.across
                    and name not in datasets[reading.dataset].dimensions
                ):
                    close = nearest(name, self.dimensions(kpi_id))
                    hint = (
                        close
                        if close.startswith("did")
                        else f"give `{reading.dataset}` that dimension, or read it with `across: {name}`"
                    )
                    message = f"the input `{reading.dataset}` has no dimension `{name}`"
                    yield Fault(("split", name), Mistake("missing_dimension", message, 0, len(name), hint))

    def _ages(self, kpi_id: str) -> Iterator[Fault]:
        """What is not counted by age meets a cohort only as a constant."""
        dimensions = self.dimensions(kpi_id)
        for name in (each for each in self.ages(kpi_id) if each not in dimensions):
            if any(name in self.ages(each) and name not in self.dimensions(each) for each in self.below(kpi_id)):
                continue
            lacking = next(
                reading.dataset
                for reading in self.readings(kpi_id)
                if not reading.everything and name not in reading.ages | reading.across
            )
            message = f"one input is counted by `{name}`, and `{lacking}` is not"
            yield Fault(
                ("inputs",),
                Mistake("missing_dimension", message, hint=f"read what lacks it with `across: {name}`"),
                on_key=True,
            )

    def _among(self, kpi_id: str) -> Iterator[Fault]:
        """A KPI by which members are kept has the dimension that they are members of, and a value for each."""
        for alias, model in self.project.kpis[kpi_id].inputs.items():
            others = [each for each in kpis_compared(model) if each in self.project.kpis] if model.among else []
            dataset = self.project.datasets.get(model.from_)
            own = dataset.dimensions if dataset else self.dimensions(model.from_) if model.from_ in self.known else ()
            for name, other in ((name, each) for name in model.among if name in own for each in others):
                needed = [each for each in (*self.project.kpis[other].split, *self.ages(other)) if each != name]
                if name in self.dimensions(other) and not needed:
                    continue
                message = f"the KPI `{other}` has no dimension `{name}`"
                if needed:
                    message = f"`{other}` means nothing without a split by `{needed[0]}`"
                mistake = Mistake("missing_dimension", message, hint=nearest(name, self.dimensions(other)))
                yield Fault(("inputs", alias, "among", name), mistake, on_key=True)

    def _times(self, kpi_id: str) -> Iterator[Fault]:
        """Inputs with a time and inputs without one do not meet in a period, unless the latter are read as constants."""
        datasets = self.project.datasets
        readings = self.readings(kpi_id)
        timeless = dict.fromkeys(r.dataset for r in readings if not r.everything and datasets[r.dataset].time is None)
        if not any(datasets[r.dataset].time is not None for r in readings):
            return
        for dataset in timeless:
            hint = f"give `{dataset}` a `time`, or read it as a constant with `across: all`"
            message = f"the input `{dataset}` has no time, and other inputs have one"
            alias = next((a for a, each in self.project.kpis[kpi_id].inputs.items() if each.from_ == dataset), "")
            follows = not alias
            yield Fault(
                ("inputs", alias) if alias else ("inputs",), Mistake("no_time", message, 0, len(dataset), hint, follows)
            )
