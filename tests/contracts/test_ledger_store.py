"""What every store of the books promises; concurrency and triggers are PostgreSQL's to show."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from application.ports.repository import AlreadyExists
from domain.ledger import effects
from domain.ledger.earning import (
    Earning,
    EarningState,
    PayeeBalance,
    Reversal,
    ReversalState,
    Transfer,
    TransferState,
)
from domain.ledger.effects import Part
from domain.ledger.payee import Payee, PayeeKind
from domain.ledger.posting import Account, EffectMismatch, Entry, Transaction
from domain.ledger.proof import Proof
from domain.ledger.write_off import WriteOff
from domain.ordering.order import Order
from domain.ordering.refund import LineRefund, Refund, RefundStatus
from domain.ordering.settlement import Capture, settle
from domain.shared.errors import Conflict, NotFound
from domain.shared.money import Currency
from tests.builders import NOON, USD, Market, market, order_of, ready_payee
from tests.contracts.units_of_work import NewUnitOfWork, fields_of

EUR = Currency("eur")
PAYEE, OTHER, ORDER = UUID(int=1), UUID(int=2), UUID(int=3)
HOLD = timedelta(days=7)


def sale(charge_id: str = "ch_1", *, cents: int = 900, payee_id: UUID = PAYEE) -> Transaction:
    parts = [
        Part(Account.PAYABLE_PENDING, payee_id, cents),
        Part(Account.PLATFORM_REVENUE, None, 100),
    ]
    return effects.sale(charge_id=charge_id, order_id=ORDER, currency=USD, parts=parts, at=NOON)


def release(cents: int, *, payee_id: UUID = PAYEE) -> Transaction:
    return effects.release(
        order_id=ORDER, payee_id=payee_id, currency=USD, amount_cents=cents, at=NOON
    )


def reserve(cents: int) -> Transaction:
    return effects.reserve(
        order_id=ORDER, payee_id=PAYEE, currency=USD, amount_cents=cents, at=NOON
    )


def transfer_sent(cents: int) -> Transaction:
    return effects.transfer_sent(
        order_id=ORDER, payee_id=PAYEE, currency=USD, amount_cents=cents, at=NOON
    )


def refund(cents: int, *, account: Account) -> Transaction:
    return effects.refund(
        refund_id=UUID(int=9),
        order_id=ORDER,
        currency=USD,
        parts=[Part(account, PAYEE, cents)],
        at=NOON,
    )


def disputed(cents: int) -> Transaction:
    entries = (
        Entry(Account.PAYABLE_AVAILABLE, PAYEE, -cents),
        Entry(Account.PAYABLE_DISPUTED, PAYEE, cents),
    )
    return Transaction(f"dispute:{cents}", "dispute", USD, entries, NOON)


async def post(new_uow: NewUnitOfWork, *transactions: Transaction) -> set[str]:
    async with new_uow() as uow:
        new = await uow.ledger.post(transactions)
        await uow.commit()
    return set(new)


async def balance(new_uow: NewUnitOfWork, payee_id: UUID = PAYEE) -> PayeeBalance:
    async with new_uow() as uow:
        return (await uow.ledger.lock_balances([(payee_id, USD)]))[payee_id, USD]


async def test_a_payee_without_postings_has_nothing(new_uow: NewUnitOfWork) -> None:
    async with new_uow() as uow:
        assert await uow.ledger.lock_balances([]) == {}
        assert await uow.ledger.lock_balances([(PAYEE, USD), (PAYEE, EUR)]) == {
            (PAYEE, USD): PayeeBalance(PAYEE, USD, 0, 0, 0, 0, 0),
            (PAYEE, EUR): PayeeBalance(PAYEE, EUR, 0, 0, 0, 0, 0),
        }


async def test_money_moves_through_the_balances_and_the_lifetime_counts_what_was_earned(
    new_uow: NewUnitOfWork,
) -> None:
    expected = [
        (sale(cents=900), PayeeBalance(PAYEE, USD, 900, 0, 0, 0, 900)),
        (release(900), PayeeBalance(PAYEE, USD, 0, 900, 0, 0, 900)),
        (disputed(50), PayeeBalance(PAYEE, USD, 0, 850, 0, 50, 900)),
        (reserve(800), PayeeBalance(PAYEE, USD, 0, 50, 800, 50, 900)),
        (transfer_sent(800), PayeeBalance(PAYEE, USD, 0, 50, 0, 50, 900)),
        (
            refund(300, account=Account.PAYABLE_AVAILABLE),
            PayeeBalance(PAYEE, USD, 0, -250, 0, 50, 600),
        ),
    ]
    for transaction, after in expected:
        assert await post(new_uow, transaction) == {transaction.effect_key}
        assert await balance(new_uow) == after


async def test_a_batch_is_posted_at_once_whatever_its_order(new_uow: NewUnitOfWork) -> None:
    batch = [sale("ch_2", cents=200), sale("ch_1", cents=100), sale("ch_3", payee_id=OTHER)]

    assert await post(new_uow, *batch) == {"sale:ch_1", "sale:ch_2", "sale:ch_3"}

    assert (await balance(new_uow)).pending_cents == 300
    assert (await balance(new_uow, OTHER)).pending_cents == 900
    assert await post(new_uow) == set()


async def test_an_effect_is_posted_once(new_uow: NewUnitOfWork) -> None:
    await post(new_uow, sale())

    assert await post(new_uow, sale(), sale("ch_2")) == {"sale:ch_2"}
    assert await post(new_uow, release(5), release(5)) == {f"release:{ORDER}:{PAYEE}"}

    assert await balance(new_uow) == PayeeBalance(PAYEE, USD, 1795, 5, 0, 0, 1800)


async def test_an_effect_with_other_content_is_refused_and_nothing_of_its_batch_posted(
    new_uow: NewUnitOfWork,
) -> None:
    await post(new_uow, sale())

    with pytest.raises(EffectMismatch) as refused:
        await post(new_uow, sale("ch_2"), sale(cents=901))

    assert refused.value.facts == {"effect_key": "sale:ch_1"}
    assert (await balance(new_uow)).pending_cents == 900


async def test_one_batch_does_not_hold_two_contents_of_an_effect(new_uow: NewUnitOfWork) -> None:
    with pytest.raises(EffectMismatch):
        await post(new_uow, sale(cents=900), sale(cents=901))

    assert (await balance(new_uow)).pending_cents == 0


@pytest.mark.parametrize(
    ("too_much", "part"),
    [
        ([release(901)], "pending"),
        ([refund(901, account=Account.PAYABLE_PENDING)], "pending"),
        ([transfer_sent(1)], "reserved"),
        ([refund(1, account=Account.PAYABLE_DISPUTED)], "disputed"),
    ],
)
@pytest.mark.parametrize("has_earned", [True, False])
async def test_what_is_not_there_cannot_be_moved(
    new_uow: NewUnitOfWork, too_much: Sequence[Transaction], part: str, has_earned: bool
) -> None:
    if has_earned:
        await post(new_uow, sale(cents=900))
    before = await balance(new_uow)

    with pytest.raises(Conflict, match=f"has not that much {part}"):
        await post(new_uow, *too_much)

    assert await balance(new_uow) == before


async def test_postings_that_are_not_committed_did_not_happen(new_uow: NewUnitOfWork) -> None:
    async with new_uow() as uow:
        await uow.ledger.post([sale()])
        seen = (await uow.ledger.lock_balances([(PAYEE, USD)]))[PAYEE, USD]
        assert seen.pending_cents == 900

    assert (await balance(new_uow)).pending_cents == 0
    assert await post(new_uow, sale()) == {"sale:ch_1"}


# Earnings, with the orders that they come from.


async def paid_order(new_uow: NewUnitOfWork, shop: Market, *, charge_id: str = "ch_1") -> Order:
    order = order_of(shop.products)
    async with new_uow() as uow:
        uow.orders.add(order)
        await uow.commit()
    async with new_uow() as uow:
        (plan,) = await uow.orders.settlement_plans([order.id])
        capture = Capture(order.id, f"pi_{charge_id}", charge_id, order.total_cents, USD)
        settlement = settle(plan, capture, hold=HOLD, at=NOON)
        assert settlement is not None
        await uow.orders.settle([settlement])
        await uow.commit()
    return order


def open_refund(order: Order, *, key: str = "r") -> Refund:
    return Refund(
        id=uuid4(),
        order_id=order.id,
        request_key=key,
        amount_cents=100,
        currency=USD,
        reason="",
        lines=(LineRefund(order.lines[0].id, 100),),
        requested_by=order.buyer_id or uuid4(),
        created_at=NOON,
    )


async def due(new_uow: NewUnitOfWork, *, limit: int = 10) -> list[Earning]:
    async with new_uow() as uow:
        return await uow.earnings.due(now=NOON + HOLD, limit=limit)


async def released(new_uow: NewUnitOfWork, *, limit: int = 10) -> list[Earning]:
    async with new_uow() as uow:
        return await uow.earnings.released(limit=limit)


async def test_an_order_has_an_earning_for_each_payee(new_uow: NewUnitOfWork) -> None:
    shop = await market(new_uow())
    order = await paid_order(new_uow, shop)

    async with new_uow() as uow:
        earnings = await uow.earnings.of_order(order.id)

    assert [(e.payee_id, e.amount_cents) for e in earnings] == sorted(
        [(shop.creator.id, 250), (shop.store.id, 1050)]
    )
    assert {(e.state, e.release_at, e.returned_cents) for e in earnings} == {
        (EarningState.PENDING, NOON + HOLD, 0)
    }


async def test_earnings_are_due_when_their_hold_is_over(new_uow: NewUnitOfWork) -> None:
    shop = await market(new_uow())
    await paid_order(new_uow, shop)

    async with new_uow() as uow:
        before = NOON + HOLD - timedelta(microseconds=1)
        assert await uow.earnings.due(now=before, limit=10) == []
    assert len(await due(new_uow)) == 2
    assert len(await due(new_uow, limit=1)) == 1


async def test_a_change_of_an_earning_is_kept_by_the_commit(new_uow: NewUnitOfWork) -> None:
    shop = await market(new_uow())
    order = await paid_order(new_uow, shop)
    async with new_uow() as uow:
        for earning in await uow.earnings.due(now=NOON + HOLD, limit=10):
            earning.give_back(100)
            earning.release(at=NOON + HOLD)
        await uow.commit()

    assert await due(new_uow) == []
    async with new_uow() as uow:
        for earning in await uow.earnings.of_order(order.id):
            assert earning.state is EarningState.RELEASED
            assert (earning.returned_cents, earning.released_at) == (100, NOON + HOLD)


async def test_an_open_refund_holds_the_earnings_of_its_order(new_uow: NewUnitOfWork) -> None:
    shop = await market(new_uow())
    held = await paid_order(new_uow, shop)
    other = await paid_order(new_uow, shop, charge_id="ch_2")
    refund = open_refund(held)
    async with new_uow() as uow:
        uow.refunds.add(refund)
        await uow.commit()

    assert {earning.order_id for earning in await due(new_uow)} == {other.id}
    async with new_uow() as uow:
        (await uow.refunds.get(refund.id)).status = RefundStatus.FAILED
        await uow.commit()
    assert {earning.order_id for earning in await due(new_uow)} == {held.id, other.id}


async def test_released_earnings_wait_for_a_payee_that_can_be_paid_and_for_refunds(
    new_uow: NewUnitOfWork,
) -> None:
    shop = await market(new_uow())
    order = await paid_order(new_uow, shop)
    async with new_uow() as uow:
        for earning in await uow.earnings.of_order(order.id):
            earning.release(at=NOON + HOLD)
        (await uow.payees.get(shop.store.id)).payouts_enabled = False
        await uow.commit()

    assert [earning.payee_id for earning in await released(new_uow)] == [shop.creator.id]
    async with new_uow() as uow:
        (await uow.payees.get(shop.store.id)).payouts_enabled = True
        await uow.commit()
    assert len(await released(new_uow)) == 2
    assert len(await released(new_uow, limit=1)) == 1

    async with new_uow() as uow:
        uow.refunds.add(open_refund(order))
        await uow.commit()
    assert await released(new_uow) == []


# Transfers and reversals.


def transfer_of(order: Order, payee_id: UUID, **changes: object) -> Transfer:
    values = {
        "id": uuid4(),
        "order_id": order.id,
        "payee_id": payee_id,
        "account_id": "acct_1",
        "charge_id": "ch_1",
        "currency": USD,
        "amount_cents": 250,
        "created_at": NOON,
    }
    return Transfer(**{**values, **changes})  # type: ignore[arg-type]


def reversal_of(transfer: Transfer, refund: Refund, *, cents: int = 100) -> Reversal:
    return Reversal(
        id=uuid4(),
        transfer_id=transfer.id,
        refund_id=refund.id,
        order_id=transfer.order_id,
        payee_id=transfer.payee_id,
        currency=USD,
        amount_cents=cents,
        created_at=NOON,
    )


async def test_transfers_of_an_order_are_found_by_payee(new_uow: NewUnitOfWork) -> None:
    shop = await market(new_uow())
    order = await paid_order(new_uow, shop)
    transfers = [transfer_of(order, payee.id) for payee in (shop.creator, shop.store)]
    async with new_uow() as uow:
        for transfer in transfers:
            uow.transfers.add(transfer)
        await uow.commit()

    async with new_uow() as uow:
        found = await uow.transfers.of_order(order.id)
        assert [t.payee_id for t in found] == sorted(t.payee_id for t in transfers)
        assert fields_of(await uow.transfers.get(transfers[0].id)) == fields_of(transfers[0])
        assert await uow.transfers.of_order(ORDER) == []
        with pytest.raises(NotFound):
            await uow.transfers.get(ORDER, lock=True)


async def test_a_payee_has_one_transfer_of_an_order(new_uow: NewUnitOfWork) -> None:
    shop = await market(new_uow())
    order = await paid_order(new_uow, shop)
    async with new_uow() as uow:
        uow.transfers.add(transfer_of(order, shop.creator.id))
        await uow.commit()

    with pytest.raises(AlreadyExists):
        async with new_uow() as uow:
            uow.transfers.add(transfer_of(order, shop.creator.id))
            await uow.commit()


async def test_two_transfers_are_never_the_same_at_the_provider(new_uow: NewUnitOfWork) -> None:
    shop = await market(new_uow())
    order = await paid_order(new_uow, shop)
    sent = {"state": TransferState.SENT, "provider_id": "tr_1"}
    unsent = transfer_of(order, shop.store.id)
    async with new_uow() as uow:
        uow.transfers.add(transfer_of(order, shop.creator.id, **sent))
        uow.transfers.add(unsent)
        await uow.commit()

    with pytest.raises(AlreadyExists):
        async with new_uow() as uow:
            transfer = await uow.transfers.get(unsent.id, lock=True)
            transfer.state, transfer.provider_id = TransferState.SENT, "tr_1"
            await uow.commit()


async def test_a_refund_reverses_a_transfer_once(new_uow: NewUnitOfWork) -> None:
    shop = await market(new_uow())
    order = await paid_order(new_uow, shop)
    transfer, refund = transfer_of(order, shop.creator.id), open_refund(order)
    reversal = reversal_of(transfer, refund)
    async with new_uow() as uow:
        uow.transfers.add(transfer)
        uow.refunds.add(refund)
        await uow.commit()
    async with new_uow() as uow:
        uow.reversals.add(reversal)
        await uow.commit()

    async with new_uow() as uow:
        stored = await uow.reversals.get(reversal.id, lock=True)
        assert fields_of(stored) == fields_of(reversal)
        stored.state, stored.provider_id = ReversalState.DONE, "trr_1"
        await uow.commit()
    async with new_uow() as uow:
        assert (await uow.reversals.get(reversal.id)).provider_id == "trr_1"
        with pytest.raises(NotFound):
            await uow.reversals.get(ORDER)
    with pytest.raises(AlreadyExists):
        async with new_uow() as uow:
            uow.reversals.add(reversal_of(transfer, refund))
            await uow.commit()


async def test_reversals_under_way_are_awaited_and_ended_ones_are_not(
    new_uow: NewUnitOfWork,
) -> None:
    shop = await market(new_uow())
    order = await paid_order(new_uow, shop)
    key = (shop.creator.id, USD)
    transfer = transfer_of(order, shop.creator.id)
    refunds = [open_refund(order, key=str(number)) for number in range(3)]
    reversals = [reversal_of(transfer, refund, cents=50) for refund in refunds]
    async with new_uow() as uow:
        uow.transfers.add(transfer)
        for refund in refunds:
            uow.refunds.add(refund)
        await uow.commit()
    async with new_uow() as uow:
        reversals[0].state = ReversalState.REFUSED
        for reversal in reversals:
            uow.reversals.add(reversal)
        await uow.commit()

    async with new_uow() as uow:
        awaited = await uow.reversals.awaited_cents([key, (shop.store.id, USD)])
        assert awaited[key] == 100
        assert awaited.get((shop.store.id, USD), 0) == 0
        assert not await uow.reversals.awaited_cents([])


# Payees.


async def test_a_payee_is_found_by_id_by_account_and_among_many(new_uow: NewUnitOfWork) -> None:
    ready = ready_payee(PAYEE, PayeeKind.CREATOR, account_id="acct_1")
    async with new_uow() as uow:
        uow.payees.add(ready)
        uow.payees.add(Payee(id=OTHER, kind=PayeeKind.STORE))
        await uow.commit()

    async with new_uow() as uow:
        assert fields_of(await uow.payees.get(PAYEE)) == fields_of(ready)
        found = await uow.payees.by_account("acct_1")
        assert found is not None
        assert found.id == PAYEE
        assert await uow.payees.by_account("acct_2") is None
        assert {payee.id for payee in await uow.payees.many([PAYEE, OTHER, ORDER])} == {
            PAYEE,
            OTHER,
        }
        assert await uow.payees.many([]) == []
        with pytest.raises(NotFound):
            await uow.payees.get(ORDER)


async def test_two_payees_never_share_an_account(new_uow: NewUnitOfWork) -> None:
    async with new_uow() as uow:
        uow.payees.add(ready_payee(PAYEE, PayeeKind.CREATOR, account_id="acct_1"))
        uow.payees.add(Payee(id=OTHER, kind=PayeeKind.STORE))
        await uow.commit()

    with pytest.raises(AlreadyExists):
        async with new_uow() as uow:
            (await uow.payees.get(OTHER, lock=True)).account_id = "acct_1"
            await uow.commit()


async def test_a_payee_says_what_its_account_still_needs(new_uow: NewUnitOfWork) -> None:
    async with new_uow() as uow:
        uow.payees.add(Payee(id=PAYEE, kind=PayeeKind.CREATOR))
        await uow.commit()
    async with new_uow() as uow:
        payee = await uow.payees.get(PAYEE, lock=True)
        payee.currently_due, payee.past_due = ("a", "b"), ("a",)
        payee.disabled_reason, payee.refreshed_at = "under_review", NOON
        await uow.commit()

    async with new_uow() as uow:
        payee = await uow.payees.get(PAYEE)
    assert (payee.currently_due, payee.past_due) == (("a", "b"), ("a",))
    assert (payee.disabled_reason, payee.refreshed_at) == ("under_review", NOON)


async def test_accounts_not_asked_about_for_long_are_stale_the_oldest_first(
    new_uow: NewUnitOfWork,
) -> None:
    def payee(hours: int | None, *, ready: bool, account: str | None) -> Payee:
        return Payee(
            id=uuid4(),
            kind=PayeeKind.STORE,
            account_id=account,
            transfers_active=ready,
            payouts_enabled=ready,
            refreshed_at=None if hours is None else NOON - timedelta(hours=hours),
        )

    async with new_uow() as uow:
        for one in (
            payee(None, ready=False, account=None),
            payee(None, ready=False, account="acct_never"),
            payee(2, ready=False, account="acct_unready"),
            payee(0, ready=False, account="acct_just_asked"),
            payee(2, ready=True, account="acct_ready"),
            payee(30, ready=True, account="acct_ready_yesterday"),
        ):
            uow.payees.add(one)
        await uow.commit()

    async with new_uow() as uow:
        stale = await uow.payees.stale(
            unready_before=NOON - timedelta(hours=1),
            ready_before=NOON - timedelta(days=1),
            limit=10,
        )
        first = await uow.payees.stale(unready_before=NOON, ready_before=NOON, limit=1)

    assert stale == ["acct_never", "acct_ready_yesterday", "acct_unready"]
    assert first == ["acct_never"]


# What administrators do to the books.


async def test_an_effect_is_found_by_its_key(new_uow: NewUnitOfWork) -> None:
    await post(new_uow, sale("ch_1"))
    async with new_uow() as uow:
        assert await uow.ledger.find("sale:ch_1") == sale("ch_1")
        assert await uow.ledger.find("sale:ch_2") is None


def write_off(key: str = "k") -> WriteOff:
    return WriteOff(
        id=uuid4(),
        payee_id=PAYEE,
        request_key=key,
        currency=USD,
        amount_cents=5,
        reason="gone",
        written_off_by=OTHER,
        created_at=NOON,
    )


async def test_a_write_off_is_found_by_its_request_and_made_once(new_uow: NewUnitOfWork) -> None:
    async with new_uow() as uow:
        uow.payees.add(Payee(id=PAYEE, kind=PayeeKind.STORE))
        await uow.commit()
    written = write_off()
    async with new_uow() as uow:
        uow.write_offs.add(written)
        await uow.commit()
    async with new_uow() as uow:
        found = await uow.write_offs.by_request_key(PAYEE, "k")
        assert found is not None
        assert fields_of(found) == fields_of(written)
        assert await uow.write_offs.by_request_key(OTHER, "k") is None
    with pytest.raises(AlreadyExists):
        async with new_uow() as uow:
            uow.write_offs.add(write_off())
            await uow.commit()


async def test_a_proof_is_kept_with_its_report(new_uow: NewUnitOfWork) -> None:
    proof = Proof(id=uuid4(), requested_by=OTHER, requested_at=NOON)
    async with new_uow() as uow:
        uow.proofs.add(proof)
        await uow.commit()
    async with new_uow() as uow:
        kept = await uow.proofs.get(proof.id, lock=True)
        assert kept.report is None
        kept.finish({"sound": True}, at=NOON)
        kept.finish({"sound": False}, at=NOON)
        await uow.commit()
    async with new_uow() as uow:
        assert (await uow.proofs.get(proof.id)).report == {"sound": True}
