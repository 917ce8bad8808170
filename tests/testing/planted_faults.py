"""Run every rule of a kit over a case, and say which fail."""

from __future__ import annotations

import pytest


def rules(kit):
    """Name the rules of a kit."""
    return sorted(name for name in dir(kit) if name.startswith("test_"))


def failing(kit, case):
    """Name the rules that a case breaks."""
    return {name for name in rules(kit) if _fails(getattr(kit(), name), case)}


def _fails(rule, case):
    try:
        rule(case)
    except (Exception, pytest.fail.Exception):
        return True
    return False


def with_more(cls, **more):
    """Make a class with some attributes changed; its docstring and name stay."""
    return type(cls.__name__, (cls,), {"__doc__": cls.__doc__, "__module__": cls.__module__, **more})
