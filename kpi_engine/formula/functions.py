"""The published lists of functions: what a formula or condition may use, and what a dataset's query may use beyond that.

Both lists are data, so that the reference page and the gate can never disagree. A function is here when its value is the same on
every engine we know, and when its result is no larger than its inputs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

UNBOUNDED = 1_000
"""How many arguments a function takes that takes any number."""


@dataclass(frozen=True)
class Function:
    """One entry: how it is written, the sqlglot node it is read into, and what it does.

    In `call` an argument in square brackets may be left out, and `…` stands for any number of further ones.
    """

    call: str
    node: str
    meaning: str

    @cached_property
    def name(self) -> str:
        """The bare name."""
        return self.call.partition("(")[0].strip()

    @cached_property
    def arity(self) -> tuple[int, int]:
        """How many arguments it takes, at least and at most."""
        inside = self.call.partition("(")[2].removesuffix(")")
        needed = [part for part in inside.partition("[")[0].split(",") if part.strip()]
        optional = inside.count("[")
        if "…" in inside:
            return len(needed) - 1, UNBOUNDED
        return len(needed), len(needed) + optional


AGGREGATES = (
    Function("sum(x)", "Sum", "the sum of the known values; over no rows 0, or unknown with `empty: unknown`"),
    Function(
        "count(rows)",
        "Count",
        "how many rows an input has; of a column, how many known values; `count(*)` with one input",
    ),
    Function("count(distinct x)", "Count", "how many different known values"),
    Function(
        "count_if(condition)",
        "CountIf",
        "how many rows the condition is true for, as `count(rows) filter (where condition)`",
    ),
    Function("avg(x)", "Avg", "the average of the known values"),
    Function("min(x)", "Min", "the smallest known value"),
    Function("max(x)", "Max", "the largest known value"),
    Function("median(x)", "Median", "the middle value, halfway between the two middle ones of an even number"),
    Function(
        "quantile_cont(x, p)", "PercentileCont", "the value below which the fraction p of the values lies, interpolated"
    ),
    Function(
        "quantile_disc(x, p)",
        "PercentileDisc",
        "the smallest value that at least the fraction p of the values does not exceed",
    ),
    Function(
        "approx_quantile(x, p)", "ApproxQuantile", "the same as `quantile_cont`, estimated: faster over very many rows"
    ),
    Function(
        "first(x)", "First", "of an input with `per` a unit of time, the value of the first unit that has a known one"
    ),
    Function(
        "last(x)", "Last", "of an input with `per` a unit of time, the value of the last unit that has a known one"
    ),
    Function("stddev(x)", "Stddev", "the standard deviation of a sample; unknown for fewer than two values"),
)
"""What stands in a formula and turns rows into a value; each may be followed by `filter (where condition)`."""

SCALARS = (
    Function("coalesce(x, y, …)", "Coalesce", "the first known value"),
    Function("nullif(x, y)", "Nullif", "unknown where x equals y, else x"),
    Function("abs(x)", "Abs", "without the sign"),
    Function("round(x[, digits])", "Round", "rounded half away from zero, to that many decimals"),
    Function("floor(x)", "Floor", "the whole number at or below"),
    Function("ceil(x)", "Ceil", "the whole number at or above"),
    Function("sign(x)", "Sign", "-1, 0 or 1"),
    Function("sqrt(x)", "Sqrt", "the square root; unknown for a negative number"),
    Function("exp(x)", "Exp", "e to the power of x"),
    Function("ln(x)", "Ln", "the natural logarithm; unknown at zero and below"),
    Function("log10(x)", "Log", "the decimal logarithm; unknown at zero and below"),
    Function("power(x, y)", "Pow", "x to the power of y; unknown where that is no number"),
    Function("least(x, y, …)", "Least", "the smallest of the known values"),
    Function("greatest(x, y, …)", "Greatest", "the largest of the known values"),
    Function("lower(x)", "Lower", "in small letters"),
    Function("upper(x)", "Upper", "in capitals"),
    Function("trim(x)", "Trim", "without blanks at both ends"),
    Function("length(x)", "Length", "how many characters"),
    Function("contains(x, y)", "Contains", "whether text x holds text y"),
    Function("starts_with(x, y)", "StartsWith", "whether text x begins with text y"),
    Function("ends_with(x, y)", "EndsWith", "whether text x ends with text y"),
    Function(
        "date_diff('hour', x, y)", "DateDiff", "how many second, minute or hour boundaries lie between two instants"
    ),
    Function("cast(x as type)", "Cast", "as another type"),
    Function("if(condition, x[, y])", "If", "short for case when … then … else … end"),
)
"""What stands in formulas, conditions and dimensions, and turns one value into another."""

NOTES = (
    (
        "**Nothing is not zero.** A count of no rows is 0. A sum over no rows is 0 (unknown with `empty: unknown`), and unknown where rows "
        "are there and every value is unknown. An average, minimum, maximum, median or percentile of nothing is unknown. What is made of "
        "unknown is unknown, but for `coalesce`, `least`, `greatest` and the tests for unknown."
    ),
    (
        "**A division is exact and safe.** 1 / 2 is 0.5, also between whole numbers, and anything divided by 0 or by unknown is unknown. A "
        "value that is no number, such as the square root of -1, or too large for one, is unknown too, before anything is "
        "compared with it; it never prints as `NaN` or `inf`."
    ),
    "**An aggregate stands once.** What stands outside the aggregates is computed from their values, after rows are grouped.",
)
"""What holds of every formula, beside the lists."""

OPERATORS = (
    ("+ - * /", "arithmetic; a division by zero or by unknown is unknown, and a division is exact: 1 / 2 is 0.5"),
    ("= <> < <= > >=", "comparison; with an unknown side it is neither true nor false"),
    ("and or not", "logic, as in SQL"),
    ("x is null, x is not null", "whether a value is unknown"),
    ("x is true, x is not true, x is false", "true or not, where unknown counts as not"),
    ("x is distinct from y, x is not distinct from y", "comparison that takes unknown for a value"),
    ("x in ('a', 'b'), x not in (1, 2)", "whether a value is one of those listed"),
    ("x between 1 and 5", "from the first to the second, both included"),
    ("case when … then … else … end", "the first branch whose condition is true; without `else`, unknown"),
    ("date '2026-01-31', timestamp '2026-01-31 12:00:00'", "a day, and a moment without a time zone"),
    (":name", "a parameter"),
)
"""What stands between values, with its meaning."""

SYNTAX_NODES = frozenset({
    "Add", "Sub", "Mul", "Div", "Neg", "Paren", "EQ", "NEQ", "GT", "GTE", "LT", "LTE", "And", "Or", "Not", "Is", "NullSafeEQ",
    "NullSafeNEQ", "In", "Between", "Case", "Literal", "Boolean", "Null", "Column", "Identifier", "Placeholder", "DataType",
    "DataTypeParam", "Star", "Distinct", "Filter", "Where", "Var",
})  # fmt: skip
"""Nodes of the syntax tree that are no function."""

CAST_TYPES = (
    ("tinyint, smallint, int, bigint", ("TINYINT", "SMALLINT", "INT", "BIGINT"), "a whole number"),
    ("decimal(p, s)", ("DECIMAL",), "an exact number of p digits, s of them after the point"),
    ("double, float", ("DOUBLE", "FLOAT"), "a binary floating-point number"),
    ("varchar, text", ("VARCHAR", "TEXT"), "a text"),
    ("boolean", ("BOOLEAN",), "true or false"),
    ("date", ("DATE",), "a day"),
    ("timestamp", ("TIMESTAMP", "TIMESTAMPNTZ"), "a moment without a time zone"),
    ("timestamptz", ("TIMESTAMPTZ",), "an instant"),
)
"""Types that a value may be cast to: as written, as sqlglot names them, and what they hold."""

DATASET_FUNCTIONS = (
    Function("date_trunc('unit', x)", "TimestampTrunc", "the start of the unit that x lies in"),
    Function("extract(part from x)", "Extract", "a part of a date or time, such as year or hour"),
    Function("strptime(x, format)", "StrToTime", "a text read as a timestamp"),
    Function("try_strptime(x, format)", "try_strptime", "the same, unknown where the text does not fit"),
    Function("strftime(x, format)", "TimeToStr", "a timestamp as text; the format is a text in quotes"),
    Function("try_cast(x as type)", "TryCast", "as another type, unknown where it does not fit"),
    Function("regexp_extract(x, pattern[, group])", "RegexpExtract", "the part of a text that a pattern finds"),
    Function("regexp_matches(x, pattern)", "RegexpLike", "whether a pattern is found in a text"),
    Function("split_part(x, separator, n)", "SplitPart", "the n-th piece of a text"),
    Function("substring(x, from[, length])", "Substring", "a piece of a text"),
    Function("strpos(x, y)", "StrPosition", "where text y begins in text x, 0 where it does not"),
    Function("left(x, n)", "Left", "the first n characters"),
    Function("right(x, n)", "Right", "the last n characters"),
    Function(
        "concat(x, y, …)", "Concat", "texts one after the other, as `x || y`; a text becomes at most 64 times as long"
    ),
    Function(
        "replace(x, y, z)",
        "Replace",
        "every y in a text replaced by z; y and z are texts in quotes, z no longer than y",
    ),
    Function("md5(x)", "MD5", "a fingerprint of a text, for keys made of several columns"),
    Function("any_value(x)", "AnyValue", "one of the known values"),
    Function("arg_max(x, y)", "ArgMax", "the x of the row with the largest y"),
    Function("arg_min(x, y)", "ArgMin", "the x of the row with the smallest y"),
    Function("bool_or(x)", "LogicalOr", "whether any is true"),
    Function("bool_and(x)", "LogicalAnd", "whether all are true"),
    Function("row_number()", "RowNumber", "the number of the row in its window"),
    Function("rank()", "Rank", "its rank in its window"),
    Function("dense_rank()", "DenseRank", "its rank without gaps"),
    Function("lag(x[, rows])", "Lag", "the value in the row before"),
    Function("lead(x[, rows])", "Lead", "the value in the row after"),
    Function("first_value(x)", "FirstValue", "the first value of the window"),
    Function("last_value(x)", "LastValue", "the last value of the window"),
    Function("to_timestamp(seconds)", "UnixToTime", "an instant from seconds since 1970"),
    Function("make_timestamptz(microseconds)", "make_timestamptz", "an instant from microseconds since 1970"),
    Function(
        "lookup(list, field, text, path)",
        "lookup",
        "of a list of records, the first whose field is that text, and of it the value at a path such as 'value.int_value'; "
        "unknown where there is none",
    ),
)
"""What the query of a dataset (`sql:`) may use beyond aggregates and scalars."""

DATASET_SYNTAX = (
    ("select … from … join … where … group by … having … qualify … order by … limit", "one query; `select *` is fine"),
    ("with name as (select …)", "a query by name; `with recursive` is not part of the language"),
    ("(select …), exists (select …), x in (select …)", "a query inside a query"),
    ("union, union all, except, intersect", "rows of several queries"),
    ("f(x) over (partition by … order by … rows …)", "a window"),
    ("x || y", "texts one after the other, as `concat`"),
    ("x % y", "the rest of a division of whole numbers"),
    ("x like '%y%'", "a fixed pattern with at most two `%` and no `_`; also `ilike`"),
    ("x + interval 1 day", "a moment moved"),
    ("x at time zone 'Europe/Paris'", "an instant on the clock of a zone, or back"),
)
"""What a dataset's query may use beyond operators."""

