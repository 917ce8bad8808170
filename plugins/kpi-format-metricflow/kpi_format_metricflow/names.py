"""Names of one system as names of the other: small letters, digits and single underscores, each only once."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from hashlib import sha256

LONGEST = 64
RESERVED = frozenset({"period", "all"})
_PLAIN = re.compile(r'[A-Za-z_][A-Za-z0-9_$]*|"[^"]+"')


@dataclass
class Names:
    """Gives every original name one of ours, always the same; two that would become one are told apart."""

    given: dict[str, str] = field(default_factory=dict)
    taken: set[str] = field(default_factory=lambda: set(RESERVED))

    def name(self, original: str) -> str:
        """Give the name of an original."""
        if original not in self.given:
            plain = spelled(original)
            name, number = plain, 2
            while name in self.taken:
                suffix = f"_{number}"
                name, number = plain[: LONGEST - len(suffix)].rstrip("_") + suffix, number + 1
            self.given[original] = name
            self.taken.add(name)
        return self.given[original]


def spelled(original: str) -> str:
    """Spell a name in our letters; one that is too long keeps its beginning and a fingerprint of the whole."""
    words = re.sub(r"[^a-z0-9]+", "_", original.lower()).strip("_")
    words = words if words[:1].isalpha() else f"n_{words}".rstrip("_")
    if len(words) <= LONGEST:
        return words
    return f"{words[: LONGEST - 9].rstrip('_')}_{sha256(original.encode()).hexdigest()[:8]}"


def is_column(expression: str) -> bool:
    """Say whether an expression is nothing but the name of a column."""
    return _PLAIN.fullmatch(expression.strip()) is not None


def column_of(expression: str) -> str:
    """Give the name of a column without its quotes."""
    return expression.strip().strip('"')
