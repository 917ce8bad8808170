"""The definition language as frozen models: what may stand in a file, and nothing else.

What editors offer and underline is made of these models too (`schema`): the text below a key is its description there.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from .shorthand import (
    ONCE,
    DimensionName,
    Keys,
    KpiName,
    Name,
    Names,
    Texts,
    by_name,
    column_of,
    key_map,
    names,
    or_empty,
    path_of,
    source_of,
    sources_of,
    unit_of,
)


class Model(BaseModel):
    """The base of all models: frozen, unknown keys refused, no silent change of type."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)


class Column(Model):
    """What must be said of a column because the data do not say it."""

    type: str = Field(
        default="",
        examples=["date", "timestamp", "timestamptz", "decimal(18,2)", "bigint", "double", "varchar", "boolean"],
    )
    """A SQL type in DuckDB's words. Declare `decimal` for money and `timestamptz` for instants."""
    unit: str = Field(default="", examples=["seconds", "EUR"])
    """The unit of its values."""
    currency: str = ""
    """The column that holds the currency of this amount."""
    zone: str = Field(default="", examples=["UTC", "Europe/Paris"])
    """The time zone of a timestamp that carries none; without it, the project's."""
    additivity: Literal["", "additive", "semi_additive", "non_additive"] = ""
    """Whether its values may be added up: `non_additive` as those of reach, which are refused in a sum, `semi_additive` not over time."""
    restated: str = Field(default="", examples=["30 days"])
    """How long the figures still change after their time: periods that end later than that ago are provisional."""
    sampled: str = Field(default="", examples=["1 in 10 sessions"])
    """How the figures are estimated, for readers."""
    label: Texts = {}
    """What people call it: a text, or one per language."""
    description: Texts = {}
    """What it holds."""


class Dimension(Model):
    """What a KPI may be split or filtered by: a column of that name, a path through joins, or an expression."""

    path: str = ""
    """A column, or a path through joins such as `session.channel`; without it, the column of the dimension's name."""
    sql: str = ""
    """An expression over the columns, instead of a path: `sql: "lower(channel)"`."""
    label: Texts = {}
    """What people call it: a text, or one per language."""
    description: Texts = {}
    """What it means."""


class Time(Model):
    """When a row counts: a column, or an expression."""

    column: str = ""
    """A date, a timestamp or an instant."""
    sql: str = ""
    """An expression that gives one, instead of a column: `sql: "coalesce(closed_at, created_at)"`."""
    label: Texts = {}
    """What people call it: a text, or one per language."""


class Join(Model):
    """A join to the one side: `keys` maps a column here to a column there, which together are the other dataset's key.

    A column here may be reached over another join, as `listing.owner_id`.
    """

    to: Name
    """The other dataset."""
    keys: Keys
    """`{here: there}`, or `[content_id]` where both columns have one name; `here` may be reached over another join, as `listing.owner_id`."""
    valid: tuple[str, str] | None = Field(default=None, strict=False)
    """From when and until when the other row holds, half-open; the row valid at the input's time is taken."""


class Snapshot(Model):
    """A dataset of levels: the last rows of each entity hold until its next."""

    of: Names
    """What the level is of: the column of an account, or the columns of a post and a network."""
    keep: str = Field(default="forever", examples=["45 days"])
    """`forever`, or a duration such as `45 days` after which a level that is no longer reported is unknown."""


class Rates(Model):
    """Makes the rows exchange rates: each says what one unit of one currency is worth in another, from its time on."""

    from_: str = Field(alias="from")
    """The column with the currency that is converted."""
    to: str
    """The column with the currency it is converted into."""
    rate: str
    """The column with what one unit of `from` is worth in `to`."""
    keep: str = Field(default="7 days", examples=["7 days", "1 month", "forever"])
    """How long a rate holds where no later one is known, such as over a weekend; after that there is none."""
    inverse: bool = False
    """Whether a rate may be read backwards, where the data have only the other direction."""
    through: str = Field(default="", examples=["EUR"])
    """A currency over which two others may be converted that have no rate between them."""


Filled = Annotated[str, Field(min_length=1)]
AnyTime = Annotated[Time, BeforeValidator(column_of, json_schema_input_type=Filled | Time)]
AnyColumn = Annotated[Column, BeforeValidator(or_empty, json_schema_input_type=Column | None)]
AnyDimension = Annotated[Dimension, BeforeValidator(path_of, json_schema_input_type=str | Dimension | None)]
Dimensions = Annotated[
    dict[str, AnyDimension],
    BeforeValidator(
        by_name,
        json_schema_input_type=dict[DimensionName, AnyDimension] | Annotated[list[DimensionName], ONCE],
    ),
]


