"""A payout from the wish to the bank, on good days and on the provider's bad ones."""

from datetime import timedelta
from uuid import UUID

import pytest

from application.ledger.eligibility import PayoutBlocked
from application.ledger.payouts import ASK_PAYOUT, SEND_PAYOUT, sweep_payouts
from application.ledger.withdrawals import TransfersAreWhole
from application.ports.errors import Unavailable
from application.ports.idempotency import KeyReused
from application.ports.messages import RetryLater
from domain.ledger.bank_account import BankAccountState
from domain.ledger.payout import PayoutSpeed, PayoutState
from domain.ledger.payout_rules import InsufficientAvailable, PayoutPolicy
from domain.ledger.payout_settings import PayoutMethod, PayoutSchedule
from domain.ledger.posting import Account, Entry, Transaction
from tests.application.ledger.paying import Bank, MemoryBank, Payee, paid_by_bank
from tests.builders import NOON, USD


@pytest.fixture
def world() -> MemoryBank:
    return MemoryBank()


async def asked(
    world: Bank,
    payee: Payee,
    cents: int | None = None,
    *,
    speed: PayoutSpeed = PayoutSpeed.STANDARD,
) -> UUID:
    withdrawal = await payee.withdraw(cents, speed=speed)
    assert withdrawal.payout is not None
    return withdrawal.payout.id


async def test_a_withdrawal_is_reserved_sent_and_paid(world: MemoryBank) -> None:
    payee = await paid_by_bank(world)

    withdrawal = await payee.withdraw(4000)
    assert withdrawal.payout is not None
    balance = await payee.balance()
    assert (balance.available_cents, balance.reserved_cents) == (6000, 4000)
    assert [m.topic for m in world.database.messages] == [SEND_PAYOUT]

    sent = await world.send(withdrawal.payout.id)
    assert (sent.state, (await payee.balance()).reserved_cents) == (PayoutState.SENT, 0)
    assert world.total(Account.PAYOUTS_IN_TRANSIT) == 4000

    world.bank.complete(sent.id)
    paid = await world.hear(sent.id)
    assert paid.state is PayoutState.PAID
    assert world.total(Account.PAYOUTS_IN_TRANSIT) == 0
    assert world.total(Account.PAYOUT_CLEARING) == 4000


async def test_asking_for_money_and_where_it_goes_are_in_the_audit_log(world: MemoryBank) -> None:
    payee = await paid_by_bank(world)
    withdrawal = await payee.withdraw(4000)
    assert withdrawal.payout is not None

    entries = world.database.audit
    assert {entry.actor_id for entry in entries} == {payee.actor.user_id}
    acts = [entry.act for entry in entries]
    assert {"payout_settings.changed", "bank_account.added", "bank_account.verified"} <= set(acts)
    assert acts[-1] == "payout.requested"
    assert entries[-1].object_id == str(withdrawal.payout.id)
    assert entries[-1].after is not None
    assert entries[-1].after["amount_cents"] == 4000


async def test_without_an_amount_everything_leaves(world: MemoryBank) -> None:
    payee = await paid_by_bank(world, cents=12_345)

    withdrawal = await payee.withdraw()

    assert withdrawal.amount_cents == 12_345
    assert (await payee.balance()).available_cents == 0


async def test_an_instant_payout_costs_a_fee_that_is_its_own_leg(world: MemoryBank) -> None:
    payee = await paid_by_bank(world)

    payout_id = await asked(world, payee, 10_000, speed=PayoutSpeed.INSTANT)
    await world.send(payout_id)
    world.bank.complete(payout_id)
    payout = await world.hear(payout_id)

    assert (payout.fee_cents, payout.net_cents) == (100, 9900)
    assert world.total(Account.PLATFORM_REVENUE) == 100
    assert world.database.books.posted[f"payout_fee:{payout_id}"].entries[1].amount_cents == 100
    assert world.total(Account.PROCESSING_FEES) == -25
    assert world.total(Account.PAYOUT_CLEARING) == 9925


