"""The public surface, as it was promised: names, signatures, fields.

A change is seen here. `UPDATE_SURFACE=1 pytest tests/api/test_api_surface.py` writes the surface anew; read what changed before it is
committed: within a major version there are only additions.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import os
from pathlib import Path

import pytest

FILE = Path(__file__).parent / "api_surface.txt"
MODULES = ("kpi_engine", "kpi_engine.api", "kpi_engine.api.formatting", "kpi_engine.testing")


def surface():
    """Describe all that is public, a line each, in alphabetical order."""
    return sorted({line for module in MODULES for line in _of_module(module)})


def _of_module(name):
    module = importlib.import_module(name)
    named = getattr(module, "__all__", None) or [
        each
        for each, value in vars(module).items()
        if not each.startswith("_") and getattr(value, "__module__", "") == name
    ]
    for each in named:
        yield from _of(f"{name}.{each}", getattr(module, each))


def _of(path, value):
    if inspect.isclass(value):
        yield f"{path}: class {', '.join(base.__name__ for base in value.__bases__)}"
        if dataclasses.is_dataclass(value):
            for field in dataclasses.fields(value):
                needed = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
                yield from (
                    []
                    if field.name.startswith("_")
                    else [f"{path}.{field.name}: field {field.type}{'' if needed else ' = …'}"]
                )
        for name, member in vars(value).items():
            if not name.startswith("_") or name == "__init__":
                yield from _of_member(f"{path}.{name}", member, name in getattr(value, "__dataclass_fields__", {}))
    elif callable(value):
        yield f"{path}{_signature(value)}"
    else:
        yield f"{path}: value"


def _of_member(path, member, is_field):
    if isinstance(member, property) or type(member).__name__ == "cached_property":
        yield f"{path}: property"
    elif inspect.isfunction(member) and not (path.endswith("__init__") and "testing" in path):
        yield f"{path}{_signature(member)}"
    elif not is_field and not callable(member):
        yield f"{path}: value"


def _signature(function):
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return "(…)"
    return "(" + ", ".join(_parameter(each) for each in parameters if each.name != "self") + ")"


def _parameter(each):
    star = {each.VAR_POSITIONAL: "*", each.VAR_KEYWORD: "**"}.get(each.kind, "")
    only = " [by name]" if each.kind is each.KEYWORD_ONLY else ""
    return f"{star}{each.name}{'' if each.default is each.empty else ' = …'}{only}"


def test_the_public_surface_is_the_one_that_was_promised():
    found = surface()
    if os.environ.get("UPDATE_SURFACE"):
        FILE.write_text("\n".join(found) + "\n", encoding="utf-8")
    promised = FILE.read_text(encoding="utf-8").splitlines()
    gone, new = sorted(set(promised) - set(found)), sorted(set(found) - set(promised))
    if gone or new:
        pytest.fail(
            "\n".join([*(f"- {line}" for line in gone), *(f"+ {line}" for line in new), __doc__]), pytrace=False
        )
