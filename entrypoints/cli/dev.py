"""Development only: make time pass."""

import re
import urllib.request
from datetime import timedelta

import click

from entrypoints.local.errors import LocalError
from entrypoints.local.stack import connected
from entrypoints.settings import Settings

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class DurationType(click.ParamType[timedelta]):
    name = "duration"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        match = re.fullmatch(r"(\d{1,4})([smhdw])", str(value))
        if match is None:
            self.fail(f"{value!r} is not a duration such as 90m, 36h, 8d or 2w", param, ctx)
        return timedelta(**{_UNITS[match[2]]: int(match[1])})


@click.group()
def dev() -> None:
    """Tools for development."""


@dev.command("advance-clock")
@click.argument("duration", type=DurationType())
def advance_clock(duration: timedelta) -> None:
    """Set the clock of the running stack forward by DURATION (8d, 36h, 90m)."""
    from adapters.system.clock import ShiftedClock

    with connected(Settings.load()) as settings:
        if settings.is_production:
            raise LocalError("Nobody moves production's time.")
        if not settings.sandbox_url:
            raise LocalError("No stack of this checkout is up; start one with `likeness up`.")
        offset = ShiftedClock(settings.clock_file).advance(duration)
        _advance_sandbox(settings.sandbox_url, duration)
    click.echo(f"time moved on by {duration}; the stack is {offset} ahead of this machine")


def _advance_sandbox(sandbox_url: str, duration: timedelta) -> None:
    request = urllib.request.Request(  # noqa: S310 - our own address
        f"{sandbox_url}/control/clock",
        data=f'{{"advance_seconds": {int(duration.total_seconds())}}}'.encode(),
        headers={"Content-Type": "application/json"},
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    opener.open(request, timeout=10).close()
