"""Where secrets are kept: the protocol of a store that a reference in the settings leads to."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Protocol, runtime_checkable

if TYPE_CHECKING:
    from kpi_engine.api.sources import SourceContext


@runtime_checkable
class SecretStore(Protocol):
    """A place where secrets are kept, which settings refer to by `{name: reference}`, as in `password: {vault: kv/shop}`.

    The engine asks it when a plugin with such a setting is made, and hands the value on as `SecretStr`. It keeps no secret longer than
    the project is open, and removes each from all that the plugin says.
    """

    name: ClassVar[str]
    """The word of the reference."""

    def __init__(self, context: SourceContext) -> None:
        """Keep what it may know of its surroundings; do not connect yet."""

    def resolve(self, reference: str) -> str:
        """Give the secret; raise `SourceError` with the mend where there is none, and without what was found."""
