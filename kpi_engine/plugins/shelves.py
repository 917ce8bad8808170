"""Who provides which word of a kind, and why the other words cannot be used."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kpi_engine.errors import PluginError, nearest
from kpi_engine.plugins.discovery import canonical
from kpi_engine.verbs import VERBS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from kpi_engine.plugins.discovery import Candidate
    from kpi_engine.plugins.loading import Claim, Fault
    from kpi_engine.plugins.shapes import Kind


@dataclass(frozen=True)
class Shelf:
    """All words of one kind: those that can be used, and those that cannot."""

    kind: Kind
    words: Mapping[str, Claim]
    conflicts: Mapping[str, tuple[Claim, ...]]
    """The claims that lost: all of them, or all but the built-in one."""
    disabled: tuple[Claim, ...]
    """The claims that were disabled by their word."""
    faults: tuple[Fault, ...]
    switched_off: tuple[Candidate, ...]


def switched_off(candidate: Candidate, disabled: Collection[str]) -> bool:
    """Whether a plugin is disabled as a whole, by its own name or its distribution's."""
    names = {canonical(name) for name in (candidate.name, candidate.distribution) if name}
    return any(canonical(name) in names for name in disabled)


def shelf(
    kind: Kind,
    claims: Iterable[Claim],
    faults: Iterable[Fault],
    disabled: Collection[str],
    off: Iterable[Candidate],
    reserved: Collection[str] = (),
) -> Shelf:
    """Give each word to the plugin that claims it; of two, to the built-in one, or else to neither. Reserved words go to none."""
    every = tuple(claims)
    hidden = tuple(claim for claim in every if _is_disabled(claim, disabled))
    words, conflicts = {}, {}
    for word, rivals in _by_word(claim for claim in every if claim not in hidden).items():
        winners = [claim for claim in rivals if claim.candidate.built_in] if len(rivals) > 1 else rivals
        winners = [] if word in reserved else winners
        if winners:
            words[word] = winners[0]
        losers = tuple(claim for claim in rivals if claim not in winners)
        if losers:
            conflicts[word] = losers
    return Shelf(kind, words, conflicts, hidden, tuple(faults), tuple(off))


def refusal(stock: Shelf, word: str) -> PluginError:
    """Say why a word of this kind cannot be used, and what to do."""
    at_fault = [fault for fault in stock.faults if word == (fault.word or fault.candidate.name)]
    off = [candidate for candidate in stock.switched_off if candidate.name == word]
    off.extend(claim.candidate for claim in stock.disabled if claim.word == word)
    if word in stock.conflicts:
        return _conflicting(stock.kind, word, stock.conflicts[word])
    if off:
        return _disabled(stock.kind, word, off[0])
    if at_fault:
        return _broken(stock.kind, word, at_fault[0])
    return _unknown(stock, word)


def conflict_text(stock: Shelf, claim: Claim) -> str:
    """Say with whom a plugin is in conflict, and who is used."""
    if claim.word in stock.words or (stock.kind == "command" and claim.word in VERBS):
        return f"the {claim.kind} `{claim.word}` is built in, and the built-in one is used"
    others = [str(rival.candidate) for rival in stock.conflicts[claim.word] if rival is not claim]
    return f"the {claim.kind} `{claim.word}` is also claimed by {' and '.join(others)}, and neither is used"


def _by_word(claims: Iterable[Claim]) -> Mapping[str, list[Claim]]:
    grouped: dict[str, list[Claim]] = defaultdict(list)
    for claim in claims:
        grouped[claim.word].append(claim)
    return grouped


def _is_disabled(claim: Claim, disabled: Collection[str]) -> bool:
    """By its word, or by `plugin:word` where only one plugin's claim to the word is meant."""
    return claim.word in disabled or f"{claim.candidate.name}:{claim.word}" in disabled


def _conflicting(kind: Kind, word: str, rivals: tuple[Claim, ...]) -> PluginError:
    named = " and ".join(str(claim.candidate) for claim in rivals)
    return PluginError(
        f"the {kind} `{word}` is claimed by {named}, so neither is used",
        code="conflicting_plugin",
        hint=f"disable one of them by name: `--disable {rivals[-1].candidate.name}`",
    )


def _disabled(kind: Kind, word: str, candidate: Candidate) -> PluginError:
    return PluginError(
        f"the {kind} `{word}` of the plugin {candidate} is disabled",
        code="disabled_plugin",
        hint="take it out of `--disable` and of the environment variable KPI_DISABLE_PLUGINS",
    )


def _broken(kind: Kind, word: str, fault: Fault) -> PluginError:
    return PluginError(
        f"the {kind} `{word}` cannot be used: the plugin {fault.candidate} is broken: {fault.reason}",
        code="broken_plugin",
        hint="update the plugin or tell its author; `kpi plugins list` shows every plugin and its state",
    )


def _unknown(stock: Shelf, word: str) -> PluginError:
    hints = [nearest(word, stock.words), _install_hint(stock.kind, word), _broken_hint(stock.faults)]
    return PluginError(
        f"there is no {stock.kind} plugin `{word}`",
        code="unknown_plugin",
        hint="; ".join(hint for hint in hints if hint).replace("?; ", "? Otherwise, "),
    )


def _install_hint(kind: Kind, word: str) -> str:
    """Name the package that the convention gives a plugin; nothing is ever installed by itself."""
    if kind not in ("source", "output", "transform", "format") or not re.fullmatch(r"[a-z][a-z0-9_-]*", word):
        return ""
    return f"if it is a package that you trust, install it with `pip install kpi-{kind}-{canonical(word)}`"


def _broken_hint(faults: tuple[Fault, ...]) -> str:
    named = sorted({fault.candidate.name for fault in faults if not fault.word})
    return (
        f"the broken plugin {', '.join(f'`{name}`' for name in named)} may bring it: see `kpi plugins list`"
        if named
        else ""
    )
