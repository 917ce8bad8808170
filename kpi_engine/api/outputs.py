"""Where results go: the protocol of an output."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

if TYPE_CHECKING:
    from pydantic import BaseModel

    from kpi_engine.api.reports import Report


@runtime_checkable
class Output(Protocol):
    """A way to show a report. It renders; it never computes a number, and never adds one up.

    The engine opens the target, hands it over and puts the finished file in place at once, so that a failure leaves the old one.
    """

    name: ClassVar[str]
    """The word given as `--output`."""
    Config: ClassVar[type[BaseModel]]
    """The options it takes; unknown ones are refused by the engine."""
    suffix: ClassVar[str]
    """The ending of its files, as `.html`; empty for an output that is meant for the terminal."""

    def __init__(self, config: Any) -> None:  # noqa: ANN401 - an instance of this class's own Config
        """Keep the options."""

    def render(self, report: Report, target: IO[bytes]) -> None:
        """Write the report to `target`, as bytes (UTF-8 for text)."""
