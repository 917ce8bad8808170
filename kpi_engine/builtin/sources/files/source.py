"""The source itself: from a table's name to what DuckDB is to read."""

from __future__ import annotations

from functools import partial
from operator import is_
from typing import TYPE_CHECKING, ClassVar

from kpi_engine.api import FileRelation, SourceError, Table, files_version
from kpi_engine.builtin.deferred import Deferred
from kpi_engine.builtin.sources.files.dialects import Dialect, Wanted, dialect_of
from kpi_engine.builtin.sources.files.folders import ending, files_of, format_of, groups, table_name
from kpi_engine.builtin.sources.files.reading import (
    check_instants,
    csv_relation,
    json_relation,
    lines_relation,
    parquet_relation,
    reads,
)
from kpi_engine.builtin.sources.files.texts import Copies

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from kpi_engine.api import Scan, SourceContext
    from kpi_engine.builtin.sources.files.settings import FilesSettings, Format, TableSettings
    from kpi_engine.builtin.sources.files.texts import Text

_TAKEN: dict[Format, frozenset[str]] = {
    "parquet": frozenset({"path", "format"}),
    "json": frozenset({"path", "format", "encoding"}),
    "lines": frozenset({"path", "format", "encoding"}),
}
"""The settings that mean something for each format; for CSV all do."""


class FilesSource:
    """A folder of files: `leads.csv` is the table `leads`, and so is a sub-folder `leads` with data files in it."""

    name: ClassVar[str] = "files"
    Config = Deferred("kpi_engine.builtin.sources.files.settings", "FilesSettings")

    def __init__(self, config: FilesSettings, context: SourceContext) -> None:
        self._config = config
        self._place = context.root / config.path
        self._copies = Copies()
        self._dialects: dict[Path, tuple[Text, Wanted, Dialect]] = {}
        self._read: dict[tuple[object, ...], tuple[Sequence[Text], FileRelation]] = {}

    def tables(self) -> Sequence[Table]:
        """List the tables: what the settings name, then the data files and the sub-folders of data files."""
        names = {table_name(group) for group in groups(self._folder())}
        return [Table(name) for name in sorted(names | set(self._config.tables))]

    def folders(self) -> tuple[str, ...]:
        """Name the folder, and the private one for copies of files that DuckDB cannot read as they are, where there is room for one."""
        try:
            private = [str(self._copies.folder())]
        except SourceError:  # said when a file is to be copied
            private = []
        return (str(self._place.resolve()), *private)

    def relation(self, scan: Scan) -> FileRelation:
        """Say which files a table is and how DuckDB is to read them; raise `SourceError` where it cannot.

        The table is one of `tables()`, a file's name, or a pattern such as `leads-*.csv`.
        """
        from kpi_engine.builtin.sources.files.settings import TableSettings

        entry = self._config.tables.get(scan.table) or TableSettings()
        files = self._files(scan.table)
        form = entry.format or format_of(files, scan.table)
        self._refuse_useless(scan.table, entry, form)
        if form == "csv":
            texts = self._texts(files, entry.encoding or self._config.encoding)
            return self._kept(scan, texts, lambda: self._csv(texts, entry, scan))
        if form == "lines":
            return lines_relation(self._texts(files, entry.encoding or self._config.encoding))
        if form == "json":
            texts = self._texts(files, entry.encoding, marked=False)
            return self._kept(scan, texts, lambda: json_relation(texts, scan.types))
        return parquet_relation(files, [self._copies.plain(file) for file in files])

    def version(self, table: str) -> str | None:
        """Say which files a table is at this moment, and when each was written; None where they cannot be told."""
        try:
            return files_version(self._files(table))
        except SourceError:
            return None

    def close(self) -> None:
        """Remove the copies."""
        self._copies.close()
        self._read.clear()

    def _files(self, table: str) -> tuple[Path, ...]:
        settings = self._config.tables.get(table)
        return files_of(self._folder(), table, settings.path if settings else "", named=settings is not None)

    def _folder(self) -> Path:
        folder = self._place.resolve()
        if folder.is_dir():
            return folder
        kind = "a file, not a folder" if folder.exists() else "not there"
        raise SourceError(
            f"the folder {folder} is {kind}",
            code="missing_folder",
            hint="`path` of the source is relative to the project's folder, where `kpi.yaml` is",
        )

    def _kept(self, scan: Scan, texts: Sequence[Text], made: Callable[[], FileRelation]) -> FileRelation:
        """Give how a table is read, which its files were read for to find out, as long as they are the same."""
        key = scan.table, *sorted(scan.types.items())
        known = self._read.get(key)
        if known is None or len(known[0]) != len(texts) or not all(map(is_, known[0], texts)):
            known = self._read[key] = texts, made()
        return known[1]

    def _csv(self, texts: Sequence[Text], entry: TableSettings, scan: Scan) -> FileRelation:
        decimal = entry.decimal or self._config.decimal
        dialects = [self._dialect(text, entry, decimal) for text in texts]
        relation = partial(csv_relation, settings=entry, decimal=decimal, types=scan.types)
        for text, dialect in zip(texts, dialects, strict=True):
            if dialect.doubt and not reads(relation([text], [dialect])):
                raise _malformed(text, dialect)
        found = relation(texts, dialects)
        check_instants(found, scan.types, f"the table `{scan.table}` in {self._place}")
        return found

    def _dialect(self, text: Text, entry: TableSettings, decimal: str | None) -> Dialect:
        tabs = "\t" if ending(text.file)[1] == ".tsv" else None
        delimiter = entry.delimiter or tabs or self._config.delimiter
        wanted = Wanted(delimiter, entry.quote, entry.escape, entry.skip, decimal)
        known = self._dialects.get(text.file)
        if known is None or known[:2] != (text, wanted):
            known = text, wanted, dialect_of(text.head, wanted, whole=text.whole)
            self._dialects[text.file] = known
        return known[2]

    def _texts(self, files: tuple[Path, ...], encoding: str | None, *, marked: bool = True) -> list[Text]:
        return [self._copies.text(file, encoding, marked=marked) for file in files]

    def _refuse_useless(self, table: str, entry: TableSettings, form: Format) -> None:
        useless = sorted(entry.model_fields_set - _TAKEN.get(form, entry.model_fields_set))
        if useless:
            named = ", ".join(f"`{setting}`" for setting in useless)
            raise SourceError(
                f"the table `{table}` is read as {form}, for which {named} says nothing",
                code="bad_settings",
                hint="take it out of the source's settings",
            )


def _malformed(text: Text, dialect: Dialect) -> SourceError:
    return SourceError(
        f"the file {text.file} cannot be read as CSV with the delimiter {dialect.delimiter!r}: {dialect.doubt}",
        code="malformed_file",
        hint="look for another `delimiter`, a quote that is not closed, or lines above the header (`skip`)",
    )
