"""Definition files of other systems: the protocol of a format."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import BaseModel

    from kpi_engine.errors import Diagnostic, Place


@dataclass(frozen=True)
class Imported:
    """What a format made of definition files.

    `definitions` holds the sections of a definition file, as they would stand there. `diagnostics` name each thing that could not be
    carried over, with its place: an error where it was left out, a warning where it means something else here. `places` say where
    each definition comes from, by section and name, so that what the engine finds wrong with one points to its origin.
    """

    definitions: Mapping[str, Any]
    diagnostics: tuple[Diagnostic, ...] = ()
    places: Mapping[tuple[str, str], Place] = field(default_factory=lambda: MappingProxyType({}))


@runtime_checkable
class Format(Protocol):
    """A way to write definitions that another system has, read into ours.

    It reads texts and gives definitions: it opens no file, asks no data, and computes no number.
    """

    name: ClassVar[str]
    """The word by which it is asked for."""
    Config: ClassVar[type[BaseModel]]
    """The options it takes; unknown ones are refused by the engine."""
    suffixes: ClassVar[tuple[str, ...]]
    """The endings of its files, such as `.yaml`."""

    def __init__(self, config: Any) -> None:  # noqa: ANN401 - an instance of this class's own Config
        """Keep the options."""

    def read(self, texts: Mapping[str, str]) -> Imported:
        """Read the texts of all files, by their names."""
