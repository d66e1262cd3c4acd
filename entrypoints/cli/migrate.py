"""Move the database between schemas."""

import click

from entrypoints.local.stack import connected
from entrypoints.settings import Settings


@click.group()
def migrate() -> None:
    """Bring the database to another schema."""


@migrate.command()
def up() -> None:
    """To the newest schema. Safe to repeat, and while older processes still run."""
    from adapters.postgres import revisions

    with connected(Settings.load()) as settings:
        if revisions.current(settings.database_url) != revisions.newest():
            from adapters.postgres import migrate as migrations

            migrations.upgrade(settings.database_url)
    click.echo("the database has the newest schema")


@migrate.command()
@click.argument("revision")
@click.confirmation_option(prompt="This may drop columns and their data. Go on?")
def down(revision: str) -> None:
    """Back to REVISION (`base` is the empty database)."""
    from adapters.postgres import migrate as migrations

    with connected(Settings.load()) as settings:
        migrations.downgrade(settings.database_url, revision)
    click.echo(f"the database is at {revision}")


@migrate.command()
def current() -> None:
    """Which schema the database has."""
    from adapters.postgres import revisions

    with connected(Settings.load()) as settings:
        click.echo(revisions.current(settings.database_url) or "none")
