"""What is made of what: the KPIs under a KPI, the datasets under a KPI and under a dataset, and the circles among them.

Nothing here calls itself, so that a chain of a thousand KPIs is as good as one of two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kpi_engine.formula.gate import Refused, read
from kpi_engine.formula.queries import tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from sqlglot import exp

    from kpi_engine.definitions.models import Dataset, Kpi


def kpis_below(kpis: Mapping[str, Kpi]) -> Callable[[str], list[str]]:
    """Give the step from a KPI to the KPIs among its inputs."""
    return lambda kpi_id: [each.from_ for each in kpis[kpi_id].inputs.values() if each.from_ in kpis]


def origins_below(datasets: Mapping[str, Dataset]) -> Callable[[str], list[str]]:
    """Give the step from a dataset to those that its query or its transform reads."""
    return lambda dataset: origins(dataset, datasets)


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


def depth(start: str, below: Callable[[str], Iterable[str]]) -> int:
    """Say how many things stand on one another below a thing that leads into no circle, itself counted."""
    found: dict[str, int] = {}
    for name in made_of(start, below):
        found[name] = 1 + max((found[each] for each in below(name)), default=0)
    return found[start]


def made_of(start: str, below: Callable[[str], Iterable[str]]) -> list[str]:
    """Name all that a thing is made of, itself last, each after those it needs."""
    order: list[str] = []
    seen = {start}
    open_: list[tuple[str, Iterator[str]]] = [(start, iter(below(start)))]
    while open_:
        name, following = open_[-1]
        next_ = next((each for each in following if each not in seen), None)
        if next_ is None:
            order.append(name)
            open_.pop()
        else:
            seen.add(next_)
            open_.append((next_, iter(below(next_))))
    return order


def datasets_under(kpi_id: str, kpis: Mapping[str, Kpi], datasets: Mapping[str, Dataset]) -> tuple[str, ...]:
    """Name the datasets that a KPI's number comes from, in a fixed order."""
    found: dict[str, None] = {}
    seen: set[str] = set()
    todo = [kpi_id]
    while todo:
        current = todo.pop()
        if current in datasets:
            found[current] = None
        elif current in kpis and current not in seen:
            seen.add(current)
            todo += [model.from_ for model in reversed(kpis[current].inputs.values())]
    return tuple(found)


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
