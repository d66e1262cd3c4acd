"""A bank takes money back: nobody can withdraw it meanwhile, and everybody ends with its part."""

import asyncio
from uuid import UUID

import msgspec
import pytest

from application.ordering.disputes import DisputedOrderUnknown
from application.ordering.provider_refunds import SettleRefund, adopt_refund, settle_refund
from application.ordering.refund_outcomes import record_refund
from application.ports.payments import DisputeChanged, ProviderRefund
from domain.identity.actor import Actor, Role
from domain.ordering.order import DisputeOpen
from domain.ordering.refund import NothingToRefund, RefundNotReturned, RefundSettled, RefundTooLarge
from domain.shared.disputes import DisputeContradiction, DisputeStatus
from domain.shared.errors import NotAllowed
from tests.application.ordering.conftest import ADMIN, HOLD, Desk
from tests.builders import actor

FEE = 1500


async def state_of(desk: Desk) -> tuple[object, ...]:
    return (await desk.rows("SELECT dispute_status, contested_cents FROM orders"))[0]


async def disputed(desk: Desk, payee_id: UUID) -> object:
    rows = await desk.rows(
        "SELECT disputed_cents FROM payee_balances WHERE payee_id = :id", id=payee_id
    )
    return rows[0][0]


async def test_contested_money_moves_to_disputed_at_once(desk: Desk) -> None:
    shop = await desk.market()
    order_id = await desk.buy(*shop.products)
    await desk.dispute(order_id)
    assert await state_of(desk) == ("open", 2500)
    assert await disputed(desk, shop.store.id) == 1050
    assert (await desk.balance(shop.store.id))["pending"] == 0
    await desk.check_books()
    balances = await desk.trial_balance()
    assert balances["dispute_losses"] == -FEE
    assert balances["contested_funds"] == -1300
    with pytest.raises(DisputeOpen):
        await desk.ask_refund(order_id, 1)
    desk.clock.advance(HOLD)
    assert await desk.release() == 0


@pytest.mark.parametrize("when", ["held", "released", "planned", "transferred"])
@pytest.mark.parametrize("outcome", ["won", "lost"])
async def test_disputes_end_well_or_badly_wherever_the_money_was(
    desk: Desk, when: str, outcome: str
) -> None:
    shop = await desk.market(prices_cents=(2500, 1999))
    order_id = await desk.buy(*shop.products)
    await desk.refund(order_id, 333)
    if when != "held":
        desk.clock.advance(HOLD)
        await desk.release()
    if when in ("planned", "transferred"):
        await desk.plan()
    if when == "transferred":
        await desk.send_transfers()
    dispute = await desk.dispute(order_id, 1234)
    await desk.send_reversals()
    await desk.check_books()
    assert await desk.plan() == 0
    await desk.decide(dispute, "won" if outcome == "won" else "lost")
    await desk.check_books()
    assert await state_of(desk) == (outcome, 0)
    desk.clock.advance(HOLD)
    await desk.release()
    await desk.plan()
    await desk.send_transfers()
    await desk.send_reversals()
    await desk.check_books()
    await desk.refund(order_id)
    await desk.check_books()
    balances = await desk.trial_balance()
    assert set(balances) == {"stripe_clearing", "processing_fees", "dispute_losses"}
    assert balances["dispute_losses"] == -FEE


async def test_a_returned_fee_is_no_loss(desk: Desk) -> None:
    shop = await desk.market()
    dispute = await desk.dispute(await desk.buy(*shop.products))
    await desk.decide(dispute, "won", fee_returned=True)
    await desk.check_books()
    assert "dispute_losses" not in await desk.trial_balance()


async def test_duplicates_reordering_and_losses_end_in_the_same_state(desk: Desk) -> None:
    shop = await desk.market()
    order_id = await desk.buy(*shop.products)
    payments = desk.provider.payments
    charge_id = await desk.charge_of(order_id)
    dispute = payments.inquire(charge_id)
    inquiry = payments.dispute_said(dispute)
    payments.withdraw(dispute)
    opened = payments.dispute_said(dispute)
    payments.decide(dispute, "won")
    won = payments.dispute_said(dispute)
    for said in (won, inquiry, opened, opened, won):
        await desk.hear(dispute, said)
    await desk.check_books()
    assert await state_of(desk) == ("won", 0)
    assert (await desk.balance(shop.store.id))["pending"] == 1050
    await asyncio.gather(*(desk.hear(dispute, said) for said in (opened, won) * 3))
    await desk.check_books()


async def test_an_inquiry_moves_no_money_and_holds_what_is_due(desk: Desk) -> None:
    shop = await desk.market()
    order_id = await desk.buy(*shop.products)
    dispute = desk.provider.payments.inquire(await desk.charge_of(order_id))
    await desk.hear(dispute)
    assert await state_of(desk) == ("none", 0)
    desk.clock.advance(HOLD)
    assert await desk.release() == 0
    await desk.refund(order_id, 100)
    desk.provider.payments.close_inquiry(dispute)
    await desk.hear(dispute)
    assert await desk.release() == 2
    await desk.check_books()


async def test_what_was_won_is_never_lost_afterwards(desk: Desk) -> None:
    shop = await desk.market()
    dispute = await desk.dispute(await desk.buy(*shop.products))
    await desk.decide(dispute, "won")
    said = desk.provider.payments.dispute_said(dispute)
    with pytest.raises(DisputeContradiction):
        await desk.hear(dispute, msgspec.structs.replace(said, status=DisputeStatus.LOST))
    await desk.check_books()


