"""Settings refer to secrets: they are found, handed on, and never said."""

from __future__ import annotations

import base64
import html
import json
import os
import traceback
from urllib.parse import quote, quote_plus

import pytest
from pydantic import BaseModel, SecretBytes, SecretStr

from kpi_engine.api import KpiError, PluginError, SourceError
from kpi_engine.plugins import Plugins, blame
from kpi_engine.plugins.secrets import HIDDEN, Secrets, has_secrets

CANARY = "canary-Sup3r%Secret"


class Inner(BaseModel):
    token: SecretStr
    user: str = ""


class Config(BaseModel):
    dsn: SecretStr | None = None
    raw: SecretBytes | None = None
    auth: Inner | None = None
    headers: dict[str, SecretStr] = {}
    keys: list[SecretStr] = []
    several: list[Inner] = []
    host: str = ""


class Source:
    name = "db"
    Config = Config

    def tables(self): ...


@pytest.fixture
def plugins(tmp_path, monkeypatch):
    monkeypatch.setenv("DB_SECRET", CANARY)
    return Plugins(tmp_path)


def refused(plugins, settings):
    with pytest.raises(KpiError) as caught:
        plugins.configure(Source, settings)
    return caught.value


REFERENCE = {"env": "DB_SECRET"}


def test_a_secret_is_found_wherever_it_stands_in_the_settings(plugins):
    made = plugins.configure(
        Source,
        {"dsn": REFERENCE, "raw": REFERENCE, "auth": {"token": REFERENCE, "user": "me"}, "headers": {"x": REFERENCE},
         "keys": [REFERENCE], "several": [{"token": REFERENCE}], "host": "h"},
    )  # fmt: skip
    secrets = [made.dsn, made.auth.token, made.headers["x"], made.keys[0], made.several[0].token]
    assert [each.get_secret_value() for each in secrets] == [CANARY] * 5
    assert made.raw.get_secret_value() == CANARY.encode()
    assert CANARY not in repr(made)
    assert (made.host, made.auth.user) == ("h", "me")


@pytest.mark.parametrize(
    ("settings", "place"),
    [
        ({"dsn": CANARY}, "`dsn`"),
        ({"dsn": 5}, "`dsn`"),
        ({"auth": {"token": CANARY}}, "`auth.token`"),
        ({"headers": {"x": CANARY}}, "`headers.x`"),
        ({"keys": [REFERENCE, CANARY]}, "`keys.1`"),
        ({"several": [{"token": CANARY}]}, "`several.0.token`"),
        ({"dsn": {"env": "DB_SECRET", "file": "x"}}, "`dsn`"),
    ],
)
def test_a_secret_that_is_written_out_is_refused_and_not_repeated(plugins, settings, place):
    error = refused(plugins, settings)
    assert (type(error), error.code) == (SourceError, "literal_secret")
    assert place in error.message
    assert "{env:" in error.hint
    assert CANARY not in str(error)


def test_a_file_holds_a_secret_without_the_end_of_its_line(plugins, tmp_path):
    (tmp_path / "key").write_text(f"{CANARY}\n")
    assert plugins.configure(Source, {"dsn": {"file": "key"}}).dsn.get_secret_value() == CANARY
    assert plugins.configure(Source, {"dsn": {"file": str(tmp_path / "key")}}).dsn.get_secret_value() == CANARY


@pytest.mark.skipif(os.name == "nt", reason="permissions of Unix")
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o620, 0o604])
def test_a_file_that_others_can_read_is_warned_of_once(plugins, tmp_path, caplog, mode):
    for name in ("key", "private"):
        (tmp_path / name).write_text(CANARY)
    (tmp_path / "key").chmod(mode)
    (tmp_path / "private").chmod(0o600)
    for _ in range(2):
        plugins.configure(Source, {"dsn": {"file": "key"}, "keys": [{"file": "private"}, {"file": "key"}]})
    (said,) = caplog.messages
    assert said.startswith(
        "Warning: the file `key`, which holds a secret, may be read or written by others: `chmod 600 "
    )
    assert CANARY not in caplog.text


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe\xfa", b"x" * (1 << 20) + b"yz"])
def test_a_file_that_holds_no_secret_is_said(plugins, tmp_path, content):
    if content is not None:
        (tmp_path / "key").write_bytes(content)
    error = refused(plugins, {"dsn": {"file": "key"}})
    assert (error.code, type(error)) == ("missing_secret", SourceError)
    assert "`key`" in error.message


