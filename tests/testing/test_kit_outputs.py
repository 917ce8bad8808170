"""Every rule of outputs, transforms and packs fails for its own fault, and for no other's."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from arro3.core import Array, DataType
from arro3.core import Table as Arrow
from planted_faults import failing, rules, with_more
from pydantic import BaseModel, ConfigDict, Field

from kpi_engine.api import DataError
from kpi_engine.api.formatting import format_value
from kpi_engine.builtin.outputs.csv import CsvOutput
from kpi_engine.builtin.outputs.html import HtmlOutput
from kpi_engine.builtin.outputs.json import JsonOutput
from kpi_engine.builtin.outputs.table import TableOutput
from kpi_engine.builtin.transforms.linkrank import HarmonicCentrality, PageRank
from kpi_engine.testing import OutputCase, OutputKit, PackCase, PackKit, TransformCase, TransformKit


class Options(BaseModel):
    """Options of the good ones."""

    model_config = ConfigDict(extra="forbid")
    bullet: str = Field("-", description="How a line begins.")


class Lines:
    """A list of lines."""

    name = "lines"
    Config = Options
    suffix = ".md"

    def __init__(self, config):
        self.config = config

    def render(self, report, target):
        for section in report.sections:
            for card in section.cards:
                target.write(self.line(card.measure, self.of_card(card, report)).encode())
            for row in self.rows(section.table.rows) if section.table else ():
                measure = section.table.columns[1].measure
                target.write(self.line(measure, f"{self.clean(row[0])} {self.value(row[1], measure, report)}").encode())

    def rows(self, rows):
        return rows

    def line(self, measure, said):
        return f"{self.config.bullet} {self.clean(measure.label)}: {said}\n"

    def of_card(self, card, report):
        return card.failure.message if card.failure else self.value(card.value, card.measure, report)

    def value(self, value, measure, report):
        return format_value(value, measure, report.language)

    def clean(self, text):
        return "".join(char for char in text.replace("<", "&lt;") if char.isprintable())


def adding_up(self, rows):
    known = [row for row in rows if row[1] is not None]
    return [*rows, ("all", sum(row[1] for row in known))] if len(known) > 1 else rows


class Numbered(Lines):
    """A list that counts its renderings."""

    numbers = itertools.count()

    def line(self, measure, said):
        return f"{next(self.numbers)} {super().line(measure, said)}"


class Silent(Options):
    more: int = 1


class Lax(Options):
    model_config = ConfigDict(extra="ignore")


class Keyed(Options):
    api_key: str = Field("", description="A key.")


def failing_on_nothing(self, report, target):
    if not report.sections:
        raise ValueError("nothing")
    Lines.render(self, report, target)


COMMON = {
    "test_it_has_the_shape_of_its_kind": {"name": "Two Words"},
    "test_it_says_what_it_is": {"__doc__": ""},
    "test_its_settings_say_what_they_are": {"Config": Silent},
    "test_settings_that_are_not_known_are_refused": {"Config": Lax},
    "test_secrets_are_secret": {"Config": Keyed},
}
OUTPUT_FAULTS = COMMON | {
    "test_its_files_have_an_ending": {"suffix": "md"},
    "test_it_writes_what_it_is_given": {"line": lambda self, measure, said: f"{said}\n"},
    "test_nothing_to_show_is_no_failure": {"render": failing_on_nothing},
    "test_unknown_is_neither_zero_nor_a_word_of_the_program": {
        "value": lambda self, v, m, r: Lines.value(self, v or 0, m, r)
    },
    "test_a_failure_is_shown": {"of_card": lambda self, card, report: self.value(card.value, card.measure, report)},
    "test_it_computes_no_number": {"rows": adding_up},
    "test_numbers_are_written_as_in_the_report_s_language": {"value": lambda self, v, m, r: format_value(v, m, "en")},
    "test_texts_of_the_data_stay_texts": {"clean": lambda self, text: text},
}


@pytest.mark.parametrize(("suffix"), [".md", ".txt", ""])
def test_a_good_output_breaks_no_rule(suffix):
    assert failing(OutputKit, OutputCase(with_more(Lines, suffix=suffix))) == set()


def test_every_rule_of_an_output_has_a_planted_fault():
    assert sorted([*OUTPUT_FAULTS, "test_the_same_report_gives_the_same_file"]) == rules(OutputKit)


@pytest.mark.parametrize("rule", sorted(OUTPUT_FAULTS))
def test_a_rule_of_outputs_fails_for_its_fault_and_no_other(rule):
    assert failing(OutputKit, OutputCase(with_more(Lines, **OUTPUT_FAULTS[rule]))) == {rule}


def test_an_output_that_is_another_each_time_is_found():
    found = failing(OutputKit, OutputCase(Numbered))
    assert found == {"test_the_same_report_gives_the_same_file"}


def test_an_output_that_closes_its_target_is_found():
    def render(self, report, target):
        Lines.render(self, report, target)
        target.close()

    assert len(failing(OutputKit, OutputCase(with_more(Lines, render=render)))) > 5


def test_what_is_written_may_be_no_text():
    packed = with_more(Lines, render=lambda self, report, target: Lines.render(self, report, Packing(target)))
    assert failing(OutputKit, OutputCase(packed, text=lambda content: content[::-1].decode())) == set()


class Packing:
    def __init__(self, target):
        self.target = target
        self.content = b""

    def write(self, content):
        self.content += content
        self.target.seek(0)
        self.target.write(self.content[::-1])


def test_a_table_for_a_spreadsheet_holds_no_formula():
    case = OutputCase(CsvOutput)
    assert failing(OutputKit, case) == set()
    assert failing(OutputKit, replace(case, settings={"formula_guard": False})) == {"test_texts_of_the_data_stay_texts"}


@pytest.mark.parametrize("output", [CsvOutput, HtmlOutput, JsonOutput, TableOutput])
def test_what_ships_breaks_no_rule(output):
    assert failing(OutputKit, OutputCase(output)) == set()


class Shout:
    """Texts in capitals."""

    name = "shout"
    Config = Options

    def __init__(self, config):
        self.config = config

    def needs(self):
        return ["id", "text"]

    def columns(self):
        return {"id": "", "loud": "VARCHAR"}

    def apply(self, rows):
        table = Arrow.from_arrow(rows)
        loud = [self.loud(text) for text in table["text"].to_pylist()]
        return Arrow.from_pydict({"id": table["id"], "loud": Array(loud, DataType.string())})

    def loud(self, text):
        return None if text is None else text.upper()


TEXTS = Arrow.from_pydict(
    {
        "id": Array([1, 2], DataType.int64()),
        "text": Array(["a", "b"], DataType.string()),
        "more": Array([1, 2], DataType.int64()),
    }
)


def with_more_columns(self, rows):
    found = Shout.apply(self, rows)
    return Arrow.from_pydict({"id": found["id"], "loud": found["loud"], "extra": found["id"]})


def refusing_nothing(self, rows):
    table = Arrow.from_arrow(rows)
    return Shout.apply(self, table) if table.num_rows else Arrow.from_pydict({"id": table["id"]})


class Changing(Shout):
    """Texts that change."""

    numbers = itertools.count()

    def loud(self, text):
        return f"{text}{next(self.numbers)}"


TRANSFORM_FAULTS = COMMON | {
    "test_it_says_what_it_needs": {"needs": lambda self: ("id", "text") if False else {"id": 1, "text": 1}.keys()},
    "test_its_columns_have_types": {"columns": lambda self: {"id": "", "loud": "KLINGON"}},
    "test_it_gives_what_it_announced": {"apply": with_more_columns},
    "test_values_are_of_the_type_announced": {"columns": lambda self: {"id": "", "loud": "BIGINT"}},
    "test_no_rows_are_no_failure": {"apply": refusing_nothing},
    "test_unknown_values_are_no_failure": {"loud": lambda self, text: text.upper()},
}


def test_a_good_transform_breaks_no_rule():
    assert failing(TransformKit, TransformCase(Shout, TEXTS)) == set()


def test_every_rule_of_a_transform_has_a_planted_fault():
    assert sorted([*TRANSFORM_FAULTS, "test_it_gives_the_same_again"]) == rules(TransformKit)


@pytest.mark.parametrize("rule", sorted(TRANSFORM_FAULTS))
def test_a_rule_of_transforms_fails_for_its_fault_and_no_other(rule):
    assert failing(TransformKit, TransformCase(with_more(Shout, **TRANSFORM_FAULTS[rule]), TEXTS)) == {rule}


def test_a_transform_that_changes_its_mind_is_found():
    assert failing(TransformKit, TransformCase(Changing, TEXTS)) == {"test_it_gives_the_same_again"}


def test_a_transform_may_say_that_it_needs_rows_and_values():
    def apply(self, rows):
        table = Arrow.from_arrow(rows)
        if not table.num_rows or None in table["text"].to_pylist():
            raise DataError("the texts are not all known")
        return Shout.apply(self, table)

    assert failing(TransformKit, TransformCase(with_more(Shout, apply=apply), TEXTS)) == set()


LINKS = Arrow.from_pydict(
    {"source": Array(["a", "b", "c"], DataType.string()), "target": Array(["b", "c", "a"], DataType.string())}
)


@pytest.mark.parametrize("transform", [PageRank, HarmonicCentrality])
def test_transforms_that_ship_break_no_rule(transform):
    assert failing(TransformKit, TransformCase(transform, LINKS)) == set()


PACK = """
datasets:
  visit_rows: {table: visits, key: visit_id, time: day, columns: {day: {type: date}}}
