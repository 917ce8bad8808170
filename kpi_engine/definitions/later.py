"""Definitions that are made when they are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")


class Later(Mapping[Any, T], Generic[T]):
    """A mapping whose values are made of what is kept for them when they are asked for, each once."""

    def __init__(self, kept: Mapping[Any, Any], make: Callable[[Any], T]) -> None:
        self._kept, self._make = kept, make
        self._made: dict[Any, T] = {}

    def __getitem__(self, name: Any) -> T:  # noqa: ANN401 - as it is called
        if name not in self._made:
            self._made[name] = self._make(self._kept[name])
        return self._made[name]

    def __contains__(self, name: object) -> bool:
        return name in self._kept

    def __iter__(self) -> Iterator[Any]:
        return iter(self._kept)

    def __len__(self) -> int:
        return len(self._kept)


class NotOutlinedError(Exception):
    """A file is not as its lines look, or has a mistake: all definitions are to be read, to say what is wrong."""
