"""What a sync has done, said source by source and stream by stream."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kpi_engine.errors import KpiError

Status = Literal["done", "failed", "locked"]


@dataclass(frozen=True)
class StreamReport:
    """What happened to one stream."""

    stream: str
    received: int = 0
    """Rows that the source gave."""
    added: int = 0
    changed: int = 0
    removed: int = 0
    quarantined: int = 0
    """Rows that do not fit and are kept apart, with the reason, in the table `sync.quarantine`."""
    restated: int = 0
    """Rows of a period that was over already and are other than before; they stand in the table `sync.restatements`."""
    rows: int = 0
    """Rows that are kept now."""
    schema_changes: tuple[str, ...] = ()
    """What is other than before about its columns, in words."""


@dataclass(frozen=True)
class SourceReport:
    """What happened to one source. Where it is not `done`, KPIs read what they read before."""

    source: str
    status: Status
    streams: tuple[StreamReport, ...] = ()
    notices: tuple[str, ...] = ()
    error: KpiError | None = None

    @property
    def received(self) -> int:
        """Rows that the source gave, of all streams."""
        return sum(each.received for each in self.streams)


@dataclass(frozen=True)
class SyncReport:
    """What a sync has done."""

    sources: tuple[SourceReport, ...] = field(default_factory=tuple)

    @property
    def ok(self) -> bool:
        """Whether all sources are done."""
        return all(each.status == "done" for each in self.sources)

    def as_dict(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        return {"ok": self.ok, "sources": [_record(each) for each in self.sources]}


def _record(report: SourceReport) -> Mapping[str, Any]:
    error = report.error
    said = None if error is None else {"code": error.code, "message": error.message, "hint": error.hint}
    return {
        "source": report.source,
        "status": report.status,
        "streams": [{**asdict(each), "schema_changes": list(each.schema_changes)} for each in report.streams],
        "notices": list(report.notices),
        "error": said,
    }
