"""Payout providers in memory: one that pays bank accounts, one that pays out connected accounts.

What happens at the bank (`complete`, `fail`, `give_back`) is for tests to say.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import msgspec

from adapters.memory.payee_accounts import MemoryPayeeAccounts
from adapters.memory.provider_calls import ProviderCalls, refused
from application.ports.clock import Clock
from application.ports.payments import InboundEvent
from application.ports.payouts import (
    PROVIDER_SHORT,
    WRONG_AMOUNTS,
    LinkToken,
    PayoutEvent,
    PayoutFact,
    PayoutOrder,
    ProviderBankAccount,
)
from application.ports.webhooks import SignatureRefused
from domain.ledger.payout import PayoutSpeed, PayoutWord
from domain.shared.money import Currency

DEPOSITS = (32, 45)
INSTANT_COST_CENTS = 25
SIGNATURE = "memory-payout-signature"
TOLERANCE_S = 300


@dataclass
class _Rail:
    """Orders by our id; the first order of an id is the order, for good."""

    calls: ProviderCalls
    facts: dict[UUID, PayoutFact] = field(default_factory=dict)
    orders: dict[UUID, PayoutOrder] = field(default_factory=dict)

    def take(self, order: PayoutOrder, *, prefix: str, cost_cents: int) -> PayoutFact:
        fact = PayoutFact(
            provider_id=f"{prefix}_{len(self.facts) + 1}",
            payout_id=order.payout_id,
            word=PayoutWord.UNDER_WAY,
            amount_cents=order.amount_cents,
            currency=order.currency,
            fee_cents=cost_cents,
        )
        self.facts[order.payout_id] = fact
        self.orders[order.payout_id] = order
        return fact

    async def find(self, payout_id: UUID, *, destination: str) -> PayoutFact | None:
        self.calls.read("find")
        return self.facts.get(payout_id)

    async def state(self, provider_id: str, *, destination: str) -> PayoutFact:
        self.calls.read("state")
        for fact in self.facts.values():
            if fact.provider_id == provider_id:
                return fact
        raise refused("There is no such payout.", reason="resource_missing")

    async def check(self) -> None:
        self.calls.read("check")

    # What happens at the bank.

    def complete(self, payout_id: UUID) -> None:
        self._say(payout_id, PayoutWord.COMPLETED)

    def _say(self, payout_id: UUID, word: PayoutWord, reason: str | None = None) -> None:
        self.facts[payout_id] = msgspec.structs.replace(
            self.facts[payout_id], word=word, reason=reason
        )


@dataclass
class MemoryBankRail(_Rail):
    """See `application.ports.payouts.PayoutRail`, and `PayoutBalance`."""

    accounts: "MemoryBankAccountProvider" = field(kw_only=True)
    funds_cents: int = 100_000_000

    async def send(self, order: PayoutOrder) -> PayoutFact:
        def act() -> PayoutFact:
            self.accounts.require_open(order.destination)
            cost = INSTANT_COST_CENTS if order.speed is PayoutSpeed.INSTANT else 0
            if order.amount_cents + cost > self.funds_cents:
                raise refused("There are no funds for this.", reason=PROVIDER_SHORT)
            self.funds_cents -= order.amount_cents + cost
            return self.take(order, prefix="tr", cost_cents=cost)

        def known_or_act() -> PayoutFact:
            known = self.orders.get(order.payout_id)
            if known is None:
                return act()
            if known != order:
                raise refused("The key was used for another body.", reason="idempotency_mismatch")
            return self.facts[order.payout_id]

        return self.calls.act("send", known_or_act)

    async def available_cents(self, destination: str, *, currency: str) -> int | None:
        return None

    async def held(self) -> Mapping[Currency, int]:
        self.calls.read("held")
        return {Currency("usd"): self.funds_cents}

    def fail(self, payout_id: UUID, *, reason: str = "account_closed") -> None:
        self._say(payout_id, PayoutWord.FAILED, reason)
        fact = self.facts[payout_id]
        self.funds_cents += fact.amount_cents + fact.fee_cents

    def give_back(self, payout_id: UUID, *, reason: str = "account_closed") -> None:
        """The bank returns what it had taken."""
        self._say(payout_id, PayoutWord.RETURNED, reason)
        self.funds_cents += self.facts[payout_id].amount_cents


@dataclass
class MemoryConnectRail(_Rail):
    """Payouts of what lies on the accounts of the played payment provider."""

    clock: Clock = field(kw_only=True)
    accounts: MemoryPayeeAccounts = field(kw_only=True)

    async def send(self, order: PayoutOrder) -> PayoutFact:
        def act() -> PayoutFact:
            if order.payout_id in self.facts:
                return self.facts[order.payout_id]
            if not self.accounts.require(order.destination).payouts_enabled:
                raise refused("Payouts are not enabled.", reason="payouts_not_allowed")
            if self._there(order) < order.amount_cents:
                raise refused("There is not that much.", reason="balance_insufficient")
            self._move(order, -order.amount_cents)
            return self.take(order, prefix="po", cost_cents=0)

        key = f"payout:{order.payout_id}"
        return self.calls.once("send", key=key, request=order, act=act)

    async def available_cents(self, destination: str, *, currency: str) -> int | None:
        self.calls.read("available_cents")
        return self.accounts.available_cents(destination, currency=currency)

    def fail(self, payout_id: UUID, *, reason: str = "account_closed") -> None:
        self._say(payout_id, PayoutWord.FAILED, reason)
        order = self.orders[payout_id]
        self._move(order, order.amount_cents)

    give_back = fail
    """Stripe calls both `failed`."""

    def _there(self, order: PayoutOrder) -> int:
        return self.accounts.available_cents(order.destination, currency=order.currency)

    def _move(self, order: PayoutOrder, amount_cents: int) -> None:
        self.accounts.move(
            order.destination,
            amount_cents=amount_cents,
            currency=order.currency,
            available_at=self.clock.now(),
        )


class MemoryBankAccountProvider:
    """Bank accounts by tokens that `tokenise` makes, as a payee's browser does."""

    def __init__(self, calls: ProviderCalls) -> None:
        self._calls = calls
        self._tokens: dict[str, ProviderBankAccount] = {}
        self._opened: dict[str, ProviderBankAccount] = {}
        self._by_key: dict[str, str] = {}
        self._made = 0
        self.closed: set[str] = set()

    def tokenise(
        self, *, last4: str = "6789", holder: str = "Somebody", linked: bool = False
    ) -> str:
        self._made += 1
        token = f"{'processor' if linked else 'btok'}-{self._made}"
        self._tokens[token] = ProviderBankAccount(
            provider_id=f"ba_{self._made}",
            last4=last4,
            currency="usd",
            verified=linked,
            bank_name="Memory Bank",
            holder=holder,
        )
        return token

    async def open_account(
        self, *, key: str, token: str | None = None, processor_token: str | None = None
    ) -> ProviderBankAccount:
        def act() -> ProviderBankAccount:
            if key in self._by_key:
                return self._opened[self._by_key[key]]
            made = self._tokens.pop(token or processor_token or "", None)
            if made is None or made.verified is not (processor_token is not None):
                raise refused("There is no such token.", reason="token_invalid")
            self._opened[made.provider_id] = made
            self._by_key[key] = made.provider_id
            return made

        return self._calls.act("open_account", act)

    async def verify_account(self, provider_id: str, *, amounts_cents: tuple[int, int]) -> None:
        def act() -> None:
            account = self._known(provider_id)
            if sorted(amounts_cents) != sorted(DEPOSITS):
                raise refused("These are not the amounts.", reason=WRONG_AMOUNTS)
            self._opened[provider_id] = msgspec.structs.replace(account, verified=True)

        self._calls.act("verify_account", act)

    async def close_account(self, provider_id: str) -> None:
        self._calls.read("close_account")
        self.closed.add(provider_id)

    def require_open(self, provider_id: str) -> None:
        account = self._opened.get(provider_id)
        if account is None or provider_id in self.closed:
            raise refused("The account is closed.", reason="account_closed")
        if not account.verified:
            raise refused("The account is not verified.", reason="account_unverified")

    def _known(self, provider_id: str) -> ProviderBankAccount:
        if provider_id not in self._opened or provider_id in self.closed:
            raise refused("There is no such account.", reason="account_closed")
        return self._opened[provider_id]


