"""What `kpi.yaml` may say of a DuckDB database."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class DuckdbSettings(BaseModel):
    """Where the database is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    """The database file, relative to the project's folder."""
