"""Whether plugins work and keep the rules, said as mistakes: what is wrong, of which plugin, and what to do."""

from __future__ import annotations

from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from kpi_engine.errors import Diagnostic, PluginError
from kpi_engine.plugins import rules
from kpi_engine.plugins.isolation import Failed, attempt
from kpi_engine.plugins.limits import LIMIT_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from kpi_engine.api import Command
    from kpi_engine.errors import Severity
    from kpi_engine.plugins.listing import Inspected, PluginInfo
    from kpi_engine.plugins.loading import Claim

_MENDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "ModuleNotFoundError": "install the module that it lacks into this environment; pip brings what a package names in its `dependencies`",
        "SyntaxError": "correct the file; where it is a package, update it, or use the version of Python that it is written for",
        "SystemExit": "a plugin must not end the process: take out the call of `exit`, or tell its author",
        "took longer than": f"see what it waits for, `kpi plugins trace` says how long it takes; {LIMIT_VARIABLE}=60 gives it more time",
        "PluginValidationError": "its functions bear the names and arguments of the hooks: sources, outputs, transforms, formats, secret, commands",
    }
)
"""What to do about an error that says this."""


def mistakes(
    wanted: Iterable[Inspected], imported: Callable[[Command], object], of_pack: Callable[[str], Iterable[Diagnostic]]
) -> list[Diagnostic]:
    """Find what is wrong with plugins: one that cannot be used is an error, a rule that is not kept a warning.

    `imported` imports what a command runs, and raises `PluginError` where that fails; `of_pack` checks the definitions of a pack.
    """
    found: list[Diagnostic] = []
    for info, claims in wanted:
        found += _of_state(info)
        for claim in claims:
            if claim.kind == "command":
                found += _of_command(info, claim, imported)
            elif claim.kind == "pack":
                found += of_pack(claim.word) if info.status == "ok" else ()
            else:
                found += _of_class(info, claim)
    return found


def _of_state(info: PluginInfo) -> Iterator[Diagnostic]:
    """Say that a plugin is broken, in conflict, or of no use."""
    said, subject = f"{_named(info)}: {info.error}", f"plugin {info.name}"
    is_pack = any(kind == "pack" for kind, _ in info.provides)
    if info.status == "broken" and is_pack:
        hint = f"install it again, `pip install --force-reinstall {info.distribution}`, or tell its author"
        yield Diagnostic("broken_pack", said, None, hint, subject=subject)
    elif info.status == "broken":
        yield Diagnostic("broken_plugin", said, None, _mend(info), subject=subject)
    elif info.status == "conflict" and is_pack:
        hint = f"uninstall one of them: `pip uninstall {info.distribution}`"
        yield Diagnostic("conflicting_pack", said, None, hint, subject=subject)
    elif info.status == "conflict":
        hint = f"leave one of them out, `--disable {info.name}` this one; or rename one"
        yield Diagnostic("conflicting_plugin", said, None, hint, subject=subject)
    elif info.status == "ok" and not info.provides:
        hint = "write a function such as `sources()`, marked with `@hookimpl` of `kpi_engine.api`"
        message = f"{_named(info)} provides nothing"
        yield Diagnostic("plugin_rule", message, None, hint, severity="warning", subject=subject)


def _of_command(info: PluginInfo, claim: Claim, imported: Callable[[Command], object]) -> Iterator[Diagnostic]:
    """Import what a command runs: until somebody calls it, it is only named."""
    try:
        imported(claim.cls)
    except PluginError as error:
        hint = f"correct the `target` of the command, `{claim.cls.target}`, or what stands there"
        yield Diagnostic("broken_plugin", error.message, None, hint, subject=f"plugin {info.name}")


def _of_class(info: PluginInfo, claim: Claim) -> Iterator[Diagnostic]:
    """Hold a class against the rules; looking at it runs code of its author, which may fail."""
    for rule in rules.RULES if claim.kind != "secret" else (rules.described,):
        found = attempt(partial(rule, claim.cls))
        if found:
            yield _broken_rule(info, claim, rule, found)


def _broken_rule(info: PluginInfo, claim: Claim, rule: Callable[..., str], found: str | Failed) -> Diagnostic:
    where, subject = f"the {claim.kind} `{claim.word}` of {_named(info)}", f"plugin {info.name}"
    if isinstance(found, Failed):
        hint = "its `Config` cannot be looked at: correct it, or tell its author"
        return Diagnostic("broken_plugin", f"{where}: {found.reason}", None, hint, subject=subject)
    severity: Severity = "error" if rule is rules.secrets_are_secret else "warning"
    return Diagnostic("plugin_rule", f"{where}: {found}", None, rules.told(rule), severity=severity, subject=subject)


def _named(info: PluginInfo) -> str:
    source = f"{info.distribution} {info.version}".strip() or info.origin
    return f"the plugin `{info.name}` ({source})"


def _mend(info: PluginInfo) -> str:
    general = "correct it; where it is a package, update it or tell its author"
    known = next((hint for said, hint in _MENDS.items() if said in info.error), general)
    return f"{known}; until then `--disable {info.name}` leaves it out"
