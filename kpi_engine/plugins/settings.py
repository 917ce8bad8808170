"""A plugin's settings, checked by the plugin's own `Config` and explained in plain words."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Protocol

from kpi_engine.digests import digest
from kpi_engine.errors import KpiError, PluginError, SourceError, nearest
from kpi_engine.plugins.isolation import blame, ships
from kpi_engine.plugins.limits import bounded
from kpi_engine.plugins.secrets import LiteralSecretError, filled, has_secrets, secret_settings, written_out

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic import BaseModel
    from pydantic_core import ErrorDetails

    from kpi_engine.cache import Cache
    from kpi_engine.plugins.secrets import Secrets

_KEPT = "settings"
_WORDS = {
    "missing": "is missing",
    "string_type": "must be a text",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "dict_type": "must be a mapping",
    "model_type": "must be a mapping",
    "model_attributes_type": "must be a mapping",
    "extra_forbidden": "is not known",
}


class Finder(Protocol):
    """Finds the secrets that settings refer to."""

    secrets: Secrets

    def find(self, word: str, reference: str) -> str:
        """Give the secret of a reference such as `{env: NAME}`."""


def configure(cls: type[Any], settings: Mapping[str, object], finder: Finder | None = None) -> BaseModel:
    """Make the `Config` of a plugin's class from settings; raise one error, `bad_settings`, that lists every mistake.

    Unknown keys are refused, whether or not the plugin's `Config` would take them. Values are never repeated: they may be secrets.
    A secret is a reference, which `finder` follows; one that is written out is refused as `literal_secret`.
    """
    from pydantic import ValidationError

    config: type[BaseModel] = cls.Config
    known = frozenset(keys_of(config))
    unknown = [str(key) for key in settings if key not in known]
    mistakes = [_unknown(key, known) for key in unknown]
    wrong: list[tuple[tuple[str | int, ...], bool]] = [((key,), True) for key in unknown]
    made = None
    given = {key: value for key, value in settings.items() if key in known}
    with blame(_kind(cls), cls.name, finder.secrets if finder else None):
        try:
            made = _validated(cls, config, _with_secrets(cls, given, finder))
        except ValidationError as error:
            hide = finder.secrets.hide if finder else str
            details = error.errors(include_url=False, include_input=False)
            mistakes.extend(hide(_in_words(detail)) for detail in details)
            wrong.extend((detail["loc"], detail["type"] == "extra_forbidden") for detail in details)
    if made is None or mistakes:
        setting, is_unknown = wrong[0]
        raise _about(_refusal(cls, mistakes, known), setting, is_unknown=is_unknown)
    if place := written_out(config, given):
        raise _literal(cls, place)
    return made


def _validated(cls: type[Any], config: type[BaseModel], given: Mapping[str, object]) -> BaseModel:
    """Check settings by the plugin's model, which may run code of its author."""
    if ships(cls):
        return config.model_validate(given)
    return bounded(partial(config.model_validate, given), "checking its settings")


def _with_secrets(cls: type[Any], settings: dict[str, object], finder: Finder | None) -> dict[str, object]:
    if finder is None:
        return settings
    try:
        return filled(cls.Config, settings, finder.find)
    except LiteralSecretError as literal:
        raise _literal(cls, str(literal)) from None


def _literal(cls: type[Any], place: str) -> KpiError:
    kind, top = _kind(cls), place.partition(".")[0]
    error: type[KpiError] = SourceError if kind == "source" else PluginError
    message = f"`{place}` of the {kind} plugin `{cls.name}` holds a secret, and secrets are not written into a file"
    hint = "write where it is kept: `{env: NAME_OF_A_VARIABLE}` or `{file: PATH}`"
    places = secret_settings(cls.Config)
    if top not in places:
        listed = ", ".join(f"`{each}`" for each in places)
        hint += f", in a setting for secrets: {listed}" if places else "; the plugin has no setting for secrets"
    steps = tuple(int(step) if step.isdecimal() else step for step in place.split("."))
    return _about(error(message, code="literal_secret", hint=hint), steps)


