"""PageRank and harmonic centrality, against networkx and by hand."""

from __future__ import annotations

from datetime import date

import duckdb
import networkx as nx
import pyarrow as pa
import pytest
from arro3.core import Table
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from kpi_engine.api import Transform
from kpi_engine.builtin.transforms.linkrank import HarmonicCentrality, PageRank
from kpi_engine.errors import DataError

FIXTURE = [("a", "b"), ("a", "c"), ("b", "c"), ("c", "a"), ("d", "c")]

pages = st.integers(0, 7)
webs = st.lists(st.tuples(pages, pages), min_size=1, max_size=40)


def links(rows: list[tuple], *names: str, types: tuple[pa.DataType | None, ...] = ()) -> pa.Table:
    """The rows as Arrow, in these columns, of the types that follow from the values or those that are said."""
    names = names or ("source", "target")
    cells = zip(*rows, strict=True) if rows else [()] * len(names)
    columns = zip(names, cells, types or [None] * len(names), strict=True)
    return pa.table({name: pa.array(values, kind) for name, values, kind in columns})


def transformed(kind: type[PageRank | HarmonicCentrality], rows: Table, **options: object) -> list[tuple]:
    result = Table.from_arrow(kind(kind.Config.model_validate(options)).apply(rows))
    return list(zip(*(column.to_pylist() for column in result.columns), strict=True))


def ranked(rows: list[tuple], **options: object) -> list[tuple]:
    return transformed(PageRank, links(rows), **options)


def scores(rows: list[tuple]) -> dict:
    return {page: score for page, score, _ in rows}


def plain(rows: list[tuple]) -> nx.DiGraph:
    """The graph as networkx is to see it: all pages, no page linking to itself."""
    graph = nx.DiGraph()
    graph.add_nodes_from(page for row in rows for page in row)
    graph.add_edges_from((a, b) for a, b in rows if a != b)
    return graph


@pytest.fixture(scope="module")
def hollins(real_file) -> list[tuple[int, int]]:
    return [tuple(map(int, line.split())) for line in real_file("hollins.dat").read_text().splitlines()[1:]]


@pytest.mark.parametrize("kind", [PageRank, HarmonicCentrality])
def test_it_is_a_transform_that_announces_what_it_gives(kind):
    transform = kind(kind.Config(graph=["graph_id", "captured_on"], nofollow="is_nofollow"))
    rows = links(
        [("g", date(2026, 1, 15), "a", "b", False)], "graph_id", "captured_on", "source", "target", "is_nofollow"
    )
    assert isinstance(transform, Transform)
    assert list(transform.needs()) == ["graph_id", "captured_on", "source", "target", "is_nofollow"]
    score = {PageRank: "page_rank", HarmonicCentrality: "harmonic_centrality"}[kind]
    assert transform.columns() == {"graph_id": "", "captured_on": "", "page": "", score: "DOUBLE", "rank": "BIGINT"}
    result = transform.apply(rows)
    with duckdb.connect() as con:
        con.register("result", result)
        described = con.execute("describe result").fetchall()
    assert {name: kind for name, kind, *_ in described} == {
        "graph_id": "VARCHAR",
        "captured_on": "DATE",
        "page": "VARCHAR",
        score: "DOUBLE",
        "rank": "BIGINT",
    }


def test_page_rank_of_the_hand_checked_graph():
    rows = ranked(FIXTURE)
    expected = {"a": 0.37252685132843394, "b": 0.19582391181458442, "c": 0.39414923685698117, "d": 0.0375}
    assert scores(rows) == pytest.approx(expected, rel=1e-9, abs=0)
    assert {page: rank for page, _, rank in rows} == {"c": 1, "a": 2, "b": 3, "d": 4}


def test_harmonic_centrality_of_the_hand_checked_graph():
    rows = transformed(HarmonicCentrality, links(FIXTURE))
    assert scores(rows) == pytest.approx({"a": 2.0, "b": 1 + 1 / 2 + 1 / 3, "c": 3.0, "d": 0.0}, abs=1e-12)
    assert [rank for _, _, rank in rows] == [2, 3, 1, 4]


