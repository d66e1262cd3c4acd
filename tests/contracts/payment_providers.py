"""The payment providers that the contracts are held against, and what people do at each of them."""

import abc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID

import httpx
import msgspec
import pytest
import stripe
import uuid_utils.compat

from adapters.memory.payment_webhooks import sign as sign_in_memory
from adapters.memory.payments import MemoryPaymentProvider
from adapters.memory.system import ManualClock
from adapters.stripe.accounts import StripePayeeAccounts
from adapters.stripe.books import StripeBooks
from adapters.stripe.client import StripeApi
from adapters.stripe.payments import StripePayments
from adapters.stripe.webhooks import StripeWebhooks
from application.ports.payments import (
    CapturedPayment,
    CheckoutLine,
    CheckoutPage,
    CheckoutRequest,
    PayeeAccounts,
    PaymentEvent,
    Payments,
    PaymentWebhooks,
)
from application.ports.provider_books import ProviderBooks
from tests.contracts.conftest import Sandbox

Fault = Literal["unavailable", "lost_answer"]
Endpoint = Literal["platform", "connect"]
Verdict = Literal["won", "lost"]
PLENTY_CENTS = 100_000_000
"""More than any provider advances."""
NOWHERE = "http://127.0.0.1:9/"


def new_id() -> UUID:
    return uuid_utils.compat.uuid7()


class Provider(abc.ABC):
    """The ports under test, and the world behind them."""

    payments: Payments
    accounts: PayeeAccounts
    webhooks: PaymentWebhooks
    books: ProviderBooks
    secrets: dict[Endpoint, str]

    @abc.abstractmethod
    def now(self) -> datetime: ...

    @abc.abstractmethod
    async def pay(self, session_id: str) -> None:
        """By card."""

    @abc.abstractmethod
    async def promise(self, session_id: str, *, will_pay: bool) -> None:
        """By bank debit, which `settle` carries out."""

    @abc.abstractmethod
    async def settle(self) -> None: ...

    @abc.abstractmethod
    async def onboard(self, account_id: str) -> None: ...

    @abc.abstractmethod
    async def days_pass(self, days: int) -> None: ...

    @abc.abstractmethod
    async def fund(self, *, amount_cents: int) -> None:
        """Move money onto our own balance, or (negative) away from it."""

    @abc.abstractmethod
    async def return_refund(self, refund_id: str) -> None:
        """The buyer's bank sends a refund back."""

    @abc.abstractmethod
    async def contest(self, charge_id: str, *, cents: int | None = None) -> str:
        """The buyer's bank withdraws a charge, or a part; answers the dispute's id."""

    @abc.abstractmethod
    async def inquire(self, charge_id: str) -> str:
        """The bank asks, and takes nothing yet; answers the dispute's id."""

    @abc.abstractmethod
    async def escalate(self, dispute_id: str) -> None:
        """An inquiry becomes a dispute."""

    @abc.abstractmethod
    async def close_inquiry(self, dispute_id: str) -> None: ...

    @abc.abstractmethod
    async def decide(
        self, dispute_id: str, outcome: Verdict, *, fee_returned: bool = False
    ) -> None: ...

    @abc.abstractmethod
    async def fail(self, operation: str, fault: Fault) -> None: ...

    @abc.abstractmethod
    async def recover(self) -> None: ...

    @abc.abstractmethod
    async def account_events(self, account_id: str) -> list[bytes]:
        """Payloads of what the Connect endpoint is told of this account."""

    @abc.abstractmethod
    def sign(self, body: bytes, *, secret: str, at: datetime) -> dict[str, str]: ...

    async def told(self) -> list[PaymentEvent]:
        """All that the platform endpoint should have heard, none of which was delivered."""
        since = self.now() - timedelta(days=1)
        return [
            self.webhooks.read(event.payload)
            async for page in self.webhooks.undelivered(since=since)
            for event in page
        ]

    def checkout(self, *, order_id: UUID | None = None, cents: int = 2500) -> CheckoutRequest:
        return CheckoutRequest(
            order_id=order_id or new_id(),
            currency="usd",
            lines=(CheckoutLine(title="Print", unit_price_cents=cents, quantity=1),),
            customer_email=None,
            success_url="https://shop.test/thanks",
            cancel_url="https://shop.test/cart",
            expires_at=(self.now() + timedelta(hours=1)).replace(microsecond=0),
        )

    async def paid_order(self, *, cents: int = 2500) -> CapturedPayment:
        page: CheckoutPage = await self.payments.start_checkout(self.checkout(cents=cents))
        await self.pay(page.session_id)
        captured = (await self.payments.checkout_state(page.session_id)).captured
        assert captured is not None
        return captured

    async def payee(self) -> str:
        account_id = await self.accounts.open_account(
            payee_id=new_id(), email="payee@shop.test", country="US"
        )
        await self.onboard(account_id)
        return account_id


