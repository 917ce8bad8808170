"""What a request names, looked up in the project: KPIs, roles, parameters, a language; what is not there is refused."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from kpi_engine.errors import DefinitionError, RequestError, nearest, shown
from kpi_engine.planning.arguments import mapping_of, names_of, text_of
from kpi_engine.planning.request import unusable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kpi_engine.catalogue import Catalogue
    from kpi_engine.definitions import Project

LANGUAGES = ("en", "fr")


def ids_of(project: Project, kpis: str | Sequence[str] | None, role: str | None) -> tuple[str, ...]:
    """Name the KPIs that are asked for, by their ids or by a role."""
    if (kpis is None) == (role is None):
        raise RequestError(
            "ask either for KPIs or for a role",
            code="bad_request",
            hint='for example run("visits") or run(role="seo_manager")',
        )
    if role is not None:
        found = kpis_of(project, text_of(role, "role", 'run(role="seo_manager")'))
        if not found:
            raise RequestError(f"the role `{role}` has no KPIs", code="empty_role", hint="give a KPI `role:`")
        return found
    ids = names_of(() if kpis is None else kpis, "kpis", 'run(["visits", "leads"])')
    if not ids:
        raise RequestError("no KPI is asked for", code="bad_request", hint="name at least one")
    for kpi_id in ids:
        if kpi_id not in project.kpis:
            _refuse_unknown(project, kpi_id)
    return ids


def _refuse_unknown(project: Project, kpi_id: str) -> None:
    broken = [d for d in project.diagnostics if d.severity == "error" and d.subject == f"kpi {kpi_id}"]
    hint = nearest(kpi_id, project.kpis)
    if not broken and not hint.startswith("did you mean"):  # it may stand in a file, or a section, that was not read
        broken = [d for d in project.diagnostics if d.severity == "error" and d.subject.startswith("file ")]
    if broken:
        raise DefinitionError(broken)
    raise RequestError(f"there is no KPI {shown(kpi_id)}", code="unknown_kpi", hint=hint)


def kpis_of(project: Project, role: str | None) -> tuple[str, ...]:
    """Name the KPIs there are, or those of a role, in the order of the definitions."""
    if role is not None:
        roles_of(project, role)
    return tuple(k for k, model in project.kpis.items() if role is None or role in model.role)


def roles_of(project: Project, role: str | Sequence[str] | None) -> tuple[str, ...]:
    """Name the roles that are asked for, or all."""
    names = tuple(project.roles) if role is None else names_of(role, "role", 'report(role="seo_manager")')
    for name in names:
        if name not in project.roles:
            raise RequestError(
                f"there is no role {shown(name)}", code="unknown_role", hint=nearest(name, project.roles)
            )
    return names


def having_members(catalogue: Catalogue, dimensions: Sequence[str], of: str | Sequence[str] | None) -> tuple[str, ...]:
    """Name the datasets whose members are listed: those that are named, or that lie under KPIs that are, else all that have them."""
    datasets = catalogue.project.datasets
    if of is None:
        found = tuple(name for name, each in datasets.items() if set(dimensions) <= each.dimensions.keys())
        if found and dimensions:
            return found
        message = f"no dataset has {' and '.join(shown(name) for name in dimensions) or 'a member'}"
        hint = (
            "say of which dataset" if not dimensions else "name dimensions of one dataset, or reach them over its joins"
        )
        raise RequestError(message, code="missing_dimension", hint=hint)
    named = names_of(of, "of", 'members("channel", of="page_views")')
    for name in named:
        if name not in datasets and name not in catalogue.project.kpis:
            hint = nearest(name, [*datasets, *catalogue.project.kpis])
            raise RequestError(f"there is no dataset and no KPI {shown(name)}", code="unknown_dataset", hint=hint)
    under = tuple(dict.fromkeys(each for name in named for each in catalogue.datasets_under(name)))
    for dataset in under:
        if lacking := [name for name in dimensions if name not in datasets[dataset].dimensions]:
            message = f"dataset `{dataset}` has no dimension {shown(lacking[0])}"
            hint = nearest(lacking[0], datasets[dataset].dimensions) or "it has no dimensions"
            raise RequestError(message, code="missing_dimension", hint=hint)
    return under


def checked_parameters(project: Project, given: Mapping[str, Any] | None) -> dict[str, Any]:
    """Give the parameters of a request; refuse one that is not declared, or not of its type."""
    from kpi_engine.definitions.parameters import misfit

    declared = project.parameters
    for name, value in mapping_of(given, "parameters", "parameters={'weight': 2}").items():
        if name not in declared:
            hint = nearest(name, declared) or "the project declares none"
            raise RequestError(f"there is no parameter {shown(name)}", code="unknown_parameter", hint=hint)
        kind = declared[name].type
        if expected := misfit(kind, value.isoformat() if type(value) is date else value):
            message = f"the parameter `{name}` is {value!r:.40}, expected {expected}"
            raise RequestError(message, code="bad_parameter", hint=f"it is declared as `type: {kind}`")
        if isinstance(value, str | int | float) and (why := unusable(value)):
            message = f"the value of the parameter `{name}` {why}"
            raise RequestError(
                message, code="bad_parameter", hint="give a value that can be compared and computed with"
            )
    return dict(given or {})


def check_settings(project: Project) -> None:
    """Refuse to compute where the project's settings have a mistake: calendar, currency or parameters could be others than meant."""
    mistakes = [d for d in project.diagnostics if d.severity == "error" and d.subject == "project"]
    if mistakes:
        raise DefinitionError(mistakes)


def language_of(project: Project, asked: str | None) -> str:
    """Give the language of the labels: the one asked for, otherwise the project's."""
    if asked is not None and asked not in LANGUAGES:
        message = f"there are no labels in the language {shown(asked)}"
        raise RequestError(message, code="unknown_language", hint=nearest(str(asked), LANGUAGES))
    return asked or project.settings.language
