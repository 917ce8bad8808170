"""Which definition holds, and what definitions say of each other: overrides, twins, sections, values of parameters."""

from __future__ import annotations

import pytest

from kpi_engine.definitions import load

KPI = "{inputs: [page_views], formula: count(page_views)}"
DATASETS = "datasets:\n  page_views: {table: web_page_view, key: id, time: viewed_at}\n"


def found(project) -> list[tuple[str, str]]:
    return [(each.code, each.subject) for each in project.diagnostics]


def texts(project) -> str:
    return "\n".join(str(each) for each in project.diagnostics)


def test_a_pack_is_read_below_the_write_project(write_project, shelf):
    root = write_project(
        {"definitions/a.yaml": f"kpis:\n  visits: {{override: true, inputs: [leads], formula: leads}}\n  own: {KPI}\n"},
        settings="project: x\ndefinitions: [definitions, base]\n",
    )
    loaded = load(root)
    assert found(loaded) == []
    assert list(loaded.kpis) == ["visits", "leads", "own"]
    assert loaded.kpis["visits"].formula == "leads"
    assert loaded.origins[("kpis", "leads")] == "base"
    assert loaded.origins[("kpis", "visits")] == str(root / "definitions" / "a.yaml")
    assert loaded.places.key("kpis", "leads").file == str(shelf / "kpis.yaml")


def test_a_pack_is_overridden_only_on_purpose(write_project, shelf):
    root = write_project(
        {"definitions/a.yaml": f"kpis:\n  visits: {KPI}\n"}, settings="project: x\ndefinitions: [definitions, base]\n"
    )
    loaded = load(root)
    assert found(loaded) == [("duplicate_definition", "kpi visits")]
    (mistake,) = loaded.diagnostics
    assert str(mistake.place).endswith("a.yaml:2:3")
    assert f"{shelf / 'kpis.yaml'}:2:3" in mistake.message
    assert "override: true" in mistake.hint
    assert "visits" not in loaded.kpis
    assert "leads" in loaded.kpis


def test_two_files_may_not_define_one_name(write_project):
    files = {"definitions/a.yaml": f"kpis:\n  visits: {KPI}\n", "definitions/b.yaml": f"kpis:\n  visits: {KPI}\n"}
    loaded = load(write_project(files))
    assert found(loaded) == [("duplicate_definition", "kpi visits")]
    assert not loaded.kpis
    assert "a.yaml:2:3" in loaded.diagnostics[0].message


def test_two_overrides_of_one_name_are_a_duplicate_too(write_project, shelf):  # noqa: ARG001
    override = "kpis:\n  visits: {override: true, inputs: [leads], formula: leads}\n"
    files = {"definitions/a.yaml": override, "definitions/b.yaml": override}
    loaded = load(write_project(files, settings="project: x\ndefinitions: [definitions, base]\n"))
    assert found(loaded) == [("duplicate_definition", "kpi visits")]


def test_an_override_needs_something_to_override(write_project):
    loaded = load(write_project({"definitions/a.yaml": f"kpis:\n  visits: {{override: true, {KPI[1:]}\n"}))
    assert found(loaded) == [("nothing_to_override", "kpi visits")]


BASE = """
datasets:
  visits:
    table: web_visit
    label: Visits
    key: id
    time: started_at
    columns: {id: {type: varchar}, value: {type: "decimal(18,2)", currency: money}}
    dimensions: [channel, device]
"""


def over(write_project, shelf, text, *, base=BASE, more=None):
    """Load a project that overrides a dataset of a pack."""
    (shelf / "kpis.yaml").write_text(base)
    files = {"definitions/a.yaml": f"datasets:\n  visits: {text}\n", **(more or {})}
    return load(write_project(files, settings="project: x\ndefinitions: [definitions, base]\n"))


def test_a_partial_override_replaces_what_it_says_and_keeps_the_rest(write_project, shelf):
    text = "{override: partial, label: Sessions, sql: select * from mine, columns: {value: {type: double}}, dimensions: [campaign]}"
    loaded = over(write_project, shelf, text)
    assert found(loaded) == []
    visits = loaded.datasets["visits"]
    assert (visits.table, visits.sql, visits.label) == ("", "select * from mine", {"": "Sessions"})
    assert (visits.key, visits.time.column) == (("id",), "started_at")
    assert list(visits.dimensions) == ["channel", "device", "campaign"]
    assert visits.columns["id"].type == "varchar"
    assert (visits.columns["value"].type, visits.columns["value"].currency) == ("double", "")
    assert loaded.origins["datasets", "visits"].endswith("a.yaml")


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("{override: partial, source: warehouse}", ("warehouse", "web_visit", "")),
        ("{override: partial, source: warehouse, table: raw.visits}", ("warehouse", "raw.visits", "")),
        ("{override: partial, transform: turned, from: others, options: {by: x}}", ("", "", "turned")),
    ],
)
def test_a_partial_override_says_where_rows_lie(write_project, shelf, text, origin):
    visits = over(write_project, shelf, text).datasets["visits"]
    assert (visits.source, visits.table, visits.transform) == origin


