"""What we need from a payment provider, in our words (Stripe Connect is the one adapter so far).

Charges and transfers are separate: the platform takes one payment for an order and later sends
each payee its part. Every call that moves money takes our own id of the intent that was committed
before the call; it is the idempotency key, and it is written into the provider's metadata, so
that an intent whose outcome is unknown can be looked up. Errors: `application.ports.errors`.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID

import msgspec

from domain.ordering.address import Address
from domain.shared.disputes import DisputeReport, DisputeStatus


class CheckoutLine(msgspec.Struct, frozen=True, kw_only=True):
    title: str
    unit_price_cents: int
    quantity: int


class CheckoutRequest(msgspec.Struct, frozen=True, kw_only=True):
    """`expires_at`: 30 minutes to 24 hours ahead. Asking again for an order repeats the request.

    The lines add up to what is charged. `allowed_countries` asks for a shipping address in one of
    them; without any, no address is asked for.
    """

    order_id: UUID
    currency: str
    lines: tuple[CheckoutLine, ...]
    customer_email: str | None
    allowed_countries: tuple[str, ...] = ()
    success_url: str
    cancel_url: str
    expires_at: datetime


class CheckoutPage(msgspec.Struct, frozen=True, kw_only=True):
    session_id: str
    url: str
    expires_at: datetime


class CapturedPayment(msgspec.Struct, frozen=True, kw_only=True):
    """Money that has arrived for an order."""

    order_id: UUID
    payment_id: str
    charge_id: str
    amount_cents: int
    currency: str


class CheckoutState(msgspec.Struct, frozen=True, kw_only=True):
    """`captured` is there exactly when the money is; `ship_to` once a page that asked for an
    address is complete."""

    session_id: str
    status: Literal["open", "complete", "expired"]
    payment: Literal["unpaid", "processing", "paid"]
    captured: CapturedPayment | None
    ship_to: Address | None = None


class ProcessingFee(msgspec.Struct, frozen=True, kw_only=True):
    charge_id: str
    amount_cents: int
    currency: str


class RefundRequest(msgspec.Struct, frozen=True, kw_only=True):
    refund_id: UUID
    order_id: UUID
    charge_id: str
    amount_cents: int
    currency: str
    attempt: int


class ProviderRefund(msgspec.Struct, frozen=True, kw_only=True):
    provider_id: str
    refund_id: UUID | None
    status: Literal["pending", "succeeded", "failed"]
    amount_cents: int
    failure_reason: str | None = None


class TransferRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One payee's part of one order. `attempt` numbers the tries: a stored refusal replays."""

    transfer_id: UUID
    order_id: UUID
    destination_account_id: str
    amount_cents: int
    currency: str
    source_charge_id: str
    attempt: int


class ReversalRequest(msgspec.Struct, frozen=True, kw_only=True):
    reversal_id: UUID
    transfer_provider_id: str
    amount_cents: int
    currency: str
    attempt: int


class EvidenceRequest(msgspec.Struct, frozen=True, kw_only=True):
    """`fields` hold text, by the provider's names of `domain.ordering.evidence`."""

    dispute_id: UUID
    dispute_provider_id: str
    fields: dict[str, str]
    attempt: int


class Payments(Protocol):
    async def start_checkout(self, request: CheckoutRequest) -> CheckoutPage:
        """Open a hosted payment page. Key `checkout:{order_id}`."""
        ...

    async def checkout_state(self, session_id: str) -> CheckoutState: ...

    async def expire_checkout(self, session_id: str) -> None:
        """Close the page; a page that is complete or expired already stays as it is."""
        ...

    async def processing_fee(self, charge_id: str) -> ProcessingFee | None:
        """What the provider kept of a charge; None while it has not said."""
        ...

    async def refund(self, request: RefundRequest) -> ProviderRefund:
        """Key `refund:{refund_id}:{attempt}`."""
        ...

    async def find_refund(self, *, refund_id: UUID, charge_id: str) -> ProviderRefund | None: ...

    async def transfer(self, request: TransferRequest) -> str:
        """Send; answers the provider's transfer id. Key `transfer:{transfer_id}:{attempt}`."""
        ...

    async def find_transfer(self, *, transfer_id: UUID, order_id: UUID) -> str | None: ...

    async def reverse_transfer(self, request: ReversalRequest) -> str:
        """Take back (part of) a transfer; answers the provider's reversal id."""
        ...

    async def find_reversal(
        self, *, reversal_id: UUID, transfer_provider_id: str
    ) -> str | None: ...

    async def submit_evidence(self, request: EvidenceRequest) -> None:
        """Answer a dispute, once. Key `evidence:{dispute_id}:{attempt}`."""
        ...

    async def evidence_submitted(self, *, dispute_id: UUID, dispute_provider_id: str) -> bool:
        """Whether our evidence has arrived."""
        ...

    async def check(self) -> None:
        """Prove that the provider answers and accepts our key."""
        ...


