"""Bring up the whole stack on this machine: to keep it running, or to play the story once."""

import asyncio
import dataclasses
import functools
import sys
from collections.abc import Awaitable, Callable
from typing import Literal

import click
from rich.console import Console

from entrypoints.cli import screen
from entrypoints.cli.checks import require_servers
from entrypoints.local.stack import Plan, connected, plan
from entrypoints.local.supervisor import Supervisor, running_stack
from entrypoints.providers import needs_sandbox
from entrypoints.settings import Settings

Name = Literal["money", "studio"]
"""Of a story."""


@click.command()
@click.option("--demo-data", is_flag=True, help="Play the story of `likeness demo` first.")
def up(demo_data: bool) -> None:
    """Run servers, sandbox, API, worker, relay and scheduler until Ctrl-C.

    In development time can be moved with `likeness dev advance-clock`.
    """
    console = Console(highlight=False)
    settings = Settings.load()
    if settings.env == "development":
        settings = dataclasses.replace(settings, clock_control=True)
    tell = screen.full(console)
    stack = plan(settings, say=functools.partial(tell, screen.OURS))

    async def stay() -> None:
        if demo_data:
            await _play(stack.settings, "money", as_json=False)
        _welcome(console, stack)
        await asyncio.Event().wait()

    asyncio.run(_supervise(stack, tell, stay, given=settings))
    console.print("stopped; nothing is left running")


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print the outcome for programs.")
@click.pass_context
def demo(ctx: click.Context, as_json: bool) -> None:
    """Play a story over HTTP; by itself that of the money: licence, image, order, payment, payout.

    Uses the stack of this checkout if one is up; otherwise brings one up and stops it again. The
    providers are always the sandbox.
    """
    if ctx.invoked_subcommand is None:
        _demonstrate("money", as_json=as_json)


@demo.command()
@click.option("--json", "as_json", is_flag=True, help="Print the outcome for programs.")
def studio(as_json: bool) -> None:
    """Play the story of the studio: train, license, and make images, videos, voices and 3D models.

    Progress comes from the live channel. What is made, charged and signed is checked.
    """
    _demonstrate("studio", as_json=as_json)


def _demonstrate(story: Name, *, as_json: bool) -> None:
    """Ends the process with the story's exit code."""
    console = Console(highlight=False, stderr=as_json)
    settings = dataclasses.replace(
        Settings.load(),
        clock_control=True,
        stripe_secret_key=None,
        replicate_api_token=None,
        fal_key=None,
        openai_api_key=None,
        openai_api_base="",
    )
    if settings.is_production:
        raise click.ClickException("The demo writes orders that never were; not in production.")
    running = running_stack(settings.data_dir)
    if running and not running.get("sandbox_url"):
        raise click.ClickException(
            "The stack that is up talks to real providers; stop it, and run the demo again."
        )
    if running:
        with connected(settings) as reached:
            sys.exit(asyncio.run(_play(reached, story, as_json=as_json)))

    tell = screen.brief(console)
    stack = plan(settings, say=functools.partial(tell, screen.OURS))
    code = 1

    async def play() -> None:
        nonlocal code
        code = await _play(stack.settings, story, as_json=as_json)

    console.print("Starting PostgreSQL, Redis, the sandbox, the API and the workers …")
    finished = asyncio.run(_supervise(stack, tell, play, given=settings))
    sys.exit(code if finished else 130)


async def _supervise(
    stack: Plan,
    tell: Callable[[str, str], None],
    body: Callable[[], Awaitable[None]],
    *,
    given: Settings,
) -> bool:
    if given.database_url or given.redis_url:
        await require_servers(given)
    supervisor = Supervisor(stack.settings.data_dir, stack.stages, tell=tell)
    return await supervisor.run(body, facts=stack.facts)


async def _play(settings: Settings, story: Name, *, as_json: bool) -> int:
    """The exit code of the story."""
    from entrypoints.cli.demo import play

    stories = {"money": play.play, "studio": play.play_studio}
    return await asyncio.to_thread(stories[story], settings, as_json=as_json)


def _welcome(console: Console, stack: Plan) -> None:
    settings = stack.settings
    console.print(f"\n[bold]Likeness answers at {settings.base_url}[/bold]")
    console.print(f"  documentation of the API   {settings.base_url}/api/v1/docs")
    if needs_sandbox(settings):
        console.print(f"  the sandbox                {settings.sandbox_url}")
    console.print(f"  data and logs              {settings.data_dir}")
    console.print("  Ctrl-C stops everything.\n")
