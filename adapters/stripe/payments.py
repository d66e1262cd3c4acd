"""The `Payments` port over Stripe."""

from adapters.stripe.checkout import StripeCheckout
from adapters.stripe.client import StripeApi
from adapters.stripe.disputes import StripeDisputes
from adapters.stripe.errors import in_our_words
from adapters.stripe.refunds import StripeRefunds
from adapters.stripe.transfers import StripeTransfers


class StripePayments(StripeCheckout, StripeRefunds, StripeTransfers, StripeDisputes):
    """Every call may raise Unavailable, Rejected or OutcomeUnknown; reads never OutcomeUnknown."""

    def __init__(self, api: StripeApi) -> None:
        super().__init__(api.client)

    async def check(self) -> None:
        """Reads our balance: the cheapest question that needs a valid key."""
        with in_our_words():
            await self._client.v1.balance.retrieve_async()
