"""Random projects, data and requests, each answered by the engine and, row by row in plain Python, by the oracle.

A case is a request that was answered and compared. A seed gives a project and its requests; one that fails is told with its seed,
and as the smallest project that still fails. `check_seed(seed)` plays it again.
"""

from __future__ import annotations

from itertools import count, islice

import pytest
from oracle_shrinking import check_seed, told

CASES = 50
SEEDS = 10_000
"""So many seeds belong to a chunk; it stops when enough of their requests were answered."""


def compare(chunk, cases):
    answered = 0
    for seed in islice(count(chunk * SEEDS), SEEDS):
        with told(seed):
            answered += check_seed(seed)
        if answered >= cases:
            return answered
    raise AssertionError(f"only {answered} of the requests of {SEEDS} seeds were answered")


@pytest.mark.parametrize("chunk", range(16))
def test_the_engine_answers_as_the_oracle_does(chunk):
    assert compare(chunk, CASES) >= CASES


@pytest.mark.parametrize("chunk", range(16, 20))
def test_the_engine_answers_so_where_summaries_are_taken_apart(chunk, monkeypatch):
    monkeypatch.setattr("kpi_engine.sql.parts.MANY", 0)
    assert compare(chunk, CASES) >= CASES


@pytest.mark.slow
@pytest.mark.parametrize("chunk", range(100, 200))
def test_the_engine_answers_as_the_oracle_does_again_and_again(chunk):
    assert compare(chunk, 500) >= 500
