"""The commands that the engine has itself, in the order in which one meets them; plugins may add others."""

from __future__ import annotations

from typing import Final

VERBS: Final = (
    "demo",
    "init",
    "check",
    "list",
    "show",
    "run",
    "report",
    "explain",
    "sync",
    "schema",
    "convert",
    "plugins",
    "cache",
)