class Dataset(Model):
    """Rows: a table of a source, a query over tables of one source, or another dataset put through a transform."""

    source: str = ""
    """The source of `kpi.yaml` that holds the table; without it, the default source."""
    table: str = ""
    """What the source calls it: a file without its ending, a table; without it, the dataset's own name."""
    sql: str = ""
    """Instead of `table`: a query over tables of one source and other datasets."""
    transform: str = ""
    """Instead of `table`: a plugin that computes the rows from the dataset `from`."""
    from_: str = Field(default="", alias="from")
    """With `transform`: the dataset it reads."""
    options: dict[str, Any] = {}
    """With `transform`: the plugin's own settings."""
    label: Texts = {}
    """What people call it: a text, or one per language."""
    description: Texts = {}
    """What a row is."""
    key: Names = ()
    """The column or columns that identify a row; needed where others join to it."""
    time: Annotated[Time | None, BeforeValidator(column_of, json_schema_input_type=Filled | Time | None)] = None
    """When a row counts, unless an input says otherwise: a column, or a mapping."""
    times: dict[Name, AnyTime] = {}
    """Further times by name, which an input may choose."""
    columns: dict[str, AnyColumn] = {}
    """What the data do not say of themselves; other columns need no mention."""
    dimensions: Dimensions = {}
    """What a KPI may be split and filtered by: names of columns, or a mapping."""
    joins: dict[Name, Join] = {}
    """Ways to one row of another dataset, by name."""
    snapshot: Snapshot | None = None
    """Makes the rows levels, such as a number of followers, that hold until the next reading."""
    rates: Rates | None = None
    """Makes the rows exchange rates, by which amounts are converted; a project has one such dataset."""
    restated: str = Field(default="", examples=["3 days"])
    """How long rows are still added or changed after their time: periods that end later than that ago are provisional."""
    override: Literal[True, False, "partial"] = False
    """Replaces the dataset of this name that a pack defines; `partial`: only the keys that stand here, and the entries of their mappings."""


class Age(Model):
    """How long after the earlier row a row comes, as a dimension: 0 is the same unit of the calendar, 1 the next."""

    unit: str = Field(examples=["month", "week", "day", "quarter", "year", "fiscal_year"])
    """The unit of the calendar in which it is counted, a day or longer."""
    as_: DimensionName = Field(default="age", alias="as")
    """What the dimension is called."""


AnyAge = Annotated[Age | None, BeforeValidator(unit_of, json_schema_input_type=Filled | Age)]


class Input(Model):
    """What a formula reads: a dataset's rows or another KPI's value, with modifiers."""

    from_: Name = Field(alias="from")
    """The dataset, whose rows are aggregated, or the KPI, whose value is used."""
    where: str = ""
    """A condition on rows, in quotes: `where: "section = 'blog'"`; on a KPI it reaches every dataset under it."""
    among: dict[str, str] = {}
    """Keeps the members for which a condition on KPIs holds: `among: {customer_id: "orders > 2"}`."""
    time: str = ""
    """Another of the dataset's `times`."""
    take: Literal["closing", "opening", "first", "last", "rows"] | None = None
    """Of a snapshot: the levels at the period's end (the default), those before its start, or all rows."""
    across: Names = ()
    """Dimensions to ignore in the split and in the filters, or `all`: the whole of a share."""
    offset: str = Field(default="", examples=["1 month", "1 year", "28 days", "period", "start of month"])
    """At another time: `1 month` earlier; `period`, one step of the requested grain, or the range before; `start of month`, that unit's first day."""
    per: Names = ()
    """One row for each member of a dimension or column, to be aggregated once more."""
    all_time: bool = False
    """Everything since the beginning, up to the period's end."""
    to_date: str = Field(default="", examples=["year", "quarter", "month", "week", "fiscal_year"])
    """The running year, quarter, month or week, up to the period's end."""
    window: str = Field(default="", examples=["28 days", "12 months"])
    """A trailing stretch that ends with the period."""
    of: Annotated[dict[str, str], BeforeValidator(key_map, json_schema_input_type=Keys)] = {}
    """Conversion: the entity that links two inputs."""
    after: str = ""
    """Conversion: the input that comes first."""
    within: str = ""
    """Conversion: how much later at most."""
    touch: Literal["first", "last"] | None = None
    """Conversion: which of several earlier rows counts."""
    age: AnyAge = None
    """Conversion: counts by the age of a cohort, in units such as `month`, and gives the dimension `age`."""


