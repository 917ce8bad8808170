"""The secrets of one project: found where its settings refer to, handed on as `SecretStr`, and taken out of all that is said."""

from __future__ import annotations

import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Mapping
from contextlib import suppress
from html import escape
from threading import Lock
from traceback import format_exception_only
from typing import TYPE_CHECKING, Any, get_args
from urllib.parse import quote, quote_plus, unquote

from kpi_engine.errors import UNSAID, without_passwords

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pydantic import BaseModel

HIDDEN = UNSAID
"""What stands where a secret stood."""
_SHORTEST = 4
"""A shorter part of a secret stands in too many words to be taken out of them; the whole secret always is."""
_SHORTEST_IN_BASE64 = 8
"""What is left in base64 of a shorter one is too short to be told from other words."""
_IN_URL = re.compile(r"(?<=://)([^/\s:@]*):(\S+)@")


class LiteralSecretError(ValueError):
    """A secret that stands in the settings itself."""


class Secrets:
    """The secrets that were found so far; from any thread."""

    def __init__(self) -> None:
        self._known: tuple[str, ...] = ()
        self._lock = Lock()

    def learn(self, value: str) -> str:
        """Keep a secret in mind, with what of it may be said alone, and give it back."""
        parts = {value, *(part for part in _parts(value) if len(part) >= _SHORTEST)}
        written = {form for part in parts for form in _spellings(part)}
        with self._lock:
            self._known = tuple(sorted({*self._known, *written} - {""}, key=len, reverse=True))
        return value

    def hide(self, text: str) -> str:
        """Take the secrets out of a text, and the passwords of addresses."""
        for secret in self._known:
            text = text.replace(secret, HIDDEN)
        return without_passwords(text)

    def mended(self, error: BaseException) -> BaseException:
        """Take the secrets out of an error and of all that led to it; give it, or where it still says one, another in its place."""
        waiting, seen = [error], set[int]()
        while waiting:
            each = waiting.pop()
            if id(each) in seen:
                continue
            seen.add(id(each))
            self._mend(each)
            if each.__context__ is not None:
                each.__context__ = self._speakable(each.__context__)
            if each.__cause__ is not None:  # to set it, even to None, hides the context
                each.__cause__ = self._speakable(each.__cause__)
            waiting += [found for found in (each.__cause__, each.__context__) if found is not None]
            waiting += each.exceptions if isinstance(each, BaseExceptionGroup) else ()
        return self._speakable(error)

    def _mend(self, error: BaseException) -> None:
        error.args = tuple(self.hide(each) if isinstance(each, str) else each for each in error.args)
        for name, value in list(vars(error).items()):
            if isinstance(value, str) and name != "code":
                with suppress(AttributeError, TypeError):  # one that cannot be set is seen in what the error says
                    setattr(error, name, self.hide(value))
        if notes := getattr(error, "__notes__", None):
            error.__notes__ = [self.hide(str(note)) for note in notes]

    def _speakable(self, error: BaseException) -> BaseException:
        self._mend(error)
        said = "".join(format_exception_only(error))
        if self.hide(said) == said:
            return error
        instead = RuntimeError(self.hide(said).strip())
        instead.__traceback__, instead.__cause__, instead.__context__ = (
            error.__traceback__,
            error.__cause__,
            error.__context__,
        )
        return instead


def _spellings(part: str) -> Iterator[str]:
    """Give the ways in which drivers write a secret: as it is, in an address, in Python, in JSON, in HTML, and in base64."""
    yield from (part, unquote(part), quote(part), quote(part, safe=""), quote_plus(part))
    yield from (repr(part)[1:-1], repr(part.encode(errors="replace"))[2:-1])
    yield from (
        json.dumps(part)[1:-1],
        json.dumps(part, ensure_ascii=False)[1:-1],
        escape(part),
        escape(part, quote=False),
    )
    if len(part) >= _SHORTEST_IN_BASE64:
        yield from (within for start in range(3) for within in _in_base64(part.encode(errors="replace"), start))


