"""A small project with every kind of dimension, and a way to run `kpi` on it."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from kpi_engine.cli.commands import kpi as command

if TYPE_CHECKING:
    from collections.abc import Callable

PROJECT = """\
project: shop
calendar: {timezone: Europe/Paris}
sources:
  data: {plugin: files, path: data}
definitions: [definitions]
"""
DEFINITIONS = """\
datasets:
  sessions:
    table: sessions
    key: id
    time: day
    columns: {is_own: {type: boolean}, amount: {type: "decimal(18,2)"}}
    dimensions:
      channel: {label: {en: Channel, fr: Canal}}
      city:
      is_own:
      score:
      day:

roles:
  team: {label: {en: Our team, fr: Notre équipe}}
  press: {label: {en: Press, fr: Presse}}

parameters:
  factor: {type: number, default: 2, description: {en: How much}}
  limit: {type: integer, default: 1}
  strict: {type: boolean, default: false}

kpis:
  visits:
    role: team
    label: {en: Visits, fr: Visites}
    description: {en: "How many visits there were."}
    inputs: [sessions]
    formula: count(sessions)
    unit: visits
    format: integer
    better: higher
    owner: the web team
  revenue:
    role: [team, press]
    label: {en: Revenue, fr: Chiffre d’affaires}
    inputs: [sessions]
    formula: sum(amount)
    unit: EUR
  own_visits:
    inputs:
      own: {from: sessions, where: "is_own"}
    formula: count(own)
    unit: visits
  own_share:
    role: press
    label: {en: Own share, fr: Part propre}
    inputs: [own_visits, visits]
    formula: own_visits / visits
    format: percent
    quality: visits
  scaled:
    inputs: [sessions]
    formula: case when :strict then null else count(sessions) * :factor * :limit end
  scaled_twice:
    inputs: [scaled]
    formula: scaled * 2
"""
DATA = """\
id,day,channel,city,is_own,score,amount
1,2026-01-05,email,"Paris, Texas",true,2,10.50
2,2026-01-20,email,Lyon,false,10,0.25
3,2026-02-03,direct,Lyon,true,9,1.00
4,2026-02-14,,NULL,false,1,2.00
5,2026-03-31,été,O'Hara,true,5,0.00
"""


@dataclass(frozen=True)
class Ran:
    """How a command ended, and what it wrote."""

    code: int
    out: str
    err: str


@pytest.fixture
def kpi(monkeypatch) -> Callable[..., Ran]:
    """Run `kpi` in this process."""
    for name in ("KPI_DEBUG", "KPI_DISABLE_PLUGINS", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)

    def run(*args: str | Path) -> Ran:
        result = CliRunner().invoke(command, [str(arg) for arg in args])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return Ran(result.exit_code, result.stdout, result.stderr)

    return run


@pytest.fixture
def shop(tmp_path, monkeypatch) -> Path:
    """Write the small project, and stand in it."""
    folder = tmp_path / "shop"
    for name, text in {"kpi.yaml": PROJECT, "definitions/all.yaml": DEFINITIONS, "data/sessions.csv": DATA}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def break_kpi(shop) -> Callable[[str, str], None]:
    """Replace a text in the definitions of the small project."""
    file = shop / "definitions" / "all.yaml"

    def replace(old: str, new: str) -> None:
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new), encoding="utf-8")

    return replace


@pytest.fixture
def process() -> tuple[list[str], dict[str, str]]:
    """Give the start of a command line that runs `kpi` as a process of its own, and its environment."""
    import kpi_engine

    root = str(Path(kpi_engine.__file__).parents[1])
    found = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")]))
    env = {name: value for name, value in os.environ.items() if not name.startswith(("KPI_", "LC_", "PYTHONIO"))}
    return [sys.executable, "-m", "kpi_engine"], {**env, "PYTHONPATH": found}
