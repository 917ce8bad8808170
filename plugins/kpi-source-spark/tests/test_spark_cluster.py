import pytest
from in_spark import HERE, storing
from leaf_proofs import as_the_oracle, marketing_as_worked_out_by_hand
from random_expressions import differences

pytestmark = pytest.mark.cluster


def test_the_marketing_fixture_gives_the_numbers_worked_out_by_hand(cluster, tmp_path):
    marketing_as_worked_out_by_hand(storing(cluster.remote), HERE, tmp_path)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("places", [1, 3])
def test_random_projects_answer_as_the_oracle_does(cluster, tmp_path, seed, places):
    as_the_oracle(500 + seed, places, storing(cluster.remote), HERE, tmp_path)


def test_random_expressions_give_what_duckdb_gives(cluster, tmp_path):
    computed, refused, found = differences(13, 2000, storing(cluster.remote), HERE, "spark", tmp_path)
    assert found == []
