"""Small random projects that are right, one change in them that may be wrong, and what the engine and the schema say of both."""

from __future__ import annotations

import copy
from functools import cache
from typing import TYPE_CHECKING, Any

import yaml
from hypothesis import strategies as st
from jsonschema import Draft7Validator

import kpi_engine
from kpi_engine.definitions.yaml import read

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jsonschema.exceptions import ValidationError

Files = dict[str, dict[str, Any]]


class Dumper(yaml.SafeDumper):
    """Writes a value out each time, for definitions hold no aliases, and quotes every text, for YAML 1.1 has other numbers."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - of yaml
        return True


FULLY = frozenset({
    "unknown_key", "bad_name", "bad_language", "not_yet_supported", "no_inputs", "two_origins", "two_stretches",
    "from_without_transform", "options_without_transform", "bad_duration",
})  # fmt: skip
"""Mistakes that the schema sees wherever they stand."""
PARTLY = frozenset(
    {"missing_key", "wrong_type", "bad_value", "bad_time", "empty_formula", "no_time", "unknown_grain", "bad_settings"}
)
"""Mistakes that the schema sees where a definition shows them without the others, without data and without SQL being read."""


Dumper.add_representer(str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"'))


@cache
def validator(kind: str) -> Draft7Validator:
    """Make the validator of a kind of file; draft-07 is what the schemas say they are."""
    schema = kpi_engine.schema(kind)
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
    return Draft7Validator(schema)


def kind_of(name: str) -> str:
    return "project" if name == "kpi.yaml" else "definitions"


def refused_by_schema(name: str, text: bytes, by: Any = validator) -> list[str]:
    """Say what the schema refuses of a file, read as the engine reads it."""
    value = read(text, name).value
    errors = (leaf for each in by(kind_of(name)).iter_errors(value) for leaf in _leaves(each))
    return [f"{name}: {'.'.join(str(step) for step in each.absolute_path)}: {each.message:.200}" for each in errors]


def _leaves(error: ValidationError) -> Iterator[ValidationError]:
    """Give what is wrong with each of the choices there were."""
    yield error
    for each in error.context or ():
        yield from _leaves(each)


OF_DATA = {"unknown_table"}
"""What the engine says of data that are not there; a schema sees definitions."""


def refused_by_engine(folder: Path) -> list[str]:
    """Give the codes of the errors that the engine finds."""
    with kpi_engine.open(folder) as engine:
        return [each.code for each in engine.check() if each.severity == "error" and each.code not in OF_DATA]


def written(files: Files, folder: Path) -> dict[str, bytes]:
    """Write a project as YAML, and give its files."""
    texts = {
        name: yaml.dump(value, Dumper=Dumper, allow_unicode=True, sort_keys=False).encode()
        for name, value in files.items()
    }
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text)
    return texts


def some(**entries: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Draw a mapping that has some of the entries."""
    return st.fixed_dictionaries({}, optional=entries)


