"""Rules of a plugin's class that can be seen without making anything of it: each gives what is wrong, and nothing where all is well.

The docstring of a rule is the rule.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from kpi_engine.hiding import is_secret_name
from kpi_engine.plugins.secrets import is_secret_field

if TYPE_CHECKING:
    from collections.abc import Callable


def described(cls: Any) -> str:  # noqa: ANN401 - the class of any plugin
    """The class says in its docstring what it is."""
    own = vars(cls).get("__doc__")
    return "" if own and own.strip() else f"`{cls.__name__}` has no docstring"


def settings_described(cls: Any) -> str:  # noqa: ANN401
    """Each setting says what it is, by a text below it in the model or by its `description`."""
    texts = docstrings(cls.Config)
    lacking = [name for name, field in cls.Config.model_fields.items() if not (field.description or texts.get(name))]
    return f"these settings say nothing of themselves: {', '.join(lacking)}" if lacking else ""


def settings_are_strict(cls: Any) -> str:  # noqa: ANN401
    """Settings that are not known are refused: `model_config = ConfigDict(extra="forbid")`."""
    return "" if cls.Config.model_config.get("extra") == "forbid" else "`Config` takes keys that it does not know"


def secrets_are_secret(cls: Any) -> str:  # noqa: ANN401
    """Settings that are secrets by their names are `SecretStr`, so that they are never written into a file, nor said."""
    plain = [
        name
        for name, field in cls.Config.model_fields.items()
        if is_secret_name(name) and not is_secret_field(field.annotation)
    ]
    return f"these settings are secrets and no `SecretStr`: {', '.join(plain)}" if plain else ""


RULES: tuple[Callable[[Any], str], ...] = (described, settings_described, settings_are_strict, secrets_are_secret)


def told(rule: Callable[[Any], str]) -> str:
    """Give a rule in words."""
    return inspect.cleandoc(rule.__doc__ or "")


def docstrings(config: Any) -> dict[str, str]:  # noqa: ANN401 - a pydantic model
    """Give the texts that stand below the settings of a model."""
    from kpi_engine.definitions.schema import field_docstrings

    return field_docstrings(config)
