"""Makes a failing case small: whatever can be left out while the engine and the oracle still differ is left out."""
# ruff: noqa: C901 - a line for each thing that may be left out

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Any

from oracle_cases import made
from oracle_checking import QUESTIONS, WrongError, check, check_seed, kpis_of, opened
from oracle_terms import walk
from oracle_texts import arguments

import kpi_engine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oracle_model import Dataset, Kpi, Model, Question

__all__ = ["check_seed", "fails", "shrunk", "told"]
Case = tuple["Model", "Question"]
PLAIN_INPUT = {
    "where": None, "time": "", "take": "", "across": frozenset(), "offset": None, "covers": (), "per": (), "unit": "", "among": (),
}  # fmt: skip
PLAIN_KPI = {"percent": False, "empty_unknown": False, "frame": "whole"}
PLAIN_QUESTION = {
    "where": (), "where_sql": None, "periods": (), "compare": (), "having": (), "order": (), "limit": None, "dense": True,
    "parameters": {}, "totals": False, "rank": (), "share": (), "top": None, "like_for_like": False, "grains": (), "by": (),
}  # fmt: skip


def shrunk(model: Model, question: Question) -> Case:
    """Give the smallest case that can be reached by leaving things out, in which the two still differ."""
    case = model, question
    changed = True
    while changed:
        changed = False
        for attempt in _smaller(*case):
            if attempt != case and fails(*attempt):
                case, changed = attempt, True
                break
    return case


@contextmanager
def told(seed: int) -> Iterator[None]:
    """Tell a failure of a seed by the smallest case that fails."""
    try:
        yield
    except WrongError as wrong:
        model, asked = made(Random(seed), QUESTIONS)  # noqa: S311 - the same case again
        number, question = next((n, each) for n, each in enumerate(asked) if fails(model, each, refused=True))
        small, less = (
            (_needed(model, question), question) if str(wrong).startswith("refused") else shrunk(model, question)
        )
        message = f"seed {seed}, question {number}: {arguments(question)}\n{wrong}\nsmallest:\n{_shown(small, less)}"
        raise WrongError(message) from None


def _shown(model: Model, question: Question) -> str:
    lines = [str(arguments(question)), kpis_of(model, question)]
    for name, dataset in model.datasets.items():
        snapshot = "" if dataset.entity is None else f" of {dataset.entity} kept {dataset.keep}"
        lines += [f"  {name}{snapshot}: {dict(dataset.types)}", *(f"    {list(row.values())}" for row in dataset.rows)]
    try:
        with opened(model) as engine:
            check(engine, model, question)
    except WrongError as wrong:
        lines.append(str(wrong))
    return "\n".join(lines)


def fails(model: Model, question: Question, *, refused: bool = False) -> bool:
    """Say whether the engine and the oracle differ; where definitions are refused, they do only if `refused` says so."""
    try:
        with opened(model) as engine:
            check(engine, model, question)
    except WrongError as wrong:
        return refused or not str(wrong).startswith("refused")
    except (kpi_engine.KpiError, KeyError, ValueError, AssertionError, TypeError):
        return False
    return False


def _smaller(model: Model, question: Question) -> Iterator[Case]:
    yield _needed(model, question), question
    units = {each.of for each in model.almanac.units}
    for each in _questions(question):
        yield model, each
    for name, dataset in model.datasets.items():
        for smaller in _datasets(dataset) if name not in units else ():
            yield _shaped_again(replace(model, datasets={**model.datasets, name: smaller})), question
    for name, kpi in model.kpis.items():
        for less in _kpis(kpi):
            yield replace(model, kpis={**model.kpis, name: less}), question
    for almanac in (
        replace(model.almanac, zone="UTC"),
        replace(model.almanac, week_start=0),
        replace(model.almanac, named_after="end"),
    ):
        yield replace(model, almanac=almanac), question


