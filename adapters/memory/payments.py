"""A payment provider in memory, as strict as the real one where money is concerned.

It answers once per idempotency key, refunds no more than remains, transfers no more than the
charge, waits two days before money is available, and takes back only what a payee's balance holds.
"""

from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

import msgspec

from adapters.memory.billing import MemoryBilling
from adapters.memory.checkout import Charge
from adapters.memory.disputes import MemoryDisputing
from adapters.memory.payee_accounts import MemoryPayeeAccounts
from adapters.memory.payment_webhooks import MemoryPaymentWebhooks
from adapters.memory.provider_books import MemoryProviderBooks
from adapters.memory.provider_calls import ProviderCalls, refused
from application.ports.clock import Clock
from application.ports.payments import (
    ProviderRefund,
    RefundChanged,
    RefundRequest,
    ReversalRequest,
    TransferRequest,
)
from domain.ledger.reconciliation import Movement


@dataclass(slots=True)
class _Transfer:
    id: str
    request: TransferRequest
    reversed_cents: int = 0
    reversals: dict[UUID, str] = field(default_factory=dict)


class MemoryPayments(MemoryDisputing):
    """`platform_cents` is what our own balance holds in each currency before the first payment."""

    def __init__(
        self,
        clock: Clock,
        *,
        calls: ProviderCalls,
        accounts: MemoryPayeeAccounts,
        webhooks: MemoryPaymentWebhooks,
        books: MemoryProviderBooks,
        platform_cents: int = 1_000_000,
    ) -> None:
        super().__init__(
            clock, calls=calls, webhooks=webhooks, books=books, platform_cents=platform_cents
        )
        self._accounts = accounts
        self._transfers: dict[str, _Transfer] = {}
        self._held = {}
        self._unfunded: list[tuple[str, ProviderRefund]] = []

    async def refund(self, request: RefundRequest) -> ProviderRefund:
        key = f"refund:{request.refund_id}:{request.attempt}"
        return self._calls.once(
            "refund", key=key, request=request, act=lambda: self._pay_back(request)
        )

    async def find_refund(self, *, refund_id: UUID, charge_id: str) -> ProviderRefund | None:
        self._calls.read("find_refund")
        found = [r for r in self._charge(charge_id).refunds if r.refund_id == refund_id]
        standing = [refund for refund in found if refund.status != "failed"]
        return next(reversed(standing or found), None)

    async def transfer(self, request: TransferRequest) -> str:
        key = f"transfer:{request.transfer_id}:{request.attempt}"
        return self._calls.once(
            "transfer", key=key, request=request, act=lambda: self._send(request)
        )

    async def find_transfer(self, *, transfer_id: UUID, order_id: UUID) -> str | None:
        self._calls.read("find_transfer")
        wanted = (transfer_id, order_id)
        for sent in self._transfers.values():
            if (sent.request.transfer_id, sent.request.order_id) == wanted:
                return sent.id
        return None

    async def reverse_transfer(self, request: ReversalRequest) -> str:
        key = f"reversal:{request.reversal_id}:{request.attempt}"
        return self._calls.once(
            "reverse_transfer", key=key, request=request, act=lambda: self._take_back(request)
        )

    async def find_reversal(self, *, reversal_id: UUID, transfer_provider_id: str) -> str | None:
        self._calls.read("find_reversal")
        return self._transfer(transfer_provider_id).reversals.get(reversal_id)

    async def check(self) -> None:
        self._calls.read("check")

    # What happens at the provider.

    def fund(self, *, amount_cents: int, currency: str) -> None:
        """Put money on our own balance; refunds that waited for it are paid."""
        self._balance[currency] += amount_cents
        movement = Movement.ADJUSTMENT if amount_cents > 0 else Movement.PAYOUT
        self._books.note(movement, None, amount_cents=amount_cents, currency=currency)
        waiting, self._unfunded = self._unfunded, []
        for charge_id, refund in waiting:
            self._settle_refund(self._charge(charge_id), refund)

    def return_refund(self, provider_id: str, *, reason: str) -> None:
        """The buyer's bank sends a refund back: the money returns and may be refunded again."""
        for charge in self._charges.values():
            for refund in charge.refunds:
                if refund.provider_id == provider_id and refund.status == "succeeded":
                    self._balance[charge.captured.currency] += refund.amount_cents
                    self._books.note(
                        Movement.REFUND_RETURNED,
                        refund.provider_id,
                        amount_cents=refund.amount_cents,
                        currency=charge.captured.currency,
                        our_id=refund.refund_id,
                    )
                    charge.refunded_cents -= refund.amount_cents
                    self._replace(charge, refund, status="failed", reason=reason)
                    return
        raise ValueError("there is no such refund to return")

    def _pay_back(self, request: RefundRequest) -> ProviderRefund:
        charge = self._charge(request.charge_id)
        if self.is_disputed(request.charge_id):
            raise refused("The charge is disputed.", reason="charge_disputed")
        lost_cents = self.lost_cents(request.charge_id)
        remaining_cents = charge.captured.amount_cents - charge.refunded_cents - lost_cents
        if remaining_cents == 0 and lost_cents:
            raise refused("The charge was charged back.", reason="charge_disputed")
        if remaining_cents == 0:
            raise refused("Nothing is left to refund.", reason="charge_already_refunded")
        if not 0 < request.amount_cents <= remaining_cents:
            raise refused("The refund is greater than what remains of the charge.")
        charge.refunded_cents += request.amount_cents
        refund = ProviderRefund(
            provider_id=self._new("re"),
            refund_id=request.refund_id,
            status="pending",
            amount_cents=request.amount_cents,
        )
        charge.refunds.append(refund)
        return self._settle_refund(charge, refund)

    def _settle_refund(self, charge: Charge, refund: ProviderRefund) -> ProviderRefund:
        """Pay it, or let it wait for money on our balance."""
        paid = charge.captured
        if self.balance_cents(paid.currency) < refund.amount_cents:
            self._unfunded.append((paid.charge_id, refund))
            return self._replace(charge, refund, status="pending")
        self._balance[paid.currency] -= refund.amount_cents
        self._books.note(
            Movement.REFUND,
            refund.provider_id,
            amount_cents=-refund.amount_cents,
            currency=paid.currency,
            our_id=refund.refund_id,
        )
        return self._replace(charge, refund, status="succeeded")

    def _replace(
        self,
        charge: Charge,
        refund: ProviderRefund,
        *,
        status: Literal["pending", "succeeded", "failed"],
        reason: str | None = None,
    ) -> ProviderRefund:
        changed = msgspec.structs.replace(refund, status=status, failure_reason=reason)
        charge.refunds[charge.refunds.index(refund)] = changed
        self._webhooks.tell(RefundChanged(charge_id=charge.captured.charge_id, refund=changed))
        return changed

    def _send(self, request: TransferRequest) -> str:
        if not self._accounts.require(request.destination_account_id).transfers_active:
            reason = "insufficient_capabilities_for_transfer"
            raise refused("The account may not receive transfers.", reason=reason)
        charge = self._charge(request.source_charge_id)
        if request.currency != charge.captured.currency:
            raise refused("The charge is in another currency.")
        remaining_cents = charge.captured.amount_cents - charge.transferred_cents
        if not 0 < request.amount_cents <= remaining_cents:
            raise refused(
                "The charge does not hold that much.", reason="charge_exceeds_source_limit"
            )
        charge.transferred_cents += request.amount_cents
        self._balance[request.currency] -= request.amount_cents
        self._accounts.move(
            request.destination_account_id,
            amount_cents=request.amount_cents,
            currency=request.currency,
            available_at=charge.settles_at,
        )
        sent = _Transfer(self._new("tr"), request)
        self._transfers[sent.id] = sent
        self._books.note(
            Movement.TRANSFER,
            sent.id,
            amount_cents=-request.amount_cents,
            currency=request.currency,
            our_id=request.transfer_id,
        )
        return sent.id

    def _take_back(self, request: ReversalRequest) -> str:
        sent = self._transfer(request.transfer_provider_id)
        if not 0 < request.amount_cents <= sent.request.amount_cents - sent.reversed_cents:
            raise refused("The reversal is greater than what remains of the transfer.")
        account, currency = sent.request.destination_account_id, sent.request.currency
        if self._accounts.available_cents(account, currency=currency) < request.amount_cents:
            raise refused("The account does not hold that much.", reason="balance_insufficient")
        self._accounts.move(
            account,
            amount_cents=-request.amount_cents,
            currency=currency,
            available_at=self._clock.now(),
        )
        self._balance[currency] += request.amount_cents
        sent.reversed_cents += request.amount_cents
        identifier = sent.reversals[request.reversal_id] = self._new("trr")
        self._books.note(
            Movement.REVERSAL,
            identifier,
            amount_cents=request.amount_cents,
            currency=currency,
            our_id=request.reversal_id,
        )
        return identifier

    def _transfer(self, transfer_id: str) -> _Transfer:
        if transfer_id not in self._transfers:
            raise refused("There is no such transfer.", reason="resource_missing")
        return self._transfers[transfer_id]


class MemoryPaymentProvider:
    """The fakes that play one provider together."""

    def __init__(self, clock: Clock) -> None:
        self.calls = ProviderCalls(clock)
        self.webhooks = MemoryPaymentWebhooks(clock)
        self.accounts = MemoryPayeeAccounts(clock, calls=self.calls, webhooks=self.webhooks)
        self.books = MemoryProviderBooks(clock, calls=self.calls)
        self.payments = MemoryPayments(
            clock,
            calls=self.calls,
            accounts=self.accounts,
            webhooks=self.webhooks,
            books=self.books,
        )
        self.billing = MemoryBilling(clock, self.calls, charge=self.payments.charge)
