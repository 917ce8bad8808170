"""Trees written as text, as the dialect writes them; what stands in a statement most often takes a shorter way to the same text."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB

_OWN = frozenset({"this", "table"})
"""What a column has that stands in a table of the statement."""
_CAST, _COALESCE, _BINARY = (frozenset({"this", each}) for each in ("to", "expressions", "expression"))
"""What the plain form of each has."""


class Writer(DuckDB.Generator):  # type: ignore[valid-type,misc]  # a class that its dialect names
    """Writes names, columns, literals and operators, and what is made of them most, without looking for what they are not."""

    def sql(self, expression: Any, key: str | None = None, comment: bool = True) -> str:  # noqa: ANN401, FBT001, FBT002 - as it is called
        """Write a node, or one of the values that it holds."""
        node = expression.args.get(key) if key and expression else expression
        write = self._dispatch.get(type(node))
        if write is None or self.comments:
            return str(super().sql(expression, key, comment))
        return write(self, node)  # type: ignore[no-any-return]

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

    def alias_sql(self, expression: exp.Alias) -> str:
        """Write a value and its name."""
        args = expression.args
        if type(args.get("alias")) is not exp.Identifier:
            return str(super().alias_sql(expression))
        return f"{self.sql(args['this'])} AS {self.identifier_sql(args['alias'])}"

    def datatype_sql(self, expression: exp.DataType) -> str:
        """Write a type."""
        args = expression.args
        if args["this"] is exp.DType.DOUBLE and len(args) == 1:
            return "DOUBLE"
        return str(super().datatype_sql(expression))

    def literal_sql(self, expression: exp.Literal) -> str:
        """Write a number or a text."""
        args = expression.args
        if not args["is_string"]:
            return str(args["this"])
        text = args["this"]
        return str(super().literal_sql(expression)) if self.pretty or "'" in text else f"'{text}'"

    def paren_sql(self, expression: exp.Paren) -> str:
        """Write what stands in brackets."""
        return str(super().paren_sql(expression)) if self.pretty else f"({self.sql(expression.args['this'])})"

    def cast_sql(self, expression: exp.Cast, safe_prefix: str | None = None) -> str:
        """Write a cast."""
        args = expression.args
        if safe_prefix or not args.keys() <= _CAST:
            return str(super().cast_sql(expression, safe_prefix))
        return f"CAST({self.sql(args['this'])} AS {self.sql(args['to'])})"

    def coalesce_sql(self, expression: exp.Coalesce) -> str:
        """Write a choice of the first known value."""
        args = expression.args
        if self.pretty or not args.keys() <= _COALESCE:
            return str(self.function_fallback_sql(expression))
        return f"COALESCE({', '.join(map(self.sql, (args['this'], *args['expressions'])))})"

    def binary(self, expression: exp.Binary, op: str) -> str:
        """Write an operator between two values; a chain of one is written as the dialect does, however long it is."""
        args, kind = expression.args, type(expression)
        if kind is exp.Is or args.keys() != _BINARY or kind in (type(args["this"]), type(args["expression"])):
            return str(super().binary(expression, op))
        return f"{self.sql(args['this'])} {op} {self.sql(args['expression'])}"


@cache
def writer() -> type[Any]:
    """Give what writes trees; where sqlglot is compiled (`sqlglot[c]`) that is the dialect's own writer, of which nothing can be made."""
    try:
        Writer()
    except TypeError:
        return DuckDB.Generator
    return Writer
