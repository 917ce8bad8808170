"""The command `kpi`, and its verbs."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

import click

from kpi_engine import __version__
from kpi_engine.cli.exits import table
from kpi_engine.cli.groups import Extended, help_alone
from kpi_engine.verbs import VERBS

_OWN: Final = MappingProxyType({name: f"kpi_engine.cli.{name}:command" for name in VERBS})
_EPILOG = f"""\b
Begin with:
  kpi demo           a sample company, its scorecards and a report.html
  kpi init NAME      a project of your own

\b
Exit codes:
{table()}

KPI_DISABLE_PLUGINS names plugins to leave out, KPI_DEBUG=1 shows tracebacks, KPI_NO_CACHE=1 keeps nothing."""


@click.group(
    cls=Extended,
    verbs=_OWN,
    epilog=_EPILOG,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, "-V", "--version", prog_name="kpi", message="%(prog)s %(version)s")
@click.pass_context
def kpi(context: click.Context) -> None:
    """Write a KPI once, in YAML; have it checked, computed where the data are, and shown by role."""
    help_alone(context)
