from __future__ import annotations

from typing import Annotated, Literal

import pytest
from pydantic import AliasChoices, AliasPath, BaseModel, ConfigDict, Field, SecretStr, field_validator

from kpi_engine.api import PluginError, SourceError
from kpi_engine.plugins import blame, configure


class Lax(BaseModel):
    """A config whose author forgot to refuse unknown keys."""

    dsn: SecretStr
    port: int = 5432
    mode: Literal["fast", "safe"] = "safe"
    names: list[str] = []
    zone: Annotated[str, Field(alias="time_zone")] = "UTC"

    @field_validator("port")
    @classmethod
    def _known(cls, value: int) -> int:
        if value < 0:
            raise ValueError("must not be negative")
        return value


class Database:
    name = "database"
    Config = Lax

    def tables(self): ...


class Page:
    name = "page"
    Config = Lax

    def render(self): ...


def mistakes(settings, cls=Database):
    with pytest.raises((SourceError, PluginError)) as caught:
        configure(cls, settings)
    assert caught.value.code == "bad_settings"
    return caught.value


def test_good_settings_give_the_plugin_s_config():
    made = configure(Database, {"dsn": "x", "port": "1", "time_zone": "Europe/Paris"})
    assert isinstance(made, Lax)
    assert (made.port, made.zone, made.mode) == (1, "Europe/Paris", "safe")


def test_unknown_keys_are_refused_though_the_config_would_take_them():
    error = mistakes({"dsn": "x", "prot": 1})
    assert "`prot` is not known (did you mean `port`?)" in error.message


def test_unknown_keys_are_refused_though_the_config_keeps_them():
    class Open(BaseModel):
        model_config = ConfigDict(extra="allow")

    class Any:
        name = "any"
        Config = Open

        def apply(self): ...

    assert "`x` is not known" in mistakes({"x": 1}, Any).message
    assert configure(Any, {}) == Open()


def test_all_mistakes_are_listed_in_plain_words():
    error = mistakes({"port": "x", "mode": "slow", "names": [1], "tables": {}})
    for words in (
        "`dsn` is missing",
        "`port` must be a whole number",
        "`mode` must be 'fast' or 'safe'",
        "`names.0` must be a text",
        "`tables` is not known",
    ):
        assert words in error.message
    assert error.hint == "it takes `dsn`, `mode`, `names`, `port`, `time_zone`"


def test_a_validator_s_own_words_are_kept():
    assert "`port` must not be negative" in mistakes({"dsn": "x", "port": -1}).message


def test_a_field_with_an_alias_is_written_by_its_alias():
    assert "`zone` is not known" in mistakes({"dsn": "x", "zone": "UTC"}).message


def test_every_spelling_of_a_setting_counts():
    class Spelled(BaseModel):
        model_config = ConfigDict(populate_by_name=True)
        a: int = Field(default=0, alias="b")
        c: int = Field(default=0, validation_alias=AliasChoices("d", AliasPath("e", "f")))

    class Any:
        name = "any"
        Config = Spelled

        def render(self): ...

    assert configure(Any, {"a": 1, "d": 2}) == Spelled(a=1, c=2)
    assert configure(Any, {"b": 1, "e": {"f": 3}}) == Spelled(a=1, c=3)


def test_values_are_never_repeated_because_they_may_be_secret():
    error = mistakes({"dsn": {"password": "hunter2"}, "port": "hunter2", "mode": "hunter2", "x": "hunter2"})
    assert "hunter2" not in str(error)
    assert error.__cause__ is None
    assert error.__suppress_context__ or error.__context__ is None


def test_the_kind_of_plugin_decides_the_kind_of_error():
    assert isinstance(mistakes({}, Database), SourceError)
    assert isinstance(mistakes({}, Page), PluginError)
    assert "settings of the output plugin `page`" in mistakes({}, Page).message


def test_a_config_that_fails_is_the_plugin_s_fault():
    class Failing(BaseModel):
        a: int = 0

        @field_validator("a")
        @classmethod
        def _fail(cls, value: int) -> int:
            raise SystemExit(value)

    class Any:
        name = "any"
        Config = Failing

        def render(self): ...

    with pytest.raises(PluginError, match="SystemExit: 1") as caught:
        configure(Any, {"a": 1})
    assert caught.value.code == "plugin_failed"


class TestBlame:
    @pytest.mark.parametrize("raised", [ValueError("odd"), SystemExit(2), MemoryError()])
    def test_what_a_plugin_raises_names_the_plugin(self, raised):
        with pytest.raises(PluginError) as caught, blame("output", "slides"):
            raise raised
        assert caught.value.code == "plugin_failed"
        assert f"the output plugin `slides` failed: {type(raised).__name__}" in caught.value.message
        assert caught.value.__cause__ is raised

    @pytest.mark.parametrize("raised", [SourceError("no file"), KeyboardInterrupt()])
    def test_our_own_errors_and_ctrl_c_pass(self, raised):
        with pytest.raises(type(raised)) as caught, blame("source", "files"):
            raise raised
        assert caught.value is raised


class Token(BaseModel):
    kind: Literal["token"]
    token: SecretStr


class Login(BaseModel):
    kind: Literal["login"]
    user: str


class ApiSettings(BaseModel):
    auth: Annotated[Token | Login, Field(discriminator="kind")] = Login(kind="login", user="ann")
    pages: Annotated[list[str], Field(min_length=1)] = ["a"]
    pair: Annotated[list[str], Field(min_length=2)] = ["a", "b"]


class Api:
    name = "api"
    Config = ApiSettings

    def streams(self): ...


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"auth": {"kind": "s3cr3t"}}, "`auth` must have as `kind` one of 'token', 'login'"),
        ({"auth": {"user": "ann"}}, "`auth` must have `kind`, which says its kind"),
        ({"pages": []}, "`pages` must not be empty"),
        ({"pair": ["a"]}, "`pair` must have 2 or more of them"),
    ],
)
def test_kinds_and_lists_are_explained_in_plain_words(settings, said):
    error = mistakes(settings, Api)
    assert error.message == f"settings of the source plugin `api`: {said}"
