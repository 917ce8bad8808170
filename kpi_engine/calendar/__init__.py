"""Periods, grains, offsets, fiscal years, first days of the week and time zones.

Local times are naive `datetime` objects in the project's zone; intervals are half-open. Nothing here knows of data or SQL:
the rest of the engine asks for spans and buckets, and turns their bounds into instants with `to_utc` just before they are sent.
"""

from kpi_engine.calendar.ages import AgeUnit, Units, parse_age, units_of
from kpi_engine.calendar.buckets import Bucket, bucket_offset, buckets, floor, one_step, step, unit_of, whole_units
from kpi_engine.calendar.calendars import Calendar
from kpi_engine.calendar.coverage import (
    AllTime,
    Coverage,
    FirstDay,
    ToDate,
    Trailing,
    covered,
    first_day,
    parse_first_day,
    parse_to_date,
)
from kpi_engine.calendar.durations import Duration, Unit, earlier, parse_duration, shift, shift_span
from kpi_engine.calendar.grains import CLOCK, GRAINS, Grain, parse_grain
from kpi_engine.calendar.labels import label, span_label
from kpi_engine.calendar.moments import parse_moment
from kpi_engine.calendar.parsing import parse_period
from kpi_engine.calendar.parts import PARTS, stretches, unit_below
from kpi_engine.calendar.periods import Period, as_far, previous, year_before
from kpi_engine.calendar.spans import Span
from kpi_engine.calendar.units import CustomUnit
from kpi_engine.calendar.zones import Repeat, repeated, repeats, shown_until, to_utc

__all__ = [
    "CLOCK",
    "GRAINS",
    "PARTS",
    "AgeUnit",
    "AllTime",
    "Bucket",
    "Calendar",
    "Coverage",
    "CustomUnit",
    "Duration",
    "FirstDay",
    "Grain",
    "Period",
    "Repeat",
    "Span",
    "ToDate",
    "Trailing",
    "Unit",
    "Units",
    "as_far",
    "bucket_offset",
    "buckets",
    "covered",
    "earlier",
    "first_day",
    "floor",
    "label",
    "one_step",
    "parse_age",
    "parse_duration",
    "parse_first_day",
    "parse_grain",
    "parse_moment",
    "parse_period",
    "parse_to_date",
    "previous",
    "repeated",
    "repeats",
    "shift",
    "shift_span",
    "shown_until",
    "span_label",
    "step",
    "stretches",
    "to_utc",
    "unit_below",
    "unit_of",
    "units_of",
    "whole_units",
    "year_before",
]
