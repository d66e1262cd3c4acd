"""Sublicences and works of several: what is handed on, who must allow it, who has the royalty."""

from uuid import UUID, uuid4

import pytest

from application.licensing.standing import standing_terms
from application.licensing.usage import LineClaim, claim_usage
from domain.licensing.conditions import Collaborator, Exclusivity
from domain.licensing.grant import GrantInvalid
from domain.licensing.royalty import Share
from domain.licensing.subset import SublicenceTooWide
from domain.licensing.terms import ProductType
from domain.licensing.use import Grant as GrantWord
from domain.ordering.fees import FeeRate
from domain.ordering.split import LegKind, Line, split
from domain.shared.money import Currency
from tests.application.licensing.licensed import end, give, hand_on, second_store
from tests.application.trade import Trade, creator_of
from tests.builders import NOON, Market, terms
from tests.domain.licensing.uses import use

USD = Currency("usd")


async def selling(**changes: object) -> tuple[Trade, Market]:
    trade = Trade()
    return trade, await trade.market(licence=terms(**changes))


async def test_a_royalty_under_a_sublicence_is_shared_with_who_handed_it_on() -> None:
    trade, shop = await selling(sublicence_depth=2, sublicence_pass_through_bps=3000)
    middle, last = await second_store(trade, shop), await second_store(trade, shop)
    root = await give(trade, shop, kind=Exclusivity.EXCLUSIVE)
    child = await hand_on(trade, shop, root.id, last, royalty_bps=2000)
    assert (child.depth, child.parent_id) == (1, root.id)

    async with trade.uow() as uow:
        sold = await uow.products.get(shop.products[0].id)
        sold.store_id = last
        await uow.commit()
    line = LineClaim(
        line_id=uuid4(),
        product_id=sold.id,
        store_id=last,
        terms=shop.terms,
        quantity=1,
        base_cents=2501,
        currency=USD,
    )
    async with trade.uow() as uow:
        royalty = (await claim_usage(uuid4(), [line], uow=uow, at=NOON))[line.line_id]
    assert royalty.rate_bps == 2000
    assert royalty.shares == (Share(shop.creator.id, 7000), Share(shop.store.id, 3000))

    legs = split(Line(2501, 1, 900, royalty, shop.creator.id, last), FeeRate(1000))
    assert [leg.amount_cents for leg in legs if leg.kind is LegKind.ROYALTY] == [350, 150]
    assert sum(leg.amount_cents for leg in legs) == 2501
    assert middle != last


async def test_a_sublicence_needs_depth_and_stays_within_what_is_above_it() -> None:
    trade, shop = await selling(sublicence_depth=1, max_discount_bps=1000)
    other = await second_store(trade, shop)
    root = await give(trade, shop, product_types=[ProductType.SHIRT], territories=["EU"])
    with pytest.raises(GrantInvalid):
        await hand_on(trade, shop, root.id, other, territories=["US"])
    with pytest.raises(GrantInvalid):
        await hand_on(trade, shop, root.id, other, product_types=[ProductType.PRINT])
    with pytest.raises(SublicenceTooWide) as refused:
        await hand_on(trade, shop, root.id, other, max_discount_bps=2000, royalty_bps=1, depth=1)
    fields = {reason.field for reason in refused.value.facts["reasons"]}  # type: ignore[attr-defined]
    assert fields == {"max_discount_bps", "royalty_bps", "sublicence_depth"}

    await hand_on(trade, shop, root.id, other)
    await end(trade, root.id, who=creator_of(shop))
    async with trade.uow() as uow:
        assert await uow.grants.active([shop.creator.id], at=NOON) == []


async def test_who_was_handed_a_part_of_an_exclusive_grant_may_sell_it() -> None:
    trade, shop = await selling(sublicence_depth=1)
    other, outsider = await second_store(trade, shop), await second_store(trade, shop)
    root = await give(trade, shop, kind=Exclusivity.EXCLUSIVE)
    await hand_on(trade, shop, root.id, other, territories=["US"])
    beside = await give(trade, shop, store_id=outsider)
    assert beside.kind is Exclusivity.NONE
    async with trade.uow() as uow:
        grants = await uow.grants.active([shop.creator.id], at=NOON)

    def stands(store_id: UUID, country: str) -> GrantWord:
        from domain.licensing.grant import standing_of
        from domain.licensing.use import Seller

        return standing_of(
            Seller(store_id, is_creators_own=False),
            ProductType.SHIRT,
            frozenset({country}),
            grants,
            listing=False,
            at=NOON,
        )

    assert stands(shop.store.id, "US") is GrantWord.HELD
    assert stands(other, "US") is GrantWord.HELD
    assert stands(other, "DE") is GrantWord.TAKEN
    assert stands(outsider, "US") is GrantWord.TAKEN


async def test_a_work_of_several_must_be_allowed_by_all_who_have_terms() -> None:
    trade = Trade()
    partner = await trade.market(licence=terms(product_types=frozenset({ProductType.PRINT})))
    shop = await trade.market()
    parties = (Collaborator(shop.creator.id, 5000), Collaborator(partner.creator.id, 5000))
    async with trade.uow() as uow:
        (await uow.terms.get(shop.terms.id)).terms = terms(collaborators=parties)
        await uow.commit()
    async with trade.uow() as uow:
        standing = await standing_terms(uow, shop.creator.id)

    refused = standing.decide(use())
    assert [reason.code for reason in refused.reasons] == ["product_type_not_allowed"]
    assert standing.decide(use(product_type=ProductType.PRINT)).allowed
