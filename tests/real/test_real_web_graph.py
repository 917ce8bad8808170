"""The links of a university's site: PageRank through the engine, against networkx."""

from __future__ import annotations

import networkx as nx
import pytest

PROJECT = "web_graph"


@pytest.fixture(scope="module")
def graph(real_data) -> nx.DiGraph:
    lines = real_data("hollins.dat").read_text().splitlines()[1:]
    return nx.DiGraph([tuple(map(int, line.split())) for line in lines])


@pytest.fixture(scope="module")
def ranks(graph) -> dict[int, float]:
    return nx.pagerank(graph, tol=1e-14, max_iter=1000)


def test_page_rank_of_every_page(engine, ranks):
    rows = engine.run("page_rank", by=["page"]).rows()
    assert {row["page"]: row["page_rank"] for row in rows} == pytest.approx(ranks, rel=0, abs=1e-9)


def test_the_whole_graph(engine, graph):
    row = engine.run(["link_count", "page_count", "page_rank"]).totals()
    assert (row["link_count"], row["page_count"]) == (graph.number_of_edges(), graph.number_of_nodes()) == (23875, 6012)
    assert row["page_rank"] == pytest.approx(1, rel=0, abs=1e-12)


def test_the_ten_best_pages(engine, ranks):
    rows = engine.run(["page_rank", "place"], by=["page"], order="-page_rank", limit=10).rows()
    best = sorted(ranks, key=lambda page: -ranks[page])[:10]
    assert [(row["page"], row["place"]) for row in rows] == [(page, place) for place, page in enumerate(best, 1)]


def test_harmonic_centrality_of_some_pages(engine, graph, ranks):
    some = sorted(ranks, key=lambda page: -ranks[page])[:20]
    rows = engine.run("harmonic_centrality", by=["page"], where={"page": some}).rows()
    wanted = nx.harmonic_centrality(graph, nbunch=some)
    assert {row["page"]: row["harmonic_centrality"] for row in rows} == pytest.approx(wanted, rel=1e-9)
