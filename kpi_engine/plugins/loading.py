"""Import one plugin and ask it what it brings; a plugin shares nothing with any other."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import pluggy

from kpi_engine import hookspecs
from kpi_engine.plugins.isolation import Failed, attempt
from kpi_engine.plugins.limits import bounded
from kpi_engine.plugins.shapes import HOOKS, Kind, fault, word_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kpi_engine.plugins.discovery import Candidate


@dataclass(frozen=True)
class Claim:
    """A class that a plugin announces under a word."""

    candidate: Candidate
    kind: Kind | Literal["pack"]
    word: str
    cls: Any
    """The class; of a command, the `Command`; of a pack, its folder."""


@dataclass(frozen=True)
class Fault:
    """Why something of a plugin cannot be used; `word` is empty where it is not known, or where it is all of the plugin."""

    candidate: Candidate
    word: str
    reason: str


@dataclass(frozen=True)
class Announcement:
    """What one plugin brings of one kind."""

    claims: tuple[Claim, ...] = ()
    faults: tuple[Fault, ...] = ()


def registered(candidate: Candidate) -> pluggy.PluginManager | Failed:
    """Import a plugin and register it with a manager of its own; one that takes too long is broken."""
    register = partial(_register, candidate)
    return attempt(register if candidate.built_in else partial(bounded, register, "the import"))


def announced(candidate: Candidate, manager: pluggy.PluginManager, kind: Kind) -> Announcement:
    """Call the plugin's hook of this kind and look at each class it gives."""
    hook = HOOKS[kind]
    if (kind == "command") != (candidate.group == hookspecs.COMMANDS):
        return _out_of_place(candidate, manager, kind)
    if not getattr(manager.hook, hook).get_hookimpls():
        return Announcement()
    ask = partial(_ask, manager, hook)
    answer = attempt(ask if candidate.built_in else partial(bounded, ask, "the answer"))
    if isinstance(answer, Failed):
        return Announcement(faults=(Fault(candidate, "", f"{hook}(): {answer.reason}"),))
    return _sorted_out(candidate, kind, answer)


def _out_of_place(candidate: Candidate, manager: pluggy.PluginManager, kind: Kind) -> Announcement:
    """Say where commands belong; a plugin of commands is not asked for anything else, nor another one for commands."""
    if kind != "command" or not manager.hook.commands.get_hookimpls():
        return Announcement()
    reason = f"its `commands` are announced by an entry point of the group `{hookspecs.COMMANDS}`, in a module that imports nothing heavy"
    return Announcement(faults=(Fault(candidate, "", reason),))


def _register(candidate: Candidate) -> pluggy.PluginManager:
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    plugin = candidate.load()
    manager.register(plugin, name=candidate.name)
    manager.check_pending()
    _refuse_unmarked(plugin, manager)
    return manager


def _refuse_unmarked(plugin: object, manager: pluggy.PluginManager) -> None:
    """Refuse a function that is named as a hook and lacks the marker: it would be overlooked in silence."""
    for hook in HOOKS.values():
        if callable(getattr(plugin, hook, None)) and not getattr(manager.hook, hook).get_hookimpls():
            raise TypeError(f"the function `{hook}` lacks the marker `@hookimpl` of `kpi_engine.api`")


def _ask(manager: pluggy.PluginManager, hook: str) -> list[object]:
    answers = getattr(manager.hook, hook)()
    if not answers:
        raise TypeError("gave None, a list of classes is expected")
    (answer,) = answers
    if not isinstance(answer, list | tuple | set | frozenset):
        raise TypeError(f"gave {type(answer).__name__}, a list of classes is expected")
    return [*answer]


def _sorted_out(candidate: Candidate, kind: Kind, classes: Iterable[object]) -> Announcement:
    claims: dict[str, Claim] = {}
    faults: list[Fault] = []
    for cls in classes:
        word, reason = _inspected(kind, cls)
        if word in claims:
            reason = reason or f"announces two {kind}s named `{word}`"
        if reason:
            faults.append(Fault(candidate, word, reason))
        else:
            claims[word] = Claim(candidate, kind, word, cls)
    doubtful = {found.word for found in faults}
    return Announcement(tuple(claim for word, claim in claims.items() if word not in doubtful), tuple(faults))


def _inspected(kind: Kind, cls: object) -> tuple[str, str]:
    """Give the word of a class and what is wrong with it; looking at a class may run its code."""
    word = attempt(partial(word_of, cls))
    reason = attempt(partial(fault, kind, cls))
    return ("" if isinstance(word, Failed) else word), (reason.reason if isinstance(reason, Failed) else reason)
