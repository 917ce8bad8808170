"""Parameters: the value that a request, the project or a declaration gives."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from kpi_engine.errors import RequestError, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kpi_engine.catalogue import Catalogue


def parameter_value(name: str, given: Mapping[str, Any], catalogue: Catalogue) -> Any:  # noqa: ANN401
    """Give a parameter's value: the request's, else the project's, else its default."""
    declared = catalogue.project.parameters.get(name)
    if declared is None:
        hint = nearest(name, catalogue.project.parameters) or "write the value itself"
        raise RequestError(f"there is no parameter `:{name}`", code="unknown_parameter", hint=hint)
    for values in (given, catalogue.project.settings.parameters, {name: declared.default}):
        if values.get(name) is not None:
            value = values[name]
            return date.fromisoformat(value) if declared.type == "date" and isinstance(value, str) else value
    message = f"the parameter `:{name}` has no value"
    raise RequestError(
        message, code="missing_parameter", hint="set it in kpi.yaml under `parameters:`, or give it with the request"
    )
