"""The settings of the source `spark`."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator


class SparkSettings(BaseModel):
    """The settings of the source `spark`."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    remote: str = Field(description="The address of the Spark Connect server, `sc://host:15002`.")
    token: SecretStr | None = Field(
        None,
        description="Where it is kept what proves who asks, `{env: NAME}` or `{file: PATH}`. The connection is then encrypted.",
    )
    catalog: str = Field("", description="The catalogue of the tables; without it the one that the server starts with.")
    schema_: str = Field(
        "", alias="schema", description="The schema of the tables; without it the one that the server starts with."
    )
    tables: tuple[str, ...] = Field(
        (), description="The tables that are read; without it all of the schema, which are looked at one by one."
    )
    parquet: dict[str, str] = Field(
        default_factory=dict,
        description="Parquet files as tables, `{visits: s3://lake/visits}`: the path is one that every machine of the cluster can read.",
    )
    connect_timeout: float = Field(10, gt=0, description="How many seconds to wait for the server to answer at first.")

    @field_validator("remote")
    @classmethod
    def _without_token(cls, value: str) -> str:
        if not value.startswith("sc://"):
            message = "an address of Spark Connect starts with `sc://`, as in `sc://spark.example.com:15002`"
            raise ValueError(message)
        if "token=" in value.replace(" ", "").lower():
            message = "a token does not stand in the address: write `token: {env: NAME}`"
            raise ValueError(message)
        return value

    @model_validator(mode="after")
    def _one_place(self) -> SparkSettings:
        if self.parquet and (self.catalog or self.schema_ or self.tables):
            message = "a source reads Parquet files, `parquet`, or tables of a schema: take two sources for both"
            raise ValueError(message)
        return self
