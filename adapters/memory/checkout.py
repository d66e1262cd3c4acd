"""The played payment provider's checkout pages, the charges they lead to, and our own balance."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from adapters.memory.payment_webhooks import MemoryPaymentWebhooks
from adapters.memory.provider_books import MemoryProviderBooks
from adapters.memory.provider_calls import ProviderCalls, refused
from application.ports.clock import Clock
from application.ports.payments import (
    CapturedPayment,
    CheckoutEnded,
    CheckoutPage,
    CheckoutRequest,
    CheckoutState,
    FeeReported,
    PaymentCaptured,
    ProcessingFee,
    ProviderRefund,
)
from domain.ledger.reconciliation import Movement
from domain.ordering.address import Address

SETTLEMENT = timedelta(days=2)
SHORTEST_PAGE = timedelta(minutes=30)
LONGEST_PAGE = timedelta(hours=24)
MINIMUM_CENTS = 50


@dataclass(slots=True)
class _Session:
    id: str
    request: CheckoutRequest
    status: Literal["open", "complete", "expired"] = "open"
    payment: Literal["unpaid", "processing", "paid"] = "unpaid"
    captured: CapturedPayment | None = None
    ship_to: Address | None = None

    def complete(self, ship_to: Address | None) -> None:
        """The page asks for an address where it was told to, and takes what it is given."""
        self.status = "complete"
        if self.request.allowed_countries:
            country = min(self.request.allowed_countries)
            self.ship_to = ship_to or Address(country=country, name="A buyer", line1="1 Street")


@dataclass(slots=True)
class Charge:
    captured: CapturedPayment
    settles_at: datetime
    refunded_cents: int = 0
    transferred_cents: int = 0
    refunds: list[ProviderRefund] = field(default_factory=list)


class MemoryCheckout:
    def __init__(
        self,
        clock: Clock,
        *,
        calls: ProviderCalls,
        webhooks: MemoryPaymentWebhooks,
        books: MemoryProviderBooks,
        platform_cents: int,
    ) -> None:
        self._clock = clock
        self._calls = calls
        self._webhooks = webhooks
        self._books = books
        self._platform_cents = platform_cents
        self._balance: Counter[str] = Counter()
        self._sessions: dict[str, _Session] = {}
        self._charges: dict[str, Charge] = {}
        self._made = 0

    async def start_checkout(self, request: CheckoutRequest) -> CheckoutPage:
        def act() -> CheckoutPage:
            if not SHORTEST_PAGE <= request.expires_at - self._clock.now() <= LONGEST_PAGE:
                raise refused("A page stays open between 30 minutes and 24 hours.")
            if _total_cents(request) < MINIMUM_CENTS:
                raise refused("The total is too small.", reason="amount_too_small")
            session = _Session(self._new("cs"), request)
            self._sessions[session.id] = session
            return CheckoutPage(
                session_id=session.id,
                url=f"https://payments.invalid/checkout/{session.id}",
                expires_at=request.expires_at.replace(microsecond=0),
            )

        key = f"checkout:{request.order_id}"
        return self._calls.once("start_checkout", key=key, request=request, act=act)

    async def checkout_state(self, session_id: str) -> CheckoutState:
        self._calls.read("checkout_state")
        session = self._session(session_id)
        return CheckoutState(
            session_id=session.id,
            status=session.status,
            payment=session.payment,
            captured=session.captured,
            ship_to=session.ship_to,
        )

    async def expire_checkout(self, session_id: str) -> None:
        self._calls.read("expire_checkout")
        self._expire(self._session(session_id))

    async def processing_fee(self, charge_id: str) -> ProcessingFee | None:
        self._calls.read("processing_fee")
        paid = self._charge(charge_id).captured
        return ProcessingFee(
            charge_id=charge_id, amount_cents=_fee_cents(paid.amount_cents), currency=paid.currency
        )

    # What happens at the provider.

    def pay(self, session_id: str, *, ship_to: Address | None = None) -> CapturedPayment:
        """The buyer pays by card: the money is there at once."""
        session = self._open(session_id)
        session.complete(ship_to)
        captured = self._capture(session)
        self._ended(session, "completed")
        self._webhooks.tell(FeeReported(charge_id=captured.charge_id))
        return captured

    def promise(self, session_id: str) -> None:
        """The buyer pays by bank debit: the page completes, the money comes later or never."""
        session = self._open(session_id)
        session.complete(None)
        session.payment = "processing"
        self._ended(session, "completed")

    def settle(self, session_id: str, *, paid: bool) -> None:
        """What became of a promise."""
        session = self._session(session_id)
        if paid:
            captured = self._capture(session)
            self._ended(session, "payment_succeeded")
            self._webhooks.tell(FeeReported(charge_id=captured.charge_id))
        else:
            session.payment = "unpaid"
            self._ended(session, "payment_failed")

    def balance_cents(self, currency: str) -> int:
        return self._platform_cents + self._balance[currency]

    def charge(self, amount_cents: int, currency: str) -> str:
        """Somebody pays the platform itself; answers the charge."""
        captured = self._take(UUID(int=0), amount_cents, currency, our_id=None)
        return captured.charge_id

    def _capture(self, session: _Session) -> CapturedPayment:
        order_id, currency = session.request.order_id, session.request.currency
        captured = self._take(order_id, _total_cents(session.request), currency, our_id=order_id)
        session.payment, session.captured = "paid", captured
        self._webhooks.tell(PaymentCaptured(captured=captured))
        return captured

    def _take(
        self, order_id: UUID, amount_cents: int, currency: str, *, our_id: UUID | None
    ) -> CapturedPayment:
        captured = CapturedPayment(
            order_id=order_id,
            payment_id=self._new("pi"),
            charge_id=self._new("ch"),
            amount_cents=amount_cents,
            currency=currency,
        )
        self._charges[captured.charge_id] = Charge(captured, self._clock.now() + SETTLEMENT)
        fee_cents = _fee_cents(amount_cents)
        self._balance[currency] += amount_cents - fee_cents
        self._books.note(
            Movement.CHARGE,
            captured.charge_id,
            amount_cents=amount_cents,
            currency=currency,
            our_id=our_id,
            fee_cents=fee_cents,
        )
        return captured

    def _ended(
        self,
        session: _Session,
        ending: Literal["completed", "payment_succeeded", "payment_failed", "expired"],
    ) -> None:
        self._webhooks.tell(
            CheckoutEnded(order_id=session.request.order_id, session_id=session.id, ending=ending)
        )

    def _expire(self, session: _Session) -> None:
        if session.status == "open":
            session.status = "expired"
            self._ended(session, "expired")

    def _session(self, session_id: str) -> _Session:
        if session_id not in self._sessions:
            raise refused("There is no such checkout.", reason="resource_missing")
        session = self._sessions[session_id]
        if session.request.expires_at <= self._clock.now():
            self._expire(session)
        return session

    def _open(self, session_id: str) -> _Session:
        session = self._session(session_id)
        if session.status != "open":
            raise ValueError(f"the page is {session.status}")
        return session

    def _charge(self, charge_id: str) -> Charge:
        if charge_id not in self._charges:
            raise refused("There is no such charge.", reason="resource_missing")
        return self._charges[charge_id]

    def _new(self, prefix: str) -> str:
        self._made += 1
        return f"{prefix}_{self._made}"


def _total_cents(request: CheckoutRequest) -> int:
    return sum(line.unit_price_cents * line.quantity for line in request.lines)


def _fee_cents(amount_cents: int) -> int:
    """2.9 % + 30 cents, rounded half up."""
    return (amount_cents * 29 + 500) // 1000 + 30
