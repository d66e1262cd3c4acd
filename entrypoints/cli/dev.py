"""Development only: make time pass, and let banks act."""

import json
import re
import urllib.error
import urllib.request
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID

import click

from entrypoints.local.errors import LocalError
from entrypoints.local.stack import connected
from entrypoints.local.supervisor import running_stack
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
        _control(
            f"{settings.sandbox_url}/control/clock",
            {"advance_seconds": int(duration.total_seconds())},
        )
    click.echo(f"time moved on by {duration}; the stack is {offset} ahead of this machine")


@dev.command("dispute")
@click.argument("paid", metavar="CHARGE|ORDER")
@click.option(
    "--outcome",
    type=click.Choice(["open", "won", "lost"]),
    required=True,
    help="What the bank does; won and lost decide the open dispute, or one opened first.",
)
@click.option("--amount", "amount_cents", type=click.IntRange(min=1), help="A part, in cents.")
@click.option("--fee-returned", is_flag=True, help="A won dispute's fee comes back as well.")
def dispute(paid: str, outcome: str, amount_cents: int | None, fee_returned: bool) -> None:
    """Let the bank of who paid CHARGE, or the order with the id ORDER, take the money back."""
    sandbox_url = _sandbox_url()
    asked = {"outcome": outcome, "amount": amount_cents, "fee_returned": fee_returned}
    name = quote(_charge_or_group(paid), safe="")
    found = _control(f"{sandbox_url}/control/stripe/charges/{name}/dispute", asked)
    click.echo(f"{found['id']}: {found['amount']} {found['currency']}, {found['status']}")


def _charge_or_group(paid: str) -> str:
    """The provider's charges of an order are found by their transfer group."""
    from adapters.stripe.metadata import transfer_group

    try:
        return transfer_group(UUID(paid))
    except ValueError:
        return paid


def _sandbox_url() -> str:
    settings = Settings.load()
    if settings.is_production:
        raise LocalError("Nobody plays a bank in production.")
    url = settings.sandbox_url or running_stack(settings.data_dir).get("sandbox_url", "")
    if not url:
        raise LocalError("No stack of this checkout is up; start one with `likeness up`.")
    return url


def _control(url: str, asked: Mapping[str, object]) -> Any:
    request = urllib.request.Request(  # noqa: S310 - our own address
        url, data=json.dumps(asked).encode(), headers={"Content-Type": "application/json"}
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=10) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as refused:
        raise LocalError(f"The sandbox refuses: {_message(refused)}") from None


def _message(refused: urllib.error.HTTPError) -> str:
    try:
        return str(json.load(refused)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return f"status {refused.code}"