class MemoryProvider(Provider):
    def __init__(self) -> None:
        self._clock = ManualClock()
        self._world = MemoryPaymentProvider(self._clock)
        self.payments = self._world.payments
        self.accounts = self._world.accounts
        self.webhooks = self._world.webhooks
        self.books = self._world.books
        self.secrets = {"platform": "memory", "connect": "memory-connect"}
        self._promised: dict[str, bool] = {}

    def now(self) -> datetime:
        return self._clock.now()

    async def pay(self, session_id: str) -> None:
        self._world.payments.pay(session_id)

    async def promise(self, session_id: str, *, will_pay: bool) -> None:
        self._world.payments.promise(session_id)
        self._promised[session_id] = will_pay

    async def settle(self) -> None:
        for session_id, paid in self._promised.items():
            self._world.payments.settle(session_id, paid=paid)

    async def onboard(self, account_id: str) -> None:
        self._world.accounts.complete_onboarding(account_id)

    async def days_pass(self, days: int) -> None:
        self._clock.advance(timedelta(days=days))

    async def fund(self, *, amount_cents: int) -> None:
        self._world.payments.fund(amount_cents=amount_cents, currency="usd")

    async def return_refund(self, refund_id: str) -> None:
        self._world.payments.return_refund(refund_id, reason="expired_or_canceled_card")

    async def contest(self, charge_id: str, *, cents: int | None = None) -> str:
        return self._world.payments.dispute(charge_id, amount_cents=cents)

    async def inquire(self, charge_id: str) -> str:
        return self._world.payments.inquire(charge_id)

    async def escalate(self, dispute_id: str) -> None:
        self._world.payments.withdraw(dispute_id)

    async def close_inquiry(self, dispute_id: str) -> None:
        self._world.payments.close_inquiry(dispute_id)

    async def decide(
        self, dispute_id: str, outcome: Verdict, *, fee_returned: bool = False
    ) -> None:
        self._world.payments.decide(dispute_id, outcome, fee_returned=fee_returned)

    async def fail(self, operation: str, fault: Fault) -> None:
        self._world.calls.fail(operation, fault)

    async def recover(self) -> None:
        self._world.calls.recover()

    async def account_events(self, account_id: str) -> list[bytes]:
        return [told.body for told in self._world.webhooks.take() if told.endpoint == "connect"]

    def sign(self, body: bytes, *, secret: str, at: datetime) -> dict[str, str]:
        return sign_in_memory(body, secret=secret, timestamp=int(at.timestamp()))


OPERATIONS = {
    "start_checkout": "POST /v1/checkout/sessions",
    "checkout_state": "GET /v1/checkout/sessions/{id}",
    "refund": "POST /v1/refunds",
    "transfer": "POST /v1/transfers",
    "reverse_transfer": "POST /v1/transfers/{id}/reversals",
    "submit_evidence": "POST /v1/disputes/{id}",
    "evidence_submitted": "GET /v1/disputes/{id}",
    "open_account": "POST /v1/accounts",
    "account_state": "GET /v1/accounts/{id}",
    "check": "GET /v1/balance",
    "movements": "GET /v1/balance_transactions",
}


