"""The creator's word: asked for once, given, refused or too late, and what it is good for."""

from datetime import timedelta
from uuid import UUID

import pytest

from application.catalogue.products import UpdateProduct
from application.licensing import approvals
from application.licensing.approvals import ApprovalView
from domain.catalogue.product import ListingRefused, ProductStatus
from domain.identity.actor import Actor
from domain.licensing.approval import ApprovalAnswered, ApprovalNeeded, ApprovalState
from domain.licensing.conditions import Approval
from domain.shared.errors import NotFound
from tests.application.licensing.licensed import answer
from tests.application.trade import Trade, creator_of, owner_of
from tests.builders import Market, terms


async def asked(trade: Trade, product_id: UUID, *, who: Actor) -> UUID:
    """The id of the request that publishing made, or found."""
    with pytest.raises(ApprovalNeeded) as needed:
        await trade.publish(product_id, who=who)
    fields: dict[str, list[str]] = needed.value.facts["fields"]  # type: ignore[assignment]
    return UUID(fields["approval_id"][0])


async def listed(
    trade: Trade, shop: Market, state: ApprovalState | None = None
) -> list[ApprovalView]:
    return await approvals.list_of_creator(
        shop.creator.id,
        state=state,
        actor=creator_of(shop),
        uow=trade.uow(),
        clock=trade.clock,
        before=None,
        limit=10,
    )


async def selling(approval: Approval = Approval.PER_PRODUCT) -> tuple[Trade, Market]:
    trade = Trade()
    return trade, await trade.market(licence=terms(approval=approval, approval_hours=24))


async def test_a_product_waits_for_the_creator_and_is_published_afterwards() -> None:
    trade, shop = await selling()
    draft = await trade.draft(shop, title="A shirt")

    request_id = await asked(trade, draft.id, who=owner_of(shop))
    assert await asked(trade, draft.id, who=owner_of(shop)) == request_id
    (waiting,) = await listed(trade, shop, ApprovalState.PENDING)
    assert (waiting.id, waiting.product_id) == (request_id, draft.id)
    assert waiting.texts["title"] == "A shirt"
    assert waiting.deadline == trade.clock.now() + timedelta(hours=24)

    await answer(trade, shop, request_id)

    published = await trade.publish(draft.id, who=owner_of(shop))
    assert published.status is ProductStatus.ACTIVE
    await trade.check_out((draft.id, 1))


async def test_an_answer_is_good_for_what_was_shown() -> None:
    trade, shop = await selling()
    draft = await trade.draft(shop, title="A shirt")
    request_id = await asked(trade, draft.id, who=owner_of(shop))
    await answer(trade, shop, request_id)
    await trade.update(draft.id, UpdateProduct(title="Another shirt"), who=owner_of(shop))

    assert await asked(trade, draft.id, who=owner_of(shop)) != request_id


async def test_a_rejection_stands_until_the_terms_change() -> None:
    trade, shop = await selling()
    draft = await trade.draft(shop)
    request_id = await asked(trade, draft.id, who=owner_of(shop))
    await answer(trade, shop, request_id, approved=False)

    with pytest.raises(ListingRefused) as refused:
        await trade.publish(draft.id, who=owner_of(shop))
    assert [reason.code for reason in refused.value.reasons] == ["approval_refused"]
    with pytest.raises(ApprovalAnswered):
        await answer(trade, shop, request_id)


async def test_no_answer_in_time_is_a_no_and_another_try_asks_anew() -> None:
    trade, shop = await selling()
    draft = await trade.draft(shop)
    request_id = await asked(trade, draft.id, who=owner_of(shop))
    trade.clock.advance(timedelta(hours=24))

    assert [one.id for one in await listed(trade, shop, ApprovalState.EXPIRED)] == [request_id]
    with pytest.raises(ApprovalAnswered):
        await answer(trade, shop, request_id)
    again = await asked(trade, draft.id, who=owner_of(shop))
    assert again != request_id

    trade.clock.advance(timedelta(hours=24))
    assert await approvals.expire_approvals(uow=trade.uow(), clock=trade.clock) == 1
    assert await approvals.expire_approvals(uow=trade.uow(), clock=trade.clock) == 0
    mine = await approvals.list_own(
        actor=owner_of(shop), uow=trade.uow(), clock=trade.clock, before=None, limit=5
    )
    assert {one.state for one in mine} == {ApprovalState.EXPIRED}


async def test_the_first_use_of_a_store_is_good_for_all_that_follow() -> None:
    trade, shop = await selling(Approval.FIRST_USE)
    first, second = await trade.draft(shop), await trade.draft(shop, title="Another")
    request_id = await asked(trade, first.id, who=owner_of(shop))
    assert await asked(trade, second.id, who=owner_of(shop)) == request_id
    await answer(trade, shop, request_id)

    for draft in (first, second):
        await trade.publish(draft.id, who=owner_of(shop))


async def test_only_the_creator_answers() -> None:
    trade, shop = await selling()
    draft = await trade.draft(shop)
    request_id = await asked(trade, draft.id, who=owner_of(shop))
    stranger = Actor(shop.owner.id, frozenset())
    with pytest.raises(NotFound):
        await approvals.answer_approval(
            request_id,
            approved=True,
            reason="",
            actor=stranger,
            uow=trade.uow(),
            clock=trade.clock,
        )
