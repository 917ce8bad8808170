"""The pages name the bounds that the engine keeps."""

from __future__ import annotations

from pathlib import Path

import pytest

from kpi_engine.catalogue.datasets import MOST_LEVELS
from kpi_engine.catalogue.fitting import MOST_WAYS
from kpi_engine.catalogue.names import MAX_HOPS
from kpi_engine.formula.gate import MAX_NESTING
from kpi_engine.formula.queries import GROWTH
from kpi_engine.formula.words import MAX_DEPTH, MAX_LENGTH, MAX_WORDS
from kpi_engine.planning.arguments import MOST_ROWS
from kpi_engine.planning.refusals import MOST_PER
from kpi_engine.planning.request import MAX_DIGITS, MAX_TEXT, MAX_VALUES

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
BOUNDS = {
    "definitions.md": [
        f"{MAX_LENGTH:,} characters, {MAX_WORDS:,} words and signs",
        f"| brackets inside one another | {MAX_DEPTH} |",
        f"such as the terms of a sum | {MAX_NESTING} |",
        f"| datasets made of one another | {MOST_LEVELS} |",
        f"| joins in one path | {MAX_HOPS} |",
        f"| inputs with `per` on one another | {MOST_PER} |",
        f"on top of one another | {MOST_WAYS} |",
        f"| {GROWTH} times as long as a column |",
    ],
    "requests.md": [
        f"at most {MAX_VALUES:,} values",
        f"at most {MAX_TEXT:,} characters",
        f"at most {MAX_DIGITS} digits",
        f"`limit` is at most {MOST_ROWS:,}",
    ],
}


@pytest.mark.parametrize(("page", "bound"), [(page, bound) for page, bounds in BOUNDS.items() for bound in bounds])
def test_a_bound_is_the_one_that_is_kept(page, bound):
    assert bound in (REFERENCE / page).read_text(encoding="utf-8")