class MemoryBankLinks:
    """`pick` is what a person does on the link's page."""

    def __init__(
        self, clock: Clock, *, calls: ProviderCalls, accounts: MemoryBankAccountProvider
    ) -> None:
        self._clock = clock
        self._calls = calls
        self._accounts = accounts
        self._public: dict[str, tuple[str, str]] = {}
        self._started = 0

    async def start(self, *, payee_id: UUID) -> LinkToken:
        self._calls.read("start")
        self._started += 1
        return LinkToken(
            link_token=f"link-{self._started}", expires_at=self._clock.now() + timedelta(hours=4)
        )

    def pick(self, *, last4: str = "6789", holder: str = "Somebody") -> tuple[str, str]:
        """Answers a public token and the id of the picked account."""
        number = len(self._public) + 1
        token = self._accounts.tokenise(last4=last4, holder=holder, linked=True)
        self._public[f"public-{number}"] = (f"account-{number}", token)
        return f"public-{number}", f"account-{number}"

    async def processor_token(self, *, public_token: str, account_id: str) -> str:
        self._calls.read("processor_token")
        picked, token = self._public.get(public_token, ("", ""))
        if not token or picked != account_id:
            raise refused("There is no such token.", reason="INVALID_PUBLIC_TOKEN")
        return token

    async def check(self) -> None:
        self._calls.read("check")


