"""What `kpi plugins list` shows of a plugin; packs of definitions stand beside the plugins, though nothing of them is imported."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from kpi_engine.definitions import packs
from kpi_engine.plugins.discovery import Candidate
from kpi_engine.plugins.loading import Claim

if TYPE_CHECKING:
    from kpi_engine.definitions.packs import Pack

Status = Literal["ok", "broken", "conflict", "disabled"]


@dataclass(frozen=True)
class PluginInfo:
    """One plugin as `kpi plugins list` shows it."""

    name: str
    """The entry point's name, or the file's stem."""
    distribution: str
    version: str
    status: Status
    provides: tuple[tuple[str, str], ...]
    """Pairs of kind and word, such as `("output", "html")`, whether or not a conflict keeps them from being used."""
    error: str
    """Why it is broken, with whom it is in conflict, or that it was disabled; empty when all is well."""
    origin: str
    """Where its code is: what the entry point names, or the file."""


Inspected = tuple[PluginInfo, tuple[Claim, ...]]
"""A plugin, and what it provides."""


def inspected(candidate: Candidate, status: Status, claims: tuple[Claim, ...], error: str) -> Inspected:
    """Put together what is known of a plugin."""
    provides = tuple((claim.kind, claim.word) for claim in claims)
    info = PluginInfo(
        candidate.name, candidate.distribution, candidate.version, status, provides, error, candidate.origin
    )
    return info, claims


def shipped_packs(candidate: Candidate) -> tuple[Claim, ...]:
    """Give the packs that ship, as something that the engine's own plugin provides."""
    return tuple(Claim(candidate, "pack", name, packs.folder(name)) for name in packs.shipped())


def installed_packs() -> tuple[Inspected, ...]:
    """Give the packs that are installed, also those that cannot be used. No option disables them: a project names them, or does not."""
    found = packs.installed()
    several = Counter(pack.name for pack in found)
    return tuple(_of_pack(pack, found, several[pack.name]) for pack in found)


def _of_pack(pack: Pack, every: tuple[Pack, ...], several: int) -> Inspected:
    candidate = Candidate(pack.name, lambda: None, pack.distribution, pack.version, pack.package, group=packs.GROUP)
    claims = (Claim(candidate, "pack", pack.name, pack.folder),)
    if pack.folder is None:
        return inspected(candidate, "broken", claims, pack.problem)
    if packs.folder(pack.name) is not None:
        return inspected(
            candidate, "conflict", claims, f"the pack `{pack.name}` is built in, and the built-in one is used"
        )
    if several > 1:
        others = " and ".join(str(each) for each in every if each.name == pack.name and each != pack)
        said = f"the pack `{pack.name}` is also claimed by {others}, and neither is used"
        return inspected(candidate, "conflict", claims, said)
    return inspected(candidate, "ok", claims, "")
