"""The values of parameters: whether they fit what was declared."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

from kpi_engine.errors import Diagnostic, nearest

from .naming import check_name
from .texts import shown
from .validation import found, type_hint

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from .entries import Entry
    from .models import Parameter
    from .places import Located

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def misfit(kind: str, value: object) -> str:
    """Say what a parameter of this type expects, where the value is not it; empty where it fits.

    >>> misfit("date", "2026-02-30")
    'a date that exists, such as 2026-01-31'
    """
    number = isinstance(value, int | float) and not isinstance(value, bool)
    fits = {
        "number": number,
        "integer": number and isinstance(value, int),
        "text": isinstance(value, str),
        "boolean": isinstance(value, bool),
        "date": isinstance(value, str) and _is_date(value),
    }
    expected = {
        "number": "a number", "integer": "a whole number", "text": "a text (in quotes, if it looks like a number)",
        "boolean": "`true` or `false`", "date": "a date that exists, such as 2026-01-31",
    }  # fmt: skip
    return "" if fits[kind] else expected[kind]


def _is_date(text: str) -> bool:
    if not _DATE.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def check_default(entry: Entry, parameter: Parameter) -> Iterator[Diagnostic]:
    """Check that a parameter's default is of its type."""
    if parameter.default is None:
        return
    if expected := misfit(parameter.type, parameter.default):
        message = f"`default` is {found(parameter.default)}, expected {expected}"
        yield entry.mistake("wrong_type", message, ("default",), type_hint(parameter.default, expected))


def check_values(
    values: Mapping[str, object], declared: Mapping[str, Parameter], broken: Collection[str], located: Located
) -> Iterator[Diagnostic]:
    """Check the values that `kpi.yaml` gives; what a broken file or declaration would have said is not known."""
    all_read = not any(subject.startswith("file ") for subject in broken)
    for name, value in values.items():
        if f"parameter {name}" in broken:
            continue
        if name not in declared:
            if all_read:
                yield _unknown(name, declared, located)
        elif expected := misfit(declared[name].type, value):
            message = f"the value of parameter `{name}` is {found(value)}, expected {expected}"
            place, hint = located.value("parameters", name), type_hint(value, expected)
            yield Diagnostic("wrong_type", message, place, hint, subject=f"parameter {name}")


def _unknown(name: str, declared: Mapping[str, Parameter], located: Located) -> Diagnostic:
    hint = nearest(name, declared) or "declare it under `parameters:` in a definition file: `{type: number}`"
    message = f"parameter {shown(name)} is declared in no definition file"
    return Diagnostic("unknown_parameter", message, located.key("parameters", name), hint, subject=f"parameter {name}")


def check_sources(names: Collection[str], located: Located) -> Iterator[Diagnostic]:
    """Check what the sources of `kpi.yaml` are called."""
    for name in names:
        if bad := check_name("a source", name, located, ("sources", name)):
            yield bad
