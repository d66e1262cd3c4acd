"""One process of the stack each, as a platform's process manager starts it."""

import asyncio
import contextlib
import dataclasses
import os
from collections.abc import Iterator
from typing import Final

import click

from entrypoints.cli.checks import require_servers
from entrypoints.local.ports import choose_port
from entrypoints.local.stack import connected, environment
from entrypoints.local.supervisor import running_stack
from entrypoints.settings import Settings

FACTORY: Final = "entrypoints.http.factory:create_app"


@contextlib.contextmanager
def _reached() -> Iterator[Settings]:
    """The settings, once the servers that they name answer.

    Under the supervisor of this checkout that is known already.
    """
    given = Settings.load()
    if (given.database_url or given.redis_url) and not running_stack(given.data_dir):
        asyncio.run(require_servers(given))
    with connected(given) as settings:
        yield settings


@click.command()
def api() -> None:
    """Serve the HTTP API until SIGTERM; requests under way are finished first."""
    from entrypoints.http.serve import serve
    from entrypoints.settings_http import http_settings

    with _reached() as settings:
        port = choose_port(settings.host, settings.port, variable="LIKENESS_PORT")
        base_url = settings.base_url or f"http://{settings.host}:{port}"
        settled = dataclasses.replace(settings, port=port, base_url=base_url)
        os.environ.update(environment(settled))  # the factory runs in processes of its own
        serve(http_settings(settled), factory=FACTORY)


@click.command()
def worker() -> None:
    """Do the work that requests leave behind, until SIGTERM."""
    from entrypoints.worker.main import run

    with _reached() as settings:
        run(settings)


@click.command()
def relay() -> None:
    """Hand outbox messages to the workers, until SIGTERM. Any number may run."""
    from entrypoints.worker.relay_main import run

    with _reached() as settings:
        run(settings)


@click.command()
def scheduler() -> None:
    """Start what is due, until SIGTERM. Any number may run; one of them leads."""
    from entrypoints.worker.scheduler_main import run

    with _reached() as settings:
        run(settings)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=12111, show_default=True, help="0 chooses a free one.")
def sandbox(host: str, port: int) -> None:
    """Play Stripe, Replicate and fal on localhost, until SIGTERM."""
    from entrypoints.local.ports import any_free_port
    from entrypoints.sandbox.config import SandboxConfig
    from entrypoints.sandbox.server import serve

    port = choose_port(host, port, variable="--port") if port else any_free_port(host)
    click.echo(f"sandbox listening on http://{host}:{port}")
    serve(SandboxConfig(base_url=f"http://{host}:{port}"), port, host)
