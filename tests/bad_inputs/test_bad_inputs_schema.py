"""The JSON Schemas beside the cases of bad inputs: they take what the engine takes, and see what can be seen of a file by itself."""

from __future__ import annotations

from functools import cache

import pytest
from bad_input_cases import files, id_of, load
from jsonschema import Draft7Validator

import kpi_engine
from kpi_engine.definitions.yaml import read

SEEN = frozenset({
    "unknown_key", "missing_key", "bad_name", "bad_language", "not_yet_supported", "no_inputs", "two_origins", "two_stretches",
    "from_without_transform", "options_without_transform", "bad_time", "bad_duration", "wrong_type", "bad_value",
})  # fmt: skip
"""Mistakes of structure, which the schema sees."""
OFTEN = frozenset({"duplicate_key", "empty_formula", "no_time", "unknown_grain", "bad_settings", "unknown_plugin"})
"""Mistakes that the schema sees where they can be seen without SQL being read, and without another file."""
NOT_SEEN = {
    "Y16": "which months have how many days",
    "PM28": "which months have how many days",
    "PM31": "the type of a parameter is declared in another file",
}
"""Cases whose mistake has a code that is seen elsewhere, and why not here."""


@cache
def validator(kind):
    return Draft7Validator(kpi_engine.schema(kind))


def refused(case):
    """Say what the schemas refuse of a case's files; None where YAML itself refuses one, which an editor says without them."""
    said = []
    for name, data in case.project().items():
        if name.endswith((".yaml", ".yml")):
            document = read(data, name)
            if document.value is None or document.mistakes:
                return None
            kind = "project" if name == "kpi.yaml" else "definitions"
            said += [
                f"{name}: {each.json_path}: {each.message:.200}" for each in validator(kind).iter_errors(document.value)
            ]
    return said


def mistakes(case):
    """Give the codes of the mistakes in files; a request is none."""
    in_files = [each for each in case.mistakes if each.place.partition(":")[0].endswith((".yaml", ".yml"))]
    return {each.code for each in in_files if each.severity == "error" and case.outcome == "refused"}


@pytest.mark.parametrize("file", files(), ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_the_schema_beside_a_case(file):
    case = load(file)
    said, codes = refused(case), mistakes(case)
    if said is None:
        assert codes
    elif codes & SEEN and id_of(file) not in NOT_SEEN:
        assert said, f"the schema does not see {codes & SEEN}"
    elif not codes & (SEEN | OFTEN):
        assert said == [], "the schema refuses what is not a mistake of structure"


def test_the_cases_hold_mistakes_that_are_seen_and_others():
    codes = [mistakes(load(file)) for file in files()]
    assert sum(bool(each & SEEN) for each in codes) > 10
    assert sum(bool(each) and not each & (SEEN | OFTEN) for each in codes) > 10
    assert {*NOT_SEEN} <= {id_of(file) for file in files()}
