"""The scheduled proof of the books tells each breach, and the gauge counts them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

import structlog

from application.ports.ledger_views import (
    AccountTotal,
    BalanceDifference,
    KeptSeal,
    LedgerSnapshot,
    PayableTotal,
    TransactionBatch,
    TransactionFault,
)
from entrypoints.metrics import exposition
from entrypoints.worker.books import watch_books

PAYEE = UUID(int=7)


@dataclass
class Books:
    """A ledger of one transaction, as it would be read."""

    faults: list[TransactionFault] = field(default_factory=list)
    differences: list[BalanceDifference] = field(default_factory=list)

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[LedgerSnapshot]:
        yield self

    async def transactions(
        self, *, since: date | None = None, through: date | None = None
    ) -> AsyncIterator[TransactionBatch]:
        yield TransactionBatch(
            day=date(2026, 11, 1),
            transactions=1,
            leaves=b"",
            totals=[],
            volumes=[],
            faults=self.faults,
        )

    async def seals(self) -> Sequence[KeptSeal]:
        return []

    async def checkpoint(self, through: date) -> Sequence[AccountTotal]:
        return []

    async def checkpoints_rewritten(self, *, since: date) -> bool:
        return False

    async def balance_differences(
        self, *, written_apart_since: date | None = None
    ) -> AsyncIterator[Sequence[BalanceDifference]]:
        yield self.differences

    async def payable_totals(self) -> Sequence[PayableTotal]:
        return []

    async def count_entries(self, *, since: date | None = None) -> int:
        return 0


async def test_each_breach_is_an_error_and_a_sound_ledger_clears_the_gauge() -> None:
    broken = Books(
        faults=[
            TransactionFault(
                effect_key="sale:ch_1", currency="usd", fault="unbalanced", entries=2, total_cents=5
            )
        ],
        differences=[
            BalanceDifference(
                payee_id=PAYEE, currency="usd", part="available", kept_cents=10, posted_cents=9
            )
        ],
    )

    with structlog.testing.capture_logs() as logged:
        await watch_books(broken)

    assert [(entry["log_level"], entry["rule"]) for entry in logged] == [
        ("error", "balances"),
        ("error", "kept_balance"),
    ]
    assert logged[0]["subject"] == "sale:ch_1"
    assert 'ledger_breaches{books="recent"} 2.0' in exposition().decode()

    with structlog.testing.capture_logs() as logged:
        await watch_books(Books())

    assert logged == []
    assert 'ledger_breaches{books="recent"} 0.0' in exposition().decode()
