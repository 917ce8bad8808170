"""What else holds of the query of a dataset: its tables, its joins, its patterns, and how long its texts can become."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import available_timezones

from sqlglot import exp

from kpi_engine.formula import records
from kpi_engine.formula.mistakes import Mistake
from kpi_engine.formula.positions import span

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

GROWTH = 64
"""How many times as long as a column a text made of it may be."""
LONG_LITERAL = 16
"""So many characters of a fixed text count as one time a column."""
_JOINS = frozenset({"", "INNER", "OUTER", "SEMI", "ANTI"})
_WILD = 2


def tables(query: exp.Expr) -> tuple[exp.Table, ...]:
    """Give the tables that a query reads, without the ones it defines itself."""
    own = {cte.alias for cte in query.find_all(exp.CTE)}
    return tuple(table for table in query.find_all(exp.Table) if table.name not in own)


def place_of(names: Collection[str], query: exp.Expr) -> tuple[int, int] | None:
    """Say where the first of these columns stands in a query: its offset and length."""
    return min((span(node) for node in query.find_all(exp.Column) if {node.name, node.table} & {*names}), default=None)


def objections(query: exp.Expr, text: str) -> Iterator[Mistake]:
    """Find what is wrong with a query whose nodes are all allowed; `text` is what it was read from."""
    for node in query.walk():
        if isinstance(node, exp.Table):
            yield from _table(node, text)
        elif isinstance(node, exp.Select) and not node.expressions:
            hint = "name them, for example `select day, channel from visits`"
            yield Mistake("syntax", "this `select` names no columns", *span(node), hint)
        elif isinstance(node, exp.Join):
            yield from _join(node)
        elif isinstance(node, exp.Like | exp.ILike):
            yield from _like(node)
        elif isinstance(node, exp.Replace | exp.Anonymous):
            yield from _replace(node) if isinstance(node, exp.Replace) else records.objections(node)
        elif isinstance(node, exp.TimeToStr) and not isinstance(node.args.get("format"), exp.Literal):
            yield Mistake(
                "bad_format",
                "the format of `strftime` is a fixed text",
                *span(node),
                "for example strftime(x, '%Y-%m')",
            )
        elif isinstance(node, exp.AtTimeZone):
            yield from _zone(node)
        elif isinstance(node, exp.Filter) and not isinstance(node.this, exp.AggFunc | exp.CountIf):
            yield Mistake(
                "bad_filter", "`filter` follows an aggregate", *span(node), "for example `sum(x) filter (where y)`"
            )
    recursive = tuple(_recursive(query))
    yield from recursive or _names(query)
    yield from _growth(query)


def _recursive(query: exp.Expr) -> Iterator[Mistake]:
    for with_ in query.find_all(exp.With):
        if with_.args.get("recursive"):
            hint = "a query that runs over its own rows may never end: unfold such data in the source"
            yield Mistake("recursive_query", "`with recursive` is not part of the language", *span(with_), hint)


def _table(table: exp.Table, text: str) -> Iterator[Mistake]:
    offset, length = span(table)
    if not isinstance(table.this, exp.Identifier):
        hint = "read files in a source and name its tables here"
        yield Mistake("table_function", "a function cannot stand in place of a table", offset, length, hint)
    elif text[offset] == "'":
        hint = "declare the file's folder as a source, and name the table here"
        yield Mistake(
            "bad_table", f"`{table.name}` is a text, and the name of a table stands here", offset, length, hint
        )
    elif table.args.get("db") or table.args.get("catalog"):
        hint = "name a dataset, or a table of this dataset's source as the source lists it"
        yield Mistake(
            "bad_table",
            f"`{_dotted(table)}` names a schema or a database, and tables have one name here",
            offset,
            length,
            hint,
        )


def _zone(node: exp.AtTimeZone) -> Iterator[Mistake]:
    zone = node.args.get("zone")
    if isinstance(zone, exp.Literal) and str(zone.this) not in available_timezones():
        hint = "write a place, such as 'Europe/Paris'"
        yield Mistake("unknown_timezone", f"'{str(zone.this)[:40]}' is not a time zone", *span(zone), hint)


def _dotted(table: exp.Table) -> str:
    return ".".join(part.name for part in table.parts)


def _join(join: exp.Join) -> Iterator[Mistake]:
    method = str(join.args.get("method") or "")
    if method not in {"", "ASOF"} or join.kind not in _JOINS:
        if join.kind == "CROSS":
            yield _no_condition(join)
            return
        words = " ".join(word.lower() for word in (method, join.kind, "join") if word)
        yield Mistake("not_allowed", f"`{words}` is not part of the language", *span(join), "write `join … on …`")
    elif isinstance(join.this, exp.Lateral):
        return
    elif not join.args.get("using") and not _compares(join.args.get("on")):
        yield _no_condition(join)


def _compares(condition: exp.Expr | None) -> bool:
    """Whether a condition looks at rows at all: `on true` does not."""
    return condition is not None and condition.find(exp.Column) is not None


def _no_condition(join: exp.Join) -> Mistake:
    hint = "say which rows belong together: `join … on a.id = b.id`; a single value is a query in brackets"
    return Mistake("cross_join", "every row would meet every row of this table", *span(join), hint)


def _like(node: exp.Like | exp.ILike) -> Iterator[Mistake]:
    """Patterns with many wildcards can take DuckDB 1.5 for ever; two are always quick."""
    pattern = node.expression
    text = str(pattern.this) if isinstance(pattern, exp.Literal) and pattern.is_string else None
    if text is None or text.count("%") > _WILD or "_" in text or "\\" in text:
        word = "ilike" if isinstance(node, exp.ILike) else "like"
        hint = "use contains, starts_with, ends_with or regexp_matches(x, pattern)"
        yield Mistake("like", f"`{word}` takes a fixed pattern with at most two `%` and no `_`", *span(node), hint)


def _replace(node: exp.Replace) -> Iterator[Mistake]:
    old, new = node.expression, node.args.get("replacement")
    fixed = isinstance(old, exp.Literal) and (new is None or isinstance(new, exp.Literal))
    if not fixed or (new is not None and len(str(new.this)) > len(str(old.this))):
        hint = "cut the text with split_part or regexp_extract"
        yield Mistake(
            "bad_replace", "`replace` takes two fixed texts, the second no longer than the first", *span(node), hint
        )


def _names(query: exp.Expr) -> Iterator[Mistake]:
    """A name made by `with` means one query, everywhere: it is made once, read below only, and is no table's name."""
    made: set[str] = set()
    for cte in query.find_all(exp.CTE, bfs=False):
        name = cte.alias
        if name in made:
            yield Mistake(
                "duplicate_name",
                f"`with` makes `{name}` twice",
                *span(cte.args["alias"]),
                "give one of them another name",
            )
        made.add(name)
    for table in query.find_all(exp.Table):
        if table.name in made and not _is_reachable(table):
            hint = f"give the query another name than `{table.name}`"
            yield Mistake(
                "unclear_table",
                f"`{table.name}` is also the name of a `with` that does not reach here",
                *span(table),
                hint,
            )


