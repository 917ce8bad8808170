"""What definitions say, compared with the data: all that does not agree, said at once, with how often and a few examples.

The check of definitions looks at columns. This looks at rows: each dataset is read once, and again only where something was found.
What has a mistake in its definition is left out, since that is said already.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from kpi_engine.catalogue.claims import claims_of
from kpi_engine.catalogue.faults import Fault
from kpi_engine.errors import DataError, Diagnostic, KpiError, TimeoutExceeded
from kpi_engine.execution.faults import bad_value
from kpi_engine.execution.fetching import as_arrow
from kpi_engine.execution.querying import asked
from kpi_engine.execution.running import key_said, shown, strays_said, valid_said
from kpi_engine.execution.scanning import given
from kpi_engine.formula.mistakes import Mistake
from kpi_engine.sql import ROWS_OF_KEY, Dated, Renderer, datasets_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from arro3.core import Table

    from kpi_engine.calendar import Calendar
    from kpi_engine.catalogue import Catalogue, Expr
    from kpi_engine.catalogue.claims import Claims, JoinClaim, Rule, TypeClaim
    from kpi_engine.errors import Severity
    from kpi_engine.execution.binding import Binder
    from kpi_engine.execution.database import Database
    from kpi_engine.sql import Query

YEARS = 10
"""No row is expected later than so many years from now."""
_ERRORS = frozenset({"key_not_unique", "bad_value"})
"""What gives wrong numbers, or none; everything else is a warning."""


def compared(
    catalogue: Catalogue, binder: Binder, database: Database, calendar: Calendar, found: Sequence[Diagnostic]
) -> list[Diagnostic]:
    """Give the mistakes that were found in definitions, and all that the data say against what has none.

    Data that cannot be read are an error here; of a pack one may use a part, so there they stay a warning.
    """
    comparing = _Comparing(catalogue, binder, database, calendar)
    broken = {each.subject for each in found if each.severity == "error"}
    datasets = [name for name in catalogue.project.datasets if f"dataset {name}" not in broken]
    return [*(comparing.weighed(each) for each in found), *comparing.all(datasets)]


@dataclass(frozen=True)
class _Look:
    """A dataset that was read: what it claims, and the counts of what contradicts that."""

    claims: Claims
    renderer: Renderer
    registered: Mapping[str, Any]
    counts: Mapping[str, Any]
    is_whole: bool = True
    """Whether every row could be read; otherwise examples are not counted, since they may stand in rows that could not."""


@dataclass(frozen=True)
class _Comparing:
    catalogue: Catalogue
    binder: Binder
    database: Database
    calendar: Calendar

    def weighed(self, found: Diagnostic) -> Diagnostic:
        """Make an error of what cannot be compared because it cannot be read."""
        kind, _, name = found.subject.partition(" ")
        project = self.catalogue.project
        is_of_pack = project.origins.get(("datasets", name)) in project.settings.definitions
        is_unread = kind == "source" or found.code == "no_source" or (kind == "dataset" and not is_of_pack)
        return replace(found, severity="error") if is_unread else found

    def all(self, datasets: Collection[str]) -> Iterator[Diagnostic]:
        """Compare datasets with their data; what stands behind a join only where that leads to one row."""
        repeated: set[str] = set()
        looks: list[_Look] = []
        for dataset in datasets:
            if not self.catalogue.is_sound(dataset) or self.catalogue.names.schema(dataset) is None:
                repeated.add(dataset)
                continue
            said = list(self._guarded(dataset, partial(self._dataset, dataset, looks)))
            yield from said
            if any(each.code == "key_not_unique" for each in said):
                repeated.add(dataset)
        for look in looks:
            yield from self._guarded(look.claims.dataset, partial(self._behind_joins, look, repeated))
        by_dataset = {look.claims.dataset: look for look in looks}
        for kpi_id, model in self.catalogue.project.kpis.items():
            if model.additive_over:
                yield from self._additivity(kpi_id, by_dataset, repeated)

    def _additivity(self, kpi_id: str, looks: Mapping[str, _Look], repeated: Collection[str]) -> Iterator[Diagnostic]:
        """Look at what a declared additivity claims; where the definition is wrong, that is said already."""
        try:
            claims = self.catalogue.belongings(kpi_id)
        except KpiError:
            return
        for claim in claims:
            look = looks.get(claim.dataset)
            there = look and self._reaching(look, claim.expressions, repeated)
            if there is None or there.renderer is None:
                continue
            if said := strays_said(claim, self._run(there, there.renderer.strays(claim))):
                fault = Fault(
                    ("additive_over", claim.dimension), Mistake("additivity_contradicted", said[0], hint=said[1])
                )
                yield self.catalogue.diagnostic("kpis", kpi_id, fault)

    def _guarded(self, dataset: str, look: Callable[[], Iterator[Diagnostic]]) -> Iterator[Diagnostic]:
        """Look at one dataset; where that fails, say so, and let the others be looked at."""
        try:
            yield from look()
        except TimeoutExceeded:
            raise
        except KpiError as error:
            model = self.catalogue.project.datasets[dataset]
            path = next((key for key in ("table", "sql", "transform") if getattr(model, key)), "")
            message = f"dataset `{dataset}` cannot be compared with its data: {error.message}"
            if error.place is not None:
                message += f" ({error.place})"
            yield self._said(dataset, (path,) if path else (), Mistake("", message, hint=error.hint), code=error.code)

    def _dataset(self, dataset: str, looks: list[_Look]) -> Iterator[Diagnostic]:
        claims = claims_of(dataset, self.catalogue.names)
        relations, registered = self.binder.relations(
            [dataset, *(join.to for join in claims.joins if join.is_own or join.valid)]
        )
        renderer = Renderer(self.catalogue.names, relations, self.calendar.zone, self.database.columns)
        look, unread = self._survey(_Look(claims, renderer, registered, {}))
        looks.append(look)
        yield from self._unreadable_values(look, unread)
        yield from self._keys(look)
        yield from self._types(look)
        yield from self._times(look, look.counts)
        yield from self._joins(look)
        for n, rule in enumerate(claims.rules):
            if look.counts.get(f"rule_{n}"):
                yield from self._rule(look, rule, look.counts["rows"])

    def _survey(self, look: _Look) -> tuple[_Look, Table | None]:
        """Read a dataset once; where a file holds values that are not of their column's type, without their rows, and with a list of them."""
        query = look.renderer.survey(look.claims, self._latest)
        try:
            return replace(look, counts=_first(self._run(look, query))), None
        except DataError as error:
            rejected = look.renderer.rejected(look.claims.dataset)
            if error.code != "bad_value" or not rejected:
                raise
        tolerant = replace(look, renderer=look.renderer.tolerant(), is_whole=False)
        about = f"dataset `{look.claims.dataset}`"
        query = tolerant.renderer.survey(look.claims, self._latest)
        tables = given(look.registered, query.reads, stream=False)
        (counts, _), (unread, _) = self.database.tables(
            [query.statement, rejected], tables, fetch=as_arrow, about=about
        )
        return replace(tolerant, counts=_first(counts)), unread

    def _unreadable_values(self, look: _Look, unread: Table | None) -> Iterator[Diagnostic]:
        """Say which values of files could not be read as what their column is."""
        if unread is None:
            return
        names = ("column", ROWS_OF_KEY, "line", "file", "message")
        for column, rows, line, file, text in zip(*(unread[name].to_pylist() for name in names), strict=True):
            error = bad_value(text, "")
            what = error.message if error else text.splitlines()[0]
            more = f", and so {_are(rows - 1)}" if rows > 1 else ""
            message = f"{what} (line {line} of {file.rpartition('/')[2]}){more}"
            path = self._declared(look.claims.dataset, column, "type")
            hint = error.hint if error else "correct the data"
            yield self._said(look.claims.dataset, path, Mistake("bad_value", message, hint=hint))

    def _keys(self, look: _Look) -> Iterator[Diagnostic]:
        dataset, key = look.claims.dataset, look.claims.key
        if look.counts.get("surplus"):
            found = self._run(look, look.renderer.duplicates(dataset))
            said = key_said(dataset, key, found)
            if said is not None:
                yield self._said(dataset, ("key",), Mistake("key_not_unique", said[0], hint=said[1]))
        for n, name in enumerate(key):
            if rows := look.counts[f"null_{n}"]:
                message = f"the key `{name}` of dataset `{dataset}` is unknown in {_of(rows, look)}"
                hint = "nothing can be joined to such rows: give each its key, or declare another `key`"
                path = ("key", name) if len(key) > 1 else ("key",)
                yield self._said(dataset, path, Mistake("key_is_null", message, hint=hint))

    def _types(self, look: _Look) -> Iterator[Diagnostic]:
        for n, claim in enumerate(look.claims.types):
            if rows := look.counts[f"type_{n}"]:
                yield self._misfit(look, claim, rows)

    def _misfit(self, look: _Look, claim: TypeClaim, rows: int) -> Diagnostic:
        dataset = look.claims.dataset
        found = self._run(look, look.renderer.misfits(dataset, claim))
        declared = self.catalogue.names.type_of(dataset, claim.column).lower()
        message = f"the column `{claim.column}` of dataset `{dataset}` is no `{declared}` in {_of(rows, look)}: {shown(found, ['value'], counted=look.is_whole)}"
        hint = "correct the data, or declare another `type` for the column"
        return self._said(dataset, ("columns", claim.column, "type"), Mistake("bad_value", message, hint=hint))

    def _times(self, look: _Look, counts: Mapping[str, Any]) -> Iterator[Diagnostic]:
        """Say where times are unknown, or far from any that is expected; of a further time, unknown means that it was not reached."""
        dataset = look.claims.dataset
        for n, time in enumerate(look.claims.times):
            model = self.catalogue.project.datasets[dataset].time
            name = time.name or (model.column or "time" if model else "time")
            path = ("times", time.name) if time.name else ("time",)
            if not time.name and (rows := counts.get(f"time_{n}")):
                message = (
                    f"the time `{name}` of dataset `{dataset}` is unknown in {_of(rows, look)}: no period has them"
                )
                hint = "give each row its time; one that only some rows reach belongs under `times:`"
                yield self._said(dataset, path, Mistake("time_is_null", message, hint=hint))
            if rows := counts.get(f"outside_{n}"):
                where = f"lies before 1900 or after {self._latest.year} in {_of(rows, look)}"
                reach = f"it goes from {counts[f'low_{n}']} to {counts[f'high_{n}']}"
                message = f"the time `{name}` of dataset `{dataset}` {where}: {reach}"
                hint = "where a day stands for an unknown one, leave it empty in the data, or write `nullif` in the time's `sql`"
                yield self._said(dataset, path, Mistake("time_out_of_range", message, hint=hint))

    def _joins(self, look: _Look) -> Iterator[Diagnostic]:
        dataset = look.claims.dataset
        dated: set[Dated] = set()
        for n, join in enumerate(look.claims.joins):
            if rows := look.counts.get(f"join_{n}"):
                yield self._dangling(look, join, rows)
            if join.valid is not None:
                claim = Dated(join.to, join.there, join.valid)
                said = None if claim in dated else valid_said(claim, self._run(look, look.renderer.overlaps(claim)))
                dated.add(claim)
                if said is not None:
                    mistake = Mistake("key_not_unique", said[0], hint=said[1])
                    yield self._said(dataset, ("joins", join.name, "valid"), mistake)

    def _dangling(self, look: _Look, join: JoinClaim, rows: int) -> Diagnostic:
        dataset = look.claims.dataset
        found = self._run(look, look.renderer.dangling(dataset, join))
        examples = shown(found, [f"k{n}" for n in range(len(join.here))], counted=look.is_whole)
        message = f"the join `{join.name}` of dataset `{dataset}` leads nowhere in {_of(rows, look)}: `{join.to}` has no row for {examples}"
        hint = f"bring the missing rows into `{join.to}`; until then what lies behind the join is unknown"
        return self._said(dataset, ("joins", join.name), Mistake("dangling_keys", message, hint=hint), on_key=True)

    def _rule(self, look: _Look, rule: Rule, rows: int) -> Iterator[Diagnostic]:
        dataset = look.claims.dataset
        found = self._run(look, look.renderer.unnamed(dataset, rule))
        if not found.num_rows:
            return
        names = " / ".join(f"`{_named(each)}`" for each in rule.of)
        examples = shown(found, [f"c{n}" for n in range(len(rule.of))], counted=look.is_whole)
        message = f"no rule of the dimension `{rule.dimension}` names {names} {examples}, of {rows:,} rows of dataset `{dataset}`"
        hint = "add a `when`, or an `else`; `else null` says that the rest is meant to have no name"
        yield self._said(
            dataset, ("dimensions", rule.dimension, "sql"), Mistake("member_without_rule", message, hint=hint)
        )

    def _behind_joins(self, look: _Look, repeated: Collection[str]) -> Iterator[Diagnostic]:
        """Look at times, rules and keys that stand behind joins, where each leads to one row of data that can be read."""
        for rule in (rule for rule in look.claims.rules if not rule.is_own):
            there = self._reaching(look, [rule.named], repeated)
            if there is not None:
                yield from self._rule(there, rule, look.counts["rows"])
        far = look.claims.far
        there = self._reaching(look, far, repeated) if far else None
        if there is not None:
            counts = _first(self._run(there, there.renderer.times(look.claims, self._latest)))
            yield from self._times(there, counts)
            for n, join in enumerate(look.claims.joins):
                if not join.is_own and (rows := counts[f"join_{n}"]):
                    yield self._dangling(there, join, rows)

    def _reaching(self, look: _Look, expressions: Sequence[Expr], repeated: Collection[str]) -> _Look | None:
        """Give a dataset with all that some expressions reach over joins; nothing where a row there stands twice or cannot be read."""
        names = self.catalogue.names
        read = datasets_of(look.claims.dataset, expressions, names)
        if set(read[1:]) & set(repeated):
            return None
        relations, registered = self.binder.relations(read)
        return replace(
            look, renderer=Renderer(names, relations, self.calendar.zone, self.database.columns), registered=registered
        )

    @property
    def _latest(self) -> datetime:
        return datetime(datetime.now(self.calendar.zone).year + YEARS + 1, 1, 1)  # noqa: DTZ001 - local time

    def _run(self, look: _Look, query: Query) -> Table:
        about = f"dataset `{look.claims.dataset}`"
        return asked(query, look.registered, self.binder, self.database, about=about)[0]

    def _declared(self, dataset: str, column: str, key: str) -> tuple[str, ...]:
        """Give the path to what is declared of a column; the table's where nothing is."""
        declared = self.catalogue.project.datasets[dataset].columns
        name = next((name for name in declared if name.casefold() == column.casefold()), None)
        return ("table",) if name is None else ("columns", name, key)

    def _said(
        self, dataset: str, path: tuple[str, ...], mistake: Mistake, *, on_key: bool = False, code: str = ""
    ) -> Diagnostic:
        """Say something of a dataset, with its place."""
        found = self.catalogue.diagnostic("datasets", dataset, Fault(path, mistake, on_key=on_key))
        place = found.place if on_key else self.catalogue.project.places.value("datasets", dataset, *path)
        severity: Severity = "error" if code or mistake.code in _ERRORS else "warning"
        return replace(found, code=code or mistake.code, severity=severity, place=place)


def _first(table: Table) -> dict[str, Any]:
    return {name: table[name].to_pylist()[0] for name in table.column_names}


def _of(rows: int, look: _Look) -> str:
    every = look.counts["rows"]
    return f"{rows:,} of {every:,} row{'' if every == 1 else 's'}" + ("" if look.is_whole else " that can be read")


def _are(number: int) -> str:
    return "is 1 other" if number == 1 else f"are {number:,} others"


def _named(column: Expr) -> str:
    """Name a column as the definition does: the joins that lead to it, and its name."""
    return ".".join([*column.tree.text("table").split(".")[1:], column.tree.name])
