# ruff: noqa: INP001 - a script, not a module
"""Write the pages of the reference that repeat what the code and the marketing pack say: `python docs/generate.py`.

A test compares the pages with what this module gives, so that they never fall behind.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from types import ModuleType

    from kpi_engine.definitions import Project
    from kpi_engine.definitions.models import Dataset, Input, Kpi
    from kpi_engine.formula.functions import Function

REFERENCE = Path(__file__).resolve().parent / "reference"
NOTE = "<!-- Written by docs/generate.py: change the code or the pack, then run it. -->"


def pages() -> Mapping[Path, str]:
    """Give the text of each generated page."""
    return {
        REFERENCE / "functions.md": "\n".join(functions()),
        REFERENCE / "marketing.md": "\n".join(marketing()),
        REFERENCE / "composition.md": "\n".join(_composition().lines()),
    }


def _composition() -> ModuleType:
    """Load the module beside this one."""
    specification = importlib.util.spec_from_file_location("composition", Path(__file__).with_name("composition.py"))
    assert specification is not None  # noqa: S101 - the file is there
    assert specification.loader is not None  # noqa: S101 - it is Python
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def functions() -> Iterator[str]:
    """Write the lists of functions and operators."""
    from kpi_engine.formula import functions as lists

    yield from ["# Functions and operators", "", NOTE, ""]
    yield (
        "Formulas, conditions and the queries of datasets are SQL, from these lists and nothing else. A text is parsed into a tree, every "
        "node of the tree is looked up here, and SQL is generated from the tree. What is not listed is refused with the name of what is."
    )
    yield from ("", *"\n\n".join(lists.NOTES).split("\n"))
    yield from _section(
        "Aggregates",
        "They stand in formulas and turn rows into a value. Each may be followed by `filter (where condition)`.",
    )
    yield from _functions(lists.AGGREGATES)
    yield from _section("Functions of values", "They stand in formulas, conditions and dimensions.")
    yield from _functions(lists.SCALARS)
    yield from _section("Operators")
    yield from _table(("written", "meaning"), ([f"`{written}`", meaning] for written, meaning in lists.OPERATORS))
    yield from _section("Types of `cast`")
    yield from _table(("type", "holds"), ([f"`{written}`", meaning] for written, _, meaning in lists.CAST_TYPES))
    yield from _section("In the query of a dataset", "The `sql:` of a dataset may use all of the above, and besides:")
    yield from _table(("written", "meaning"), ([f"`{written}`", meaning] for written, meaning in lists.DATASET_SYNTAX))
    yield ""
    yield from _functions(lists.DATASET_FUNCTIONS)
    yield ""


def _functions(listed: Sequence[Function]) -> Iterator[str]:
    return _table(("function", "gives"), ([f"`{each.call}`", each.meaning] for each in listed))


def marketing() -> Iterator[str]:
    """Write the KPIs of the marketing pack, its parameters, and the tables it reads."""
    from kpi_engine.definitions import from_mapping

    project = from_mapping({"project": "marketing", "definitions": ["marketing"]})
    on_scorecards = [kpi for kpi in project.kpis.values() if kpi.role]
    yield from ["# The marketing pack", "", NOTE, ""]
    yield (
        f"`definitions: [marketing]` in `kpi.yaml` brings {len(on_scorecards)} KPIs for {len(project.roles)} roles, and "
        f"{len(project.kpis) - len(on_scorecards)} more beside them. "
        "[Using the pack](../how-to/marketing-pack.md) says how to bring your own tables and how to change a KPI."
    )
    for role, model in project.roles.items():
        titles = f"{model.label['en']} / {model.label['fr']}"
        yield from _section(titles, f"The scorecard of `{role}`.")
        yield from _kpis({name: kpi for name, kpi in project.kpis.items() if role in kpi.role})
    about = "They stand on no scorecard: other bases of the same KPIs, companions that say how far to trust them, and parts of them."
    yield from _section("Siblings and companions", about)
    yield from _kpis({name: kpi for name, kpi in project.kpis.items() if not kpi.role})
    yield from _section("Parameters", "Set them in `kpi.yaml` under `parameters:`, or with a request.")
    parameters = project.parameters.items()
    yield from _table(
        ("parameter", "type", "default", "meaning"),
        ([f"`{n}`", p.type, f"`{p.default!r}`", p.description["en"]] for n, p in parameters),
    )
    yield from _datasets(project)


def _kpis(kpis: Mapping[str, Kpi]) -> Iterator[str]:
    heads = ("KPI", "English", "French", "formula", "unit", "better", "remark")
    return _table(heads, (_kpi(name, kpi) for name, kpi in kpis.items()))


def _kpi(name: str, kpi: Kpi) -> Sequence[str]:
    unit = kpi.unit or kpi.format or "number"
    return f"`{name}`", kpi.label["en"], kpi.label["fr"], _formula(kpi), unit, kpi.better, _remark(kpi)


def _formula(kpi: Kpi) -> str:
    inputs = [f"`{name}`: {_input(each)}" for name, each in kpi.inputs.items() if _input(each) != f"`{name}`"]
    return "<br>".join([f"`{' '.join(kpi.formula.split())}`", *inputs])


def _input(each: Input) -> str:
    said = [f"`{each.from_}`"]
    modifiers = each.model_dump(exclude_defaults=True, exclude={"from_"})
    for key, value in modifiers.items():
        text = ", ".join(value) if isinstance(value, tuple) else str(value)
        said.append(key.replace("_", " ") if value is True else f"{key} `{text}`")
    return " ".join(said)


def _remark(kpi: Kpi) -> str:
    said = [f"needs a split by `{', '.join(kpi.split)}`"] if kpi.split else []
    said += [f"status `{kpi.status}`"] if kpi.status != "active" else []
    said += [f"see `{kpi.quality}`"] if kpi.quality else []
    return "; ".join(said)


def _datasets(project: Project) -> Iterator[str]:
    about = "Bring them under these names, with every column; one that you do not have may be empty. A table that no KPI of yours reads may be absent."
    yield from _section("The tables it reads", about)
    for name, dataset in project.datasets.items():
        if not dataset.table:
            continue
        yield from ["", f"### `{dataset.table}`", "", dataset.description["en"], ""]
        yield f"Dataset `{name}`; key {_listed(dataset.key) or 'none'}; time {_time(dataset)}; dimensions {_listed(dataset.dimensions) or 'none'}."
        yield ""
        columns = dataset.columns.items()
        yield from _table(
            ("column", "type", "remark"), ([f"`{n}`", c.type, c.description.get("en", "")] for n, c in columns)
        )
    yield ""


def _time(dataset: Dataset) -> str:
    return f"`{dataset.time.column}`" if dataset.time else "none"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _section(title: str, about: str = "") -> Iterator[str]:
    yield from ["", f"## {title}", ""]
    if about:
        yield from [about, ""]


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield "|" + "---|" * len(heads)
    for row in rows:
        yield "| " + " | ".join(cell.replace("|", r"\|").replace("\n", " ") for cell in row) + " |"


def main() -> None:
    """Write every page."""
    for file, text in pages().items():
        file.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