async def test_the_smallest_instant_fee_is_a_floor(world: MemoryBank) -> None:
    payee = await paid_by_bank(world)

    withdrawal = await payee.withdraw(1000, speed=PayoutSpeed.INSTANT)

    assert withdrawal.payout is not None
    assert withdrawal.payout.fee_cents == 50


async def test_a_declined_payout_gives_everything_back(world: MemoryBank) -> None:
    payee = await paid_by_bank(world)
    payout_id = await asked(world, payee, 4000, speed=PayoutSpeed.INSTANT)
    world.accounts.closed.add((await world.payout(payout_id)).destination)

    payout = await world.send(payout_id)

    assert (payout.state, payout.reason) == (PayoutState.FAILED, "account_closed")
    balance = await payee.balance()
    assert (balance.available_cents, balance.reserved_cents) == (10_000, 0)
    assert world.total(Account.PLATFORM_REVENUE) == 0


async def test_a_payout_that_fails_at_the_bank_gives_everything_back(world: MemoryBank) -> None:
    payee = await paid_by_bank(world)
    payout_id = await asked(world, payee, 4000, speed=PayoutSpeed.INSTANT)
    await world.send(payout_id)

    world.bank.fail(payout_id)
    payout = await world.hear(payout_id)

    assert (payout.state, payout.reason) == (PayoutState.FAILED, "account_closed")
    assert (await payee.balance()).available_cents == 10_000
    assert world.total(Account.PLATFORM_REVENUE) == 0
    assert world.total(Account.PAYOUTS_IN_TRANSIT) == 0


async def test_what_was_paid_and_came_back_is_a_new_entry_and_flags_the_account(
    world: MemoryBank,
) -> None:
    payee = await paid_by_bank(world)
    payout_id = await asked(world, payee, 4000)
    await world.send(payout_id)
    world.bank.complete(payout_id)
    await world.hear(payout_id)

    world.bank.give_back(payout_id)
    payout = await world.hear(payout_id)
    await world.hear(payout_id)

    assert payout.state is PayoutState.RETURNED
    assert (await payee.balance()).available_cents == 10_000
    assert world.total(Account.PAYOUT_CLEARING) == 0
    assert {f"payout_paid:{payout_id}", f"payout_returned:{payout_id}"} <= set(
        world.database.books.posted
    )
    with pytest.raises(PayoutBlocked) as refusal:
        await payee.withdraw(4000, key="again")
    assert [r.code for r in refusal.value.facts["reasons"]] == ["bank_account_flagged"]  # type: ignore[attr-defined]


async def test_news_that_skips_steps_posts_them_all(world: MemoryBank) -> None:
    payee = await paid_by_bank(world)
    payout_id = await asked(world, payee, 4000)
    world.calls.fail("send", "lost_answer")
    with pytest.raises(RetryLater):
        await world.send(payout_id)
    world.calls.recover()

    world.bank.give_back(payout_id)
    payout = await world.hear(payout_id)

    assert payout.state is PayoutState.RETURNED
    assert (await payee.balance()).available_cents == 10_000
    assert (await payee.balance()).reserved_cents == 0


async def test_a_lost_answer_is_unknown_and_the_same_key_tells_it(world: MemoryBank) -> None:
    payee = await paid_by_bank(world)
    payout_id = await asked(world, payee, 4000)
    world.calls.fail("send", "lost_answer")

    with pytest.raises(RetryLater):
        await world.send(payout_id)
    assert (await world.payout(payout_id)).state is PayoutState.UNKNOWN
    assert (await payee.balance()).reserved_cents == 4000

    world.calls.recover()
    payout = await world.send(payout_id)
    assert payout.state is PayoutState.SENT
    assert len(world.bank.facts) == 1


