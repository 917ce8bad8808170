"""Everything that is wrong with a project, said at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kpi_engine.errors import DefinitionError, Diagnostic, KpiError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kpi_engine.catalogue import Catalogue
    from kpi_engine.definitions import Project
    from kpi_engine.execution.binding import Binder


def checked(project: Project, catalogue: Catalogue, binder: Binder, unreadable: Mapping[str, KpiError]) -> list[Diagnostic]:
    """Find every mistake: in the files, in what they say of each other, in the options of transforms and sources.

    A dataset whose data cannot be read is a warning: its columns are not known, so their names go unchecked.
    """
    found = [*catalogue.check(), *_transforms(project, binder)]
    seen = {diagnostic.message for diagnostic in found}
    for dataset, error in sorted(unreadable.items()):
        for diagnostic in _of_data(dataset, error, project):
            if diagnostic.message not in seen:
                seen.add(diagnostic.message)
                found.append(diagnostic)
    return found


def _transforms(project: Project, binder: Binder) -> Iterator[Diagnostic]:
    for dataset, model in project.datasets.items():
        if not model.transform:
            continue
        try:
            binder.transform(dataset)
        except KpiError as error:
            key = "options" if error.code == "bad_settings" else "transform"
            place = project.places.value("datasets", dataset, key) or project.places.value("datasets", dataset, "transform")
            yield Diagnostic(error.code, error.message, place, error.hint, subject=f"dataset {dataset}")


def _of_data(dataset: str, error: KpiError, project: Project) -> Iterator[Diagnostic]:
    if isinstance(error, DefinitionError):
        yield from error.diagnostics
        return
    place = error.place or project.places.key("datasets", dataset)
    message = f"the columns of dataset `{dataset}` cannot be checked: {error.message}"
    yield Diagnostic(error.code, message, place, error.hint, severity="warning", subject=f"dataset {dataset}")
