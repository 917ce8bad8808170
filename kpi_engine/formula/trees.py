"""Syntax trees as values: nobody changes one, so that larger trees share it instead of copying it.

A node may stand in several trees at once, so its `parent` says nothing: only a tree fresh from the parser has parents to rely on.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from operator import is_not

from sqlglot import Dialect, exp

from kpi_engine.formula.writing import writer

_BARE = frozenset({exp.Identifier, str, bool, type(None)})
"""What a node holds that is looked into by nobody."""
_OPEN = (exp.Binary, exp.Unary, exp.Predicate)
"""Nodes that an operator makes."""
_LEAVES = frozenset({exp.Literal, exp.Null, exp.Boolean, exp.Placeholder})
"""Nodes that no other stands in."""
START, END = "start", "end"
"""What a node says of itself: its first and its last character in the text it was read from."""


@cache
def dialect() -> Dialect:
    """Give the dialect of formulas and of the embedded engine."""
    return Dialect.get_or_raise("duckdb")


def sql(tree: exp.Expr, *, pretty: bool = False) -> str:
    """Write a tree as text."""
    return str(writer()(dialect=dialect(), comments=False, pretty=pretty).generate(tree, copy=False))


def nodes(tree: exp.Expr) -> list[exp.Expr]:
    """Give a tree's nodes but for bare names, level by level; one that stands in it twice comes twice."""
    found = [tree]
    for node in found:
        for value in node.args.values():
            if type(value) in _BARE:
                continue
            if type(value) is list:
                found += [each for each in value if isinstance(each, exp.Expr)]
            elif isinstance(value, exp.Expr):
                found.append(value)
    return found


@lru_cache(maxsize=4096)
def identifier(name: str) -> exp.Identifier:
    """Give a name that stands in quotes: one node, wherever it stands."""
    return exp.Identifier(this=name, quoted=True)


def column(name: str, table: str = "") -> exp.Column:
    """Make a column, of a table or of the only one there is."""
    if not table:
        return exp.Column(this=identifier(name))
    return exp.Column(this=identifier(name), table=identifier(table))


def every_column(table: str) -> exp.Column:
    """Stand for all columns of a table."""
    return exp.Column(this=exp.Star(), table=identifier(table))


def named(tree: exp.Expr, name: str) -> exp.Alias:
    """Give a value of a select its name."""
    return exp.Alias(this=tree, alias=identifier(name))


def integer(value: int) -> exp.Literal:
    """Make a whole number from 0 up."""
    return exp.Literal(this=str(value), is_string=False)


def as_double(tree: exp.Expr) -> exp.Expr:
    """Make a number a floating-point one, unless it is one already."""
    return tree if is_double(tree) else exp.Cast(this=tree, to=double())


@cache
def double() -> exp.DataType:
    """Give the type of floating-point numbers."""
    return exp.DataType(this=exp.DType.DOUBLE)


def is_double(tree: exp.Expr) -> bool:
    """Whether something is made a floating-point number here."""
    return isinstance(tree, exp.Cast) and bool(tree.to.this == exp.DType.DOUBLE)


def bracketed(tree: exp.Expr) -> exp.Expr:
    """Put what an operator makes into brackets, so that another operator may take it."""
    return exp.Paren(this=tree) if isinstance(tree, _OPEN) and not isinstance(tree, exp.Paren) else tree


def placed(node: exp.Expr, like: exp.Expr) -> exp.Expr:
    """Give a node again, with the place of the one it stands for."""
    return _made(node, like)


Change = Callable[[exp.Expr], exp.Expr]


def _same(node: exp.Expr) -> exp.Expr:
    return node


def placeless(tree: exp.Expr) -> exp.Expr:
    """Give a tree again, without the places of its nodes."""
    made = tree.copy()
    for node in made.walk():
        node.meta.pop(START, None)
    return made


def rewritten(tree: exp.Expr, change: Change = _same, finish: Change = _same) -> exp.Expr:
    """Give a tree with nodes exchanged: by `change` from the top down, by `finish` from the bottom up.

    What `change` exchanged is not looked into, nor is a bare name. The tree itself stays as it is; where nothing changes it is given back, and what
    does not change is shared. A part that stands in a tree many times is rewritten once.
    """
    return rewriting(change, finish)(tree)


def rewriting(change: Change = _same, finish: Change = _same) -> Change:
    """Give what rewrites trees: a part that stands in several of them is rewritten once."""
    done: dict[int, tuple[exp.Expr, exp.Expr]] = {}

    def visit(node: exp.Expr) -> exp.Expr:
        known = done.get(id(node))
        if known is not None:
            return known[1]
        made = change(node)
        if made is node:
            kept = inside(node) if type(node) not in _LEAVES else node
            made = kept if finish is _same else finish(kept)
        done[id(node)] = node, made
        return made

    def inside(node: exp.Expr) -> exp.Expr:
        fresh: dict[str, object] = {}
        for key, value in node.args.items():
            if type(value) in _BARE:
                continue
            if type(value) is list:
                found = [visit(each) if isinstance(each, exp.Expr) else each for each in value]
                if any(map(is_not, found, value)):
                    fresh[key] = found
            elif isinstance(value, exp.Expr) and (new := visit(value)) is not value:
                fresh[key] = new
        return _made(node, node, **fresh) if fresh else node

    return visit


def _made(node: exp.Expr, like: exp.Expr, **fresh: object) -> exp.Expr:
    made = type(node)(**{**node.args, **fresh})
    if (start := like.meta_get(START)) is not None:
        made.meta.update({START: start, END: like.meta_get(END)})
    return made
