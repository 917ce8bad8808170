"""The command line `kpi`: one module per verb, each a thin call of a public function.

exits          what the exit codes mean
groups         commands imported when they are used, and the way every command ends
commands       the group `kpi` and the list of its verbs
projects       which project is meant, and its engine
requests       the options of a request, and the arguments of the engine that they become
conditions     `--where` and `--having`, read
writing        what goes to standard output, and what goes to standard error
interruption   Ctrl-C, also while a long query runs
demo, init, check, run, report, explain, sync, list, show, schema, plugins, cache   the verbs
"""

from __future__ import annotations

import gc
import sys


def main() -> None:
    """Run `kpi` with the arguments of the process, and end the process with an exit code of `exits`."""
    gc.disable()  # while modules and definitions are loaded there is no garbage, and looking for it takes a tenth of the time
    try:
        from kpi_engine.cli.commands import kpi

        kpi.main(prog_name="kpi")
    except KeyboardInterrupt:
        from kpi_engine.cli.exits import Exit

        sys.exit(Exit.INTERRUPTED)
    finally:
        gc.unfreeze()  # what is left over at the end, DuckDB complains of
        gc.enable()
