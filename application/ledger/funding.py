"""Book what an operator moved from the payment provider to the payout provider."""

from application.ledger.eligibility import supported
from application.ports.clock import Clock
from application.ports.unit_of_work import UnitOfWork
from domain.ledger.payout_effects import payouts_funded


async def fund_payouts(
    *, reference: str, amount_cents: int, currency: str, uow: UnitOfWork, clock: Clock
) -> bool:
    """False when this reference was booked before, with the same amount.

    Raises CurrencyUnknown, EffectMismatch.
    """
    posting = payouts_funded(
        reference=reference,
        currency=supported(currency),
        amount_cents=amount_cents,
        at=clock.now(),
    )
    async with uow:
        new = await uow.ledger.post([posting])
        if new:
            uow.audit.record(
                "payouts.funded",
                actor="the command line",
                on=("funding", reference),
                after={"amount_cents": amount_cents, "currency": posting.currency},
            )
        await uow.commit()
    return bool(new)
