"""Money back to the buyer. Transfers to payees are not touched by it: see `transfers`."""

from typing import Literal
from uuid import UUID

import stripe

from adapters.stripe.errors import in_our_words
from adapters.stripe.metadata import ORDER_ID, REFUND_ID, our_id
from application.ports.payments import ProviderRefund, RefundRequest

PAGE = 100


class StripeRefunds:
    def __init__(self, client: stripe.StripeClient) -> None:
        self._client = client

    async def refund(self, request: RefundRequest) -> ProviderRefund:
        with in_our_words():
            refund = await self._client.v1.refunds.create_async(
                {
                    "charge": request.charge_id,
                    "amount": request.amount_cents,
                    "metadata": {
                        REFUND_ID: str(request.refund_id),
                        ORDER_ID: str(request.order_id),
                    },
                },
                {"idempotency_key": f"refund:{request.refund_id}:{request.attempt}"},
            )
        return _in_our_words(refund)

    async def find_refund(self, *, refund_id: UUID, charge_id: str) -> ProviderRefund | None:
        """The newest that has not failed; one that failed only where there is no other."""
        failed: ProviderRefund | None = None
        with in_our_words():
            page = await self._client.v1.refunds.list_async({"charge": charge_id, "limit": PAGE})
            async for refund in page.auto_paging_iter():
                if our_id(refund.metadata, REFUND_ID) != refund_id:
                    continue
                found = _in_our_words(refund)
                if found.status != "failed":
                    return found
                failed = failed or found
        return failed


def refund_status(status: str | None) -> Literal["pending", "succeeded", "failed"]:
    """`requires_action` waits for the buyer; `canceled` will not pay."""
    match status:
        case "succeeded":
            return "succeeded"
        case "failed" | "canceled":
            return "failed"
        case _:
            return "pending"


def _in_our_words(refund: stripe.Refund) -> ProviderRefund:
    return ProviderRefund(
        provider_id=refund.id,
        refund_id=our_id(refund.metadata, REFUND_ID),
        status=refund_status(refund.status),
        amount_cents=refund.amount,
        failure_reason=getattr(refund, "failure_reason", None),
    )
