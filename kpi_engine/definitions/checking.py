"""What a definition is checked for beyond its shape: names, languages, modifiers to come, and texts that YAML cut short."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from kpi_engine.errors import Diagnostic

from .entries import model_of
from .naming import RESERVED, check_language, check_name
from .places import PLAIN, Located
from .syntax import quoted
from .validation import TEXTS, Subject, translate, wrong_type

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from .entries import Definition, Entry
    from .places import Path

# A condition or formula that ends like this was not meant to end there.
_OPEN_END = re.compile(r"(?:[=<>+\-*/(,]|\b(?:and|or|not|in|like|between|is|then|when|else))\s*\Z", re.IGNORECASE)
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")


def check(entry: Entry) -> tuple[Definition | None, list[Diagnostic]]:
    """Check one definition; what comes back is its model, when it has the right shape, and every mistake found in it."""
    if entry.raw is not None and not isinstance(entry.raw, dict):
        if () in entry.refused:
            return None, []
        found = wrong_type(entry.title, (), entry.raw, "a mapping", entry.located)
        return None, [replace(found, subject=entry.subject)]
    raw = entry.raw or {}
    mistakes = list(_mistakes(entry, raw))
    subject = Subject(model_of(entry.section), raw, entry.located, entry.title, entry.subject)
    try:
        model = model_of(entry.section).model_validate(raw)
    except ValidationError as error:
        return None, mistakes + [found for path, found in translate(error, subject) if _is_new(path, found, entry)]
    return model, mistakes


def _is_new(path: Path, found: Diagnostic, entry: Entry) -> bool:
    """Whether this is not the consequence of what the reader refused, such as a key that a merge would have brought."""
    return path not in entry.refused and not (found.code == "missing_key" and path[:-1] in entry.refused)


def _mistakes(entry: Entry, raw: dict[str, Any]) -> Iterator[Diagnostic]:
    reserved = RESERVED.get(entry.section, ())
    if bad := check_name(f"a {entry.noun}", entry.name, entry.located, (), reserved):
        yield replace(bad, subject=entry.subject)
    checks: Mapping[str, tuple[Callable[[Entry, dict[str, Any]], Iterator[Diagnostic]], ...]] = {
        "kpis": (_inner_names, _languages, _cut_texts),
        "datasets": (_inner_names, _languages, _column_twins, _cut_texts),
    }
    for each in checks.get(entry.section, (_languages,)):
        yield from each(entry, raw)


def _inner_names(entry: Entry, raw: dict[str, Any]) -> Iterator[Diagnostic]:
    """Check what inputs, joins, times and dimensions are called."""
    for key, noun in (("inputs", "input"), ("joins", "join"), ("times", "time"), ("dimensions", "dimension")):
        names = raw.get(key)
        if not isinstance(names, dict | list):
            continue
        reserved = RESERVED.get(key, ())
        seen: set[str] = set()
        for position, name in enumerate(names):
            path: Path = (key, name if isinstance(names, dict) else position)
            what = f"{noun} {position + 1} of {entry.title}"
            bad = check_name(what, name, entry.located, path, reserved) if isinstance(name, str) else None
            if bad:
                yield replace(bad, subject=entry.subject)
            if str(name) in seen:
                yield entry.mistake("duplicate_key", f"`{name}` stands twice in `{key}`", path, "remove one of the two")
            seen.add(str(name))


def _languages(entry: Entry, raw: dict[str, Any]) -> Iterator[Diagnostic]:
    """Check the languages of the texts of a definition, and of its columns, dimensions and times."""
    holders: list[tuple[Path, Any]] = [((), raw), (("time",), raw.get("time"))]
    for section in ("columns", "dimensions", "times"):
        if isinstance(raw.get(section), dict):
            holders += [((section, name), value) for name, value in raw[section].items()]
    for path, holder in holders:
        texts = holder if isinstance(holder, dict) else {}
        for each in languages(entry.title, texts, path, entry.located):
            yield replace(each, subject=entry.subject)


def languages(title: str, texts: dict[str, Any], path: Path, located: Located) -> Iterator[Diagnostic]:
    """Check that labels, descriptions and notices are given under language codes."""
    for key in TEXTS:
        if isinstance(texts.get(key), dict):
            for code in texts[key]:
                if bad := check_language(f"the {key} of {title}", code, located, (*path, key, code)):
                    yield bad


def _column_twins(entry: Entry, raw: dict[str, Any]) -> Iterator[Diagnostic]:
    """Refuse two columns that SQL takes for one, because it does not look at capital letters."""
    columns = raw.get("columns")
    seen: dict[str, str] = {}
    for name in columns if isinstance(columns, dict) else ():
        twin = seen.setdefault(name.casefold(), name)
        if twin != name:
            message = f"the columns `{twin}` and `{name}` differ only in capital letters, and SQL takes them for one"
            yield entry.mistake("case_twin", message, ("columns", name), "keep one of the two")


def _cut_texts(entry: Entry, raw: dict[str, Any]) -> Iterator[Diagnostic]:
    """Name the trap where YAML ended an unquoted condition at a comma or a ` #`."""
    for path in _sql_paths(raw):
        if found := _cut(path, entry.located):
            yield replace(found, message=f"{entry.title}: {found.message}", subject=entry.subject)


def _sql_paths(raw: dict[str, Any]) -> Iterator[Path]:
    yield from ((key,) for key in ("formula", "sql") if key in raw)
    for section in ("inputs", "dimensions", "times"):
        entries = raw.get(section)
        for name, value in entries.items() if isinstance(entries, dict) else ():
            yield from ((section, name, key) for key in ("where", "sql") if isinstance(value, dict) and key in value)


def _cut(path: Path, located: Located) -> Diagnostic | None:
    spot = located.spot_of(*path)
    if spot is None or located.source is None or spot.style != PLAIN or not _is_unfinished(spot.text):
        return None
    line = located.source.lines[spot.end_line]
    sign = line[spot.end_column :].lstrip()[:1]
    if sign not in ("#", ","):
        return None
    column = line.index(sign, spot.end_column)
    what = "begins a comment" if sign == "#" else "ends an unquoted text between { }"
    rest = line[column:].rstrip(" }") if sign == "," else line[column:].rstrip()
    whole = quoted(str(path[-1]), spot.text + line[spot.end_column : column] + rest)
    place = located.source.stretch(spot.end_line, column, column + 1)
    return Diagnostic("cut_text", f"the text is cut here: `{sign}` {what}", place, f"quote the whole text: {whole}")


def _is_unfinished(text: str) -> bool:
    bare = _QUOTED.sub("''", text)
    half_quote = "'" in bare.replace("''", "") or '"' in bare
    return half_quote or bare.count("(") != bare.count(")") or _OPEN_END.search(bare) is not None
