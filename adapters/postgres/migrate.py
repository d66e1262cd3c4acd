"""Bring a database to the present schema, or back. Needs a direct connection, not a pooled one."""

import sys
from collections.abc import Callable
from threading import Thread
from typing import TYPE_CHECKING

from adapters.postgres import revisions
from adapters.postgres.metadata import metadata
from adapters.postgres.urls import async_url

if TYPE_CHECKING:
    from advanced_alchemy.alembic.commands import AlembicCommands


def upgrade(url: str, revision: str = "head") -> None:
    """To `revision`; nothing happens when the database is there already."""
    _apart(lambda: _commands(url).upgrade(revision))


def downgrade(url: str, revision: str) -> None:
    """Back to `revision`; `base` is the empty database."""
    _apart(lambda: _commands(url).downgrade(revision))


def current(url: str) -> str | None:
    """The revision that the database has; None before the first."""
    found: list[str | None] = []
    _apart(lambda: found.append(revisions.current(url)))
    return found[0]


def _commands(url: str) -> "AlembicCommands":
    if sys.modules.get("advanced_alchemy", sys) is None:  # left out by what wants to start soon
        del sys.modules["advanced_alchemy"]
    from advanced_alchemy.alembic.commands import AlembicCommands
    from advanced_alchemy.config import AlembicAsyncConfig, SQLAlchemyAsyncConfig

    return AlembicCommands(
        SQLAlchemyAsyncConfig(
            connection_string=async_url(url),
            metadata=metadata,
            alembic_config=AlembicAsyncConfig(
                script_location=str(revisions.SCRIPTS),
                version_table_name=revisions.VERSION_TABLE,
                render_as_batch=False,
            ),
        )
    )


def _apart(work: Callable[[], object]) -> None:
    """Run in a thread of its own: Alembic starts an event loop, and the caller may be in one."""
    failure: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            failure.append(error)

    thread = Thread(target=run, name="migrate")
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