async def test_after_a_day_the_provider_is_asked_before_it_is_told_again(
    world: MemoryBank,
) -> None:
    """Stripe has forgotten the key by then: a second call would pay twice."""
    payee = await world.creator()
    world.connected.move(
        payee.account_id, amount_cents=10_000, currency="usd", available_at=world.clock.now()
    )
    payout_id = await asked(world, payee, 4000, speed=PayoutSpeed.INSTANT)
    world.calls.fail("send", "lost_answer")
    with pytest.raises(RetryLater):
        await world.send(payout_id)
    world.calls.recover()
    world.calls.fail("send", "unavailable")

    world.clock.advance(timedelta(hours=25))
    payout = await world.send(payout_id)

    assert payout.state is PayoutState.SENT
    assert world.connected.available_cents(payee.account_id, currency="usd") == 6000


async def test_our_own_short_funds_do_not_fail_a_payout(world: MemoryBank) -> None:
    payee = await paid_by_bank(world)
    payout_id = await asked(world, payee, 4000)
    world.bank.funds_cents = 0

    with pytest.raises(RetryLater):
        await world.send(payout_id)
    payout = await world.payout(payout_id)
    assert (payout.state, payout.reason) == (PayoutState.RESERVED, "provider_funds_short")

    world.bank.funds_cents = 10_000
    assert (await world.send(payout_id)).state is PayoutState.SENT


async def test_an_absent_provider_leaves_it_reserved(world: MemoryBank) -> None:
    payee = await paid_by_bank(world)
    payout_id = await asked(world, payee, 4000)
    world.calls.fail("send", "unavailable")

    with pytest.raises(Unavailable):
        await world.send(payout_id)

    assert (await world.payout(payout_id)).state is PayoutState.RESERVED


async def test_silence_is_asked_about(world: MemoryBank) -> None:
    payee = await paid_by_bank(world)
    payout_id = await asked(world, payee, 4000)
    await world.send(payout_id)

    assert await sweep_payouts(uow=world.new_uow(), clock=world.clock) == 0
    world.clock.advance(timedelta(hours=2))
    assert await sweep_payouts(uow=world.new_uow(), clock=world.clock) == 1
    assert await sweep_payouts(uow=world.new_uow(), clock=world.clock) == 0
    assert world.database.messages[-1].topic == ASK_PAYOUT


async def test_what_was_paid_is_asked_about_again_for_some_days(world: MemoryBank) -> None:
    payee = await paid_by_bank(world)
    payout_id = await asked(world, payee, 4000)
    await world.send(payout_id)
    world.bank.complete(payout_id)
    await world.hear(payout_id)
    asked_on = []

    for day in range(1, 40):
        world.clock.advance(timedelta(days=1))
        if await sweep_payouts(uow=world.new_uow(), clock=world.clock):
            asked_on.append(day)

    assert asked_on == [1, 3, 9]


async def test_the_same_key_is_the_same_withdrawal(world: MemoryBank) -> None:
    payee = await paid_by_bank(world)

    first = await payee.withdraw(4000)
    again = await payee.withdraw(4000)

    assert first.payout is not None
    assert again.payout is not None
    assert first.payout.id == again.payout.id
    assert (await payee.balance()).reserved_cents == 4000
    with pytest.raises(KeyReused):
        await payee.withdraw(5000)


async def test_more_than_there_is_cannot_be_withdrawn(world: MemoryBank) -> None:
    payee = await paid_by_bank(world)

    with pytest.raises(InsufficientAvailable):
        await payee.withdraw(10_001)


async def blocked_by(payee: Payee, cents: int | None = None) -> list[str]:
    with pytest.raises(PayoutBlocked) as refusal:
        await payee.withdraw(cents, key=f"{cents}")
    return [reason.code for reason in refusal.value.facts["reasons"]]  # type: ignore[attr-defined]


