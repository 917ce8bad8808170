"""A first project over a user's own files: datasets with key, time and dimensions as the data suggest, and KPIs that count and sum."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kpi_engine.errors import SourceError
from kpi_engine.sample.choices import MEMBERS, Choices, chosen, sanitised
from kpi_engine.sample.folders import (
    PROJECT_FILE,
    holds_something,
    not_empty,
    write_for_editors,
    write_text,
    written_at_once,
)
from kpi_engine.sample.profiling import profiled
from kpi_engine.sample.yamltext import commented, listed, plain, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from kpi_engine.sample.profiling import Column, Profile

_DATA: Final = "data"
_PROJECT: Final = """\
# The project: where its data are, and how it counts time.

project: {name}
language: en                            # en or fr
calendar:
  timezone: UTC                         # yours, such as Europe/Paris: it decides on which day an instant falls
  week_start: monday
  fiscal_year_start: january

sources:
{source}

definitions: [definitions]              # add `marketing` for the KPIs that ship
"""
_ROLES: Final = """\
# Who reads which scorecard: a KPI names its role, and `kpi report --role team` shows them together.

roles:
  team: {label: {en: Our team, fr: Notre équipe}}
"""
_HEAD: Final = """\
# What {file} seems to hold. Read it once: a comment says why each line is there. Then try:
#
#   kpi check
#   kpi run {kpi}{options}
"""


@dataclass(frozen=True)
class _Entry:
    """A file of the project: what its dataset is called, and which table it is."""

    profile: Profile
    title: str
    """Its name for people."""
    dataset: str
    table: str
    stored: str
    """The name of the copy; empty where the file is in place already."""


def write_from_files(folder: Path, name: str, files: Sequence[Path]) -> None:
    """Write a project over CSV, Parquet and JSON files, with a dataset and first KPIs for each; all of it or nothing.

    Files that stand in `folder/data` stay as they are, others are copied there. Raises SourceError where a file cannot be read
    (`missing_file`, `empty_source_file`, `malformed_file`, `no_header` …), OutputError where the project cannot be written
    (`folder_not_empty`, `unwritable`).
    """
    if not files:
        raise SourceError("no file is named", code="missing_file", hint="name files, such as --from data/visits.csv")
    _refuse_other_folders(folder, files)
    entries = _entries(folder, files)
    with written_at_once(folder) as scratch:
        taken = {entry.dataset for entry in entries}
        for entry in entries:
            write_text(scratch / "definitions" / f"{entry.dataset}.yaml", _definitions(entry, taken))
        write_text(scratch / "definitions" / "roles.yaml", _ROLES)
        write_text(scratch / PROJECT_FILE, _PROJECT.format(name=quoted(name), source=_source(entries)))
        write_for_editors(scratch)
        (scratch / _DATA).mkdir()
        for entry in entries:
            if entry.stored:
                shutil.copyfile(entry.profile.file, scratch / _DATA / entry.stored)


def infer_dataset(file: Path) -> str:
    """Give the definition file that `write_from_files` would write for one file, as text."""
    entry = _entry(file, set(), in_place=False)
    return _definitions(entry, {entry.dataset})


def _refuse_other_folders(folder: Path, files: Sequence[Path]) -> None:
    """Write into a new or empty folder, or around the files of a folder that has no project yet."""
    in_place = all(_is_in_place(folder, file) for file in files)
    is_begun = any((folder / name).exists() for name in (PROJECT_FILE, "definitions"))
    if holds_something(folder) and (is_begun or not in_place):
        hint = "choose a new name" if is_begun else f"choose a new name, or put the files into {folder / _DATA}"
        raise not_empty(folder, hint)


def _is_in_place(folder: Path, file: Path) -> bool:
    return file.absolute().parent.resolve() == (folder / _DATA).resolve()


def _entries(folder: Path, files: Sequence[Path]) -> list[_Entry]:
    entries: list[_Entry] = []
    for file in dict.fromkeys(file.absolute() for file in files):
        taken = {_ROLES_FILE, *(entry.dataset for entry in entries)}
        entries.append(_entry(file, taken, in_place=_is_in_place(folder, file)))
    return entries


_ROLES_FILE: Final = "roles"
"""No dataset is called so: the file of its definitions would be that of the roles."""


def _entry(file: Path, taken: set[str], *, in_place: bool) -> _Entry:
    from kpi_engine.builtin.sources.files.folders import ending

    profile = profiled(file)
    stem, suffix = ending(file)
    dataset = sanitised(stem, taken)
    packed = ".gz" if file.name.casefold().endswith(".gz") else ""
    title = stem.replace("_", " ")
    return _Entry(
        profile, title, dataset, stem if in_place else dataset, "" if in_place else f"{dataset}{suffix}{packed}"
    )


def _source(entries: Sequence[_Entry]) -> str:
    settings = [(entry.table, entry.profile.settings) for entry in entries if entry.profile.settings]
    if not settings:
        return f"  {_DATA}: {{plugin: files, path: {_DATA}}}     # each CSV, Parquet or JSON file in that folder is a table"
    lines = [f"  {_DATA}:", "    plugin: files", f"    path: {_DATA}", "    tables:"]
    for table, values in settings:
        written = ", ".join(f"{key}: {quoted(value)}" for key, value in values.items())
        lines.append(commented(f"      {plain(table)}: {{{written}}}", "inferred: how this file is written"))
    return "\n".join(lines)


def _definitions(entry: _Entry, taken: set[str]) -> str:
    """Write the definitions of one file; `taken` are the names of the project's datasets."""
    profile, choices = entry.profile, chosen(entry.profile, entry.dataset)
    count = sanitised(f"{entry.dataset}_count", taken)
    by = f" --by {_dimension_names(choices)[0][0]}" if choices.dimensions else ""
    grain = f" --grain month --period {choices.time.greatest[:4]}" if choices.time else ""
    head = _HEAD.format(file=f"{_DATA}/{entry.stored or profile.file.name}", kpi=count, options=by + grain)
    dataset = [*_dataset(entry, choices)]
    kpis = [*_count_kpi(entry, count), *_sum_kpis(entry, choices, taken | {count})]
    return "\n".join([head, "datasets:", f"  {entry.dataset}:", *dataset, "", "kpis:", *kpis]).rstrip() + "\n"


