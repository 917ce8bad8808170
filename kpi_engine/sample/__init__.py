"""Projects to begin with: a made-up company with two years of data, a small starter, and a first draft over a user's own files.

project     the sample project: its `kpi.yaml`, two KPIs of its own, and the data
data        the data: one file for each of the 18 canonical tables, the same rows on every machine
days        how busy each day is, and what happened: growth, seasons, a campaign, an outage
starter     a small project that a beginner edits
inference   a project over CSV, Parquet and JSON files: keys, times and dimensions as the data suggest
"""

from kpi_engine.sample.data import FIRST_DAY, LAST_DAY, NOTICE, write_data
from kpi_engine.sample.inference import infer_dataset, write_from_files
from kpi_engine.sample.project import write_project
from kpi_engine.sample.starter import write_starter

__all__ = [
    "FIRST_DAY",
    "LAST_DAY",
    "NOTICE",
    "infer_dataset",
    "write_data",
    "write_from_files",
    "write_project",
    "write_starter",
]