def test_page_rank_equals_networkx_on_a_real_web(hollins):
    rows = ranked(hollins)
    expected = nx.pagerank(plain(hollins), tol=1e-14, max_iter=1000)
    assert len(rows) == 6012
    assert scores(rows) == pytest.approx(expected, rel=0, abs=1e-9)
    assert sum(scores(rows).values()) == pytest.approx(1, rel=0, abs=1e-12)
    best = max(expected, key=lambda page: expected[page])
    assert [page for page, _, rank in rows if rank == 1] == [best]


def test_harmonic_centrality_equals_networkx_on_a_real_web(hollins):
    rows = transformed(HarmonicCentrality, links(hollins))
    some = [page for page, _, _ in rows][::100]
    expected = nx.harmonic_centrality(plain(hollins), nbunch=some)
    assert {page: scores(rows)[page] for page in some} == pytest.approx(expected, rel=1e-9, abs=0)


def test_distances_are_summed_in_pieces_without_changing_them(monkeypatch, hollins):
    some = links(hollins[:2000])
    whole = transformed(HarmonicCentrality, some)
    monkeypatch.setattr("kpi_engine.builtin.transforms.linkrank.DISTANCES_AT_ONCE", 20_000)
    assert scores(transformed(HarmonicCentrality, some)) == pytest.approx(scores(whole), rel=1e-12)


@given(webs)
def test_page_rank_equals_networkx_and_sums_to_one(rows):
    found = scores(ranked(rows, tolerance=1e-13))
    assert found == pytest.approx(nx.pagerank(plain(rows), tol=1e-14, max_iter=1000), rel=0, abs=1e-12)
    assert sum(found.values()) == pytest.approx(1, rel=0, abs=1e-12)


@given(webs)
def test_harmonic_centrality_equals_networkx(rows):
    found = scores(transformed(HarmonicCentrality, links(rows)))
    assert found == pytest.approx(nx.harmonic_centrality(plain(rows)), rel=1e-12, abs=1e-12)


def test_the_scores_are_as_near_as_the_tolerance_says():
    """On a long row of pages through which readers drift slowly, where the last step says little of how far it still is."""
    row = [(n, n + 1) for n in range(200)] + [(n + 1, n) for n in range(200)] + [(n + 2, n) for n in range(199)]
    rough = scores(ranked(row, damping=0.95, tolerance=1e-3))
    exact = scores(ranked(row, damping=0.95, tolerance=1e-13))
    assert 1e-4 < sum(abs(rough[page] - exact[page]) for page in exact) <= 1e-3


@pytest.mark.parametrize("kind", [PageRank, HarmonicCentrality])
@given(rows=webs, data=st.data())
def test_the_order_of_the_rows_does_not_matter_to_the_last_digit(kind, rows, data):
    shuffled = data.draw(st.permutations(rows))
    assert transformed(kind, links(shuffled)) == transformed(kind, links(rows))


@pytest.mark.parametrize("kind", [PageRank, HarmonicCentrality])
@given(rows=webs, data=st.data())
def test_what_is_no_link_changes_nothing(kind, rows, data):
    """A nofollow link, a link to itself and a repeated link, between pages that are there."""
    there = st.sampled_from(sorted({page for row in rows for page in row}))
    noise = [(data.draw(there), data.draw(there), True), (*([data.draw(there)] * 2), False), (*rows[0], None)]
    followed = [(a, b, follow) for (a, b), follow in zip(rows, [False, None] * len(rows), strict=False)]
    table = links(followed + noise, "source", "target", "nofollow", types=(pa.int64(), pa.int64(), pa.bool_()))
    assert transformed(kind, table, nofollow="nofollow") == transformed(kind, links(rows))


