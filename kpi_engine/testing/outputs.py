"""The rules of an output."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Literal

from kpi_engine.api import Breakdown, Card, Column, Failure, Measure, Report, Section
from kpi_engine.testing.common import ClassKit, settings_of

HOSTILE = "<script>alert(1)</script>\x1b[31m\u202e"
MARK = "Kennzahl"
_MEASURE = Measure("visits", MARK, unit="visits", additivity="additive")


@dataclass(frozen=True)
class OutputCase:
    """An output with options that work. `text` reads what a person would read out of the bytes, for outputs that write no text."""

    plugin: type[Any]
    settings: Mapping[str, Any] = field(default_factory=dict)
    text: Callable[[bytes], str] = bytes.decode

    def rendered(self, report: Report) -> bytes:
        """Render a report as the engine does."""
        config, _ = settings_of(self.plugin, self.settings, Path())
        target = io.BytesIO()
        self.plugin(config).render(report, target)
        assert not target.closed, "the output closed the target, which is the engine's"
        return target.getvalue()

    def said(self, report: Report) -> str:
        """Give what a person would read."""
        return self.text(self.rendered(report))


def scorecard(
    value: float | None = 1234.5,
    *,
    language: Literal["en", "fr"] = "en",
    label: str = MARK,
    failure: Failure | None = None,
) -> Report:
    """Give a report with one KPI."""
    card = Card(replace(_MEASURE, label=label), None if failure else value, failure=failure)
    section = Section("Team", role="team", cards=(card,))
    return Report("Report", language, "Q3", (section,), datetime(2026, 10, 1, tzinfo=UTC))


def table(*values: Any, member: str = "email") -> Report:  # noqa: ANN401
    """Give a report with a table, whose totals nobody asked for."""
    columns = (Column("channel", "Channel", "dimension"), Column("visits", MARK, "value", _MEASURE))
    rows = tuple((f"{member}{'abcdef'[number]}", value) for number, value in enumerate(values))
    return Report(
        "Report", "en", "Q3", (Section("Team", table=Breakdown(columns, rows)),), datetime(2026, 10, 1, tzinfo=UTC)
    )


class OutputKit(ClassKit):
    """The rules of an output."""

    kind = "output"
    __test__: ClassVar[bool] = False

    def test_its_files_have_an_ending(self, case: OutputCase) -> None:
        """`suffix` begins with a dot, or is empty for an output that is meant for the terminal."""
        suffix = case.plugin.suffix
        assert suffix == "" or (suffix.startswith(".") and len(suffix) > 1), f"`{suffix}` is no ending"

    def test_it_writes_what_it_is_given(self, case: OutputCase) -> None:
        """A scorecard and a table are written, each KPI with its label, or where it has none its id."""
        for report in (scorecard(), table(1234.5)):
            said = case.said(report)
            assert MARK in said or "visits" in said, "the KPI is not in what was written"

    def test_the_same_report_gives_the_same_file(self, case: OutputCase) -> None:
        """A report that is rendered twice gives the same bytes."""
        assert case.rendered(scorecard()) == case.rendered(scorecard()), "the second file is another"

    def test_nothing_to_show_is_no_failure(self, case: OutputCase) -> None:
        """A report without sections, a scorecard without KPIs and a table without rows are written."""
        whole = scorecard()
        for report in (replace(whole, sections=()), replace(whole, sections=(Section("Team"),)), table()):
            case.rendered(report)

    def test_unknown_is_neither_zero_nor_a_word_of_the_program(self, case: OutputCase) -> None:
        """What is unknown is shown as – or left empty: never as 0, None or nan."""
        for made in (scorecard, table):
            unknown, zero = case.said(made(None)), case.said(made(0))
            assert unknown != zero, "unknown looks as 0 does"
            assert "None" not in unknown, "unknown is shown as None"
            assert not re.search(r"\bnan\b", unknown, re.IGNORECASE), "unknown is shown as nan"

    def test_a_failure_is_shown(self, case: OutputCase) -> None:
        """A KPI that failed is shown with the reason, or its code, and not as a number."""
        said = case.said(scorecard(failure=Failure("unknown_column", "there is no column `lost`")))
        assert "no column" in said or "unknown_column" in said, "the reason is not in what was written"

    def test_it_computes_no_number(self, case: OutputCase) -> None:
        """No number is added up: of 1111 and 2222 neither the sum nor the average appears."""
        said = case.said(table(1111, 2222))
        digits = "".join(char for char in said if char.isalnum() or char in ".;|<>\n")
        assert "1111" in digits, "the numbers of the table are not there"
        for computed in ("3333", "1666.5", "1667"):
            assert computed not in digits, f"{computed} appears, which nobody computed"

    def test_numbers_are_written_as_in_the_report_s_language(self, case: OutputCase) -> None:
        """In French no number is written as in English; outputs for machines write them alike in both."""
        english, french = case.said(scorecard()), case.said(scorecard(language="fr"))
        assert "1,234" not in french, "an English number stands in a French report"
        assert "1,234" not in english or "1234.5" not in french, "a French report has no French number"

    def test_texts_of_the_data_stay_texts(self, case: OutputCase) -> None:
        """Neither markup nor control characters in a label or a member come through where they would do something."""
        for report in (scorecard(label=HOSTILE), table(1, member=HOSTILE)):
            said = case.said(report)
            if case.plugin.suffix not in (".csv", ".json", ".ndjson"):
                assert "\x1b" not in said, "an escape sequence of a terminal came through"
            if case.plugin.suffix in (".html", ".htm", ".md", ".svg", ".xml"):
                assert "<script>alert(1)" not in said, "a script came through"
        if case.plugin.suffix == ".csv":
            formula = re.search(r"(?:^|[,;\t\"])=1\+1", case.said(table(1, member="=1+1")), re.MULTILINE)
            assert not formula, "a spreadsheet would compute a text of the data"
