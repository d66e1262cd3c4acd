"""`likeness payouts`: run a day's payouts by hand, and book what was moved to the provider."""

from datetime import datetime
from typing import TYPE_CHECKING

import click
import msgspec
from rich.console import Console

from application.ledger.daily_payouts import DayReport, pay_day
from application.ledger.funding import fund_payouts
from domain.shared.money import format_money
from entrypoints.cli.reach import with_ports

if TYPE_CHECKING:
    from entrypoints.bootstrap import Ports


@click.group()
def payouts() -> None:
    """Run a day's payouts, and book what was moved to the payout provider."""


@payouts.command()
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="In UTC; today when left out.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def run(day: datetime | None, as_json: bool) -> None:
    """Pay everybody who is paid by the day and has not been.

    Safe to kill and to repeat: a payee has one automatic payout a day and currency.
    """
    report = with_ports(lambda ports: _run(ports, day))
    if as_json:
        click.echo(msgspec.json.encode(report))
        return
    click.echo(
        f"{report.day}: {report.payouts:,} payouts, {report.transfers:,} earnings on their way to "
        f"connected accounts, of {report.looked_at:,} balances."
    )


@payouts.command()
@click.option("--amount-cents", type=click.IntRange(min=1), required=True)
@click.option("--currency", default="usd", show_default=True)
@click.option("--reference", required=True, help="Of the bank transfer: booked once.")
def fund(amount_cents: int, currency: str, reference: str) -> None:
    """Book money that was moved from the payment provider to the payout provider."""
    new = with_ports(
        lambda ports: fund_payouts(
            reference=reference,
            amount_cents=amount_cents,
            currency=currency,
            uow=ports.uow(),
            clock=ports.clock,
        )
    )
    said = "booked" if new else "was booked before"
    click.echo(f"{format_money(amount_cents, currency)} under {reference}: {said}.")


async def _run(ports: "Ports", day: datetime | None) -> DayReport:
    with Console(stderr=True).status("paying") as status:
        return await pay_day(
            day.date() if day else ports.clock.now().date(),
            new_uow=ports.uow,
            views=ports.payout_views,
            days=ports.payout_days,
            policy=ports.payout_policy,
            clock=ports.clock,
            ids=ports.ids,
            progress=lambda done: status.update(f"{done:,} balances looked at"),
        )
