"""Random projects, data and requests, each answered by the engine and, row by row in plain Python, by the oracle."""

from __future__ import annotations

import pytest
from oracle_checking import check_seed

CHUNKS = 15
SEEDS = 5
QUESTIONS = 5


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_the_engine_answers_as_the_oracle_does(chunk):
    answered = sum(check_seed(chunk * SEEDS + seed, QUESTIONS) for seed in range(SEEDS))
    assert answered > SEEDS * QUESTIONS // 2


@pytest.mark.slow
@pytest.mark.parametrize("chunk", range(40))
def test_the_engine_answers_as_the_oracle_does_again_and_again(chunk):
    answered = sum(check_seed(1000 + chunk * 25 + seed, QUESTIONS) for seed in range(25))
    assert answered > 25 * QUESTIONS // 2


@pytest.mark.parametrize("chunk", range(4))
def test_the_engine_answers_so_where_summaries_are_taken_apart(chunk, monkeypatch):
    monkeypatch.setattr("kpi_engine.sql.parts.MANY", 0)
    assert sum(check_seed(500 + chunk * SEEDS + seed, QUESTIONS) for seed in range(SEEDS)) > SEEDS * QUESTIONS // 2
