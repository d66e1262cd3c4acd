"""What rests on the database: who of many gets the money, one payout a day, and the checks."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import date, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from adapters.postgres.engine import sessions_of
from adapters.postgres.payout_views import PostgresPayoutDays, PostgresPayoutViews
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from adapters.postgres.verification import PostgresLedgerViews
from adapters.system.ids import UuidV7Ids
from application.ledger.daily_payouts import (
    DayReport,
    DayToCome,
    PayReleased,
    pay_day,
    pay_released,
)
from application.ledger.verification import verify_ledger
from domain.ledger.payout import PayoutState
from domain.ledger.payout_rules import InsufficientAvailable, payable_cents
from domain.ledger.payout_settings import PayoutMethod, PayoutSchedule
from domain.ledger.posting import Account, Entry, Transaction
from tests.application.ledger.paying import Bank, Payee, paid_by_bank
from tests.builders import NOON, USD

DAY = NOON.date()


@pytest.fixture
async def engine(clean_database: str) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(clean_database, pool_size=10, max_overflow=0)
    yield engine
    await engine.dispose()


@pytest.fixture
def world(engine: AsyncEngine) -> Bank:
    sessions = sessions_of(engine)
    made = Bank(lambda: PostgresUnitOfWork(sessions, clock=made.clock, ids=UuidV7Ids()))
    return made


async def test_of_two_hundred_withdrawals_of_everything_one_is_made(
    world: Bank, engine: AsyncEngine
) -> None:
    payee = await paid_by_bank(world)

    async def attempt(number: int) -> str:
        try:
            await payee.withdraw(10_000, key=f"k{number}")
        except InsufficientAvailable:
            return "insufficient"
        return "made"

    outcomes = Counter(await asyncio.gather(*(attempt(number) for number in range(200))))

    assert outcomes == {"made": 1, "insufficient": 199}
    balance = await payee.balance()
    assert (balance.available_cents, balance.reserved_cents) == (0, 10_000)
    async with engine.connect() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM payouts")) == 1
    assert (await verify_ledger(PostgresLedgerViews(engine))).sound


async def test_the_reservation_alone_decides_without_any_lock_before_it(world: Bank) -> None:
    payee = await paid_by_bank(world)

    async def reserve(number: int) -> bool:
        entries = (
            Entry(Account.PAYABLE_AVAILABLE, payee.id, -4000),
            Entry(Account.PAYABLE_RESERVED, payee.id, 4000),
        )
        posting = Transaction(f"payout_reserve:{number}", "payout_reserve", USD, entries, NOON)
        async with (uow := world.new_uow()):
            try:
                await uow.ledger.reserve_available(posting)
            except InsufficientAvailable:
                return False
            await uow.commit()
        return True

    made = await asyncio.gather(*(reserve(number) for number in range(20)))

    assert sum(made) == 2
    assert (await payee.balance()).available_cents == 2000


async def pay(world: Bank, engine: AsyncEngine, *, day: date = DAY, batch: int = 2) -> DayReport:
    return await pay_day(
        day,
        new_uow=world.new_uow,
        views=PostgresPayoutViews(engine),
        days=PostgresPayoutDays(engine),
        policy=world.policy,
        clock=world.clock,
        ids=world.ids,
        batch=batch,
    )


async def many(world: Bank, count: int, *, cents: int = 5000) -> list[Payee]:
    payees = []
    for _ in range(count):
        payee = await paid_by_bank(world, cents=cents)
        await payee.choose(PayoutMethod.BANK, PayoutSchedule.DAILY)
        payees.append(payee)
    return payees


async def test_everybody_is_paid_once_a_day(world: Bank, engine: AsyncEngine) -> None:
    payees = await many(world, 5)
    manual = await paid_by_bank(world)
    small = (await many(world, 1, cents=999))[0]

    first = await pay(world, engine)
    for payee in payees:
        await payee.earn(5000)
    again = await pay(world, engine)

    assert (first.payouts, first.looked_at, again.payouts) == (5, 6, 0)
    assert [(await payee.balance()).reserved_cents for payee in payees] == [5000] * 5
    assert (await manual.balance()).reserved_cents == 0
    assert (await small.balance()).reserved_cents == 0
    world.clock.advance(timedelta(days=1))
    assert (await pay(world, engine, day=DAY + timedelta(days=1))).payouts == 5


async def test_a_day_that_has_not_begun_is_not_paid(world: Bank, engine: AsyncEngine) -> None:
    with pytest.raises(DayToCome):
        await pay(world, engine, day=DAY + timedelta(days=1))


async def test_runs_side_by_side_pay_everybody_once(world: Bank, engine: AsyncEngine) -> None:
    payees = await many(world, 6)

    reports = await asyncio.gather(*(pay(world, engine) for _ in range(4)))

    assert sum(report.payouts for report in reports) == 6
    assert [(await payee.balance()).available_cents for payee in payees] == [0] * 6


async def test_a_release_pays_who_wants_it_at_once_but_once_a_day(world: Bank) -> None:
    payee = await paid_by_bank(world)
    await payee.choose(PayoutMethod.BANK, PayoutSchedule.AUTOMATIC)

    for _ in range(2):
        await payee.earn(3000)
        await pay_released(
            PayReleased(payee_id=payee.id, currency="usd"),
            uow=world.new_uow(),
            policy=world.policy,
            clock=world.clock,
            ids=world.ids,
        )

    balance = await payee.balance()
    assert (balance.reserved_cents, payable_cents(balance)) == (13_000, 3000)


async def test_a_payout_of_the_database_moves_like_one_in_memory(world: Bank) -> None:
    payee = await paid_by_bank(world)
    withdrawal = await payee.withdraw(4000)
    assert withdrawal.payout is not None
    payout_id = withdrawal.payout.id
    await world.send(payout_id)
    world.bank.give_back(payout_id)

    payout = await world.hear(payout_id)

    assert payout.state is PayoutState.RETURNED
    assert (await payee.balance()).available_cents == 10_000
    with pytest.raises(Exception, match="bank account"):
        await payee.withdraw(4000, key="again")


async def test_another_account_becomes_the_default_in_one_transaction(world: Bank) -> None:
    payee = await paid_by_bank(world)
    second = await payee.add_account(last4="1111")

    await payee.make_default(second.id)

    async with (uow := world.new_uow()):
        accounts = await uow.bank_accounts.of_payee(payee.id)
    assert [(a.last4, a.is_default) for a in accounts] == [("6789", False), ("1111", True)]


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("net_cents = net_cents - 1", "net_is_the_rest"),
        ("amount_cents = 0, net_cents = 0", "positive"),
        ("state = 'paid'", "sent_has_provider_id"),
        ("bank_account_id = NULL", "banks_have_accounts"),
    ],
)
async def test_the_database_asserts_the_arithmetic_too(
    world: Bank, engine: AsyncEngine, change: str, constraint: str
) -> None:
    payee = await paid_by_bank(world)
    await payee.withdraw(4000)

    with pytest.raises(IntegrityError, match=constraint):
        async with engine.begin() as connection:
            await connection.execute(text(f"UPDATE payouts SET {change}"))


async def test_a_number_of_an_account_does_not_fit(world: Bank, engine: AsyncEngine) -> None:
    await paid_by_bank(world)

    with pytest.raises(IntegrityError, match="only_four_digits"):
        async with engine.begin() as connection:
            await connection.execute(text("UPDATE bank_accounts SET last4 = '000123456789'"))
