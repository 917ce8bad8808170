"""Run a page of the documentation: its blocks in order, in a temporary folder, as a reader would.

- A block whose paragraph ends in a file's name and a colon, "… as `definitions/shop.yaml`:", becomes that file.
- A `yaml` block without a file's name is a definition file of its own. The project of the page is checked at its end.
- `<!-- refused: code, code -->` before a `yaml` block: with it the project has exactly these mistakes; it is taken out again.
- A `python` block is run; one with `>>>` shows what comes out, numbers to as many digits as the page shows.
- A `console` block holds `$ kpi …` with the output, or a part of it: `…` stands for anything. The exit code is 0, unless the
  next command is `$ echo $?`.
"""

from __future__ import annotations

import io
import os
import re
import shlex
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE
from pathlib import Path

from jsonschema import Draft7Validator
from sybil import Document, Example
from sybil.evaluators.doctest import NUMBER
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser

import kpi_engine
from kpi_engine.definitions.yaml import read

ROOT = Path(__file__).parents[2]
FOLLOWED = (ROOT / "docs" / "how-to" / "write-a-connector.md",)
"""Pages that are followed in a shell of their own: see `literally.py`."""
WRITTEN = ("yaml", "csv", "toml", "text", "json")
NOT_RUN = ("python3 -m venv", "pip ", ".venv/bin/pip", "make ", "git ", "ls", "cat ")
"""Commands of a console block that are shown and not run: they install things, or belong to the shell."""
_NAMED = re.compile(r"`([\w./-]+\.[a-z]+)`[^`\n]*:\s*\Z")
_REFUSED = re.compile(r"<!-- refused: ([\w, ]+) -->\s*\Z")


def pages() -> list[Path]:
    """List the pages whose blocks are run."""
    decisions = ROOT / "docs" / "decisions"
    found = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [page for page in found if decisions not in page.parents]


@dataclass
class Page:
    """A page being run in the current folder."""

    blocks: int = 0
    checked: set[Path] = field(default_factory=set)
    code: int = 0

    def run(self, path: Path) -> None:
        """Run every block of a page, then check the projects it wrote."""
        python = PythonCodeBlockParser(doctest_optionflags=ELLIPSIS | NORMALIZE_WHITESPACE | NUMBER)
        others = [CodeBlockParser(language, self.write) for language in WRITTEN]
        document = Document.parse(str(path), python, *others, CodeBlockParser("console", self.console))
        for example in document:
            before = document.text[: example.region.start]
            is_python = (example.region.lexemes or {}).get("arguments") == "python"
            if is_python and (name := _NAMED.search(before)):
                put(Path(name[1]), example.parsed)
            else:
                example.evaluate()
        for project in self.checked:
            mistakes = check(project)
            assert not mistakes, "\n".join(str(mistake) for mistake in mistakes)
            assert not refused_by_schema(project)

    def write(self, example: Example) -> str | None:
        """Write a block as the file it says it is."""
        before = example.document.text[: example.region.start]
        language = example.region.lexemes["arguments"]
        named, refused = _NAMED.search(before), _REFUSED.search(before)
        self.blocks += 1
        if refused:
            return self.refuse(example.parsed, {code.strip() for code in refused[1].split(",")})
        if named:
            put(Path(named[1]), example.parsed)
        elif language == "yaml":
            assert Path("kpi.yaml").exists(), "a yaml block stands in no project"
            put(Path(f"definitions/block_{self.blocks}.yaml"), example.parsed)
        if language == "yaml":
            self.checked.add(Path.cwd())
        return None

    def refuse(self, text: str, expected: set[str]) -> str | None:
        """Try a block that is wrong."""
        file = Path(f"definitions/wrong_{self.blocks}.yaml")
        put(file, text)
        found = {mistake.code for mistake in check(Path.cwd())}
        file.unlink()
        return None if found == expected else f"expected {sorted(expected)}, found {sorted(found)}"

    def console(self, example: Example) -> str | None:
        """Run the commands of a console block and compare what they print."""
        commands = commands_of(example.parsed)
        for position, (command, expected) in enumerate(commands):
            following = commands[position + 1][0] if position + 1 < len(commands) else ""
            if command == "echo $?":
                output = f"{self.code}\n"
            elif command.startswith("cd "):
                os.chdir(command.removeprefix("cd "))
                continue
            elif command.startswith(NOT_RUN):
                continue
            elif command.startswith("kpi "):
                output, self.code = kpi(shlex.split(command)[1:])
            else:
                return f"{command!r}: it is not known how to run this"
            if command != "echo $?" and following != "echo $?" and self.code:
                return f"{command!r} ends with {self.code}:\n{output}"
            if expected and not matches(expected, output):
                return f"{command!r} prints\n{output}\nand the page says\n{expected}"
        return None


def put(file: Path, text: str) -> None:
    """Write a file of the page."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def check(project: Path) -> list[kpi_engine.Diagnostic]:
    """Find the mistakes of a project; tables of a pack that are not there are warnings, and not looked at."""
    with kpi_engine.open(project) as engine:
        return [each for each in engine.check() if each.severity == "error"]


def refused_by_schema(project: Path) -> list[str]:
    """Say what the schemas, which editors underline by, refuse of the files of a project."""
    kinds = {"project": [project / "kpi.yaml"], "definitions": sorted((project / "definitions").rglob("*.yaml"))}
    return [
        f"{file.name}: {mistake.json_path}: {mistake.message:.200}"
        for kind, files in kinds.items()
        for validator in [Draft7Validator(kpi_engine.schema(kind, project))]
        for file in files
        for mistake in validator.iter_errors(read(file.read_bytes(), file.name).value)
    ]


def commands_of(text: str) -> list[tuple[str, str]]:
    """Part a console block into commands, each with what it prints; a line that ends in a backslash goes on."""
    found: list[tuple[str, list[str]]] = []
    going_on = False
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif going_on:
            found[-1] = (f"{found[-1][0][:-1].rstrip()} {line.strip()}", [])
        elif found:
            found[-1][1].append(line)
        going_on = line.endswith("\\")
    return [(re.sub(r"\s+# .*", "", command).strip(), "\n".join(lines).strip("\n")) for command, lines in found]


def kpi(arguments: list[str]) -> tuple[str, int]:
    """Run the command line here; give what it prints, and its exit code."""
    from kpi_engine.cli import main

    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    argv, sys.argv = sys.argv, ["kpi", *arguments]
    code: object = 0
    try:
        with redirect_stdout(stream), redirect_stderr(stream):
            main()
    except SystemExit as ending:
        code = ending.code
    finally:
        sys.argv = argv
    return stream.buffer.getvalue().decode(), code if isinstance(code, int) else 0  # type: ignore[attr-defined]


def matches(expected: str, output: str) -> bool:
    """Compare, with `…` for anything; spaces at the ends of lines do not count, and narrow ones are spaces."""
    parts = [re.escape(part) for part in _trimmed(expected).split("…")]
    return re.fullmatch(".*".join(parts), _trimmed(output), re.DOTALL) is not None


def _trimmed(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.replace("\u202f", " ").strip("\n").splitlines())