async def test_each_reason_against_a_payout_is_told(world: MemoryBank) -> None:
    payee = await world.creator(name="Ada Lace")
    await payee.choose()
    assert await blocked_by(payee) == ["no_bank_account"]

    account = await payee.add_account(holder="Somebody Else")
    assert await blocked_by(payee) == ["bank_account_not_verified", "bank_account_name_in_review"]

    await payee.verify(account.id)
    await payee.owe(500)
    assert await blocked_by(payee) == ["negative_balance", "bank_account_name_in_review"]


async def test_a_payout_has_a_smallest_size(world: MemoryBank) -> None:
    payee = await paid_by_bank(world)

    assert await blocked_by(payee, 999) == ["below_minimum"]
    await payee.choose(minimum_cents=5000)
    assert await blocked_by(payee, 4999) == ["below_minimum"]
    await payee.withdraw(5000)


async def test_a_debt_is_filled_before_anything_is_paid(world: MemoryBank) -> None:
    payee = await paid_by_bank(world, cents=5000)
    await payee.owe(8000)
    assert await blocked_by(payee) == ["negative_balance"]

    await payee.earn(10_000)

    assert (await payee.withdraw()).amount_cents == 7000


async def test_a_connected_account_that_is_not_ready_is_not_paid(world: MemoryBank) -> None:
    payee = await world.creator(ready=False)
    await payee.earn(5000)

    assert await blocked_by(payee) == ["payee_not_ready"]


async def test_a_connected_account_is_paid_out_at_once_and_the_balance_is_charged(
    world: MemoryBank,
) -> None:
    payee = await world.creator()
    world.connected.move(
        payee.account_id, amount_cents=20_000, currency="usd", available_at=world.clock.now()
    )

    payout_id = await asked(world, payee, speed=PayoutSpeed.INSTANT)
    payout = await world.send(payout_id)

    assert (payout.method, payout.amount_cents, payout.net_cents) == ("connect", 20_000, 20_000)
    assert world.connected.available_cents(payee.account_id, currency="usd") == 0
    assert (await payee.balance()).available_cents == -200
    assert world.total(Account.PLATFORM_REVENUE) == 200

    world.connect.fail(payout_id)
    failed = await world.hear(payout_id)
    assert failed.state is PayoutState.FAILED
    assert (await payee.balance()).available_cents == 0


async def test_a_connected_account_is_withdrawn_to_whole(world: MemoryBank) -> None:
    payee = await world.creator()
    await payee.choose(PayoutMethod.CONNECT, PayoutSchedule.MANUAL)
    await payee.earn(5000)

    with pytest.raises(TransfersAreWhole):
        await payee.withdraw(1000)
    withdrawal = await payee.withdraw()

    assert (withdrawal.amount_cents, withdrawal.payout) == (5000, None)
    assert world.database.audit[-1].act == "earnings.let_go"


async def test_a_dispute_stops_payouts_unless_the_platform_says_otherwise() -> None:
    for stops in (True, False):
        world = MemoryBank(PayoutPolicy(blocked_by_dispute=stops))
        payee = await paid_by_bank(world)
        await contest(world, payee, 2000)
        if stops:
            assert await blocked_by(payee) == ["dispute_open"]
        else:
            assert (await payee.withdraw()).amount_cents == 8000


async def contest(world: Bank, payee: Payee, cents: int) -> None:
    entries = (
        Entry(Account.PAYABLE_AVAILABLE, payee.id, -cents),
        Entry(Account.PAYABLE_DISPUTED, payee.id, cents),
    )
    async with (uow := world.new_uow()):
        await uow.ledger.post([Transaction("dispute:1", "dispute", USD, entries, NOON)])
        await uow.commit()


async def test_the_account_of_a_returned_payout_is_flagged(world: MemoryBank) -> None:
    payee = await paid_by_bank(world)
    payout_id = await asked(world, payee, 4000)
    await world.send(payout_id)
    world.bank.give_back(payout_id)
    payout = await world.hear(payout_id)

    assert payout.bank_account_id is not None
    async with (uow := world.new_uow()):
        account = await uow.bank_accounts.get(payout.bank_account_id)
    assert account.state is BankAccountState.FLAGGED
