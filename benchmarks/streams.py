"""Measure how fast the messages of a Singer tap land in the store of a project.

    python benchmarks/streams.py            200,000 records of 13 columns
    python benchmarks/streams.py 1000000

A recorded file of messages is synced into an empty project, and then once more, so that every row is compared and none is written. What is
measured is CPU time, user and system, of all threads of the process. It ends with 1 where a row is missing or a figure is below the promise.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

import kpi_engine

PROMISE = 20_000
"""Records a second of CPU time."""
_TEXTS = [f"c{number}" for number in range(10)]


def messages(file: Path, records: int) -> None:
    """Write what a tap would say, with a state every hundred records."""
    properties = {
        "id": {"type": "integer"},
        "at": {"type": ["null", "string"], "format": "date-time"},
        "amount": {"type": ["null", "number"], "multipleOf": 0.01},
        **{name: {"type": ["null", "string"]} for name in _TEXTS},
    }
    schema = {"type": "SCHEMA", "stream": "leads", "schema": {"properties": properties}, "key_properties": ["id"]}
    with file.open("w") as out:
        out.write(json.dumps(schema) + "\n")
        for number in range(records):
            texts = {name: f"value {number % 1000} of {name}" for name in _TEXTS}
            record = {"id": number, "at": "2026-01-03T09:00:00Z", "amount": number % 9973 / 100, **texts}
            out.write(json.dumps({"type": "RECORD", "stream": "leads", "record": record}) + "\n")
            if number % 100 == 0:
                out.write(json.dumps({"type": "STATE", "value": {"bookmarks": {"leads": {"id": number}}}}) + "\n")


def figures(records: int) -> list[tuple[str, float]]:
    """Give records a second, for rows that are new and for rows that are known."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        messages(root / "leads.ndjson", records)
        settings = "project: streams\ndefinitions: []\nsources:\n  crm: {plugin: singer, file: leads.ndjson}\n"
        (root / "kpi.yaml").write_text(settings)
        with kpi_engine.open(root) as engine:
            for what in ("new", "known"):
                before = time.process_time()
                (source,) = engine.sync().sources
                spent = time.process_time() - before
                assert source.status == "done", source.error
                assert source.streams[0].rows == records, source.streams
                found.append((what, records / spent))
    return found


def main() -> int:
    """Measure, and say what came out."""
    records = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    measured = figures(records)
    for what, rate in measured:
        print(f"{records:,} {what} records: {rate:,.0f} a second of CPU time (promised: {PROMISE:,})")
    return 0 if all(rate >= PROMISE for _, rate in measured) else 1


if __name__ == "__main__":
    sys.exit(main())
