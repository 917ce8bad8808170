"""What may stand in `kpi.yaml`: the project's time, its sources and their settings, as frozen models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from .models import Model
from .shorthand import Name, Names, Texts, UnitName, or_empty

if TYPE_CHECKING:
    from collections.abc import Iterable


class UnitOfTime(Model):
    """A unit of the project's own, whose periods stand in a dataset: one row for each period (`start`), or for each day (`day`)."""

    from_: Name = Field(alias="from")
    """The dataset that holds the periods."""
    start: str = ""
    """Of a row for each period: the column with its first day."""
    last: str = ""
    """Of a row for each period: the column with its last day, which is part of it; without it, a period ends where the next begins."""
    day: str = ""
    """Of a row for each day: the column with the day; days that follow one another and have the same name are a period."""
    name: str = ""
    """The column with the name of the period; without it, the column of the unit's name (`day`), or the first day (`start`)."""
    year: str = ""
    """The unit that its periods are numbered in, by which `compare` finds the same period of the year before."""
    outside: Literal["refused", "nothing"] = "refused"
    """What time before the first and after the last period is: refused, or time in no period."""
    label: Texts = {}
    """What people call it: a text, or one per language."""


class CalendarSettings(Model):
    """The project's time."""

    timezone: str = Field(default="UTC", examples=["Europe/Paris"])
    """A name of the IANA database: it decides on which day an instant falls."""
    week_start: Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] = "monday"
    """The first day of the week."""
    fiscal_year_start: Literal[
        "january", "february", "march", "april", "may", "june",
        "july", "august", "september", "october", "november", "december",
    ] = "january"  # fmt: skip
    """The month in which the fiscal year begins."""
    fiscal_year_named_after: Literal["start", "end"] = "end"
    """Which calendar year gives a fiscal year its name."""
    units: dict[UnitName, UnitOfTime] = {}
    """Units of the project's own, by name: retail months, campaigns, fiscal periods."""


class StreamSettings(Model):
    """What the project says of one stream of a source that `kpi sync` fetches; what it does not say the source says."""

    key: Names = ()
    """The columns that tell its rows apart."""
    cursor: str = ""
    """The column by which newer rows are asked for."""
    lookback: str = Field(default="", examples=["3 days"])
    """How long the vendor still changes rows that it has given: so far back rows are fetched again."""
    loading: Literal["", "merge", "replace", "append"] = ""
    """How its rows are kept: merged by key, replaced as a whole, or appended."""
    time: str = ""
    """The column that says in which period a row counts; without it, that of the first dataset that reads the stream."""


class SyncSettings(Model):
    """How the rows of a source are fetched and kept by `kpi sync`."""

    only: Names = ()
    """The streams that are fetched; without it, all."""
    closes: Literal["day", "week", "month", "quarter", "year"] = "month"
    """The periods that are closed when they are over: rows of theirs that change later are recorded."""
    commit_rows: int = Field(default=100_000, ge=1)
    """After how many rows what was fetched so far is committed, at the next place from which a later sync can go on."""
    streams: Annotated[
        dict[str, StreamSettings],
        BeforeValidator(or_empty, json_schema_input_type=dict[str, StreamSettings] | None),
    ] = {}
    """What is other than the source says, by stream."""


class SourceSettings(BaseModel):
    """A source: the plugin that reads it, and that plugin's own settings, which the plugin's `Config` checks."""

    model_config = ConfigDict(frozen=True, extra="allow", defer_build=True)
    plugin: str
    """The plugin that reads it; all other keys are that plugin's own settings."""
    sync: SyncSettings = SyncSettings()
    """How its rows are fetched and kept, of a source that `kpi sync` fetches."""

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        """Show the plugin's settings without secrets that are written out."""
        from kpi_engine.hiding import masked_values

        yield from masked_values({key: value for key, value in super().__repr_args__() if key is not None}).items()


class ProjectFile(Model):
    """What may stand in `kpi.yaml`."""

    project: str
    """The project's name."""
    label: Texts = {}
    """The title of reports; without it, the project's name."""
    language: Literal["en", "fr"] = "en"
    """The language of labels, numbers and dates where a request names none."""
    currency: str = Field(default="", examples=["EUR"])
    """The project's currency, shown where a unit is money without a currency."""
    reporting_currency: str = Field(default="", examples=["EUR"])
    """Into which currency all amounts are converted, unless a KPI or a request names another; without it they stay as they are."""
    calendar: CalendarSettings = CalendarSettings()
    """The project's time: its zone, its weeks and its fiscal year."""
    sources: dict[Name, SourceSettings] = {}
    """Where data come from, by name."""
    default_source: str = ""
    """The source of datasets that name none; needed where there are several."""
    definitions: Names = ("definitions",)
    """Folders of the project, and installed packs by name."""
    parameters: dict[Name, str | int | float | bool] = {}
    """Values for parameters that definition files declare."""
    notice: Texts = {}
    """What must be said wherever the numbers are shown, such as that the data are made up."""
