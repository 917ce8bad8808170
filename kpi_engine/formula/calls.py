"""The functions that a text calls: each is on the list, stands where it may, and has the arguments it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kpi_engine.errors import nearest
from kpi_engine.formula import functions
from kpi_engine.formula.mistakes import Mistake
from kpi_engine.formula.words import CLOSING, OPENING, VALUES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from kpi_engine.formula.functions import Function
    from kpi_engine.formula.mistakes import Kind
    from kpi_engine.formula.words import Word

_NO_CALL = frozenset({
    "and", "or", "not", "in", "is", "when", "then", "else", "case", "between", "filter", "where", "distinct", "from", "end", "null",
    "true", "false", "as", "select", "join", "on", "using", "having", "qualify", "over", "values", "by", "order by", "group by",
    "partition by", "union", "all", "except", "intersect", "limit", "offset", "with", "exists", "lateral", "any", "some", "interval",
    "materialized", "inner", "outer", "cross", "window", "like", "ilike", "exclude",
})  # fmt: skip
"""Words before a bracket that call nothing."""


def mistakes(found: Sequence[Word], kind: Kind) -> Iterator[Mistake]:
    """Every function is on the list, and has the arguments it takes."""
    known = allowed(kind)
    for position in _called(found, kind):
        word = found[position]
        before = found[position - 1].low if position else ""
        if before == ".":
            yield _with_schema(found, position)
            continue
        if kind == "query" and before in {"from", "join"}:
            yield _table_function(word, known)
            continue
        if word.low not in known:
            yield _unknown_function(word, kind)
            continue
        given, distinct = _arguments(found, position + 1)
        if given is None:
            continue
        arities = [each.arity for each in known[word.low]]
        low, high = min(a for a, _ in arities), max(b for _, b in arities)
        if not low <= given <= high:
            yield _bad_arguments(word, given, known[word.low][0], found)
        elif distinct and word.low != "count" and kind != "query":
            close = found[_closing(found, position + 1) or position]
            hint = f"leave it out: `{word.low}(x)`"
            yield Mistake(
                "bad_distinct",
                "`distinct` stands only in `count(distinct x)`",
                word.start,
                close.end - word.start,
                hint,
            )


def _called(found: Sequence[Word], kind: Kind) -> Iterator[int]:
    """Go through the positions of words that call a function."""
    for position, word in enumerate(found[:-1]):
        if found[position + 1].text != "(" or word.low in _NO_CALL or not (word.is_word or word.kind == "IDENTIFIER"):
            continue
        before = found[position - 1] if position else None
        if before is not None and (before.text == "::" or before.low == "as"):
            continue
        if kind == "query" and _names_columns(found, position, before):
            continue
        yield position


def _names_columns(found: Sequence[Word], position: int, before: Word | None) -> bool:
    """Whether a name with brackets is a table's name with those of its columns: `with t(a, b) as`, `(values …) t(a, b)`."""
    if before is not None and (before.low in {"with", "recursive"} or before.text == ")" or before.kind in VALUES):
        return True
    close = _closing(found, position + 1)
    return (
        close is not None and close + 2 < len(found) and found[close + 1].low == "as" and found[close + 2].text == "("
    )


def _closing(found: Sequence[Word], opening: int) -> int | None:
    depth = 0
    for position in range(opening, len(found)):
        depth += (found[position].text in OPENING) - (found[position].text in CLOSING)
        if depth == 0:
            return position
    return None


def _arguments(found: Sequence[Word], opening: int) -> tuple[int | None, bool]:
    """Count the arguments between brackets, and say whether `distinct` stands before them; None where the bracket is not closed."""
    close = _closing(found, opening)
    if close is None:
        return None, False
    inside = found[opening + 1 : close]
    depth = commas = 0
    for word in inside:
        depth += (word.text in OPENING) - (word.text in CLOSING)
        commas += word.text == "," and depth == 0
    return (commas + 1 if inside else 0), bool(inside) and inside[0].low == "distinct"


def _table_function(word: Word, known: Mapping[str, object]) -> Mistake:
    hint = "read files in a source, and name its tables here"
    if word.low in known:
        return Mistake(
            "table_function", f"`{word.low}` is a function, and a table stands here", word.start, len(word.text), hint
        )
    return Mistake(
        "unknown_function", f"`{word.low}` is not a function of this language", word.start, len(word.text), hint
    )


def _with_schema(found: Sequence[Word], position: int) -> Mistake:
    start = found[position - 2].start if position > 1 else found[position - 1].start
    word = found[position]
    written = "".join(each.text for each in found[max(0, position - 2) : position + 1])
    hint = f"functions stand alone: `{word.low}(…)`"
    return Mistake("unknown_function", f"`{written}` is not a function of this language", start, word.end - start, hint)


def _unknown_function(word: Word, kind: Kind) -> Mistake:
    name = word.low
    if kind == "condition" and name in allowed("formula"):
        message = f"`{name}` aggregates rows, and a condition looks at one row"
        return Mistake(
            "aggregate_in_condition", message, word.start, len(word.text), "put it into the formula of a KPI"
        )
    message = f"`{word.text}` is not a function of this language"
    if kind != "query" and name in allowed("query"):
        message = f"`{name}` stands only in the query of a dataset"
        hint = "compute it as a column of a dataset with `sql:`"
    else:
        close = nearest(name, allowed(kind))
        hint = functions.MEANT.get(name) or (
            close if close.startswith("did") else "docs/reference/functions.md lists all functions"
        )
    return Mistake("unknown_function", message, word.start, len(word.text), hint)


def _bad_arguments(word: Word, given: int, function: Function, found: Sequence[Word]) -> Mistake:
    low, high = function.arity
    takes = (
        _number(low)
        if low == high
        else f"{_number(low)} or {_number(high)}"
        if high == low + 1
        else f"at least {_number(low)}"
    )
    message = f"`{word.low}` takes {takes} value{'' if (low, high) == (1, 1) else 's'}, and has {_number(given)} here"
    hint = f"write `{function.call.replace('[', '').replace(']', '')}`"
    if word.low in {"min", "max"} and given > 1:
        hint = f"of several values in one row: `{'least' if word.low == 'min' else 'greatest'}(x, y)`"
    if word.low == "count":
        hint = "count rows with `count(rows)`, or the different values of one column with `count(distinct x)`"
    opening = next(position for position, each in enumerate(found) if each is word) + 1
    close = _closing(found, opening)
    end = found[close].end if close is not None else word.end
    return Mistake("bad_arguments", message, word.start, end - word.start, hint)


def _number(count: int) -> str:
    return ("none", "one", "two", "three")[count] if count < 4 else str(count)  # noqa: PLR2004


def allowed(kind: Kind) -> dict[str, list[Function]]:
    """Give the functions that a text of this kind may use, by name; `count` is listed twice."""
    lists = {
        "formula": (functions.AGGREGATES, functions.SCALARS),
        "condition": (functions.SCALARS,),
        "query": (functions.AGGREGATES, functions.SCALARS, functions.DATASET_FUNCTIONS),
    }[kind]
    found: dict[str, list[Function]] = {}
    for function in (each for group in lists for each in group):
        found.setdefault(function.name, []).append(function)
    return found
