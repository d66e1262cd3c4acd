"""What every store of payouts, bank accounts and payees' choices promises."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from application.ports.repository import AlreadyExists
from domain.ledger import effects
from domain.ledger.bank_account import BankAccount, BankAccountState
from domain.ledger.effects import Part
from domain.ledger.payee import Payee, PayeeKind
from domain.ledger.payout import PayoutState
from domain.ledger.payout_effects import payout_reserved
from domain.ledger.payout_rules import InsufficientAvailable
from domain.ledger.payout_settings import PayoutMethod, PayoutSchedule, PayoutSettings
from domain.ledger.posting import Account
from domain.shared.errors import NotFound
from tests.builders import NOON, USD, bank_account_of, payout_of
from tests.contracts.units_of_work import NewUnitOfWork, fields_of

DAY = NOON.date()


async def payee(new_uow: NewUnitOfWork) -> UUID:
    made = Payee(id=uuid4(), kind=PayeeKind.STORE)
    async with (uow := new_uow()):
        uow.payees.add(made)
        await uow.commit()
    return made.id


async def account(new_uow: NewUnitOfWork, payee_id: UUID, **changes: object) -> BankAccount:
    made = bank_account_of(payee_id, **changes)
    async with (uow := new_uow()):
        uow.bank_accounts.add(made)
        await uow.commit()
    return made


async def test_a_payee_without_a_choice_has_the_defaults(new_uow: NewUnitOfWork) -> None:
    payee_id = await payee(new_uow)

    async with (uow := new_uow()):
        settings = await uow.payout_settings.of_payee(payee_id)
        assert await uow.payout_settings.many([payee_id]) == {}

    assert (settings.method, settings.schedule) == (PayoutMethod.CONNECT, PayoutSchedule.AUTOMATIC)
    with pytest.raises(NotFound):
        async with (uow := new_uow()):
            await uow.payout_settings.get(payee_id)


async def test_a_choice_is_kept_and_changed(new_uow: NewUnitOfWork) -> None:
    payee_id = await payee(new_uow)
    async with (uow := new_uow()):
        uow.payout_settings.add(
            PayoutSettings(
                id=payee_id,
                method=PayoutMethod.BANK,
                schedule=PayoutSchedule.DAILY,
                minimum_cents=5000,
                updated_at=NOON,
            )
        )
        await uow.commit()
    async with (uow := new_uow()):
        settings = await uow.payout_settings.of_payee(payee_id, lock=True)
        settings.schedule = PayoutSchedule.MANUAL
        await uow.commit()

    async with (uow := new_uow()):
        found = (await uow.payout_settings.many([payee_id]))[payee_id]
    assert (found.schedule, found.minimum_cents, found.version) == (PayoutSchedule.MANUAL, 5000, 2)


async def test_accounts_in_use_are_listed_and_one_is_the_default(new_uow: NewUnitOfWork) -> None:
    payee_id = await payee(new_uow)
    first = await account(new_uow, payee_id, id=UUID(int=1))
    second = await account(new_uow, payee_id, id=UUID(int=2), is_default=False)
    await account(
        new_uow, payee_id, id=UUID(int=3), is_default=False, state=BankAccountState.REMOVED
    )

    async with (uow := new_uow()):
        found = await uow.bank_accounts.of_payee(payee_id)
        assert [one.id for one in found] == [first.id, second.id]
        assert (await uow.bank_accounts.defaults([payee_id]))[payee_id].id == first.id
        await uow.bank_accounts.choose(found[1], among=found)
        await uow.commit()

    async with (uow := new_uow()):
        chosen = await uow.bank_accounts.defaults([payee_id])
    assert fields_of(chosen[payee_id])["id"] == second.id
    with pytest.raises(AlreadyExists):
        await account(new_uow, payee_id)


async def test_a_payout_is_found_by_the_wish_that_made_it(new_uow: NewUnitOfWork) -> None:
    held = await account(new_uow, await payee(new_uow))
    made = payout_of(held, request_key="k")
    async with (uow := new_uow()):
        uow.payouts.add(made)
        await uow.commit()

    async with (uow := new_uow()):
        found = await uow.payouts.by_request_key(held.payee_id, "k")
        assert await uow.payouts.by_request_key(held.payee_id, "other") is None
        assert await uow.payouts.by_request_key(uuid4(), "k") is None
    assert found is not None
    assert fields_of(found) == fields_of(made)
    with pytest.raises(AlreadyExists):
        async with (uow := new_uow()):
            uow.payouts.add(payout_of(held, request_key="k"))
            await uow.commit()


async def test_one_automatic_payout_a_day(new_uow: NewUnitOfWork) -> None:
    held = await account(new_uow, await payee(new_uow))
    async with (uow := new_uow()):
        uow.payouts.add(payout_of(held, payout_day=DAY))
        uow.payouts.add(payout_of(held, payout_day=DAY + timedelta(days=1)))
        uow.payouts.add(payout_of(held))
        await uow.commit()

    async with (uow := new_uow()):
        assert set(await uow.payouts.of_day(DAY, [held.payee_id])) == {(held.payee_id, USD)}
        assert set(await uow.payouts.of_day(DAY, [uuid4()])) == set()
    with pytest.raises(AlreadyExists):
        async with (uow := new_uow()):
            uow.payouts.add(payout_of(held, payout_day=DAY))
            await uow.commit()


async def test_the_longest_silent_come_first(new_uow: NewUnitOfWork) -> None:
    held = await account(new_uow, await payee(new_uow))
    sent = {"state": PayoutState.SENT, "sent_at": NOON}
    early = payout_of(held, provider_id="a", asked_at=NOON - timedelta(hours=3), **sent)
    late = payout_of(held, provider_id="b", asked_at=NOON - timedelta(hours=2), **sent)
    unknown = payout_of(held, state=PayoutState.UNKNOWN, asked_at=NOON - timedelta(hours=4))
    others = [
        payout_of(held, provider_id="c", asked_at=NOON, **sent),
        payout_of(held, asked_at=NOON - timedelta(days=1)),
        payout_of(held, provider_id="d", state=PayoutState.PAID, asked_at=NOON - timedelta(days=1)),
    ]
    async with (uow := new_uow()):
        for one in (early, late, unknown, *others):
            uow.payouts.add(one)
        await uow.commit()

    async with (uow := new_uow()):
        found = await uow.payouts.silent(before=NOON - timedelta(hours=1), limit=10)
        some = await uow.payouts.silent(before=NOON - timedelta(hours=1), limit=1)
    assert found == [unknown.id, early.id, late.id]
    assert some == [unknown.id]


async def test_paid_ones_are_looked_at_again_when_due(new_uow: NewUnitOfWork) -> None:
    held = await account(new_uow, await payee(new_uow))
    paid = {"state": PayoutState.PAID, "sent_at": NOON, "ended_at": NOON}
    due = payout_of(held, provider_id="a", look_again_at=NOON, **paid)
    longest = payout_of(held, provider_id="b", look_again_at=NOON - timedelta(days=1), **paid)
    others = [
        payout_of(held, provider_id="c", look_again_at=NOON + timedelta(seconds=1), **paid),
        payout_of(held, provider_id="d", **paid),
    ]
    async with (uow := new_uow()):
        for one in (due, longest, *others):
            uow.payouts.add(one)
        await uow.commit()

    async with (uow := new_uow()):
        assert await uow.payouts.to_look_at_again(now=NOON, limit=9) == [longest.id, due.id]
        assert await uow.payouts.to_look_at_again(now=NOON, limit=1) == [longest.id]


async def test_what_is_not_available_is_not_reserved(new_uow: NewUnitOfWork) -> None:
    held = await account(new_uow, await payee(new_uow))
    order_id = uuid4()
    parts = [Part(Account.PAYABLE_PENDING, held.payee_id, 3000)]
    async with (uow := new_uow()):
        await uow.ledger.post(
            [
                effects.sale(
                    charge_id="ch_1", order_id=order_id, currency=USD, parts=parts, at=NOON
                ),
                effects.release(
                    order_id=order_id,
                    payee_id=held.payee_id,
                    currency=USD,
                    amount_cents=3000,
                    at=NOON,
                ),
            ]
        )
        await uow.commit()
    for made in (True, False):
        async with (uow := new_uow()):
            reservation = payout_reserved(payout_of(held), at=NOON)
            if made:
                await uow.ledger.reserve_available(reservation)
                await uow.commit()
            else:
                with pytest.raises(InsufficientAvailable):
                    await uow.ledger.reserve_available(reservation)
    async with (uow := new_uow()):
        [balance] = (await uow.ledger.lock_balances([(held.payee_id, USD)])).values()
    assert (balance.available_cents, balance.reserved_cents) == (500, 2500)
