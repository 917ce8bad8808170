"""The inputs of a KPI resolved: what each reads, and its modifiers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, TypeVar

from kpi_engine.calendar import GRAINS, AllTime, Trailing, parse_duration, parse_first_day, parse_to_date
from kpi_engine.catalogue.among import kept_members
from kpi_engine.catalogue.cohorts import age_of, ages_in, with_cohorts
from kpi_engine.catalogue.faults import Fault, empty, faults_of, guess, unknown
from kpi_engine.catalogue.resolved import Conversion, Expr, ResolvedInput
from kpi_engine.errors import KpiError, nearest
from kpi_engine.formula.gate import Mistake, Refused, read

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kpi_engine.calendar import Coverage, Duration, FirstDay
    from kpi_engine.catalogue.surroundings import Surroundings
    from kpi_engine.definitions.models import Dataset, Input

T = TypeVar("T")
_GIVEN_BY = ("of", "after", "within", "touch", "age")
"""The keys of an input whose rows are given to those of another."""


@dataclass(frozen=True)
class Inputs:
    """The inputs of one KPI: those that were resolved, the names of those that were not, and why."""

    resolved: Mapping[str, ResolvedInput]
    broken: frozenset[str]
    faults: tuple[Fault, ...]


def resolve_inputs(models: Mapping[str, Input], around: Surroundings) -> Inputs:
    """Resolve every input of a KPI."""
    resolved: dict[str, ResolvedInput] = {}
    faults: list[Fault] = []
    if not models:
        mistake = Mistake("no_inputs", "a KPI needs at least one input", hint="name a dataset or another KPI")
        faults.append(Fault(("inputs",), mistake, on_key=True))
    for alias, model in models.items():
        reading = _Reading(alias, model, around)
        found = reading.input()
        if not reading.faults:
            resolved[alias] = found
        faults += reading.faults
    for alias, model in models.items():
        if not any(getattr(model, key) for key in _GIVEN_BY):
            continue
        reading = _Reading(alias, model, around)
        broken = frozenset(models) - resolved.keys()
        conversion = reading.conversion(resolved, models)
        if alias in resolved and conversion is not None:
            resolved[alias] = replace(resolved[alias], conversion=conversion)
        if reading.faults or model.after in broken:
            resolved.pop(alias, None)
            faults += reading.faults
    resolved, unlike = with_cohorts(resolved)
    faults += unlike
    return Inputs(resolved, frozenset(models) - resolved.keys(), tuple(faults))


@dataclass
class _Reading:
    """One input in the making."""

    alias: str
    model: Input
    around: Surroundings
    faults: list[Fault] = field(default_factory=list)

    @property
    def target(self) -> str:
        return self.model.from_

    @property
    def dataset(self) -> Dataset | None:
        return self.around.names.datasets.get(self.target)

    @property
    def _is_known(self) -> bool:
        return self.dataset is not None or self.target in self.around.kpis

    @property
    def _is_level(self) -> bool:
        """Whether rows hold until the next; rows that are given to others count for themselves."""
        return self.dataset is not None and self.dataset.snapshot is not None and not self.model.after

    def input(self) -> ResolvedInput:
        """Resolve the input, as far as it can be: what is wrong with its modifiers is said whatever it reads."""
        if not self._is_known:
            known = [*self.around.names.datasets, *self.around.kpis]
            self._fault("from", unknown(self.target, known, self.around.left_out, "dataset", "kpi"))
        else:
            self._time()
            self._take()
        self._across()
        self._per()
        return ResolvedInput(
            alias=self.alias,
            target=self.target,
            kind="dataset" if self.dataset is not None else "kpi",
            where=self._where(),
            time=self.model.time,
            take=self.model.take or ("closing" if self._is_level else "rows"),
            across=frozenset(self.model.across) - {"all"},
            across_all="all" in self.model.across,
            offset=self._offset(),
            covers=self._covers(),
            per=self.model.per,
            unit=next((name for name in self.model.per if self._is_unit(name)), None),
            among=kept_members(self.alias, self.model, self.around, self.faults),
        )

    def conversion(self, others: Mapping[str, ResolvedInput], models: Mapping[str, Input]) -> Conversion | None:
        """Read to which rows the rows of this input are given; nothing where they count for themselves."""
        within = self._parsed("within", parse_duration)
        model = self.model
        if not (model.after and model.of):
            message = "a conversion says `of` which entity it is, and `after` which other input"
            written = next(key for key in _GIVEN_BY if getattr(model, key))
            self._fault(written, Mistake("half_a_conversion", message, hint="add the one that is missing"), on_key=True)
            return None
        if not self._is_known or (model.after in models and model.after not in others) or not self._gives_rows():
            return None
        base = others.get(model.after)
        plain = (
            base is not None
            and base.kind == "dataset"
            and not (base.per or base.covers or base.offset or models[base.alias].after)
        )
        if base is None or not plain or base.take != "rows":
            message = f"`after` names an input that reads the rows of a dataset, without `offset`, `window` and the like; `{model.after}` is none"
            self._fault("after", Mistake("bad_conversion", message, 0, len(model.after), nearest(model.after, others)))
            return None
        keys = tuple(self._key(here, there, base) for here, there in model.of.items())
        age = age_of(self.alias, model, self.around, self.faults)
        if self.faults:
            return None
        first = model.touch == "first" or age is not None
        return Conversion(base, tuple(each for each in keys if each), within, first, age)

    def _gives_rows(self) -> bool:
        """Whether the input has rows that may be given to others, each for itself."""
        take = self.model.take or "rows"
        if self.dataset is None:
            message = f"`{self.target}` is a KPI: a conversion gives rows of a dataset to other rows"
            self._fault("from", Mistake("bad_conversion", message, 0, len(self.target), "read the dataset below it"))
        elif take != "rows":
            message = (
                f"`take: {take}` chooses among rows that hold until the next, and a conversion counts each for itself"
            )
            self._fault("take", Mistake("bad_conversion", message, 0, len(take), "leave out `take`"))
        return self.dataset is not None and take == "rows"

    def _key(self, here: str, there: str, base: ResolvedInput) -> tuple[Expr, Expr] | None:
        try:
            ours = self.around.names.path(self.target, tuple(here.split(".")), ())
            theirs = self.around.names.path(base.target, tuple(there.split(".")), ())
        except Refused as refused:
            found = refused.mistakes[0]
            self._fault("of", Mistake(found.code, found.message, 0, len(here), found.hint, found.follows), here)
            return None
        return Expr(ours), Expr(theirs)

    def _parsed(self, key: str, parse: Callable[[str], T]) -> T | None:
        """Read the text of a modifier, where there is one, with what the calendar has for it."""
        text = getattr(self.model, key)
        try:
            return parse(text) if text else None
        except KpiError as error:
            self._fault(key, Mistake(error.code, error.message, 0, len(text), error.hint))
            return None

    def _fault(self, key: str, mistake: Mistake, *inner: str, on_key: bool = False) -> None:
        self.faults.append(Fault(("inputs", self.alias, key, *inner), mistake, on_key=on_key))

    def _where(self) -> Expr | None:
        """Resolve the condition: over a dataset's rows; of a KPI it must hold a meaning in every dataset below."""
        if not self.model.where.strip():
            if "where" in self.model.model_fields_set:
                self.faults.append(Fault(("inputs", self.alias, "where"), empty("where"), on_key=True))
            return None
        try:
            tree = read(self.model.where, "condition")
        except Refused as refused:
            self.faults += faults_of(("inputs", self.alias, "where"), refused.mistakes)
            return None
        mistakes = list(self.around.unknown_parameters(tree))
        resolved = tree
        for dataset in self.around.datasets_under(self.target):
            try:
                resolved = self.around.names.resolve(dataset, tree)
            except Refused as refused:
                mistakes += [self._without_alias(mistake) for mistake in refused.mistakes]
        self.faults += faults_of(("inputs", self.alias, "where"), dict.fromkeys(mistakes))
        return Expr(resolved if self.dataset is not None else tree)

    def _without_alias(self, mistake: Mistake) -> Mistake:
        """A condition stands at its input already, so its columns are named without it."""
        written = self.model.where[mistake.offset : mistake.offset + mistake.length]
        if mistake.code != "unknown_join" or not written.startswith(f"{self.alias}."):
            return mistake
        return replace(
            mistake,
            hint=f"write `{written.removeprefix(f'{self.alias}.')}`: the condition is about `{self.alias}` alone",
        )

    def _time(self) -> None:
        name = self.model.time
        if name and self.dataset is None:
            message = f"`{self.target}` is a KPI: `time` chooses among the times of a dataset"
            self._fault("time", Mistake("time_of_a_kpi", message, 0, len(name), "give the KPI's own input that time"))
        elif name and self.dataset is not None and name not in self.dataset.times:
            hint = nearest(name, self.dataset.times) or f"dataset `{self.target}` declares no further `times`"
            self._fault(
                "time", Mistake("unknown_time", f"dataset `{self.target}` has no time `{name}`", 0, len(name), hint)
            )

    def _take(self) -> None:
        take = self.model.take
        if take is None or (take == "rows" and self.dataset is not None):
            return
        if self.dataset is None:
            message = f"`{self.target}` is a KPI: `take: {take}` chooses rows of a snapshot"
            self._fault(
                "take", Mistake("not_a_snapshot", message, 0, len(take), "give the KPI's own input that `take`")
            )
        elif self.dataset.snapshot is None:
            hint = f"leave it out, or declare `snapshot:` in dataset `{self.target}`"
            message = f"`take: {take}` needs a dataset with `snapshot`, and `{self.target}` has none"
            self._fault("take", Mistake("not_a_snapshot", message, 0, len(take), hint))

    def _across(self) -> None:
        """A dimension that the input lacks may be ignored: then it is the same for each of its members."""
        named = [name for name in self.model.across if name != "all"]
        known = {n for dataset in self.around.names.datasets.values() for n in dataset.dimensions} if named else set()
        known |= ages_in(self.around) if not known.issuperset(named) else set()
        for name in named:
            if name not in known:
                follows = self.around.left_out.has_some("dataset")
                mistake = Mistake(
                    "unknown_dimension",
                    f"no dataset has a dimension `{name}`",
                    0,
                    len(name),
                    guess(name, known),
                    follows,
                )
                self._fault("across", mistake, name)

    def _is_unit(self, name: str) -> bool:
        return name in GRAINS or name in self.around.units

    def _per(self) -> None:
        for name in (each for each in self.model.per if not self._is_unit(each)):
            for dataset in self.around.datasets_under(self.target):
                try:
                    self.around.names.path(dataset, (name,), ())
                except Refused as refused:
                    found = refused.mistakes[0]
                    self._fault(
                        "per", Mistake(found.code, found.message, 0, len(name), found.hint, found.follows), name
                    )

    def _offset(self) -> Duration | FirstDay | Literal["period"] | None:
        if self.model.offset == "period":
            return "period"
        units = self.around.units
        return self._parsed("offset", lambda text: parse_first_day(text, units) or parse_duration(text, units))

    def _covers(self) -> Coverage | None:
        """Read the one stretch that the input covers, where that is not the period itself."""
        model = self.model
        written = [key for key in ("to_date", "window", "all_time") if getattr(model, key)]
        if not written:
            return None
        if len(written) > 1:
            message = f"`{written[0]}` and `{written[1]}` cannot both say which stretch of time is covered"
            self._fault(written[1], Mistake("two_stretches", message, hint="keep one of them"), on_key=True)
            return None
        timeless = next((d for d in self.around.datasets_under(self.target) if self._has_no_time(d)), None)
        if timeless and not model.all_time:
            message = f"`{written[0]}` needs a time, and the dataset `{timeless}` has none"
            self._fault(written[0], Mistake("no_time", message, hint="give the dataset a `time`"), on_key=True)
            return None
        if model.all_time:
            return AllTime()
        units = self.around.units
        return self._parsed("to_date", lambda text: parse_to_date(text, units)) or self._parsed(
            "window", lambda text: Trailing(parse_duration(text, units))
        )

    def _has_no_time(self, dataset: str) -> bool:
        return self.around.names.datasets[dataset].time is None and not self.model.time
