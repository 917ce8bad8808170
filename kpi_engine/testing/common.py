"""What the kits of all kinds share: the rules of a class, and of its settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import pytest

from kpi_engine.plugins import rules
from kpi_engine.plugins.host import Plugins
from kpi_engine.plugins.shapes import fault

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from kpi_engine.plugins.shapes import Kind


class Case(Protocol):
    """What the kit is given of a plugin."""

    @property
    def plugin(self) -> type[Any]:
        """Give its class."""


def settings_of(cls: type[Any], settings: Mapping[str, Any], root: Path) -> tuple[Any, Plugins]:
    """Check settings as the engine does, and give them with what knows the secrets among them."""
    plugins = Plugins(root)
    return plugins.configure(cls, settings), plugins


def said_secrets(plugins: Plugins, text: str) -> bool:
    """Whether a text says a secret."""
    return plugins.secrets.hide(text) != text


def hold(wrong: str) -> None:
    """Fail where something is wrong."""
    if wrong:
        pytest.fail(wrong, pytrace=False)


class ClassKit:
    """The rules of the class of any plugin that has settings."""

    __test__: ClassVar[bool] = False
    kind: ClassVar[Kind]

    def __init_subclass__(cls, **more: Any) -> None:  # noqa: ANN401
        """Take a class with a fixture `case` as tests; the kits themselves are none."""
        super().__init_subclass__(**more)
        cls.__test__ = "case" in vars(cls) or cls.__test__

    def test_it_has_the_shape_of_its_kind(self, case: Case) -> None:
        """The class has what the engine needs of its kind: a name, settings, and its methods."""
        hold(fault(self.kind, case.plugin))

    def test_it_says_what_it_is(self, case: Case) -> None:
        """The class says in its docstring what it is."""
        hold(rules.described(case.plugin))

    def test_its_settings_say_what_they_are(self, case: Case) -> None:
        """Each setting says what it is, by a text below it in the model or by its `description`."""
        hold(rules.settings_described(case.plugin))

    def test_settings_that_are_not_known_are_refused(self, case: Case) -> None:
        """Settings that are not known are refused: `model_config = ConfigDict(extra="forbid")`."""
        hold(rules.settings_are_strict(case.plugin))

    def test_secrets_are_secret(self, case: Case) -> None:
        """Settings that are secrets by their names are `SecretStr`, so that they are never written into a file, nor said."""
        hold(rules.secrets_are_secret(case.plugin))
