"""The `ProviderBooks` port over Stripe's balance transactions, each with the object it is about."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import stripe

from adapters.stripe.client import StripeApi
from adapters.stripe.errors import PROVIDER, in_our_words
from adapters.stripe.metadata import ORDER_ID, REFUND_ID, REVERSAL_ID, TRANSFER_ID, our_id
from application.ports.errors import Unavailable
from application.ports.provider_books import MovementPage
from domain.ledger.reconciliation import Moved, Movement
from domain.shared.money import Currency

PAGE = 100

_KINDS: Mapping[str, Movement] = {
    "charge": Movement.CHARGE,
    "payment": Movement.CHARGE,
    "refund": Movement.REFUND,
    "payment_refund": Movement.REFUND,
    "refund_failure": Movement.REFUND_RETURNED,
    "payment_failure_refund": Movement.REFUND_RETURNED,
    "transfer": Movement.TRANSFER,
    "transfer_refund": Movement.REVERSAL,
    "transfer_cancel": Movement.REVERSAL,
    "transfer_failure": Movement.REVERSAL,
    "payout": Movement.PAYOUT,
    "payout_cancel": Movement.PAYOUT,
    "payout_failure": Movement.PAYOUT,
}
"""By `type`; `adjustment` is a dispute where its source is one, everything else an adjustment."""

_OUR_IDS: Mapping[Movement, str] = {
    Movement.CHARGE: ORDER_ID,
    Movement.REFUND: REFUND_ID,
    Movement.REFUND_RETURNED: REFUND_ID,
    Movement.TRANSFER: TRANSFER_ID,
    Movement.REVERSAL: REVERSAL_ID,
}


class _Source(msgspec.Struct):
    id: str
    object: str
    metadata: dict[str, str] | None = None


class _Transaction(msgspec.Struct):
    id: str
    type: str
    amount: int
    fee: int
    currency: str
    created: int
    source: _Source | str | None = None


class _Page(msgspec.Struct):
    data: list[_Transaction]
    has_more: bool


_decode_page = msgspec.json.Decoder(_Page).decode


class StripeBooks:
    """See `application.ports.provider_books.ProviderBooks`. Newest first, as Stripe lists."""

    def __init__(self, api: StripeApi) -> None:
        self._client = api.client

    async def movements(
        self, *, since: datetime, until: datetime, after: str | None = None
    ) -> AsyncIterator[MovementPage]:
        asked: dict[str, Any] = {
            "created": {"gte": _second(since), "lt": _second(until)},
            "expand": ["data.source"],
            "limit": PAGE,
        }
        while True:
            page = await self._page(asked | ({"starting_after": after} if after else {}))
            if not page.data:
                return
            after = page.data[-1].id
            yield MovementPage([moved for row in page.data for moved in _moved(row)], after)
            if not page.has_more:
                return

    async def _page(self, asked: Mapping[str, Any]) -> _Page:
        with in_our_words():
            answer: stripe.StripeResponse = await self._client.raw_request_async(
                "get", "/v1/balance_transactions", **asked
            )
        try:
            return _decode_page(answer.body)
        except msgspec.DecodeError:
            raise Unavailable("Stripe's list makes no sense.", provider=PROVIDER) from None


def _second(moment: datetime) -> int:
    """Stripe keeps whole seconds: a part of one belongs to the next."""
    return -int(-moment.timestamp() // 1)


def _moved(row: _Transaction) -> Sequence[Moved]:
    """A charge and its fee are booked apart; of all else the fee is part of what moved."""
    source = row.source if isinstance(row.source, _Source) else None
    source_id = source.id if source else row.source if isinstance(row.source, str) else row.id
    movement = _movement(row, source)

    def moved(kind: Movement, amount_cents: int, ours: UUID | None) -> Moved:
        return Moved(
            id=row.id,
            movement=kind,
            source=source_id,
            our_id=ours,
            amount_cents=amount_cents,
            currency=Currency(row.currency),
            at=datetime.fromtimestamp(row.created, UTC),
        )

    key = _OUR_IDS.get(movement)
    ours = our_id(source.metadata, key) if source and key else None
    if movement is not Movement.CHARGE:
        return [moved(movement, row.amount - row.fee, ours)]
    charge = moved(movement, row.amount, ours)
    return [charge, moved(Movement.FEE, -row.fee, None)] if row.fee else [charge]


def _movement(row: _Transaction, source: _Source | None) -> Movement:
    if source is not None and source.object == "dispute":
        return Movement.DISPUTE
    return _KINDS.get(row.type, Movement.ADJUSTMENT)