def _is_reachable(table: exp.Table) -> bool:
    """Whether the query that `with` names stands before this table: in a query around it, or earlier in the same list."""
    node: exp.Expr = table
    while node.parent is not None:
        if isinstance(node.parent, exp.With):
            earlier = node.parent.expressions[: node.index]
            if any(cte.alias == table.name for cte in earlier):
                return True
        elif isinstance(node.parent, exp.Query) and not isinstance(node, exp.With):
            with_ = node.parent.args.get("with_")
            if with_ is not None and any(cte.alias == table.name for cte in with_.expressions):
                return True
        node = node.parent
    return False


def _growth(query: exp.Expr) -> Iterator[Mistake]:
    """A text may not be doubled again and again: memory has a limit that queries do not know of."""
    grown: dict[str, float] = {}
    for select in _innermost_first(query):
        base = max((grown.get(source, 1.0) for source in _sources(select)), default=1.0)
        aliases: dict[str, float] = {}
        largest, place = base, select
        for item in (
            *select.expressions,
            *(select.args.get(key) for key in ("where", "having", "qualify", "group", "order")),
        ):
            size = _size(item, base, aliases) if item is not None else 0.0
            if isinstance(item, exp.Alias):
                aliases[item.alias.lower()] = size
            largest, place = (size, item) if size > largest else (largest, place)
        if largest > GROWTH:
            message = f"a text may become more than {GROWTH} times as long as a column"
            yield Mistake("text_growth", message, *span(place), "join fewer texts")
            return
        cte = select.find_ancestor(exp.CTE)
        for name in (_anonymous(select), *([cte.alias.lower()] if cte is not None else [])):
            grown[name] = max(grown.get(name, 1.0), largest)


def _innermost_first(query: exp.Expr) -> Iterator[exp.Select]:
    """Go through the selects of a query, each after those that it can read."""
    waiting = [(query, False)]
    while waiting:
        node, is_open = waiting.pop()
        if is_open:
            if isinstance(node, exp.Select):
                yield node
            continue
        children = sorted(node.iter_expressions(), key=lambda child: not isinstance(child, exp.With))
        waiting += [(node, True), *((child, False) for child in reversed(children))]


def _sources(select: exp.Select) -> Iterator[str]:
    """Name what a select reads: tables by their names, queries inside it by a name of ours."""
    for node in select.walk():
        if isinstance(node, exp.Table):
            yield node.name.lower()
        elif isinstance(node, exp.Select) and node is not select:
            yield _anonymous(node)


def _anonymous(select: exp.Select) -> str:
    return f"({id(select)})"


def _size(node: exp.Expr, base: float, aliases: Mapping[str, float]) -> float:
    """Say how many times as long as a column a value is at most."""
    if isinstance(node, exp.Column):
        return max(base, aliases.get(node.name.lower(), 1.0))
    if isinstance(node, exp.Literal):
        return len(str(node.this)) / LONG_LITERAL if node.is_string else 0.0
    if isinstance(node, exp.Select):
        return base
    inner = [_size(child, base, aliases) for child in node.iter_expressions()]
    return sum(inner) if isinstance(node, exp.Concat | exp.DPipe) else max(inner, default=0.0)
