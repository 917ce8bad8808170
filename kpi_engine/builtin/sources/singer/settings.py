"""What `kpi.yaml` may say of a Singer tap."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_validator


def _texts(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Texts = Annotated[tuple[str, ...], BeforeValidator(_texts, json_schema_input_type=str | list[str])]


class SingerSettings(BaseModel):
    """A tap: a program in an environment of its own, or a file with what one has said."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    executable: str = ""
    """The tap's program, by its path from the project's folder, as `taps/hubspot/bin/tap-hubspot`."""
    arguments: Texts = ()
    """What stands before the options that the engine gives it."""
    file: str = ""
    """Instead of a program: a file of Singer messages, one a line, as a tap has written them."""
    config: dict[str, Any] = {}
    """The tap's settings, as its documentation has them, but for secrets."""
    secrets: dict[str, SecretStr] = {}
    """The tap's settings that are secrets, each a reference such as `{env: HUBSPOT_KEY}`; `a.b` is `b` within `a`."""
    renewed: str = ""
    """A file for settings that the tap renews by itself, such as OAuth tokens: they are secrets, so it stays out of version control."""
    catalog: str = ""
    """A catalog file, for a tap that cannot discover its streams or needs a catalog of its own."""
    catalog_option: Literal["catalog", "properties"] = "catalog"
    """How the tap calls the option for its catalog: older ones call it `properties`."""
    environment: Texts = ()
    """Environment variables that the tap may see besides those that every program needs."""
    idle_timeout: float = Field(default=600, gt=0)
    """Seconds without a word after which the tap is stopped."""
    timeout: float | None = Field(default=None, gt=0)
    """Seconds after which the tap is stopped whatever it does."""

    @model_validator(mode="after")
    def _has_one_origin(self) -> Self:
        if bool(self.executable) == bool(self.file):
            raise ValueError("needs either `executable` or `file`")
        return self
