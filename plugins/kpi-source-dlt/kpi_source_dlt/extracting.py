"""The program that runs dlt, by itself: it needs dlt and pyarrow, and nothing of the engine.

It reads its task from the standard input, writes `answer.json` into the folder of the task, and ends when nobody waits any more.
"""

# ruff: noqa: ANN401 - dlt and pyarrow are imported where they are
from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Any

_EXACT = 2**53


class TaskError(Exception):
    """What is wrong with a task, with the code of its error."""

    def __init__(self, code: str, said: str) -> None:
        super().__init__(said)
        self.code, self.said = code, said


def main() -> None:
    """Do the task."""
    task = json.loads(sys.stdin.buffer.readline())
    folder = Path(task["folder"])
    Thread(target=_watch, args=(folder,), daemon=True).start()
    sys.path[0] = os.getcwd()  # noqa: PTH109 - the project's folder, in place of this file's
    try:
        source = made(task)
        answer = {"streams": described(source)} if task["task"] == "describe" else extracted(source, task, folder)
    except TaskError as error:
        answer = {"error": {"code": error.code, "said": error.said}}
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told
        answer = {"error": {"code": "dlt_failed", "said": _reason(error)}}
    draft = folder / "answer.draft"
    draft.write_text(json.dumps(answer), encoding="utf-8")
    draft.rename(folder / "answer.json")


def made(task: Mapping[str, Any]) -> Any:
    """Make the source of a task: a source or a resource itself, or what a function gives."""
    try:
        import dlt
        import pyarrow.parquet  # noqa: F401 - in which dlt hands rows over
        from dlt.extract import DltResource, DltSource
    except ImportError as error:
        raise TaskError("missing_package", f"{error.name} is not installed for {sys.executable}") from error
    module, _, name = task["source"].partition(":")
    try:
        found = getattr(import_module(module), name)
    except ModuleNotFoundError as error:
        raise TaskError("no_dlt_source", f"there is no module `{error.name}`") from error
    except AttributeError as error:
        raise TaskError("no_dlt_source", f"the module `{module}` has no `{name}`") from error
    arguments = with_secrets(task["arguments"], task["secrets"])
    if callable(found) and (arguments or not isinstance(found, DltResource | DltSource)):
        found = found(**arguments)
    if not isinstance(found, DltSource):
        resources = [found] if isinstance(found, DltResource) else list(found) if isinstance(found, Iterable) else []
        if not resources or not all(isinstance(each, DltResource) for each in resources):
            raise TaskError("no_dlt_source", "it gives neither a source nor resources of dlt")
        found = dlt.source(lambda: resources, name="kpi_resources")()
    return found.with_resources(*task["resources"]) if task["resources"] else found


def with_secrets(arguments: Mapping[str, Any], secrets: Mapping[str, str]) -> dict[str, Any]:
    """Put secrets among arguments; a dotted name leads into mappings and lists.

    >>> with_secrets({"config": {"client": {}}}, {"config.client.token": "x"})
    {'config': {'client': {'token': 'x'}}}
    """
    whole: dict[str, Any] = json.loads(json.dumps(arguments))
    for path, secret in secrets.items():
        *steps, last = path.split(".")
        place: Any = whole
        for step in steps:
            place = place[int(step)] if isinstance(place, list) else place.setdefault(step, {})
        place[int(last) if isinstance(place, list) else last] = secret
    return whole


def described(source: Any) -> list[dict[str, Any]]:
    """Describe the streams of a source: names and keys as dlt writes them into a database."""
    naming = source.schema.naming
    found = []
    for resource in source.selected_resources.values():
        if callable(resource.table_name):
            raise TaskError(
                "no_dlt_source",
                f"the table of the resource `{resource.name}` depends on its rows, which is not supported",
            )
        columns = resource.compute_table_schema().get("columns", {})
        key = [naming.normalize_path(name) for name, column in columns.items() if column.get("primary_key")]
        key = key or [naming.normalize_path(name) for name, column in columns.items() if column.get("merge_key")]
        name = naming.normalize_table_identifier(resource.table_name or resource.name)
        found.append({"name": name, "resource": resource.name, "key": key, "loading": loading_of(resource, bool(key))})
    return found


def loading_of(resource: Any, has_key: bool) -> str:  # noqa: FBT001
    """Say how rows are kept: by their key where there is one; appended only where dlt gives each row once."""
    disposition = resource.write_disposition
    disposition = disposition.get("disposition") if isinstance(disposition, dict) else disposition
    if disposition == "replace":
        return "replace"
    if has_key:
        return "merge"
    return "append" if resource.incremental is not None else "replace"


