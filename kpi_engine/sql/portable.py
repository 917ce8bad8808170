"""A statement written for another engine: known constructs, each in the words of the dialect; all else is refused by its name.

Problem: what looks the same in two dialects may give two numbers: a division, a rounding, the order of texts, a date read in a zone.
Shape: the tree is walked once from the bottom up, and with each node goes the kind of its value, as DuckDB would have it. A rule for
each node says for which kinds it means the same everywhere; a node without a rule, or of other kinds, is not sent.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect as Sqlglot

from kpi_engine.formula.trees import column, identifier, integer, named
from kpi_engine.sql.dialects import NATIVE
from kpi_engine.sql.dialects.dialect import Unportable, cast, written_type
from kpi_engine.sql.dialects.kinds import NUMBERS, TIMES, kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kpi_engine.sql.dialects.dialect import Dialect
    from kpi_engine.sql.dialects.kinds import Kind

    Lowered = tuple[exp.Expr, Kind]

_STRUCTURE = (
    exp.From, exp.Join, exp.Subquery, exp.TableAlias, exp.Where, exp.Group, exp.Having, exp.Order, exp.Ordered, exp.WindowSpec, exp.With,
    exp.Union, exp.Limit, exp.Star, exp.Distinct, exp.Table, exp.Identifier, exp.Var,
)  # fmt: skip
_NUMBERING = (exp.RowNumber, exp.Lag, exp.Lead)
_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.NullSafeNEQ)
_ARITHMETIC = (exp.Add, exp.Sub, exp.Mul)
_KEPT = "__kept"
_ROOM = 2
_CALLS: dict[type[exp.Expr], str] = {
    exp.Length: "length", exp.Contains: "contains", exp.StartsWith: "starts_with", exp.Floor: "floor", exp.Ceil: "ceil",
    exp.Least: "least", exp.Greatest: "greatest",
}  # fmt: skip
_TEXT_CALLS = {"length": "int", "contains": "bool", "starts_with": "bool"}
_WIDER: dict[Kind, frozenset[Kind]] = {
    "int": frozenset({"int", "decimal", "double"}), "decimal": frozenset({"decimal", "double"}), "double": frozenset({"double"}),
    "date": frozenset({"date"}), "local": frozenset({"local"}), "instant": frozenset({"instant"}), "text": frozenset({"text"}),
    "bool": frozenset({"bool", "int"}), "made": frozenset({"int", "double"}),
}  # fmt: skip
"""What a value of a kind may be cast to without a choice: no rounding, no reading, no zone."""


def portable(
    tree: exp.Expr, dialect: Dialect, type_of: Callable[[exp.Column], str | None], lacks: frozenset[str] = frozenset()
) -> exp.Expr:
    """Write a statement for a dialect; raise `Unportable` with the name of what cannot be sent.

    `type_of` gives the type of a column of a table; None of one that the statement makes. `lacks` names what this very engine has not.
    """
    made = _Writing(dialect, type_of, lacks).tree(tree)
    return made if dialect.has_dots else _without_dots(made)


class _Writing:
    def __init__(self, dialect: Dialect, type_of: Callable[[exp.Column], str | None], lacks: frozenset[str]) -> None:
        self.dialect = dialect
        self.type_of = type_of
        self.lacks = lacks | dialect.lacks
        self.rules: dict[type[exp.Expr], Callable[..., Lowered]] = {
            exp.Select: self.select,
            exp.CTE: self.shared,
            exp.Alias: self.like_its_value,
            exp.Paren: self.like_its_value,
            exp.Column: self.column,
            exp.Literal: self.literal,
            exp.Boolean: lambda node: (node, "bool"),
            exp.Null: lambda node: (node, "null"),
            exp.Neg: self.negative,
            exp.Div: self.division,
            exp.And: self.logic,
            exp.Or: self.logic,
            exp.Not: self.logic,
            exp.Is: self.truth_test,
            exp.Exists: self.test,
            exp.In: self.one_of,
            exp.Between: self.between,
            exp.Case: self.case,
            exp.If: self.branch,
            exp.Coalesce: self.coalesce,
            exp.Nullif: self.nullif,
            exp.Abs: self.absolute,
            exp.Cast: self.cast,
            exp.Sum: self.total,
            exp.Avg: self.average,
            exp.Min: self.extreme,
            exp.Max: self.extreme,
            exp.Count: self.count,
            exp.Median: self.median,
            exp.Stddev: self.deviation,
            exp.Anonymous: self.anonymous,
            exp.Filter: self.filtered,
            exp.Window: self.window,
            **dict.fromkeys(_STRUCTURE, self.structure),
            **dict.fromkeys(_NUMBERING, self.numbering),
            **dict.fromkeys(_COMPARISONS, self.comparison),
            **dict.fromkeys(_ARITHMETIC, self.arithmetic),
            **dict.fromkeys(_CALLS, self.call),
        }

    def tree(self, node: exp.Expr) -> exp.Expr:
        return self.visit(node)[0]

    def visit(self, node: exp.Expr) -> Lowered:
        rule = self.rules.get(type(node))
        if rule is None:
            raise Unportable(_name(node))
        return rule(node)

    def again(self, node: exp.Expr, **fresh: object) -> exp.Expr:
        """Give a node again with other parts; those not named are walked."""
        args: dict[str, object] = {}
        for key, value in node.args.items():
            if key in fresh:
                continue
            if isinstance(value, exp.Expr):
                args[key] = self.tree(value)
            elif isinstance(value, list):
                args[key] = [self.tree(each) if isinstance(each, exp.Expr) else each for each in value]
            else:
                args[key] = value
        return type(node)(**{**args, **fresh})

    def structure(self, node: exp.Expr) -> Lowered:
        if node.args.get("method"):
            raise Unportable(f"{node.args['method']} join".lower())
        return self.again(node), "made"

    def shared(self, node: exp.CTE) -> Lowered:
        made = self.again(node)
        if "materialized" in self.lacks:
            made.set("materialized", None)
        return made, "made"

    def numbering(self, node: exp.Expr) -> Lowered:
        self.needs("windows")
        self.needs(_name(node))
        return self.again(node), "made"

    def window(self, node: exp.Window) -> Lowered:
        self.needs("windows")
        spec = node.args.get("spec")
        if spec is not None and spec.args.get("kind") == "GROUPS":
            self.needs("groups")
        made, kind = self.visit(node.this)
        return self.again(node, this=made), kind

    def needs(self, name: str) -> None:
        if name in self.lacks:
            raise Unportable(name)

    def like_its_value(self, node: exp.Expr) -> Lowered:
        made, kind = self.visit(node.this)
        return self.again(node, this=made), kind

    def select(self, node: exp.Select) -> Lowered:
        if node.meta_get(NATIVE):
            return node, "made"
        if node.expressions and all(isinstance(each.unalias(), exp.Explode) for each in node.expressions):
            return self.literal_rows(node), "made"
        qualify = node.args.get("qualify")
        if qualify is None:
            return self.again(node), "made"
        self.needs("windows")
        kept = named(self.tree(qualify.this), _KEPT)
        columns = [self.tree(each) for each in node.expressions]
        inner = self.again(node, expressions=[*columns, kept], qualify=None)
        rows = exp.Subquery(this=inner, alias=exp.TableAlias(this=identifier("__rows")))
        return exp.Select(expressions=[exp.Star()]).from_(rows, copy=False).where(column(_KEPT), copy=False), "made"

    def literal_rows(self, node: exp.Select) -> exp.Expr:
        """Write a table of literals, which the plan writes as lists, as `values`."""
        lists, columns = [], []
        for number, each in enumerate(node.expressions, 1):
            made = each.unalias().this
            text, kind = str(made.this.this)[1:-1], kind_of(made.to.expressions[0].this.value)
            values = text.split(", ") if text else []
            lists.append([self.written(value, kind) for value in values])
            written = written_type(self.type_name(kind))
            columns.append(named(exp.Cast(this=column(f"column{number}", "__v"), to=written), each.alias))
        rows = [exp.Tuple(expressions=list(row)) for row in zip(*lists, strict=True)]
        if not rows:
            empty = [named(exp.Cast(this=exp.Null(), to=each.this.to), each.alias) for each in columns]
            return exp.Select(expressions=empty).where(exp.EQ(this=integer(1), expression=integer(0)), copy=False)
        named_there = (
            [identifier(f"column{n}") for n in range(1, len(lists) + 1)] if self.dialect.names_literals else []
        )
        table = exp.Values(expressions=rows, alias=exp.TableAlias(this=identifier("__v"), columns=named_there))
        return exp.Select(expressions=columns).from_(table, copy=False)

    def written(self, text: str, kind: Kind) -> exp.Expr:
        if text == "NULL":
            return exp.Null()
        if kind == "bool":
            return exp.Boolean(this=text == "true")
        return self.dialect.moment(kind, text) if kind in TIMES else exp.Literal.number(text)

    def type_name(self, kind: Kind) -> str:
        if kind not in self.dialect.types:
            raise Unportable(kind)
        return self.dialect.types[kind]

    def column(self, node: exp.Column) -> Lowered:
        if isinstance(node.this, exp.Star):
            return node, "made"
        found = self.type_of(node)
        kind: Kind = "made" if found is None else kind_of(found)
        if kind == "other":
            raise Unportable(f"{found or 'a type'}".lower())
        return node, kind

    def literal(self, node: exp.Literal) -> Lowered:
        if node.is_string:
            return node, "text"
        text = str(node.this)
        if text.isdigit():
            return node, "int"
        if "e" in text.lower():
            return cast(node, self.type_name("double")), "double"
        return (node if self.dialect.exact is None else self.dialect.exact(text)), "decimal"

    def negative(self, node: exp.Neg) -> Lowered:
        made, kind = self.visit(node.this)
        self.only(node, kind, NUMBERS | {"made"})
        return self.again(node, this=made), kind

    def only(self, node: exp.Expr, kind: Kind, allowed: frozenset[Kind]) -> None:
        if kind not in allowed and kind != "null":
            raise Unportable(_name(node))

    def exact(self, node: exp.Expr, kind: Kind) -> None:
        """Refuse decimals where the engine has none."""
        if kind == "decimal" and "decimal" not in self.dialect.types:
            raise Unportable("decimal")
        del node

    def arithmetic(self, node: exp.Binary) -> Lowered:
        (left, one), (right, other) = self.visit(node.this), self.visit(node.expression)
        for kind in (one, other):
            self.only(node, kind, NUMBERS | {"made"})
        kind = _number(one, other)
        self.exact(node, kind)
        mixed = "double" in {one, other}
        left, right = self.wide(left, one, mixed=mixed), self.wide(right, other, mixed=mixed)
        if isinstance(node, exp.Mul):
            left = self.roomy(left, kind, node)
        return self.again(node, this=left, expression=right), kind

    def roomy(self, made: exp.Expr, kind: Kind, product: exp.Mul | None = None) -> exp.Expr:
        """Make room for what is added up or multiplied; there is room for the digits of two decimals, not of more."""
        if self.dialect.roomy is None or kind not in {"int", "decimal"}:
            return made
        if product is not None and kind == "decimal" and _degree(product) > _ROOM:
            raise Unportable("a product of several decimals", said=True)
        return self.dialect.roomy(made)

    def wide(self, made: exp.Expr, kind: Kind, *, mixed: bool = False) -> exp.Expr:
        """Give a number in the type that it is computed with; `mixed` is whether it meets a floating-point number."""
        name = self.dialect.wide.get(kind)
        if name is None:
            return made
        return cast(made, self.type_name("double") if mixed else name)

    def division(self, node: exp.Div) -> Lowered:
        (left, one), (right, other) = self.visit(node.this), self.visit(node.expression)
        if one != "double" or other != "double":
            raise Unportable("/")
        typed, safe = self.dialect.typed_division, self.dialect.safe_division
        return exp.Div(this=left, expression=right, typed=typed, safe=safe), "double"

    def logic(self, node: exp.Expr) -> Lowered:
        for value in (node.this, node.args.get("expression")):
            if value is not None:
                self.only(node, self.visit(value)[1], frozenset({"bool", "made"}))
        return self.again(node), "bool"

    def test(self, node: exp.Expr) -> Lowered:
        return self.again(node), "bool"

    def truth_test(self, node: exp.Is) -> Lowered:
        if self.dialect.has_is_true or not isinstance(node.expression, exp.Boolean):
            return self.test(node)
        value = self.truth(node, node.this)
        known = exp.Coalesce(this=value, expressions=[exp.Boolean(this=not node.expression.this)])
        return known if node.expression.this else exp.Not(this=known), "bool"

    def comparison(self, node: exp.Binary) -> Lowered:
        left, right = self.alike(node, node.this, node.expression)
        return self.again(node, this=left, expression=right), "bool"

    def alike(self, node: exp.Expr, *values: exp.Expr) -> list[exp.Expr]:
        """Give values that are compared, or of which one is chosen: they are of one kind, or texts that stand for times."""
        return [made for made, _ in self.unified(node, values)]

    def chosen(self, node: exp.Expr, values: Sequence[exp.Expr]) -> list[Lowered]:
        """Give values of which one is chosen: numbers in one type."""
        found = self.unified(node, values)
        kinds = {kind for _, kind in found}
        if len(found) == 1:
            return found
        if "decimal" in kinds:
            self.needs("a choice of decimals")
        if not kinds & self.dialect.wide.keys():
            return found
        return [(self.wide(made, kind, mixed="double" in kinds), kind) for made, kind in found]

    def unified(self, node: exp.Expr, values: Sequence[exp.Expr]) -> list[Lowered]:
        found = [self.visit(each) for each in values]
        kinds = {kind for _, kind in found if kind != "null"}
        if kinds <= NUMBERS or len(kinds) <= 1:
            return found
        times = kinds & TIMES
        if len(times) == 1 and kinds == {*times, "text"}:
            (kind,) = times
            return [
                (self.moment(node, each, kind), kind) if made[1] == "text" else made
                for each, made in zip(values, found, strict=True)
            ]
        if "made" in kinds and (kinds - {"made"}) <= {"int"}:
            return found
        if kinds <= {"made", "date", "local", "instant", "text", "bool", "double", "decimal"} and "made" in kinds:
            return found
        raise Unportable(_name(node))

    def moment(self, node: exp.Expr, value: exp.Expr, kind: Kind) -> exp.Expr:
        """Write a time that is given as a text; only forms that every engine reads alike."""
        if not isinstance(value, exp.Literal):
            raise Unportable(_name(node))
        text = str(value.this)
        try:
            read = datetime.fromisoformat(text)
        except ValueError:
            raise Unportable(f"the time '{text}'", said=True) from None
        has_zone, is_day = read.tzinfo is not None, len(text) == len("2026-01-31")
        if (kind == "date") != is_day or (kind == "instant") != has_zone:
            raise Unportable(f"the time '{text}'", said=True)
        return self.dialect.moment(kind, text if kind == "date" else read.isoformat(sep=" "))

    def one_of(self, node: exp.In) -> Lowered:
        if not node.expressions:
            return self.again(node), "bool"
        this, *others = self.alike(node, node.this, *node.expressions)
        return self.again(node, this=this, expressions=others), "bool"

    def between(self, node: exp.Between) -> Lowered:
        this, low, high = self.alike(node, node.this, node.args["low"], node.args["high"])
        return self.again(node, this=this, low=low, high=high), "bool"

    def case(self, node: exp.Case) -> Lowered:
        default = node.args.get("default")
        whens = node.args["ifs"]
        given = [each.args["true"] for each in whens] + ([default] if default is not None else [])
        values = self.chosen(node, given)
        tests = [each.this for each in whens]
        if node.this is not None:
            this, *made_tests = self.alike(node, node.this, *tests)
        else:
            this, made_tests = None, [self.truth(node, each) for each in tests]
        made = [exp.If(this=test, true=value) for test, (value, _) in zip(made_tests, values, strict=False)]
        last = values[-1][0] if default is not None else None
        return exp.Case(this=this, ifs=made, default=last), _common([kind for _, kind in values])

    def truth(self, node: exp.Expr, value: exp.Expr) -> exp.Expr:
        made, kind = self.visit(value)
        self.only(node, kind, frozenset({"bool", "made"}))
        return made

    def branch(self, node: exp.If) -> Lowered:
        return self.case(exp.Case(ifs=[exp.If(this=node.this, true=node.args["true"])], default=node.args.get("false")))

    def coalesce(self, node: exp.Coalesce) -> Lowered:
        values = self.chosen(node, [node.this, *node.expressions])
        (this, _), *others = values
        made = self.again(node, this=this, expressions=[each for each, _ in others])
        return made, _common([kind for _, kind in values])

    def nullif(self, node: exp.Nullif) -> Lowered:
        (this, kind), (other, _) = self.chosen(node, [node.this, node.expression])
        return self.again(node, this=this, expression=other), kind

    def absolute(self, node: exp.Abs) -> Lowered:
        made, kind = self.visit(node.this)
        self.only(node, kind, NUMBERS)
        self.exact(node, kind)
        return exp.Anonymous(this="ABS", expressions=[self.wide(made, kind)]), kind

    def cast(self, node: exp.Cast) -> Lowered:
        kind = kind_of(node.to.sql("duckdb"))
        if isinstance(node.this, exp.Literal) and node.this.is_string and kind in TIMES:
            return self.moment(node, node.this, kind), kind
        made, found = self.visit(node.this)
        if found != "null" and kind not in _WIDER.get(found, ()):
            raise Unportable(f"cast(… as {node.to.sql('duckdb').lower()})")
        if kind == found and kind not in NUMBERS:
            return made, kind
        written = self.type_name(kind)
        if kind == "decimal":
            self.needs("cast(… as decimal)")
            written += "(" + ", ".join(each.sql("duckdb") for each in node.to.expressions) + ")"
        return cast(made, written), kind

    def total(self, node: exp.Sum) -> Lowered:
        made, kind = self.visit(node.this)
        self.only(node, kind, NUMBERS | {"made"})
        self.exact(node, kind)
        return exp.Sum(this=self.roomy(self.wide(made, kind), kind)), kind

    def average(self, node: exp.Avg) -> Lowered:
        made, kind = self.visit(node.this)
        self.only(node, kind, NUMBERS | {"made"})
        self.exact(node, kind)
        if self.dialect.average is not None:
            return self.dialect.average(self.roomy(self.wide(made, kind), kind), kind), "double"
        return cast(exp.Avg(this=made), self.type_name("double")), "double"

    def extreme(self, node: exp.Expr) -> Lowered:
        made, kind = self.visit(node.this)
        self.only(node, kind, NUMBERS | TIMES | {"text", "made"})
        self.exact(node, kind)
        return self.again(node, this=made), kind

    def count(self, node: exp.Count) -> Lowered:
        if isinstance(node.this, exp.Distinct) and len(node.this.expressions) > 1:
            raise Unportable("a distinct count of several columns", said=True)
        if isinstance(node.this, exp.Distinct) and self.visit(node.this.expressions[0])[1] == "double":
            self.needs("count(distinct …) of floating-point numbers")
        return self.again(node), "int"

    def median(self, node: exp.Median) -> Lowered:
        return self.aggregate("quantile_cont", [node.this, exp.Literal.number("0.5")], "median")

    def deviation(self, node: exp.Stddev) -> Lowered:
        return self.aggregate("stddev", [node.this], "stddev")

    def anonymous(self, node: exp.Anonymous) -> Lowered:
        name = str(node.this).lower()
        if name == "isfinite":
            made, kind = self.visit(node.expressions[0])
            self.only(node, kind, frozenset({"double"}))
            return self.dialect.is_finite(made), "bool"
        if name in {"quantile_cont", "quantile_disc"}:
            return self.aggregate(name, node.expressions, name)
        if name in {"arg_min", "arg_max"}:
            return self.aggregate("first" if name == "arg_min" else "last", node.expressions, name)
        raise Unportable(name)

    def aggregate(self, name: str, args: Sequence[exp.Expr], said: str) -> Lowered:
        call = self.dialect.calls.get(name)
        if call is None or name in self.lacks:
            raise Unportable(said)
        made = [self.visit(each) for each in args]
        self.exact(args[0], made[0][1])
        return call([each for each, _ in made]), "made"

    def call(self, node: exp.Expr) -> Lowered:
        name = _CALLS[type(node)]
        write = self.dialect.calls.get(name)
        if write is None or name in self.lacks:
            raise Unportable(name)
        given = [value for value in (node.this, node.args.get("expression"), *node.expressions) if value is not None]
        if name in _TEXT_CALLS:
            made = [self.visit(each) for each in given]
            for _, kind in made:
                self.only(node, kind, frozenset({"text"}))
            result: Kind = "int" if name == "length" else "bool"
        else:
            made = self.chosen(node, given)
            result = _common([kind for _, kind in made])
            allowed: frozenset[Kind] = NUMBERS if name in {"floor", "ceil"} else NUMBERS | TIMES | {"text"}
            self.only(node, result, allowed)
            self.exact(node, result)
        if any(key not in {"this", "expression", "expressions", "ignore_nulls"} for key, v in node.args.items() if v):
            raise Unportable(name)
        written = write([each for each, _ in made])
        return exp.Paren(this=written) if isinstance(written, exp.Binary) else written, result

    def filtered(self, node: exp.Filter) -> Lowered:
        if not self.dialect.has_filter or "filter" in self.lacks:
            return self.visit(_within_case(node.this, node.expression.this))
        made, kind = self.visit(node.this)
        where = self.tree(node.expression)
        inner = made.this if isinstance(made, exp.Cast) else made
        if isinstance(inner, exp.Bracket):
            raise Unportable("the first or last of some rows", said=True)
        filtered = exp.Filter(this=inner, expression=where)
        return exp.Cast(**{**made.args, "this": filtered}) if isinstance(made, exp.Cast) else filtered, kind


def write(tree: exp.Expr, dialect: str, *, pretty: bool = False) -> str:
    """Give the text of a statement in a dialect."""
    return str(Sqlglot.get_or_raise(dialect).generate(tree, pretty=pretty, comments=False))


def _within_case(call: exp.Expr, condition: exp.Expr) -> exp.Expr:
    """Write the filter of an aggregate as a `case` in its first argument, for engines without the clause: none counts what is unknown."""
    given = call.expressions[0] if isinstance(call, exp.Anonymous) else call.this
    argument = given.expressions[0] if isinstance(given, exp.Distinct) else given
    value = integer(1) if isinstance(argument, exp.Star) else argument
    chosen: exp.Expr = exp.Case(ifs=[exp.If(this=condition, true=value)])
    if isinstance(given, exp.Distinct):
        chosen = exp.Distinct(expressions=[chosen, *given.expressions[1:]])
    if isinstance(call, exp.Anonymous):
        return exp.Anonymous(this=call.this, expressions=[chosen, *call.expressions[1:]])
    return type(call)(**{**call.args, "this": chosen})


def _number(one: Kind, other: Kind) -> Kind:
    for kind in ("made", "double", "decimal"):
        if kind in {one, other}:
            return kind
    return "int"


def _without_dots(tree: exp.Expr) -> exp.Expr:
    """Write the points in the names of joins, such as `r.shop`, as another sign."""
    made = tree.copy()
    for each in made.find_all(exp.Identifier):
        if "." in each.name and (each.arg_key == "table" or isinstance(each.parent, exp.TableAlias)):
            each.set("this", each.name.replace(".", "$"))
    return made


def _degree(node: exp.Expr) -> int:
    """Count how many values are multiplied with each other at most."""
    if isinstance(node, exp.Column | exp.Literal):
        return int(isinstance(node, exp.Column))
    found = [_degree(each) for each in node.iter_expressions()]
    return sum(found) if isinstance(node, exp.Mul) else max(found, default=0)


def _common(kinds: Sequence[Kind]) -> Kind:
    known = [kind for kind in kinds if kind != "null"]
    if not known:
        return "null"
    if set(known) <= NUMBERS:
        return next(kind for kind in ("double", "decimal", "int") if kind in known)
    return known[0]


def _name(node: exp.Expr) -> str:
    if isinstance(node, exp.Func) and not isinstance(node, exp.Anonymous):
        return str(node.sql_names()[0]).lower()
    said = {
        "LT": "<",
        "LTE": "<=",
        "GT": ">",
        "GTE": ">=",
        "EQ": "=",
        "NEQ": "<>",
        "AtTimeZone": "at time zone",
        "Add": "+",
        "Sub": "-",
    }
    return said.get(type(node).__name__, type(node).__name__.lower())
