"""What the models refuse, said in the words of the person who wrote the file."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_origin

from pydantic import BaseModel

from kpi_engine.errors import Diagnostic, nearest

from .places import FLOW, Located, Path
from .syntax import EXAMPLE
from .texts import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

TEXTS = ("label", "description", "notice")
"""The keys that hold texts by language."""


_TRUTHS = MappingProxyType({**dict.fromkeys(("yes", "on", "y"), True), **dict.fromkeys(("no", "off", "n"), False)})
"""What some take for true and false, and YAML for texts."""
_DURATIONS = ("restated", "lookback")
"""The keys that hold a stretch of time."""
_DIGITS = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_HINTS = MappingProxyType({
    "per language": "for example `{en: Visits, fr: Visites}`",
    "name": "for example `channel`, or `[channel, device]` for several",
    "text": "write a text; one with a colon, a comma or a bracket in it stands in quotes",
    "list": "write `[a, b]`",
    "mapping": "write its keys below it, indented, each with a colon and a value",
    "date": "write year, month and day of a day that the calendar has",
    "number": "write digits and a decimal point only, without quotes",
})  # fmt: skip
"""How a value of each kind is written."""


@dataclass(frozen=True)
class Subject:
    """What is being validated: its model, what was written, where, and what messages call it."""

    model: type[BaseModel]
    raw: dict[str, Any]
    located: Located
    title: str
    name: str


def translate(error: ValidationError, subject: Subject) -> list[tuple[Path, Diagnostic]]:
    """Turn what a model refused into diagnostics, one for each place, each with its path."""
    groups: dict[Path, list[ErrorDetails]] = {}
    for each in error.errors(include_url=False, include_input=False):
        loc = each["loc"]
        missing = each["type"] == "missing" and isinstance(loc[-1], str)
        path = (*_written(subject.raw, loc[:-1]), loc[-1]) if missing else _written(subject.raw, loc)
        groups.setdefault(path, []).append(each)
    said = [(path, replace(_say(path, found, subject), subject=subject.name)) for path, found in groups.items()]
    return [(path, each) for path, each in said if each.code != "missing_key" or not _is_misspelt(path, said)]


def _is_misspelt(missing: Path, said: Sequence[tuple[Path, Diagnostic]]) -> bool:
    """Say whether a key is missing because it stands there misspelt: one mistake, not two."""
    unknown = [str(path[-1]) for path, each in said if each.code == "unknown_key" and path[:-1] == missing[:-1]]
    return any(nearest(key, [str(missing[-1])]).startswith("did") for key in unknown)


def wrong_type(title: str, path: Path, value: object, expected: str, located: Located) -> Diagnostic:
    """Say that a value is of another type than its key needs."""
    where = f"{title}: `{dotted(path)}`" if path else title
    message = f"{where} is {found(value)}, expected {expected}"
    spot = located.spot_of(*path)
    written = spot.text if spot else ""
    hint = type_hint(value, expected, written)
    if path and path[-1] in _DURATIONS and isinstance(value, int) and not isinstance(value, bool):
        hint = f"write a unit with it: `{written or value} days`"
    return Diagnostic("wrong_type", message, located.value(*path), hint)


def found(value: object) -> str:
    """Say what a value is, in YAML's words.

    >>> found(3), found(None), found([1])
    ('the number 3', 'nothing', 'a list')
    """
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, str):
        return f"the text {shown(value)}"
    return {"list": "a list", "dict": "a mapping"}.get(type(value).__name__, f"a {type(value).__name__}")


def dotted(path: Iterable[str | int]) -> str:
    """Write a path as one word; list items count from 1.

    >>> dotted(("inputs", "blog", "across", 0))
    'inputs.blog.across[1]'
    """
    text = "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def known_keys(model: type[BaseModel]) -> list[str]:
    """List the keys that a mapping of this model may hold."""
    return [info.alias or name for name, info in model.model_fields.items()]


def _written(raw: object, loc: Sequence[str | int]) -> Path:
    """Follow an error's location as far as the file goes: the rest are pydantic's own words for members of a union."""
    path: list[str | int] = []
    here: Any = raw
    for part in loc:
        if not (part in here if isinstance(here, dict) else isinstance(here, list) and part in range(len(here))):
            break
        here = here[part]
        path.append(part)
    return tuple(path)


def _at(raw: object, path: Path) -> Any:  # noqa: ANN401
    here: Any = raw
    for part in path:
        here = here[part]
    return here


def _say(path: Path, errors: Sequence[ErrorDetails], subject: Subject) -> Diagnostic:
    kind = errors[0]["type"]
    if kind == "missing" and isinstance(errors[0]["loc"][-1], str):
        return _missing(path, subject)
    if kind == "extra_forbidden":
        return _unknown(path, subject)
    value = _at(subject.raw, path)
    allowed = [word for each in errors if each["type"] == "literal_error" for word in _allowed(each)]
    if allowed:
        return _not_allowed(path, value, allowed, subject)
    expected = _expected(path, errors)
    if expected:
        return wrong_type(subject.title, path, value, expected, subject.located)
    message = f"{subject.title}: `{dotted(path)}` is {found(value)}: {_limit(errors[0])}"
    return Diagnostic("bad_value", message, subject.located.value(*path), "write a number within these bounds")


def _missing(path: Path, subject: Subject) -> Diagnostic:
    inside = f" in `{dotted(path[:-1])}`" if len(path) > 1 else ""
    message = f"{subject.title}: `{path[-1]}` is missing{inside}"
    return Diagnostic("missing_key", message, subject.located.key(*path[:-1]), f"add `{path[-1]}:`")


def _unknown(path: Path, subject: Subject) -> Diagnostic:
    *above, key = path
    model = _model_at(subject.model, tuple(above))
    known = known_keys(model) if model else []
    inside = f"a key of `{dotted(above)}`" if above else "a key that is known here"
    message = f"{subject.title}: {shown(str(key))} is not {inside}"
    return Diagnostic("unknown_key", message, subject.located.key(*path), _key_hint(path, known, subject))


def _key_hint(path: Path, known: list[str], subject: Subject) -> str:
    spot = subject.located.spot_of(*path[:-1])
    if spot and spot.style == FLOW and _at(subject.raw, path) is None:
        return f"between {{ }} a comma ends an unquoted text: quote the whole condition, as in {EXAMPLE}"
    guess = nearest(str(path[-1]), known)
    listed = f"expected one of {_listed(sorted(known))}"
    return f"{guess} {listed}" if guess.startswith("did") else listed


def _listed(names: Iterable[object]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _allowed(error: ErrorDetails) -> list[str]:
    """Read the allowed words out of pydantic's `'a', 'b' or 'c'`."""
    words = str(error.get("ctx", {}).get("expected", ""))
    read = [word.strip() for word in words.replace(" or ", ", ").split(", ")]
    return [word.lower() if word in ("True", "False") else word.strip("'") for word in read if word.strip("'")]


