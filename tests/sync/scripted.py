"""A project whose source says what a script says: a list of messages in a file, one list for each sync."""

from __future__ import annotations

import json
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import duckdb

if TYPE_CHECKING:
    from pathlib import Path

PLUGIN = """
import json
from datetime import timedelta
from arro3.core import Array, DataType, Table
from pydantic import BaseModel, SecretStr
from kpi_engine.api import (
    Activated, Checkpoint, Deleted, Notice, Rows, Schema, SourceError, Stream, hookimpl
)

TYPES = {"int": DataType.int64(), "float": DataType.float64(), "str": DataType.string(), "bool": DataType.bool()}

class Settings(BaseModel):
    token: SecretStr = SecretStr("")

def stream(said):
    said = dict(said)
    back = said.pop("lookback_days", None)
    said["key"] = tuple(said.get("key", ()))
    return Stream(**said, lookback=None if back is None else timedelta(days=back))

def table(rows):
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {}
    for name in names:
        values = [row.get(name) for row in rows]
        kind = next((type(value).__name__ for value in values if value is not None), "str")
        columns[name] = Array(values, TYPES[kind])
    return Table.from_pydict(columns)

class Scripted:
    name = "scripted"
    Config = Settings

    def __init__(self, config, context):
        self.root, self.token = context.root, config.token

    def script(self):
        return json.loads((self.root / "script.json").read_text())

    def streams(self):
        return [stream(each) for each in self.script()["streams"]]

    def read(self, wanted, state):
        asked = [[each.stream.name, None if each.since is None else str(each.since), each.stream.loading] for each in wanted]
        with (self.root / "asked.jsonl").open("a") as file:
            file.write(json.dumps({"wanted": asked, "state": state}) + chr(10))
        for message in self.script()["messages"]:
            kind, *said = message
            if kind == "rows":
                yield Rows(said[0], table(said[1]), *said[2:])
            elif kind == "schema":
                yield Schema(stream(said[0]))
            elif kind == "state":
                yield Checkpoint(*said)
            elif kind == "deleted":
                yield Deleted(said[0], table(said[1]))
            elif kind == "activated":
                yield Activated(*said)
            elif kind == "notice":
                yield Notice(said[0])
            elif kind == "fail":
                raise SourceError(said[0].format(token=self.token.get_secret_value()), code="api", hint="ask again")
            elif kind == "crash":
                raise ValueError(said[0].format(token=self.token.get_secret_value()))

@hookimpl
def sources():
    return [Scripted]
"""


def project(root: Path, settings: str = "", definitions: str = "datasets: {}") -> Path:
    """Write a project whose source `api` is scripted."""
    (root / "plugins").mkdir()
    (root / "definitions").mkdir()
    (root / "plugins" / "scripted.py").write_text(PLUGIN)
    (root / "kpi.yaml").write_text(f"project: scripted\nsources:\n  api: {{plugin: scripted{settings}}}\n")
    (root / "definitions" / "all.yaml").write_text(dedent(definitions))
    return root


def script(root: Path, streams: list[dict[str, Any]], *messages: Any) -> None:
    """Say what the source says from now on."""
    (root / "script.json").write_text(json.dumps({"streams": streams, "messages": messages}))


def asked(root: Path) -> list[dict[str, Any]]:
    """Give what the source was asked for, sync by sync."""
    return [json.loads(line) for line in (root / "asked.jsonl").read_text().splitlines()]


def served(root: Path, query: str, source: str = "api") -> list[tuple[Any, ...]]:
    """Ask the state that KPIs read."""
    path = root / ".kpi" / "sync" / source / "served.duckdb"
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(query).fetchall()