class SandboxProvider(Provider):
    """The real adapter and SDK over HTTP. No retries: every lost answer is seen at once."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self.secrets = {"platform": "whsec_sandbox", "connect": "whsec_sandbox_connect"}
        self.api = stripe_over(sandbox)
        self.payments = StripePayments(self.api)
        self.accounts = StripePayeeAccounts(self.api)
        self.books = StripeBooks(self.api)
        self.webhooks = StripeWebhooks(
            self.api,
            platform_secrets=[self.secrets["platform"]],
            connect_secrets=[self.secrets["connect"]],
        )
        sandbox.control("stripe/endpoints", url=NOWHERE, connect_url=NOWHERE)
        sandbox.control("webhooks", channel="stripe", drop_every=1)

    async def close(self) -> None:
        self._sandbox.control("stripe/endpoints", url="", connect_url="")
        await self.api.close()

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._sandbox.state()["now"], UTC)

    async def pay(self, session_id: str) -> None:
        await self._press_pay(session_id, card="4242424242424242")

    async def promise(self, session_id: str, *, will_pay: bool) -> None:
        await self._press_pay(session_id, card="bank_debit" if will_pay else "bank_debit_fails")

    async def settle(self) -> None:
        self._sandbox.control("drain")

    async def onboard(self, account_id: str) -> None:
        self.complete_onboarding(account_id)

    def complete_onboarding(self, account_id: str) -> None:
        self._sandbox.control(f"stripe/accounts/{account_id}/complete_onboarding")

    async def days_pass(self, days: int) -> None:
        self._sandbox.control("clock", advance_seconds=days * 24 * 3600)

    async def fund(self, *, amount_cents: int) -> None:
        self._sandbox.control("stripe/balance", amount=amount_cents)

    async def return_refund(self, refund_id: str) -> None:
        self._sandbox.control(f"stripe/refunds/{refund_id}/fail", code="expired_or_canceled_card")

    async def contest(self, charge_id: str, *, cents: int | None = None) -> str:
        path = f"stripe/charges/{charge_id}/dispute"
        return str(self._sandbox.control(path, amount=cents)["id"])

    async def inquire(self, charge_id: str) -> str:
        path = f"stripe/charges/{charge_id}/dispute"
        return str(self._sandbox.control(path, inquiry=True)["id"])

    async def escalate(self, dispute_id: str) -> None:
        self._sandbox.control(f"stripe/disputes/{dispute_id}/escalate")

    async def close_inquiry(self, dispute_id: str) -> None:
        self._sandbox.control(f"stripe/disputes/{dispute_id}/close", outcome="warning_closed")

    async def decide(
        self, dispute_id: str, outcome: Verdict, *, fee_returned: bool = False
    ) -> None:
        path = f"stripe/disputes/{dispute_id}/close"
        self._sandbox.control(path, outcome=outcome, fee_returned=fee_returned)

    async def fail(self, operation: str, fault: Fault) -> None:
        kind = "status" if fault == "unavailable" else "timeout_after_acceptance"
        self._sandbox.control(
            "failures", provider="stripe", kind=kind, operation=OPERATIONS[operation], status=503
        )

    async def recover(self) -> None:
        async with httpx.AsyncClient() as client:
            await client.delete(f"{self._sandbox.url}/control/failures")

    async def account_events(self, account_id: str) -> list[bytes]:
        answer = await self.api.client.raw_request_async(
            "get", "/v1/events", stripe_account=account_id
        )
        return [bytes(raw) for raw in msgspec.json.decode(answer.body, type=_Events).data]

    def sign(self, body: bytes, *, secret: str, at: datetime) -> dict[str, str]:
        header = stripe.WebhookSignature.generate_signature_header(
            body.decode(), secret, int(at.timestamp())
        )
        return {"Stripe-Signature": header}

    async def _press_pay(self, session_id: str, *, card: str) -> None:
        url = f"{self._sandbox.url}/stripe/checkout/{session_id}/pay"
        async with httpx.AsyncClient() as client:
            answer = await client.post(url, data={"card": card})
        assert answer.status_code == 303, answer.text


class _Events(msgspec.Struct):
    data: list[msgspec.Raw]


def stripe_over(sandbox: Sandbox, *, retries: int = 0, timeout_s: float = 10.0) -> StripeApi:
    return StripeApi(
        secret_key="sk_test_sandbox",
        base_url=f"{sandbox.url}/stripe",
        retries=retries,
        retry_pause_s=0.01,
        timeout_s=timeout_s,
    )


PROVIDERS = ("memory", "stripe")


@asynccontextmanager
async def provider_for(request: pytest.FixtureRequest) -> AsyncIterator[Provider]:
    """The provider that a parametrised fixture asks for."""
    if request.param == "memory":
        yield MemoryProvider()
        return
    provider = SandboxProvider(request.getfixturevalue("sandbox"))
    try:
        yield provider
    finally:
        await provider.close()
