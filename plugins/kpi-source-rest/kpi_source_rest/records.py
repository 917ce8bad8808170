"""Records of an answer: found in it, made flat, and turned into columns without losing a digit."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ABSENT: Final = object()
_LARGEST = 2**63
_EXACT = 2**53
"""Up to here a floating-point number holds every whole number."""


def parsed(body: bytes) -> Any:  # noqa: ANN401 - JSON
    """Read JSON; numbers with a point stay exact. Raises `ValueError` where it is none."""
    try:
        return json.loads(body, parse_float=Decimal, parse_constant=_refused)
    except RecursionError as error:
        message = "it is nested too deeply"
        raise ValueError(message) from error


def found(value: Any, path: str) -> Any:  # noqa: ANN401
    """Give what stands at a path such as `data.items` or `pages.0.next`; `ABSENT` where nothing does. `$` is the whole.

    >>> found({"data": {"items": [1, 2]}}, "data.items.1")
    2
    """
    for step in path.removeprefix("$").strip(".").replace("[", ".").replace("]", "").split("."):
        if step == "":
            continue
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return ABSENT
    return value


def column_name(path: str) -> str:
    """Give the name of the column that what stands at a path of a record has."""
    return path.removeprefix("$").strip(".").replace(".", "__")


def flat(record: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Make a record flat: what stands in a structure gets a column of its own; a list stays one value.

    >>> flat({"id": 1, "properties": {"email": "a@b.c"}})
    {'id': 1, 'properties__email': 'a@b.c'}
    """
    made: dict[str, Any] = {}
    for name, value in record.items():
        if isinstance(value, dict) and value:
            inner = flat(value, f"{above}{name}__")
        else:
            inner = {f"{above}{name}": None if value == {} else value}
        if twice := made.keys() & inner.keys():
            raise ValueError(min(twice))
        made |= inner
    if not above and len({each.casefold() for each in made}) < len(made):
        seen: dict[str, str] = {}
        raise ValueError(next(each for each in made if seen.setdefault(each.casefold(), each) != each))
    return made


def arrow(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str]) -> Any:  # noqa: ANN401 - an Arrow table
    """Make a table of flat records.

    A column whose type is declared is given as text, exactly as it came, and read as that type by the engine. Of any other the type is
    that of its values; one without a value in any record is left out, as nothing is known of it.
    """
    from arro3.core import Array, DataType, Table

    types = {
        "BOOLEAN": DataType.bool(),
        "BIGINT": DataType.int64(),
        "DOUBLE": DataType.float64(),
        "VARCHAR": DataType.string(),
    }
    arrays: dict[str, Any] = {}
    for name in dict.fromkeys(name for row in rows for name in row):
        values = [row.get(name) for row in rows]
        kind = "VARCHAR" if name in columns else kind_of(values)
        if kind:
            arrays[name] = Array([None if value is None else _as(kind, value) for value in values], types[kind])
    return Table.from_pydict(arrays)


def kind_of(values: Sequence[Any]) -> str:
    """Give the type that holds values without changing one; empty where there is none.

    >>> kind_of([1, None, Decimal("1.5")]), kind_of([1, "x"]), kind_of([None]), kind_of([2**70])
    ('DOUBLE', 'VARCHAR', '', 'VARCHAR')
    """
    kinds = {type(value) for value in values if value is not None}
    if not kinds:
        return ""
    if kinds == {bool}:
        return "BOOLEAN"
    if kinds == {int}:
        return "BIGINT" if all(-_LARGEST <= value < _LARGEST for value in values if value is not None) else "VARCHAR"
    if kinds <= {int, Decimal}:
        whole = all(abs(value) <= _EXACT for value in values if isinstance(value, int))
        finite = all(abs(float(value)) != float("inf") for value in values if isinstance(value, Decimal))
        return "DOUBLE" if whole and finite else "VARCHAR"
    return "VARCHAR"


def place(value: Any) -> Any:  # noqa: ANN401
    """Give what a value is put in order by: a time, a number, or the text itself.

    >>> place("2026-01-05T10:00:00+02:00") < place("2026-01-05T09:00:00Z"), place("9") < place(10)
    (True, True)
    """
    if not isinstance(value, str):
        return value
    try:
        moment = datetime.fromisoformat(value)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    except ValueError:
        pass
    try:
        return Decimal(value)
    except InvalidOperation:
        return value


def _as(kind: str, value: Any) -> Any:  # noqa: ANN401
    if kind == "DOUBLE":
        return float(value)
    if kind != "VARCHAR":
        return value
    if isinstance(value, str):
        return whole(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return whole(written(value)) if isinstance(value, list | dict) else str(value)


def whole(text: str) -> str:
    r"""Give a text that can be kept: half a character, as a text has that was cut within one, becomes the sign for an unknown one.

    >>> whole("cut \ud83d") == "cut \ufffd"
    True
    """
    return text if text.isascii() else text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def written(value: Any) -> str:  # noqa: ANN401
    """Write a list as JSON, each number with the digits it came with."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k, ensure_ascii=False)}: {written(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(written(each) for each in value) + "]"
    return str(value) if isinstance(value, Decimal) else json.dumps(value, ensure_ascii=False)


def _refused(constant: str) -> None:
    message = f"{constant} is no number in JSON"
    raise ValueError(message)
