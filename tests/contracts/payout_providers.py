"""The payout providers that the contracts are held against, and what happens at the banks."""

import abc
import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal
from uuid import UUID, uuid4

import pytest

from adapters.flowpay.accounts import FlowPayAccounts
from adapters.flowpay.transfers import FlowPayTransfers
from adapters.flowpay.transport import FlowPayApi
from adapters.memory.payee_accounts import MemoryPayeeAccounts
from adapters.memory.payment_webhooks import MemoryPaymentWebhooks
from adapters.memory.payout_provider import (
    MemoryBankAccountProvider,
    MemoryBankLinks,
    MemoryBankRail,
    MemoryConnectRail,
)
from adapters.memory.provider_calls import ProviderCalls
from adapters.memory.system import ManualClock
from adapters.plaid.links import PlaidLinks
from adapters.stripe.accounts import StripePayeeAccounts
from adapters.stripe.payouts import StripePayouts
from application.ports.payouts import (
    BankAccountProvider,
    BankLinks,
    PayoutOrder,
    PayoutRail,
)
from domain.ledger.payout import PayoutSpeed
from tests.contracts.conftest import Sandbox
from tests.contracts.payment_providers import stripe_over

Fault = Literal["unavailable", "lost_answer"]


class World(abc.ABC):
    """A rail, and the world behind it."""

    rail: PayoutRail

    @abc.abstractmethod
    async def destination(self, *, cents: int = 1_000_000) -> str:
        """One that can be paid that much."""

    @abc.abstractmethod
    async def closed(self) -> str:
        """One that cannot be paid."""

    @abc.abstractmethod
    async def complete(self, payout_id: UUID, provider_id: str) -> None: ...

    @abc.abstractmethod
    async def fail(self, payout_id: UUID, provider_id: str) -> None: ...

    @abc.abstractmethod
    async def give_back(self, payout_id: UUID, provider_id: str) -> None:
        """After it was completed."""

    @abc.abstractmethod
    async def trouble(self, fault: Fault) -> None:
        """With the next sending."""

    def order(
        self, destination: str, *, cents: int = 5000, speed: PayoutSpeed = PayoutSpeed.STANDARD
    ) -> PayoutOrder:
        return PayoutOrder(
            payout_id=uuid4(),
            destination=destination,
            amount_cents=cents,
            currency="usd",
            speed=speed,
        )


class MemoryBanks(World):
    def __init__(self) -> None:
        self.calls = ProviderCalls(ManualClock())
        self.accounts = MemoryBankAccountProvider(self.calls)
        self.memory = MemoryBankRail(self.calls, accounts=self.accounts)
        self.rail = self.memory

    async def destination(self, *, cents: int = 1_000_000) -> str:
        token = self.accounts.tokenise(linked=True)
        return (await self.accounts.open_account(key=token, processor_token=token)).provider_id

    async def closed(self) -> str:
        account = await self.destination()
        await self.accounts.close_account(account)
        return account

    async def complete(self, payout_id: UUID, provider_id: str) -> None:
        self.memory.complete(payout_id)

    async def fail(self, payout_id: UUID, provider_id: str) -> None:
        self.memory.fail(payout_id)

    async def give_back(self, payout_id: UUID, provider_id: str) -> None:
        self.memory.give_back(payout_id)

    async def trouble(self, fault: Fault) -> None:
        self.calls.fail("send", fault)


class MemoryConnect(World):
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.calls = ProviderCalls(self.clock)
        self.accounts = MemoryPayeeAccounts(
            self.clock, calls=self.calls, webhooks=MemoryPaymentWebhooks(self.clock)
        )
        self.memory = MemoryConnectRail(self.calls, clock=self.clock, accounts=self.accounts)
        self.rail = self.memory

    async def destination(self, *, cents: int = 1_000_000) -> str:
        account = await self.accounts.open_account(payee_id=uuid4(), email=None, country=None)
        self.accounts.complete_onboarding(account)
        self.accounts.move(
            account, amount_cents=cents, currency="usd", available_at=self.clock.now()
        )
        return account

    async def closed(self) -> str:
        account = await self.destination()
        self.accounts.suspend(account, reason="rejected.fraud")
        return account

    async def complete(self, payout_id: UUID, provider_id: str) -> None:
        self.memory.complete(payout_id)

    async def fail(self, payout_id: UUID, provider_id: str) -> None:
        self.memory.fail(payout_id)

    async def give_back(self, payout_id: UUID, provider_id: str) -> None:
        self.memory.give_back(payout_id)

    async def trouble(self, fault: Fault) -> None:
        self.calls.fail("send", fault)


class FlowPaySandbox(World):
    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.api = FlowPayApi(api_key="fp_test_sandbox", base_url=f"{sandbox.url}/flowpay")
        self.rail = FlowPayTransfers(self.api)
        self.accounts = FlowPayAccounts(self.api)
        sandbox.control("flowpay/behaviour", automatic=False)

    async def destination(self, *, cents: int = 1_000_000) -> str:
        token = tokenise(self.sandbox)
        account = await self.accounts.open_account(key=token, token=token)
        await self.accounts.verify_account(account.provider_id, amounts_cents=(45, 32))
        return account.provider_id

    async def closed(self) -> str:
        account = await self.destination()
        await self.accounts.close_account(account)
        return account

    async def complete(self, payout_id: UUID, provider_id: str) -> None:
        self.sandbox.control(f"flowpay/transfers/{provider_id}/complete")

    async def fail(self, payout_id: UUID, provider_id: str) -> None:
        self.sandbox.control(f"flowpay/transfers/{provider_id}/fail")

    async def give_back(self, payout_id: UUID, provider_id: str) -> None:
        self.sandbox.control(f"flowpay/transfers/{provider_id}/return")

    async def trouble(self, fault: Fault) -> None:
        arm(self.sandbox, "flowpay", "POST /v1/transfers", fault)


