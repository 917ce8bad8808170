"""Run the engine in a benchmark of semantic layers, beside those that are installed: the script that is given is theirs, our class is added.

    python benchmarks/peers.py SCRIPT [--markdown PAGE] --data FOLDER [its other arguments]

The script times `compile(workload) -> sql` and the run of that SQL, and compares every answer with hand-written SQL row by row. Run it in
an environment that has the other systems, with the engine on the path; see docs/performance.md.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tables import machine, said, write_block

import kpi_engine

if TYPE_CHECKING:
    from types import ModuleType

    import duckdb

PEERS = ("sidemantic", "boring-semantic-layer", "ibis-framework", "orionbelt-semantic-layer")
PERIOD = "2024-01-01..2025-12-31"
KPIS: dict[str, Any] = {
    "visits": {"inputs": ["visit_rows"], "formula": "count(visit_rows)"},
    "visitors": {"inputs": ["visit_rows"], "formula": "count(distinct visitor_id)"},
    "revenue": {"inputs": {"v": "visit_rows"}, "formula": "sum(v.revenue)"},
    "conversions": {"inputs": {"c": {"from": "visit_rows", "where": "converted"}}, "formula": "count(c)"},
    "conversion_rate": {"inputs": ["conversions", "visits"], "formula": "conversions / visits"},
    "avg_duration": {"inputs": ["visit_rows"], "formula": "avg(duration_s)"},
    "blog_visits": {
        "inputs": {"b": {"from": "visit_rows", "where": "landing_section = 'blog'"}},
        "formula": "count(b)",
    },
    "blog_share": {"inputs": ["blog_visits", "visits"], "formula": "blog_visits / visits"},
    "revenue_per_visit": {"inputs": ["revenue", "visits"], "formula": "revenue / visits"},
    "avg_order_value": {"inputs": ["revenue", "conversions"], "formula": "revenue / conversions"},
    "spent": {"inputs": ["spend_rows"], "formula": "sum(amount)", "empty": "unknown"},
    "leads": {"inputs": ["lead_rows"], "formula": "count(lead_rows)"},
    "cost_per_lead": {"inputs": ["spent", "leads"], "formula": "spent / leads"},
}
DEFINITIONS: dict[str, Any] = {
    "datasets": {
        "visit_rows": {
            "table": "visits",
            "key": "visit_id",
            "time": "ts",
            "dimensions": ["channel", "landing_section"],
        },
        "lead_rows": {"table": "leads", "key": "lead_id", "time": "created_at", "dimensions": ["channel"]},
        "spend_rows": {"table": "spend", "key": "spend_id", "time": "day", "dimensions": ["channel"]},
    },
    "kpis": KPIS,
}
TEN = list(KPIS)[:10]
BOTH = {"mom": "previous_period", "yoy": "previous_year"}
REQUESTS: dict[str, dict[str, Any]] = {
    "a": {"kpis": "visits"},
    "b": {"kpis": TEN, "by": "channel", "grain": "month", "period": PERIOD},
    "c": {"kpis": TEN, "grain": "month", "period": PERIOD, "compare": list(BOTH.values())},
    "d": {"kpis": "visitors", "by": "channel", "grain": "week", "period": PERIOD},
    "e": {"kpis": "cost_per_lead", "by": "channel", "grain": "month", "period": PERIOD},
}
CHANGES = ", ".join(f"{kpi}__{ours}_change * 100 AS {kpi}_{theirs}" for kpi in TEN for theirs, ours in BOTH.items())
COLUMNS = {
    "a": "visits",
    "b": f"period AS month, channel, {', '.join(TEN)}",
    "c": f"period AS month, {', '.join(TEN)}, {CHANGES}",
    "d": "period AS week, channel, visitors",
    "e": "channel, period AS month, cost_per_lead",
}
"""The names that the script compares by, and changes in percent."""


class KpiEngine:
    """The engine, as the script wants it."""

    name = "kpi_engine"

    def setup(self, con: duckdb.DuckDBPyConnection) -> None:
        """Open the engine over the script's database."""
        self.engine = kpi_engine.open(DEFINITIONS, con)

    def compile(self, workload: str) -> str:
        """Give the SQL of a workload: the end of what `explain` says."""
        explained = self.engine.explain(**REQUESTS[workload])
        statement = explained.partition("\nSQL (DuckDB)\n")[2]
        return f"SELECT {COLUMNS[workload]} FROM ({statement}) AS answer"


def loaded(script: Path) -> ModuleType:
    """Load the script as a module."""
    spec = importlib.util.spec_from_file_location("peers_script", script)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{script} is no Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def as_markdown(report: dict[str, dict[str, dict[str, Any]]], workloads: dict[str, str]) -> str:
    """Write what the script found: CPU time of the hand-written SQL, that of each system as a multiple, and what is wrong with an answer."""
    systems = list(dict.fromkeys(name for found in report.values() for name in found if name != "hand"))
    rows = [["", "what", "hand-written", *systems], ["---", "---", *["---:"] * (len(systems) + 1)]]
    notes = []
    for name, found in report.items():
        rows.append([name, workloads[name], f"{found['hand']['cpu'] * 1e3:.1f} ms"])
        for system in systems:
            each = found[system]
            wrong = each.get("error") or each["check"] if each.get("check") != "equal" else ""
            notes += [f"- {name}, {system}: {wrong}"] if wrong else []
            rows[-1].append(("failed" if "error" in each else f"{each['cpu_ratio']:.2f} ×") + (" !" if wrong else ""))
    return "\n".join([*(f"| {' | '.join(row)} |" for row in rows), "", *notes]).rstrip()


def main() -> None:
    """Add the engine to the systems of the script, run it with the rest of the arguments, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("script", type=Path, help="the script of the benchmark")
    parser.add_argument("--markdown", type=Path, metavar="PAGE", help="replace the table of a page")
    own, others = parser.parse_known_args()
    script = loaded(own.script)
    script.SYSTEMS.append(KpiEngine)
    if not own.markdown:
        sys.argv = [str(own.script), *others]
        script.main()
        return
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder) / "found.json"
        sys.argv = [str(own.script), *others, "--json", str(found)]
        script.main()
        table = as_markdown(json.loads(found.read_text(encoding="utf-8")), script.WORKLOADS)
    about = machine(*(each for each in PEERS if installed(each)))
    write_block(own.markdown, "peers", f"{said(about)}.\n\n{table}")


def installed(package: str) -> bool:
    """Whether a package is in this environment."""
    try:
        version(package)
    except PackageNotFoundError:
        return False
    return True


if __name__ == "__main__":
    main()
