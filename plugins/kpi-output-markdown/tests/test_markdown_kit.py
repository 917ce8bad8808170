import pytest
from kpi_output_markdown.document import MarkdownOutput

from kpi_engine.testing import OutputCase, OutputKit


class TestMarkdown(OutputKit):
    @pytest.fixture
    def case(self):
        return OutputCase(MarkdownOutput)