@pytest.mark.parametrize("kind", [PageRank, HarmonicCentrality])
@given(one=webs, other=webs)
def test_graphs_side_by_side_are_computed_each_on_its_own(kind, one, other):
    days = {date(2026, 1, 1): one, date(2026, 2, 1): other}
    rows = [("g", day, a, b) for day, web in days.items() for a, b in web]
    found = transformed(kind, links(rows, "g", "day", "source", "target"), graph=["g", "day"])
    alone = [("g", day, *row) for day, web in days.items() for row in transformed(kind, links(web))]
    assert found == alone


def test_a_missing_graph_is_a_graph_of_its_own():
    rows = [(None, 1, 2), ("x", 2, 1), ("x", 3, 1)]
    found = transformed(PageRank, links(rows, "g", "source", "target"), graph=["g"])
    assert [(graph, page) for graph, page, *_ in found] == [(None, 1), (None, 2), ("x", 1), ("x", 2), ("x", 3)]


def test_equal_scores_share_the_smallest_rank():
    star = [(leaf, 0) for leaf in range(1, 7)] + [(0, leaf) for leaf in range(1, 7)] + [(8, 9)]
    assert {page: rank for page, _, rank in ranked(star)} == {0: 1, **dict.fromkeys(range(1, 7), 2), 9: 8, 8: 9}


def test_pages_with_links_to_themselves_only_are_pages():
    assert ranked([("a", "a"), ("b", "b")]) == [("a", 0.5, 1), ("b", 0.5, 1)]
    assert transformed(HarmonicCentrality, links([("a", "a")])) == [("a", 0.0, 1)]


@pytest.mark.parametrize("kind", [PageRank, HarmonicCentrality])
@pytest.mark.parametrize("page", [pa.string(), pa.date32(), pa.decimal128(9, 2), pa.dictionary(pa.int8(), pa.string())])
def test_no_links_give_no_pages(kind, page):
    assert transformed(kind, links([], types=(page, page))) == []


def test_pages_keep_their_type():
    days = [(date(2026, 1, day), date(2026, 1, day + 1)) for day in (1, 2)]
    assert [page for page, *_ in ranked(days)] == [date(2026, 1, 1), date(2026, 1, 2), date(2026, 1, 3)]
    coded = pa.dictionary(pa.int8(), pa.string())
    rows = links([("b", "a"), ("c", "b")], types=(coded, pa.string()))
    assert [page for page, *_ in transformed(PageRank, rows)] == ["a", "b", "c"]


def test_a_link_without_an_end_is_refused_with_how_many_there_are():
    with pytest.raises(DataError, match="2 of 3 links lack `source` or `target`") as caught:
        ranked([("a", "b"), (None, "b"), ("a", None)])
    assert caught.value.code == "missing_link_end"


def test_ends_of_different_types_are_refused():
    with pytest.raises(DataError, match=r"`source`.*`target`.*different types") as caught:
        transformed(PageRank, links([(1, "1")]))
    assert caught.value.code == "link_ends_differ"


def test_a_nofollow_column_of_text_is_refused():
    with pytest.raises(DataError, match="`rel`") as caught:
        transformed(PageRank, links([("a", "b", "nofollow")], "source", "target", "rel"), nofollow="rel")
    assert caught.value.code == "not_boolean"


def test_scores_that_do_not_settle_are_refused():
    with pytest.raises(DataError, match="2 iterations") as caught:
        ranked(FIXTURE, max_iterations=2)
    assert caught.value.code == "not_converged"


@pytest.mark.parametrize(
    "options",
    [
        {"damping": 1.0},
        {"damping": 0.0},
        {"tolerance": 0.0},
        {"max_iterations": 0},
        {"dampening": 0.85},
        {"graph": ["g", "g"]},
        {"graph": ["page"]},
    ],
)
def test_options_out_of_range_or_unknown_are_refused(options):
    with pytest.raises(ValidationError):
        PageRank.Config.model_validate(options)
