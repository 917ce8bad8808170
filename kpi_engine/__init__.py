"""Write a KPI once; the engine checks it, compiles it to SQL where the data lives, and hands out the right number.

```python
import kpi_engine

with kpi_engine.open("my_project") as engine:
    result = engine.run("visits", by=["channel"], grain="month", period="2026-Q1")
    result.rows()
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kpi_engine.engine import Engine
    from kpi_engine.engine import open_project as open  # noqa: A004 - read as kpi_engine.open
    from kpi_engine.errors import (
        DataError,
        DefinitionError,
        Diagnostic,
        KpiError,
        OutputError,
        Place,
        PluginError,
        RequestError,
        SourceError,
        TimeoutExceeded,
    )
    from kpi_engine.importing import convert
    from kpi_engine.results import Result
    from kpi_engine.schemas import schema

__version__ = "0.1.0"

__all__ = [
    "DataError",
    "DefinitionError",
    "Diagnostic",
    "Engine",
    "KpiError",
    "OutputError",
    "Place",
    "PluginError",
    "RequestError",
    "Result",
    "SourceError",
    "TimeoutExceeded",
    "convert",
    "open",
    "schema",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever is asked for
    """Import what is asked for when it is asked for, so that importing the package is cheap."""
    from importlib import import_module

    if name not in __all__:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    if name == "open":
        return import_module("kpi_engine.engine").open_project
    homes = {
        "Engine": "kpi_engine.engine",
        "Result": "kpi_engine.results",
        "schema": "kpi_engine.schemas",
        "convert": "kpi_engine.importing",
    }
    module = homes.get(name, "kpi_engine.errors")
    return getattr(import_module(module), name)


def __dir__() -> list[str]:
    """List the public names."""
    return [*__all__, "__version__"]
