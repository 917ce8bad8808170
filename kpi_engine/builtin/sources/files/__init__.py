"""The source `files`: a folder whose CSV, JSON and Parquet files and text logs are tables.

settings    what `kpi.yaml` may say of the folder and of its tables
folders     which files a table is
texts       the encoding of a file, and its copy in UTF-8 where DuckDB cannot read it
dialects    how a CSV file is written: delimiter, quotes, header
reading     the arguments of DuckDB's readers
source      the source itself
"""

from kpi_engine.builtin.sources.files.source import FilesSource

__all__ = ["FilesSource"]