def _dataset(entry: _Entry, choices: Choices) -> Iterator[str]:
    profile = entry.profile
    yield f"    table: {plain(entry.table)}"
    yield _key_line(choices, profile.rows)
    if choices.time:
        yield commented(f"    time: {plain(choices.time.name)}", f"inferred: {_range(choices.time)}")
    else:
        yield "    # time: no column holds dates; without one, a KPI is computed over all rows, whatever the period"
    if choices.times:
        yield "    times:                              # other dates a KPI may count by: `{from: …, time: NAME}`"
        used: set[str] = set()
        for column in choices.times:
            name = sanitised(column.name, used)
            used.add(name)
            yield commented(f"      {name}: {plain(column.name)}", f"inferred: {_range(column)}")
    yield from _columns(profile, choices)
    yield from _dimensions(choices)


def _key_line(choices: Choices, rows: int) -> str:
    if not choices.key:
        return (
            f"    # key: none was recognised in {_counted(rows)}: name the column, or columns, that no two rows share"
        )
    together = " together" if len(choices.key) > 1 else ""
    return commented(f"    key: {listed(choices.key)}", f"inferred: unique{together} in all {_counted(rows)}")


def _counted(rows: int) -> str:
    return "1 row" if rows == 1 else f"{rows:,} rows"


def _range(column: Column) -> str:
    return f"from {column.least[:10]} to {column.greatest[:10]}"


def _columns(profile: Profile, choices: Choices) -> Iterator[str]:
    """Say the types that the data do not say by themselves, and the currency of amounts."""
    lines = [line for column in profile.columns if (line := _column_line(column, choices))]
    if lines:
        yield "    columns:"
        yield from lines


def _column_line(column: Column, choices: Choices) -> str:
    is_money = column in choices.sums
    is_needed = column.better_type and (is_money or not column.better_type.startswith("decimal"))
    said = [f"type: {quoted(column.better_type)}"] if is_needed else []
    if is_money and choices.currency:
        said.append(f"currency: {plain(choices.currency.name)}")
    return commented(f"      {plain(column.name)}: {{{', '.join(said)}}}", _why(column, choices)) if said else ""


def _why(column: Column, choices: Choices) -> str:
    if column in choices.sums and choices.currency and choices.currency.distinct > 1:
        return f"inferred: {choices.currency.distinct} currencies, which are never added: split by currency"
    return "inferred: money, counted exactly" if column.kind == "real" else "inferred from all values"


def _dimension_names(choices: Choices) -> list[tuple[str, Column]]:
    named: list[tuple[str, Column]] = []
    for column in choices.dimensions:
        named.append((sanitised(column.name, [name for name, _ in named]), column))
    return named


def _dimensions(choices: Choices) -> Iterator[str]:
    if not choices.dimensions:
        yield f"    # dimensions: no text has 2 to {MEMBERS} different values"
        return
    yield "    dimensions:                         # what a KPI may be split or filtered by"
    for name, column in _dimension_names(choices):
        sql = "" if name == column.name else f" {{sql: {quoted(_identifier(column.name))}}}"
        values = "1 value" if column.distinct == 1 else f"{column.distinct} values"
        yield commented(
            f"      {plain(name)}:{sql}", f"{values}, from {_shown(column.least)} to {_shown(column.greatest)}"
        )


def _shown(text: str) -> str:
    return f"`{text if len(text) <= _SHOWN else text[:_SHOWN] + '…'}`"


_SHOWN: Final = 24
"""So many characters of a value are shown in a comment."""


def _identifier(column: str) -> str:
    """Write a column's name for SQL, quoted where it is not a plain word."""
    from sqlglot.tokens import Tokenizer

    is_word = plain(column) == column and column.upper() not in Tokenizer.KEYWORDS
    return column if is_word else '"' + column.replace('"', '""') + '"'


def _count_kpi(entry: _Entry, name: str) -> Iterator[str]:
    yield f"  {name}:"
    yield "    role: team"
    yield f"    label: {{en: {quoted(f'Rows of {entry.title}')}, fr: {quoted(f'Lignes de {entry.title}')}}}"
    yield f"    inputs: [{entry.dataset}]"
    yield f"    formula: count({entry.dataset})"
    yield f"    unit: {entry.dataset}"
    yield "    format: integer"


def _sum_kpis(entry: _Entry, choices: Choices, taken: set[str]) -> Iterator[str]:
    used = set(taken)
    for column in choices.sums:
        name = sanitised(f"{entry.dataset}_{sanitised(column.name)}", used)
        used.add(name)
        yield ""
        yield f"  {name}:"
        yield "    role: team"
        yield f"    label: {{en: {quoted(f'Total of {column.name}')}, fr: {quoted(f'Total de {column.name}')}}}"
        yield f"    inputs: [{entry.dataset}]"
        yield f"    formula: {_formula(column)}"
        if not choices.currency:
            yield "    # unit: EUR                           # say what it is counted in"


def _formula(column: Column) -> str:
    text = f"sum({_identifier(column.name)})"
    return text if '"' not in text else "'" + text.replace("'", "''") + "'"
