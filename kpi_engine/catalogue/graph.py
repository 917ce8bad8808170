"""What is made of what: the KPIs under a KPI, the datasets under a KPI and under a dataset, and the circles among them.

Nothing here calls itself, so that a chain of a thousand KPIs is as good as one of two.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from kpi_engine.formula.analysis import columns, parts
from kpi_engine.formula.gate import Refused, read
from kpi_engine.formula.queries import tables

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence

    from sqlglot import exp

    from kpi_engine.definitions.models import Dataset, Input, Kpi


SHOWN = 8
"""So many members of a circle are named."""


def kpis_below(kpis: Mapping[str, Kpi]) -> Callable[[str], list[str]]:
    """Give the step from a KPI to the KPIs among its inputs."""
    return remembered(
        lambda kpi_id: [
            name for each in kpis[kpi_id].inputs.values() for name in (each.from_, *kpis_compared(each)) if name in kpis
        ]
    )


def kpis_compared(model: Input) -> Iterator[str]:
    """Name what an input keeps members by; a condition with a mistake names nothing."""
    for condition in model.among.values():
        with suppress(Refused):
            yield from dict.fromkeys(parts(each)[0] for each in columns(read(condition, "condition")))


def origins_below(datasets: Mapping[str, Dataset]) -> Callable[[str], list[str]]:
    """Give the step from a dataset to those that its query or its transform reads."""
    return remembered(lambda dataset: origins(dataset, datasets))


def remembered(below: Callable[[str], list[str]]) -> Callable[[str], list[str]]:
    """Give a step that is worked out once for each thing."""
    known: dict[str, list[str]] = {}

    def step(name: str) -> list[str]:
        if name not in known:
            known[name] = below(name)
        return known[name]

    return step


def cycle(start: str, below: Callable[[str], Iterable[str]], done: set[str] | None = None) -> tuple[str, ...]:
    """Give the circle that a thing leads into, each of its members named and the first one again at the end; or nothing.

    `done` collects the things that lead into none, so that many questions about one graph cost as much as one.
    """
    done = set() if done is None else done
    path = {start: iter(below(start))}
    while path:
        last = next(reversed(path))
        following = next((each for each in path[last] if each not in done), None)
        if following is None:
            done.add(last)
            del path[last]
        elif following in path:
            names = list(path)
            return (*names[names.index(following) :], following)
        else:
            path[following] = iter(below(following))
    return ()


def in_a_circle(noun: str, names: Sequence[str]) -> str:
    """Say that things are made of one another; of a long circle the first and the last are named.

    >>> in_a_circle("dataset", ["a", "b", "a"])
    'the datasets are made of one another: a → b → a'
    """
    if len(names) == 2:  # noqa: PLR2004 - a thing that leads to itself
        return f"the {noun} `{names[0]}` is made of itself"
    if len(names) > SHOWN:
        half = SHOWN // 2
        names = [*names[:half], f"… {len(names) - SHOWN} more …", *names[-half:]]
    return f"the {noun}s are made of one another: {' → '.join(names)}"


def depth(start: str, below: Callable[[str], Iterable[str]], found: dict[str, int]) -> int:
    """Say how many things stand on one another below a thing that leads into no circle, itself counted; `found` collects them."""
    for name in made_of(start, below, found) if start not in found else ():
        found[name] = 1 + max((found[each] for each in below(name)), default=0)
    return found[start]


def made_of(start: str, below: Callable[[str], Iterable[str]], known: Container[str] = ()) -> list[str]:
    """Name all that a thing is made of, itself last, each after those it needs; without what is known, and what only that needs."""
    order: list[str] = []
    seen = {start}
    open_: list[tuple[str, Iterator[str]]] = [(start, iter(below(start)))]
    while open_:
        name, following = open_[-1]
        next_ = next((each for each in following if each not in seen and each not in known), None)
        if next_ is None:
            order.append(name)
            open_.pop()
        else:
            seen.add(next_)
            open_.append((next_, iter(below(next_))))
    return order


def origins(dataset_id: str, datasets: Mapping[str, Dataset]) -> list[str]:
    """Name the datasets that a dataset is made of: those its query or its transform reads; a query that does not pass reads none."""
    model = datasets[dataset_id]
    if model.transform:
        return [model.from_] if model.from_ in datasets else []
    if not model.sql:
        return []
    try:
        named = query_tables(read(model.sql, "query"))
    except Refused:
        return []
    return [table for table in named if table in datasets and table != dataset_id]


def query_tables(query: exp.Expr) -> tuple[str, ...]:
    """Name the tables that a dataset's query reads, each once, without the ones it defines itself."""
    return tuple(dict.fromkeys(table.name for table in tables(query)))
