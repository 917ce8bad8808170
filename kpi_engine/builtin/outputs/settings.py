"""The options of the outputs that ship."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class TableConfig(BaseModel):
    """How the terminal is used."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    width: int | None = Field(default=None, ge=20, le=1000)
    """Characters per line; otherwise the terminal's width, or 100 where there is none."""
    color: bool | None = None
    """Whether to use colour; otherwise on a terminal only, and not where `NO_COLOR` is set."""


class JsonConfig(BaseModel):
    """How JSON is laid out."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    indent: int = Field(default=2, ge=0, le=8)
    """Spaces per level; 0 writes everything on one line."""


class CsvConfig(BaseModel):
    """What stands in the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    formula_guard: bool = True
    """Put `'` before a text that a spreadsheet would run as a formula; switch it off for machines that need the text as it is."""


class HtmlConfig(BaseModel):
    """A page has no options."""

    model_config = ConfigDict(frozen=True, extra="forbid")