def _about(error: KpiError, setting: tuple[str | int, ...], *, is_unknown: bool = False) -> KpiError:
    error.setting, error.is_unknown_setting = setting, is_unknown
    return error


def configured(cls: type[Any], settings: Mapping[str, object], cache: Cache, finder: Finder) -> Any:  # noqa: ANN401 - as `Config` has them
    """Give the settings of a class that ships by what is kept of an earlier check; those of any other class are checked.

    Settings with a secret are never kept.
    """
    if not ships(cls):
        return configure(cls, settings, finder)
    key = digest(cls.__module__, cls.__qualname__, repr(sorted(settings.items())))
    kept = cache.read(_KEPT, key)
    if kept is None:
        made = configure(cls, settings, finder)
        if has_secrets(cls.Config):
            return made
        kept = made.model_dump(mode="json")
        cache.write(_KEPT, key, kept)
    return _attributes(kept)


def _attributes(values: Mapping[str, Any]) -> SimpleNamespace:
    return SimpleNamespace(**values)


def _kind(cls: type[Any]) -> str:
    if hasattr(cls, "tables") or hasattr(cls, "streams"):
        return "source"
    return "output" if hasattr(cls, "render") else "transform"


def keys_of(config: type[BaseModel]) -> Iterator[str]:
    """Give all names under which a setting may be written: field names where they count, and aliases."""
    by_name = config.model_config.get("populate_by_name") or config.model_config.get("validate_by_name")
    for name, field in config.model_fields.items():
        alias = field.validation_alias
        if alias is None or by_name:
            yield name
        if alias is not None:
            yield from spellings(alias)


def spellings(alias: object) -> Iterator[str]:
    """Give the keys of a field's alias: a text, a path whose first step is the key, or a choice of such."""
    if isinstance(alias, str):
        yield alias
    for choice in getattr(alias, "choices", ()):
        yield from spellings(choice)
    path = getattr(alias, "path", ())
    if path:
        yield str(path[0])


def _unknown(key: str, known: frozenset[str]) -> str:
    hint = nearest(key, known)
    return f"`{key}` is not known" + (f" ({hint})" if hint else "")


def _in_words(detail: ErrorDetails) -> str:
    place = ".".join(str(step) for step in detail["loc"])
    return f"`{place}` {_reason(detail)}" if place else _reason(detail)


def _reason(detail: ErrorDetails) -> str:
    context = detail.get("ctx", {})
    if detail["type"] in _WORDS:
        return _WORDS[detail["type"]]
    if detail["type"].startswith("union_tag_"):
        return _kinds(context)
    if detail["type"] == "too_short":
        return (
            "must not be empty" if context["min_length"] == 1 else f"must have {context['min_length']} or more of them"
        )
    if detail["type"] == "literal_error":
        return f"must be {context['expected']}"
    if detail["type"] in ("value_error", "assertion_error"):
        return str(context.get("error", detail["msg"]))
    return detail["msg"].removeprefix("Input ").replace("should", "must")


def _kinds(context: Mapping[str, Any]) -> str:
    """Say which kinds of settings there are, where one key names the kind."""
    key = context["discriminator"].replace("'", "`")
    tags = context.get("expected_tags")
    return f"must have as {key} one of {tags}" if tags else f"must have {key}, which says its kind"


def _refusal(cls: type[Any], mistakes: list[str], known: frozenset[str]) -> KpiError:
    kind = _kind(cls)
    error: type[KpiError] = SourceError if kind == "source" else PluginError
    keys = ", ".join(f"`{key}`" for key in sorted(known))
    return error(
        f"settings of the {kind} plugin `{cls.name}`: {'; '.join(mistakes)}",
        code="bad_settings",
        hint=f"it takes {keys}" if keys else "it takes no settings",
    )
