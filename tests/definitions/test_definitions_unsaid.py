"""A secret that somebody wrote into a file is in no message about that file, and in nothing that is kept of it."""

import json
from pathlib import Path

import pytest

from kpi_engine.cache import Cache
from kpi_engine.definitions import load
from kpi_engine.errors import KpiError
from kpi_engine.hiding import UNSAID, Lines, masked_values

CANARY = "hunter2canary"
HEAD = "project: p\nsources:\n"
WRITTEN = {
    "a mistake in the source after it": f"{HEAD}  db:\n    plugin: x\n    password: {CANARY}\n  password: {CANARY}\n",
    "an alias": f"{HEAD}  db:\n    plugin: x\n    password: *{CANARY}\n",
    "an anchor": f"{HEAD}  db:\n    plugin: x\n    password: &{CANARY}\n",
    "a tag": f"{HEAD}  db:\n    plugin: x\n    password: !{CANARY} x\n",
    "a second colon": f"{HEAD}  db:\n    plugin: x\n    password: ab: {CANARY}\n",
    "an open quote": f"{HEAD}  db:\n    plugin: x\n    password: '{CANARY}\n    foo: bar\n",
    "an open quote over lines": f"{HEAD}  db:\n    plugin: x\n    password: 'one\n  {CANARY}\n    foo: bar\n",
    "a sign": f"{HEAD}  db:\n    plugin: x\n    api_key: @{CANARY}\n",
    "a sign between braces": f"{HEAD}  db: {{plugin: x, password: @{CANARY}, user: u}}\n",
    "a mistake before it on its line": f"{HEAD}  db: {{plugin: x, sync: {{foo: 1}}, token: {CANARY}, user: u}}\n",
    "a mistake behind it on its line": f"{HEAD}  db: {{plugin: x, token: {CANARY}, sync: {{foo: 1}}, user: u}}\n",
    "no blank": f"{HEAD}  db:\n    plugin: x\n    password:{CANARY}\n    foo: bar\n",
    "a line below it": f"{HEAD}  db:\n    plugin: x\n    password: {CANARY}\n     foo: bar\n",
    "an address for a source": f"{HEAD}  db: postgresql://kpi:{CANARY}@host/db\n",
    "an address with a blank": f"{HEAD}  db: postgresql://kpi:x {CANARY}@host/db\n",
    "words for a source": f"{HEAD}  db: host=x password={CANARY}\n",
    "in the wrong place": f"project: p\npassword: {CANARY}\n",
    "a text over lines": f"{HEAD}  db:\n    plugin: x\n    dsn: |\n      {CANARY}\n     {CANARY}\n",
    "a character in a text over lines": f"{HEAD}  db:\n    plugin: x\n    dsn: >\n      a\n      {CANARY} \x07\n",
    "twice": f"{HEAD}  db:\n    plugin: x\n    db.password: {CANARY}\n    db.password: {CANARY}\n",
    "a list that is not closed": f"{HEAD}  db:\n    plugin: x\n    password: [{CANARY}\n",
    "more after a quote": f'{HEAD}  db:\n    plugin: x\n    password: "{CANARY}" x\n',
    "an escape": f'{HEAD}  db:\n    plugin: x\n    password: "{CANARY}\\q"\n',
    "a tab": f"{HEAD}  db:\n    plugin: x\n\tpassword: {CANARY}\n",
    "a list item": f"{HEAD}  db:\n    plugin: x\n    - password: {CANARY}\n",
    "a key file": f"{HEAD}  db:\n    key: |\n      -----BEGIN PRIVATE KEY-----\n{CANARY}\n      -----END\n",
    "JSON": f'{{"sources": {{"db": {{"plugin": "x", "password": "{CANARY}", "x": &b}}}}}}\n',
    "a mapping": f"{HEAD}  db:\n    plugin: x\n    password: {{{CANARY}}}\n    5: x\n",
    "a comment": f"{HEAD}  db:\n    plugin: x # password: {CANARY}\n     foo: bar\n",
    "below secrets": f"{HEAD}  db:\n    plugin: x\n    secrets:\n      key: {CANARY}\n     foo: bar\n",
    "bytes that are no text": f"{HEAD}  db:\n    plugin: x\n    password: {CANARY}",
}