AnyInput = Annotated[Input, BeforeValidator(source_of, json_schema_input_type=str | Input)]
Inputs = Annotated[
    dict[str, AnyInput],
    BeforeValidator(sources_of, json_schema_input_type=dict[Name, Name | Input] | Annotated[list[Name], ONCE]),
]


class Kpi(Model):
    """A KPI: inputs, a formula over them, and what a reader must know of the number."""

    role: Annotated[tuple[str, ...], BeforeValidator(names, json_schema_input_type=Name | list[Name])] = ()
    """Whose scorecard it stands on: a role, or a list; a KPI without a role stands on none."""
    label: Texts = {}
    """What people call it: a text, or one per language."""
    description: Texts = {}
    """What it counts, and what it does not."""
    inputs: Inputs
    """What the formula reads, by name: `[visits]` is short for `{visits: visits}`, and `{own: {from: visits, where: "is_own"}}` has a modifier."""
    formula: str = Field(examples=["count(visits)", "sum(amount)", "sum(amount) / count(visits)"])
    """The computation, in SQL over the inputs: rows stand inside aggregates, values of KPIs outside."""
    unit: str = Field(default="", examples=["visits", "EUR", "EUR / lead"])
    """The unit of the number; it is compared with what the formula gives."""
    format: Literal["number", "integer", "percent", "duration", "currency"] | None = None
    """How it is written: 0.031 as 3.1 %, 62 seconds as 1:02, an amount with its currency."""
    currency: str = Field(default="", examples=["EUR"])
    """Into which currency the amounts are converted whose currency stands in a column, unless a request names another."""
    decimals: int | None = Field(default=None, ge=0, le=12)
    """How many digits stand after the point."""
    better: Literal["higher", "lower", "neither"] = "neither"
    """Which direction is good news."""
    split: Names = ()
    """Dimensions without which the KPI means nothing: a request that leaves them out is refused."""
    status: Literal["active", "deprecated_practice", "deprecated", "draft"] = "active"
    """How far it may be used; shown with the number."""
    notice: Texts = {}
    """What a reader must know before using the number."""
    empty: Literal["0", "unknown"] | Annotated[int, Field(ge=0, le=0)] = "0"
    """What a sum over no rows is: 0, or unknown as spend that nobody recorded."""
    frame: Literal["whole", "observed", "every_period"] = "whole"
    """Which rows an answer has: all members × periods; `observed`, those that an input has rows for; `every_period`, these and each other period."""
    additive_over: Names = ()
    """Dimensions over which a count of different things may be added up, because each has one member: looked at in the data."""
    quality: str = ""
    """A companion KPI that says how far to trust this one, such as a coverage."""
    owner: str = ""
    """Who answers for the definition."""
    sources: Names = ()
    """Where the definition comes from."""
    override: bool = False
    """Replaces the KPI of this name that a pack defines."""


class Role(Model):
    """Who reads a scorecard."""

    group: str = ""
    """The family it belongs to."""
    label: Texts = {}
    """What people call it: a text, or one per language."""
    override: bool = False
    """Replaces the role of this name that a pack defines."""


class Group(Model):
    """A family of roles."""

    label: Texts = {}
    """What people call it: a text, or one per language."""
    override: bool = False
    """Replaces the group of this name that a pack defines."""


class Parameter(Model):
    """A typed value used in formulas and conditions as `:name`."""

    type: Literal["number", "integer", "text", "boolean", "date"]
    """What kind of value it is."""
    default: str | int | float | bool | None = None
    """The value where neither `kpi.yaml` nor the request gives one."""
    description: Texts = {}
    """What it is for."""
    override: bool = False
    """Replaces the parameter of this name that a pack defines."""


class DefinitionFile(Model):
    """What may stand in a definition file."""

    datasets: dict[Name, Dataset | None] | None = None
    """What the rows are: where they come from, which column identifies one, when it counts, what it may be split by."""
    roles: dict[Name, Role | None] | None = None
    """Who reads which scorecard."""
    groups: dict[Name, Group | None] | None = None
    """Families of roles."""
    kpis: dict[KpiName, Kpi] | None = None
    """What is computed of the rows: each KPI by its name, with `inputs` and a `formula`."""
    parameters: dict[Name, Parameter] | None = None
    """Typed values for formulas and conditions, where they stand as `:name`."""
