"""What an editor must know of `kpi.yaml` and of definition files: JSON Schemas, made of the models, so that nothing is written twice.

They are of draft-07, the one that the YAML language server and other editors understand best. Beside what the models say of a file's
shape they hold what can be seen of a single definition without the others and without data; the rest is left to `kpi check`.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Any, ClassVar, Final

from pydantic import BaseModel, SecretStr
from pydantic.json_schema import GenerateJsonSchema

from kpi_engine import __version__

from .entries import LATER_SECTIONS
from .models import DefinitionFile
from .overriding import PARTIAL
from .projectfile import ProjectFile, SourceSettings

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

Schema = dict[str, Any]
_EMPTY: tuple[Any, ...] = ("", None, [], {})
_CHOICES = frozenset({"const", "anyOf", "oneOf", "allOf", "not", "if"})
_ID = "urn:kpi-engine:schema:"
_INTEGER, _NUMBER = "[0-9]", "[0-9]|[iI][nN][fF]|[nN][aA][nN]"
_BOOLEAN = "^([01]|[tTfFyYnN]|[tT][rR][uU][eE]|[fF][aA][lL][sS][eE]|[yY][eE][sS]|[nN][oO]|[oO][nN]|[oO][fF][fF])$"
_TRUSTED = frozenset(
    {
        "any", "bool", "chain", "custom-error", "default", "definition-ref", "definitions", "dict", "enum", "float", "function-after",
        "int", "json-or-python", "lax-or-strict", "list", "literal", "model", "model-field", "model-fields", "none", "nullable", "str",
        "tuple", "union",
    }
)  # fmt: skip
"""Kinds of pydantic's core schemas whose JSON Schema takes whatever the validator takes."""


@dataclass(frozen=True)
class Words:
    """What the models leave to other rooms: units of durations, grains of running totals, and the plugins there are, with their settings."""

    units: Collection[str]
    grains: Collection[str]
    sources: Mapping[str, Schema]
    transforms: Mapping[str, Schema]


def definitions_schema(words: Words) -> Schema:
    """Make the schema of a definition file."""
    schema = _of_model(DefinitionFile)
    for name, section in schema["properties"].items():
        section["defaultSnippets"] = [*_snippets(name)]
    _never(schema, LATER_SECTIONS, "the section `{}` is part of the language but not computed by this version")
    _tighten(schema["definitions"], words)
    dataset = schema["definitions"]["Dataset"]
    dataset["properties"]["transform"]["enum"] = sorted(words.transforms)
    dataset["allOf"] += _by_plugin(schema, words.transforms, "transform", "options")
    return _finished(schema, "definitions", "KPI definitions")


def project_schema(words: Words) -> Schema:
    """Make the schema of `kpi.yaml`."""
    schema = _of_model(ProjectFile)
    source = schema["definitions"]["SourceSettings"]
    source["properties"]["plugin"]["enum"] = sorted(words.sources)
    lookback = schema["definitions"]["StreamSettings"]["properties"]["lookback"]
    lookback |= _duration(words.units, "")
    source["allOf"] = [*_by_plugin(schema, words.sources, "plugin")]
    return _finished(schema, "project", "KPI project")


def settings_schema(config: type[BaseModel], owner: str) -> Schema:
    """Make the schema of a plugin's settings, which may raise anything; `owner` is the plugin's word."""
    schema = _of_model(config, f"{owner}.")
    return {"properties": {}, "required": [], **schema}


def _tighten(models: dict[str, Schema], words: Words) -> None:
    """Add what is refused of a single definition although its model takes it."""
    _tighten_dataset(models["Dataset"])
    blanks = {"Dataset": ("source", "table", "sql", "from"), "Dimension": ("sql",), "Input": ("where",)}
    for name, key in ((name, key) for name, keys in blanks.items() for key in keys):
        models[name]["properties"][key] |= _not_blank(f"say what it is, or leave out `{key}:`")
    models["Dimension"]["allOf"] = [*_one_of(("path", "sql"), "a dimension is a path or an expression")]
    one_time = "a time is a column or an expression"
    models["Time"] |= {"anyOf": [_filled("column"), _filled("sql")], "allOf": [*_one_of(("column", "sql"), one_time)]}
    for name in ("Snapshot", "Rates"):
        models[name]["properties"]["keep"] |= _duration(words.units, "forever")
    for name in ("Dataset", "Column"):
        models[name]["properties"]["restated"] |= _duration(words.units, "")
    models["Column"]["properties"]["restated"] |= _duration(words.units, "")
    _tighten_input(models["Input"], words)
    kpi = models["Kpi"]["properties"]
    kpi["formula"] |= _not_blank("there is nothing to compute")
    kpi["inputs"] |= {"minItems": 1, "minProperties": 1}
    models["Parameter"]["allOf"] = [*_defaults()]


