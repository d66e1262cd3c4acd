"""Payouts to bank accounts as FlowPay's transfers, each by our id: as key and as reference."""

from collections.abc import Mapping
from uuid import UUID

import msgspec

from adapters.flowpay.transport import FlowPayApi
from application.ports.payouts import PayoutFact, PayoutOrder
from domain.ledger.payout import PayoutWord
from domain.shared.money import Currency

WORDS = {
    "completed": PayoutWord.COMPLETED,
    "failed": PayoutWord.FAILED,
    "returned": PayoutWord.RETURNED,
}


class Transfer(msgspec.Struct):
    """What we read of it. A status that we do not know is one on the way."""

    id: str
    status: str
    amount: int
    currency: str
    fee: int = 0
    reference: str | None = None
    failure_code: str | None = None


class _Transfers(msgspec.Struct):
    data: list[Transfer]


class _Balance(msgspec.Struct):
    available: dict[str, int]


class FlowPayTransfers:
    """The `PayoutRail` of bank payees, and the `PayoutBalance` that pays for it."""

    def __init__(self, api: FlowPayApi) -> None:
        self._api = api

    async def send(self, order: PayoutOrder) -> PayoutFact:
        reference = str(order.payout_id)
        transfer = await self._api.tell(
            "POST",
            "/v1/transfers",
            Transfer,
            key=f"payout:{reference}",
            body={
                "amount": order.amount_cents,
                "currency": order.currency,
                "destination": {"account_id": order.destination},
                "speed": str(order.speed),
                "reference": reference,
                "metadata": {"payout_id": reference},
            },
        )
        return _fact(transfer)

    async def find(self, payout_id: UUID, *, destination: str) -> PayoutFact | None:
        found = await self._api.ask(
            "/v1/transfers", _Transfers, query={"reference": str(payout_id)}
        )
        return _fact(found.data[0]) if found.data else None

    async def state(self, provider_id: str, *, destination: str) -> PayoutFact:
        return _fact(await self._api.ask(f"/v1/transfers/{provider_id}", Transfer))

    async def available_cents(self, destination: str, *, currency: str) -> int | None:
        return None

    async def held(self) -> Mapping[Currency, int]:
        balance = await self._api.ask("/v1/balance", _Balance)
        return {Currency(code.lower()): cents for code, cents in balance.available.items()}

    async def check(self) -> None:
        """A question that needs a valid key and finds nothing."""
        await self._api.ask("/v1/transfers", _Transfers, query={"reference": "check"})


def payout_of(reference: str | None) -> UUID | None:
    """None for transfers that are not ours: the account may serve other programs too."""
    try:
        return UUID(reference or "")
    except ValueError:
        return None


def _fact(transfer: Transfer) -> PayoutFact:
    return PayoutFact(
        provider_id=transfer.id,
        payout_id=payout_of(transfer.reference),
        word=WORDS.get(transfer.status, PayoutWord.UNDER_WAY),
        amount_cents=transfer.amount,
        currency=transfer.currency.lower(),
        fee_cents=transfer.fee,
        reason=transfer.failure_code,
    )
