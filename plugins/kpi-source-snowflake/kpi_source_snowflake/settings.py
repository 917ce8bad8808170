"""The settings of the source `snowflake`."""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

_HERE = ("127.0.0.1", "localhost", "::1")


class SnowflakeSettings(BaseModel):
    """The settings of the source `snowflake`."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    account: str = Field(
        min_length=1, description="The account, `organisation-name`, as in the address of its web page."
    )
    user: str = Field(min_length=1, description="As whom it is read.")
    database: str = Field(
        min_length=1,
        description="The database of the tables. As in SQL, small letters are capitals unless the name stands in quotes.",
    )
    schema_: str = Field(
        "PUBLIC", alias="schema", description="The schema whose tables are named without it, written as `database` is."
    )
    warehouse: str = Field("", description="The warehouse that computes; without it the one of the user.")
    role: str = Field("", description="The role in which it is read; without it the one of the user.")
    password: SecretStr | None = Field(None, description="Where the password is kept, `{env: NAME}` or `{file: PATH}`.")
    token: SecretStr | None = Field(
        None, description="Where a programmatic access token is kept, `{env: NAME}` or `{file: PATH}`."
    )
    private_key_file: str = Field(
        "",
        description="The file of a private key, in PEM, relative to the project's folder; its public key is the user's.",
    )
    private_key_passphrase: SecretStr | None = Field(
        None, description="Where the words are kept that open the private key, if it is encrypted."
    )
    address: str = Field(
        "",
        description="Where the account is reached if not at its own address, `https://…`: a private link, or a proxy.",
    )
    login_timeout: int = Field(30, gt=0, description="How many seconds it may take to log in.")
    network_timeout: int = Field(120, gt=0, description="How many seconds a request is tried while nothing answers.")

    @field_validator("database", "schema_")
    @classmethod
    def _as_in_sql(cls, value: str) -> str:
        is_quoted = len(value) > 2 and value.startswith('"') and value.endswith('"')  # noqa: PLR2004 - two quotes
        return value[1:-1].replace('""', '"') if is_quoted else value.upper()

    @field_validator("address")
    @classmethod
    def _is_safe(cls, value: str) -> str:
        parts = urlsplit(value)
        if (
            value
            and not (parts.scheme == "https" and parts.hostname)
            and not (parts.scheme == "http" and parts.hostname in _HERE)
        ):
            message = "an address begins with `https://`"
            raise ValueError(message)
        if parts.username or parts.password or parts.path.strip("/") or parts.query:
            message = "an address has a host, and a port if need be: `https://host:443`"
            raise ValueError(message)
        return value

    @model_validator(mode="after")
    def _one_proof(self) -> SnowflakeSettings:
        given = [name for name in ("password", "token", "private_key_file") if getattr(self, name)]
        if len(given) != 1:
            message = "one of `password`, `token` and `private_key_file` says how the user is proved"
            raise ValueError(message)
        if self.private_key_passphrase and not self.private_key_file:
            message = "`private_key_passphrase` opens a `private_key_file`, which is missing"
            raise ValueError(message)
        return self
