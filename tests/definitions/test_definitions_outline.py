"""Definitions that are read when they are asked for are those that a whole reading gives, or nothing at all."""

import string
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kpi_engine.definitions import load
from kpi_engine.definitions.later import NotOutlinedError

MAPPINGS = ("datasets", "roles", "groups", "kpis", "parameters")
OWN = """\
parameters: # of all
  share: {type: number}

roles:
  nobody:
datasets:

  # a comment
  days:
    sql: |
      select 1 as a,
       2 as b
    key: a
    dimensions: [a, b]
kpis:
  own: {inputs: [days], formula: sum(b) * :share, label: Été}
"""
OTHER = "kpis:\n    far: {inputs: [days], formula: count(days)}\n    near: {inputs: [far], formula: far + 1}\n"


def written(folder: Path, files: dict[str, str], top: str = "") -> Path:
    """Write a project."""
    (folder / "definitions").mkdir(parents=True, exist_ok=True)
    (folder / "kpi.yaml").write_text(f"project: own\ndefinitions: [definitions]\n{top}", encoding="utf-8")
    for name, text in files.items():
        (folder / "definitions" / name).write_bytes(text.encode())
    return folder


@pytest.fixture
def project(tmp_path):
    return written(tmp_path, {"own.yaml": OWN, "other.yaml": OTHER}, "parameters: {share: 0.25}\n")


@pytest.fixture
def reads(monkeypatch):
    """Count the definition files that are parsed."""
    from kpi_engine.definitions import outline

    found = []
    before = outline.read

    def read(data, file):
        found.append(Path(file).name)
        return before(data, file)

    monkeypatch.setattr(outline, "read", read)
    return found


def is_same(folder: Path) -> bool:
    """Whether what is read when it is asked for is what a whole reading gives; False where it has to be read whole."""
    whole, part = load(folder), load(folder, whole=False)
    assert part.fingerprint == whole.fingerprint
    if part.is_checked:
        assert part == whole
        return False
    try:
        for name in MAPPINGS:
            assert dict(getattr(part, name)) == dict(getattr(whole, name))
        assert part.origins == whole.origins
        for section, name in whole.origins:
            assert part.places.key(section, name) == whole.places.key(section, name)
    except NotOutlinedError:
        assert whole.diagnostics
        return False
    assert not whole.diagnostics
    return True


def test_what_is_read_in_part_is_what_is_read_whole(project):
    assert is_same(project)


def test_a_file_is_read_when_one_of_its_definitions_is_asked_for(project, reads):
    part = load(project, whole=False)
    assert reads == ["own.yaml"]  # a parameter that kpi.yaml gives a value
    assert (part.is_checked, "near" in part.kpis, "nowhere" in part.kpis) == (False, True, False)
    assert reads == ["own.yaml"]
    assert part.kpis["near"].formula == "far + 1"
    assert part.kpis["far"] is part.kpis["far"]
    assert reads == ["own.yaml", "other.yaml"]


def test_what_ships_is_seen_through(tmp_path):
    (tmp_path / "kpi.yaml").write_text("project: own\ndefinitions: [marketing]\n", encoding="utf-8")
    whole, part = load(tmp_path), load(tmp_path, whole=False)
    assert not part.is_checked
    assert len(part.kpis) == len(whole.kpis) > 0
    for name in MAPPINGS:
        assert dict(getattr(part, name)) == dict(getattr(whole, name))


@pytest.mark.parametrize(
    "text",
    [
        "kpis: {own: {inputs: [days], formula: count(days)}}\n",
        "kpis:\n  {own: {inputs: [days], formula: count(days)}}\n",
        "kpis:\n  ? own\n  : {inputs: [days], formula: count(days)}\n",
        "kpis:\n  'own': {inputs: [days], formula: count(days)}\n",
        "kpis:\n   own: {inputs: [days], formula: count(days)}\n",
        'roles:\n  a: {label: "x\nkpis:\n  y"}\n  b:\nkpis:\n  own: {inputs: [days], formula: count(days)}\n',
        'roles:\n  a: {label: "x\ndatasets:\n  y: 1"}\n  own:\n',
        "kpis:\r  own: {inputs: [days], formula: count(days)}\r",
        "kpis:\n  far: {inputs: [days], formula: 1}\n",
        "datasets:\n  far: {table: far}\n",
        "kpis:\n  FAR: {inputs: [days], formula: 1}\n",
    ],
)
def test_a_name_that_stands_twice_is_never_missed(project, text):
    (project / "definitions" / "third.yaml").write_bytes(text.encode())
    assert not is_same(project)


@pytest.mark.parametrize(
    "text",
    [
        "kpis:\n  bad: {inputs: [days], formulo: 1}\n",
        "kpis:\n  bad: {inputs: [days]\n",
        "kpis:\n  bad:\n\t  inputs: [days]\n",
        "kips:\n  bad: {inputs: [days], formula: 1}\n",
        "kpis:\n  bad: {label: {english: x}, inputs: [days], formula: 1}\n",
        "parameters:\n  bad: {type: number, default: many}\n",
        "kpis:\n  bad: {inputs: [days], formula: count(days), override: true}\n",
        "datasets:\n  bad: {table: bad, override: partial}\n",
    ],
)
def test_a_mistake_is_never_taken_for_a_definition(project, text):
    (project / "definitions" / "third.yaml").write_text(text, encoding="utf-8")
    assert not is_same(project)


def test_a_value_that_does_not_fit_its_parameter_is_told(project):
    text = (project / "kpi.yaml").read_text(encoding="utf-8")
    (project / "kpi.yaml").write_text(text.replace("0.25", "much"), encoding="utf-8")
    assert load(project, whole=False).diagnostics == load(project).diagnostics != ()


def test_files_of_windows_are_seen_through(project):
    for file in (project / "definitions").iterdir():
        file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert is_same(project)


LINES = st.sampled_from(
    [
        "kpis:", "roles:", "datasets:", "kpis: # of all", "parameters: {}", "", "  # a comment", "# a comment", "  a:", "  b: {}", "    a:",
        "    label: x", '    label: "x', '  y"', "'", "    label: {en: x,", "  a: 1}", "    label: |", "      text", "  c: {table: t}", "   d:", "  c: {table: t, override: true}",
        "  e: {inputs: [c], formula: count(c)}", "  f: {type: number}", "- g", "  ? h", "---", "...", "\t", "  'i':", "  B:", " a:", '    "roles:"',
    ]
)  # fmt: skip
TEXTS = st.lists(LINES, max_size=14).map("\n".join) | st.text(string.printable, max_size=60)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(files=st.lists(TEXTS, min_size=1, max_size=3))
def test_whatever_the_files_hold_nothing_else_is_read(tmp_path, files):
    for old in (tmp_path / "definitions").glob("*"):
        old.unlink()
    is_same(written(tmp_path, {f"{number}.yaml": text for number, text in enumerate(files)}))
