"""The played payment provider's own books: every movement of our balance, in order of time."""

from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID

from adapters.memory.provider_calls import ProviderCalls
from application.ports.clock import Clock
from application.ports.provider_books import MovementPage
from domain.ledger.reconciliation import Moved, Movement
from domain.shared.money import Currency

PAGE = 100


class MemoryProviderBooks:
    """See `application.ports.provider_books.ProviderBooks`. The fakes that move money `note` it."""

    def __init__(self, clock: Clock, *, calls: ProviderCalls) -> None:
        self._clock = clock
        self._calls = calls
        self._transactions: list[list[Moved]] = []

    async def movements(
        self, *, since: datetime, until: datetime, after: str | None = None
    ) -> AsyncIterator[MovementPage]:
        self._calls.read("movements")
        found = [parts for parts in self._transactions if since <= parts[0].at < until]
        if after is not None:
            found = found[[parts[0].id for parts in found].index(after) + 1 :]
        for start in range(0, len(found), PAGE):
            page = found[start : start + PAGE]
            yield MovementPage([moved for parts in page for moved in parts], page[-1][0].id)

    def note(
        self,
        movement: Movement,
        source: str | None,
        *,
        amount_cents: int,
        currency: str,
        our_id: UUID | None = None,
        fee_cents: int = 0,
    ) -> None:
        """`fee_cents` of a charge becomes a movement of its own under the same transaction."""
        transaction = f"txn_{len(self._transactions) + 1}"
        parts = [(movement, amount_cents, our_id)]
        if fee_cents:
            parts.append((Movement.FEE, -fee_cents, None))
        self._transactions.append(
            [
                Moved(
                    id=transaction,
                    movement=kind,
                    source=source or transaction,
                    our_id=ours,
                    amount_cents=cents,
                    currency=Currency(currency),
                    at=self._clock.now(),
                )
                for kind, cents, ours in parts
            ]
        )
