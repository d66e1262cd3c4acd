"""A product that shows several: each is asked, each one's quota counts, all or nothing."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from application.licensing.usage import LineClaim, claim_usage, free_usage
from application.ordering.basket import SaleRefused
from domain.catalogue.product import ListingRefused, ProductStatus
from domain.licensing.approval import ApprovalNeeded
from domain.licensing.conditions import Approval, Quotas
from domain.licensing.record import DecisionRecord, faults_of
from domain.licensing.usage import Counter, CounterKind, QuotaExhausted
from domain.shared.errors import NotFound
from tests.application.licensing.together import asked_in, name_together, say, waiting_of
from tests.application.trade import Trade, creator_of, owner_of
from tests.builders import USD, Market, terms

HOUR = timedelta(hours=1)


async def band(**approvals: Approval) -> tuple[Trade, Market, Market, Market]:
    """Ada leads; grace and alan, who may want to be asked, are shown with her."""
    trade = Trade()
    grace = await trade.market(
        licence=terms(approval=approvals.get("grace", Approval.NONE), approval_hours=24)
    )
    alan = await trade.market(
        licence=terms(approval=approvals.get("alan", Approval.NONE), approval_hours=48)
    )
    ada = await trade.market()
    await name_together(trade.uow, ada, grace, alan, approval=approvals.get("ada", Approval.NONE))
    return trade, ada, grace, alan


async def publish_refused(trade: Trade, shop: Market, product_id: UUID) -> list[UUID]:
    with pytest.raises(ApprovalNeeded) as needed:
        await trade.publish(product_id, who=owner_of(shop))
    return asked_in(needed.value)


async def test_each_who_wants_to_be_asked_is_and_all_must_say_yes() -> None:
    trade, ada, grace, alan = await band(
        ada=Approval.PER_PRODUCT, grace=Approval.PER_PRODUCT, alan=Approval.FIRST_USE
    )
    draft = await trade.draft(ada)

    requests = await publish_refused(trade, ada, draft.id)

    asked = {
        market.creator.id: (await waiting_of(market, trade.uow, trade.clock))[0]
        for market in (ada, grace, alan)
    }
    assert set(requests) == {each.id for each in asked.values()}
    now = trade.clock.now()
    assert [asked[m.creator.id].deadline - now for m in (ada, grace, alan)] == [
        72 * HOUR,
        24 * HOUR,
        48 * HOUR,
    ]

    await say(ada, asked[ada.creator.id].id, trade.uow, trade.clock)
    left = await publish_refused(trade, ada, draft.id)
    assert set(left) == {asked[grace.creator.id].id, asked[alan.creator.id].id}
    await say(alan, asked[alan.creator.id].id, trade.uow, trade.clock)
    assert await publish_refused(trade, ada, draft.id) == [asked[grace.creator.id].id]
    await say(grace, asked[grace.creator.id].id, trade.uow, trade.clock)

    published = await trade.publish(draft.id, who=owner_of(ada))
    assert published.status is ProductStatus.ACTIVE
    await trade.check_out((draft.id, 1))


async def test_who_is_too_late_is_asked_anew_and_the_others_are_not() -> None:
    trade, ada, grace, alan = await band(grace=Approval.PER_PRODUCT, alan=Approval.PER_PRODUCT)
    draft = await trade.draft(ada)
    first = set(await publish_refused(trade, ada, draft.id))
    trade.clock.advance(24 * HOUR)

    again = set(await publish_refused(trade, ada, draft.id))

    (late, anew) = reversed(await waiting_of(grace, trade.uow, trade.clock))
    (still,) = await waiting_of(alan, trade.uow, trade.clock)
    assert (first, again) == ({late.id, still.id}, {anew.id, still.id})


async def test_a_no_of_one_refuses_and_names_them() -> None:
    trade, ada, grace, _ = await band(grace=Approval.PER_PRODUCT, alan=Approval.PER_PRODUCT)
    draft = await trade.draft(ada)
    await publish_refused(trade, ada, draft.id)
    (request,) = await waiting_of(grace, trade.uow, trade.clock)
    with pytest.raises(NotFound):
        await say(ada, request.id, trade.uow, trade.clock)
    await say(grace, request.id, trade.uow, trade.clock, approved=False)

    with pytest.raises(ListingRefused) as refused:
        await trade.publish(draft.id, who=owner_of(ada))

    said = {reason.field: reason.code for reason in refused.value.reasons}
    assert said[f"parties.{grace.creator.id}.approved"] == "approval_refused"


async def test_nobody_is_asked_about_their_own_store_but_the_others_are() -> None:
    trade, ada, grace, alan = await band(grace=Approval.PER_PRODUCT, alan=Approval.PER_PRODUCT)
    draft = await trade.draft(ada, title="At grace's")
    async with trade.uow() as uow:
        (await uow.stores.get(ada.store.id)).owner_id = grace.creator.user_id
        await uow.commit()

    with pytest.raises(ApprovalNeeded) as needed:
        await trade.publish(draft.id, who=creator_of(grace))

    (request,) = await waiting_of(alan, trade.uow, trade.clock)
    assert asked_in(needed.value) == [request.id]
    assert await waiting_of(grace, trade.uow, trade.clock) == []


async def test_a_yes_to_being_shown_alone_is_none_to_being_shown_with_others() -> None:
    trade, ada, grace, _ = await band(grace=Approval.FIRST_USE)
    alone = await trade.draft(replace(grace, store=ada.store, owner=ada.owner))
    (request,) = await publish_refused(trade, ada, alone.id)
    await say(grace, request, trade.uow, trade.clock)
    await trade.publish(alone.id, who=owner_of(ada))

    together = await trade.draft(ada)
    (other,) = await publish_refused(trade, ada, together.id)
    assert other != request


async def test_every_kept_decision_is_the_same_again() -> None:
    trade, ada, grace, alan = await band(grace=Approval.PER_PRODUCT)
    draft = await trade.draft(ada)
    await publish_refused(trade, ada, draft.id)
    records: list[DecisionRecord] = list(trade.database.table("decision").rows.values())
    assert records
    for record in records:
        assert {party.creator_id for party in record.parties} == {
            grace.creator.id,
            alan.creator.id,
        }
        assert list(faults_of(record, ada.terms.terms, frozen=None)) == []


# Quotas.


def line_of(shop: Market, *partners: Market, quantity: int = 1) -> LineClaim:
    return LineClaim(
        line_id=uuid4(),
        product_id=shop.products[0].id,
        store_id=shop.store.id,
        terms=shop.terms,
        quantity=quantity,
        base_cents=2500 * quantity,
        currency=USD,
        parties=tuple(partner.terms for partner in partners),
    )


async def test_an_order_counts_towards_everybodys_quota_and_gives_all_back() -> None:
    trade = Trade()
    grace = await trade.market(licence=terms(quotas=Quotas(units=2)))
    ada = await trade.market(licence=terms(quotas=Quotas(units=5, revenue_cents=99_000)))
    counters = [
        Counter(ada.creator.id, CounterKind.UNITS),
        Counter(ada.creator.id, CounterKind.REVENUE, "", "usd"),
        Counter(grace.creator.id, CounterKind.UNITS),
    ]

    async def counted() -> list[int]:
        async with trade.uow() as uow:
            found = await uow.usage.values(counters)
        return [found[counter] for counter in counters]

    order_id = uuid4()
    async with trade.uow() as uow:
        await claim_usage(
            order_id, [line_of(ada, grace, quantity=2)], uow=uow, at=trade.clock.now()
        )
        await uow.commit()
    assert await counted() == [2, 5000, 2]

    with pytest.raises(QuotaExhausted):
        async with trade.uow() as uow:
            await claim_usage(uuid4(), [line_of(ada, grace)], uow=uow, at=trade.clock.now())
    assert await counted() == [2, 5000, 2]

    for _ in range(2):
        async with trade.uow() as uow:
            await free_usage(order_id, uow=uow)
            await uow.commit()
    assert await counted() == [0, 0, 0]


async def test_a_checkout_is_refused_by_the_quota_of_who_is_shown_with_the_creator() -> None:
    trade = Trade()
    grace = await trade.market(licence=terms(quotas=Quotas(units=1)))
    ada = await trade.market()
    await name_together(trade.uow, ada, grace)
    (product,) = ada.products
    await trade.check_out((product.id, 1), key="first")

    with pytest.raises(SaleRefused) as refused:
        await trade.check_out((product.id, 1), key="second")

    assert f"parties.{grace.creator.id}.units_sold" in str(refused.value.facts["reasons"])