async def test_a_dispute_before_its_settlement_waits(desk: Desk) -> None:
    shop = await desk.market()
    paid = await desk.pay(await desk.check_out(*shop.products))
    dispute = desk.provider.payments.dispute(paid.charge_id)
    with pytest.raises(DisputedOrderUnknown):
        await desk.hear(dispute)
    await desk.settle(paid)
    await desk.hear(dispute)
    await desk.check_books()
    assert await state_of(desk) == ("open", 2500)


async def test_what_a_bank_takes_beyond_the_order_is_the_platforms_loss(desk: Desk) -> None:
    """The bank may take the whole charge although a part was refunded already."""
    shop = await desk.market()
    order_id = await desk.buy(*shop.products)
    await desk.refund(order_id, 1000)
    said = DisputeChanged(
        provider_id="dp_twice",
        charge_id=await desk.charge_of(order_id),
        amount_cents=2500,
        currency="usd",
        reason="duplicate",
        status=DisputeStatus.NEEDS_RESPONSE,
        withdrawn_cents=2500,
    )
    await desk.hear("dp_twice", said)
    assert (await desk.trial_balance())["dispute_losses"] == -1000
    await desk.hear("dp_twice", msgspec.structs.replace(said, status=DisputeStatus.LOST))
    balances = await desk.trial_balance()
    assert (balances["dispute_losses"], balances["stripe_clearing"]) == (-1000, 1000)
    with pytest.raises(NothingToRefund):
        await desk.ask_refund(order_id)


@pytest.mark.parametrize("first", ["refund", "dispute"])
async def test_a_pending_refund_and_a_dispute_leave_the_same_books(desk: Desk, first: str) -> None:
    shop = await desk.market(prices_cents=(2500, 1999))
    order_id = await desk.buy(*shop.products)
    asked = await desk.ask_refund(order_id, 777)
    answer = ProviderRefund(
        provider_id="re_1", refund_id=asked.id, status="succeeded", amount_cents=777
    )
    said = DisputeChanged(
        provider_id="dp_1",
        charge_id=await desk.charge_of(order_id),
        amount_cents=1501,
        currency="usd",
        reason="fraudulent",
        status=DisputeStatus.NEEDS_RESPONSE,
        withdrawn_cents=1501,
        fee_cents=FEE,
    )

    async def refund() -> None:
        await record_refund(asked.id, answer, uow=desk.new_uow(), clock=desk.clock, ids=desk.ids)

    steps = [refund(), desk.hear("dp_1", said)]
    for step in steps if first == "refund" else reversed(steps):
        await step
    assert await desk.rows(
        "SELECT returned_cents, disputed_cents FROM order_lines ORDER BY position"
    ) == [(432, 834), (345, 667)]


async def test_a_refund_made_at_the_provider_is_adopted_once(desk: Desk) -> None:
    shop = await desk.market(prices_cents=(2500, 1999))
    order_id = await desk.buy(*shop.products)
    charge_id = await desk.charge_of(order_id)
    said = ProviderRefund(
        provider_id="re_theirs", refund_id=None, status="succeeded", amount_cents=1000
    )

    async def hear(said: ProviderRefund) -> None:
        refund_id = await adopt_refund(
            said, charge_id=charge_id, uow=desk.new_uow(), clock=desk.clock, ids=desk.ids
        )
        assert refund_id is not None
        await record_refund(refund_id, said, uow=desk.new_uow(), clock=desk.clock, ids=desk.ids)

    for _ in range(2):
        await hear(said)
    assert await desk.rows("SELECT status, reason, requested_by FROM refunds") == [
        ("succeeded", "made at the provider", None)
    ]
    assert (await desk.trial_balance())["stripe_clearing"] == -4499 + 1000
    with pytest.raises(RefundTooLarge):
        await desk.ask_refund(order_id, 3500)
    await hear(msgspec.structs.replace(said, provider_id="re_bounced", status="failed"))
    await hear(msgspec.structs.replace(said, provider_id="re_bounced"))
    assert (await desk.trial_balance())["stripe_clearing"] == -4499 + 1000


async def test_a_returned_refund_is_paid_in_another_way_once(desk: Desk) -> None:
    shop = await desk.market()
    order_id = await desk.buy(*shop.products)
    refund_id = await desk.refund(order_id, 1000)

    async def settle(reference: str, by: Actor = ADMIN) -> None:
        await settle_refund(
            refund_id,
            SettleRefund(reference=reference),
            actor=by,
            uow=desk.new_uow(),
            clock=desk.clock,
        )

    with pytest.raises(RefundNotReturned):
        await settle("wire 1")
    failed = ProviderRefund(
        provider_id="re", refund_id=refund_id, status="failed", amount_cents=1000
    )
    await record_refund(refund_id, failed, uow=desk.new_uow(), clock=desk.clock, ids=desk.ids)
    for _ in range(2):
        await settle("wire 1")
    balances = await desk.trial_balance()
    assert "refunds_returned" not in balances
    assert balances["payout_clearing"] == 1000
    with pytest.raises(RefundSettled):
        await settle("wire 2")
    with pytest.raises(NotAllowed):
        await settle("wire 1", by=actor(Role.FAN))
