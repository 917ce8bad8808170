"""Datasets computed from a dataset: the protocol of a transform."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import BaseModel

    from kpi_engine.api.sources import ArrowStream


@runtime_checkable
class Transform(Protocol):
    """A dataset computed from another one, by code: link ranks, a sentiment, a model's score.

    The engine makes one per dataset that names it, with the dataset's `options`.
    """

    name: ClassVar[str]
    """The word written in a dataset as `transform:`."""
    Config: ClassVar[type[BaseModel]]
    """The options it takes; unknown ones are refused by the engine."""

    def __init__(self, config: Any) -> None:  # noqa: ANN401 - an instance of this class's own Config
        """Keep the options."""

    def needs(self) -> Sequence[str]:
        """Name the columns of the dataset below that it reads."""

    def columns(self) -> Mapping[str, str]:
        """Say which columns the result has, with their SQL types in DuckDB's words, in order.

        A column that is taken over from the dataset below has the type `""`.
        """

    def apply(self, rows: ArrowStream) -> ArrowStream:
        """Compute the result; raise `DataError` when the rows cannot be used."""
