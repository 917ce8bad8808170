"""Follow a page of the documentation to the letter: its blocks in order, in one shell, in an environment of its own.

- A `console` block is typed into the shell, command by command; what is shown below a command is what it prints, with `…` for anything.
- A block whose paragraph ends in a file's name and a colon becomes that file, where the shell stands at that moment.
- Every block is one or the other.
"""

from __future__ import annotations

import re
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from typing import TYPE_CHECKING

from documents import commands_of, matches

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_NAMED = re.compile(r"`([\w./-]+\.[a-z]+)`:\s*\Z")
_MARK = "=== step"


@dataclass(frozen=True)
class Step:
    """Something that the page has its reader do."""

    command: str
    expected: str = ""
    is_shown: bool = False
    """Whether the page shows what is printed, be it nothing."""


def steps(text: str) -> Iterator[Step]:
    """Give the steps of a page; a block that is neither a file nor typed is a mistake of the page."""
    for block in _BLOCK.finditer(text):
        language, body = block.groups()
        named = _NAMED.search(text[: block.start()])
        if language == "console":
            yield from (Step(command, expected, is_shown=True) for command, expected in commands_of(body))
        elif named:
            yield Step(f"cat > {named[1]} <<'END OF THE FILE'\n{body}END OF THE FILE")
        else:
            raise AssertionError(f"it is not said what is to be done with this:\n{body}")


def follow(page: Path, folder: Path, environment: Mapping[str, str], seconds: float = 300) -> None:
    """Do what the page says, and compare what is printed with what it shows."""
    every = [*steps(page.read_text(encoding="utf-8"))]
    assert every, "the page has nothing to do"
    script = "\n".join(f"{step.command}\necho '{_MARK} {number}'" for number, step in enumerate(every))
    ran = subprocess.run(
        ["bash", "-e", "-c", script], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=seconds, check=False,
    )  # fmt: skip
    printed = re.split(rf"^{_MARK} \d+\n", ran.stdout, flags=re.MULTILINE)
    for step, said in zip(every, printed, strict=False):
        assert not step.is_shown or matches(step.expected, said), (
            f"`{step.command}` prints\n{said}\nand the page says\n{step.expected}"
        )
    assert ran.returncode == 0, f"`{every[len(printed) - 1].command}` ends with {ran.returncode}"


def environment_of(folder: Path, wheels: Path) -> dict[str, str]:
    """Make an environment in which nothing is fetched: pip takes the engine's own wheel, and what that needs is of this process."""
    programs = folder / "bin"
    programs.mkdir()
    (programs / "python3").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
    (programs / "python3").chmod(0o755)
    return {
        "PATH": f"{programs}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(folder),
        "PYTHONPATH": sysconfig.get_paths()["purelib"],
        "PIP_NO_DEPS": "1",
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(wheels),
        "PIP_NO_BUILD_ISOLATION": "0",
        "PIP_IGNORE_INSTALLED": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "KPI_CACHE_DIR": str(folder / "cache"),
        "NO_COLOR": "1",
        "COLUMNS": "100",
    }
