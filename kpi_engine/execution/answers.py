"""What came back from a database, looked at before it is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kpi_engine.errors import DataError
from kpi_engine.results import Answered, values_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from kpi_engine.results import Columns


def answered(
    columns: Columns, types: Mapping[str, str], kpis: Iterable[str], ranked: Iterable[tuple[str, Sequence[str]]] = ()
) -> tuple[Answered, dict[str, str]]:
    """Give the columns that are shown, and the one currency of each KPI whose amounts carry one.

    `ranked` are KPIs whose rows were put in order, each among those that have some columns alike.

    Raises `DataError`: `mixed_currencies` where amounts of several were added or put in order, `no_rate` where one could not be converted.
    """
    kpis = tuple(kpis)
    _refuse_unrated(columns, types, kpis)
    currencies = _currencies(columns, types, kpis)
    for kpi_id, within in ranked:
        if f"__low__{kpi_id}" in types:
            _refuse_uncomparable(columns, kpi_id, within)
    kept = {name: kind for name, kind in types.items() if not name.startswith("__")}
    shown = columns.select(list(kept)) if not isinstance(columns, dict) else {name: columns[name] for name in kept}
    return Answered(shown, kept), currencies


def _currencies(columns: Columns, types: Mapping[str, str], kpis: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for kpi_id in kpis:
        if f"__low__{kpi_id}" not in types:
            continue
        pairs = zip(*(values_of(columns, f"__{end}__{kpi_id}") for end in ("low", "high")), strict=True)
        seen = {currency for pair in pairs for currency in pair if currency is not None and _refuse_mixed(kpi_id, pair)}
        if len(seen) == 1:
            found[kpi_id] = str(seen.pop())
    return found


def _refuse_mixed(kpi_id: str, pair: tuple[object, object]) -> bool:
    if pair[0] != pair[1]:
        message = f"`{kpi_id}` would add or compare amounts in {pair[0]} and in {pair[1]}"
        raise DataError(
            message, code="mixed_currencies", hint="split or filter by the currency, or convert the amounts before"
        )
    return True


def _refuse_uncomparable(columns: Columns, kpi_id: str, within: Sequence[str]) -> None:
    """Refuse an order of amounts in several currencies, which says nothing."""
    rows = values_of(columns, f"__low__{kpi_id}")
    groups = zip(*(values_of(columns, name) for name in within), strict=True) if within else [()] * len(rows)
    seen: dict[tuple[object, ...], object] = {}
    for group, currency in zip(groups, rows, strict=True):
        if currency is not None and seen.setdefault(group, currency) != currency:
            message = f"`{kpi_id}` would put amounts in {seen[group]} and in {currency} in one order"
            hint = "filter by the currency, rank within it, or convert the amounts before"
            raise DataError(message, code="mixed_currencies", hint=hint)


def _refuse_unrated(columns: Columns, types: Mapping[str, str], kpis: Iterable[str]) -> None:
    for kpi_id in kpis:
        if f"__unrated__{kpi_id}" in types:
            found = min(filter(None, values_of(columns, f"__unrated__{kpi_id}")), default="")
            if found:
                raise _unrated(kpi_id, *str(found).split(" ", 2))


def _unrated(kpi_id: str, currency: str, into: str, moment: str) -> DataError:
    day = moment.removesuffix(" 00:00:00")
    if not currency:
        message = f"`{kpi_id}` has an amount of {day} without a currency, which cannot be converted into {into}"
        hint = "give each amount its currency, or leave such rows out with `where`"
        return DataError(message, code="no_rate", hint=hint)
    message = f"`{kpi_id}` has an amount in {currency} of {day}, and there is no rate from {currency} to {into} then"
    hint = "bring the rate into the data; of `rates`, `keep` says how long one holds, `inverse` and `through` what may stand in for one"
    return DataError(message, code="no_rate", hint=hint)
