"""How much a page counts by the links that lead to it: PageRank and harmonic centrality.

Each row below is a link from one page to another. Links of several graphs (several crawls, several dates) may stand in one
dataset; each graph is computed on its own, and its pages are ranked among themselves.

What is a link, for both: a page's links to itself are left out, so are those marked as nofollow, and a link that is written
several times counts once. A page that has only such links is a page all the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from kpi_engine.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    from arro3.core import ChunkedArray
    from arro3.core import Table as ArrowTable
    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    from kpi_engine.api import ArrowStream

    Floats = NDArray[np.float64]
    Whole = NDArray[np.int64]
    Truths = NDArray[np.bool_]

RESULT_COLUMNS = frozenset({"page", "page_rank", "harmonic_centrality", "rank"})
DISTANCES_AT_ONCE = 8_000_000
"""How many distances between two pages are held at once: 64 MB."""
TIE = 1e-12
"""Scores that differ relatively by no more than this share a rank: the rest is rounding."""


class Links(BaseModel):
    """Which columns of the dataset below describe a link."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    source: str = "source"
    """The page that links."""
    target: str = "target"
    """The page that is linked to."""
    graph: list[str] = []
    """Columns that keep graphs apart, such as the crawl and its date; without any, all links make one graph."""
    nofollow: str = ""
    """A column that is true for links to leave out; a row where it is NULL counts."""

    @model_validator(mode="after")
    def _names_are_free(self) -> Links:
        """Refuse a graph column that would stand twice in the result."""
        taken = sorted(RESULT_COLUMNS.intersection(self.graph))
        if taken:
            raise ValueError(
                f"the column `{taken[0]}` of `graph` has the name of a result: rename it in the dataset below"
            )
        if len(set(self.graph)) < len(self.graph):
            raise ValueError("`graph` names a column twice")
        return self


class RankedLinks(Links):
    """Which columns describe a link, and how PageRank is computed."""

    damping: float = Field(default=0.85, gt=0, lt=1)
    """How likely a reader follows a link rather than jumping to any page."""
    tolerance: float = Field(default=1e-10, gt=0)
    """How far the scores of a graph may be from the exact ones, all differences added up."""
    max_iterations: int = Field(default=1000, ge=1)
    """After how many steps to give up."""


class PageRank:
    """The share of time that a reader spends on each page who follows links at random; the shares of a graph sum to 1.

    PR(v) = (1 - d) / N + d * (the sum of PR(u) / out(u) over the pages u that link to v + the PR of pages without links / N).
    """

    name: ClassVar[str] = "pagerank"
    Config: ClassVar[type[BaseModel]] = RankedLinks

    def __init__(self, config: RankedLinks) -> None:
        self.config = config

    def needs(self) -> Sequence[str]:
        """Name the columns that describe a link."""
        return _needs(self.config)

    def columns(self) -> Mapping[str, str]:
        """Give the graph's columns, `page`, `page_rank` and `rank` (1 is the highest of its graph)."""
        return _columns(self.config, "page_rank")

    def apply(self, rows: ArrowStream) -> ArrowStream:
        """Compute the PageRank of every page; raise `DataError` when a link lacks an end, or the scores do not settle."""
        web = _web(rows, self.config)
        return _result(web, "page_rank", page_ranks(web, self.config))


class HarmonicCentrality:
    """The sum of 1 / distance over all other pages from which a page can be reached, in links: how near it is to them."""

    name: ClassVar[str] = "harmonic_centrality"
    Config: ClassVar[type[BaseModel]] = Links

    def __init__(self, config: Links) -> None:
        self.config = config

    def needs(self) -> Sequence[str]:
        """Name the columns that describe a link."""
        return _needs(self.config)

    def columns(self) -> Mapping[str, str]:
        """Give the graph's columns, `page`, `harmonic_centrality` and `rank` (1 is the highest of its graph)."""
        return _columns(self.config, "harmonic_centrality")

    def apply(self, rows: ArrowStream) -> ArrowStream:
        """Compute the harmonic centrality of every page; raise `DataError` when a link lacks an end."""
        web = _web(rows, self.config)
        return _result(web, "harmonic_centrality", harmonic_centralities(web))


@dataclass(frozen=True)
class Web:
    """The pages of all graphs, numbered by graph and then by name, and the links between them."""

    columns: Mapping[str, ChunkedArray]
    """The values of the graph's columns and of `page`, for each page."""
    graph: Whole
    """For each page, the number of its graph, from 0."""
    links: csr_array[np.float64]
    """1 in row u and column v where page u links to page v."""

    def by_graph(self, weights: Floats | None = None) -> Floats:
        """Add these up (without any, count the pages) in each graph."""
        import numpy as np

        return np.bincount(self.graph, weights).astype(np.float64)