class StripeSandbox(World):
    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.api = stripe_over(sandbox)
        self.rail = StripePayouts(self.api)
        sandbox.control("stripe/payouts", automatic=False)

    async def destination(self, *, cents: int = 1_000_000) -> str:
        accounts = StripePayeeAccounts(self.api)
        account = await accounts.open_account(
            payee_id=uuid4(), email="payee@shop.test", country="US"
        )
        self.sandbox.control(f"stripe/accounts/{account}/complete_onboarding")
        self.sandbox.control(f"stripe/accounts/{account}/balance", amount=cents)
        return account

    async def closed(self) -> str:
        account = await self.destination()
        self.sandbox.control(
            f"stripe/accounts/{account}", transfers="inactive", disabled_reason="rejected.fraud"
        )
        return account

    async def complete(self, payout_id: UUID, provider_id: str) -> None:
        self.sandbox.control(f"stripe/payouts/{provider_id}/pay")

    async def fail(self, payout_id: UUID, provider_id: str) -> None:
        self.sandbox.control(f"stripe/payouts/{provider_id}/fail", code="account_closed")

    give_back = fail

    async def trouble(self, fault: Fault) -> None:
        arm(self.sandbox, "stripe", "POST /v1/payouts", fault)


def arm(sandbox: Sandbox, provider: str, operation: str, fault: Fault) -> None:
    kind = "status" if fault == "unavailable" else "timeout_after_acceptance"
    sandbox.control(
        "failures", provider=provider, kind=kind, operation=operation, status=503, times=1
    )


def tokenise(sandbox: Sandbox, *, number: str = "000123456789", holder: str = "Ada Lace") -> str:
    """What the payee's browser does with the account's number."""
    answer = sandbox.http.post(
        f"{sandbox.url}/flowpay/v1/tokens", json={"account_number": number, "holder_name": holder}
    )
    return str(answer.raise_for_status().json()["id"])


RAILS = ("memory-bank", "memory-connect", "flowpay", "stripe")


@asynccontextmanager
async def rail_world_for(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    match request.param:
        case "memory-bank":
            yield MemoryBanks()
        case "memory-connect":
            yield MemoryConnect()
        case "flowpay":
            flowpay = FlowPaySandbox(request.getfixturevalue("sandbox"))
            yield flowpay
            await flowpay.api.aclose()
        case _:
            stripe = StripeSandbox(request.getfixturevalue("sandbox"))
            yield stripe
            await stripe.api.close()


class Banks(abc.ABC):
    """Bank accounts and links, and the people who pick and type."""

    accounts: BankAccountProvider
    links: BankLinks

    @abc.abstractmethod
    def token(self, *, last4: str = "6789", holder: str = "Ada Lace") -> str: ...

    @abc.abstractmethod
    def pick(self, *, last4: str = "6789", holder: str = "Ada Lace") -> tuple[str, str]: ...

    @abc.abstractmethod
    def away(self) -> None:
        """All of it, from now on."""


class BanksInMemory(Banks):
    def __init__(self) -> None:
        clock = ManualClock()
        self.calls = ProviderCalls(clock)
        self.memory = MemoryBankAccountProvider(self.calls)
        self.accounts = self.memory
        self.memory_links = MemoryBankLinks(clock, calls=self.calls, accounts=self.memory)
        self.links = self.memory_links

    def token(self, *, last4: str = "6789", holder: str = "Ada Lace") -> str:
        return self.memory.tokenise(last4=last4, holder=holder)

    def pick(self, *, last4: str = "6789", holder: str = "Ada Lace") -> tuple[str, str]:
        return self.memory_links.pick(last4=last4, holder=holder)

    def away(self) -> None:
        for operation in ("open_account", "verify_account", "close_account", "start"):
            self.calls.fail(operation, "unavailable")


class BanksInTheSandbox(Banks):
    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.api = FlowPayApi(api_key="fp_test_sandbox", base_url=f"{sandbox.url}/flowpay")
        self.accounts = FlowPayAccounts(self.api)
        self.plaid = PlaidLinks(
            client_id="sandbox", secret="plaid_sandbox", base_url=f"{sandbox.url}/plaid"
        )
        self.links = self.plaid

    def token(self, *, last4: str = "6789", holder: str = "Ada Lace") -> str:
        return tokenise(self.sandbox, number=f"00012345{last4}", holder=holder)

    def pick(self, *, last4: str = "6789", holder: str = "Ada Lace") -> tuple[str, str]:
        picked = self.sandbox.control(
            "plaid/pick", account_number=f"00012345{last4}", holder=holder
        )
        return picked["public_token"], picked["account_id"]

    def away(self) -> None:
        for provider in ("flowpay", "plaid"):
            self.sandbox.control("failures", provider=provider, kind="status", status=503)


@asynccontextmanager
async def banks_for(request: pytest.FixtureRequest) -> AsyncIterator[Banks]:
    if request.param == "memory":
        yield BanksInMemory()
        return
    banks = BanksInTheSandbox(request.getfixturevalue("sandbox"))
    yield banks
    await banks.api.aclose()
    await banks.plaid.aclose()


def standard_webhook(
    body: bytes, *, secret: str, at: int, message_id: str = "msg_1"
) -> dict[str, str]:
    """Signed as standardwebhooks.com says, by another hand than the adapter's or the sandbox's."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = f"{message_id}.{at}.".encode() + body
    digest = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    return {
        "Webhook-Id": message_id,
        "Webhook-Timestamp": str(at),
        "Webhook-Signature": f"v1a,ignored v1,{digest}",
    }