def test_a_query_takes_the_place_of_a_whole_transform(write_project, shelf):
    base = "datasets:\n  visits: {transform: turned, from: others, options: {by: x}, time: day}\n"
    visits = over(write_project, shelf, "{override: partial, sql: select 1 as day}", base=base).datasets["visits"]
    assert (visits.transform, visits.from_, visits.options, visits.time.column) == ("", "", {}, "day")


def test_partial_overrides_of_a_pack_and_of_the_project_add_up(write_project, shelf):
    (shelf.parent / "vendor").mkdir()
    (shelf.parent / "vendor" / "d.yaml").write_text(
        "datasets:\n  visits: {override: partial, table: vendor_visits, label: V}\n"
    )
    (shelf / "kpis.yaml").write_text(BASE)
    files = {"definitions/a.yaml": "datasets:\n  visits: {override: partial, label: Mine}\n"}
    loaded = load(write_project(files, settings="project: x\ndefinitions: [base, vendor, definitions]\n"))
    assert found(loaded) == []
    visits = loaded.datasets["visits"]
    assert (visits.table, visits.label, visits.key) == ("vendor_visits", {"": "Mine"}, ("id",))


def test_two_partial_overrides_of_a_project_are_a_duplicate(write_project, shelf):
    more = {"definitions/b.yaml": "datasets:\n  visits: {override: partial, table: b}\n"}
    assert found(over(write_project, shelf, "{override: partial, table: a}", more=more)) == [
        ("duplicate_definition", "dataset visits")
    ]


@pytest.mark.parametrize("section", ["kpis", "roles", "groups", "parameters"])
def test_only_datasets_are_overridden_in_part(write_project, shelf, section):  # noqa: ARG001
    text = f"{section}:\n  other: {{override: partial}}\n"
    loaded = load(
        write_project({"definitions/a.yaml": text}, settings="project: x\ndefinitions: [definitions, base]\n")
    )
    assert ("wrong_type", f"{section[:-1]} other") in found(loaded)
    assert "`override` is the text `partial`, expected `true` or `false`" in texts(loaded)


@pytest.mark.parametrize(
    ("word", "code", "said"),
    [
        ("partial", "nothing_to_override", "`override: partial` is said, but there is no other dataset of this name"),
        ("parts", "bad_value", "expected one of `true`, `false`, `partial`"),
    ],
)
def test_a_partial_override_needs_something_below_and_the_right_word(write_project, word, code, said):
    loaded = load(write_project({"definitions/a.yaml": f"datasets:\n  visits: {{override: {word}, table: a}}\n"}))
    assert found(loaded) == [(code, "dataset visits")]
    assert said in texts(loaded)


def test_a_mistake_in_a_partial_override_stands_where_it_was_written(write_project, shelf):
    loaded = over(write_project, shelf, "{override: partial, dimensions: {channel: {pth: x}}}")
    (mistake,) = loaded.diagnostics
    assert mistake.code == "unknown_key"
    assert str(mistake.place).endswith("a.yaml:2:54")


def test_a_kpi_and_a_dataset_may_not_share_a_name(write_project):
    loaded = load(write_project({"definitions/a.yaml": f"{DATASETS}kpis:\n  page_views: {KPI}\n  other: {KPI}\n"}))
    assert found(loaded) == [("duplicate_name", "dataset page_views"), ("duplicate_name", "kpi page_views")]
    assert list(loaded.kpis) == ["other"]
    assert not loaded.datasets


def test_roles_and_kpis_may_share_a_name(write_project):
    loaded = load(
        write_project({"definitions/a.yaml": f"roles:\n  visits:\ngroups:\n  visits:\nkpis:\n  visits: {KPI}\n"})
    )
    assert found(loaded) == []


def test_names_that_differ_only_in_capital_letters(write_project):
    loaded = load(write_project({"definitions/a.yaml": f"{DATASETS}kpis:\n  Page_Views: {KPI}\n"}))
    assert ("case_twin", "kpi Page_Views") in found(loaded)
    assert list(loaded.datasets) == ["page_views"]
    loaded = load(write_project({"definitions/a.yaml": "datasets:\n  d: {columns: {Amount: , amount: , other: }}\n"}))
    assert found(loaded) == [("case_twin", "dataset d")]


