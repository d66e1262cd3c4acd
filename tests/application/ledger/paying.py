"""A payee with money, a bank account and the providers in memory, over either store."""

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from adapters.memory.payee_accounts import MemoryPayeeAccounts
from adapters.memory.payment_webhooks import MemoryPaymentWebhooks
from adapters.memory.payout_provider import (
    MemoryBankAccountProvider,
    MemoryBankLinks,
    MemoryBankRail,
    MemoryConnectRail,
    MemoryPayoutWebhooks,
)
from adapters.memory.provider_calls import ProviderCalls
from adapters.memory.system import ManualClock
from adapters.memory.unit_of_work import MemoryDatabase, MemoryUnitOfWork
from adapters.system.ids import UuidV7Ids
from application.ledger.bank_account_opening import AddBankAccount, add_bank_account
from application.ledger.bank_account_proof import VerifyBankAccount, verify_bank_account
from application.ledger.bank_accounts import BankAccountView, make_default
from application.ledger.payout_choices import ChoosePayouts, choose
from application.ledger.payouts import record_payout, send_payout
from application.ledger.withdrawals import Withdraw, Withdrawal, withdraw
from application.ports.ids import Ids
from application.ports.payouts import PayoutRails
from application.ports.unit_of_work import UnitOfWork
from domain.identity.actor import Actor
from domain.ledger import effects
from domain.ledger.earning import PayeeBalance
from domain.ledger.effects import Part
from domain.ledger.payee import PayeeKind
from domain.ledger.payout import Payout, PayoutSpeed
from domain.ledger.payout_rules import PayoutPolicy
from domain.ledger.payout_settings import PayoutMethod, PayoutSchedule
from domain.ledger.posting import Account
from tests import builders
from tests.builders import NOON, USD


@dataclass
class Bank:
    """`new_uow` may be that of another store; the providers are always those in memory."""

    new_uow: Callable[[], UnitOfWork]
    clock: ManualClock = field(default_factory=lambda: ManualClock(NOON))
    ids: Ids = field(default_factory=UuidV7Ids)
    policy: PayoutPolicy = field(default_factory=PayoutPolicy)

    def __post_init__(self) -> None:
        self.calls = ProviderCalls(self.clock)
        self.accounts = MemoryBankAccountProvider(self.calls)
        self.links = MemoryBankLinks(self.clock, calls=self.calls, accounts=self.accounts)
        self.bank = MemoryBankRail(self.calls, accounts=self.accounts)
        self.connected = MemoryPayeeAccounts(
            self.clock, calls=self.calls, webhooks=MemoryPaymentWebhooks(self.clock)
        )
        self.connect = MemoryConnectRail(self.calls, clock=self.clock, accounts=self.connected)
        self.webhooks = MemoryPayoutWebhooks(self.clock)
        self.rails: PayoutRails = {
            PayoutMethod.BANK: self.bank,
            PayoutMethod.CONNECT: self.connect,
        }

    async def creator(self, *, name: str = "Ada Lace", ready: bool = True) -> "Payee":
        user = builders.user(display_name=name)
        creator = builders.creator_of(user)
        account_id = await self.connected.open_account(
            payee_id=creator.id, email=None, country=None
        )
        self.connected.complete_onboarding(account_id)
        payee = builders.ready_payee(creator.id, PayeeKind.CREATOR, account_id=account_id)
        payee.payouts_enabled = ready
        async with (uow := self.new_uow()):
            uow.users.add(user)
            await uow.commit()
        async with (uow := self.new_uow()):
            uow.creators.add(creator)
            uow.payees.add(payee)
            await uow.commit()
        return Payee(self, creator.id, Actor(user.id, user.roles), account_id)

    async def payout(self, payout_id: UUID) -> Payout:
        async with (uow := self.new_uow()):
            return await uow.payouts.get(payout_id)

    async def send(self, payout_id: UUID) -> Payout:
        await send_payout(payout_id, uow=self.new_uow(), rails=self.rails, clock=self.clock)
        return await self.payout(payout_id)

    async def hear(self, payout_id: UUID) -> Payout:
        payout = await self.payout(payout_id)
        rail = self.rails[payout.method]
        fact = await rail.find(payout_id, destination=payout.destination)
        assert fact is not None
        await record_payout(payout_id, fact, uow=self.new_uow(), clock=self.clock)
        return await self.payout(payout_id)


