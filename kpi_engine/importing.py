"""Definitions of other systems, read by a format plugin into ours."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from kpi_engine.api import Imported
from kpi_engine.errors import DefinitionError, Diagnostic, Place, PluginError, shown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence


FILE_BYTES = 4 << 20
"""No definition file of a person is larger."""


def convert(
    word: str, path: Path | str, *, disabled_plugins: Collection[str] = (), **options: Any,  # noqa: ANN401 - what the plugin takes
) -> Imported:  # fmt: skip
    """Read definitions of another system into ours: a file, or all files of a folder, in the format of this name.

    `open` takes the `definitions` of what comes back; its `diagnostics` name each thing that could not be carried over.

    Raises `PluginError` where there is no such format or it fails, `DefinitionError` where a file cannot be read.
    """
    from kpi_engine.plugins import Plugins

    plugins = Plugins(None, disabled_plugins)
    cls = plugins.format(word)
    config = plugins.configure(cls, options)
    texts = _texts(Path(path), cls.suffixes)
    made = plugins.make("format", cls, config)
    found = plugins.call("format", made, "read", texts)
    if not isinstance(found, Imported):
        message = f"the format plugin `{word}` failed: `read` gave {type(found).__name__}, an `Imported` is expected"
        raise PluginError(message, code="plugin_failed", hint="this is a fault of the plugin: tell its author")
    return found


def _texts(path: Path, suffixes: Sequence[str]) -> dict[str, str]:
    files = [path] if path.is_file() else list(_files(path, suffixes))
    if not files:
        endings = " or ".join(suffixes)
        message = f"there are no files that end with {endings} at {shown(str(path), 200)}"
        raise DefinitionError(
            [Diagnostic("nothing_to_import", message, None, "name a file, or the folder of the files")]
        )
    return {str(file): _text(file) for file in files}


def _files(folder: Path, suffixes: Sequence[str]) -> Iterator[Path]:
    """Give the files of a folder and its sub-folders, in order; hidden ones are left out."""
    for child in sorted(folder.iterdir()) if folder.is_dir() else ():
        if child.name.startswith("."):
            continue
        if child.is_dir() and not child.is_symlink():
            yield from _files(child, suffixes)
        elif child.is_file() and child.suffix in suffixes:
            yield child


def _text(file: Path) -> str:
    place = Place(str(file))
    try:
        data = file.read_bytes()
    except OSError as error:
        message = f"{shown(str(file), 200)} cannot be read: {(error.strerror or str(error)).lower()}"
        raise DefinitionError(
            [Diagnostic("unreadable", message, place, "check the file and its permissions")]
        ) from None
    if len(data) > FILE_BYTES:
        message = f"{shown(str(file), 200)} is larger than {FILE_BYTES >> 20} MB"
        raise DefinitionError([Diagnostic("too_large", message, place, "split the file")])
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        message = f"{shown(str(file), 200)} is no text in UTF-8"
        raise DefinitionError([Diagnostic("not_utf8", message, place, "save it as UTF-8")]) from None
