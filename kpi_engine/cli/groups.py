"""Commands that are imported when they are used, and the one place where every command ends."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any, NoReturn

import click

from kpi_engine.cli.exits import Exit, exit_of
from kpi_engine.cli.interruption import Terminated
from kpi_engine.cli.writing import abandon_output, explain_fault, say, speak_utf8
from kpi_engine.errors import KpiError, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


class Verbs(click.Group):
    """A group whose commands are imported when they are used, from `module:name`; each command gives its exit code."""

    def __init__(self, *args: Any, verbs: Mapping[str, str], **kwargs: Any) -> None:  # noqa: ANN401 - click's own
        super().__init__(*args, **kwargs)
        self.verbs = verbs

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Name the commands, in the order in which one meets them."""
        return list(self.verbs)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import a command."""
        if cmd_name not in self.verbs:
            return None
        module, _, name = self.verbs[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is meant; name the nearest one where there is none of that name."""
        name = args[0]
        if not name.startswith("-") and not ctx.resilient_parsing and self.get_command(ctx, name) is None:
            ctx.fail(f"there is no command `{name}`; {nearest(name, self.list_commands(ctx))}")
        return super().resolve_command(ctx, args)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,  # noqa: ARG002, FBT001, FBT002 - click's own signature
        **extra: Any,  # noqa: ANN401
    ) -> NoReturn:
        """Run the command line and end the process."""
        speak_utf8()
        name = prog_name or "kpi"
        self._main_shell_completion(extra, name, complete_var)
        given = list(sys.argv[1:] if args is None else args)
        sys.exit(ended(lambda: self._run(name, given, extra)))

    def _run(self, name: str, args: list[str], extra: Mapping[str, Any]) -> object:
        with self.make_context(name, args, **extra) as context:
            return self.invoke(context)


class Extended(Verbs):
    """A group to which installed plugins add commands; the engine's own come first."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands, those of plugins last."""
        from kpi_engine.cli.extensions import helps

        return [*super().list_commands(ctx), *helps()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command, of a plugin where the engine has none of that name."""
        from kpi_engine.cli.extensions import found

        return super().get_command(ctx, cmd_name) or found(cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands with a line for each; those of plugins are not imported for it."""
        from kpi_engine.cli.extensions import helps

        own = {name: command for name in self.verbs if (command := self.get_command(ctx, name)) is not None}
        limit = formatter.width - 6 - max(map(len, own))
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.get_short_help_str(limit)) for name, command in own.items()])
        if added := helps():
            with formatter.section("Commands of plugins"):
                formatter.write_dl(list(added.items()))


def help_alone(context: click.Context) -> None:
    """Show the help of a group that is called without a command."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def ended(task: Callable[[], object]) -> Exit:
    """Run a command to its end, whatever happens, and say how it ended; what a user must know goes to standard error."""
    try:
        done = task()
    except click.exceptions.Exit as stop:
        return Exit(stop.exit_code)
    except click.ClickException as error:
        error.show()
        return Exit.USAGE
    except (KeyboardInterrupt, click.Abort) as stop:
        say("\nInterrupted.")
        return Exit.TERMINATED if isinstance(stop, Terminated) else Exit.INTERRUPTED
    except BrokenPipeError:
        abandon_output()
        return Exit.PIPE_CLOSED
    except Exception as error:  # noqa: BLE001 - the last resort: a user never sees a traceback that was not asked for
        return _failed(error)
    return done if isinstance(done, Exit) else Exit.OK


def _failed(error: Exception) -> Exit:
    if os.environ.get("KPI_DEBUG"):
        from traceback import print_exception

        print_exception(error)
    if isinstance(error, KpiError):
        say(str(error))
        return exit_of(error)
    say(explain_fault(error))
    return Exit.FAILED