def test_sections_to_come_are_refused_by_name(write_project):
    text = f"targets:\n  visits: [{{period: 2026, value: 3}}]\ntests: {{}}\nkpis:\n  visits: {KPI}\n"
    loaded = load(write_project({"definitions/a.yaml": text}))
    assert [each.code for each in loaded.diagnostics] == ["not_yet_supported", "not_yet_supported"]
    assert "the section `targets` is part of the language but not computed by this version" in texts(loaded)
    assert list(loaded.kpis) == ["visits"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("kpi: {}\n", "did you mean `kpis`?"),
        ("sources: {}\n", "it belongs in `kpi.yaml`"),
        ("kpis: [a]\n", "holds a list, not a mapping"),
        ("kpis: a\n", "holds a single value, not a mapping"),
    ],
)
def test_a_section_that_cannot_stand_there(write_project, text, says):
    loaded = load(write_project({"definitions/a.yaml": text}))
    assert len(loaded.diagnostics) == 1
    assert says in texts(loaded)


def test_an_empty_section_is_no_mistake(write_project):
    assert found(load(write_project({"definitions/a.yaml": "kpis:\ndatasets:\n"}))) == []


def test_definitions_do_not_belong_in_the_project_file(write_project):
    loaded = load(write_project({"definitions/a.yaml": "kpis:\n"}, settings="project: x\nkpis: {}\n"))
    assert found(loaded) == [("unknown_key", "project")]
    assert "in a definition file" in loaded.diagnostics[0].hint


PARAMETERS = "parameters:\n  factor: {type: number}\n  since: {type: date}\n  kind: {type: text}\n  on_off: {type: boolean}\n  n: {type: integer}\n"


@pytest.mark.parametrize(
    ("values", "code", "says"),
    [
        ("{factr: 1}", "unknown_parameter", "did you mean `factor`?"),
        ("{factor: x}", "wrong_type", "the text `x`, expected a number"),
        ("{factor: true}", "wrong_type", "`true`, expected a number"),
        ("{n: 1.5}", "wrong_type", "expected a whole number"),
        ("{kind: 5}", "wrong_type", "expected a text"),
        ("{on_off: yes}", "wrong_type", "expected `true` or `false`"),
        ("{since: 2026-02-30}", "wrong_type", "a date that exists"),
        ("{since: 20260101}", "wrong_type", "a date that exists"),
        ("{since: '2026-W01-1'}", "wrong_type", "a date that exists"),
        ("{factor: {type: number}}", "wrong_type", "a parameter is declared in a definition file"),
        ("{factor: }", "wrong_type", "is nothing"),
    ],
)
def test_the_value_of_a_parameter_has_to_fit(write_project, values, code, says):
    loaded = load(write_project({"definitions/a.yaml": PARAMETERS}, settings=f"project: x\nparameters: {values}\n"))
    (mistake,) = loaded.diagnostics
    assert mistake.code == code
    assert says in str(mistake)
    assert mistake.place.line == 2
    name = mistake.subject.removeprefix("parameter ")
    assert name not in loaded.parameters
    assert name not in loaded.settings.parameters


def test_parameters_that_fit(write_project):
    values = "{factor: 1, since: 2026-01-31, kind: x, on_off: true, n: 5}"
    loaded = load(write_project({"definitions/a.yaml": PARAMETERS}, settings=f"project: x\nparameters: {values}\n"))
    assert found(loaded) == []
    assert len(loaded.parameters) == 5


def test_a_default_has_to_fit(write_project):
    loaded = load(
        write_project(
            {
                "definitions/a.yaml": "parameters:\n  a: {type: number, default: x}\n  b: {type: date, default: 2026-13-01}\n"
            }
        )
    )
    assert found(loaded) == [("wrong_type", "parameter a"), ("wrong_type", "parameter b")]


def test_a_parameter_whose_file_is_broken_is_not_called_unknown(write_project):
    loaded = load(write_project({"definitions/a.yaml": "a: 'b' c\n"}, settings="project: x\nparameters: {factor: 1}\n"))
    assert [each.code for each in loaded.diagnostics] == ["yaml_syntax"]


def test_mistakes_of_yaml_break_only_their_own_definition(write_project):
    text = f"kpis:\n  a: {{<<: *base, formula: x}}\n  b:\n    inputs: [a]\n    formula: x\n    formula: y\n  c: *b\n  d: {KPI}\n  e: {{inputs: [a], formula: .nan}}\n"
    loaded = load(write_project({"definitions/a.yaml": text}))
    assert list(loaded.kpis) == ["d"]
    assert found(loaded) == [
        ("merge_key", "kpi a"), ("alias", "kpi a"), ("duplicate_key", "kpi b"), ("alias", "kpi c"), ("not_finite", "kpi e"),
    ]  # fmt: skip


def test_mistakes_come_file_by_file_and_line_by_line(write_project):
    bad = "kpis:\n  A: 1\n  b:\n    label: {english: x}\n    formula: 1\n"
    loaded = load(
        write_project(
            {"definitions/b.yaml": bad, "definitions/a.yaml": bad.replace("b:", "c:")}, settings="project: 1\n"
        )
    )
    places = [(each.place.file, each.place.line) for each in loaded.diagnostics]
    assert places == [(str(loaded.root / "kpi.yaml"), 1), *sorted(places[1:])]
