from __future__ import annotations

import io
import os
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kpi_output_markdown.document import MarkdownConfig, MarkdownOutput
from kpi_output_markdown.texts import escaped

import kpi_engine
from kpi_engine.api import (
    Breakdown,
    Card,
    Column,
    Comparison,
    Failure,
    Measure,
    Output,
    PluginError,
    Report,
    Section,
)
from kpi_engine.api.formatting import one_line
from kpi_engine.plugins import configure

markdown_it = pytest.importorskip("markdown_it")

VISITS = Measure("visits", "Visits", unit="visits", format="integer", better="higher")
RATE = Measure("rate", "Conversion rate", format="percent", better="higher")
COST = Measure("cost", "Cost per lead", unit="EUR / lead", format="currency", better="lower")
AVE = Measure(
    "ave", "AVE", unit="EUR", format="currency", status="deprecated_practice", notice="Discredited: do not use it."
)


def report(*sections: Section, language: str = "en", **more) -> Report:
    more = {"period": "Q3 2026", "as_of": datetime(2026, 10, 1, 8, 30, tzinfo=UTC), **more}
    return Report("Scorecard · Acme", language, sections=sections, **more)


def render(what: Report, **options) -> str:
    target = io.BytesIO()
    MarkdownOutput(configure(MarkdownOutput, options)).render(what, target)
    return target.getvalue().decode()


def plain_blanks(text: str) -> str:
    """Write narrow and non-breaking blanks as blanks, for tests that can be read."""
    return text.replace("\u202f", " ").replace("\xa0", " ")


def cells(text: str) -> list[list[str]]:
    """Read the rows of all tables, as a Markdown reader shows them."""
    tokens = markdown_it.MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(text)
    rows: list[list[str]] = []
    for opened, content in pairwise(tokens):
        if opened.type == "tr_open":
            rows.append([])
        if opened.type in ("th_open", "td_open"):
            rows[-1].append(
                "".join(part.content for part in content.children or () if part.type in ("text", "text_special"))
            )
    return rows


def scorecard(language: str = "en") -> Report:
    comparisons = (
        Comparison("previous_period", "Q2 2026", 60_000, 0.0703, "relative", "good"),
        Comparison("previous_year", "Q3 2025", 0, None, "relative"),
    )
    cards = (
        Card(VISITS, 64_218, comparisons),
        Card(RATE, 0.0262, (Comparison("previous_period", "Q2 2026", 0.03, -0.0038, "points", "bad"),)),
        Card(COST, None),
        Card(AVE, Decimal("12000.5")),
        Card(Measure("roi", "Social ROI"), failure=Failure("missing_rate", "no rate for USD", "add the rate")),
    )
    return report(
        Section("Web manager", "Web", "web_manager", cards),
        language=language,
        unfinished=True,
        notices=("Made-up data.",),
    )


def test_a_scorecard_in_english():
    expected = """\
        # Scorecard · Acme

        **Q3 2026** (not over yet), as of 1 Oct 2026 08:30

        > Made-up data.

        ## Web · Web manager

        | KPI | Value | Unit | Q2 2026 | change | Q3 2025 | change |
        | --- | --: | --- | --: | --: | --: | --: |
        | Visits | **64,218** | visits | 60,000 | ▲ +7.0 % (better) | 0 | – |
        | Conversion rate | **2.6 %** |  | 3.0 % | ▼ −0.4 pt (worse) |  |  |
        | Cost per lead | **–** | / lead |  |  |  |  |
        | AVE | **€12,000.50** |  |  |  |  |  |
        | Social ROI | failed |  |  |  |  |  |

        - **AVE**: Discredited: do not use it.
        - **Social ROI**, failed: no rate for USD (add the rate)
        """
    assert plain_blanks(render(scorecard())) == dedent(expected)


def test_a_scorecard_in_french():
    text = plain_blanks(render(scorecard("fr")))
    assert "| Indicateur | Valeur | Unité | Q2 2026 | évolution | Q3 2025 | évolution |" in text
    assert "| Visits | **64 218** | visits | 60 000 | ▲ +7,0 % (mieux) | 0 | – |" in text
    assert "| AVE | **12 000,50 €** |" in text
    assert "- **Social ROI**, échec : no rate for USD (add the rate)" in text
    assert "(en cours), situation au 1 oct. 2026 08:30" in text


def columns() -> tuple[Column, ...]:
    return (
        Column("channel", "Channel", "dimension"),
        Column("period", "Period", "period", grain="quarter"),
        Column("visits", "Visits", "value", VISITS),
        Column("visits__previous_year", "Visits, Q3 2025", "earlier", VISITS),
        Column("visits__previous_year_change", "change", "change", VISITS),
        Column("rate__previous_year_points", "rate, points", "points", RATE),
    )


