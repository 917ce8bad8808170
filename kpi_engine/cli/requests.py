"""The options of a request, and the arguments of the engine that they become."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from kpi_engine.cli.conditions import havings, is_number, number, wheres
from kpi_engine.cli.rankings import names, ranking_options, rankings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from kpi_engine.definitions import Project

Command = TypeVar("Command", bound="Callable[..., Any]")

WHERE_HELP: Final = """Conditions, which must all hold, on dimensions:

\b
  channel=email           one value
  channel=email,direct    one of several; also 'channel in email,direct'
  'channel != email'      another one; also 'channel not in email,direct'
  'score >= 5'            also > < <= and 'score between 5 and 10'
  'path contains blog'    also 'path starts with /blog', 'path ends with .pdf'
  'channel is null'       missing; also channel=NULL, 'channel is not null'

A value takes the type of its dimension: is_own=true, day=2026-03-31. Where it holds a comma, or is the text NULL, it stands in
quotes: "city='Paris, Texas'"."""

where_option = click.option(
    "--where", metavar="CONDITION", multiple=True, help="Keep rows where a dimension fits: channel=email. Repeatable."
)
compare_option = click.option(
    "--compare", metavar="NAME", multiple=True, help="previous-period, previous-year. Repeatable."
)
like_for_like_option = click.option(
    "--like-for-like", is_flag=True, help="Compare a period that is not over with the same part of the earlier one."
)
as_of_option = click.option(
    "--as-of", metavar="DATE", help="Answer as of this day or moment; rows after it are not counted.  [default: now]"
)
timeout_option = click.option(
    "--timeout", metavar="SECONDS", type=click.FloatRange(min=0, min_open=True), help="Give up after that long."
)
language_option = click.option(
    "--language", type=click.Choice(["en", "fr"]), help="Of labels, numbers and dates.  [default: the project's]"
)

currency_option = click.option(
    "--currency",
    metavar="CODE",
    help="Convert amounts into EUR, USD …, each at the rate of its own time; or as_recorded.",
)

_REQUEST: Final = (
    click.option("--role", metavar="ROLE", help="All KPIs of a role; one that fails does not stop the others."),
    click.option("--by", metavar="DIMENSION", multiple=True, help="Split by a dimension. Repeatable."),
    click.option("--grain", metavar="GRAIN", help="day, week, month, quarter, year, fiscal_quarter or fiscal_year."),
    click.option(
        "--period",
        metavar="PERIOD",
        help="2026-Q2, 2026-07, 2026-01-15..2026-03-31, 'last quarter', 'year to date' …  [default: all]",
    ),
    where_option,
    click.option("--where-sql", metavar="SQL", help="A condition in the formula language, over dimensions."),
    click.option(
        "--having", metavar="CONDITION", multiple=True, help="Keep rows of the answer: 'visits>=100'. Repeatable."
    ),
    compare_option,
    like_for_like_option,
    click.option(
        "--order", metavar="COLUMN", multiple=True, help="Sort: visits, -visits or 'visits desc'. Repeatable."
    ),
    click.option("--limit", metavar="N", type=int, help="Keep the first N rows."),
    *ranking_options,
    as_of_option,
    click.option(
        "--parameter",
        "parameters",
        metavar="NAME=VALUE",
        multiple=True,
        help="Set a parameter of the project. Repeatable.",
    ),
    currency_option,
    click.option("--sparse", is_flag=True, help="Only members and periods that have rows."),
)
_OUTPUT: Final = (
    click.option(
        "--output",
        metavar="NAME",
        default="",
        help="table, json, csv, html or that of a plugin.  [default: as FILE ends, or table]",
    ),
    click.option(
        "--option", "options", metavar="NAME=VALUE", multiple=True, help="Set an option of the output. Repeatable."
    ),
    click.option(
        "--out", metavar="FILE", default="", help="Write to a file, whole or not at all.  [default: standard output]"
    ),
)


def request_options(command: Command) -> Command:
    """Give a command the options of a request."""
    return _with(command, _REQUEST)


def output_options(command: Command) -> Command:
    """Give a command the options that say how an answer is shown, and where."""
    return _with(command, _OUTPUT)


def _with(command: Command, options: Iterable[Callable[[Command], Command]]) -> Command:
    for option in reversed([*options]):
        command = option(command)
    return command


def arguments(kpis: Sequence[str], given: Mapping[str, Any]) -> dict[str, Any]:
    """Turn the options of a request into the arguments of `Engine.run`; parameters are texts until `fitted` to a project."""
    if bool(kpis) == bool(given["role"]):
        raise click.UsageError(
            "name the KPIs, or a role with --role" + (", not both" if kpis else "; `kpi list` shows them")
        )
    return {
        "kpis": names(kpis) or None,
        "role": given["role"],
        "by": names(given["by"]),
        "grain": given["grain"],
        "period": given["period"],
        "where": wheres(given["where"]),
        "where_sql": given["where_sql"],
        "having": havings(given["having"]),
        "compare": names(given["compare"]),
        "like_for_like": given["like_for_like"],
        "order": names(given["order"]),
        "limit": given["limit"],
        **rankings(given),
        "as_of": given["as_of"],
        "parameters": pairs(given["parameters"], "--parameter"),
        "dense": not given["sparse"],
        "currency": given["currency"],
    }


def pairs(written: Iterable[str], option: str) -> dict[str, str]:
    """Read settings written `name=value`."""
    found: dict[str, str] = {}
    for text in written:
        name, sign, value = text.partition("=")
        if not sign or not name.strip():
            raise click.BadParameter(f"{text!r}: write NAME=VALUE", param_hint=option)
        if name.strip() in found:
            raise click.BadParameter(f"`{name.strip()}` is set twice", param_hint=option)
        found[name.strip()] = value.strip()
    return found


def fitted(asked: Mapping[str, Any], project: Project) -> dict[str, Any]:
    """Give parameters the types that the project declares; what does not fit stays a text, which the engine refuses."""
    declared = project.parameters
    types = {name: declared[name].type for name in asked["parameters"] if name in declared}
    typed = {name: _typed(value, types.get(name, "text")) for name, value in asked["parameters"].items()}
    return {**asked, "parameters": typed}


def _typed(text: str, kind: str) -> str | int | float | bool:
    if kind in {"integer", "number"} and is_number(text):
        value = number(text)
        return value if isinstance(value, int) else float(value)
    if kind == "boolean":
        return {"true": True, "false": False}.get(text.casefold(), text)
    return text