def _not_allowed(path: Path, value: object, allowed: list[str], subject: Subject) -> Diagnostic:
    message = f"{subject.title}: `{dotted(path)}` is {found(value)}, expected one of {_listed(allowed)}"
    guess = nearest(value, allowed) if isinstance(value, str) else ""
    hint = guess if guess.startswith("did") else "choose one of these"
    return Diagnostic("bad_value", message, subject.located.value(*path), hint)


def _expected(path: Path, errors: Sequence[ErrorDetails]) -> str:
    kinds = {each["type"] for each in errors}
    last = path[-1] if path else ""
    if last == "valid" or (kinds & {"missing", "too_long"}):
        return "a list of two columns: from when, and until when"
    if last in TEXTS:
        return "a text, or a mapping with one text per language"
    if last in ("inputs", "dimensions", "keys"):
        return "a list of names, or a mapping"
    if last == "time" or (len(path) == 2 and path[0] in ("inputs", "times", "dimensions")):  # noqa: PLR2004
        return "a name, or a mapping"
    if {"string_type", "float_type", "bool_type"} <= kinds:
        return "a text, a number, or `true` or `false`"
    words = {
        "string_type": "a text", "int_type": "a whole number", "int_from_float": "a whole number", "float_type": "a number",
        "bool_type": "`true` or `false`", "tuple_type": "a name or a list of names", "list_type": "a list",
        "dict_type": "a mapping", "model_type": "a mapping", "model_attributes_type": "a mapping",
    }  # fmt: skip
    return " or ".join(dict.fromkeys(words[kind] for each in errors if (kind := each["type"]) in words))


def _limit(error: ErrorDetails) -> str:
    context = error.get("ctx", {})
    if "le" in context:
        return f"at most {context['le']} is allowed"
    return f"at least {context['ge']} is allowed" if "ge" in context else error["msg"]


def type_hint(value: object, expected: str, written: str = "") -> str:
    """Say how a value of the expected type is written instead; `written` is how this one is written in the file."""
    if value is None:
        return "write a value after the colon, or remove the key"
    if isinstance(value, bool | int | float) and expected.startswith(("a text", "a name")):
        return f'put it in quotes: "{written or str(value).lower()}"'
    if isinstance(value, str) and "`true`" in expected and value.lower() in _TRUTHS:
        return f"write `{str(_TRUTHS[value.lower()]).lower()}`; {shown(value)} is a text"
    if isinstance(value, str) and "number" in expected:
        digits = re.sub(r"^(-?)0+(?=\d)", r"\1", value.strip().replace("_", ""))
        meant = f": {digits}" if _DIGITS.fullmatch(digits) else ""
        return f"write digits and a decimal point only, without quotes{meant}"
    return next((hint for kind, hint in _HINTS.items() if kind in expected), "write that, or remove the key")


def _model_at(model: Any, path: Path) -> type[BaseModel] | None:  # noqa: ANN401
    """Find which model a mapping at a path is read by."""
    here = model
    for part in path:
        here = _inner(here, part)
    return here if isinstance(here, type) and issubclass(here, BaseModel) else None


def _inner(annotation: Any, part: str | int) -> Any:  # noqa: ANN401
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        fields = {info.alias or name: info.annotation for name, info in annotation.model_fields.items()}
        return _bare(fields.get(str(part)))
    return _bare(get_args(annotation)[1]) if get_origin(annotation) is dict else None


def _bare(annotation: Any) -> Any:  # noqa: ANN401
    """Take off what stands around a type: `Annotated`, and the choice of none."""
    if get_origin(annotation) is Annotated:
        return _bare(get_args(annotation)[0])
    members = [member for member in get_args(annotation) if member is not type(None)]
    return _bare(members[0]) if len(members) == 1 else annotation
