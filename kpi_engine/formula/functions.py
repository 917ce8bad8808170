"""The published lists of functions: what a formula or condition may use, and what a dataset's query may use beyond that.

Both lists are data, so that the reference page and the gate can never disagree. A function is here when its value is the same on
every engine we know, and when its result is no larger than its inputs.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Function:
    """One entry: how it is written, the sqlglot node it is read into, and what it does."""

    call: str
    node: str
    meaning: str

    @property
    def name(self) -> str:
        """The bare name."""
        return self.call.partition("(")[0].strip()


AGGREGATES = (
    Function("sum(x)", "Sum", "the sum of the known values; over no rows 0, or unknown with `empty: unknown`"),
    Function("count(rows)", "Count", "how many rows an input has; `count(x)` of a column counts its known values"),
    Function("count(distinct x)", "Count", "how many different known values"),
    Function("count_if(condition)", "CountIf", "how many rows the condition is true for"),
    Function("avg(x)", "Avg", "the average of the known values"),
    Function("min(x)", "Min", "the smallest known value"),
    Function("max(x)", "Max", "the largest known value"),
    Function("median(x)", "Median", "the middle value, halfway between the two middle ones of an even number"),
    Function("quantile_cont(x, p)", "PercentileCont", "the value below which the fraction p of the values lies, interpolated"),
    Function("quantile_disc(x, p)", "PercentileDisc", "the smallest value that at least the fraction p of the values does not exceed"),
    Function("stddev(x)", "Stddev", "the standard deviation of a sample"),
)
"""What stands in a formula and turns rows into a value; each may be followed by `filter (where condition)`."""

SCALARS = (
    Function("coalesce(x, y, …)", "Coalesce", "the first known value"),
    Function("nullif(x, y)", "Nullif", "unknown where x equals y, else x"),
    Function("abs(x)", "Abs", "without the sign"),
    Function("round(x, digits)", "Round", "rounded half away from zero"),
    Function("floor(x)", "Floor", "the whole number at or below"),
    Function("ceil(x)", "Ceil", "the whole number at or above"),
    Function("sign(x)", "Sign", "-1, 0 or 1"),
    Function("sqrt(x)", "Sqrt", "the square root; unknown for a negative number"),
    Function("exp(x)", "Exp", "e to the power of x"),
    Function("ln(x)", "Ln", "the natural logarithm; unknown at zero and below"),
    Function("log10(x)", "Log", "the decimal logarithm; unknown at zero and below"),
    Function("power(x, y)", "Pow", "x to the power of y"),
    Function("least(x, y, …)", "Least", "the smallest of the known values"),
    Function("greatest(x, y, …)", "Greatest", "the largest of the known values"),
    Function("lower(x)", "Lower", "in small letters"),
    Function("upper(x)", "Upper", "in capitals"),
    Function("trim(x)", "Trim", "without blanks at both ends"),
    Function("length(x)", "Length", "how many characters"),
    Function("contains(x, y)", "Contains", "whether text x holds text y"),
    Function("starts_with(x, y)", "StartsWith", "whether text x begins with text y"),
    Function("ends_with(x, y)", "EndsWith", "whether text x ends with text y"),
    Function("date_diff('hour', x, y)", "DateDiff", "how many second, minute or hour boundaries lie between two instants"),
    Function("cast(x as type)", "Cast", "as another type: bigint, double, decimal(p,s), varchar, boolean, date, timestamp"),
    Function("if(condition, x, y)", "If", "short for case when … then … else … end"),
)
"""What stands in formulas, conditions and dimensions, and turns one value into another."""

OPERATORS = (
    "+ - * /", "= <> < <= > >=", "and or not", "is null, is not null, is true, is distinct from",
    "in (…), between … and …", "case when … then … else … end", "date '2026-01-31', timestamp '2026-01-31 12:00:00'",
)  # fmt: skip
"""A division by zero is unknown, and a division is always exact: 1 / 2 is 0.5."""

SYNTAX_NODES = frozenset({
    "Add", "Sub", "Mul", "Div", "Neg", "Paren", "EQ", "NEQ", "GT", "GTE", "LT", "LTE", "And", "Or", "Not", "Is", "NullSafeEQ",
    "NullSafeNEQ", "In", "Between", "Case", "Literal", "Boolean", "Null", "Column", "Identifier", "Placeholder", "DataType",
    "DataTypeParam", "Star", "Distinct", "Filter", "Where", "Var",
})  # fmt: skip
"""Nodes of the syntax tree that are no function."""

CAST_TYPES = frozenset({
    "TINYINT", "SMALLINT", "INT", "BIGINT", "FLOAT", "DOUBLE", "DECIMAL", "VARCHAR", "TEXT", "BOOLEAN", "DATE", "TIMESTAMP", "TIMESTAMPTZ",
})  # fmt: skip
"""Types that a value may be cast to."""

DATASET_FUNCTIONS = (
    Function("date_trunc('unit', x)", "DateTrunc", "the start of the unit that x lies in"),
    Function("timestamp_trunc(x, unit)", "TimestampTrunc", "the same, as DuckDB reads it"),
    Function("date_diff('unit', x, y)", "DateDiff", "how many unit boundaries lie between x and y"),
    Function("extract(part from x)", "Extract", "a part of a date or time"),
    Function("strptime(x, format)", "StrToTime", "a text read as a timestamp"),
    Function("try_strptime(x, format)", "try_strptime", "the same, unknown where the text does not fit"),
    Function("strftime(x, format)", "TimeToStr", "a timestamp as text"),
    Function("try_cast(x as type)", "TryCast", "as another type, unknown where it does not fit"),
    Function("regexp_extract(x, pattern, group)", "RegexpExtract", "the part of a text that a pattern finds"),
    Function("regexp_matches(x, pattern)", "RegexpLike", "whether a pattern is found in a text"),
    Function("split_part(x, separator, n)", "SplitPart", "the n-th piece of a text"),
    Function("substring(x, from, length)", "Substring", "a piece of a text"),
    Function("strpos(x, y)", "StrPosition", "where text y begins in text x, 0 where it does not"),
    Function("left(x, n)", "Left", "the first n characters"),
    Function("right(x, n)", "Right", "the last n characters"),
    Function("concat(x, y, …)", "Concat", "texts one after the other"),
    Function("md5(x)", "MD5", "a fingerprint of a text, for keys made of several columns"),
    Function("any_value(x)", "AnyValue", "one of the values"),
    Function("arg_max(x, y)", "ArgMax", "the x of the row with the largest y"),
    Function("arg_min(x, y)", "ArgMin", "the x of the row with the smallest y"),
    Function("bool_or(x)", "LogicalOr", "whether any is true"),
    Function("bool_and(x)", "LogicalAnd", "whether all are true"),
    Function("row_number()", "RowNumber", "the number of the row in its window"),
    Function("rank()", "Rank", "its rank in its window"),
    Function("dense_rank()", "DenseRank", "its rank without gaps"),
    Function("lag(x)", "Lag", "the value in the row before"),
    Function("lead(x)", "Lead", "the value in the row after"),
    Function("first_value(x)", "FirstValue", "the first value of the window"),
    Function("last_value(x)", "LastValue", "the last value of the window"),
    Function("to_timestamp(seconds)", "UnixToTime", "an instant from seconds since 1970"),
    Function("make_timestamptz(microseconds)", "make_timestamptz", "an instant from microseconds since 1970"),
    Function("replace(x, y, z)", "Replace", "every y in a text replaced by z"),
)
"""What the query of a dataset (`sql:`) may use beyond aggregates and scalars."""

DATASET_NODES = SYNTAX_NODES | frozenset({
    "Select", "From", "Join", "Table", "TableAlias", "Alias", "Where", "Group", "Having", "Order", "Ordered", "Limit", "With", "CTE",
    "Subquery", "Union", "Except", "Intersect", "Exists", "Window", "WindowSpec", "Qualify", "Interval", "Mod", "DPipe", "Concat",
    "Like", "ILike", "Escape", "Values", "Tuple", "Cast", "AtTimeZone", "JoinHint",
})  # fmt: skip
"""Nodes that are no function, in the query of a dataset."""
