import io
import os
from datetime import UTC, datetime

import output_samples as samples
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from rich.cells import cell_len

from kpi_engine.api import Breakdown, Card, Column, Comparison, Failure, Measure, Output, Report, Section, Trend
from kpi_engine.builtin.outputs.layout import spark
from kpi_engine.builtin.outputs.settings import TableConfig
from kpi_engine.builtin.outputs.table import TableOutput

NOW = datetime(2026, 10, 1, tzinfo=UTC)


class Terminal(io.BytesIO):
    def isatty(self):
        return True


def rendered(report, target=None, **options) -> str:
    target = target or io.BytesIO()
    TableOutput(TableConfig(**options)).render(report, target)
    return target.getvalue().decode()


def small_report():
    visits = Measure("visits", "Visits", unit="visits", format="integer", better="higher")
    bounce = Measure(
        "bounce", "Bounce rate", format="percent", better="lower", status="draft", notice="Still being tried."
    )
    cards = (
        Card(
            visits,
            1200,
            (
                Comparison("previous_period", "Q2 2026", 1000, 0.2, "relative", "good"),
                Comparison("previous_year", "Q3 2025", 0, None, "relative"),
            ),
            Trend(
                "month",
                tuple((datetime(2026, 7 + n, 1, tzinfo=UTC).date(), value) for n, value in enumerate((1, None, 3))),
            ),
        ),
        Card(bounce, 0.41, (Comparison("previous_period", "Q2 2026", 0.4, 0.01, "points", "bad"),)),
        Card(Measure("lost", "Lost"), failure=Failure("x", "no column", "ask for another")),
    )
    section = Section("Web marketing", "Digital", "web", cards)
    return Report("Acme", "en", "Q3 2026", (section,), NOW, unfinished=True, notices=("Made-up data.",))


def test_it_is_an_output_and_refuses_options_it_does_not_know():
    assert isinstance(TableOutput(TableConfig()), Output)
    with pytest.raises(ValidationError):
        TableConfig(colour=True)


def test_a_scorecard_reads_from_top_to_bottom():
    assert rendered(small_report(), width=80).replace("\u202f", " ").splitlines() == [
        "Acme",
        "Q3 2026 · Compared with Q2 2026 (the period before), Q3 2025 (a year before) ·",
        "As of 1 Oct 2026 00:00",
        "! Period not over yet",
        "! Made-up data.",
        "",
        "Web marketing  Digital",
        "─" * 80,
        "KPI           Value          Q2 2026               Q3 2025       Trend",
        "Visits        1,200  visits    1,000  ▲ +20.0 % ✓        0    –  ▁ █",
        "Bounce rate  41.0 %           40.0 %  ▲ +1.0 pt ✗",
        "  ! Draft: Still being tried.",
        "Lost         failed: no column (ask for another)",
        "",
        "✓ better  ✗ worse",
    ]


@pytest.mark.parametrize("width", [20, 30, 40, 60, 80, 100, 120, 160])
@pytest.mark.parametrize("hostile", [False, True])
def test_every_line_fits_the_width(width, hostile):
    for report in (samples.scorecard("fr", unfinished=True, hostile=hostile), samples.table(failures=True)):
        assert max(cell_len(line) for line in rendered(report, width=width).splitlines()) <= width


@given(st.integers(40, 160))
def test_every_kpi_is_shown_at_any_width(width):
    text = rendered(samples.scorecard(), width=width)
    for number in ("18,432", "2:22", "14,820,400", "€412,300.00", "0.0375", "27,340"):
        assert number in text


def test_a_wide_terminal_shows_earlier_values_and_units_and_a_narrow_one_changes_only():
    wide, usual, narrow = (rendered(samples.scorecard(), width=width) for width in (150, 80, 60))
    assert "16,630" in wide
    assert "interactions / posts" in wide
    assert "16,630" not in usual
    assert "▄▄▇▆▁█▇▆▆▅▆▆" in usual
    assert "▄▄▇▆▁█▇▆▆▅▆▆" not in narrow
    assert "▲ +10.8\u202f% ✓" in narrow


def test_a_breakdown_stands_below_its_kpi_with_its_total():
    lines = rendered(samples.scorecard(), width=120).splitlines()
    start = lines.index("Visits by channel")
    assert lines[start + 1].startswith("  organic_search")
    assert lines[start + 7].startswith("  –")
    assert lines[start + 8].startswith("  Total")
    assert "64,218" in lines[start + 8]