DATASET_NODES = SYNTAX_NODES | frozenset({
    "Select", "From", "Join", "Table", "TableAlias", "Alias", "Where", "Group", "Having", "Order", "Ordered", "Limit", "With", "CTE",
    "Subquery", "Union", "Except", "Intersect", "Exists", "Window", "WindowSpec", "Qualify", "Interval", "Mod", "DPipe", "Concat",
    "Like", "ILike", "Values", "Tuple", "Cast", "AtTimeZone", "TimestampTrunc", "DateTrunc", "IgnoreNulls", "SafeConcat",
})  # fmt: skip
"""Nodes that are no function, in the query of a dataset."""

MEANT = MappingProxyType({
    **dict.fromkeys(("mean", "average"), "write `avg(x)`"),
    **dict.fromkeys(("total", "add"), "write `sum(x)`"),
    "maximum": "write `max(x)`",
    "minimum": "write `min(x)`",
    **dict.fromkeys(("ifnull", "nvl", "isnull", "iferror", "zn"), "write `coalesce(x, y)`: the first known value"),
    **dict.fromkeys(("len", "strlen", "char_length", "character_length"), "write `length(x)`"),
    **dict.fromkeys(("iff", "iif"), "write `if(condition, x, y)`"),
    **dict.fromkeys(("percentile", "percentile_cont", "quantile"), "write `quantile_cont(x, 0.9)`"),
    **dict.fromkeys(("div0", "safe_divide", "divide"), "write `x / y`: a division by zero is unknown"),
    **dict.fromkeys(("count_distinct", "countd", "approx_count_distinct", "uniq"), "write `count(distinct x)`"),
    **dict.fromkeys(("now", "today", "current_date", "current_timestamp", "getdate", "sysdate"),
                    "formulas know no today: ask for a period, or compare with a column of the data"),
    **dict.fromkeys(("random", "rand", "uuid", "gen_random_uuid", "setseed"), "leave it out: the same question must give the same answer"),
    **dict.fromkeys(("stddev_samp", "stdev", "std"), "write `stddev(x)`"),
    **dict.fromkeys(("var_samp", "variance", "var_pop", "stddev_pop"), "there is `stddev(x)`"),
    **dict.fromkeys(("lcase",), "write `lower(x)`"),
    **dict.fromkeys(("ucase",), "write `upper(x)`"),
    **dict.fromkeys(("prefix", "startswith"), "write `starts_with(x, y)`"),
    **dict.fromkeys(("suffix", "endswith"), "write `ends_with(x, y)`"),
    **dict.fromkeys(("instr", "position", "find", "search"), "write `contains(x, y)`"),
    "pow": "write `power(x, y)`",
    "ceiling": "write `ceil(x)`",
    "countif": "write `count_if(condition)`",
    "sumif": "write `sum(x) filter (where condition)`",
    "averageif": "write `avg(x) filter (where condition)`",
    "log": "write `log10(x)` or `ln(x)`",
    "log2": "write `ln(x) / ln(2)`",
    "datediff": "write `date_diff('hour', x, y)`",
    "date": "write `cast(x as date)`",
    "timestamp": "write `cast(x as timestamp)`",
    "mod": "write `x - y * floor(x / y)`",
})  # fmt: skip
"""What to write instead of functions that spreadsheets and other databases have."""
