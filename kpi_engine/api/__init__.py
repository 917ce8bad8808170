"""All that a plugin author imports: the protocols, what they are given and give back, the errors, the hook marker.

This is the promise: within a major version only additions.
"""

from kpi_engine.api.commands import Command
from kpi_engine.api.contracts import Contract
from kpi_engine.api.formats import Format, Imported
from kpi_engine.api.outputs import Output
from kpi_engine.api.reports import Breakdown, Card, Column, Comparison, Failure, Measure, Report, Section, Trend
from kpi_engine.api.secrets import SecretStore
from kpi_engine.api.sources import (
    ArrowStream,
    ContractedSource,
    DatabaseRelation,
    FileRelation,
    FolderSource,
    Relation,
    RelationSource,
    Scan,
    ScanSource,
    Source,
    SourceContext,
    SqlSource,
    Table,
    VersionedSource,
)
from kpi_engine.api.streams import (
    Activated,
    Checkpoint,
    Deleted,
    Message,
    Notice,
    Rows,
    Schema,
    Stream,
    StreamSource,
    Wanted,
)
from kpi_engine.api.transforms import Transform
from kpi_engine.api.versions import files_version
from kpi_engine.errors import DataError, Diagnostic, KpiError, OutputError, Place, PluginError, SourceError, nearest
from kpi_engine.hookspecs import hookimpl

__all__ = [
    "Activated",
    "ArrowStream",
    "Breakdown",
    "Card",
    "Checkpoint",
    "Column",
    "Command",
    "Comparison",
    "Contract",
    "ContractedSource",
    "DataError",
    "DatabaseRelation",
    "Deleted",
    "Diagnostic",
    "Failure",
    "FileRelation",
    "FolderSource",
    "Format",
    "Imported",
    "KpiError",
    "Measure",
    "Message",
    "Notice",
    "Output",
    "OutputError",
    "Place",
    "PluginError",
    "Relation",
    "RelationSource",
    "Report",
    "Rows",
    "Scan",
    "ScanSource",
    "Schema",
    "SecretStore",
    "Section",
    "Source",
    "SourceContext",
    "SourceError",
    "SqlSource",
    "Stream",
    "StreamSource",
    "Table",
    "Transform",
    "Trend",
    "VersionedSource",
    "Wanted",
    "files_version",
    "hookimpl",
    "nearest",
]
