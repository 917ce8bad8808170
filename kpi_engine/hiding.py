"""What stands in a file and is not to be said: secrets that somebody wrote into it, known by the names of their keys and by addresses.

A secret that is written out is refused when its source is made. Mistakes of the same file are told before that, with the lines they
stand on: secrets are taken out of those lines, and out of what is said of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from kpi_engine.errors import UNSAID, without_passwords

if TYPE_CHECKING:
    from collections.abc import Sequence

_NAMES: Final = r"(?:[\w.-]*[_.-])?(?:password|passwd|pwd|passphrase|secret|token|dsn|credentials?|(?:api|access|private|secret|auth)[_-]?key)"
_SECRET_NAME: Final = re.compile(_NAMES, re.IGNORECASE)
PASSWORD_WORDS: Final = re.compile(
    r"(?:password|passwd|pwd|secret|token|key)\s*=\s*('[^']*'|\"[^\"]*\"|[^\s;&,]+)", re.IGNORECASE
)
"""A password within an address that is a list of words, as `host=db password=…`, or within the parameters of one."""
_ENTRY: Final = re.compile(rf"(?P<before>^|[\s{{,\[])(['\"]?)(?:{_NAMES}|secrets)\2\s*:\s*", re.IGNORECASE)
_REFERENCE: Final = re.compile(r"\{\s*(?:env|file)\s*:\s[^{}\[\]:]*\}?|(?:env|file):\s[^:]*$")
_BESIDE: Final = re.compile(rf"(?:- )?[\w.-]+:\s+(?:{_REFERENCE.pattern})\s*")
_ADDRESS: Final = re.compile(r"(?<=://)([^/\s:@]*):(.+)@")
_TOP: Final = re.compile(r"(['\"]?)([\w-]+)\1\s*:")
_DEFINITIONS: Final = frozenset({"datasets", "roles", "groups", "kpis"})
"""Sections whose keys are words of the business: a dimension `token` is no secret."""
_WHOLE: Final = 4
"""A shorter secret is taken out of a text only where it stands as a word of its own."""
_SIGNS: Final = "*&!@%|>'\" "


def is_secret_name(name: str) -> bool:
    """Whether a setting is a secret by its name.

    >>> is_secret_name("db_password"), is_secret_name("tokens_per_page")
    (True, False)
    """
    return _SECRET_NAME.fullmatch(name) is not None


def masked_values(value: Any, *, within: str = "") -> Any:  # noqa: ANN401 - whatever a file holds
    """Give settings as they may be shown: references to secrets stay, secrets do not. `within` is the key that they stand under.

    >>> masked_values({"token": "abc", "dsn": {"env": "SHOP"}, "url": "https://me:abc@host"})
    {'token': '•••', 'dsn': {'env': 'SHOP'}, 'url': 'https://me:•••@host'}
    """
    if is_secret_name(within) and value is not None:
        refers = isinstance(value, Mapping) and len(value) == 1 and next(iter(value)) in ("env", "file")
        return value if refers else UNSAID
    if isinstance(value, Mapping):
        name = "secret" if within == "secrets" else ""
        return {key: masked_values(each, within=name or str(key)) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [masked_values(each) for each in value]
    return _without_words(without_passwords(value)) if isinstance(value, str) else value


class Lines:
    """The lines of a file as they may be shown, and the secrets that were taken out of them."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._found: set[str] = set()
        self._section = ""
        self._below, self._until = -1, ""
        self.shown: tuple[str, ...] = tuple(map(self._shown, lines))

    def unsaid(self, text: str) -> str:
        """Take the secrets of the file out of a text about it, also where only their beginning is quoted."""
        for secret in sorted(self._found, key=len, reverse=True):
            text = _taken_out(secret, text)
        return without_passwords(text)

    def _shown(self, line: str) -> str:
        """Give a line without secrets; `_below` and `_until` say whether it goes on with one that began above."""
        stripped = line.strip()
        indent = len(line) - len(line.lstrip())
        if self._until:
            self._until = "" if self._until in line else self._until
            return self._cut(line, indent) if stripped else line
        if "-----BEGIN" in line:
            self._until = "" if "-----END" in line else "-----END"
            return self._cut(line, indent)
        if not stripped:
            return line
        if 0 <= self._below < indent:
            harmless = _REFERENCE.fullmatch(stripped) or _BESIDE.fullmatch(stripped)
            return line if harmless else self._cut(line, indent)
        self._below = -1
        if top := _TOP.match(line):
            self._section = top[2]
        return without_passwords(line) if self._section in _DEFINITIONS else self._entries(line, indent)

    def _entries(self, line: str, indent: int) -> str:
        """Take the first secret that is written out, and all that follows it, out of a line; else the passwords of addresses."""
        for match in _ENTRY.finditer(line):
            start, key = match.end(), match.end("before")
            if self._below < 0:
                self._below = indent if set("{,[") & set(line[:key]) else key
            if start < len(line) and line[start] != "#" and not _REFERENCE.match(line, start):
                sign = line[start]
                self._until = sign if sign in "'\"" and sign not in line[start + 1 :] else ""
                return self._cut(line, start)
        self._found |= {found[1] for found in PASSWORD_WORDS.finditer(line)}
        address, sign, rest = line.rpartition("@")
        self._found |= {found[2] for found in _ADDRESS.finditer(address + sign)}
        return _without_words(_ADDRESS.sub(rf"\1:{UNSAID}@", address + sign) + rest)

    def _cut(self, line: str, column: int) -> str:
        self._found |= _forms(line[column:])
        return line[:column] + UNSAID


def _forms(value: str) -> set[str]:
    """Give what of a secret a message may quote: all of it, and it without the signs around it."""
    return {value.strip(), value.strip(_SIGNS)} - {""}


def _taken_out(secret: str, text: str) -> str:
    if len(secret) < _WHOLE:
        return re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", UNSAID, text) if secret.strip(_SIGNS) else text
    start = 0
    while (at := text.find(secret[:_WHOLE], start)) >= 0:
        end = at + _WHOLE
        while end < len(text) and end - at < len(secret) and text[end] == secret[end - at]:
            end += 1
        text = f"{text[:at]}{UNSAID}{text[end:]}"
        start = at + len(UNSAID)
    return text


def _without_words(text: str) -> str:
    return PASSWORD_WORDS.sub(lambda match: match[0][: match.start(1) - match.start()] + UNSAID, text)
