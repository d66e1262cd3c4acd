"""A revocation: when it is allowed, when it takes effect, and what is carried out."""

from datetime import timedelta
from uuid import UUID

import pytest

from application.ordering.checkout import SaleRefused
from application.ordering.completion import RECONCILE_CHECKOUT, complete_orders
from application.ordering.refund_outcomes import SEND_REFUND
from application.ordering.revocations import CARRY_OUT
from application.ports.media import ERASE_BYTES
from application.ports.messages import RetryLater
from domain.catalogue.product import ListingRefused, ProductStatus
from domain.licensing import conditions
from domain.licensing.revocation import (
    AlreadyRevoked,
    NotRevocable,
    RevocationCause,
    RevocationStep,
)
from domain.licensing.terms import ProductType
from tests.application.licensing.licensed import carry_out, revoke
from tests.application.trade import Trade, owner_of
from tests.builders import NOON, Market, actor, generation, market, terms

BUYER = actor()


async def selling(
    kind: ProductType = ProductType.DIGITAL, **changes: object
) -> tuple[Trade, Market]:
    trade = Trade()
    licence = terms(**changes)
    return trade, await market(trade.uow(), licence=licence, product_type=kind)


async def bought(trade: Trade, shop: Market) -> UUID:
    started = await trade.check_out((shop.products[0].id, 1), who=BUYER, key="bought")
    trade.provider.payments.pay(started.session_id)
    state = await trade.provider.payments.checkout_state(started.session_id)
    assert state.captured is not None
    failures = await complete_orders(
        [state.captured], uow=trade.uow(), clock=trade.clock, hold=timedelta(days=7)
    )
    assert not failures
    return started.order_id


def told(trade: Trade, topic: str) -> int:
    return sum(message.topic == topic for message in trade.database.messages)


async def grantees(trade: Trade, shop: Market) -> set[UUID]:
    async with trade.uow() as uow:
        return await uow.assets.grantees(shop.products[0].asset_id)


@pytest.mark.parametrize(
    ("rule", "allowed"),
    [
        (conditions.Revocation.NONE, {"safety", "law"}),
        (conditions.Revocation.FOR_CAUSE, {"safety", "law", "breach"}),
        (conditions.Revocation.AT_WILL, {"safety", "law", "breach", "at_will"}),
    ],
)
async def test_the_terms_say_for_which_causes(
    rule: conditions.Revocation, allowed: set[str]
) -> None:
    for cause in RevocationCause:
        trade, shop = await selling(revocation=rule, revocation_notice_days=30)
        if cause.value not in allowed:
            with pytest.raises(NotRevocable):
                await revoke(trade, shop, cause)
            continue
        revoked = await revoke(trade, shop, cause)
        notice = timedelta(days=0 if cause.reaches_buyers else 30)
        assert revoked.effective_at == NOON + notice
        with pytest.raises(AlreadyRevoked):
            await revoke(trade, shop, cause)


async def test_nothing_new_is_listed_or_sold_once_it_takes_effect() -> None:
    trade, shop = await selling(revocation=conditions.Revocation.AT_WILL, revocation_notice_days=10)
    (product,) = shop.products
    await revoke(trade, shop, RevocationCause.AT_WILL)
    await trade.check_out((product.id, 1), key="in notice")
    trade.clock.advance(timedelta(days=10))

    with pytest.raises(SaleRefused) as refused:
        await trade.check_out((product.id, 1), key="too late")
    assert "revoked" in str(refused.value.facts["reasons"])
    draft = await trade.draft(shop)
    with pytest.raises(ListingRefused) as unlisted:
        await trade.publish(draft.id, who=owner_of(shop))
    assert [reason.code for reason in unlisted.value.reasons] == ["revoked"]


async def test_it_is_carried_out_step_by_step_and_each_step_once() -> None:
    trade, shop = await selling(revocation=conditions.Revocation.AT_WILL)
    await generation(trade.uow(), shop)
    paid = await bought(trade, shop)
    await trade.check_out((shop.products[0].id, 1), key="unpaid")
    messages = told(trade, RECONCILE_CHECKOUT)
    revocation = await revoke(trade, shop, RevocationCause.AT_WILL)
    assert told(trade, CARRY_OUT) == 1

    await carry_out(trade, revocation.id)

    async with trade.uow() as uow:
        done = await uow.revocations.get(revocation.id)
        product = await uow.products.get(shop.products[0].id)
        order = await uow.orders.get(paid)
        (model,) = await uow.models.of_creator(shop.creator.id)
    assert (done.step, done.done_at) == (RevocationStep.DONE, NOON)
    assert (done.listings_frozen, done.checkouts_closed, done.weights_erased) == (1, 1, 1)
    assert (product.status, product.frozen_for) == (ProductStatus.SUSPENDED, "revoked")
    assert told(trade, RECONCILE_CHECKOUT) == messages + 1
    assert told(trade, ERASE_BYTES) == 1
    assert (model.weights_key, model.deleted_at) == (None, NOON)
    # Who has bought keeps what was bought.
    assert (done.copies_withdrawn, done.refunds_asked) == (0, 0)
    assert order.lines[0].refunded_cents == 0
    assert await grantees(trade, shop) == {BUYER.user_id}


async def test_for_safety_copies_are_withdrawn_and_digital_goods_refunded_once() -> None:
    trade, shop = await selling()
    paid = await bought(trade, shop)
    revocation = await revoke(trade, shop, RevocationCause.SAFETY)

    await carry_out(trade, revocation.id)

    async with trade.uow() as uow:
        done = await uow.revocations.get(revocation.id)
        order = await uow.orders.get(paid)
        refund = await uow.refunds.by_request_key(paid, f"revocation:{revocation.id}")
    assert (done.copies_withdrawn, done.refunds_asked) == (1, 1)
    assert refund is not None
    assert refund.amount_cents == order.lines[0].refunded_cents == order.total_cents
    assert told(trade, SEND_REFUND) == 1
    assert await grantees(trade, shop) == set()


async def test_copies_are_taken_back_when_every_checkout_has_ended() -> None:
    trade, shop = await selling()
    await trade.check_out((shop.products[0].id, 1), who=BUYER, key="open")
    revocation = await revoke(trade, shop, RevocationCause.LAW)
    with pytest.raises(RetryLater):
        await carry_out(trade, revocation.id)
    async with trade.uow() as uow:
        assert (await uow.revocations.get(revocation.id)).step is RevocationStep.COPIES


async def test_what_is_no_copy_is_fulfilled_and_not_refunded() -> None:
    trade, shop = await selling(ProductType.SHIRT)
    paid = await bought(trade, shop)
    revocation = await revoke(trade, shop, RevocationCause.LAW)
    await carry_out(trade, revocation.id)
    async with trade.uow() as uow:
        order = await uow.orders.get(paid)
    assert order.lines[0].refunded_cents == 0
    assert told(trade, SEND_REFUND) == 0


async def test_terms_that_are_published_afterwards_are_a_new_licence() -> None:
    trade, shop = await selling()
    (product,) = shop.products
    revocation = await revoke(trade, shop, RevocationCause.LAW)
    await carry_out(trade, revocation.id)
    from application.licensing.terms import PublishTerms
    from tests.application.trade import creator_of

    await trade.publish_terms(shop.creator.id, PublishTerms(), who=creator_of(shop))

    await trade.publish(product.id, who=owner_of(shop))
    await carry_out(trade, revocation.id)
    async with trade.uow() as uow:
        assert (await uow.products.get(product.id)).status is ProductStatus.ACTIVE
