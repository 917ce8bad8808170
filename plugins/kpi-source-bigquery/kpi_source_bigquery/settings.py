"""The settings of the source `bigquery`."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

HERE = ("127.0.0.1", "localhost", "::1")


class BigQuerySettings(BaseModel):
    """The settings of the source `bigquery`."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    dataset: str = Field(
        description="The dataset of the tables: `shop`, or `project.shop` where it is another project's."
    )
    project: str = Field(min_length=1, description="The project that runs the queries, and pays for them.")
    location: str = Field("", description="Where the dataset is kept, such as `EU`; without it BigQuery finds out.")
    credentials: SecretStr | None = Field(
        None,
        description="Where the key of a service account is kept, in JSON, `{file: PATH}` or `{env: NAME}`; without it those of the machine are used.",
    )
    maximum_bytes_billed: int | None = Field(
        None,
        gt=0,
        description="A query that would read more bytes than that is refused by BigQuery, and costs nothing.",
    )
    address: str = Field("", description="Where BigQuery is reached if not at its own address, `https://…`.")
    timeout: float = Field(120, gt=0, description="How many seconds one request is tried while nothing answers.")

    @field_validator("dataset")
    @classmethod
    def _is_name(cls, value: str) -> str:
        if not re.fullmatch(r"(?:[a-z][a-z0-9:.-]*[a-z0-9]\.)?\w+", value):
            message = "a dataset is written `shop`, or `project.shop`"
            raise ValueError(message)
        return value

    @field_validator("address")
    @classmethod
    def _is_safe(cls, value: str) -> str:
        parts = urlsplit(value)
        is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in HERE)
        if value and not (is_safe and parts.hostname):
            message = "an address begins with `https://`"
            raise ValueError(message)
        return value

    @property
    def place(self) -> tuple[str, str]:
        """The project of the dataset, and its name."""
        project, _, name = self.dataset.rpartition(".")
        return project or self.project, name
