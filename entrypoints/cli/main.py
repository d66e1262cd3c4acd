"""The door for operators. What can be expected to go wrong is a sentence, never a traceback."""

import importlib
import sys
from typing import Any, Final, NamedTuple

import click

from entrypoints.cli.failures import explain


class Entry(NamedTuple):
    """Where a command is, and its line in the help, which must not need the import."""

    module: str
    name: str
    help: str


COMMANDS: Final[dict[str, Entry]] = {
    "up": Entry("stack", "up", "Run the whole stack on this machine."),
    "demo": Entry("stack", "demo", "Play the whole story over HTTP, from licence to payout."),
    "api": Entry("serve", "api", "Serve the HTTP API."),
    "worker": Entry("serve", "worker", "Do the work that requests leave behind."),
    "relay": Entry("serve", "relay", "Hand outbox messages to the workers."),
    "scheduler": Entry("serve", "scheduler", "Start what is due: sweeps, checks, payouts."),
    "sandbox": Entry("serve", "sandbox", "Play the outside world on localhost."),
    "migrate": Entry("migrate", "migrate", "Bring the database to another schema."),
    "doctor": Entry("doctor", "doctor", "Check the settings and everything they point to."),
    "keys": Entry("keys", "keys", "Rotate the key that encrypts personal data."),
    "credentials": Entry(
        "credentials", "credentials", "Look at the certificate that signs what is delivered."
    ),
    "user": Entry("users", "user", "Make an administrator's account."),
    "reconcile": Entry("reconcile", "reconcile", "Hold the provider's balance against the books."),
    "payouts": Entry("payouts", "payouts", "Run a day's payouts, and book their funding."),
    "ledger": Entry("ledger", "ledger", "Verify the books."),
    "decisions": Entry("decisions", "decisions", "Replay what licences decided."),
    "export": Entry("export", "export", "Write the books as CSV or Parquet."),
    "webhooks": Entry("messages", "webhooks", "Look at received webhooks, and redrive them."),
    "outbox": Entry("messages", "outbox", "Look at outgoing messages, and redrive them."),
    "settings": Entry("settings", "settings", "Show and document the settings."),
    "errors": Entry("errors", "errors", "Document the error codes."),
    "dev": Entry("dev", "dev", "Tools for development."),
}


class LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        module = importlib.import_module(f"entrypoints.cli.{entry.module}")
        command = getattr(module, entry.name)
        if not isinstance(command, click.Command):
            raise TypeError(f"{entry.module}.{entry.name} is not a command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            lines = explain(error)
            if lines is None:
                raise
            for line in lines:
                click.secho(line, fg="red", err=True)
            sys.exit(1)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="likeness", prog_name="likeness")
def cli() -> None:
    """Likeness: license a likeness, sell under it, split every cent exactly."""


if __name__ == "__main__":
    cli(prog_name="likeness")