def page_ranks(web: Web, options: RankedLinks) -> Floats:
    """Find the PageRank of every page by following the links step by step, in all graphs at once.

    A graph rests once its scores are near enough, so that its result does not depend on the graphs beside it. A step that
    moves the scores by m leaves them at most m * d / (1 - d) away from where they will settle.
    """
    import numpy as np

    near_enough = options.tolerance * (1 - options.damping) / options.damping
    step = _step(web, options.damping)
    rank = 1 / web.by_graph()[web.graph]
    moved = np.full(len(web.by_graph()), np.inf)
    for _ in range(options.max_iterations):
        following = np.where((moved > near_enough)[web.graph], step(rank), rank)
        moved, rank = web.by_graph(np.abs(following - rank)), following
        if not (moved > near_enough).any():
            return rank / web.by_graph(rank)[web.graph]
    raise DataError(
        f"PageRank did not settle in {options.max_iterations} iterations: the last one still moved the scores of a graph by"
        f" {moved.max():.1e}, and a tolerance of {options.tolerance:g} needs less than {near_enough:.1e}",
        code="not_converged",
        hint="give the dataset's `options` a higher `max_iterations` or a higher `tolerance`",
    )


def _step(web: Web, damping: float) -> Callable[[Floats], Floats]:
    """Make the function that lets every reader go one page further: along a link, or to any page of the graph."""
    import numpy as np
    from scipy.sparse import diags_array

    out: Floats = np.asarray(web.links.sum(axis=1))
    share = np.divide(1, out, out=np.zeros(len(out)), where=out > 0)
    arriving = (diags_array(share) @ web.links).T.tocsr()
    pages = web.by_graph()

    def step(rank: Floats) -> Floats:
        stranded = web.by_graph(np.where(out > 0, 0, rank))
        anywhere = (1 - damping + damping * stranded) / pages
        following: Floats = damping * (arriving @ rank) + anywhere[web.graph]
        return following

    return step


def harmonic_centralities(web: Web) -> Floats:
    """Find the harmonic centrality of every page, graph by graph."""
    import numpy as np

    ends = np.cumsum([0, *web.by_graph()]).astype(np.int64).tolist()
    graphs = (web.links[first:end, first:end] for first, end in pairwise(ends))
    return np.concatenate([np.empty(0), *(_nearness(links) for links in graphs)])