def _tighten_dataset(dataset: Schema) -> None:
    origins = _one_of(("table", "sql", "transform"), "a dataset has one origin: `table`, `sql` or `transform`")
    has_options = {"required": ["options"], "properties": {"options": {"minProperties": 1}}}
    is_snapshot = {"required": ["snapshot"], "properties": {"snapshot": {"type": "object"}}}
    has_time = {"required": ["time"], "properties": {"time": {"not": {"type": "null"}}}}
    whole = [
        _if(_filled("from"), _filled("transform"), "`from` goes with `transform`"),
        _if(has_options, _filled("transform"), "`options` are those of a `transform`"),
        _if(_filled("transform"), _filled("from"), "a transform needs `from`: the dataset it reads"),
        _if(is_snapshot, has_time, "a snapshot needs `time`: when each level was read"),
    ]
    is_partial = {"required": ["override"], "properties": {"override": {"const": PARTIAL}}}
    dataset["allOf"] = [*origins, *({"if": {"not": is_partial}, "then": rule} for rule in whole)]


def _tighten_input(input_: Schema, words: Words) -> None:
    input_["allOf"] = [*_one_of(["to_date", "window", "all_time"], "one key says which stretch of time is covered")]
    kinds = {
        "offset": _offset(words),
        "window": _duration(words.units, ""),
        "to_date": _grain(words.grains),
    }
    for key, kind in kinds.items():
        input_["properties"][key] |= kind


def _defaults() -> Iterator[Schema]:
    """Say what the default of a parameter of each type is."""
    day = {
        "pattern": "^[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])$",
        "patternErrorMessage": "write a date such as 2026-01-31",
    }
    kinds = {"number": "number", "integer": "integer", "text": "string", "boolean": "boolean", "date": "string"}
    for kind, json_type in kinds.items():
        default = {"type": [json_type, "null"], **(day if kind == "date" else {})}
        yield _if({"required": ["type"], "properties": {"type": {"const": kind}}}, {"properties": {"default": default}})


def _by_plugin(schema: Schema, plugins: Mapping[str, Schema], key: str, inside: str = "") -> Iterator[Schema]:
    """Say which settings each plugin takes: beside the key that names it, or inside another key."""
    for word, settings in sorted(plugins.items()):
        schema["definitions"] |= settings["definitions"]
        properties, required = settings["properties"], settings["required"]
        own = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
        named = {"required": [key], "properties": {key: {"const": word}}}
        if inside:
            yield _if(named, {"properties": {inside: own}, "required": [inside] if required else []})
        else:
            yield _if(
                named, own | {"properties": {**{own_key: {} for own_key in SourceSettings.model_fields}, **properties}}
            )


def _if(condition: Schema, consequence: Schema, message: str = "") -> Schema:
    return {"if": condition, "then": consequence | ({"errorMessage": message} if message else {})}


def _not_blank(message: str) -> Schema:
    return {"pattern": r"\S", "patternErrorMessage": message}


def _filled(key: str) -> Schema:
    """Say that a key is there and holds something; an empty text is as good as none."""
    return {"required": [key], "properties": {key: {"not": {"enum": ["", False]}}}}


def _one_of(keys: Sequence[str], message: str) -> Iterator[Schema]:
    """Say that at most one of some keys holds something."""
    none = {"pattern": "^$", "patternErrorMessage": message}
    for first, second in combinations(keys, 2):
        nothing = {"enum": [False], "errorMessage": message} if second == "all_time" else none
        yield _if(_filled(first), {"properties": {second: nothing}})


