"""What a thing may be called, and in which languages it may be described."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from kpi_engine.errors import Diagnostic

from .texts import shown

if TYPE_CHECKING:
    from .places import Located, Path

LENGTH = 64
_NAME = re.compile(r"[a-z](?:_?[a-z0-9])*_?")
_LANGUAGE = re.compile(r"[a-z]{2}")


def check_name(
    what: str, name: str, located: Located, path: Path = (), reserved: tuple[str, ...] = ()
) -> Diagnostic | None:
    """Check one name: letters a to z, digits and single underscores. `what` says whose, as in "a dimension of dataset `leads`"."""
    if name in reserved:
        message = f"{what} may not be called `{name}`, which is a word of requests and results"
        return Diagnostic("bad_name", message, located.key(*path), "choose another name")
    if len(name) <= LENGTH and _NAME.fullmatch(name):
        return None
    message = f"{what} is called {shown(name)}: {_broken_rule(name)}"
    return Diagnostic("bad_name", message, located.key(*path), _suggestion(name))


def _broken_rule(name: str) -> str:
    if "__" in name:
        return "a name holds no two underscores in a row: `a__b` is how columns of a result are called"
    if len(name) > LENGTH:
        return f"a name has at most {LENGTH} characters"
    return "a name begins with a letter a to z, and holds only such letters, digits and `_`"


def check_language(what: str, code: str, located: Located, path: Path) -> Diagnostic | None:
    """Check that a text is given under a language code."""
    if _LANGUAGE.fullmatch(code):
        return None
    message = f"{what} is given in {shown(code)}, which is no language code"
    return Diagnostic("bad_language", message, located.key(*path), "write two small letters, such as `en` or `fr`")


def _suggestion(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:LENGTH].rstrip("_")
    return f"for example `{words}`" if _NAME.fullmatch(words) and words != name else "for example `blog_visits_2`"
