"""Payouts of connected accounts: what lies on a payee's account, to its debit card or bank.

They are asked for in the account's name (`Stripe-Account`). A payout can be paid and fail later.
"""

from uuid import UUID

import stripe

from adapters.stripe.client import StripeApi
from adapters.stripe.errors import in_our_words
from adapters.stripe.metadata import PAYOUT_ID, our_id
from application.ports.payouts import PayoutFact, PayoutOrder
from domain.ledger.payout import PayoutWord

PAGE = 100
WORDS = {
    "paid": PayoutWord.COMPLETED,
    "failed": PayoutWord.FAILED,
    "canceled": PayoutWord.FAILED,
}


class StripePayouts:
    """The `PayoutRail` of payees with a connected account; `destination` is that account."""

    def __init__(self, api: StripeApi) -> None:
        self._client = api.client

    async def send(self, order: PayoutOrder) -> PayoutFact:
        with in_our_words():
            payout = await self._client.v1.payouts.create_async(
                {
                    "amount": order.amount_cents,
                    "currency": order.currency,
                    "method": order.speed.value,
                    "metadata": {PAYOUT_ID: str(order.payout_id)},
                },
                {
                    "idempotency_key": f"payout:{order.payout_id}",
                    "stripe_account": order.destination,
                },
            )
        return _fact(payout)

    async def find(self, payout_id: UUID, *, destination: str) -> PayoutFact | None:
        with in_our_words():
            page = await self._client.v1.payouts.list_async(
                {"limit": PAGE}, {"stripe_account": destination}
            )
            async for payout in page.auto_paging_iter():
                if our_id(payout.metadata, PAYOUT_ID) == payout_id:
                    return _fact(payout)
        return None

    async def state(self, provider_id: str, *, destination: str) -> PayoutFact:
        with in_our_words():
            payout = await self._client.v1.payouts.retrieve_async(
                provider_id, None, {"stripe_account": destination}
            )
        return _fact(payout)

    async def available_cents(self, destination: str, *, currency: str) -> int | None:
        """What Stripe would pay at once; it offers that to some accounts and banks only."""
        with in_our_words():
            balance = await self._client.v1.balance.retrieve_async(
                None, {"stripe_account": destination}
            )
        offered = getattr(balance, "instant_available", None) or ()
        return sum(int(part.amount) for part in offered if part.currency == currency)

    async def check(self) -> None:
        with in_our_words():
            await self._client.v1.balance.retrieve_async()


def _fact(payout: stripe.Payout) -> PayoutFact:
    return PayoutFact(
        provider_id=payout.id,
        payout_id=our_id(payout.metadata, PAYOUT_ID),
        word=WORDS.get(payout.status, PayoutWord.UNDER_WAY),
        amount_cents=payout.amount,
        currency=payout.currency,
        reason=payout.failure_code,
    )