def extracted(source: Any, task: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Let dlt extract and normalise; give the files, and the state that covers them."""
    import dlt
    from dlt.common.json import json as typed

    by_name = {each["name"]: each["resource"] for each in described(source)}
    for name in task["streams"]:
        if name not in by_name:
            raise TaskError(
                "unknown_stream", f"it has no stream `{name}`, only {', '.join(f'`{each}`' for each in by_name)}"
            )
    source = source.with_resources(*(by_name[name] for name in task["streams"]))
    for resource in source.selected_resources.values():
        resource.add_map(lists_as_text)
    files: list[dict[str, str]] = []

    def hand_over(path: str, table: Mapping[str, Any]) -> None:
        target = folder / f"{len(files)}-{Path(path).name}"
        files.append({"stream": table["name"], "path": target.name})
        keep(Path(path), target, table["columns"])

    destination = dlt.destination(
        hand_over, name="kpi_sync", batch_size=0, loader_file_format="parquet", naming_convention="snake_case",
        skip_dlt_columns_and_tables=True, max_table_nesting=1000, max_parallel_load_jobs=1,
    )  # fmt: skip
    pipeline = dlt.pipeline(
        "kpi_sync", pipelines_dir=str(folder / "pipelines"), destination=destination, dataset_name="kpi_sync"
    )
    if task["state"] is not None:
        with pipeline.managed_state() as state:
            state["sources"] = typed.typed_loads(json.dumps(task["state"]["sources"]))
    pipeline.run(source).raise_on_failed_jobs()
    after = json.loads(typed.typed_dumps(pipeline.state.get("sources", {})))
    return {"files": files, "state": {"sources": after}}


def lists_as_text(item: Any) -> Any:
    """Write the lists of a record as JSON, each into one column: as a table of its own, its rows could not be told apart.

    >>> lists_as_text({"id": 1, "properties": {"tags": ["a"]}})
    {'id': 1, 'properties': {'tags': '["a"]'}}
    """
    if not isinstance(item, dict):
        return item
    return {
        name: json.dumps(value, default=str, ensure_ascii=False) if isinstance(value, list) else lists_as_text(value)
        for name, value in item.items()
    }


def keep(path: Path, target: Path, columns: Mapping[str, Mapping[str, Any]]) -> None:
    """Keep a file that dlt hands over; values that dlt put beside their column, as they are of another type, come back into it."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    beside: dict[str, list[str]] = {}
    for name, column in columns.items():
        if column.get("variant"):
            beside.setdefault(name.rpartition("__v_")[0], []).append(name)
    if not beside:
        os.link(path, target)  # dlt moves its own name of the file afterwards
        return
    table = pq.read_table(path)
    for name, others in beside.items():
        parts = [table.column(each) for each in (name, *others) if each in table.column_names]
        table = table.drop_columns([each for each in (name, *others) if each in table.column_names])
        if not parts:
            continue
        plain = all(_is_exact_in_double(part) for part in parts)
        parts = [part.cast(pa.float64()) if plain else _as_text(part) for part in parts]
        table = table.append_column(name, pc.coalesce(*parts))
    pq.write_table(table, target)


def _is_exact_in_double(values: Any) -> bool:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_floating(values.type):
        return True
    if not pa.types.is_integer(values.type):
        return False
    low, high = pc.min_max(values).as_py().values()
    return low is None or (low >= -_EXACT and high <= _EXACT)


def _as_text(values: Any) -> Any:
    import pyarrow as pa

    texts = [None if value is None else _text(value) for value in values.to_pylist()]
    return pa.chunked_array([pa.array(texts, pa.string())])


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _reason(error: BaseException) -> str:
    """Give the innermost error, which is the one of the source: those around it say where in dlt it came out."""
    inner: BaseException = error
    while True:
        below = (
            inner.__cause__
            or (None if inner.__suppress_context__ else inner.__context__)
            or getattr(inner, "exception", None)
        )
        if not isinstance(below, BaseException) or below is inner:
            return f"{type(inner).__name__}: {inner}"
        inner = below


def _watch(folder: Path) -> None:
    """End when the pipe does: whoever gave the task is no more."""
    while os.read(0, 4096):
        pass
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)


if __name__ == "__main__":
    main()
