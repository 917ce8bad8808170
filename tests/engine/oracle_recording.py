"""Writes a case of the oracle as a project in a folder, as `tests/regressions` keeps them."""

from __future__ import annotations

import csv
from datetime import date, datetime
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import yaml
from oracle import Oracle
from oracle_answers import answer
from oracle_texts import TYPES, arguments, definitions

if TYPE_CHECKING:
    from pathlib import Path

    from oracle_model import Dataset, Model, Question


def record(folder: Path, model: Model, question: Question, about: str) -> None:
    """Write a project and a request with the oracle's answer."""
    folder.mkdir(parents=True)
    (folder / "data").mkdir()
    (folder / "definitions").mkdir()
    written = definitions(model)
    settings = {
        "project": folder.name,
        "calendar": written.pop("calendar"),
        "sources": {"data": {"plugin": "files", "path": "data"}},
    }
    _dump(folder / "kpi.yaml", settings)
    for name, dataset in model.datasets.items():
        columns = written["datasets"][name]["columns"]
        for column, kind in dataset.types.items():
            columns.setdefault(column, {})["type"] = TYPES[kind].lower()
        written["datasets"][name] = {key: value for key, value in written["datasets"][name].items() if value}
        if not dataset.query:
            _table(folder / "data" / f"{name}.csv", dataset)
    _dump(folder / "definitions" / "definitions.yaml", {key: value for key, value in written.items() if value})
    oracle = Oracle(model, question)
    expected = answer(oracle)
    rows = [
        {**dict(zip(expected.keys, key, strict=True)), **expected.rows[key]}
        for key, _ in expected.order(question.limit)
    ]
    case: dict[str, Any] = {"about": about, "request": arguments(question), "rows": [_plain(row) for row in rows]}
    if question.totals:
        case["totals"] = _plain(oracle.totals())
    _dump(folder / "case.yaml", case)


def _table(path: Path, dataset: Dataset) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(dataset.types)
        writer.writerows(["" if value is None else value for value in row.values()] for row in dataset.rows)


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: _written(value) for name, value in row.items()}


def _written(value: Any) -> Any:
    if isinstance(value, Fraction):
        return int(value) if value.denominator == 1 else float(value)
    return value.isoformat() if isinstance(value, date | datetime) else value


def _dump(path: Path, content: dict[str, Any]) -> None:
    path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120), encoding="utf-8")
