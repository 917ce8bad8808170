"""A planted secret is searched for in all that comes out: what commands and errors say, what is logged, and every file that is written."""

from __future__ import annotations

import base64
import logging
import os
import sys
import traceback
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from click.testing import CliRunner

import kpi_engine
from kpi_engine.cli.commands import kpi as command
from kpi_engine.plugins import Plugins

if TYPE_CHECKING:
    from pathlib import Path

CANARY = "canary+Sup3r/S3cret"
SAFE = quote(CANARY, safe="")
FORMS = (
    CANARY,
    SAFE,
    CANARY[:12],
    base64.b64encode(CANARY.encode()).decode()[:20],
    CANARY.encode().hex(),
    SAFE.encode().hex(),
)
"""The secret as it is, within an address, its beginning, and as headers and dumps write it."""
ADDRESSES = {
    "answers": f"postgresql://kpi:{SAFE}@127.0.0.1/shop",
    "is malformed": f"postgresql://kpi:{SAFE}@[bad/db",
    "is down": f"postgresql://kpi:{SAFE}@127.0.0.1:9/none",
}
KEPT = {"env": "{env: SHOP_DSN}", "file": "{file: ../outside/dsn}", "vault": "{vault: shop/dsn}"}
PLUGIN = """
import logging, socket
from pathlib import Path
from urllib.parse import unquote, urlsplit
from arro3.core import Array, DataType, Table as Rows
from pydantic import BaseModel, ConfigDict, SecretStr
from kpi_engine.api import SourceError, Table, hookimpl

class Settings(BaseModel):
    "What it takes."
    model_config = ConfigDict(extra="forbid")
    dsn: SecretStr

class Shop:
    "A source whose driver talks too much."
    name = "shop"
    Config = Settings

    def __init__(self, config, context):
        self.config, self.about = config, context.name
        self.dsn = config.dsn

    def _connect(self):
        dsn = self.config.dsn.get_secret_value()
        if "[bad" in dsn:
            raise ValueError(f"invalid dsn: {dsn}")
        port = urlsplit(dsn).port
        if port:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=5)
            except OSError as error:
                error.add_note(f"while connecting to {dsn}")
                password = unquote(urlsplit(dsn).password)
                raise SourceError(f"no answer of {dsn}, with the password {password}", hint=f"is {password!r} right?") from error
        # LEAK

    def tables(self):
        self._connect()
        return [Table("orders", {"id": "BIGINT", "region": "VARCHAR", "day": "DATE"})]

    def scan(self, scan):
        self._connect()
        days = Array([20459, 20460, 20461], DataType.int32()).cast(DataType.date32())
        columns = {"id": Array([1, 2, 3], DataType.int64()), "region": Array(["n", "n", "s"], DataType.string()), "day": days}
        return Rows.from_pydict({name: columns[name] for name in scan.columns or columns})

class Vault:
    "Secrets of a vault."
    name = "vault"

    def __init__(self, context):
        self.file = context.root.parent / "outside" / "dsn"

    def resolve(self, reference):
        return self.file.read_text()

@hookimpl
def sources():
    return [Shop]

@hookimpl
def secret():
    return [Vault]
"""
TAP = """#!{python}
import json, sys
def given(option):
    return json.load(open(sys.argv[sys.argv.index(option) + 1])) if option in sys.argv else None
config = given("--config")
print("INFO connecting to", config["api"]["dsn"], "with", config, file=sys.stderr)
schema = {{"type": "object", "properties": {{"id": {{"type": "integer"}}, "day": {{"type": "string", "format": "date-time"}}}}}}
if "--discover" in sys.argv:
    print(json.dumps({{"streams": [{{"tap_stream_id": "calls", "stream": "calls", "schema": schema, "key_properties": ["id"]}}]}}))
    sys.exit()
if "127.0.0.1/" not in config["api"]["dsn"]:
    raise SystemExit(f"CRITICAL cannot connect to {{config['api']['dsn']}}")
print(json.dumps({{"type": "SCHEMA", "stream": "calls", "schema": schema, "key_properties": ["id"]}}))
print(json.dumps({{"type": "RECORD", "stream": "calls", "record": {{"id": 1, "day": "2026-01-06T00:00:00Z"}}}}))
print(json.dumps({{"type": "STATE", "value": {{"bookmarks": {{"calls": {{"id": 1}}}}}}}}))
"""
DEFINITIONS = """
datasets:
  orders: {source: shop, key: id, time: day, dimensions: [region]}
  calls: {source: feed, key: id, time: day}
kpis:
  sales: {inputs: [orders], role: boss, formula: count(*)}
  calls_made: {inputs: [calls], role: boss, formula: count(*)}
roles:
  boss:
"""
ASKED = (
    ["check"], ["check", "--live"], ["check", "--live", "--output", "json"], ["list", "--datasets"], ["list", "--output", "json"],
    ["show", "sales"], ["show", "sales", "--output", "json"], ["explain", "sales"], ["explain", "calls_made", "--by", "period"],
    ["sync"], ["sync", "--full", "--json"], ["sync", "feed"],
    *(["run", "sales", "--period", "2026-01", "--output", each] for each in ("table", "json", "csv", "html")),
    ["run", "calls_made", "--period", "2026-01"], ["run", "calls_made", "--period", "2026-01"],
    ["run", "--role", "boss", "--period", "2026-01", "--by", "region"], ["run", "nobody"],
    ["report", "--period", "2026-01", "--as-of", "2026-02-01", "--out", "report.html"],
    ["report", "--period", "2026-01", "--as-of", "2026-02-01", "--out", "report.json"],
    ["plugins", "list"], ["plugins", "show", "shop"], ["plugins", "check"], ["plugins", "trace", "run", "sales"],
    ["schema", "--write"], ["cache", "path"],
)  # fmt: skip


