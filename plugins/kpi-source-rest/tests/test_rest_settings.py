"""What is wrong with the settings, as the engine says it."""

import pytest
from kpi_source_rest.source import RestSource
from test_rest_asking import BAD

from kpi_engine.api import SourceError
from kpi_engine.plugins import configure

GOOD = {"client": {"base_url": "https://a.example"}, "resources": [{"name": "a", "endpoint": "x"}]}


@pytest.mark.parametrize("case", BAD)
def test_mistakes_are_told_with_their_place(case):
    with pytest.raises(SourceError) as caught:
        configure(RestSource, {**GOOD, **BAD[case][0]})
    assert caught.value.code == "bad_settings"
    assert "settings of the source plugin `rest`: `" in caught.value.message
    assert "Extra inputs" not in caught.value.message


def test_the_settings_of_a_dlt_user_are_understood():
    configure(
        RestSource,
        {
            "client": {
                "base_url": "https://a.example",
                "paginator": {"type": "offset", "limit": 100, "total_path": "total"},
            },
            "resources": [
                {
                    "name": "issues",
                    "primary_key": "id",
                    "write_disposition": "merge",
                    "endpoint": {
                        "path": "issues",
                        "params": {"sort": "updated", "per_page": 100},
                        "data_selector": "data.items",
                        "incremental": {
                            "cursor_path": "updated_at",
                            "start_param": "since",
                            "initial_value": "2026-01-01",
                        },
                    },
                }
            ],
        },
    )
