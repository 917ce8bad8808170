"""Definitions with the expected mistakes written into them: `⟨unknown_column:amuont⟩` expects that code with `amuont` underlined."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from kpi_engine.errors import Diagnostic

_MARK = re.compile(r"⟨(?P<code>[a-z_]+):(?P<text>[^⟩]*)⟩")

PROJECT = "project: test\nsources: {web: {plugin: files, path: data}}\n"

DATA = {
    "page_views": (
        "page_view_id,session_id,section,channel,engagement_seconds,viewed_at",
        "1,10,blog,email,30,2026-01-05 10:00:00+00",
        "2,10,blog,email,60,2026-01-05 10:01:00+00",
        "3,11,shop,direct,5,2026-02-06 09:00:00+00",
    ),
    "sessions": (
        "id,landing_path,device,started_at",
        "10,/blog,phone,2026-01-05 10:00:00+00",
        "11,/shop,desk,2026-02-06 09:00:00+00",
    ),
    "leads": (
        "lead_id,session_id,channel,amount,currency,created_at,mql_at,note",
        "a,10,email,10.5,EUR,2026-01-06 00:00:00+00,2026-01-07 00:00:00+00,x",
        "b,11,direct,20,EUR,2026-02-07 00:00:00+00,,y",
    ),
    "follower_counts": ("account_id,captured_on,followers", "1,2026-01-01,100", "1,2026-02-01,120"),
    "countries": ("country,name,population", "fr,France,68"),
}

BASE = """\
datasets:
  page_views:
    key: page_view_id
    time: viewed_at
    columns: {engagement_seconds: {unit: seconds}}
    dimensions: {section: , channel: , landing: session.landing_path, device: session.device}
    joins:
      session: {to: sessions, keys: {session_id: id}}
  sessions:
    key: id
    time: started_at
    dimensions: [device]
  leads:
    key: lead_id
    time: created_at
    times: {qualified: mql_at}
    columns: {amount: {type: "decimal(18,2)", unit: EUR}}
    dimensions: [channel]
    joins:
      session: {to: sessions, keys: {session_id: id}}
  followers:
    table: follower_counts
    key: [account_id, captured_on]
    time: captured_on
    snapshot: {of: account_id}
    dimensions: {account: {sql: account_id}}
  countries:
    key: country
kpis:
  visits: {inputs: [page_views], formula: count(distinct session_id), unit: visits}
  revenue: {inputs: [leads], formula: sum(amount), unit: EUR}
  time_on_site: {inputs: [page_views], formula: sum(engagement_seconds), unit: seconds}
parameters:
  factor: {type: number, default: 2}
"""
"""Definitions without a mistake, which those of a test stand beside."""


@dataclass(frozen=True, order=True)
class Expected:
    """One mistake as it is to be reported."""

    file: str
    line: int
    column: int
    code: str
    text: str


def unmarked(text: str, file: str) -> tuple[str, list[Expected]]:
    """Take the marks out of a text; give it with what they expect."""
    found = []
    lines = text.split("\n")
    for number, line in enumerate(lines):
        while mark := _MARK.search(line):
            line = line[: mark.start()] + mark["text"] + line[mark.end() :]  # noqa: PLW2901
            found.append(Expected(file, number + 1, mark.start() + 1, mark["code"], mark["text"]))
        lines[number] = line
    return "\n".join(lines), found


def write_project(folder: Path, files: dict[str, str]) -> list[Expected]:
    """Write a project of marked files; give what is expected of it, in the order of its files."""
    expected = []
    for name, marked in {"kpi.yaml": PROJECT, "definitions/base.yaml": BASE, **files}.items():
        text, found = unmarked(marked, name)
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
        expected += found
    (folder / "data").mkdir(exist_ok=True)
    for table, lines in DATA.items():
        (folder / "data" / f"{table}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return sorted(expected, key=lambda each: (each.file != "kpi.yaml", each))


def reported(diagnostics: list[Diagnostic], folder: Path) -> list[Expected]:
    """Give diagnostics in the form of what is expected: the text is what is underlined."""
    found = []
    for each in diagnostics:
        assert each.place is not None, each
        start = each.place.column - 1
        text = each.place.text[start : start + each.place.length]
        file = each.place.file.removeprefix(f"{folder}/")
        found.append(Expected(file, each.place.line, each.place.column, each.code, text))
    return found
