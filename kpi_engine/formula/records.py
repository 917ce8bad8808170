"""Values out of lists of records: `lookup(event_params, 'key', 'ga_session_id', 'value.int_value')`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeGuard

from sqlglot import exp

from kpi_engine.formula.mistakes import Mistake
from kpi_engine.formula.positions import span

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "lookup"
_FIELD = re.compile(r"[^\W\d]\w*")
_TEXTS = 3
_EXAMPLE = "for example lookup(event_params, 'key', 'ga_session_id', 'value.int_value')"


def is_lookup(node: exp.Expr) -> TypeGuard[exp.Anonymous]:
    """Whether a node looks a value up in a list of records."""
    return type(node) is exp.Anonymous and str(node.this).lower() == NAME


def objections(node: exp.Expr) -> Iterator[Mistake]:
    """Find what is wrong with what a lookup looks for: fixed texts, of which the field and the path are names."""
    if not is_lookup(node):
        return
    _, *said = node.expressions or [node]
    if len(said) != _TEXTS or not all(isinstance(each, exp.Literal) and each.is_string for each in said):
        message = "`lookup` takes a list and three texts in quotes"
        yield Mistake("bad_lookup", message, *span(node), _EXAMPLE)
        return
    for each, parts in ((said[0], [said[0].this]), (said[2], str(said[2].this).split("."))):
        if not all(_FIELD.fullmatch(str(part)) for part in parts):
            message = f"`{str(each.this)[:40]}` is not the name of a field"
            yield Mistake("bad_lookup", message, *span(each), _EXAMPLE)
