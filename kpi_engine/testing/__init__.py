"""The conformance kit: what the engine relies on in a plugin, as tests that a plugin's own suite runs.

Take the class of the kind, give it the fixture `case`, and run pytest:

    class TestShop(SourceKit):
        @pytest.fixture
        def case(self, tmp_path):
            return SourceCase(ShopSource, {"path": "shop.sqlite"}, table="sales", root=tmp_path)

The docstring of each test is the rule. This is the only part of the engine that imports pytest: `pip install 'kpi-engine-core[testing]'`.
"""

from kpi_engine.testing.outputs import OutputCase, OutputKit
from kpi_engine.testing.packs import PackCase, PackKit
from kpi_engine.testing.sources import SourceCase, SourceKit
from kpi_engine.testing.sql import SqlSourceKit
from kpi_engine.testing.streams import StreamCase, StreamSourceKit
from kpi_engine.testing.transforms import TransformCase, TransformKit

__all__ = [
    "OutputCase",
    "OutputKit",
    "PackCase",
    "PackKit",
    "SourceCase",
    "SourceKit",
    "SqlSourceKit",
    "StreamCase",
    "StreamSourceKit",
    "TransformCase",
    "TransformKit",
]
