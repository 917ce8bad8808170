"""What `kpi.yaml` may say of a folder of files and of its tables."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

Format = Literal["csv", "parquet", "json", "lines"]

LINE_FEEDS = frozenset("\r\n")


def _encoding(value: str) -> str:
    try:
        "".encode(value)
    except LookupError:
        raise ValueError(
            f"names the encoding {value!r}, which does not exist; try utf-8, cp1252, latin-1 or utf-16"
        ) from None
    return value


def _one_character(value: str) -> str:
    if len(value) != 1 or value in LINE_FEEDS:
        raise ValueError("must be one character")
    return value


def _texts(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Character = Annotated[str, AfterValidator(_one_character)]
Encoding = Annotated[str, AfterValidator(_encoding)]
Decimal = Literal[".", ","]
Texts = Annotated[tuple[str, ...], BeforeValidator(_texts, json_schema_input_type=str | list[str])]


class TableSettings(BaseModel):
    """What must be said of one table because its files do not say it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str = ""
    """A file, or a pattern such as `visits-*.csv`, inside the folder; without it, the file with the table's name."""
    format: Format | None = None
    """`lines` gives a text log as one column `line`; without it, the file's ending decides."""
    delimiter: Character | None = None
    """One character; without it, the file decides."""
    encoding: Encoding | None = None
    """Such as `cp1252`; without it, the source's."""
    decimal: Decimal | None = None
    """What stands before the decimals; without it, the source's."""
    header: bool | None = None
    """Whether the first line names the columns: yes, unless `columns` does."""
    columns: Texts = ()
    """Names for the columns, from left to right, instead of a header's."""
    null: Texts = ()
    """Texts that mean unknown, besides nothing at all."""
    quote: Character | Literal[""] = '"'
    """What stands around a text; empty for none."""
    escape: Character | None = None
    """What stands before a quote inside a quoted text: a quote, or a backslash; without it, the file decides."""
    skip: int = Field(default=0, ge=0)
    """How many lines stand above the header."""
    date_format: str = ""
    """Such as `%d/%m/%Y`; without it, DuckDB decides."""
    timestamp_format: str = ""
    """Such as `%d/%m/%Y %H:%M`; without it, DuckDB decides."""


class FilesSettings(BaseModel):
    """A folder of files, and what holds for all its CSV files."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str = "."
    """The folder, relative to the project's."""
    delimiter: Character | None = None
    """One character, for all its CSV files; without it, each file decides."""
    encoding: Encoding | None = None
    """Such as `cp1252`; without it, UTF-8, or what the first bytes say."""
    decimal: Decimal | None = None
    """What stands before the decimals: a point, unless it is said."""
    tables: dict[str, TableSettings] = {}
    """What must be said of single tables, by name."""
