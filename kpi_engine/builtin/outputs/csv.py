"""The output `csv`: a report as one tidy table, for spreadsheets and for machines."""

from __future__ import annotations

import codecs
import csv
from typing import IO, TYPE_CHECKING, ClassVar

from kpi_engine.api.formatting import is_provisional, is_unfinished, plain
from kpi_engine.builtin.deferred import Deferred

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from kpi_engine.api import Breakdown, Card, Column, Report, Section
    from kpi_engine.api.reports import Value
    from kpi_engine.builtin.outputs.settings import CsvConfig

_CAVEATS = ("unfinished", "provisional")
"""Of a report: its period is not over; the source may still change its figures. Each is a last column, where it holds of any row."""
_COMPARISONS = ("previous_period", "previous_year")


class CsvOutput:
    """Write a report as CSV (RFC 4180, UTF-8): decimal points and ISO dates in every language, unknown is empty, an empty text is `""`.

    A table is written as its rows under its keys, without totals, so that nobody adds them in. A scorecard is one row per KPI,
    and one per member of a breakdown, whose column `split` says which.
    """

    name: ClassVar[str] = "csv"
    Config = Deferred("kpi_engine.builtin.outputs.settings", "CsvConfig")
    suffix: ClassVar[str] = ".csv"

    def __init__(self, config: CsvConfig) -> None:
        self.config = config

    def render(self, report: Report, target: IO[bytes]) -> None:
        """Write the report; several tables stand below each other, parted by an empty line."""
        text = codecs.getwriter("utf-8")(target, "backslashreplace")
        writer = csv.writer(text, lineterminator="\r\n")
        for number, rows in enumerate(_tables(report)):
            if number:
                text.write("\r\n")
            for row in rows:
                if "" in row:
                    text.write(",".join(map(self._quoted, row)) + "\r\n")
                else:
                    writer.writerow([self._cell(value) for value in row])

    def _quoted(self, value: Value) -> str:
        """Write a cell so that an empty text is told from an unknown value."""
        cell = self._cell(value).replace('"', '""')
        return f'"{cell}"' if isinstance(value, str) else cell

    def _cell(self, value: Value) -> str:
        return guarded(value) if isinstance(value, str) and self.config.formula_guard else plain(value)


def guarded(text: str) -> str:
    """Put `'` before a text that a spreadsheet would take for a formula, so that it stays a text."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")) else text


def _tables(report: Report) -> Iterator[Iterable[Sequence[Value]]]:
    scorecards = [section for section in report.sections if section.cards]
    if scorecards:
        yield _scorecard(report, scorecards)
    for section in report.sections:
        if section.table:
            yield _table(section.table, report)


def _table(table: Breakdown, report: Report) -> Iterable[Sequence[Value]]:
    """Give a table's rows under its keys, then for each caveat of the report a column that says of which rows it holds."""
    keys = (*(column.key for column in table.columns), *_caveats(report))
    period = next((n for n, column in enumerate(table.columns) if column.role == "period"), None)
    holds = {"unfinished": is_unfinished, "provisional": is_provisional}
    tests = [holds[name] for name in _caveats(report)]
    said = ([period is None or test(row[period], table.columns[period]) for test in tests] for row in table.rows)
    return [keys, *((*row, *each) for row, each in zip(table.rows, said, strict=True))]


def _caveats(report: Report) -> tuple[str, ...]:
    return tuple(name for name in _CAVEATS if getattr(report, name))


def _scorecard(report: Report, sections: Iterable[Section]) -> Iterator[Sequence[Value]]:
    changes = [f"{name}{part}" for name in _COMPARISONS for part in ("", "_change", "_points")]
    last = _caveats(report)
    header = ("role", "kpi", "label", "period", "split", "value", "unit", *changes, "status", "failure", *last)
    yield header
    for section in sections:
        for card in section.cards:
            for values in _rows(card):
                known = {
                    "role": section.role or section.title,
                    "period": report.period,
                    **dict.fromkeys(last, True),
                    **_about(card),
                    **values,
                }
                yield [known.get(key) for key in header]


def _about(card: Card) -> dict[str, Value]:
    failure = f"{card.failure.code}: {card.failure.message}" if card.failure else None
    measure = card.measure
    return {
        "kpi": measure.id,
        "label": measure.label,
        "unit": measure.unit or None,
        "status": measure.status,
        "failure": failure,
    }


def _rows(card: Card) -> Iterator[Mapping[str, Value]]:
    """Give the KPI's own row, which is the total of its breakdown where there is one, then a row per member."""
    table = card.breakdown
    own = _table_row(table, table.totals) if table and table.totals else {"value": card.value}
    for comparison in card.comparisons:
        change = "points" if comparison.kind == "points" else "change"
        own |= {comparison.name: comparison.value, f"{comparison.name}_{change}": comparison.change}
    yield own | {"split": None}
    for row in table.rows if table else ():
        yield _table_row(table, row) if table else {}


def _table_row(table: Breakdown, row: Sequence[Value]) -> dict[str, Value]:
    cells = list(zip(table.columns, row, strict=True))
    split = [f"{column.key}={plain(value)}" for column, value in cells if column.role in ("dimension", "period")]
    return {"split": "; ".join(split)} | {_name(column): value for column, value in cells if column.measure}


def _name(column: Column) -> str:
    """`visits` is the value; `visits__previous_year_change` is that comparison's change."""
    return "value" if column.role == "value" else column.key.rpartition("__")[2]
