"""What DuckDB says of an expression or a query that has no meaning, in the words of the language."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from kpi_engine.catalogue.sqltypes import in_words
from kpi_engine.errors import nearest

if TYPE_CHECKING:
    from collections.abc import Callable


class Said(NamedTuple):
    """A mistake in the words of the language."""

    code: str
    message: str
    hint: str


def said_of(text: str) -> Said | None:
    """Say what a message of DuckDB's means; None where it is not known.

    >>> said_of('Binder Error: Referenced column "pags" not found in FROM clause! Candidate bindings: "pages"')
    Said(code='unknown_column', message='there is no column `pags` here', hint='did you mean `pages`?')
    """
    for pattern, say in _RULES:
        if found := pattern.search(text):
            return say(found, text)
    return None


def _type(written: str) -> str:
    return in_words(written.replace("STRING_LITERAL", "VARCHAR").removesuffix("_LITERAL"))


def _close(name: str, text: str) -> str:
    """Say which name is meant; DuckDB gives only some of those there are."""
    hint = nearest(name, _candidates(text))
    return hint if hint.startswith("did") else ""


def _candidates(text: str) -> list[str]:
    listed = re.search(r"Candidate (?:bindings|tables):(?P<names>.*)", text)
    return re.findall(r'"([^"]+)"', listed["names"]) if listed else []


def _no_column(found: re.Match[str], text: str) -> Said:
    hint = _close(found["name"], text) or "name a column of the tables after `from`"
    return Said("unknown_column", f"there is no column `{found['name']}` here", hint)


def _no_column_of(found: re.Match[str], text: str) -> Said:
    hint = _close(found["name"], text) or "name one of its columns"
    return Said("unknown_column", f"`{found['table']}` has no column `{found['name']}`", hint)


def _no_table(found: re.Match[str], text: str) -> Said:
    hint = nearest(found["name"], _candidates(text)) or "name a table that stands after `from` or `join`"
    return Said("unknown_table", f"the query reads no table `{found['name']}`", hint)


def _not_on_both(found: re.Match[str], _: str) -> Said:
    return Said(
        "unknown_column",
        f"`using` names `{found['name']}`, which one of the tables lacks",
        "write `join … on a.x = b.y`",
    )


def _ambiguous(found: re.Match[str], _: str) -> Said:
    ways = found["ways"].replace('"', "").replace("'", "").split(" or ")
    hint = "write " + " or ".join(f"`{way}`" for way in ways)
    return Said("ambiguous_column", f"`{found['name']}` is a column of several tables", hint)


def _not_grouped(found: re.Match[str], _: str) -> Said:
    name = found["name"]
    message = f"`{name}` stands beside an aggregate, and rows are not grouped by it"
    return Said("not_grouped", message, f"write it after `group by`, or `any_value({name})`")


def _no_call(found: re.Match[str], _: str) -> Said:
    types = re.split(r", (?![^(]*\))", found["types"])
    message = f"`{found['name'].strip()}` cannot be used with {' and '.join(_type(each) for each in types)}"
    return Said("types_do_not_fit", message, "write `cast(x as type)`, or declare what the column is")


def _mixed(found: re.Match[str], _: str) -> Said:
    doing = "compared" if found["doing"] == "compare" else "mixed"
    message = f"{_type(found['left'])} and {_type(found['right'])} cannot be {doing}"
    return Said("types_do_not_fit", message, "write `cast(x as type)`, or declare what the column is")


def _no_cast(found: re.Match[str], _: str) -> Said:
    message = f"{_type(found['left'])} and {_type(found['right'])} cannot be mixed"
    return Said("types_do_not_fit", message, "write `cast(x as type)`, or declare what the column is")


def _always(code: str, message: str, hint: str) -> Callable[[re.Match[str], str], Said]:
    return lambda found, _: Said(
        code, message.format(*(group.lower() if code == "bad_date_part" else group for group in found.groups())), hint
    )


_RULES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], str], Said]], ...] = tuple(
    (re.compile(pattern), say)
    for pattern, say in (
        (r'Referenced column "(?P<name>[^"]+)" (?:was )?not found', _no_column),
        (r'Table "(?P<table>[^"]+)" does not have a column named "(?P<name>[^"]+)"', _no_column_of),
        (r'Referenced table "(?P<name>[^"]+)" not found', _no_table),
        (r'Column "(?P<name>[^"]+)" does not exist on \w+ side of join', _not_on_both),
        (r'Ambiguous reference to column name "(?P<name>[^"]+)" \(use: (?P<ways>[^)]*)\)', _ambiguous),
        (r'column "?(?P<name>[^" ]+)"? must appear in the GROUP BY clause', _not_grouped),
        (r"argument types '(?P<name>[^(]+)\((?P<types>.*?)\)'", _no_call),
        (r"Cannot (?P<doing>compare|mix) values of type (?P<left>.+?) and (?:type )?(?P<right>.+?)(?: in | - |$)", _mixed),
        (r"Unimplemented type for cast \((?P<left>.+?) -> (?P<right>[^)]+(?:\([^)]*\))?)\)", _no_cast),
        (r"Set operations can only apply",
         _always("types_do_not_fit", "the queries of a `union` have different numbers of columns", "give each the same columns")),
        (r"WHERE clause cannot contain aggregates",
         _always("aggregate_in_condition", "an aggregate cannot stand after `where`", "write it after `having`")),
        (r"WHERE clause cannot contain window",
         _always("window_function", "a window cannot stand after `where`", "write it after `qualify`")),
        (r"Window functions are not supported here|Scalar Function with name (?:lag|lead|row_number|rank|dense_rank|first_value|last_value) ",
         _always("window_function", "a function of a window stands without `over`", "write for example `lag(x) over (order by day)`")),
        (r"at least one window function must appear",
         _always("window_function", "`qualify` needs a window", "write the condition after `where`")),
        (r"Subquery returns (\d+) columns",
         _always("types_do_not_fit", "a query in brackets gives {} columns, and one is needed", "select one column in it")),
        (r"Unknown TimeZone '([^']*)'",
         _always("unknown_timezone", "`{}` is not a time zone", "write a place, such as Europe/Paris")),
        (r'extract specifier "([^"]*)" not recognized',
         _always("bad_date_part", "'{}' is not a part of a date", "write day, week, month, quarter, year, hour, minute or second")),
        (r"Invalid LIST argument during lambda|Cannot extract field '[^']*' from expression",
         _always("types_do_not_fit", "`lookup` reads a list of records, and finds none here", "name a column with repeated records; a list that is kept as text is none")),
        (r'Could not find key "([^"]*)" in struct',
         _always("types_do_not_fit", "the record has no field `{}`", "name one of its fields")),
        (r"Failed to parse format specifier ([^:]*):",
         _always("bad_format", "`{}` is not the format of a date or time", "for example '%Y-%m-%d %H:%M:%S'")),
    )
)  # fmt: skip
