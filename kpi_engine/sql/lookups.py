"""How a value is found in a list of records."""

from __future__ import annotations

from sqlglot import exp

from kpi_engine.formula.trees import identifier, integer

_RECORD = "r"


def found(lookup: exp.Anonymous) -> exp.Expr:
    """Give the value at a path of the first record of a list whose field is a text."""
    records, field, text, path = lookup.expressions
    of_record = exp.Column(this=identifier(str(field.this)), table=identifier(_RECORD))
    is_it = exp.Lambda(this=exp.EQ(this=of_record, expression=text), expressions=[identifier(_RECORD)], colon=True)
    fitting = exp.Anonymous(this="list_filter", expressions=[records, is_it])
    value: exp.Expr = exp.Anonymous(this="list_extract", expressions=[fitting, integer(1)])
    for part in str(path.this).split("."):
        value = exp.Anonymous(this="struct_extract", expressions=[value, exp.Literal.string(part)])
    return value