@pytest.mark.parametrize("name", ["kpi.yaml", "definitions/own.yaml"])
@pytest.mark.parametrize("written", WRITTEN.values(), ids=WRITTEN.keys())
def test_no_message_says_it(tmp_path, name, written) -> None:
    (tmp_path / "definitions").mkdir()
    (tmp_path / "kpi.yaml").write_text("project: p\n")
    data = written.encode() + (b"\xff\n" if written is WRITTEN["bytes that are no text"] else b"")
    (tmp_path / name).write_bytes(data)
    try:
        project = load(tmp_path)
    except KpiError as error:
        said = [str(error), repr(error), repr(vars(error))]
    else:
        assert project.diagnostics
        said = [*map(str, project.diagnostics), repr(project.diagnostics), repr(project.settings)]
    assert not [each for each in said if CANARY in each]


def test_what_is_no_secret_is_shown(tmp_path) -> None:
    (tmp_path / "definitions").mkdir()
    (tmp_path / "kpi.yaml").write_text(f"{HEAD}  db: {{plugin: x, dsn: {{env: SHOP}}, user: &me}}\n")
    (tmp_path / "definitions/a.yaml").write_text("kpis:\n  token: {formula: &x a}\n")
    shown = [each.place.text for each in load(tmp_path).diagnostics if each.place and each.code == "anchor"]
    assert shown == ["  db: {plugin: x, dsn: {env: SHOP}, user: &me}", "  token: {formula: &x a}"]


def test_settings_show_themselves_without_secrets() -> None:
    given = {
        "secrets": {"a.key": "x", "b": {"env": "B"}},
        "auth": [{"api_key": 7, "user": "me"}],
        "url": "host=x password=abc",
        "private_key": {"oh": "no"},
    }
    assert masked_values(given) == {
        "secrets": {"a.key": UNSAID, "b": {"env": "B"}},
        "auth": [{"api_key": UNSAID, "user": "me"}],
        "url": f"host=x password={UNSAID}",
        "private_key": UNSAID,
    }


ODD = f"""\
project: p
sources:
  db:
    plugin: nothing
    port: 5432
    share: 0.25
    open: true
    none: null
    nested: [{{a: "{CANARY}"}}, 7]
    passphrase_of_ours: {CANARY}
    number: 98765432123
    sync: {{closes: day}}
"""


def contents(folder: Path) -> str:
    return "".join(path.read_text() for path in folder.rglob("*") if path.is_file())


def test_nothing_of_a_source_is_kept_whatever_its_name(tmp_path) -> None:
    (tmp_path / "kpi.yaml").write_text(ODD)
    (tmp_path / "definitions").mkdir()
    cache = Cache(tmp_path / "cache")
    first = load(tmp_path, cache)
    assert len(list((tmp_path / "cache").iterdir())) == 1
    kept = contents(tmp_path / "cache")
    assert "98765432123" not in kept
    assert CANARY not in kept
    assert load(tmp_path, cache).settings == first.settings
    assert first.settings.sources["db"].model_extra["nested"] == [{"a": CANARY}, 7]
    (tmp_path / "kpi.yaml").write_text(ODD.replace("5432\n", "5433\n"))
    assert load(tmp_path, cache).settings.sources["db"].model_extra["port"] == 5433


def test_settings_in_another_form_are_read_again_each_time(tmp_path) -> None:
    (tmp_path / "kpi.yaml").write_text(ODD + '    long: "one\n      two"\n')
    (tmp_path / "definitions").mkdir()
    cache = Cache(tmp_path / "cache")
    first = load(tmp_path, cache)
    assert not (tmp_path / "cache").exists()
    assert json.dumps(load(tmp_path, cache).settings.sources["db"].model_extra) == json.dumps(
        first.settings.sources["db"].model_extra
    )
    assert first.settings.sources["db"].model_extra["long"] == "one two"


@pytest.mark.parametrize(
    "piece", ["token: {env: x}, ", "password_", "{password", "'password", "://a:", "password = ", "("]
)
def test_a_line_of_any_length_is_read(piece) -> None:
    """Squared, the time that this takes would be minutes."""
    line = "  db: " + piece * (400_000 // len(piece))
    assert len(Lines(["sources:", line]).shown) == 2