def test_a_failure_takes_the_place_of_the_numbers_and_a_discredited_practice_is_named():
    text = rendered(samples.scorecard(), width=160)
    assert "failed: no rate for USD on 2026-08-14 in `currency_rates`" in text
    assert "! Discredited practice: The profession has discredited this measure" in text


def test_a_table_has_its_total_apart_and_named():
    lines = rendered(samples.table(failures=True), width=160).splitlines()
    totals = next(place for place, line in enumerate(lines) if line.startswith("Total"))
    assert set(lines[totals - 1]) == {"─"}
    assert "1,152,921,504,606,848,344" in lines[totals]
    assert "visits_lost  failed: column `lost` is not there (did you mean `cost`?)" in lines
    assert "Total" not in rendered(samples.table(totals=False), width=160)


def test_a_table_of_numbers_only_names_its_total_too():
    columns = (Column("n", "Number", "value", Measure("n", "Number")),)
    report = Report("t", "en", "p", (Section("s", table=Breakdown(columns, ((1,), (2,)), (3,))),), NOW)
    assert rendered(report, width=40).splitlines()[-1] == "Total       3"


def test_columns_that_do_not_fit_follow_below_beside_the_same_dimensions():
    text = rendered(samples.table(), width=60)
    assert text.count("September 2026") > 1
    assert "\u25b2 +0.4\u202fpt" in text


def test_signs_are_explained_only_where_there_are_changes():
    columns = (Column("n", "Number", "value", Measure("n", "Number")),)
    report = Report("t", "en", "p", (Section("s", table=Breakdown(columns, ((1,),))),), NOW)
    assert "✓" not in rendered(report)
    assert "✓ better" in rendered(samples.table())


def test_data_cannot_steer_the_terminal():
    text = rendered(samples.table(), width=120)
    assert r"\x1b[31mred\u202e" in text
    assert not set(text) & {"\x1b", "\u202e"}


def test_markup_of_the_terminals_library_is_data():
    columns = (Column("name", "[red]Name[/red]", "dimension"), Column("n", "N", "value", Measure("n", "N")))
    report = Report("[b]t[/b]", "en", "p", (Section("s", table=Breakdown(columns, (("[link=x] :smile:", 1),))),), NOW)
    text = rendered(report, width=60)
    assert "[b]t[/b]" in text
    assert "[red]Name[/red]" in text
    assert "[link=x] :smile:" in text


def test_colour_is_for_terminals_and_for_those_who_ask(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    report = small_report()
    assert "\x1b[" not in rendered(report)
    assert "\x1b[32m" in rendered(report, Terminal())
    assert "\x1b[32m" in rendered(report, color=True)
    assert "\x1b[" not in rendered(report, Terminal(), color=False)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in rendered(report, Terminal())
    assert "\x1b[32m" in rendered(report, color=True)
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert "\x1b[" not in rendered(report, Terminal())


def test_without_a_width_the_terminals_is_taken(monkeypatch):
    monkeypatch.setenv("COLUMNS", "70")
    assert "─" * 70 in rendered(small_report()).splitlines()
    monkeypatch.delenv("COLUMNS")
    monkeypatch.setattr(os, "get_terminal_size", _no_terminal)
    assert "─" * 100 in rendered(small_report()).splitlines()


def _no_terminal(*_):
    raise OSError


def test_the_words_are_the_reports_language():
    text = rendered(samples.scorecard("fr", unfinished=True), width=120)
    assert "! Période en cours" in text
    assert "Indicateur" in text
    assert "échec\u00a0: no rate" in text
    assert "✓ mieux  ✗ moins bien" in text


@given(st.lists(st.none() | st.floats()))
def test_a_small_chart_has_one_sign_per_value(values):
    assert len(spark(values)) in (0, len(values))
    assert set(spark(values)) <= set("▁▂▃▄▅▆▇█ ")


def test_a_small_chart_runs_from_the_lowest_to_the_highest():
    assert spark([1, 2, None, 8, float("nan")]) == "▁▂ █ "
    assert spark([-1e308, 1e308]) == "▁█"
    assert spark([None, None]) == ""
    assert len(set(spark([5, 5, 5]))) == 1
