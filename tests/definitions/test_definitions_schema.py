"""The JSON Schemas: they take what the engine takes, and refuse what can be seen of a definition by itself."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from jsonschema import Draft7Validator
from schema_projects import FULLY, PROJECTS, changed, refused_by_engine, refused_by_schema, validator, written

import kpi_engine
from kpi_engine.definitions.models import DefinitionFile
from kpi_engine.definitions.projectfile import ProjectFile
from kpi_engine.errors import PluginError
from kpi_engine.plugins import Plugins
from kpi_engine.sample import project, write_from_files, write_project, write_starter

ROOT = Path(__file__).parents[2]
KINDS = {"definitions": DefinitionFile, "project": ProjectFile}
BASE = "datasets:\n  rows: {key: id, time: day, dimensions: [channel]}\n"


def nodes(value):
    """Give every mapping of a schema."""
    if isinstance(value, dict):
        yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from nodes(each)


def said_of(text, name="definitions/a.yaml"):
    return refused_by_schema(name, text.encode())


@pytest.mark.parametrize("kind", KINDS)
def test_a_schema_is_one(kind):
    schema = kpi_engine.schema(kind)
    Draft7Validator.check_schema(schema)
    assert schema["$id"] == f"urn:kpi-engine:schema:{kind}"
    assert json.loads(json.dumps(schema)) == schema == kpi_engine.schema(kind)
    for node in nodes(schema):
        if isinstance(node.get("$ref"), str):
            assert node.keys() == {"$ref"}, "draft-07 does not look at what stands beside a reference"
            assert node["$ref"].removeprefix("#/definitions/") in schema["definitions"]
        if isinstance(node.get("pattern"), str):
            assert re.compile(node["pattern"])
            assert "(?P" not in node["pattern"], "JavaScript does not know it"


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_in_a_schema_tells_of_a_machine_or_of_a_place_elsewhere(kind):
    text = json.dumps(kpi_engine.schema(kind))
    assert re.findall(r"https?://[^\"]+", text) == ["http://json-schema.org/draft-07/schema#"]
    for place in (ROOT, Path.home(), Path.cwd()):
        assert f"{place}/" not in text


@pytest.mark.parametrize("kind", KINDS)
def test_every_key_is_described(kind):
    schema = kpi_engine.schema(kind)
    models = {"": schema, **schema["definitions"]}
    bare = [
        f"{name}.{key}"
        for name, model in models.items()
        for key, each in model["properties"].items()
        if not each.get("description")
    ]
    assert bare == []
    assert {*KINDS[kind].model_fields} <= schema["properties"].keys()
    assert all(each["additionalProperties"] is False for name, each in models.items() if name != "SourceSettings")


def test_a_schema_of_something_else_is_not_given():
    with pytest.raises(kpi_engine.RequestError, match="no schema of `kpis`"):
        kpi_engine.schema("kpis")


@pytest.mark.parametrize(
    "file",
    [*sorted((ROOT / "definitions").rglob("*.yaml")), *sorted((ROOT / "tests" / "real").rglob("*.yaml"))],
    ids=lambda file: str(file.relative_to(ROOT)),
)
def test_definitions_that_ship_are_taken(file):
    assert refused_by_schema(file.name, file.read_bytes()) == []


def test_projects_to_begin_with_are_taken(tmp_path, monkeypatch):
    monkeypatch.setattr(project, "write_data", lambda _: None)
    orders = tmp_path / "orders.csv"
    orders.write_text("order_id,day,amount\n1,2026-01-05,2.50\n2,2026-01-06,3.00\n", encoding="utf-8")
    write_project(tmp_path / "demo")
    write_starter(tmp_path / "shop", "shop")
    write_from_files(tmp_path / "own", "own", [orders])
    files = [*tmp_path.rglob("*.yaml")]
    assert len(files) == 7
    for file in files:
        assert refused_by_schema(file.name, file.read_bytes()) == []


@pytest.mark.parametrize(
    "text",
    [
        "datasets: {a: , b: {}, c: {time: }, d: {time: day, snapshot: {of: id}}}",
        "datasets: {a: {dimensions: {x: , y: a.b, z: {sql: lower(x)}}, columns: {c: , d: {type: date}}}}",
        "datasets: {a: {key: [a, b], joins: {j: {to: b, keys: [id]}, k: {to: b, keys: {here: there}, valid: [a, b]}}}}",
        "datasets: {a: {time: {sql: now}, times: {b: c, d: {column: e}}}}",
        "datasets: {a: {transform: pagerank, from: b, options: {damping: 0.85}}}",
        "kpis: {a: {inputs: [b], formula: count(b), label: A, description: {en: A, fr: A}, empty: 0}}",
        "kpis: {a: {inputs: {b: c, d: {from: c, offset: period}}, formula: count(b), empty: '0', role: [r]}}",
        "kpis:\nroles: {a: , b: {}}\ngroups: {a: , b: {label: x}}\nparameters:",
        "parameters: {a: {type: number, default: 1}, b: {type: text, default: '1'}, c: {type: date, default: 2026-01-31}}",
        "{}",
    ],
)
def test_every_short_form_is_taken(text):
    assert said_of(text) == []


REFUSED = {
    "kpis: {a: {inputs: [b], formulas: count(b)}}": ["formula", "formulas"],
    "kpi: {}": ["kpi"],
    "targets: {}": ["False schema"],
    "kpis: {A: {inputs: [b], formula: x}}": ["'A' does not match"],
    "kpis: {period: {inputs: [b], formula: x}}": ["'period' does not match"],
    "kpis: {a__b: {inputs: [b], formula: x}}": ["'a__b' does not match"],
    f"kpis: {{{'a' * 65}: {{inputs: [b], formula: x}}}}": ["is too long"],
    "kpis: {a: {inputs: [], formula: x}}": ["inputs"],
    "kpis: {a: {inputs: {}, formula: x}}": ["inputs"],
    "kpis: {a: {inputs: [b, b], formula: x}}": ["inputs"],
    "kpis: {a: {inputs: b, formula: x}}": ["inputs"],
    "kpis: {a: {inputs: [b], formula: ' '}}": ["formula"],
    "kpis: {a: {inputs: [b], formula: x, better: hihger}}": ["better"],
    "kpis: {a: {inputs: [b], formula: x, decimals: 13}}": ["decimals"],
    "kpis: {a: {inputs: [b], formula: x, label: {english: x}}}": ["label"],
    "kpis: {a: {inputs: {b: {from: c, offset: 1 mont}}, formula: x}}": ["inputs"],
    "kpis: {a: {inputs: {b: {from: c, all_time: true, window: 1 day}}, formula: x}}": ["inputs"],
    "kpis: {a: }": ["kpis.a: None is not"],
    "datasets: {a: {dimensions: [all]}}": ["dimensions"],
    "datasets: {a: {dimensions: {all: }}}": ["dimensions"],
    "datasets: {a: {table: b, sql: select 1}}": ["sql"],
    "datasets: {a: {from: b}}": ["'transform' is a required property"],
    "datasets: {a: {transform: pagerank}}": ["'from' is a required property"],
    "datasets: {a: {options: {x: 1}}}": ["'transform' is a required property"],
    "datasets: {a: {transform: pagrank, from: b}}": ["pagrank"],
    "datasets: {a: {transform: pagerank, from: b, options: {dampin: 1}}}": ["dampin"],
    "datasets: {a: {snapshot: {of: b}}}": ["'time' is a required property"],
    "datasets: {a: {time: {column: a, sql: b}}}": ["time"],
    "datasets: {a: {times: {b: {label: c}}}}": ["times.b"],
    "datasets: {a: {time: b, snapshot: {of: c, keep: long}}}": ["keep", "snapshot"],
    "parameters: {a: {type: integer, default: 1.5}}": ["default"],
    "parameters: {a: {type: date, default: tomorrow}}": ["default"],
    "parameters: {a: 3}": ["parameters.a"],
    "[]": ["is not of type 'object'"],
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_can_be_seen_is_refused_where_it_stands(text):
    found = said_of(text)
    assert found
    for word in REFUSED[text]:
        assert any(word in each for each in found), found


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("project: a\nsources: {b: {plugin: files, path: data, tables: {c: {skip: 2, null: [n, 'NA']}}}}", True),
        ("project: a\nsources: {b: {plugin: duckdb, path: a.duckdb}}", True),
        ("project: a\ndefinitions: marketing\nparameters: {b: 1, c: x, d: true, e: 0.5}", True),
        ("sources: {}", False),
        ("project: a\nlanguage: de", False),
        ("project: a\nsources: {b: {plugin: files, tables: {c: {heder: true}}}}", False),
        ("project: a\nsources: {b: {plugin: duckdb}}", False),
        ("project: a\nsources: {b: {plugin: duckdb, path: a, delimiter: b}}", False),
        ("project: a\nsources: {b: {plugin: file}}", False),
        ("project: a\nsources: {b: {path: data}}", False),
        ("project: a\nsources: {B: {plugin: files}}", False),
        ("project: a\ncalendar: {week_start: mon}", False),
        ("project: a\nparameters: {b: {type: number}}", False),
        ("project: a\nkpis: {}", False),
    ],
)
def test_the_project_file(text, taken):
    assert (said_of(text, "kpi.yaml") == []) is taken


@settings(max_examples=60)
@given(PROJECTS)
def test_what_is_right_is_right_for_both(files):
    with tempfile.TemporaryDirectory() as folder:
        texts = written(files, Path(folder))
        assert refused_by_engine(Path(folder)) == []
    assert [each for name, text in texts.items() for each in refused_by_schema(name, text)] == []


@settings(max_examples=150)
@given(changed())
def test_after_a_change_the_schema_takes_what_the_engine_takes_and_sees_what_it_can(files):
    with tempfile.TemporaryDirectory() as folder:
        texts = written(files, Path(folder))
        codes = set(refused_by_engine(Path(folder)))
    refused = [each for name, text in texts.items() for each in refused_by_schema(name, text)]
    assert codes or not refused, "the schema refuses what the engine takes"
    assert refused or not codes & FULLY, f"the schema does not see {codes & FULLY}"


PLUGIN = '''
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_validator

from kpi_engine.api import hookimpl


class Color(Enum):
    RED = "red"


class Inner(BaseModel):
    """What is inside."""

    count: int = 0


class Config(BaseModel):
    whole: int = Field(default=1, ge=0)
    """How many there are."""
    part: float = 0.5
    flag: bool = False
    exact: Annotated[int, Field(strict=True)] = 1
    word: Literal["a", "b"] = "a"
    maybe: Literal["a"] | None = None
    either: Literal["a", "b"] | None = None
    several_words: list[str] | None = None
    text: Annotated[str, Field(pattern="^x", min_length=2)] = "xx"
    color: Color = Color.RED
    money: Decimal = Decimal(1)
    place: Path = Path(".")
    secret: SecretStr = SecretStr("hush")
    names: Annotated[list[str], BeforeValidator(lambda value: value.split(",") if isinstance(value, str) else value)] = []
    several: set[str] = set()
    inner: Inner = Inner()
    other: str = Field(default="", validation_alias=AliasChoices("other", "another"))


class Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")
    whole: int
    part: float = 0.5
    flag: bool = False


class Turned(BaseModel):
    path: str

    @model_validator(mode="before")
    @classmethod
    def turn(cls, value):
        return value if "path" in value else {**value, "path": "."}


class Odd(BaseModel):
    path: str = Field(default="", json_schema_extra={"not JSON": object()})


def made(word, settings):
    class Source:
        name: ClassVar = word
        Config: ClassVar = settings

        def __init__(self, config, context): ...
        def tables(self): return []
        def scan(self, scan): ...

    return Source


@hookimpl
def sources():
    return [made("lax", Config), made("strict", Strict), made("turned", Turned), made("odd", Odd)]
'''
VALUES = (
    *("", "x", "xy", "a", "red", "1", "-1", "1.0", " 2 ", "1e3", "inf", "yes", "ON", "n", "2026-01-31", "a,b"),
    *(
        None,
        0,
        1,
        2,
        -1,
        1.0,
        2.5,
        True,
        False,
        [],
        ["a"],
        ["a", "a"],
        [1],
        {},
        {"count": "3"},
        {"count": "x"},
        {"more": 1},
    ),
)


@pytest.fixture(scope="module")
def plugged(tmp_path_factory):
    """A project with a plugin of its own."""
    root = tmp_path_factory.mktemp("plugged")
    (root / "plugins").mkdir()
    (root / "plugins" / "several.py").write_text(PLUGIN, encoding="utf-8")
    (root / "plugins" / "broken.py").write_text("import nowhere_to_be_found\n", encoding="utf-8")
    return root


def test_settings_of_a_plugin_are_taken_as_the_plugin_takes_them(plugged):
    plugins, check = Plugins(plugged), Draft7Validator(kpi_engine.schema("project", plugged))
    seen = 0
    for word in ("lax", "strict", "turned"):
        keys = [*plugins.source(word).Config.model_fields, "another", "whoel"]
        for key, value in [("", None), *((key, value) for key in keys for value in VALUES)]:
            given_ = ({"whole": 1} if word == "strict" else {}) | ({key: value} if key else {})
            refused = not check.is_valid({"project": "a", "sources": {"b": {"plugin": word, **given_}}})
            try:
                plugins.configure(plugins.source(word), given_)
            except (kpi_engine.SourceError, kpi_engine.PluginError):
                seen += refused
            else:
                assert not refused, (word, given_)
    assert seen > 150


def test_what_a_plugin_says_of_its_settings_is_shown(plugged):
    schema = kpi_engine.schema("project", plugged)
    lax = next(
        each["then"]["properties"]
        for each in schema["definitions"]["SourceSettings"]["allOf"]
        if each["if"]["properties"]["plugin"]["const"] == "lax"
    )
    assert lax["whole"]["description"] == "How many there are."
    assert lax["whole"]["default"] == 1
    assert lax["word"]["enum"] == ["a", "b"]
    assert lax["either"]["enum"] == ["a", "b", None]
    assert "hush" not in json.dumps(schema)
    assert schema["definitions"]["lax.Inner"]["description"] == "What is inside."
    Draft7Validator.check_schema(schema)


def test_a_plugin_that_cannot_be_asked_stops_nothing(plugged):
    check = Draft7Validator(kpi_engine.schema("project", plugged))
    odd = {"project": "a", "sources": {"b": {"plugin": "odd", "path": 1}}}
    assert check.is_valid(odd)
    assert not check.is_valid({"project": "a", "sources": {"b": {"plugin": "odd", "anything": 1}}})
    assert not check.is_valid({"project": "a", "sources": {"b": {"plugin": "broken"}}})
    without = Draft7Validator(kpi_engine.schema("project", plugged, disabled_plugins=["odd"]))
    assert not without.is_valid(odd)
    with pytest.raises(PluginError):
        Plugins(plugged, ["odd"]).source("odd")


def test_the_schema_follows_the_installed_plugins_and_not_those_of_another_project(plugged):
    words = validator("project").schema["definitions"]["SourceSettings"]["properties"]["plugin"]["enum"]
    assert words == [*Plugins(None).words("source")]
    assert {"lax", "odd"} < {
        *kpi_engine.schema("project", plugged)["definitions"]["SourceSettings"]["properties"]["plugin"]["enum"]
    }
