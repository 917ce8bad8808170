"""The reference names everything there is, and nothing that is not."""

from __future__ import annotations

import importlib.util
import inspect
import re
from typing import TYPE_CHECKING

import click
import pytest
from documents import ROOT, pages
from error_codes import error_codes

import kpi_engine
from kpi_engine.builtin.sources.files.settings import FilesSettings, TableSettings
from kpi_engine.builtin.sources.settings import DuckdbSettings
from kpi_engine.builtin.sources.singer.settings import SingerSettings
from kpi_engine.definitions import models, projectfile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pydantic import BaseModel

DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"
_ROW = re.compile(r"^\| `([^`]+)`", re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)")


def text(name: str) -> str:
    return (REFERENCE / name).read_text(encoding="utf-8")


def documented() -> dict[str, type[BaseModel]]:
    own = {
        name: model
        for name, model in {**vars(models), **vars(projectfile)}.items()
        if inspect.isclass(model)
        and issubclass(model, models.BaseModel)
        and model not in (models.BaseModel, models.Model)
    }
    settings = (FilesSettings, TableSettings, DuckdbSettings, SingerSettings)
    return {**own, **{model.__name__: model for model in settings}}


def table_of(model: str) -> str:
    """Give the table that follows a model's mark."""
    every = "\n".join(page.read_text(encoding="utf-8") for page in pages())
    assert every.count(f"<!-- model: {model} -->") == 1, f"the keys of {model} are in no table, or in two"
    return every.partition(f"<!-- model: {model} -->")[2].lstrip().partition("\n\n")[0]


@pytest.mark.parametrize("model", documented())
def test_every_key_of_the_language_is_documented(model: str) -> None:
    fields = documented()[model].model_fields
    keys = [info.alias or name for name, info in fields.items()]
    rows = _ROW.findall(table_of(model))
    assert sorted(rows) == sorted(keys)
    assert len(rows) == len(set(rows))


def test_required_keys_are_said_to_be_required() -> None:
    for name, model in documented().items():
        if name == "Input":
            continue  # its table says what each modifier stands on instead
        rows = {row.split("|")[1].strip(" `"): row for row in table_of(name).splitlines() if row.startswith("| `")}
        required = {info.alias or key for key, info in model.model_fields.items() if info.is_required()}
        assert {key for key, row in rows.items() if "| required |" in row} == required, name


def test_every_error_code_is_documented() -> None:
    listed = _ROW.findall(text("errors.md"))
    assert sorted(listed) == sorted(error_codes(ROOT / "kpi_engine"))
    assert len(listed) == len(set(listed))


def test_the_generated_pages_are_up_to_date() -> None:
    specification = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    for file, expected in module.pages().items():
        assert file.read_text(encoding="utf-8") == expected, f"run `make docs`: {file.name} is not what the code says"


def commands() -> Iterator[tuple[str, click.Command]]:
    from kpi_engine.cli.commands import kpi

    yield "kpi", kpi
    context = click.Context(kpi)
    for name in kpi.list_commands(context):
        command = kpi.get_command(context, name)
        assert command is not None
        yield f"kpi {name}", command
        if isinstance(command, click.Group):
            inner = click.Context(command, parent=context)
            for below in command.list_commands(inner):
                found = command.get_command(inner, below)
                assert found is not None
                yield f"kpi {name} {below}", found


@pytest.mark.parametrize(
    ("name", "command"), list(commands()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_command_and_option_is_documented(name: str, command: click.Command) -> None:
    page = text("cli.md")
    shared = ("--project", "--disable-plugin", "--disable")
    section = (
        page
        if name == "kpi" or isinstance(command, click.Group)
        else page.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
    )
    assert section, f"`{name}` has no section"
    for parameter in command.params:
        for option in parameter.opts if isinstance(parameter, click.Option) else ():
            assert f"`{option}" in (page if option in shared else section), f"`{option}` of `{name}`"


def test_no_option_is_documented_that_is_not_there() -> None:
    known = {"--help", "-h", "--version", "-V"}
    known |= {option for _, command in commands() for parameter in command.params for option in parameter.opts}
    assert set(re.findall(r"`(--[a-z-]+)", text("cli.md"))) <= known


def test_every_exit_code_is_documented() -> None:
    from kpi_engine.cli.exits import MEANINGS

    table = text("cli.md").partition("## Exit codes")[2]
    assert re.findall(r"^\| (\d+) \| (.+) \|$", table, re.MULTILINE) == [
        (str(code.value), meaning) for code, meaning in MEANINGS.items()
    ]


def test_every_public_name_is_documented() -> None:
    import kpi_engine.api

    page = text("python.md")
    missing = [name for name in kpi_engine.__all__ if not re.search(rf"\b{name}\b", page)]
    missing += [name for name in vars(kpi_engine.Engine) if not name.startswith("_") and f"`{name}" not in page]
    requests = text("requests.md")
    missing += [
        name for name in vars(kpi_engine.Result) if not name.startswith("_") and f"`{name}" not in requests + page
    ]
    missing += [name for name in kpi_engine.api.__all__ if not re.search(rf"\b{name}\b", page)]
    assert missing == []


def test_every_argument_of_a_request_is_documented() -> None:
    arguments = [name for name in inspect.signature(kpi_engine.Engine.run).parameters if name != "self"]
    table = text("requests.md").partition("## Arguments")[2].partition("\n## ")[0]
    assert _ROW.findall(table) == arguments


def anchors(file: Path) -> set[str]:
    """Give the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize(
    "page", [*pages(), *sorted((DOCS / "decisions").glob("*.md"))], ids=lambda page: str(page.relative_to(ROOT))
)
def test_links_lead_somewhere(page: Path) -> None:
    for target in _LINK.findall(page.read_text(encoding="utf-8")):
        if target.startswith(("http://", "https://")):
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        assert file.exists(), f"{page.name} links to {target}"
        assert not anchor or anchor in anchors(file), f"{page.name} links to {target}"


def test_decisions_are_numbered_without_a_gap() -> None:
    numbers = [int(file.name[:4]) for file in sorted((DOCS / "decisions").glob("*.md"))]
    assert numbers == list(range(1, len(numbers) + 1))
    for file in (DOCS / "decisions").glob("*.md"):
        assert file.read_text(encoding="utf-8").startswith(f"# {file.name[:4]}. ")


def test_the_reading_list_names_seven_files() -> None:
    listed = re.findall(
        r"^\d\. \[`([^`]+)`\]\(\.\./([^)]+)\)", (DOCS / "READING.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert len(listed) == 7
    assert all(name == link and (ROOT / name).is_file() for name, link in listed)