def test_a_table_with_its_totals_apart():
    rows = (("email", date(2026, 7, 1), 1373, 1201, 0.1432, -0.004), (None, date(2026, 7, 1), 0, None, None, 0.0))
    table = Breakdown(columns(), rows, (None, None, 1373, 1201, 0.1432, None))
    failures = {"lost_visits": Failure("unknown_column", "there is no column `lost`")}
    expected = """\
        ## Visits

        | Channel | Period | Visits | Visits, Q3 2025 | change | rate, points |
        | --- | --- | --: | --: | --: | --: |
        | email | Q3 2026 | 1,373 | 1,201 | ▲ +14.3 % (better) | ▼ −0.4 pt (worse) |
        | – | Q3 2026 | 0 | – | – | = 0.0 pt |
        | **Total** |  | **1,373** | **1,201** | **▲ +14.3 % (better)** | **–** |

        - **lost\\_visits**, failed: there is no column \\`lost\\`
        """
    text = plain_blanks(render(report(Section("Visits", table=table, failures=failures))))
    assert text.split("\n\n", 2)[2] == dedent(expected)


def test_a_kpi_with_a_split_shows_its_values_below():
    table = Breakdown(columns()[:1] + columns()[2:3], (("email", 5),), None)
    text = render(report(Section("Web", cards=(Card(VISITS, breakdown=table),))))
    assert "| Visits |  | visits |" in text
    assert text.endswith("**Visits**\n\n| Channel | Visits |\n| --- | --: |\n| email | 5 |\n")


def test_a_table_without_rows_is_a_table():
    text = render(report(Section("Visits", table=Breakdown(columns()[:1], ()))))
    assert text.endswith("| Channel |\n| --- |\n")


def test_the_title_s_level_can_be_chosen():
    text = render(scorecard(), level=3)
    assert text.startswith("### Scorecard")
    assert "\n#### Web" in text
    for level in (0, 6, "x"):
        with pytest.raises(PluginError, match="`level`"):
            configure(MarkdownOutput, {"level": level})
    assert MarkdownOutput(MarkdownConfig()).config.level == 1


HOSTILE = [
    "a|b",
    "a\\|b",
    "two\nlines\r\nhere",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "&lt;b&gt;",
    "**bold** _it_ ~~no~~ `code`",
    "[link](javascript:alert(1))",
    "![picture](http://x/y.png)",
    "$a$ $$b$$",
    "# title",
    "<!-- hidden",
    "\\",
    "right\u202eleft",
    "\x1b[31mred",
    "`|`",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_texts_of_the_data_are_shown_as_they_are(text):
    table = Breakdown(columns()[:1] + columns()[2:3], ((text, 1), ("next", 2)))
    assert cells(render(report(Section(text, text, cards=(), table=table))))[1:] == [
        [one_line_of(text), "1"],
        ["next", "2"],
    ]


def one_line_of(text: str) -> str:
    """What stands in a cell: members show their line breaks, all on one line."""
    return " ".join(one_line(text.replace("\r", "\\r").replace("\n", "\\n")).split())


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=20))
def test_any_text_is_one_cell_of_plain_text(text):
    rendered = f"| head |\n| --- |\n| x{escaped(text)}x |\n"
    shown = [[cell.replace("\N{REPLACEMENT CHARACTER}", "") for cell in row] for row in cells(rendered)]
    assert shown == [["head"], [f"x{one_line(text)}x".replace("\N{REPLACEMENT CHARACTER}", "")]]


def test_nobody_is_notified():
    assert "@someone" not in render(report(Section("@someone", table=Breakdown(columns()[:1], (("@someone",),)))))


def test_it_is_an_output():
    assert isinstance(MarkdownOutput(MarkdownConfig()), Output)


def test_the_built_package_is_found_by_its_entry_point(tmp_path):
    """What is tested is the wheel that a user installs."""
    wheel = pytest.importorskip("hatchling.builders.wheel")
    folder = Path(__file__).parents[1]
    built = next(wheel.WheelBuilder(str(folder)).build(directory=str(tmp_path), versions=["standard"]))
    program = """
        from kpi_engine.plugins import Plugins
        plugins = Plugins(None)
        (info,) = [info for info in plugins.listing() if info.name == "markdown"]
        assert (info.status, info.distribution, info.provides) == ("ok", "kpi-output-markdown", (("output", "markdown"),)), info
        assert ".whl" in plugins.output("markdown").__module__ or ".whl" in __import__("kpi_output_markdown").__file__
    """
    engine = str(Path(kpi_engine.__path__[0]).parent)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([built, engine])}
    done = subprocess.run(  # noqa: S603 - this interpreter, with the program above
        [sys.executable, "-c", dedent(program)],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