def _needed(model: Model, question: Question) -> Model:
    """Keep the definitions that a question needs."""
    wanted = [*question.kpis, *(having[0] for each in question.where if each[0] == "among" for having in each[2])]
    datasets = [*question.of, *(each.of for each in model.almanac.units)]
    for name in wanted:
        for used in model.kpis[name].inputs.values():
            wanted += [having[0] for _, judged in used.among for having in judged]
            (wanted if used.source in model.kpis else datasets).append(used.source)
    for name in datasets:
        datasets += [link.to for link in model.datasets[name].joins.values() if link.to not in datasets]
        datasets += ["clips"] if model.datasets[name].query and "clips" not in datasets else []
    kpis = {name: kpi for name, kpi in model.kpis.items() if name in wanted}
    return replace(model, kpis=kpis, datasets={name: each for name, each in model.datasets.items() if name in datasets})


def _shaped_again(model: Model) -> Model:
    """Keep the rows of a query to those that its table still has."""
    if "shaped" not in model.datasets or "clips" not in model.datasets:
        return model
    there = {row["clip_id"] for row in model.datasets["clips"].rows}
    shaped = model.datasets["shaped"]
    rows = [row for row in shaped.rows if row["clip_id"] in there]
    return replace(model, datasets={**model.datasets, "shaped": replace(shaped, rows=rows)})


def _questions(question: Question) -> Iterator[Question]:
    if len(question.kpis) > 1:
        for name in question.kpis:
            having = tuple(each for each in question.having if each[0] == name)
            order = tuple(each for each in question.order if each.removeprefix("-") in {name, *question.by, "period"})
            yield replace(question, kpis=(name,), having=having, order=order)
    for name, plain in PLAIN_QUESTION.items():
        if getattr(question, name) != plain:
            yield replace(question, **{name: plain})
    for name in ("by", "compare", "grains", "where"):
        several = getattr(question, name)
        for each in several if len(several) > 1 else ():
            yield replace(question, **{name: tuple(other for other in several if other != each)})


def _datasets(dataset: Dataset) -> Iterator[Dataset]:
    if dataset.query:
        return
    rows, size = dataset.rows, max(len(dataset.rows) // 2, 1)
    while rows and size:
        for start in range(0, len(rows), size):
            yield replace(dataset, rows=[*rows[:start], *rows[start + size :]])
        size = size // 2


def _kpis(kpi: Kpi) -> Iterator[Kpi]:
    for name, plain in PLAIN_KPI.items():
        if getattr(kpi, name) != plain:
            yield replace(kpi, **{name: plain})
    for each in walk(kpi.formula):
        if each != kpi.formula and each[0] in {"agg", "input"} and _stands_alone(kpi, each):
            yield _with(kpi, each)
    for each in walk(kpi.formula):
        if each[0] == "agg" and each[4] is not None:
            yield replace(kpi, formula=_replaced(kpi.formula, each, (*each[:4], None)))
        if each[0] == "agg" and each[1] not in {"count", "first", "last"}:
            yield replace(kpi, formula=_replaced(kpi.formula, each, ("agg", "count", each[2], None, each[4])))
    for name, used in kpi.inputs.items():
        for key, plain in PLAIN_INPUT.items():
            if getattr(used, key) != plain:
                yield replace(kpi, inputs={**kpi.inputs, name: replace(used, **{key: plain})})


def _stands_alone(kpi: Kpi, part: Any) -> bool:
    used = kpi.inputs[part[2] if part[0] == "agg" else part[1]]
    return used.conversion is None


def _with(kpi: Kpi, part: Any) -> Kpi:
    name = part[2] if part[0] == "agg" else part[1]
    return replace(kpi, formula=part, inputs={name: kpi.inputs[name]})


def _replaced(formula: Any, old: Any, new: Any) -> Any:
    if formula == old:
        return new
    return tuple(_replaced(each, old, new) for each in formula) if isinstance(formula, tuple) else formula