NAMES = st.from_regex(r"[a-z](_?[a-z0-9]){0,6}", fullmatch=True).filter(lambda name: name not in ("period", "all"))
TEXTS = st.text(st.characters(min_codepoint=32, max_codepoint=0x17F, exclude_categories=("Cc", "Cf")), max_size=8)
LABELS = TEXTS | st.dictionaries(st.sampled_from(["en", "fr", "de"]), TEXTS, max_size=2)
DURATIONS = st.sampled_from(["28 days", "1 month", "12 MONTHS", " 2 Quarter "])
COLUMN_NAMES = st.sampled_from(["id", "day", "Amount", "Straße", "a b"])
TIMES = COLUMN_NAMES | some(label=LABELS).flatmap(
    lambda more: st.sampled_from([{"column": "day", **more}, {"sql": "coalesce(day, id)", **more}])
)
COLUMNS = st.none() | some(
    type=st.sampled_from(["date", "decimal(18,2)", "BIGINT", "timestamptz"]),
    unit=st.sampled_from(["", "EUR", "EUR / lead"]),
    currency=COLUMN_NAMES,
    zone=st.sampled_from(["UTC", "Europe/Paris"]),
    label=LABELS,
    description=LABELS,
).filter(lambda column: not (column.get("zone") and column.get("type") == "timestamptz"))
DIMENSIONS = (
    st.none()
    | COLUMN_NAMES
    | some(path=st.just("id"), label=LABELS, description=LABELS)
    | some(label=LABELS).map(lambda more: {"sql": "lower(id)", **more})
)
JOINS = st.fixed_dictionaries(
    {"to": st.just("base"), "keys": st.sampled_from(["id", ["id"], {"Amount": "id"}])},
    optional={"valid": st.sampled_from([None, ["day", "day"]])},
)
ORIGINS = st.sampled_from(
    [
        {},
        {"table": "rows"},
        {"sql": "select id, day from rows"},
        {"transform": "pagerank", "from": "base"},
        {"transform": "pagerank", "from": "base", "options": {"damping": 0.5, "graph": ["id"]}},
        {"table": "rows", "options": {}},
    ]
)
SNAPSHOTS = st.none() | st.fixed_dictionaries(
    {"of": st.sampled_from(["id", ["id", "day"]])}, optional={"keep": st.just("forever") | DURATIONS}
)
DATASETS = st.builds(
    lambda origin, time, more: {**origin, "time": time, **more},
    ORIGINS,
    TIMES,
    some(
        label=LABELS,
        description=LABELS,
        key=COLUMN_NAMES | st.lists(COLUMN_NAMES, max_size=2),
        times=st.dictionaries(NAMES, TIMES, max_size=2),
        columns=st.dictionaries(COLUMN_NAMES, COLUMNS, max_size=2),
        dimensions=st.lists(NAMES, max_size=2, unique=True) | st.dictionaries(NAMES, DIMENSIONS, max_size=2),
        joins=st.dictionaries(NAMES, JOINS, max_size=1),
        snapshot=SNAPSHOTS,
        override=st.just(False),
    ),
)
STRETCHES = st.sampled_from(
    [
        {},
        {"window": "28 days"},
        {"to_date": "Fiscal-Year"},
        {"to_date": "month"},
        {"all_time": True},
        {"all_time": False},
    ]
)
INPUTS = st.just("base") | st.builds(
    lambda stretch, more: {"from": "base", **stretch, **more},
    STRETCHES,
    some(
        where=st.just("id = 1"),
        time=st.just(""),
        take=st.sampled_from([None, "rows"]),
        across=st.sampled_from([[], "all"]),
        offset=st.sampled_from(["", "period"]) | DURATIONS,
    ),
)
KPIS = st.builds(
    lambda inputs, more: {"inputs": inputs, "formula": f"count({next(iter(inputs))})", **more},
    st.just(["base"]) | st.dictionaries(NAMES, INPUTS, min_size=1, max_size=2),
    some(
        role=st.sampled_from(["team", ["team"], []]),
        label=LABELS,
        description=LABELS,
        unit=st.just(""),
        format=st.sampled_from([None, "number", "percent", "currency"]),
        decimals=st.none() | st.integers(0, 12),
        better=st.sampled_from(["higher", "lower", "neither"]),
        split=st.just([]),
        status=st.sampled_from(["active", "draft"]),
        notice=LABELS,
        empty=st.sampled_from([0, "0", "unknown"]),
        additive_over=st.just([]),
        quality=st.just(""),
        owner=TEXTS,
        sources=TEXTS | st.lists(TEXTS, max_size=2),
        override=st.just(False),
    ),
)
PARAMETERS = st.sampled_from(
    [
        {"type": "number", "default": 1.5},
        {"type": "integer", "default": 3},
        {"type": "text", "default": "3"},
        {"type": "boolean", "default": None},
        {"type": "date", "default": "2026-01-31"},
    ]
).flatmap(lambda parameter: some(description=LABELS).map(lambda more: {**parameter, **more}))
BASE = {"key": "id", "time": "day", "dimensions": ["channel"]}
DEFINITIONS = st.builds(
    lambda datasets, kpis, more: {
        "datasets": {"base": BASE, **datasets},
        "kpis": kpis,
        "roles": {"team": None},
        **more,
    },
    st.dictionaries(NAMES.map("d_{}".format), st.none() | DATASETS, max_size=2),
    st.none() | st.dictionaries(NAMES.map("k_{}".format), KPIS, max_size=2),
    some(
        groups=st.none() | st.dictionaries(NAMES, st.none() | some(label=LABELS), max_size=1),
        parameters=st.dictionaries(NAMES, PARAMETERS, max_size=2),
    ),
)
SETTINGS = st.builds(
    lambda project, more: {"project": project, **more},
    TEXTS,
    some(
        label=LABELS,
        language=st.sampled_from(["en", "fr"]),
        currency=st.sampled_from(["", "EUR"]),
        calendar=some(
            timezone=st.sampled_from(["UTC", "Europe/Paris"]),
            week_start=st.sampled_from(["monday", "sunday"]),
            fiscal_year_start=st.sampled_from(["april", "january"]),
            fiscal_year_named_after=st.sampled_from(["start", "end"]),
        ),
        sources=st.just({})
        | some(
            path=st.just("data"),
            delimiter=st.just(";"),
            tables=st.just({"x": {"skip": 2, "header": True, "null": "-"}}),
        ).map(lambda settings: {"files": {"plugin": "files", **settings}}),
        definitions=st.sampled_from(["definitions", ["definitions"]]),
        notice=LABELS,
    ),
)
PROJECTS = st.builds(
    lambda settings, definitions: {"kpi.yaml": settings, "definitions/all.yaml": definitions}, SETTINGS, DEFINITIONS
)
VALUES = st.sampled_from(
    [None, "", " ", "x", "X y", "all", "period", "2 months", "year", 0, 1, 13, -1, 2.5, True, False, [], ["x"], ["x", "x"], [1], {}, {"x": "y"}, {"en": 1}]
)  # fmt: skip


@st.composite
def changed(draw: st.DrawFn) -> Files:
    """Draw a project with one key of it changed, renamed, added or taken away."""
    files = copy.deepcopy(draw(PROJECTS))
    holder = draw(st.sampled_from([*_holders(files[draw(st.sampled_from([*files]))])]))
    key = draw(st.sampled_from([*holder])) if holder else None
    how = draw(st.sampled_from(["set", "rename", "add", "remove"])) if holder else "add"
    if how == "add":
        holder[draw(st.sampled_from(["x", "from", "sql", "table", "options", "of", "period", "label", "En"]))] = draw(
            VALUES
        )
    elif how == "set":
        holder[key] = draw(VALUES)
    else:
        value = holder.pop(key)
        if how == "rename":
            holder[draw(st.sampled_from([f"{key}s", f"{key}"[:-1] or "x", str(key).upper()]))] = value
    return files


def _holders(value: Any) -> Any:
    if isinstance(value, dict):
        yield value
        for each in value.values():
            yield from _holders(each)
