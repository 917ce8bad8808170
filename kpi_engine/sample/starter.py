"""A small project to begin with: one file of visits, two KPIs, and comments that say what to change."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from kpi_engine.sample.dice import Dice
from kpi_engine.sample.files import write_csv
from kpi_engine.sample.folders import PROJECT_FILE, refuse_unless_empty, write_for_editors, write_text, written_at_once
from kpi_engine.sample.yamltext import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_ROWS: Final = 60
_FIRST_DAY: Final = date(2026, 5, 1)
_COLUMNS: Final = ("visit_id", "day", "visitor", "channel", "pages", "amount")
_CHANNELS: Final = {"search": 5, "direct": 3, "email": 2, None: 0.8}

_PROJECT: Final = """\
# The project: where its data are, and how it counts time.

project: {name}
language: en                        # en or fr
currency: EUR
calendar:
  timezone: Europe/Paris
  week_start: monday
  fiscal_year_start: january

sources:
  data: {{plugin: files, path: data}} # each CSV, Parquet or JSON file in the folder `data` is a table

definitions: [definitions]          # add `marketing` for the KPIs that ship
"""
_DEFINITIONS: Final = """\
# Datasets say what the rows are, KPIs what is computed of them. Try:
#
#   kpi check
#   kpi run visits revenue_per_visit --by channel --grain month --period 2026
#
# Then put your own file into the folder `data`, and change the names below.

datasets:
  web_visits:
    table: visits                   # the file data/visits.csv
    key: visit_id                   # a column, or a list of columns, that no two rows share
    time: day                       # when a row counts
    columns:
      amount: {type: "decimal(18,2)", unit: EUR}   # money is counted exactly
    dimensions:                     # what a KPI may be split or filtered by
      channel: {label: {en: Channel, fr: Canal}}

roles:
  team: {label: {en: Our team, fr: Notre équipe}}

kpis:
  visits:
    role: team                      # whose scorecard it stands on: kpi report --role team
    label: {en: Visits, fr: Visites}
    inputs: [web_visits]
    formula: count(web_visits)      # the number of rows
    unit: visits
    better: higher

  revenue_per_visit:
    role: team
    label: {en: Revenue per visit, fr: Chiffre d’affaires par visite}
    description: {en: "Revenue of the period divided by its visits."}
    inputs: [web_visits]
    formula: sum(amount) / count(web_visits)   # right for every channel, every month and in total
    decimals: 2
    better: higher
"""


def write_starter(folder: Path, name: str) -> None:
    """Write a project that a beginner can run, read and change: `kpi.yaml`, `data/visits.csv`, `definitions/first.yaml`, `.kpi` for editors.

    The 60 visits are made up. Raises OutputError: `folder_not_empty`, `unwritable`.
    """
    refuse_unless_empty(folder)
    with written_at_once(folder) as scratch:
        write_text(scratch / PROJECT_FILE, _PROJECT.format(name=quoted(name)))
        write_text(scratch / "definitions" / "first.yaml", _DEFINITIONS)
        write_for_editors(scratch)
        (scratch / "data").mkdir()
        write_csv(scratch / "data" / "visits.csv", _COLUMNS, _visits())


def _visits() -> Iterator[tuple[object, ...]]:
    dice = Dice("first visits")
    for number in range(1, _ROWS + 1):
        day = _FIRST_DAY + timedelta(days=number - 1 + dice.whole(0, 1))
        pages = 1 + dice.skewed(0, 11)
        amount = Decimal(dice.whole(900, 12000)) / 100 if dice.chance(0.25) else Decimal(0)
        yield number, day, f"visitor-{dice.whole(1, 35):02}", dice.weighted(_CHANNELS), pages, f"{amount:.2f}"