def _never(schema: Schema, keys: Iterable[str], message: str) -> None:
    """Say of keys that they may not stand here, and why."""
    for key in keys:
        said = message.format(key)
        schema["properties"][key] = {"description": said, "doNotSuggest": True}
        schema["allOf"] = [*schema.get("allOf", ()), {"properties": {key: False}, "errorMessage": said}]


def _offset(words: Words) -> Schema:
    """Say how another time is written: a length, the period before, or the first day of a unit."""
    found = _duration(words.units, "period", "")
    units = "|".join(_any_case(unit).replace("_", "[ _-]") for unit in words.grains)
    first = rf"{_any_case('start')}\s+{_any_case('of')}\s+(?:{units})"
    return found | {"pattern": found["pattern"].removesuffix(")$") + f"|{first})$"}


def _duration(units: Iterable[str], *words: str) -> Schema:
    """Say how a length of time is written: a number and a unit, whatever its capital letters, or one of some words."""
    pattern = "|".join(
        [rf"\s*0*[1-9][0-9]*\s*(?:{'|'.join(_any_case(unit).replace('_', '[ _-]') for unit in units)})[sS]?\s*", *words]
    )
    other = "".join(f", or `{word}`" for word in words if word)
    return {
        "pattern": f"^(?:{pattern})$",
        "patternErrorMessage": f"write a whole number and a unit, such as `28 days`{other}",
    }


def _grain(grains: Iterable[str]) -> Schema:
    pattern = "|".join(rf"[\s_-]*{_any_case(grain).replace('_', '[_ -]+')}[\s_-]*" for grain in grains)
    return {"pattern": f"^(?:{pattern}|)$", "patternErrorMessage": f"write one of {', '.join(grains)}"}


def _any_case(word: str) -> str:
    return "".join(f"[{letter}{letter.upper()}]" if letter.isalpha() else letter for letter in word)


def _snippets(section: str) -> Iterator[Schema]:
    """Offer a first draft of a definition."""
    drafts: dict[str, tuple[str, Schema]] = {
        "datasets": (
            "a table, with its key and its time",
            {"table": "$2", "key": "$3", "time": "$4", "dimensions": ["$5"]},
        ),
        "kpis": ("a KPI over rows", {"label": {"en": "$2"}, "inputs": ["${3:dataset}"], "formula": "${4:count($3)}"}),
        "roles": ("who reads a scorecard", {"label": {"en": "$2"}}),
        "groups": ("a family of roles", {"label": {"en": "$2"}}),
        "parameters": ("a typed value", {"type": "${2|number,integer,text,boolean,date|}", "default": "$3"}),
    }
    what, body = drafts[section]
    yield {"label": f"new {section[:-1]}", "description": what, "body": {"${1:name}": body}}


def _finished(schema: Schema, kind: str, title: str) -> Schema:
    head = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": f"{_ID}{kind}",
        "$comment": f"Written by `kpi schema {kind}`, version {__version__}.",
        "title": title,
    }
    finished: Schema = head | _tidy(schema)
    return finished


def _tidy(node: Any) -> Any:  # noqa: ANN401 - any part of a schema
    """Keep what stands beside a reference, which draft-07 would overlook, and let editors show what is written as code."""
    if isinstance(node, list):
        return [_tidy(each) for each in node]
    if not isinstance(node, dict):
        return node
    tidy = {key: _tidy(value) for key, value in node.items()}
    description = tidy.get("description")
    if isinstance(description, str) and "`" in description:
        tidy["markdownDescription"] = description
    if isinstance(tidy.get("$ref"), str) and len(tidy) > 1:
        tidy["allOf"] = [{"$ref": tidy.pop("$ref")}]
    return tidy


def _of_model(model: type[BaseModel], prefix: str = "") -> Schema:
    """Make the schema of a model, with those of the models in it under `definitions`."""
    generator = _Generator(ref_template=f"#/definitions/{prefix}{{model}}")
    schema = generator.generate(model.__pydantic_core_schema__, mode="validation")
    inner = schema.pop("$defs", {})
    return schema | {"definitions": {f"{prefix}{name}": each for name, each in inner.items()}}