def test_a_variable_that_is_not_set_and_a_store_that_is_not_there_are_said(plugins):
    error = refused(plugins, {"dsn": {"env": "NO_SUCH_THING"}})
    assert error.code == "missing_secret"
    assert "NO_SUCH_THING" in error.message
    error = refused(plugins, {"dsn": {"vault": "a"}})
    assert (error.code, type(error)) == ("unknown_plugin", PluginError)


STORE = """
from kpi_engine.api import SourceError, hookimpl

class Vault:
    name = "vault"
    def __init__(self, context): self.root = context.root
    def resolve(self, reference):
        if reference == "none":
            raise SourceError("there is no such thing", code="missing_secret")
        if reference == "wrong":
            return 7
        if reference == "fails":
            raise RuntimeError("sealed")
        return f"{reference}-{self.root.name}-opened"

@hookimpl
def secret():
    return [Vault]
"""


def test_a_plugin_may_keep_secrets(plugins, tmp_path):
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "vault.py").write_text(STORE)
    made = plugins.configure(Source, {"dsn": {"vault": "kv"}})
    assert made.dsn.get_secret_value() == f"kv-{tmp_path.name}-opened"
    assert plugins.secrets.hide(f"saw kv-{tmp_path.name}-opened") == f"saw {HIDDEN}"
    assert refused(plugins, {"dsn": {"vault": "none"}}).code == "missing_secret"
    assert "a text is expected" in refused(plugins, {"dsn": {"vault": "wrong"}}).message
    assert (
        "the secret plugin `vault` failed: RuntimeError: sealed"
        in refused(plugins, {"dsn": {"vault": "fails"}}).message
    )


def test_which_settings_have_secrets_is_known():
    class Plain(BaseModel):
        host: str
        again: Plain | None = None

    assert has_secrets(Config)
    assert has_secrets(Inner)
    assert not has_secrets(Plain)


class TestHiding:
    DSN = f"postgresql://kpi:{CANARY}@[bad/db"

    def raised(self, raise_it):
        secrets = Secrets()
        secrets.learn(self.DSN)
        with pytest.raises(KpiError) as caught, blame("source", "db", secrets):
            raise_it()
        return "".join(traceback.format_exception(caught.value)) + repr(caught.value)

    def test_a_driver_that_repeats_the_address(self):
        def fail():
            raise ValueError(f"invalid dsn: {self.DSN}")

        assert CANARY not in self.raised(fail)

    def test_a_driver_that_repeats_the_password_alone(self):
        def fail():
            raise SourceError(f"no access with {CANARY}", hint=f"is {CANARY!r} right?")

        assert CANARY not in self.raised(fail)

    def test_what_led_to_an_error(self):
        def fail():
            try:
                int(self.DSN)
            except ValueError as error:
                try:
                    {}[CANARY]
                except KeyError:
                    raise OSError("it failed") from error

        assert CANARY not in self.raised(fail)

    def test_an_error_that_hides_its_text_in_a_slot(self):
        class OddError(Exception):
            def __str__(self):
                return f"odd {CANARY}"

        def fail():
            raise OddError

        def fail_within():
            try:
                fail()
            except OddError as error:
                raise SourceError("it failed") from error

        assert CANARY not in self.raised(fail)
        assert CANARY not in self.raised(fail_within)

    def test_notes_groups_and_long_texts(self):
        def fail():
            error = ExceptionGroup(f"a {CANARY}", [ValueError(CANARY), OSError(2, CANARY)])
            error.add_note(CANARY)
            raise error

        def fail_at_length():
            raise ValueError("x" * 390 + self.DSN)

        assert CANARY not in self.raised(fail)
        assert CANARY[:6] not in self.raised(fail_at_length)

    def test_any_password_of_an_address(self):
        assert Secrets().hide("at https://me:pass@word@host/x") == f"at https://me:{HIDDEN}@host/x"

    def test_a_password_among_words_and_quoted(self):
        secrets = Secrets()
        secrets.learn("host=a user=b password='open sesame' sslmode=x")
        assert secrets.hide("not open sesame") == f"not {HIDDEN}"
        assert "sesame" not in secrets.hide("open%20sesame")

    def test_an_error_without_a_cause_keeps_its_context(self):
        secrets, error = Secrets(), ValueError("a")
        error.__context__ = KeyError("b")
        secrets.mended(error)
        assert error.__suppress_context__ is False


