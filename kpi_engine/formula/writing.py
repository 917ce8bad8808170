"""Trees written as text, as the dialect writes them; what stands in a statement most often takes a shorter way to the same text."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB

_OWN = frozenset({"this", "table"})
"""What a column has that stands in a table of the statement."""


class Writer(DuckDB.Generator):  # type: ignore[valid-type,misc]  # a class that its dialect names
    """Writes quoted names, columns of them, and the type of floating-point numbers without looking for what they are not."""

    def identifier_sql(self, expression: exp.Identifier) -> str:
        """Write a name."""
        name = expression.args["this"]
        if expression.args.get("quoted") and '"' not in name and not self.pretty:
            return f'"{name}"'
        return str(super().identifier_sql(expression))

    def column_sql(self, expression: exp.Column) -> str:
        """Write a column, with its table where it has one."""
        args = expression.args
        if type(args["this"]) is not exp.Identifier or not args.keys() <= _OWN:
            return str(super().column_sql(expression))
        name, table = self.identifier_sql(args["this"]), args.get("table")
        return f"{self.identifier_sql(table)}.{name}" if table else name

    def datatype_sql(self, expression: exp.DataType) -> str:
        """Write a type."""
        args = expression.args
        if args["this"] is exp.DType.DOUBLE and len(args) == 1:
            return "DOUBLE"
        return str(super().datatype_sql(expression))


@cache
def writer() -> type[Any]:
    """Give what writes trees; where sqlglot is compiled (`sqlglot[c]`) that is the dialect's own writer, of which nothing can be made."""
    try:
        Writer()
    except TypeError:
        return DuckDB.Generator
    return Writer