_SECRETS: Final = (SecretStr, SecretStr | None)
_REFERENCE: Final = {
    "type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": {"type": "string"},
    "examples": [{"env": "NAME"}, {"file": "/run/secrets/name"}],
}  # fmt: skip
"""A secret is not written into a file, but where it is kept."""


class _Generator(GenerateJsonSchema):
    """Takes what the engine takes: where a plugin's model converts values, or runs code before it looks, more than its types say."""

    ignored_warning_kinds: ClassVar[set[Any]] = {"skipped-choice", "non-serializable-default"}  # type: ignore[misc]
    _converts = False

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ANN401, ARG002 - pydantic's own signature
        return False

    def generate_inner(self, schema: Any) -> Schema:  # noqa: ANN401 - any core schema
        trusted = schema["type"] in _TRUSTED or "json_schema_input_schema" in schema
        return super().generate_inner(schema) if trusted else {}

    def model_schema(self, schema: Any) -> Schema:  # noqa: ANN401
        model = schema["cls"]
        outer, self._converts = self._converts, not model.model_config.get("strict")
        made = super().model_schema(schema)
        self._converts = outer
        made.pop("title", None)
        texts = field_docstrings(model)
        for name, field in model.model_fields.items():
            key = field.validation_alias if isinstance(field.validation_alias, str) else name
            if field.annotation in _SECRETS and key in made.get("properties", {}):
                made["properties"][key] = dict(_REFERENCE)
            if name in texts and key in made.get("properties", {}):
                made["properties"][key].setdefault("description", texts[name])
        return made

    def default_schema(self, schema: Any) -> Schema:  # noqa: ANN401
        made = super().default_schema(schema)
        if made.get("default") in _EMPTY or made.get("default") is False or made.get("writeOnly"):
            made.pop("default", None)
        return made

    def dict_schema(self, schema: Any) -> Schema:  # noqa: ANN401
        """Say what keys look like apart from what they hold, so that an editor names the right one of two mistakes."""
        made = super().dict_schema(schema)
        for pattern, values in made.pop("patternProperties", {}).items():
            made |= {"additionalProperties": values}
            made["propertyNames"] = {"pattern": pattern, **made.get("propertyNames", {})}
        return made

    def nullable_schema(self, schema: Any) -> Schema:  # noqa: ANN401
        """Say that nothing may stand there without a choice of schemas, whose mistakes are hard to name."""
        made = self.generate_inner(schema["schema"])
        if not isinstance(made.get("type"), str) or _CHOICES & made.keys():
            return super().nullable_schema(schema)
        return made | {"type": [made["type"], "null"]} | ({"enum": [*made["enum"], None]} if "enum" in made else {})

    def str_schema(self, schema: Any) -> Schema:  # noqa: ANN401
        made = super().str_schema(schema)
        made.pop("pattern", None)  # of another kind of regular expressions
        return made

    def int_schema(self, schema: Any) -> Schema:  # noqa: ANN401
        return self._widened(schema, super().int_schema(schema), _INTEGER)

    def float_schema(self, schema: Any) -> Schema:  # noqa: ANN401
        return self._widened(schema, super().float_schema(schema), _NUMBER)

    def bool_schema(self, schema: Any) -> Schema:  # noqa: ANN401
        return self._widened(schema, super().bool_schema(schema), _BOOLEAN)

    def _widened(self, schema: Any, made: Schema, pattern: str) -> Schema:  # noqa: ANN401
        """Take the texts and truth values that are converted, too."""
        if not schema.get("strict", False) and self._converts:
            others = [each for each in ("boolean", "integer", "string") if each != made["type"]]
            return made | {"type": [made["type"], *others], "pattern": pattern}
        return made


def field_docstrings(model: type[BaseModel]) -> dict[str, str]:
    """Read the texts that stand below the fields of a model, in its source; nothing where there is no source."""
    found: dict[str, str] = {}
    for cls in reversed(model.__mro__):
        if cls in (object, BaseModel) or not issubclass(cls, BaseModel):
            continue
        try:
            (tree,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
        except (OSError, TypeError, SyntaxError):
            continue
        for pair in pairwise(tree.body if isinstance(tree, ast.ClassDef) else ()):
            match pair:
                case (ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(said)))):
                    found[name] = inspect.cleandoc(said)
    return found
