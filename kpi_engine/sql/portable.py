"""A statement written for another engine: known constructs, each in the words of the dialect; all else is refused by its name.

Problem: what looks the same in two dialects may give two numbers: a division, a rounding, the order of texts, a date read in a zone.
Shape: the tree is walked once from the bottom up, and with each node goes the kind of its value, as DuckDB would have it. A rule for
each node says for which kinds it means the same everywhere; a node without a rule, or of other kinds, is not sent.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect as Sqlglot

from kpi_engine.formula.trees import column, identifier, integer, named
from kpi_engine.sql.dialects import NATIVE
from kpi_engine.sql.dialects.dialect import (
    Unportable,
    cast,
    name_of,
    one_or_zero,
    refuse_what_is_above,
    without_dots,
    written_type,
)
from kpi_engine.sql.dialects.kinds import NUMBERS, TIMES, common, kind_of, number_of
from kpi_engine.sql.functions import FUNCTIONS, degree

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kpi_engine.sql.dialects.dialect import Dialect
    from kpi_engine.sql.dialects.kinds import Kind
    from kpi_engine.sql.functions import Lowered

_STRUCTURE = (
    exp.From, exp.Join, exp.Subquery, exp.TableAlias, exp.Where, exp.Group, exp.Having, exp.Order, exp.Ordered, exp.WindowSpec, exp.With,
    exp.Union, exp.Limit, exp.Star, exp.Distinct, exp.Table, exp.Identifier, exp.Var,
)  # fmt: skip
_NUMBERING = (exp.RowNumber, exp.Lag, exp.Lead)
_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.NullSafeNEQ)
_ARITHMETIC = (exp.Add, exp.Sub, exp.Mul)
_KEPT = "__kept"
_ROOM = 2
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
    refuse_what_is_above(tree, dialect)
    made = _Writing(dialect, type_of, lacks).tree(tree)
    return made if dialect.has_dots else without_dots(made)


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
            exp.Is: self.truth_test,
            exp.Exists: self.test,
            exp.In: self.one_of,
            exp.Between: self.between,
            exp.Case: self.case,
            exp.If: self.branch,
            exp.Coalesce: self.coalesce,
            exp.Nullif: self.nullif,
            exp.Cast: self.cast,
            exp.Window: self.window,
            **dict.fromkeys(_STRUCTURE, self.structure),
            **dict.fromkeys(_NUMBERING, self.numbering),
            **dict.fromkeys(_COMPARISONS, self.comparison),
            **dict.fromkeys(_ARITHMETIC, self.arithmetic),
            **{kind: partial(rule, self) for kind, rule in FUNCTIONS.items()},
        }

    def tree(self, node: exp.Expr) -> exp.Expr:
        return self.visit(node)[0]

    def visit(self, node: exp.Expr) -> Lowered:
        rule = self.rules.get(type(node))
        if rule is None:
            raise Unportable(name_of(node))
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
        self.needs(name_of(node))
        return self.again(node), "made"

    def window(self, node: exp.Window) -> Lowered:
        self.needs("windows")
        if (spec := node.args.get("spec")) is not None and spec.args.get("kind") == "GROUPS":
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
            raise Unportable(name_of(node))

    def exact(self, node: exp.Expr, kind: Kind) -> None:
        """Refuse decimals where the engine has none."""
        if kind == "decimal" and "decimal" not in self.dialect.types:
            raise Unportable("decimal")
        del node

    def arithmetic(self, node: exp.Binary) -> Lowered:
        (left, one), (right, other) = self.visit(node.this), self.visit(node.expression)
        for kind in (one, other):
            self.only(node, kind, NUMBERS | {"made"})
        kind = number_of(one, other)
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
        if product is not None and kind == "decimal" and degree(product) > _ROOM:
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
        raise Unportable(name_of(node))

    def moment(self, node: exp.Expr, value: exp.Expr, kind: Kind) -> exp.Expr:
        """Write a time that is given as a text; only forms that every engine reads alike."""
        if not isinstance(value, exp.Literal):
            raise Unportable(name_of(node))
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
        default, whens = node.args.get("default"), node.args["ifs"]
        given = [each.args["true"] for each in whens] + ([default] if default is not None else [])
        values = self.chosen(node, given)
        tests = [each.this for each in whens]
        if node.this is not None:
            this, *made_tests = self.alike(node, node.this, *tests)
        else:
            this, made_tests = None, [self.truth(node, each) for each in tests]
        made = [exp.If(this=test, true=value) for test, (value, _) in zip(made_tests, values, strict=False)]
        last = values[-1][0] if default is not None else None
        return exp.Case(this=this, ifs=made, default=last), common([kind for _, kind in values])

    def truth(self, node: exp.Expr, value: exp.Expr) -> exp.Expr:
        made, kind = self.visit(value)
        self.only(node, kind, frozenset({"bool", "made"}))
        return made

    def branch(self, node: exp.If) -> Lowered:
        return self.case(exp.Case(ifs=[exp.If(this=node.this, true=node.args["true"])], default=node.args.get("false")))

    def coalesce(self, node: exp.Coalesce) -> Lowered:
        (this, _), *others = values = self.chosen(node, [node.this, *node.expressions])
        made = self.again(node, this=this, expressions=[each for each, _ in others])
        return made, common([kind for _, kind in values])

    def nullif(self, node: exp.Nullif) -> Lowered:
        (this, kind), (other, _) = self.chosen(node, [node.this, node.expression])
        return self.again(node, this=this, expression=other), kind

    def cast(self, node: exp.Cast) -> Lowered:
        kind = kind_of(node.to.sql("duckdb"))
        if isinstance(node.this, exp.Literal) and node.this.is_string and kind in TIMES:
            return self.moment(node, node.this, kind), kind
        made, found = self.visit(node.this)
        if found != "null" and kind not in _WIDER.get(found, ()):
            raise Unportable(f"cast(… as {node.to.sql('duckdb').lower()})")
        if kind == found and kind not in NUMBERS:
            return made, kind
        if (found, kind) == ("bool", "int"):
            return one_or_zero(made), kind
        written = self.type_name(kind)
        if kind == "decimal":
            self.needs("cast(… as decimal)")
            written += "(" + ", ".join(each.sql("duckdb") for each in node.to.expressions) + ")"
        return cast(made, written), kind


def write(tree: exp.Expr, dialect: str, *, pretty: bool = False) -> str:
    """Give the text of a statement in a dialect."""
    return str(Sqlglot.get_or_raise(dialect).generate(tree, pretty=pretty, comments=False))