def _in_base64(secret: bytes, start: int) -> Iterator[str]:
    """Give the letters of base64 that a secret alone decides where it begins at this place of three, as after `user:`."""
    for encode in (b64encode, urlsafe_b64encode):
        written = encode(bytes(start) + secret).decode()
        yield written[-(-start * 8 // 6) : (start + len(secret)) * 8 // 6]


def _parts(value: str) -> Iterator[str]:
    """Find the passwords within a secret that is an address or a list of words, and its lines."""
    from kpi_engine.hiding import PASSWORD_WORDS

    for user, password in _IN_URL.findall(value):
        yield password
        yield f"{user}:{password}"
    for word in PASSWORD_WORDS.findall(value):
        yield word.strip("'\"")
    lines = value.splitlines()
    yield from (line.strip() for line in lines if len(lines) > 1)


def filled(
    config: type[BaseModel], settings: Mapping[str, object], find: Callable[[str, str], str]
) -> dict[str, object]:
    """Give settings in which each reference to a secret is a `SecretStr`; `find` gives the secret of a word and a reference.

    Raises `LiteralSecretError`, with the place of the setting, for a secret that is written out.
    """
    return {key: _value(_annotations(config, key), value, key, find) for key, value in settings.items()}


def written_out(config: type[BaseModel], settings: Mapping[str, object]) -> str:
    """Give the place of a secret that is written out where the model has none: one by the name that the writer chose, or an address with a password."""
    places = (place for key, each in settings.items() for place in _written(_annotations(config, key), each, key))
    return next(places, "")


def has_secrets(config: type[BaseModel]) -> bool:
    """Whether a plugin's settings have secrets among them, however deep."""
    return bool(secret_settings(config))


def secret_settings(config: type[BaseModel]) -> list[str]:
    """Name the settings of a plugin that are secrets, or have some among them, however deep."""
    return [name for name, field in config.model_fields.items() if _leads_to_a_secret(field.annotation)]


def _leads_to_a_secret(annotation: object) -> bool:
    waiting, seen = list(_leaves(annotation)), set[Any]()
    while waiting:
        kind = waiting.pop()
        if _is_secret(kind):
            return True
        if _is_model(kind) and kind not in seen:
            seen.add(kind)
            waiting += [leaf for field in kind.model_fields.values() for leaf in _leaves(field.annotation)]
    return False


def is_secret_field(annotation: object) -> bool:
    """Whether a setting is a secret, or may be."""
    return any(_is_secret(kind) for kind in _leaves(annotation))


def _annotations(config: type[BaseModel], key: str) -> list[Any]:
    """Give the types of a setting by the key it is written under."""
    from kpi_engine.plugins.settings import spellings

    found = [
        field.annotation
        for name, field in config.model_fields.items()
        if key == name or key in spellings(field.validation_alias)
    ]
    return [kind for annotation in found for kind in _choices(annotation)]


def _value(kinds: list[Any], value: object, place: str, find: Callable[[str, str], str]) -> object:
    if any(_is_secret(kind) for kind in kinds):
        return _secret(kinds, value, place, find)
    if isinstance(value, Mapping):
        return {key: _value(_below(kinds, str(key)), each, f"{place}.{key}", find) for key, each in value.items()}
    if isinstance(value, list | tuple):
        items = [kind for each in kinds for inner in get_args(each) for kind in _choices(inner) if not _is_model(each)]
        return [_value(items, each, f"{place}.{number}", find) for number, each in enumerate(value)]
    return value


def _secret(kinds: list[Any], value: object, place: str, find: Callable[[str, str], str]) -> object:
    from pydantic import SecretBytes, SecretStr

    if value is None or isinstance(value, SecretStr | SecretBytes):
        return value
    if isinstance(value, Mapping) and len(value) == 1:
        ((word, reference),) = value.items()
        if isinstance(reference, str):
            secret = find(str(word), reference)
            return SecretStr(secret) if SecretStr in kinds else SecretBytes(secret.encode())
    raise LiteralSecretError(place)


def _written(kinds: list[Any], value: object, place: str) -> Iterator[str]:
    """Find the places of secrets that are written out, among settings that are no secrets by their types."""
    from kpi_engine.hiding import is_secret_name

    if any(_is_secret(kind) for kind in kinds):
        return
    if isinstance(value, str) and without_passwords(value) != value:
        yield place
    if isinstance(value, list | tuple):
        for number, each in enumerate(value):
            yield from _written([], each, f"{place}.{number}")
    for key, each in value.items() if isinstance(value, Mapping) else ():
        below, inner = _below(kinds, str(key)), f"{place}.{key}"
        is_named = bool(below) and any(_is_model(kind) for kind in kinds)
        if not is_named and is_secret_name(str(key)) and _is_filled(each) and not any(map(_is_secret, below)):
            yield inner
        yield from _written(below, each, inner)


def _is_filled(value: object) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool) and value != ""


def _below(kinds: list[Any], key: str) -> list[Any]:
    """Give the types of what stands below a key of a mapping."""
    found: list[Any] = []
    for kind in kinds:
        if _is_model(kind):
            found += _annotations(kind, key)
        else:
            found += [each for inner in get_args(kind)[1:] for each in _choices(inner)]
    return found


def _choices(annotation: object) -> list[Any]:
    """Give the types that a value may have: those of a union, each without what is noted beside it."""
    from types import UnionType
    from typing import Annotated, Union, get_origin

    if get_origin(annotation) is Annotated:
        return _choices(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return [kind for each in get_args(annotation) for kind in _choices(each)]
    return [annotation]


def _leaves(annotation: object) -> Iterator[Any]:
    for kind in _choices(annotation):
        inner = get_args(kind)
        yield from (leaf for each in inner for leaf in _leaves(each)) if inner else (kind,)


def _is_secret(kind: object) -> bool:
    from pydantic import SecretBytes, SecretStr

    return isinstance(kind, type) and issubclass(kind, SecretStr | SecretBytes)


def _is_model(kind: object) -> bool:
    from pydantic import BaseModel

    return isinstance(kind, type) and issubclass(kind, BaseModel)