@pytest.mark.skipif(os.name == "nt", reason="permissions of Unix")
def test_errors_of_settings_do_not_repeat_a_secret(plugins):
    class Strict(BaseModel):
        dsn: SecretStr

        def model_post_init(self, _):
            raise ValueError(f"bad {self.dsn.get_secret_value()}")

    class Odd(Source):
        Config = Strict

    with pytest.raises(KpiError) as caught:
        plugins.configure(Odd, {"dsn": REFERENCE})
    assert CANARY not in str(caught.value)


class Loose(BaseModel):
    arguments: dict[str, object] = {}
    secrets: dict[str, SecretStr] = {}
    page_token: str = ""
    url: str = ""


class LooseSource(Source):
    Config = Loose


@pytest.mark.parametrize(
    ("settings", "place"),
    [
        ({"arguments": {"api_key": CANARY}}, "`arguments.api_key`"),
        ({"arguments": {"auth": {"password": 1234567}}}, "`arguments.auth.password`"),
        ({"arguments": {"hosts": ["a", f"https://me:{CANARY}@b"]}}, "`arguments.hosts.1`"),
        ({"url": f"postgresql://me:{CANARY}@host/x"}, "`url`"),
    ],
)
def test_a_secret_among_settings_that_the_plugin_does_not_name_is_refused_too(plugins, settings, place):
    with pytest.raises(SourceError) as caught:
        plugins.configure(LooseSource, settings)
    assert caught.value.code == "literal_secret"
    assert place in caught.value.message
    assert caught.value.hint.endswith("in a setting for secrets: `secrets`")
    assert CANARY not in str(caught.value)


def test_what_the_plugin_names_is_what_the_plugin_says_it_is(plugins):
    given = {"page_token": "next", "url": "https://me@host:80/a", "arguments": {"password": "", "tokens_per_page": "9"}}
    assert plugins.configure(LooseSource, given).url == given["url"]


@pytest.mark.parametrize(
    "written",
    [
        lambda secret: repr(secret.encode()),
        lambda secret: json.dumps({"dsn": secret}),
        lambda secret: json.dumps({"dsn": secret}, ensure_ascii=False),
        html.escape,
        quote,
        quote_plus,
        lambda secret: base64.b64encode(secret.encode()).decode(),
        lambda secret: base64.b64encode(f"me:{secret}".encode()).decode(),
        lambda secret: base64.urlsafe_b64encode(f"mine:{secret}".encode()).decode(),
        lambda secret: base64.b64encode(f"reader:{secret}".encode()).decode(),
    ],
)
def test_a_secret_is_taken_out_however_a_driver_writes_it(written):
    """What is left is what stands around it: quotes, and in base64 the user and the letters that it shares with the secret."""
    given = "pa/ss wörd\"&<x>'q;Zz9+ÿÿ?>?>"
    secrets = Secrets()
    secrets.learn(given)
    said = written(given)
    left = secrets.hide(f"no answer: {said}").removeprefix("no answer: ").replace(HIDDEN, "")
    assert len(left) < len(said) / 3


def test_a_short_secret_is_not_looked_for_in_base64():
    secrets = Secrets()
    secrets.learn("abc")
    assert secrets.hide("YWJj and other words") == "YWJj and other words"
