"""Run the command line as `python -m kpi_engine`."""

from kpi_engine.cli import main

main()
