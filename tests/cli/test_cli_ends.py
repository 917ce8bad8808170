"""How commands end: help, wrong usage, errors, faults."""

from __future__ import annotations

import click
import pytest

import kpi_engine
from kpi_engine import errors
from kpi_engine.cli import writing
from kpi_engine.cli.commands import VERBS
from kpi_engine.cli.commands import kpi as command
from kpi_engine.cli.exits import MEANINGS, Exit, exit_of

pytestmark = pytest.mark.usefixtures("shop")


def test_every_verb_is_described_and_every_exit_code_said(kpi):
    ran = kpi("--help")
    assert (ran.code, ran.err) == (0, "")
    for verb in VERBS:
        found = command.get_command(click.Context(command), verb)
        assert found.name == verb
        assert found.get_short_help_str() in ran.out
        assert "..." not in found.get_short_help_str()
    for code in Exit:
        assert f"{code.value:>5}  {MEANINGS[code]}" in ran.out


def test_every_option_says_what_it_does():
    for verb in VERBS:
        found = command.get_command(click.Context(command), verb)
        silent = [each.name for each in found.params if isinstance(each, click.Option) and not each.help]
        assert not silent, verb


def test_without_a_command_the_help_is_shown(kpi):
    assert kpi() == kpi("--help") == kpi("-h")


def test_the_version(kpi):
    assert kpi("--version").out == f"kpi {kpi_engine.__version__}\n"


@pytest.mark.parametrize(
    ("written", "meant"), [("rnu", "run"), ("chekc", "check"), ("Report", "report"), ("plugin", "plugins")]
)
def test_a_misspelt_command_is_guessed(kpi, written, meant):
    ran = kpi(written)
    assert (ran.code, ran.out) == (3, "")
    assert f"did you mean `{meant}`?" in ran.err


@pytest.mark.parametrize(
    "args", [["--nope"], ["list", "--nope"], ["show"], ["show", "a", "b"], ["check", "--output", "xml"]]
)
def test_wrong_usage_ends_with_3(kpi, args):
    ran = kpi(*args)
    assert (ran.code, ran.out) == (3, "")
    assert "Usage:" in ran.err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.RequestError("x"), Exit.USAGE),
        (errors.DefinitionError([errors.Diagnostic("unknown_column", "x")]), Exit.FOUND),
        (errors.DefinitionError([errors.Diagnostic("no_project", "x")]), Exit.FAILED),
        (errors.DataError("x"), Exit.FAILED),
        (errors.SourceError("x"), Exit.FAILED),
        (errors.PluginError("x"), Exit.FAILED),
        (errors.OutputError("x"), Exit.FAILED),
        (errors.TimeoutExceeded("x"), Exit.FAILED),
        (errors.KpiError("x"), Exit.FAILED),
    ],
)
def test_each_error_has_its_exit_code(error, code):
    assert exit_of(error) is code


def fails(monkeypatch, error):
    def opened(*_, **__):
        raise error

    monkeypatch.setattr("kpi_engine.engine.Engine", opened)


def test_a_fault_of_the_engine_is_one_line(kpi, monkeypatch):
    fails(monkeypatch, ZeroDivisionError("of\nall things"))
    ran = kpi("list")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.count("\n") == 1
    assert "ZeroDivisionError: of all things" in ran.err
    assert "KPI_DEBUG=1" in ran.err


def test_a_traceback_is_there_for_those_who_ask(kpi, monkeypatch):
    fails(monkeypatch, ZeroDivisionError("of all things"))
    monkeypatch.setenv("KPI_DEBUG", "1")
    assert "Traceback" in kpi("list").err


def test_an_error_for_the_user_is_said_in_full_and_without_a_traceback(kpi, monkeypatch):
    fails(monkeypatch, errors.SourceError("the server does not answer", hint="start it"))
    ran = kpi("list")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == "error[source]: the server does not answer\n      = start it\n"


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt(), click.Abort()])
def test_an_interruption_is_said_without_a_traceback(kpi, monkeypatch, interrupt):
    fails(monkeypatch, interrupt)
    ran = kpi("list")
    assert (ran.code, ran.out) == (130, "")
    assert ran.err.strip() == "Interrupted."


def test_a_timeout_ends_with_2(kpi, monkeypatch):
    fails(monkeypatch, errors.TimeoutExceeded("too slow"))
    assert kpi("run", "visits", "--timeout", "1").code == 2


def test_a_process_without_standard_output(monkeypatch):
    monkeypatch.setattr("sys.stdout", None)
    with pytest.raises(errors.OutputError, match="no standard output"):
        writing.put("x")
