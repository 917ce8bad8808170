"""The oracle: what every number must be, worked out row by row in plain Python from the rules of the language.

No SQL, no code of the engine: rows are dicts, numbers are Fractions, unknown is None. It is slow, and that is its virtue.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from oracle_calendar import MOMENT, Window, back, covering, first_day, floor, following, frame, previous, year_before
from oracle_cohorts import AGE, OLDEST, Followed, NoAgeError, is_over, oldest
from oracle_model import Input
from oracle_money import MixedError
from oracle_places import Frame, Leaf, Place, UnboundedError
from oracle_rows import Rows
from oracle_sums import aggregated
from oracle_terms import COMPARED, paths, walk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from fractions import Fraction

    from oracle_model import Condition, Formula, Kpi, Model, Question, Top
    from oracle_rows import Groups, Item


COUNTS = {"known", "distinct"}


def _moves(used: Input) -> bool:
    return used.offset is not None or bool(used.covers)


def _wanted(aggregate: Formula) -> Condition | None:
    """Give the condition under which an aggregate wants a row; what `count_if` counts is one."""
    _, function, _, term, condition = aggregate
    wanted = [each for each in (term if function == "count_if" else None, condition) if each]
    return ("and", *wanted) if wanted else None


class Oracle:
    """Answers questions over a model."""

    def __init__(self, model: Model, question: Question) -> None:
        self.model = model
        self.question = question
        self.rows = Rows(model, question.parameters, question.as_of)
        self._judges: dict[Any, Callable[[Any], bool]] = {}
        self._asked = tuple(self._condition(each) for each in question.where)
        self._known: dict[tuple[str, Place], Fraction | None] = {}
        self._currencies: dict[tuple[str, Place], frozenset[str]] = {}
        self._met: set[str] = set()
        self._everybody: dict[Any, set[tuple[Any, ...]]] = {}
        self._frame = Frame([])
        if question.top is not None:
            self.rows.first = (question.top.of, self._first(question.top))

    def _condition(self, condition: Condition) -> Condition:
        """Let a condition on KPIs judge each member: over all time, and under no other condition."""
        if condition[0] != "among":
            return condition
        _, name, having, by = condition
        if (by, having) not in self._judges:
            self._judges[by, having] = self._judge(by, having)
        return ("among", name, self._judges[by, having])

    def _judge(self, by: str, having: tuple[Any, ...]) -> Callable[[Any], bool]:
        everything = replace(self.question.period, text=None, window=Window(None, None))
        kpis = tuple(dict.fromkeys(each[0] for each in having))
        asked = replace(
            self.question, kpis=kpis, period=everything, by=(by,), grains=(), where=(), where_sql=None,
            periods=(), compare=(), having=having, top=None, rank=(), share=(),
        )  # fmt: skip
        oracle = Oracle(self.model, asked)
        known: dict[Any, bool] = {}

        def judge(member: Any) -> bool:
            if member not in known:
                known[member] = oracle.kept(oracle.cell((member,), everything.window))
            return known[member]

        return judge

    def _first(self, top: Top) -> tuple[Any, ...]:
        """Give the first members that a KPI sees: by its value over the whole period, then by their name; unknown comes last in both."""
        whole = replace(
            self.question, kpis=(top.by,), by=(top.of,), grains=(), periods=(), compare=(), top=None, rank=(), share=(), having=(),
        )  # fmt: skip
        oracle = Oracle(self.model, whole)
        values = {each: oracle.cell((each,), whole.period.window)[top.by] for (each,) in oracle.members()}

        def place(each: Any) -> tuple[Any, ...]:
            value = values[each]
            return (value is None, 0 if value is None else -value, each is None, "" if each is None else each)

        return tuple(sorted(values, key=place)[: top.first])

    # -- the answer

    def frame(self) -> list[tuple[Any, Window]]:
        """Give the periods of the answer."""
        asked = self.question.period.window
        if self.question.grains and asked.start is None:
            asked = self._covered()
            if asked is None:
                return []
        found = frame(asked, self.question.grains, self.model.almanac)
        return [
            (start, window)
            for start, window in found
            if start is None or all(COMPARED[kind](start, value) for kind, value in self.question.periods)
        ]

    def _covered(self) -> Window | None:
        """Give the units of time that the data lie in: those of the only input."""
        (leaf,) = self._leaves(self.question.kpis[0], Place((), self.question.period.window))
        times = [item.at for item in self.rows.every(leaf.used, self._conditions(leaf)) if item.at is not None]
        if not times:
            return None
        (grain,) = self.question.grains
        if (own := self.model.almanac.own(grain)) is not None:
            touched = own.touched(min(times), max(times) + MOMENT)
            whole = [each for each in own.periods for s, _ in touched if each[0] <= s < each[1]]
            return Window(whole[0][0], whole[-1][1]) if whole else None
        first, last = (floor(each, grain, self.model.almanac) for each in (min(times), max(times)))
        return Window(first, following(last, grain))

    def members(self) -> set[tuple[Any, ...]]:
        """Give the members that some input of the request sees, in any range that the request touches."""
        if not self.question.by:
            return {()}
        return set().union(*(self.seen(window) for _, window in self.frame()))

    def seen(self, window: Window, *, counted: bool = False) -> set[tuple[Any, ...]]:
        """Give the members that some input sees in a period, and in what it is compared with; those of a cohort at each age, unless only what is `counted` is wanted."""
        found: set[tuple[Any, ...]] = set()
        for moved in (window, *self.compared(window)):
            for kpi in self.question.kpis:
                found |= self._seen(kpi, Place((), moved), self.question.by, counted=counted)
        return found | self._listed(window)

    def compared(self, window: Window) -> list[Window]:
        """Give the periods that a period is compared with; raises where there is none, whatever rows there are."""
        return [self._compared(window, name) for name in self.question.compare]

    def ever(self) -> set[tuple[Any, ...]]:
        """Give the members of all rows that have a time, whenever it is."""
        latest = replace(self.question, as_of=datetime.max)  # noqa: DTZ901 - local times carry no zone
        oracle = Oracle(self.model, latest)
        oracle._asked = self._asked
        return oracle.seen(Window(None, None))

    def admits_unknown(self) -> bool:
        """Say whether the conditions on the split let unknown members through."""
        asked = [*self._asked, *([self.question.where_sql] if self.question.where_sql else [])]
        own = [each for each in asked if set(paths(each)) <= set(self.question.by)]
        return all(self.rows.terms.truth(each, lambda _: None) is True for each in own if each[0] != "among")

    def own(self, window: Window) -> set[tuple[Any, ...]]:
        """Give the members that have rows of their own in a period; where every input looks at other times, those that have rows there."""
        leaves = [
            leaf
            for kpi in self.question.kpis
            for leaf in self._leaves(kpi, Place((), window))
            if leaf.is_counted and not leaf.moved
        ]
        groups = [self._groups(leaf, self.question.by) for leaf in leaves]
        found = self._listed(window).union(*(each for each in groups if each is not None))
        is_own = bool(self.question.of) or any(each is not None for each in groups)
        return found if is_own else self.seen(window, counted=True)

    def _listed(self, window: Window) -> set[tuple[Any, ...]]:
        """Give the members of the datasets that a question without KPIs names."""
        found: set[tuple[Any, ...]] = set()
        for name in self.question.of:
            found |= set(self._rows_of(Leaf(Input(name), None, Place((), window), None), self.question.by))
        return found

    def cell(self, member: tuple[Any, ...], window: Window) -> dict[str, Fraction | None]:
        """Give the values of a row."""
        if not self._frame.windows:
            self._frame = Frame([each for _, each in self.frame()])
        place = Place(tuple(zip(self.question.by, member, strict=True)), window, self._frame)
        values = {}
        met: dict[str, set[str]] = {kpi: set() for kpi in self.question.kpis}
        for kpi in self.question.kpis:
            values[kpi] = self._alone(kpi, place, met[kpi])
        for name in self.question.compare:
            frame = self._frame.moved(name, lambda each, name=name: [self._compared(each, name)])
            earlier = replace(place, window=self._compared(window, name), frame=frame)
            for kpi in self.question.kpis:
                before = self._alone(kpi, earlier, met[kpi])
                values[f"{kpi}__{name}"] = before
                values |= self._change(kpi, name, values[kpi], before)
        return values

    def _alone(self, kpi: str, place: Place, met: set[str]) -> Fraction | None:
        """Evaluate one of the values that a row holds of a KPI, which are all in one currency."""
        self._met = met
        found = self.value(kpi, place)
        if len(met) > 1:
            raise MixedError
        return found

    def totals(self) -> dict[str, Fraction | None]:
        """Give the totals: one member, one period; of a grain without a period it is the units that the data lie in, and nothing where they lie in none."""
        window = self.question.period.window
        if self.question.grains and window.start is None:
            window = self._covered() or Window(self.question.as_of, self.question.as_of)
        asked = replace(
            self.question, by=(), grains=(), periods=(), top=None, period=replace(self.question.period, window=window)
        )
        return Oracle(self.model, asked).cell((), window)

    def kept(self, values: dict[str, Fraction | None]) -> bool:
        """Say whether the conditions on KPIs keep a row."""
        look = {**values}
        return all(
            self.rows.terms.truth((kind, name, *rest), look.__getitem__) for name, kind, *rest in self.question.having
        )

    def _change(self, kpi: str, name: str, now: Fraction | None, before: Fraction | None) -> dict[str, Fraction | None]:
        known = now is not None and before is not None
        if self.model.kpis[kpi].percent:
            return {f"{kpi}__{name}_points": now - before if known else None}  # type: ignore[operator]
        return {f"{kpi}__{name}_change": (now - before) / before if known and before > 0 else None}  # type: ignore[operator]

    def _compared(self, window: Window, name: str) -> Window:
        open_until = window.end is None or window.end > self.question.as_of
        if self.question.like_for_like and open_until and window.start is not None:
            return self._alike(window, name)
        almanac = self.model.almanac
        return previous(window, almanac) if name == "previous_period" else year_before(window, almanac)

    def _alike(self, window: Window, name: str) -> Window:
        """Give the same part of an earlier period: as much of the one before, or the same dates of the year before."""
        until = max(self.question.as_of, window.start)  # type: ignore[type-var]
        almanac = self.model.almanac
        whole = year_before(window, almanac) if name == "previous_year" else previous(window, almanac)
        if name == "previous_year" and almanac.own(window.previous[2]) is None:
            part = year_before(replace(window, end=until))
            return replace(whole, end=min(part.end, whole.end))  # type: ignore[type-var]
        return replace(whole, end=min(whole.start + (until - window.start), whole.end))  # type: ignore[operator, type-var]

    # -- values

    def value(self, kpi: str, place: Place) -> Fraction | None:
        """Evaluate a KPI for a member and a window."""
        key = (kpi, place)
        if key not in self._known:
            known = self.model.kpis[kpi]
            place = replace(place, currency=place.currency or self.question.currency or known.currency)
            above, self._met = self._met, set()
            self._known[key] = self.rows.terms.value(known.formula, lambda each: self._part(known, each, place))
            self._currencies[key] = frozenset(self._met)
            self._met = above
        self._met |= self._currencies[key]
        return self._known[key]

    def _part(self, kpi: Kpi, formula: Formula, place: Place) -> Fraction | None:
        if formula[0] == "input":
            used = kpi.inputs[formula[1]]
            return self.value(used.source, self._inside(used, place))
        _, function, name, term, _ = formula
        used = kpi.inputs[name]
        inside = self._inside(used, place)
        if used.per or used.unit:
            values = list(self._entities(used, inside))
            count = len(values)
        else:
            cohort = self._cohort(kpi, used)
            leaf = Leaf(cohort or used, self._base(kpi, used), inside, _wanted(formula))
            if not self._is_known(leaf):
                return None
            names, key = self._member(leaf)
            items = self._rows_of(leaf, names).get(key, [])
            count = len(items)
            if term is not None and function not in {*COUNTS, "count_if"}:
                self._meet(items, set(paths(term)), place)

            def look(item: Item, path: str) -> Any:
                return (
                    self.rows.path(item, path) if function in COUNTS else self.rows.amount(item, path, place.currency)
                )

            values = (
                []
                if term is None or function == "count_if"
                else [self.rows.terms.value(term, lambda path, item=item: look(item, path)) for item in items]
            )
        if function in {"count", "count_if"}:
            return count  # type: ignore[return-value]
        level = not (used.per or used.unit) and self.rows.take(used) != "rows"
        if function == "sum" and not count:
            return None if kpi.empty_unknown or level else 0  # type: ignore[return-value]
        return aggregated(function, values)

    def _meet(self, items: list[Item], names: set[str], place: Place) -> None:
        """Note the currencies of amounts that stay in their own; a value has one."""
        self._met |= set() if place.currency else self.rows.recorded(items, names)
        if len(self._met) > 1:
            raise MixedError

    def _inside(self, used: Input, place: Place) -> Place:
        """Apply an input's modifiers; conditions on a KPI go to the datasets below."""
        window, frame = place.window, place.frame
        if _moves(used):
            window = self._moved(used, window)
            frame = frame.moved((used.offset, used.covers), lambda each: [self._moved(used, each)])
        conditions = place.conditions
        if used.source in self.model.kpis:
            conditions = (*conditions, *([used.where] if used.where else []), *self._among(used))
        return Place(place.member, window, frame, place.ignored | used.across, conditions, place.currency)

    def _moved(self, used: Input, window: Window) -> Window:
        """Give what an input covers of the offset window."""
        if used.offset == "period":
            window = previous(window, self.model.almanac)
        elif isinstance(used.offset, str):
            window = first_day(window, used.offset.removeprefix("start of "), self.model.almanac)
        elif used.offset is not None:
            window = back(window, *used.offset, self.model.almanac)
        return covering(window, used.covers, self.question.as_of, self.model.almanac) if used.covers else window

    def _base(self, kpi: Kpi, used: Input) -> Input | None:
        if used.conversion is None:
            return None
        base = kpi.inputs[used.conversion.after]
        return self._cohort(kpi, base) or base

    def _cohort(self, kpi: Kpi, used: Input) -> Input | None:
        """Give an input as the cohort that another input of its KPI follows."""
        for each in kpi.inputs.values():
            made = each.conversion
            if made is not None and made.age and kpi.inputs[made.after] is used:
                return replace(
                    used, followed=Followed(tuple(there for _, there in made.keys), made.age, self._oldest())
                )
        return None

    def _oldest(self) -> int | None:
        """Give the oldest age, if all up to it are asked for at once; none also where all of them are, of which nothing is known."""
        try:
            return oldest(self.question, self._ages())
        except NoAgeError:
            return None

    def _ages(self) -> set[int]:
        """Give the ages that the question lets through."""
        own = [each for each in self.question.where if AGE in paths(each)]
        return {
            age for age in range(OLDEST + 1) if all(self.rows.terms.truth(each, lambda _, age=age: age) for each in own)
        }

    def check_ages(self) -> None:
        """Refuse what is counted by age where no age is asked for."""
        if any(self._counts_ages(kpi) for kpi in self.question.kpis):
            oldest(self.question, self._ages())

    def _counts_ages(self, kpi: str) -> bool:
        inputs = self.model.kpis[kpi].inputs.values()
        return any(
            self._counts_ages(each.source)
            if each.source in self.model.kpis
            else each.conversion is not None and bool(each.conversion.age)
            for each in inputs
        )

    def _is_known(self, leaf: Leaf) -> bool:
        """Say whether something may be counted at an age: some moment of the window is old enough; of all time, some row is."""
        cohort = leaf.base or leaf.used
        if cohort.followed is None:
            return True
        try:
            age = dict(leaf.place.member).get(AGE) if AGE in self.question.by else oldest(self.question, self._ages())
        except NoAgeError:
            return False
        assert age is not None
        if leaf.place.window.start is not None:
            return is_over(leaf.place.window.start, age, cohort.followed.unit, self.model.almanac, self.question.as_of)
        names, key = self._member(leaf)
        return bool(self._rows_of(replace(leaf, used=cohort, base=None, condition=None), names).get(key))

    # -- rows

    def _rows_of(self, leaf: Leaf, names: tuple[str, ...]) -> Groups:
        return self.rows.grouped(leaf.used, leaf.base, leaf.place.window, self._conditions(leaf), names)

    def _conditions(self, leaf: Leaf) -> tuple[Condition | None, ...]:
        """Gather what rows must satisfy beside the input's condition; that of the aggregate comes last."""
        ignored = self._ignored((leaf.base or leaf.used).source, leaf.place)
        asked = [each for each in self._asked if not set(paths(each)) & ignored]
        if self.question.where_sql is not None and "all" not in leaf.place.ignored:
            asked.append(self.question.where_sql)
        return (*asked, *leaf.place.conditions, *self._among(leaf.base or leaf.used), leaf.condition)

    def _among(self, used: Input) -> list[Condition]:
        return [self._condition(("among", name, having, name)) for name, having in used.among]

    def _member(self, leaf: Leaf) -> tuple[tuple[str, ...], tuple[Any, ...]]:
        ignored = self._ignored((leaf.base or leaf.used).source, leaf.place)
        known = [(name, value) for name, value in leaf.place.member if name not in ignored]
        return tuple(name for name, _ in known), tuple(value for _, value in known)

    def _ignored(self, dataset: str, place: Place) -> frozenset[str]:
        known = self.model.datasets[dataset]
        if "all" in place.ignored:
            asked = (path for each in self._asked for path in paths(each))
            return frozenset({*known.dimensions, *self.question.by, *asked})
        return place.ignored | frozenset(name for each in place.ignored for name in known.depends.get(each, ()))

    def _entities(self, used: Input, place: Place) -> Iterator[Fraction | None]:
        """Give one value for each entity that has rows of this member in this window, and for each unit of time in it."""
        place = replace(
            place, member=tuple(each for each in place.member if not self._is_ignored(used.source, each[0], place))
        )
        windows = self._units(used, place.window)
        if used.unit:
            place = replace(place, frame=place.frame.moved(used.unit, lambda each: self._units(used, each)))
        names = self._names(place, used)
        if used.source not in self.model.kpis:
            for window in windows:
                leaf = Leaf(replace(used, per=(), unit=""), None, replace(place, window=window), None)
                yield from (None for _ in self._of_member(self._groups(leaf, names) or {}, place))
            return
        seen = [
            self._of_member(self._seen(used.source, replace(place, window=each), names, counted=bool(used.per)), place)
            for each in windows
        ]
        if used.unit and self.model.kpis[used.source].frame == "whole":
            everybody = (
                set().union(*seen) if used.per else self._of_member(self._ever_seen(used.source, place, names), place)
            )
            seen = [everybody for _ in windows]
        for window, members in zip(windows, seen, strict=True):
            for member in members:
                named = tuple(zip(names, member, strict=True))
                yield self.value(used.source, replace(place, member=named, window=window))

    def _ever_seen(self, kpi: str, place: Place, names: tuple[str, ...]) -> set[tuple[Any, ...]]:
        """Give the members that a KPI sees in any unit of time that the request touches; without a split that is all there is."""
        if not names:
            return {()}
        key = (kpi, place.frame, place.ignored, place.conditions, names)
        if key not in self._everybody:
            seen = (self._seen(kpi, replace(place, window=each), names) for each in place.frame.windows)
            self._everybody[key] = set().union(*seen)
        return self._everybody[key]

    def _is_ignored(self, source: str, name: str, place: Place) -> bool:
        """Say whether a dataset below an input ignores a dimension from here on."""
        if source in self.model.datasets:
            return name in self._ignored(source, place)
        return any(self._is_ignored(used.source, name, place) for used in self.model.kpis[source].inputs.values())

    def _names(self, place: Place, used: Input) -> tuple[str, ...]:
        own = tuple(name for name, _ in place.member)
        return (*own, *(name for name in used.per if name not in own))

    def _of_member(self, members: Any, place: Place) -> set[tuple[Any, ...]]:
        wanted = tuple(value for _, value in place.member)
        return {each for each in members if each[: len(wanted)] == wanted}

    def _units(self, used: Input, window: Window) -> list[Window]:
        """Cut a window into the units that an input names, up to what is known."""
        if not used.unit:
            return [window]
        if window.start is None:
            raise UnboundedError
        end = self.question.as_of if window.end is None else min(window.end, self.question.as_of)
        if end <= window.start:
            return []
        return [each for _, each in frame(replace(window, end=end), (used.unit,), self.model.almanac)]

    def _groups(self, leaf: Leaf, names: tuple[str, ...]) -> Groups | None:
        ignored = self._ignored((leaf.base or leaf.used).source, leaf.place)
        return None if ignored & {*names, *leaf.entities} else self._rows_of(leaf, names)

    def _seen(self, kpi: str, place: Place, names: tuple[str, ...], *, counted: bool = False) -> set[tuple[Any, ...]]:
        """Give the members that a KPI sees; of cohorts those at each age, unless only what is `counted` at it is wanted."""
        found: set[tuple[Any, ...]] = set()
        for leaf in self._leaves(kpi, place):
            if leaf.is_counted or not counted:
                found |= set(self._groups(leaf, names) or ())
        return found

    def _leaves(
        self, kpi: str, place: Place, entities: frozenset[str] = frozenset(), *, moved: bool = False
    ) -> Iterator[Leaf]:
        """Go through the aggregates over datasets below a KPI."""
        model = self.model.kpis[kpi]
        for each in walk(model.formula):
            if each[0] == "input":
                used = model.inputs[each[1]]
                moves = moved or _moves(used)
                yield from self._leaves(used.source, self._inside(used, place), entities, moved=moves)
            elif each[0] == "agg":
                used = model.inputs[each[2]]
                inside = self._inside(used, place)
                below = entities | set(used.per)
                for window in self._units(used, inside.window):
                    within = replace(inside, window=window)
                    if used.source in self.model.kpis:
                        yield from self._leaves(used.source, within, below, moved=moved or _moves(used))
                    else:
                        plain = replace(self._cohort(model, used) or used, per=(), unit="")
                        condition = None if used.per or used.unit else _wanted(each)
                        base = self._base(model, used)
                        yield Leaf(plain, base, within, condition, below, moved or _moves(base or used))
                        cohort = base or plain
                        if cohort.followed is not None and not below:
                            yield Leaf(cohort, None, within, None, below, moved or _moves(cohort), is_counted=False)
