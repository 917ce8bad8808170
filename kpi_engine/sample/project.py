"""The sample project: the data of a made-up company, the KPIs that ship, and two of its own as an example."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kpi_engine.sample.data import NOTICE, write_data
from kpi_engine.sample.folders import PROJECT_FILE, holds_something, not_empty, write_text, written_at_once

if TYPE_CHECKING:
    from pathlib import Path

NAME: Final = "acme_demo"
_MARK: Final = "# The sample project of the KPI engine. All people, companies and numbers are made up."
_PROJECT: Final = f"""{_MARK}

project: {NAME}
language: en                             # en or fr: the labels and how numbers are written
currency: EUR
calendar: {{timezone: Europe/Paris, week_start: monday}}

sources:
  data: {{plugin: files, path: data}}      # each CSV or Parquet file in the folder `data` is a table
default_source: data

definitions: [definitions, marketing]    # the folder beside this file, and the pack of marketing KPIs that ships

parameters:
  own_domain: acme.example               # the data also score the domains of rivals

notice:                                  # said wherever the numbers are shown
  en: "{NOTICE["en"]}"
  fr: "{NOTICE["fr"]}"
"""
_DEFINITIONS: Final = """\
# KPIs of this project, beside those of the pack. Change something, then try:
#
#   kpi check
#   kpi run visit_to_lead_rate --by channel --period 2026-Q2

kpis:
  # A ratio of two KPIs that are there already. It is divided again for every channel and every month, never averaged.
  visit_to_lead_rate:
    role: demand_manager                 # whose scorecard it stands on
    label: {en: "Leads per visit", fr: "Leads par visite"}
    description: {en: "Leads created in the period, divided by its visits.", fr: "Leads créés dans la période, divisés par ses visites."}
    inputs: [leads_created, visits]      # KPIs: values, used as they are
    formula: leads_created / visits
    format: percent                      # 0.025 is shown as 2.5%
    decimals: 1
    better: higher

  # A KPI over rows: the conversions of one type, counted.
  webinar_signups:
    role: demand_manager
    label: {en: "Webinar sign-ups", fr: "Inscriptions aux webinaires"}
    inputs:
      signups: {from: conversions, where: "conversion_type = 'webinar_signup'"}
    formula: count(signups)
    unit: requests
    format: integer
    better: higher
"""


def write_project(folder: Path) -> None:
    """Write the sample project into a folder, all of it or nothing.

    In a sample project that is there already the data are written again, and what was changed in its definitions stays.
    Raises OutputError: `folder_not_empty` where the folder holds something else, `unwritable` where it cannot be written.
    """
    if holds_something(folder) and not is_sample(folder):
        raise not_empty(folder, "choose another folder: the sample project is written into a new one, or over itself")
    texts = {PROJECT_FILE: _PROJECT, "definitions/acme.yaml": _DEFINITIONS}
    with written_at_once(folder) as scratch:
        for name, text in texts.items():
            if not (folder / name).exists():
                write_text(scratch / name, text)
        (scratch / "data").mkdir()
        write_data(scratch / "data")


def is_sample(folder: Path) -> bool:
    """Say whether a folder holds a sample project that was written here."""
    file = folder / PROJECT_FILE
    return file.is_file() and file.read_bytes().startswith(_MARK.encode())
