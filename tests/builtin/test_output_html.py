import base64
import hashlib
import io
import re
from html.parser import HTMLParser
from itertools import pairwise

import output_samples as samples
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from kpi_engine.api import Output
from kpi_engine.builtin.outputs.html import HtmlOutput
from kpi_engine.builtin.outputs.html.page import page
from kpi_engine.builtin.outputs.html.sparkline import HEIGHT, WIDTH, sparkline
from kpi_engine.builtin.outputs.settings import HtmlConfig

VOID = {"meta"}
TAGS = {
    "html", "head", "meta", "title", "style", "body", "header", "h1", "h2", "h3", "p", "span", "strong", "code", "nav", "div", "ul",
    "li", "a", "main", "section", "article", "dl", "dt", "dd", "figure", "figcaption", "svg", "path", "rect", "table", "thead",
    "tbody", "tfoot", "tr", "th", "td", "footer",
}  # fmt: skip
ATTRIBUTES = {
    "lang", "charset", "http-equiv", "content", "name", "class", "id", "role", "href", "scope", "tabindex", "aria-label",
    "aria-labelledby", "aria-hidden", "viewbox", "preserveaspectratio", "d", "x", "width", "height",
}  # fmt: skip


class Page(HTMLParser):
    """What a browser would see: the tags with their attributes, the texts, and whether every tag is closed."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts, self.open = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        assert len(attrs) == len(dict(attrs))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if data.strip():
            self.texts.append(" ".join(data.split()))

    def values(self, name):
        return [attributes[name] for _, attributes in self.tags if name in attributes]


def rendered(report) -> str:
    target = io.BytesIO()
    HtmlOutput(HtmlConfig()).render(report, target)
    return target.getvalue().decode()


@pytest.fixture(params=["scorecard", "french", "hostile", "table"])
def text(request):
    reports = {
        "scorecard": samples.scorecard,
        "french": lambda: samples.scorecard("fr", unfinished=True),
        "hostile": lambda: samples.scorecard(hostile=True),
        "table": lambda: samples.table(failures=True),
    }
    return rendered(reports[request.param]())


def test_it_is_an_output_and_refuses_options():
    assert isinstance(HtmlOutput(HtmlConfig()), Output)
    with pytest.raises(ValidationError):
        HtmlConfig(theme="dark")


def test_the_page_is_well_formed_and_holds_known_tags_and_attributes_only(text):
    seen = Page(text)
    assert seen.open == []
    assert {tag for tag, _ in seen.tags} <= TAGS
    assert {name for _, attributes in seen.tags for name in attributes} <= ATTRIBUTES
    ids = seen.values("id")
    assert len(ids) == len(set(ids))
    assert set(seen.values("aria-labelledby")) <= set(ids)


def test_the_page_loads_nothing_and_leads_nowhere_but_to_itself(text):
    seen = Page(text)
    assert set(seen.values("href")) <= {f"#{name}" for name in seen.values("id")}
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL).group(1)
    assert "url(" not in style
    assert "@import" not in style


def test_the_policy_allows_the_pages_own_style_and_nothing_else(text):
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL).group(1)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = next(attributes["content"] for tag, attributes in Page(text).tags if attributes.get("http-equiv"))
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def test_hostile_texts_are_shown_as_they_are():
    seen = Page(rendered(samples.scorecard(hostile=True)))
    shown = " ".join(samples.HOSTILE.split())
    assert seen.texts.count(shown) > 100
    assert any(shown in label for label in seen.values("aria-label"))
    assert "javascript:alert(1)" in seen.texts


def test_control_and_direction_characters_are_made_visible():
    text = rendered(samples.table())
    assert r"\x1b[31mred\u202e" in text
    assert not set(text) & {"\x1b", "\u202e"}


def test_the_template_sees_plain_data_only():
    def kinds(value):
        if isinstance(value, dict):
            return {str}.union(*(kinds(item) for item in value.values()), map(type, value))
        if isinstance(value, list | tuple):
            return set().union(*map(kinds, value))
        return {type(value)}

    for report in (samples.scorecard(hostile=True), samples.table(failures=True)):
        assert kinds(page(report)) <= {str, int, float, bool, type(None)}


def test_every_role_and_every_kpi_is_there_with_its_value_unit_and_definition():
    report = samples.scorecard()
    seen = Page(rendered(report))
    for section in report.sections:
        assert seen.texts.count(section.title) == 2
        for card in section.cards:
            assert card.measure.label in seen.texts
            assert card.measure.description in seen.texts
    assert {"18,432", "visitors", "2:22", "38.4 %", "0.0375", "€38.42", "/ request"} <= set(seen.texts)
    assert len([1 for tag, _ in seen.tags if tag == "article"]) == 37


def test_the_heading_says_what_is_compared_and_what_must_be_known():
    texts = Page(rendered(samples.scorecard())).texts
    assert "Q2 2026 (the period before)" in texts
    assert "Q3 2025 (a year before)" in texts
    assert "As of 1 Oct 2026 00:00" in texts
    assert samples.NOTICES["en"] in texts
    assert "Discredited practice" in texts
    assert samples.AVE_NOTICE["en"] in texts


def test_good_and_bad_news_are_told_in_words_beside_the_colour():
    text = rendered(samples.scorecard())
    found = re.findall(r'<dd class="change news (\w+)">(.*?)</dd>', text)
    assert {("good", "better"), ("bad", "worse"), ("neutral", "")} <= set(found)
    assert {verdict for verdict, word in found if word == "better"} == {"good"}


def test_a_failure_shows_its_reason_and_what_to_do_and_no_number():
    card = next(part for part in rendered(samples.scorecard()).split("<article") if ">Social media ROI<" in part)
    texts = Page(card.split(">", 1)[1].split("</article>")[0]).texts
    assert texts[1:5] == [
        "failed",
        "missing_rate",
        "no rate for USD on 2026-08-14 in `currency_rates`, which `social_spend` needs",
        "add the rate, or split by currency",
    ]
    assert 'class="value"' not in card


def test_an_unknown_value_is_a_dash_and_a_word_and_draws_no_chart():
    card = next(part for part in rendered(samples.scorecard()).split("<article") if ">Share of voice<" in part)
    assert {"–", "unknown"} <= set(Page(card.split(">", 1)[1].split("</article>")[0]).texts)
    assert 'role="img"' not in card


def test_a_breakdown_is_a_table_with_bars_and_its_total_apart():
    text = rendered(samples.scorecard())
    rows, foot = re.search(r"<tbody>(.*?)</tbody>.*?<tfoot>(.*?)</tfoot>", text, re.DOTALL).groups()
    assert re.findall(r'<rect width="([\d.]+)"', rows) == ["100.0", "51.6", "36.1", "23.5", "15.1", "6.8", "1.8"]
    assert '<th scope="row">Total</th>' in foot
    assert "64,218" in foot
    assert "<rect" not in foot


def test_an_unfinished_period_is_marked_on_the_page_and_in_every_chart():
    text = rendered(samples.scorecard("fr", unfinished=True))
    assert "Période en cours" in text
    assert text.count('class="line open"') == text.count('class="hollow"') == text.count('role="img"') > 30
    assert "septembre 2026, en cours" in text
    finished = rendered(samples.scorecard("fr"))
    assert 'class="line open"' not in finished
    assert 'class="hollow"' not in finished


def test_a_chart_is_described_for_those_who_do_not_see_it():
    label = next(label for label in Page(rendered(samples.scorecard("fr"))).values("aria-label") if "blog" in label)
    assert re.fullmatch(
        r"Visiteurs uniques du blog, de octobre 2024 à septembre 2026\u00a0: [\d\u202f]+ au début, [\d\u202f]+ à la fin\u202f; "
        r"minimum [\d\u202f]+, maximum [\d\u202f]+",
        label,
    )


def test_the_page_says_its_language_and_the_same_report_gives_the_same_bytes():
    assert '<html lang="fr">' in rendered(samples.scorecard("fr"))
    assert rendered(samples.scorecard()) == rendered(samples.scorecard())


@given(st.lists(st.none() | st.floats()), st.booleans())
def test_a_chart_stays_in_its_box_whatever_the_values(values, unfinished):
    drawn = sparkline(values, unfinished=unfinished)
    for path in (*drawn.lines, *drawn.areas, *drawn.dots, drawn.open_line, drawn.last):
        assert "nan" not in path
        assert "inf" not in path
        for x, y in re.findall(r"([-\d.e+]+) ([-\d.e+]+)", path):
            assert 0 <= float(x) <= WIDTH
            assert 0 <= float(y) <= HEIGHT
    assert all(left < right for left, right in pairwise(drawn.edges))


def test_a_chart_leaves_gaps_draws_lone_values_as_dots_and_marks_the_last():
    drawn = sparkline([1, 2, None, 3, None, 1, 2])
    assert len(drawn.lines) == 2
    assert len(drawn.dots) == 1
    assert drawn.last == "M294 28h0"
    assert sparkline([1, None]).last == ""
    assert sparkline([1, 2, 3], unfinished=True).open_line == "M150 28L294 6"
    assert sparkline([1, 2, 3]).open_line == ""


def test_texts_have_enough_contrast_in_light_and_in_dark():
    style = re.search(r"<style>(.*?)</style>", rendered(samples.table()), re.DOTALL).group(1)
    light, dark = (dict(re.findall(r"--([\w-]+): (#\w{6})\b", block)) for block in style.split(":root {")[1:3])
    assert light != dark
    for palette in (light, dark):
        for ground in ("card", "page"):
            for ink in ("ink", "soft", "accent", "good", "bad"):
                assert contrast(palette[ink], palette[ground]) >= 4.5, (ink, ground)
        assert contrast(palette["warn-ink"], palette["warn"]) >= 4.5
        assert contrast(palette["warn-ink"], palette["card"]) >= 4.5
        for ink in ("ink", "soft", "bad"):
            assert contrast(palette[ink], palette["bad-area"]) >= 4.5


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def luminance(color):
    shares = (int(color[place : place + 2], 16) / 255 for place in (1, 3, 5))
    linear = (share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares)
    return sum(weight * share for weight, share in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
