"""The definition language as frozen models: what may stand in a file, and nothing else."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


class Model(BaseModel):
    """The base of all models: frozen, unknown keys refused, no silent change of type."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def _texts(value: object) -> object:
    return {"": value} if isinstance(value, str) else value


def _names(value: object) -> object:
    return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else value


def _key_map(value: object) -> object:
    """`[content_id]` is short for `{content_id: content_id}`."""
    if isinstance(value, str):
        return {value: value}
    return (
        {name: name for name in value} if isinstance(value, list) and all(isinstance(n, str) for n in value) else value
    )


def _by_name(value: object) -> object:
    """`[channel, device]` is short for `{channel: , device: }`."""
    return dict.fromkeys(value) if isinstance(value, list) and all(isinstance(n, str) for n in value) else value


def _or_empty(value: object) -> object:
    """Take a key without a value for a mapping without entries."""
    return {} if value is None else value


def _dimension(value: object) -> object:
    if value is None:
        return {}
    return {"path": value} if isinstance(value, str) else value


def _time(value: object) -> object:
    return {"column": value} if isinstance(value, str) else value


def _input(value: object) -> object:
    return {"from": value} if isinstance(value, str) else value


def _inputs(value: object) -> object:
    return (
        {name: name for name in value} if isinstance(value, list) and all(isinstance(n, str) for n in value) else value
    )


Texts = Annotated[dict[str, str], BeforeValidator(_texts)]
"""A text in several languages, `{en: …, fr: …}`; a plain text stands under the empty key, for every language."""
Names = Annotated[tuple[str, ...], BeforeValidator(_names)]
"""A name, or a list of names."""


class Column(Model):
    """What must be said of a column because the data do not say it."""

    type: str = ""
    """A SQL type in DuckDB's words: `date`, `timestamptz`, `decimal(18,2)`, `bigint`, `varchar`, `boolean`, `double`."""
    unit: str = ""
    currency: str = ""
    """The column that holds the currency of this amount."""
    zone: str = ""
    """The time zone of a timestamp that carries none; without it, the project's."""
    label: Texts = {}
    description: Texts = {}


class Dimension(Model):
    """What a KPI may be split or filtered by: a column of that name, a path through joins, or an expression."""

    path: str = ""
    sql: str = ""
    label: Texts = {}
    description: Texts = {}


class Time(Model):
    """When a row counts: a column, or an expression."""

    column: str = ""
    sql: str = ""
    label: Texts = {}


class Join(Model):
    """A join to the one side: `keys` maps a column here to a column there, which together are the other dataset's key."""

    to: str
    keys: Annotated[dict[str, str], BeforeValidator(_key_map)]
    valid: tuple[str, str] | None = Field(default=None, strict=False)
    """From when and until when the other row holds, half-open; the row valid at the input's time is taken."""


class Snapshot(Model):
    """A dataset of levels: the last rows of each entity hold until its next."""

    of: Names
    keep: str = "forever"
    """`forever`, or a duration such as `45 days` after which a level that is no longer reported is unknown."""


class Dataset(Model):
    """Rows: a table of a source, a query over tables of one source, or another dataset put through a transform."""

    source: str = ""
    table: str = ""
    sql: str = ""
    transform: str = ""
    from_: str = Field(default="", alias="from")
    options: dict[str, Any] = {}
    label: Texts = {}
    description: Texts = {}
    key: Names = ()
    time: Annotated[Time | None, BeforeValidator(_time)] = None
    times: dict[str, Annotated[Time, BeforeValidator(_time)]] = {}
    columns: dict[str, Annotated[Column, BeforeValidator(_or_empty)]] = {}
    dimensions: Annotated[dict[str, Annotated[Dimension, BeforeValidator(_dimension)]], BeforeValidator(_by_name)] = {}
    joins: dict[str, Join] = {}
    snapshot: Snapshot | None = None
    override: bool = False


class Input(Model):
    """What a formula reads: a dataset's rows or another KPI's value, with modifiers."""

    from_: str = Field(alias="from")
    where: str = ""
    time: str = ""
    take: Literal["closing", "opening", "rows"] | None = None
    across: Names = ()
    """Dimensions to ignore, or `all`."""
    offset: str = ""
    """`1 month`, or `period`: one step of the requested grain, or the range before."""
    per: Names = ()
    all_time: bool = False
    to_date: str = ""
    window: str = ""
    of: Annotated[dict[str, str], BeforeValidator(_key_map)] = {}
    after: str = ""
    within: str = ""
    touch: str = ""


class Kpi(Model):
    """A KPI: inputs, a formula over them, and what a reader must know of the number."""

    role: Names = ()
    label: Texts = {}
    description: Texts = {}
    inputs: Annotated[dict[str, Annotated[Input, BeforeValidator(_input)]], BeforeValidator(_inputs)]
    formula: str
    unit: str = ""
    format: Literal["number", "integer", "percent", "duration", "currency"] | None = None
    decimals: int | None = Field(default=None, ge=0, le=12)
    better: Literal["higher", "lower", "neither"] = "neither"
    split: Names = ()
    """Dimensions without which the KPI means nothing: a request that leaves them out is refused."""
    status: Literal["active", "deprecated_practice", "deprecated", "draft"] = "active"
    notice: Texts = {}
    empty: Literal["0", "unknown"] | Annotated[int, Field(ge=0, le=0)] = "0"
    """What a sum over no rows is."""
    additive_over: Names = ()
    quality: str = ""
    """A companion KPI that says how far to trust this one, such as a coverage."""
    owner: str = ""
    sources: Names = ()
    """Where the definition comes from."""
    override: bool = False


class Role(Model):
    """Who reads a scorecard."""

    group: str = ""
    label: Texts = {}
    override: bool = False


class Group(Model):
    """A family of roles."""

    label: Texts = {}
    override: bool = False


class Parameter(Model):
    """A typed value used in formulas and conditions as `:name`."""

    type: Literal["number", "integer", "text", "boolean", "date"]
    default: str | int | float | bool | None = None
    description: Texts = {}
    override: bool = False


class DefinitionFile(Model):
    """What may stand in a definition file."""

    datasets: dict[str, Dataset] = {}
    roles: dict[str, Role] = {}
    groups: dict[str, Group] = {}
    kpis: dict[str, Kpi] = {}
    parameters: dict[str, Parameter] = {}


class CalendarSettings(Model):
    """The project's time."""

    timezone: str = "UTC"
    week_start: Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] = "monday"
    fiscal_year_start: Literal[
        "january", "february", "march", "april", "may", "june",
        "july", "august", "september", "october", "november", "december",
    ] = "january"  # fmt: skip
    fiscal_year_named_after: Literal["start", "end"] = "end"


class SourceSettings(BaseModel):
    """A source: the plugin that reads it, and that plugin's own settings, which the plugin's `Config` checks."""

    model_config = ConfigDict(frozen=True, extra="allow")
    plugin: str


class ProjectFile(Model):
    """What may stand in `kpi.yaml`."""

    project: str
    label: Texts = {}
    """The title of reports; without it, the project's name."""
    language: Literal["en", "fr"] = "en"
    currency: str = ""
    """The project's currency, shown where a unit is money without a currency."""
    calendar: CalendarSettings = CalendarSettings()
    sources: dict[str, SourceSettings] = {}
    default_source: str = ""
    definitions: Names = ("definitions",)
    """Folders of the project, and installed packs by name."""
    parameters: dict[str, str | int | float | bool] = {}
    notice: Texts = {}
    """What must be said wherever the numbers are shown, such as that the data are made up."""
