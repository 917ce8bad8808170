"""Settings that are imported when they are asked for: pydantic takes longer to import than most requests take to be answered."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any


@dataclass(frozen=True)
class Deferred:
    """The attribute of a class that stands in another module, which is imported when the attribute is first looked at."""

    module: str
    name: str

    def __get__(self, instance: object, owner: type) -> Any:  # noqa: ANN401 - what stands there
        """Import it."""
        return getattr(import_module(self.module), self.name)