@dataclass
class Heard:
    """All that came out, by where it came out."""

    found: dict[str, str] = field(default_factory=dict)

    def hear(self, where: str, text: object) -> None:
        self.found[where] = f"{self.found.get(where, '')}\n{text}"

    def leaks(self) -> list[str]:
        return [where for where, text in self.found.items() if any(form in text for form in FORMS)]


@pytest.fixture
def world(tmp_path, monkeypatch):
    for name in ("project", "cache", "outside", "home"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("KPI_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("KPI_DEBUG", "1")
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path


def planted(world: Path, dsn: str, written: str, leak: str = "pass") -> Path:
    """Write a project whose sources are given an address."""
    root = world / "project"
    (world / "outside" / "dsn").write_text(dsn)
    (world / "outside" / "dsn").chmod(0o644)
    os.environ["SHOP_DSN"] = dsn
    for name in ("plugins", "definitions", "taps"):
        (root / name).mkdir(exist_ok=True)
    (root / "plugins" / "shop.py").write_text(PLUGIN.replace("# LEAK", leak))
    (root / "taps" / "tap").write_text(TAP.format(python=sys.executable))
    (root / "taps" / "tap").chmod(0o755)
    (root / "definitions" / "all.yaml").write_text(DEFINITIONS)
    (root / "kpi.yaml").write_text(
        "project: canary\ndefault_source: shop\nsources:\n"
        f"  shop:\n    plugin: shop\n    dsn: {written}\n"
        f"  feed:\n    plugin: singer\n    executable: taps/tap\n    secrets: {{api.dsn: {written}}}\n"
    )
    return root


def everything(world: Path, root: Path, log: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Heard:
    """Ask all that can be asked, and listen everywhere."""
    heard, before = Heard(), {path: path.read_bytes() for path in world.rglob("*") if path.is_file()}
    with log.at_level(logging.DEBUG):
        for asked in ASKED:
            done = CliRunner().invoke(command, asked)
            heard.hear(f"stdout of {' '.join(asked)}", done.stdout)
            heard.hear(f"stderr of {' '.join(asked)}", done.stderr)
            if done.exception is not None:
                heard.hear(f"traceback of {' '.join(asked)}", "".join(traceback.format_exception(done.exception)))
        by_python(root, heard)
    heard.hear("log", log.text)
    written = capfd.readouterr()
    heard.hear("stdout of the process", written.out)
    heard.hear("stderr of the process", written.err)
    for path in world.rglob("*"):
        heard.hear("names of files", path)
        if path.is_file() and before.get(path) != path.read_bytes():
            heard.hear(f"file {path.relative_to(world).parts[0]}/{path.suffix}", path.read_bytes().decode("latin-1"))
    return heard


def by_python(root: Path, heard: Heard) -> None:
    def noted(where, task):
        try:
            heard.hear(f"{where}: answer", repr(task()))
        except kpi_engine.KpiError as error:
            heard.hear(f"{where}: error", f"{error}\n{error!r}\n{vars(error)}")
            heard.hear(f"{where}: traceback", "".join(traceback.format_exception(error)))

    with kpi_engine.open(root) as engine:
        noted("run", lambda: engine.run(["sales", "calls_made"], period="2026-01").failures)
        noted("check", lambda: list(map(str, engine.check(live=True))))
        noted(
            "sync",
            lambda: [engine.sync(), engine.sync().as_dict(), [str(each.error) for each in engine.sync().sources]],
        )
        noted("explain", lambda: engine.explain(["sales"]))
        heard.hear("the engine", f"{engine!r} {engine} {engine.project!r}")
        plugins = Plugins(root)
        for name in ("shop", "feed"):
            settings = engine.project.settings.sources[name]
            cls = plugins.source(settings.plugin)

            def made(cls=cls, settings=settings, name=name):
                config = plugins.configure(cls, settings.model_extra)
                source = cls(config, kpi_engine.api.SourceContext(name, root))
                return [
                    config,
                    str(config),
                    config.model_dump(),
                    config.model_dump_json(),
                    source,
                    str(source),
                    vars(source),
                ]

            noted(f"the source {name}", made)


@pytest.mark.skipif(os.name == "nt", reason="the tap is a script of Unix")
@pytest.mark.parametrize(
    ("kept", "state"),
    [("env", "answers"), ("env", "is malformed"), ("env", "is down"), ("file", "is malformed"), ("vault", "is down")],
)
def test_nothing_says_a_secret_that_is_kept_elsewhere(world, monkeypatch, caplog, capfd, kept, state) -> None:
    monkeypatch.setenv("SHOP_DSN", "")
    root = planted(world, ADDRESSES[state], KEPT[kept])
    heard = everything(world, root, caplog, capfd)
    assert heard.leaks() == []
    whole = "\n".join(heard.found.values())
    if state == "answers":
        assert {"file cache/.kpi", "file project/.duckdb", "file project/.html"} <= set(heard.found)
        assert "1 received" in whole or "1 row received" in whole
    else:
        assert "•••" in whole
    assert ("chmod 600" in whole) == (kept == "file")


@pytest.mark.skipif(os.name == "nt", reason="the tap is a script of Unix")
@pytest.mark.parametrize("written", [CANARY, f"postgresql://kpi:{CANARY}@db/shop", f'"{CANARY}: x"'])
def test_nothing_says_a_secret_that_is_written_out(world, monkeypatch, caplog, capfd, written) -> None:
    monkeypatch.setenv("SHOP_DSN", "")
    root = planted(world, "unused", written)
    heard = everything(world, root, caplog, capfd)
    assert heard.leaks() == []
    assert "literal_secret" in "".join(heard.found.values())
    (root / "kpi.yaml").write_text((root / "kpi.yaml").read_text().replace("default_source", "defualt_source"))
    assert everything(world, root, caplog, capfd).leaks() == []


LEAKS = {
    "stdout of check --live": "print(dsn)",
    "stderr of check --live": "__import__('sys').stderr.write(dsn)",
    "log": "logging.getLogger('driver').debug('opened %s', dsn)",
    "file project/.tmp": "Path('left.tmp').write_text(unquote(dsn))",
    "file cache/.tmp": "Path('../cache/left.tmp').write_text(dsn.replace('kpi:', ''))",
    "names of files": "Path('left' + urlsplit(dsn).password).touch()",
    "stderr of run sales --period 2026-01 --output json": "raise ValueError(dsn.encode().hex())",
    "run: error": "raise SourceError(__import__('base64').b64encode(unquote(urlsplit(dsn).password).encode()).decode())",
    "the source shop: answer": "self.opened = dsn",
}


@pytest.mark.skipif(os.name == "nt", reason="the tap is a script of Unix")
@pytest.mark.parametrize(("where", "leak"), LEAKS.items())
def test_a_leak_would_be_found(world, monkeypatch, caplog, capfd, where, leak) -> None:
    monkeypatch.setenv("SHOP_DSN", "")
    monkeypatch.setattr(
        sys.modules[__name__], "ASKED", (ASKED[1], ["run", "sales", "--period", "2026-01", "--output", "json"])
    )
    code = leak if not leak.startswith("self.") else "pass\n        self.__dict__['opened'] = dsn"
    root = planted(world, ADDRESSES["answers"], KEPT["env"], code)
    if leak.startswith("self."):
        plugin = root / "plugins" / "shop.py"
        plugin.write_text(
            plugin.read_text().replace("self.dsn = config.dsn", "self.dsn = config.dsn.get_secret_value()")
        )
    assert where in everything(world, root, caplog, capfd).leaks()
