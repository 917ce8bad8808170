"""The options that ask for the first members, for ranks and for shares, and the arguments of the engine that they become."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_OF_TOP: Final = ("top_of", "top_by", "others", "lowest")

ranking_options: Final = (
    click.option("--top", metavar="N", type=int, help="Keep the first N members of a dimension."),
    click.option("--top-of", metavar="DIMENSION", help="Which dimension.  [default: the only one of --by]"),
    click.option("--top-by", metavar="KPI", help="In the order of which KPI.  [default: the first one]"),
    click.option("--lowest", is_flag=True, help="Count the first members from the lowest value up."),
    click.option("--others", is_flag=True, help="Show all other members as one row."),
    click.option(
        "--rank", metavar="KPI", multiple=True, help="Show the rank: visits, 'visits over channel'. Repeatable."
    ),
    click.option(
        "--share", metavar="KPI", multiple=True, help="Show the share: visits, 'visits over channel'. Repeatable."
    ),
)


def rankings(given: Mapping[str, Any]) -> dict[str, Any]:
    """Turn these options into arguments of `Engine.run`."""
    return {
        "top": _top(given),
        "rank": _standings(given["rank"], "--rank"),
        "share": _standings(given["share"], "--share"),
    }


def _top(given: Mapping[str, Any]) -> dict[str, Any] | None:
    if given["top"] is None:
        if said := next((name for name in _OF_TOP if given[name]), None):
            raise click.UsageError(f"--{said.replace('_', '-')} says more of --top N, which is not given")
        return None
    found = {"first": given["top"], "of": given["top_of"], "by": given["top_by"], "others": given["others"]}
    return found | ({"lowest": True} if given["lowest"] else {})


def _standings(written: Iterable[str], option: str) -> dict[str, list[str]] | list[str]:
    """Read `visits,leads` and `visits over channel,device`; the second names the dimensions.

    >>> _standings(["visits, leads"], "--rank")
    ['visits', 'leads']
    >>> _standings(["visits over channel"], "--share")
    {'visits': ['channel']}
    """
    texts = [*written]
    if not any(" over " in text for text in texts):
        return names(texts)
    found: dict[str, list[str]] = {}
    for text in texts:
        kpi, over, dimensions = text.partition(" over ")
        if not over:
            message = f"{text!r}: where one names its dimensions all do: 'visits over channel'"
            raise click.BadParameter(message, param_hint=option)
        if kpi.strip() in found:
            raise click.BadParameter(f"`{kpi.strip()}` is named twice", param_hint=option)
        found[kpi.strip()] = names([dimensions])
    return found


def names(written: Iterable[str]) -> list[str]:
    """Take names apart that are separated by commas.

    >>> names(["channel,device", "country"])
    ['channel', 'device', 'country']
    """
    return [name.strip() for text in written for name in text.split(",") if name.strip()]
