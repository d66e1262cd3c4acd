"""`likeness reconcile` tells what differs, and whether anything does."""

from datetime import timedelta

from entrypoints.cli.reconcile import reconciled
from tests.application.reconciliation.conftest import SOON, Audit, audit, sandbox, sandbox_process

__all__ = ["audit", "sandbox", "sandbox_process"]


class Ports:
    def __init__(self, audit: Audit) -> None:
        self.uow = audit.new_uow
        self.clock = audit.clock
        self.ids = audit.ids
        self.provider_books = audit.world.books
        self.comparison = audit.comparison
        self.payout_balance = audit.bank
        self.reconciliation_views = audit.views


async def test_days_are_clean_or_have_their_differences(audit: Audit) -> None:
    day = audit.today
    await audit.sell(await audit.market())
    audit.clock.advance(SOON)

    clean = await reconciled(day - timedelta(days=1), day, ports=Ports(audit))
    await audit.world.fund(amount_cents=700)
    audit.clock.advance(SOON)
    differing = await reconciled(day, None, ports=Ports(audit))

    assert clean.clean
    assert [run.day for run in clean.runs] == [day - timedelta(days=1), day]
    assert not differing.clean
    assert [one.kind for one in differing.differences] == ["adjustment_not_booked"]


async def test_without_days_it_is_yesterday(audit: Audit) -> None:
    found = await reconciled(None, None, ports=Ports(audit))

    assert found.clean
    assert [run.day for run in found.runs] == [audit.today - timedelta(days=1)]