@dataclass
class Payee:
    world: Bank
    id: UUID
    actor: Actor
    account_id: str

    async def earn(self, cents: int) -> None:
        """Sold and released."""
        order_id, world = uuid4(), self.world
        sale = effects.sale(
            charge_id=f"ch_{order_id}",
            order_id=order_id,
            currency=USD,
            parts=[Part(Account.PAYABLE_PENDING, self.id, cents)],
            at=NOON,
        )
        release = effects.release(
            order_id=order_id, payee_id=self.id, currency=USD, amount_cents=cents, at=NOON
        )
        async with (uow := world.new_uow()):
            await uow.ledger.post([sale, release])
            await uow.commit()

    async def owe(self, cents: int) -> None:
        """A refund of something long paid out."""
        refund = effects.refund(
            refund_id=uuid4(),
            order_id=uuid4(),
            currency=USD,
            parts=[Part(Account.PAYABLE_AVAILABLE, self.id, cents)],
            at=NOON,
        )
        async with (uow := self.world.new_uow()):
            await uow.ledger.post([refund])
            await uow.commit()

    async def choose(
        self,
        method: PayoutMethod = PayoutMethod.BANK,
        schedule: PayoutSchedule = PayoutSchedule.MANUAL,
        minimum_cents: int | None = None,
    ) -> None:
        await choose(
            None,
            ChoosePayouts(method=method, schedule=schedule, minimum_cents=minimum_cents),
            actor=self.actor,
            uow=self.world.new_uow(),
            policy=self.world.policy,
            clock=self.world.clock,
        )

    async def add_account(
        self, *, holder: str = "ada lace", last4: str = "6789"
    ) -> BankAccountView:
        token = self.world.accounts.tokenise(holder=holder, last4=last4)
        return await add_bank_account(
            None,
            AddBankAccount(token=token),
            actor=self.actor,
            uow=self.world.new_uow(),
            provider=self.world.accounts,
            policy=self.world.policy,
            clock=self.world.clock,
            ids=self.world.ids,
        )

    async def make_default(self, account_id: UUID) -> BankAccountView:
        return await make_default(None, account_id, actor=self.actor, uow=self.world.new_uow())

    async def verify(
        self, account_id: UUID, amounts: tuple[int, int] = (45, 32)
    ) -> BankAccountView:
        return await verify_bank_account(
            None,
            account_id,
            VerifyBankAccount(amounts_cents=amounts),
            actor=self.actor,
            uow=self.world.new_uow(),
            provider=self.world.accounts,
            clock=self.world.clock,
        )

    async def withdraw(
        self,
        cents: int | None = None,
        *,
        speed: PayoutSpeed = PayoutSpeed.STANDARD,
        key: str = "k",
    ) -> Withdrawal:
        return await withdraw(
            None,
            Withdraw(amount_cents=cents, speed=speed),
            request_key=key,
            actor=self.actor,
            uow=self.world.new_uow(),
            rails=self.world.rails,
            policy=self.world.policy,
            clock=self.world.clock,
            ids=self.world.ids,
        )

    async def balance(self) -> PayeeBalance:
        async with (uow := self.world.new_uow()):
            return (await uow.ledger.lock_balances([(self.id, USD)]))[self.id, USD]


async def paid_by_bank(world: Bank, *, cents: int = 10_000) -> Payee:
    """A creator with that much available and a bank account that can be paid."""
    payee = await world.creator()
    await payee.choose()
    account = await payee.add_account()
    await payee.verify(account.id)
    await payee.earn(cents)
    return payee


class MemoryBank(Bank):
    """Over dicts, with a look at what is posted."""

    def __init__(self, policy: PayoutPolicy | None = None) -> None:
        self.database = MemoryDatabase()
        super().__init__(
            new_uow=lambda: MemoryUnitOfWork(self.database), policy=policy or PayoutPolicy()
        )

    def total(self, account: Account) -> int:
        return sum(
            entry.amount_cents
            for posted in self.database.books.posted.values()
            for entry in posted.entries
            if entry.account is account
        )