def _nearness(links: csr_array[np.float64]) -> Floats:
    """Sum 1 / distance to each page of one graph over all pages, as many at a time as memory is meant to hold."""
    import numpy as np
    from scipy.sparse.csgraph import dijkstra

    pages = links.shape[0]
    at_once = max(1, DISTANCES_AT_ONCE // pages)
    nearness = np.zeros(pages)
    for first in range(0, pages, at_once):
        distances = dijkstra(links, unweighted=True, indices=range(first, min(first + at_once, pages)))
        distances[distances == 0] = np.inf
        nearness += (1 / distances).sum(axis=0)
    return nearness


def _ranks(web: Web, scores: Floats) -> Whole:
    """Rank the pages of each graph, 1 for the highest; equal scores share the smallest rank."""
    import numpy as np

    order = np.lexsort((-scores, web.graph))
    graph, score, place = web.graph[order], scores[order], np.arange(len(order))
    first = np.cumsum([0, *web.by_graph()]).astype(np.int64)[graph]
    tied = np.zeros(len(order), np.bool_)
    tied[1:] = (graph[1:] == graph[:-1]) & (score[:-1] - score[1:] <= TIE * score[:-1])
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.maximum.accumulate(np.where(tied, 0, place)) - first + 1
    return ranks


def _result(web: Web, score: str, scores: Floats) -> ArrowStream:
    """Set the pages, their scores and their ranks side by side."""
    from arro3.core import Table

    columns = {**web.columns, score: _column(scores), "rank": _column(_ranks(web, scores))}
    table: ArrowStream = Table.from_arrays(list(columns.values()), names=list(columns))
    return table


def _column(values: Floats | Whole) -> ChunkedArray:
    """Write numbers as Arrow, in as many pieces as `_taken`."""
    from arro3.core import Array, ChunkedArray

    array = Array.from_numpy(values)
    return ChunkedArray([array] if len(values) else [], type=array.type)


def _needs(options: Links) -> tuple[str, ...]:
    """List the columns to read, each once."""
    names = (*options.graph, options.source, options.target, options.nofollow)
    return tuple(name for name in dict.fromkeys(names) if name)


def _columns(options: Links, score: str) -> dict[str, str]:
    """List the columns of the result; a page has the type of the column `source`."""
    return dict.fromkeys((*options.graph, "page"), "") | {score: "DOUBLE", "rank": "BIGINT"}


def _web(rows: ArrowStream, options: Links) -> Web:
    """Give the pages and the links between them numbers."""
    import numpy as np
    from arro3.core import Table

    table = Table.from_arrow(rows)
    source, target = _decoded(table[options.source]), _decoded(table[options.target])
    _refuse_ends(source, target, options)
    graph, name = _graphs(table, options), _codes([source, target])
    key = np.concatenate([graph, graph]) * (name.max(initial=0) + 1) + name
    _, end, page = np.unique(key, return_index=True, return_inverse=True)
    start, finish = page[: table.num_rows], page[table.num_rows :]
    kept = _followed_rows(table, options) & (start != finish)
    by_name = {column: _decoded(table[column]) for column in options.graph}
    return Web(
        columns={column: _taken([values], end % max(table.num_rows, 1)) for column, values in by_name.items()}
        | {"page": _taken([source, target], end)},
        graph=np.concatenate([graph, graph])[end],
        links=_links(start[kept], finish[kept], len(end)),
    )


def _refuse_ends(source: ChunkedArray, target: ChunkedArray, options: Links) -> None:
    """Refuse links that lack an end, and ends that cannot be compared."""
    if source.null_count or target.null_count:
        missing = sum(None in ends for ends in zip(source.to_pylist(), target.to_pylist(), strict=True))
        raise DataError(
            f"{missing} of {len(source)} links lack `{options.source}` or `{options.target}`",
            code="missing_link_end",
            hint="complete these rows, or leave them out with a `where` in the `sql:` of the dataset below",
        )
    if len(source) and source.type != target.type:
        raise DataError(
            f"the columns `{options.source}` and `{options.target}` have different types ({source[0].as_py()!r} and"
            f" {target[0].as_py()!r}), so no page of one can be found in the other",
            code="link_ends_differ",
            hint="declare the same `type:` for both columns in the dataset below",
        )


def _decoded(column: ChunkedArray) -> ChunkedArray:
    """Write the values of a dictionary-encoded column out."""
    from arro3.core import DataType

    values = column.type.value_type if DataType.is_dictionary(column.type) else None
    return column.cast(values) if values else column


def _codes(columns: Sequence[ChunkedArray]) -> Whole:
    """Give the different values of all columns numbers in their own order, so that the order of the rows does not matter."""
    import numpy as np

    values = [value for column in columns for value in column.to_pylist()]
    numbers = {value: number for number, value in enumerate(sorted(set(values) - {None}), 1)} | {None: 0}
    return np.fromiter(map(numbers.__getitem__, values), np.int64, len(values))


def _graphs(table: ArrowTable, options: Links) -> Whole:
    """Give the graph of every row a number, from 0; NULL is a value like others."""
    import numpy as np

    graph = np.zeros(table.num_rows, np.int64)
    for name in options.graph:
        codes = _codes([table[name]])
        _, graph = np.unique(graph * (codes.max(initial=0) + 1) + codes, return_inverse=True)
    return graph


def _followed_rows(table: ArrowTable, options: Links) -> Truths:
    """Mark the links that are not marked as nofollow."""
    import numpy as np
    from arro3.core import DataType

    if not options.nofollow:
        return np.ones(table.num_rows, np.bool_)
    column = table[options.nofollow]
    if not DataType.is_boolean(column.type):
        raise DataError(
            f"the column `{options.nofollow}` should say true or false for each link, and holds {column.type}",
            code="not_boolean",
            hint="declare `type: boolean` for it in the dataset below",
        )
    return np.fromiter((value is not True for value in column.to_pylist()), np.bool_, table.num_rows)


def _links(start: Whole, finish: Whole, pages: int) -> csr_array[np.float64]:
    """Write 1 for each pair of pages with a link, however often it is written."""
    import numpy as np
    from scipy.sparse import csr_array

    links = csr_array((np.ones(len(start)), (start, finish)), shape=(pages, pages))
    links.sum_duplicates()
    links.data[:] = 1
    return links


def _taken(columns: Sequence[ChunkedArray], index: Whole) -> ChunkedArray:
    """Take the values at these places of the columns, one set behind the other."""
    from arro3.core import Array, ChunkedArray

    if not len(index):
        return ChunkedArray([], type=columns[0].type)
    whole = ChunkedArray([chunk for column in columns for chunk in column.chunks]).combine_chunks()
    return ChunkedArray([whole.take(Array.from_numpy(index))])
