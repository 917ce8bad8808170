"""Where secrets may be kept without a plugin: the environment, and files."""

from __future__ import annotations

import logging
import os
import stat
from typing import TYPE_CHECKING, ClassVar

from kpi_engine.errors import SourceError

if TYPE_CHECKING:
    from pathlib import Path

    from kpi_engine.api import SourceContext

_LARGEST = 1 << 20
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class EnvironmentSecrets:
    """Variables of the environment: `{env: SHOP_PASSWORD}`."""

    name: ClassVar[str] = "env"

    def __init__(self, context: SourceContext) -> None:
        """Need nothing."""

    def resolve(self, reference: str) -> str:
        """Give the value of a variable."""
        found = os.environ.get(reference, "")
        if not found:
            message = f"the environment variable `{reference}`, which holds a secret, is not set"
            raise SourceError(message, code="missing_secret", hint=f"set it: `export {reference}=…`")
        return found


class FileSecrets:
    """Files with one secret each, as container platforms mount them: `{file: /run/secrets/shop}`. The last line's end is not part of it."""

    name: ClassVar[str] = "file"

    def __init__(self, context: SourceContext) -> None:
        self._root = context.root
        self._told: set[str] = set()

    def resolve(self, reference: str) -> str:
        """Give what stands in a file; its path is absolute, or begins at the project's folder. One that others can read is warned of, once."""
        path = self._root / reference
        try:
            content, mode = _read(path)
        except (OSError, UnicodeDecodeError, ValueError) as error:
            reason = (
                (error.strerror or "it cannot be read")
                if isinstance(error, OSError)
                else "it is no text of a secret's size"
            )
            message = f"the file `{reference}`, which holds a secret, cannot be used: {reason.lower()}"
            raise SourceError(message, code="missing_secret", hint="check the path and its permissions") from None
        if not content:
            message = f"the file `{reference}`, which holds a secret, is empty"
            raise SourceError(message, code="missing_secret", hint="write the secret into it")
        if mode & _OTHERS and os.name == "posix" and reference not in self._told:
            self._told.add(reference)
            logging.getLogger("kpi_engine").warning(
                "Warning: the file `%s`, which holds a secret, may be read or written by others: `chmod 600 %s`",
                reference,
                path,
            )
        return content


def _read(path: Path) -> tuple[str, int]:
    """Give the content of a file, and who may do what with it."""
    with path.open("rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        data = file.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        raise ValueError
    return data.decode("utf-8").removesuffix("\n").removesuffix("\r"), mode