class AccountState(msgspec.Struct, frozen=True, kw_only=True):
    account_id: str
    transfers_active: bool
    payouts_enabled: bool
    disabled_reason: str | None
    currently_due: tuple[str, ...] = ()
    past_due: tuple[str, ...] = ()


class PayeeAccounts(Protocol):
    async def open_account(self, *, payee_id: UUID, email: str | None, country: str | None) -> str:
        """Create a recipient account; answers its id. Key `payee:{payee_id}`."""
        ...

    async def onboarding_link(self, account_id: str, *, refresh_url: str, return_url: str) -> str:
        """A single-use URL where the payee proves who it is. Returning from it proves nothing."""
        ...

    async def account_state(self, account_id: str) -> AccountState: ...


# What the provider tells us, read out of its own wire format.


class PaymentCaptured(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    captured: CapturedPayment


class CheckoutEnded(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The page completed, failed or expired: fetch its state before acting on it."""

    order_id: UUID
    session_id: str
    ending: Literal["completed", "payment_succeeded", "payment_failed", "expired"]


class FeeReported(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    charge_id: str


class RefundChanged(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    charge_id: str
    refund: ProviderRefund


class DisputeChanged(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A dispute as it stands. Money is cumulative: what the bank withdrew and gave back in all, and
    the fees kept and returned with it."""

    provider_id: str
    charge_id: str
    amount_cents: int
    currency: str
    reason: str
    status: DisputeStatus
    withdrawn_cents: int = 0
    fee_cents: int = 0
    reinstated_cents: int = 0
    returned_fee_cents: int = 0
    due_by: datetime | None = None

    def report(self) -> DisputeReport:
        return DisputeReport(
            status=self.status,
            withdrawn_cents=self.withdrawn_cents,
            fee_cents=self.fee_cents,
            reinstated_cents=self.reinstated_cents,
            returned_fee_cents=self.returned_fee_cents,
            due_by=self.due_by,
        )


class AccountChanged(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    account_id: str


class PayoutChanged(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A payout that we asked for on a connected account ended, or came back."""

    payout_id: UUID


class PurchaseTold(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Something happened to a purchase of credits: ask how its page stands."""

    purchase_id: UUID


class PlanCheckoutTold(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Something happened to the page of a plan: ask how it stands."""

    checkout_id: UUID


class SubscriptionTold(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Something happened to a subscription, or to an invoice of it: fetch it."""

    provider_id: str


class Irrelevant(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    kind: str


PaymentEvent = (
    PaymentCaptured
    | CheckoutEnded
    | FeeReported
    | RefundChanged
    | DisputeChanged
    | AccountChanged
    | PayoutChanged
    | PurchaseTold
    | PlanCheckoutTold
    | SubscriptionTold
    | Irrelevant
)


class InboundEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A verified message from outside, as it is kept in the inbox."""

    source: str
    external_id: str
    kind: str
    payload: bytes


class PaymentWebhooks(Protocol):
    def verify(
        self, headers: Mapping[str, str], body: bytes, *, endpoint: Literal["platform", "connect"]
    ) -> InboundEvent:
        """Check signature and age (300 s past and future). Raises SignatureRefused."""
        ...

    def read(self, payload: bytes) -> PaymentEvent:
        """Understand a stored payload. Raises msgspec.DecodeError for what it cannot read."""
        ...

    def undelivered(self, *, since: datetime) -> AsyncIterator[Sequence[InboundEvent]]:
        """Pages of events that the provider could not deliver to us."""
        ...
