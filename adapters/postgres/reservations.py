"""The one statement that decides whether a payee has what it asks for.

It holds the balance's row exactly when the row says enough. Whoever waited for the row is judged
by what it says then, so that of many who ask for the whole balance one gets it.
"""

from uuid import UUID

from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncSession

from domain.ledger.payout_rules import InsufficientAvailable
from domain.ledger.posting import Account, Transaction

_HOLD = sql("""
    SELECT payee_id FROM payee_balances
    WHERE payee_id = :payee_id AND currency = :currency AND available_cents >= :amount_cents
    FOR UPDATE
    """)


async def hold_available(session: AsyncSession, posting: Transaction) -> None:
    """Hold each balance that `posting` takes available money from. Raises InsufficientAvailable."""
    taken: dict[UUID, int] = {}
    for account, payee_id, amount_cents in posting.entries:
        if account is Account.PAYABLE_AVAILABLE and payee_id is not None:
            taken[payee_id] = taken.get(payee_id, 0) - amount_cents
    for payee_id in sorted(taken):
        held = await session.scalar(
            _HOLD,
            {
                "payee_id": payee_id,
                "currency": posting.currency,
                "amount_cents": taken[payee_id],
            },
        )
        if held is None:
            raise InsufficientAvailable
