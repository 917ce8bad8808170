"""What a thing may be called, and in which languages it may be described."""

from __future__ import annotations

import re
import unicodedata
from types import MappingProxyType
from typing import TYPE_CHECKING

from kpi_engine.errors import Diagnostic

from .texts import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .places import Located, Path

LENGTH = 64
NAME = "[a-z](?:_?[a-z0-9])*_?"
LANGUAGE = "[a-z]{2}"
_UNITS = ("second", "minute", "hour", "day", "week", "month", "quarter", "year", "fiscal_quarter", "fiscal_year")
RESERVED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "kpis": ("period",),
        "dimensions": ("period", "all"),
        "units": ("period", "today", "yesterday", *_UNITS, *(f"{unit}s" for unit in _UNITS)),
    }
)
"""Words of requests and results, which are not free for names in these places."""
_NAME = re.compile(NAME)
_LANGUAGE = re.compile(LANGUAGE)


def check_name(
    what: str, name: str, located: Located, path: Path = (), reserved: tuple[str, ...] = ()
) -> Diagnostic | None:
    """Check one name: letters a to z, digits and single underscores. `what` says whose, as in "a dimension of dataset `leads`"."""
    if name in reserved:
        message = f"{what} may not be called `{name}`, which is a word of requests and results"
        return Diagnostic("bad_name", message, located.key(*path), "choose another name")
    if len(name) <= LENGTH and _NAME.fullmatch(name):
        return None
    called = f"is called {shown(name)}" if name else "has an empty name"
    message = f"{what} {called}: {_broken_rule(name)}"
    return Diagnostic("bad_name", message, located.key(*path), _suggestion(name))


def _broken_rule(name: str) -> str:
    if "__" in name:
        return "a name holds no two underscores in a row: `a__b` is how columns of a result are called"
    if len(name) > LENGTH:
        return f"a name has at most {LENGTH} characters"
    return f"a name begins with a letter a to z, and holds only such letters, digits and `_`{_broken_letter(name)}"


def _broken_letter(name: str) -> str:
    """Name the first letter that looks like one of ours and is none, such as a Cyrillic one."""
    strange = next(
        (char for char in name if char.isalpha() and not unicodedata.normalize("NFKD", char)[0].isascii()), ""
    )
    return f"; `{strange}` (U+{ord(strange):04X}) is none of them" if strange else ""


def check_language(what: str, code: str, located: Located, path: Path) -> Diagnostic | None:
    """Check that a text is given under a language code."""
    if _LANGUAGE.fullmatch(code):
        return None
    message = f"{what} is given in {shown(code)}, which is no language code"
    return Diagnostic("bad_language", message, located.key(*path), "write two small letters, such as `en` or `fr`")


def _suggestion(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")
    words = re.sub(r"^([0-9_]+)_(.+)$", r"\2_\1", words)[:LENGTH].rstrip("_")
    if _broken_letter(name):
        return "type it anew in letters a to z"
    return f"for example `{words}`" if _NAME.fullmatch(words) and words != name else "for example `blog_visits_2`"
