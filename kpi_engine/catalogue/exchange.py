"""A dataset of exchange rates checked: its columns, its key, how long a rate holds, and that there is one such dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kpi_engine.calendar import parse_duration
from kpi_engine.catalogue.currencies import currency_mistake, rates_dataset
from kpi_engine.catalogue.faults import Fault
from kpi_engine.errors import KpiError, nearest
from kpi_engine.formula.mistakes import Mistake

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kpi_engine.catalogue.names import Names
    from kpi_engine.definitions.models import Dataset, Rates


def rates_faults(dataset_id: str, model: Dataset, names: Names) -> Iterator[Fault]:
    """Find every mistake in what makes a dataset's rows exchange rates."""
    rates = model.rates
    if rates is None:
        return
    if (first := rates_dataset(names.datasets)) != dataset_id:
        message = f"the dataset `{first}` holds the exchange rates already, and a project has one of them"
        yield Fault(("rates",), Mistake("two_rates", message, hint="bring all rates into one dataset"), on_key=True)
    columns = {"from": rates.from_, "to": rates.to, "rate": rates.rate}
    for key, name in columns.items():
        if names.spelling(dataset_id, name) is None:
            hint = nearest(name, names.schema(dataset_id) or {})
            message = f"dataset `{dataset_id}` has no column `{name}` in its data"
            yield Fault(("rates", key), Mistake("unknown_column", message, 0, len(name), hint))
    yield from _key(model, rates)
    if rates.keep != "forever":
        try:
            parse_duration(rates.keep)
        except KpiError as error:
            hint = error.hint or "write `forever`, or a length such as `7 days`"
            yield Fault(("rates", "keep"), Mistake(error.code, error.message, 0, len(rates.keep), hint))
    if mistake := currency_mistake(rates.through):
        yield Fault(("rates", "through"), mistake)


def _key(model: Dataset, rates: Rates) -> Iterator[Fault]:
    """A rate is known by its currencies and the time from which it holds, once: two of them would be two rates at one instant."""
    if model.time is None or not model.time.column or "." in model.time.column:
        hint = "add `time:` with the column that says from when a rate holds"
        message = "exchange rates need `time`: a column, from which on each holds"
        yield Fault(("rates",), Mistake("no_time", message, hint=hint), on_key=True)
        return
    needed = (rates.from_, rates.to, model.time.column)
    if {each.casefold() for each in model.key} != {each.casefold() for each in needed}:
        message = "exchange rates are identified by both currencies and their time"
        hint = f"write `key: [{', '.join(needed)}]`"
        yield Fault(("rates",), Mistake("rates_not_by_key", message, hint=hint), on_key=True)
