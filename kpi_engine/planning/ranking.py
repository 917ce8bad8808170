"""What a request asks of its answer beside the numbers: the first members and the others, ranks, shares of a total."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kpi_engine.errors import RequestError, nearest, shown
from kpi_engine.planning.arguments import mapping_of, names_of, refuse_doubles, text_of

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_MEMBERS = 1_000
"""So many members may be kept apart from the others."""
POSITION = "__position"
"""The column of a plan of first members that holds the position of each."""
TOP = "__top"
"""The table of these members; no table of a project is likely to be called so."""
_KEYS = ("first", "of", "by", "others", "lowest")
_EXAMPLE = "top={'first': 5, 'of': 'channel', 'by': 'visits', 'others': True}"


@dataclass(frozen=True)
class FirstMembers:
    """The `first` members of the dimension `of` in the order of the KPI `by`; with `others` all others are one row.

    `lowest` says from which end they are counted; None leaves that to what the KPI calls better.
    """

    of: str
    first: int
    by: str
    others: bool = False
    lowest: bool | None = None

    @property
    def position(self) -> str:
        """Name the column that holds which of the first members a row belongs to, nothing for the others."""
        return others_of(self.of)


@dataclass(frozen=True)
class Standing:
    """A KPI looked at among the members of the dimensions `over`, within those of the other dimensions of the split."""

    kpi: str
    over: frozenset[str]


def others_of(dimension: str) -> str:
    """Name the column that says whether a row is that of the others.

    >>> others_of("channel")
    'channel__others'
    """
    return f"{dimension}__others"


def rank_of(kpi_id: str) -> str:
    """Name the column of a KPI's rank.

    >>> rank_of("visits")
    'visits__rank'
    """
    return f"{kpi_id}__rank"


def share_of(kpi_id: str) -> str:
    """Name the column of a KPI's share of the total.

    >>> share_of("visits")
    'visits__share'
    """
    return f"{kpi_id}__share"


def with_position(split: tuple[str, ...], top: FirstMembers | None) -> tuple[str, ...]:
    """Split by position too where first members are told apart from the others, which the unknown member need not belong to."""
    if top is None:
        return split
    return tuple(each for name in split for each in ((name, top.position) if name == top.of else (name,)))


def read_first(value: object, kpis: Sequence[str], split: Sequence[str]) -> FirstMembers | None:
    """Read `5`, or `{first: 5, of: channel, by: visits, others: true, lowest: false}`; None is nothing."""
    if value is None:
        return None
    said: Mapping[str, Any] = mapping_of(value, "top", _EXAMPLE) if isinstance(value, Mapping) else {"first": value}
    if unknown := next((key for key in said if key not in _KEYS), None):
        raise RequestError(f"{shown(unknown)} is not known in `top`", code="bad_top", hint=nearest(unknown, _KEYS))
    for key in ("others", "lowest"):
        if not isinstance(said.get(key), bool | None):
            message = f"`{key}` of `top` is true or false, not {shown(said[key])}"
            raise RequestError(message, code="bad_top", hint=f"for example {_EXAMPLE}")
    of = _dimension(text_of(said.get("of"), "of", "of='channel'"), split)
    by = text_of(said.get("by"), "by", "by='visits'") or (kpis[0] if kpis else "")
    return FirstMembers(of, _number(said.get("first")), by, bool(said.get("others")), said.get("lowest"))


def _number(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST_MEMBERS:
        return value
    given = shown(value) if isinstance(value, str) else f"{value!r:.40}"
    message = f"the first members are a whole number from 1 to {MOST_MEMBERS:,}, not {given}"
    message = "`top` does not say how many members are the first" if value is None else message
    raise RequestError(message, code="bad_top", hint="for example 5; `limit` keeps rows, of which there may be more")


def _dimension(written: str | None, split: Sequence[str]) -> str:
    if written is None and len(split) == 1:
        return split[0]
    if not split:
        message = "`top` keeps members of a dimension, and the answer is not split by any"
        raise RequestError(message, code="bad_top", hint="give `by`")
    if written is None:
        message = f"`top` does not say of which dimension, and the answer is split by {' and '.join(map(shown, split))}"
        raise RequestError(message, code="bad_top", hint="name one in `of`")
    if written not in split:
        message = f"`top` keeps members of {shown(written)}, by which the answer is not split"
        raise RequestError(message, code="bad_top", hint=nearest(written, split))
    return written


def read_standings(argument: str, value: object, kpis: Sequence[str], split: Sequence[str]) -> tuple[Standing, ...]:
    """Read KPIs, or `{KPI: dimensions}` where not all dimensions of the split are meant."""
    example = f"{argument}=['visits'] or {argument}={{'visits': ['channel']}}"
    asked = (
        {kpi: names_of(over, argument, example) for kpi, over in value.items()}
        if isinstance(value, Mapping)
        else {kpi: tuple(split) for kpi in _once(argument, names_of(value, argument, example))}
    )
    for kpi, over in asked.items():
        if kpi not in kpis:
            message = f"`{argument}` names {shown(kpi)}, which is not among the KPIs of the answer"
            raise RequestError(message, code="unknown_column", hint=nearest(str(kpi), kpis))
        refuse_doubles(argument, over)
        if lacking := next((name for name in over if name not in split), None):
            message = f"`{argument}` of `{kpi}` goes over {shown(lacking)}, by which the answer is not split"
            raise RequestError(message, code="missing_dimension", hint=nearest(lacking, split) or "give `by`")
        if not over:
            lacking = "it goes over no dimension" if split else "the answer is not split by any"
            message = f"`{argument}` of `{kpi}` is among members of a dimension, and {lacking}"
            raise RequestError(message, code="split_needed", hint="name one" if split else "give `by`")
    return tuple(Standing(kpi, frozenset(over)) for kpi, over in asked.items())


def _once(argument: str, names: tuple[str, ...]) -> tuple[str, ...]:
    refuse_doubles(argument, names)
    return names
