"""The functions that a text calls: each is on the list, stands where it may, and has the arguments it takes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from kpi_engine.errors import nearest, shown
from kpi_engine.formula import functions
from kpi_engine.formula.words import CLOSING, OPENING, VALUES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from kpi_engine.formula.functions import Function
    from kpi_engine.formula.mistakes import Kind, Mistake
    from kpi_engine.formula.words import Word

_NO_CALL = frozenset({
    "and", "or", "not", "in", "is", "when", "then", "else", "case", "between", "filter", "where", "distinct", "from", "end", "null",
    "true", "false", "as", "select", "join", "on", "using", "having", "qualify", "over", "values", "by", "order by", "group by",
    "partition by", "union", "all", "except", "intersect", "limit", "offset", "with", "exists", "lateral", "any", "some", "interval",
    "materialized", "inner", "outer", "cross", "window", "like", "ilike", "exclude",
})  # fmt: skip
"""Words before a bracket that call nothing."""
_ALIKE = 0.7
"""How much alike two functions are at least of which one may be meant: many have short names, and `query` is not `upper`."""


@dataclass(frozen=True)
class Call:
    """A name with brackets after it: `inside` are the words between them."""

    name: Word
    before: Word | None
    inside: tuple[Word, ...]
    end: Word

    @property
    def given(self) -> int:
        """How many arguments it has."""
        depth = commas = 0
        for word in self.inside:
            depth += (word.text in OPENING) - (word.text in CLOSING)
            commas += word.text == "," and depth == 0
        return commas + 1 if self.inside else 0

    @property
    def is_distinct(self) -> bool:
        """Whether `distinct` stands before its arguments."""
        return bool(self.inside) and self.inside[0].low == "distinct"


def mistakes(found: Sequence[Word], kind: Kind) -> Iterator[Mistake]:
    """Every function is on the list, and has the arguments it takes; a bracket that is not closed is said elsewhere."""
    known = allowed(kind)
    for call in _calls(found, kind):
        name, before = call.name, call.before.low if call.before is not None else ""
        if before == ".":
            hint = f"functions stand alone: `{name.low}(…)`"
            yield name.mistake("unknown_function", f"a function has no name before it, as `{name.text}` has here", hint)
        elif kind == "query" and before in {"from", "join"}:
            yield _in_place_of_table(name, is_known=name.low in known)
        elif name.low not in known:
            yield _unknown(name, kind)
        elif (mistake := _arguments(call, known[name.low], kind)) is not None:
            yield mistake


def _calls(found: Sequence[Word], kind: Kind) -> Iterator[Call]:
    for position, word in enumerate(found[:-1]):
        if found[position + 1].text != "(" or word.low in _NO_CALL or not (word.is_word or word.kind == "IDENTIFIER"):
            continue
        before = found[position - 1] if position else None
        close = _closing(found, position + 1)
        is_type = before is not None and (before.text == "::" or before.low == "as")
        if close is None or is_type or (kind == "query" and _names_columns(before, found[close + 1 : close + 3])):
            continue
        yield Call(
            word, None if _is_compared(found, position) else before, tuple(found[position + 2 : close]), found[close]
        )


def _is_compared(found: Sequence[Word], position: int) -> bool:
    """Whether the `from` before a function names no table: `x is distinct from f(y)`, `extract(year from f(y))`."""
    before = [word.low for word in found[max(0, position - 4) : position]]
    return before[-2:] == ["distinct", "from"] or (before[-1:] == ["from"] and before[:2] == ["extract", "("])


def _names_columns(before: Word | None, after: Sequence[Word]) -> bool:
    """Whether a name with brackets is a table's name with those of its columns: `with t(a, b) as (…)`, `(values …) t(a, b)`."""
    if before is not None and (before.low in {"with", "recursive"} or before.text == ")" or before.kind in VALUES):
        return True
    return [word.low for word in after] == ["as", "("]


def _closing(found: Sequence[Word], opening: int) -> int | None:
    depth = 0
    for position in range(opening, len(found)):
        depth += (found[position].text in OPENING) - (found[position].text in CLOSING)
        if depth == 0:
            return position
    return None


def _in_place_of_table(name: Word, *, is_known: bool) -> Mistake:
    hint = "read files in a source, and name its tables here"
    if is_known:
        return name.mistake("table_function", f"`{name.low}` is a function, and a table stands here", hint)
    return name.mistake("unknown_function", f"`{name.low}` is not a function of this language", hint)


def _unknown(name: Word, kind: Kind) -> Mistake:
    if kind == "condition" and name.low in allowed("formula"):
        message = f"`{name.low}` aggregates rows, and a condition looks at one row"
        return name.mistake("aggregate_in_condition", message, "put it into the formula of a KPI")
    if kind != "query" and name.low in allowed("query"):
        message = f"`{name.low}` stands only in the query of a dataset"
        return name.mistake("unknown_function", message, "compute it as a column of a dataset with `sql:`")
    close = nearest(name.low, allowed(kind), alike=_ALIKE)
    near = close if close.startswith("did") else "docs/reference/functions.md lists all functions"
    message = f"{shown(name.text, 80)} is not a function of this language"
    return name.mistake("unknown_function", message, functions.MEANT.get(name.low, near))


def _arguments(call: Call, listed: Sequence[Function], kind: Kind) -> Mistake | None:
    name = call.name.low
    least = min(function.arity[0] for function in listed)
    most = max(function.arity[1] for function in listed)
    if call.is_distinct and call.given <= most and name != "count" and kind != "query":
        message, hint = "`distinct` stands only in `count(distinct x)`", f"leave it out: `{name}(x)`"
        return call.name.mistake("bad_distinct", message, hint, call.end)
    if least <= call.given <= most:
        return None
    message = f"`{name}` takes {_range(least, most)}, and has {_number(call.given)} here"
    return call.name.mistake("bad_arguments", message, _written(listed[0], call.given), call.end)


def _written(function: Function, given: int) -> str:
    """Say how a function is written instead."""
    if function.name == "count":
        return "count rows with `count(rows)`, or the different values of one column with `count(distinct x)`"
    if function.name in {"min", "max"} and given > 1:
        return f"of several values in one row: `{'least' if function.name == 'min' else 'greatest'}(x, y)`"
    return f"write `{function.call.replace('[', '').replace(']', '')}`"


def _range(least: int, most: int) -> str:
    if least == most:
        return f"{_number(least)} value{'' if least == 1 else 's'}"
    return f"{_number(least)} or {_number(most)} values" if most == least + 1 else f"at least {_number(least)} values"


def _number(count: int) -> str:
    return ("none", "one", "two", "three")[count] if count < 4 else str(count)  # noqa: PLR2004


@cache
def allowed(kind: Kind) -> Mapping[str, Sequence[Function]]:
    """Give the functions that a text of this kind may use, by name; `count` is listed twice."""
    lists = {
        "formula": (functions.AGGREGATES, functions.SCALARS),
        "condition": (functions.SCALARS,),
        "query": (functions.AGGREGATES, functions.SCALARS, functions.DATASET_FUNCTIONS),
    }[kind]
    found: dict[str, list[Function]] = {}
    for function in (each for group in lists for each in group):
        found.setdefault(function.name, []).append(function)
    return MappingProxyType(found)