class _Notice(msgspec.Struct):
    id: str
    payout_id: UUID | None


class MemoryPayoutWebhooks:
    """The first secret signs; all of them are accepted."""

    def __init__(self, clock: Clock, *, secrets: tuple[str, ...] = ("memory-payout",)) -> None:
        self._clock = clock
        self._secrets = secrets
        self._told = 0

    def tell(
        self, payout_id: UUID | None, *, secret: str | None = None, late_s: int = 0
    ) -> tuple[dict[str, str], bytes]:
        """A webhook as it would arrive: headers and body."""
        self._told += 1
        body = msgspec.json.encode(_Notice(id=f"evt_{self._told}", payout_id=payout_id))
        stamp = int(self._clock.now().timestamp()) - late_s
        return {SIGNATURE: _signed(secret or self._secrets[0], stamp, body)}, body

    def verify(self, headers: Mapping[str, str], body: bytes) -> InboundEvent:
        given = headers.get(SIGNATURE, "")
        stamp = given.partition(".")[0]
        if not stamp.isdigit():
            raise SignatureRefused("There is no signature.")
        if abs(self._clock.now().timestamp() - int(stamp)) > TOLERANCE_S:
            raise SignatureRefused("The signature is too old, or from the future.")
        if not any(hmac.compare_digest(given, _signed(s, int(stamp), body)) for s in self._secrets):
            raise SignatureRefused("The signature does not match.")
        notice = msgspec.json.decode(body, type=_Notice)
        return InboundEvent(source="payout", external_id=notice.id, kind="transfer", payload=body)

    def read(self, payload: bytes) -> PayoutEvent:
        return PayoutEvent(payout_id=msgspec.json.decode(payload, type=_Notice).payout_id)


def _signed(secret: str, stamp: int, body: bytes) -> str:
    content = f"{stamp}.".encode() + body
    return f"{stamp}.{hmac.digest(secret.encode(), content, 'sha256').hex()}"
