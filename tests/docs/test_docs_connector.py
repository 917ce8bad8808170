"""The page on writing a connector is followed to the letter: also what it types into a shell."""

from __future__ import annotations

import subprocess
import sys

import pytest
from documents import FOLLOWED, ROOT
from literally import environment_of, follow, steps

PAGE = ROOT / "docs" / "how-to" / "write-a-connector.md"


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    """Build the engine as it is installed."""
    folder = tmp_path_factory.mktemp("wheels")
    command = ["pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    subprocess.run([sys.executable, "-m", *command, "-w", str(folder), str(ROOT)], check=True)
    return folder


def test_the_page_is_followed_to_the_letter(tmp_path, wheels):
    assert PAGE in FOLLOWED
    reader = tmp_path / "reader"
    reader.mkdir()
    follow(PAGE, reader, environment_of(tmp_path, wheels))


class TestFollowing:
    """What follows a page notices where it does not hold."""

    def followed(self, tmp_path, text):
        page = tmp_path / "page.md"
        page.write_text(text)
        follow(page, tmp_path, {"PATH": "/usr/bin:/bin"})

    def test_files_and_commands(self, tmp_path):
        self.followed(
            tmp_path,
            "As `a.txt`:\n\n```text\none `$HOME`\n```\n\n```console\n$ mkdir b\n$ cd b\n$ cat ../a.txt\none `$HOME`\n```\n"
            "\nAs `c.txt`:\n\n```text\ntwo\n```\n\n```console\n$ cat c.txt\nt…o\n```\n",
        )
        assert (tmp_path / "b" / "c.txt").read_text() == "two\n"

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("```console\n$ echo one\ntwo\n```\n", "prints\none"),
            ("```console\n$ echo one\n```\n", "prints\none"),
            ("```console\n$ true\n$ false\n$ echo never\nnever\n```\n", "`false` ends with 1"),
            ("Look:\n\n```python\n1 / 0\n```\n", "it is not said what is to be done"),
            ("Words only.\n", "nothing to do"),
        ],
    )
    def test_what_does_not_hold_is_noticed(self, tmp_path, text, said):
        with pytest.raises(AssertionError, match=said):
            self.followed(tmp_path, text)

    def test_every_block_is_a_step(self):
        text = PAGE.read_text(encoding="utf-8")
        assert text.count("```") == 2 * (
            text.count("```console") + sum("<<'END" in each.command for each in steps(text))
        )
