"""A payee's part of an order: sent out of the order's own charge, and taken back in part or whole.

`source_transaction` lets a transfer be made before the charge has settled, and bounds the sum of
the transfers by the charge.
"""

from uuid import UUID

import stripe

from adapters.stripe.errors import in_our_words
from adapters.stripe.metadata import ORDER_ID, REVERSAL_ID, TRANSFER_ID, our_id, transfer_group
from application.ports.payments import ReversalRequest, TransferRequest

PAGE = 100


class StripeTransfers:
    def __init__(self, client: stripe.StripeClient) -> None:
        self._client = client

    async def transfer(self, request: TransferRequest) -> str:
        with in_our_words():
            transfer = await self._client.v1.transfers.create_async(
                {
                    "amount": request.amount_cents,
                    "currency": request.currency,
                    "destination": request.destination_account_id,
                    "source_transaction": request.source_charge_id,
                    "transfer_group": transfer_group(request.order_id),
                    "metadata": {
                        TRANSFER_ID: str(request.transfer_id),
                        ORDER_ID: str(request.order_id),
                    },
                },
                {"idempotency_key": f"transfer:{request.transfer_id}:{request.attempt}"},
            )
        return transfer.id

    async def find_transfer(self, *, transfer_id: UUID, order_id: UUID) -> str | None:
        with in_our_words():
            page = await self._client.v1.transfers.list_async(
                {"transfer_group": transfer_group(order_id), "limit": PAGE}
            )
            async for transfer in page.auto_paging_iter():
                if our_id(transfer.metadata, TRANSFER_ID) == transfer_id:
                    return transfer.id
        return None

    async def reverse_transfer(self, request: ReversalRequest) -> str:
        """Rejected with `balance_insufficient` where the payee's balance does not hold it."""
        with in_our_words():
            reversal = await self._client.v1.transfers.reversals.create_async(
                request.transfer_provider_id,
                {
                    "amount": request.amount_cents,
                    "metadata": {REVERSAL_ID: str(request.reversal_id)},
                },
                {"idempotency_key": f"reversal:{request.reversal_id}:{request.attempt}"},
            )
        return reversal.id

    async def find_reversal(self, *, reversal_id: UUID, transfer_provider_id: str) -> str | None:
        with in_our_words():
            page = await self._client.v1.transfers.reversals.list_async(
                transfer_provider_id, {"limit": PAGE}
            )
            async for reversal in page.auto_paging_iter():
                if our_id(reversal.metadata, REVERSAL_ID) == reversal_id:
                    return reversal.id
        return None
