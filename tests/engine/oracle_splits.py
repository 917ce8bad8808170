"""What a question may split by, for the oracle: some input must know each member that is asked for, at every level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from oracle_cohorts import AGE
from oracle_terms import paths, walk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oracle_model import Input, Model, Question

Names = frozenset[str]


class LacksError(Exception):
    """A dimension is asked for that every input ignores."""


@dataclass(frozen=True)
class Splits:
    """Looks for dimensions that nothing below a question knows."""

    model: Model

    def lacks(self, question: Question) -> bool:
        """Say whether a question asks for what is not there: so the language refuses it, whatever the data are."""
        try:
            self._check(question)
        except LacksError:
            return True
        return False

    def _check(self, question: Question) -> None:
        """Refuse a split or a filter by what each input ignores, and members of which no input knows all."""
        asked = {path for each in question.where for path in paths(each)} | set(question.by)
        names = frozenset(question.by)
        ways = {kpi: list(self._ways(kpi, frozenset())) for kpi in question.kpis}
        if any(asked and all("all" in ignored for _, ignored, _ in found) for found in ways.values()):
            raise LacksError
        every = [way for found in ways.values() for way in found]
        if names and every and not any(self._knows(*way, names) for way in every):
            raise LacksError
        for kpi in question.kpis:
            self._check_entities(kpi, frozenset(), names)

    def _check_entities(self, kpi: str, ignored: Names, names: Names) -> None:
        for used, below in self._inputs(kpi, ignored):
            if not (used.per or used.unit):
                if used.source in self.model.kpis:
                    self._check_entities(used.source, below, names)
                continue
            lost = {name for name in names if self._is_ignored(used.source, name, below)}
            kept = (names - lost) | frozenset(used.per)
            ways = (
                list(self._ways(used.source, below))
                if used.source in self.model.kpis
                else [(used.source, below, frozenset())]
            )
            if kept and not any(self._knows(*way, kept) for way in ways):
                raise LacksError
            if used.source in self.model.kpis:
                self._check_entities(used.source, below, kept)

    def _inputs(self, kpi: str, ignored: Names) -> Iterator[tuple[Input, Names]]:
        known = self.model.kpis[kpi]
        for each in walk(known.formula):
            if each[0] in {"input", "agg"}:
                used = known.inputs[each[1] if each[0] == "input" else each[2]]
                yield used, ignored | used.across

    def _ways(self, kpi: str, ignored: Names, entities: Names = frozenset()) -> Iterator[tuple[str, Names, Names]]:
        """Go through the datasets below a KPI: what is ignored of each, and of which entities a value is taken above it."""
        known = self.model.kpis[kpi]
        for used, below in self._inputs(kpi, ignored):
            above = entities | frozenset(used.per)
            if used.source in self.model.kpis:
                yield from self._ways(used.source, below, above)
            elif used.conversion is not None:
                yield known.inputs[used.conversion.after].source, below, above
            else:
                yield used.source, below, above

    def _knows(self, dataset: str, ignored: Names, entities: Names, names: Names) -> bool:
        """Say whether rows of a dataset tell all of some members."""
        return not {*names, *entities} & self._ignored(dataset, ignored, names | entities)

    def _ignored(self, dataset: str, ignored: Names, asked: Names) -> Names:
        known = self.model.datasets[dataset]
        if "all" in ignored:
            return frozenset({*known.dimensions, *asked, AGE})
        return ignored | frozenset(name for each in ignored for name in known.depends.get(each, ()))

    def _is_ignored(self, source: str, name: str, ignored: Names) -> bool:
        if source in self.model.datasets:
            return name in self._ignored(source, ignored, frozenset({name}))
        return any(
            name in self._ignored(dataset, ignored, frozenset({name})) for dataset, _, _ in self._ways(source, ignored)
        )
