"""Run a plugin's code so that its failure stays its own."""

from __future__ import annotations

import traceback
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, TypeVar

from kpi_engine.errors import KpiError, PluginError
from kpi_engine.plugins.limits import Overdue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kpi_engine.plugins.secrets import Secrets

Result = TypeVar("Result")

LONGEST = 400
"""How many characters of a plugin's error are shown."""


@dataclass(frozen=True)
class Failed:
    """What went wrong, in one line that begins with the error's type."""

    reason: str


def attempt(task: Callable[[], Result]) -> Result | Failed:
    """Run a plugin's code; whatever it raises is an answer, except the user's Ctrl-C."""
    try:
        return task()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - a plugin may raise anything, `sys.exit()` included
        return Failed(in_one_line(error))


def ships(cls: type) -> bool:
    """Whether a class ships with the engine: it is known not to hang, and is spared what guards against that."""
    return cls.__module__.startswith("kpi_engine.")


@contextmanager
def blame(kind: str, word: str, secrets: Secrets | None = None) -> Iterator[None]:
    """Run a plugin's method: our own errors pass, anything else becomes a `PluginError` that names the plugin.

    `secrets` are taken out of all that an error says. `with blame("output", "html"): output.render(report, target)`
    """
    try:
        yield
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:
        hide = secrets.hide if secrets is not None else str
        cause = secrets.mended(error) if secrets is not None else error
        if isinstance(error, KpiError):
            raise
        raise PluginError(
            f"the {kind} plugin `{word}` failed: {in_one_line(error, hide)}",
            code="plugin_failed",
            hint="this is a fault of the plugin: tell its author, or disable it; `kpi plugins list` says where it comes from",
        ) from cause


def in_one_line(error: BaseException, hide: Callable[[str], str] = str) -> str:
    """Write an error as `ValueError: what it says (file.py, line 3)`; `hide` takes out what must not be said."""
    if isinstance(error, Overdue):
        return hide(str(error))
    summary = next(line for line in traceback.format_exception_only(error) if not line.startswith(" "))
    return shorten(hide(summary), width=LONGEST, placeholder=" …") + _where(error)


def _where(error: BaseException) -> str:
    if isinstance(error, SyntaxError) and error.filename:
        return f" ({Path(error.filename).name}, line {error.lineno})"
    frames = traceback.extract_tb(error.__traceback__)
    written = [frame for frame in frames if not frame.filename.startswith("<")]
    return f" ({Path(written[-1].filename).name}, line {written[-1].lineno})" if len(written) > 1 else ""