roles:
  team: {label: {en: Team, fr: Équipe}}
kpis:
  visits:
    role: team
    label: {en: Visits, fr: Visites}
    description: {en: How many., fr: Combien.}
    inputs: [visit_rows]
    formula: count(visit_rows)
    better: higher
"""
PACK_FAULTS = {
    "test_its_definitions_are_right": ("    formula: count(visit_rows)", "    formula: sum(visit_rows)"),
    "test_what_people_read_is_in_both_languages": ("label: {en: Visits, fr: Visites}", "label: Visits"),
    "test_kpis_say_what_they_mean": ("    better: higher\n", ""),
    "test_it_names_no_source": ("table: visits", "source: web, table: visits"),
}


@pytest.fixture
def pack(tmp_path):
    folder = tmp_path / "pack"
    folder.mkdir()
    (folder / "web.yaml").write_text(PACK, encoding="utf-8")
    return PackCase(folder)


def test_a_good_pack_breaks_no_rule(pack):
    assert failing(PackKit, pack) == set()


def test_every_rule_of_a_pack_has_a_planted_fault():
    assert sorted([*PACK_FAULTS, "test_it_has_kpis"]) == rules(PackKit)


@pytest.mark.parametrize("rule", sorted(PACK_FAULTS))
def test_a_rule_of_packs_fails_for_its_fault(pack, rule):
    (pack.folder / "web.yaml").write_text(PACK.replace(*PACK_FAULTS[rule]), encoding="utf-8")
    found = failing(PackKit, pack)
    assert rule in found
    assert found <= {rule, "test_its_definitions_are_right"}


def test_an_empty_pack_is_found(pack, tmp_path):
    (tmp_path / "empty").mkdir()
    assert failing(PackKit, replace(pack, folder=tmp_path / "empty")) == {"test_it_has_kpis"}
