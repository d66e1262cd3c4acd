"""Grants: who may sell beside whom, what freezes, and how a guarantee is paid and recouped."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from application.licensing.grants import FREEZE_LISTINGS, InsufficientBalance, NoGuarantee
from application.licensing.usage import LineClaim, claim_usage, free_usage
from application.ordering.checkout import SaleRefused
from application.ordering.completion import reconcile_checkout
from domain.catalogue.product import ListingRefused, ProductStatus
from domain.ledger.posting import Account, Entry, Transaction
from domain.licensing.conditions import Collaborator, Exclusivity, Quotas
from domain.licensing.grant import GrantEnded, GrantInvalid, GrantOverlaps
from domain.licensing.royalty import Royalty, Tier
from domain.licensing.terms import LicenceTerms, ProductType
from domain.licensing.usage import QuotaExhausted
from domain.shared.errors import NotFound
from domain.shared.money import Currency
from tests.application.licensing.licensed import end, freeze, give, pay, second_store
from tests.application.trade import Trade, creator_of, owner_of
from tests.builders import NOON, Market, actor, terms

USD = Currency("usd")


async def status_of(trade: Trade, product_id: UUID) -> tuple[ProductStatus, str | None]:
    async with trade.uow() as uow:
        product = await uow.products.get(product_id)
    return product.status, product.frozen_for


# Who is shut out.


async def test_an_exclusive_grant_freezes_what_others_list_and_keeps_them_from_listing() -> None:
    trade = Trade()
    shop = await trade.market()
    (product,) = shop.products
    other = await second_store(trade, shop)

    grant = await give(
        trade, shop, store_id=other, kind=Exclusivity.EXCLUSIVE, product_types=[ProductType.SHIRT]
    )
    assert [(m.topic, m.due_at) for m in trade.database.messages] == [(FREEZE_LISTINGS, NOON)]
    for _ in range(2):
        await freeze(trade, grant.id)

    frozen = (ProductStatus.SUSPENDED, "granted_to_another")
    assert await status_of(trade, product.id) == frozen
    with pytest.raises(ListingRefused) as refused:
        await trade.publish(product.id, who=owner_of(shop))
    assert [reason.code for reason in refused.value.reasons] == ["granted_to_another"]

    # A payee that comes back brings back nothing that the licence froze.
    async with trade.uow() as uow:
        assert await uow.products.resume_payable(shop.store.id) == 0

    await end(trade, grant.id, who=creator_of(shop))
    assert await status_of(trade, product.id) == frozen
    await trade.publish(product.id, who=owner_of(shop))
    assert await status_of(trade, product.id) == (ProductStatus.ACTIVE, None)


async def test_a_sole_grant_leaves_the_creator_s_own_stores() -> None:
    trade = Trade()
    shop = await trade.market()
    (product,) = shop.products
    async with trade.uow() as uow:
        (await uow.stores.get(shop.store.id)).owner_id = shop.creator_user.id
        await uow.commit()
    other = await second_store(trade, shop)

    grant = await give(trade, shop, store_id=other, kind=Exclusivity.SOLE)
    await freeze(trade, grant.id)

    assert await status_of(trade, product.id) == (ProductStatus.ACTIVE, None)


@pytest.mark.parametrize(
    "beside",
    [
        {"product_types": [ProductType.POSTCARD]},
        {"territories": ["US"]},
        {"kind": Exclusivity.NONE},
    ],
    ids=["other things", "one country", "not alone"],
)
async def test_what_a_grant_leaves_open_stays_on_sale(beside: dict[str, object]) -> None:
    trade = Trade()
    shop = await trade.market()
    other = await second_store(trade, shop)
    wish = {"store_id": other, "kind": Exclusivity.EXCLUSIVE, **beside}

    grant = await give(trade, shop, **wish)
    await freeze(trade, grant.id)

    assert await status_of(trade, shop.products[0].id) == (ProductStatus.ACTIVE, None)


async def test_a_grant_that_has_not_begun_freezes_nothing() -> None:
    trade = Trade()
    shop = await trade.market()
    later = NOON + timedelta(days=3)
    other = await second_store(trade, shop)
    grant = await give(trade, shop, store_id=other, kind=Exclusivity.EXCLUSIVE, valid_from=later)
    await freeze(trade, grant.id)
    assert await status_of(trade, shop.products[0].id) == (ProductStatus.ACTIVE, None)
    trade.clock.advance(timedelta(days=3))
    await freeze(trade, grant.id)
    assert (await status_of(trade, shop.products[0].id))[0] is ProductStatus.SUSPENDED


async def test_two_exclusive_grants_do_not_meet() -> None:
    trade = Trade()
    shop = await trade.market()
    first = await give(trade, shop, kind=Exclusivity.EXCLUSIVE, territories=["EU"])
    with pytest.raises(GrantOverlaps):
        await give(trade, shop, kind=Exclusivity.SOLE, territories=["DE", "US"])
    await give(trade, shop, kind=Exclusivity.SOLE, territories=["US"])
    await end(trade, first.id, who=creator_of(shop))
    await give(trade, shop, kind=Exclusivity.EXCLUSIVE, territories=["DE"])


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"territories": ["XX"]}, "territories"),
        ({"territories": ["FR"]}, "territories"),
        ({"product_types": [ProductType.DIGITAL]}, "product_types"),
        ({"valid_from": NOON - timedelta(days=1)}, "valid_from"),
        ({"valid_until": NOON}, "valid_until"),
        ({"guarantee_cents": 5, "currency": "xxx"}, "currency"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_grant_stays_within_the_terms(wish: dict[str, object], field: str) -> None:
    trade = Trade()
    licence = terms(
        territories_included=frozenset({"US", "DE"}),
        product_types=frozenset({ProductType.SHIRT}),
    )
    shop = await trade.market(licence=licence)
    with pytest.raises(GrantInvalid) as refused:
        await give(trade, shop, **wish)
    assert field in refused.value.facts["fields"]  # type: ignore[operator]


async def test_nobody_else_ends_or_pays_a_grant() -> None:
    trade = Trade()
    shop = await trade.market()
    grant = await give(trade, shop)
    stranger = actor(*())
    stranger = type(stranger)(uuid4(), frozenset())
    with pytest.raises(NotFound):
        await end(trade, grant.id, who=stranger)
    with pytest.raises(NotFound):
        await end(trade, grant.id, who=owner_of(shop))
    with pytest.raises(NotFound):
        await pay(trade, grant.id, who=stranger)
    with pytest.raises(NoGuarantee):
        await pay(trade, grant.id, who=owner_of(shop))
    await end(trade, grant.id, who=creator_of(shop))
    with pytest.raises(GrantEnded):
        await end(trade, grant.id, who=creator_of(shop))


# Guarantees.


async def earn(trade: Trade, payee_id: UUID, amount_cents: int) -> None:
    entries = (
        Entry(Account.PAYABLE_AVAILABLE, payee_id, amount_cents),
        Entry(Account.STRIPE_CLEARING, None, -amount_cents),
    )
    async with trade.uow() as uow:
        await uow.ledger.post([Transaction(f"test:{uuid4()}", "test", USD, entries, NOON)])
        await uow.commit()


async def available(trade: Trade, payee_id: UUID) -> int:
    async with trade.uow() as uow:
        balances = await uow.ledger.lock_balances([(payee_id, USD)])
    return balances[payee_id, USD].available_cents


async def test_a_guarantee_moves_once_from_the_store_to_who_has_the_royalty() -> None:
    trade = Trade()
    partner = await trade.market()
    shop = await trade.market()
    parties = (Collaborator(shop.creator.id, 6667), Collaborator(partner.creator.id, 3333))
    version = shop.terms
    async with trade.uow() as uow:
        stored = await uow.terms.get(version.id)
        stored.terms = terms(collaborators=parties)
        await uow.commit()
    grant = await give(trade, shop, guarantee_cents=1001)
    with pytest.raises(InsufficientBalance):
        await pay(trade, grant.id, who=owner_of(shop))
    await earn(trade, shop.store.id, 1500)

    for _ in range(2):
        paid = await pay(trade, grant.id, who=owner_of(shop))

    assert paid.guarantee_paid_at == NOON
    assert await available(trade, shop.store.id) == 499
    assert await available(trade, shop.creator.id) == 667
    assert await available(trade, partner.creator.id) == 334
    assert f"guarantee:{grant.id}" in trade.database.books.posted


async def claim(
    trade: Trade, shop: Market, *base_cents: int, order_id: UUID | None = None, quantity: int = 1
) -> list[Royalty]:
    claims = [
        LineClaim(
            line_id=uuid4(),
            product_id=shop.products[0].id,
            store_id=shop.store.id,
            terms=shop.terms,
            quantity=quantity,
            base_cents=base,
            currency=USD,
        )
        for base in base_cents
    ]
    async with trade.uow() as uow:
        found = await claim_usage(order_id or uuid4(), claims, uow=uow, at=trade.clock.now())
        await uow.commit()
    return [found[each.line_id] for each in claims]


async def free(trade: Trade, order_id: UUID) -> None:
    async with trade.uow() as uow:
        await free_usage(order_id, uow=uow)
        await uow.commit()


async def test_royalties_recoup_a_paid_guarantee_and_no_more() -> None:
    trade = Trade()
    shop = await trade.market()
    grant = await give(trade, shop, guarantee_cents=600)
    assert [r.recoup_cents for r in await claim(trade, shop, 4000)] == [0]
    await earn(trade, shop.store.id, 600)
    await pay(trade, grant.id, who=owner_of(shop))

    order_id = uuid4()
    recouped = await claim(trade, shop, 4000, 1000, 3000, order_id=order_id)
    assert [r.recoup_cents for r in recouped] == [400, 100, 100]
    assert [r.recoup_cents for r in await claim(trade, shop, 4000)] == [0]

    await free(trade, order_id)
    assert [r.recoup_cents for r in await claim(trade, shop, 9000)] == [600]


# Tiers and quotas.


async def licensed(trade: Trade, **changes: object) -> tuple[Market, LicenceTerms]:
    licence = terms(**changes)
    return await trade.market(licence=licence), licence


async def test_lines_of_an_order_cross_tiers_one_after_the_other() -> None:
    trade = Trade()
    shop, _ = await licensed(trade, royalty_tiers=(Tier(5000, 500),))
    order_id = uuid4()

    first = await claim(trade, shop, 3000, 4000, order_id=order_id)
    second = await claim(trade, shop, 1000)
    assert [r.sold_before_cents for r in (*first, *second)] == [0, 3000, 7000]

    await free(trade, order_id)
    await free(trade, order_id)
    assert [r.sold_before_cents for r in await claim(trade, shop, 1000)] == [1000]


async def test_a_licence_that_counts_nothing_touches_no_counter() -> None:
    trade = Trade()
    shop = await trade.market()
    assert await claim(trade, shop, 2500) == [Royalty(1000)]
    assert not trade.database.counted.values


@pytest.mark.parametrize(
    ("quotas", "kind"),
    [
        (Quotas(units=3), "units"),
        (Quotas(edition_size=3), "edition"),
        (Quotas(revenue_cents=3000), "revenue"),
    ],
)
async def test_a_quota_is_kept_and_given_back(quotas: Quotas, kind: str) -> None:
    trade = Trade()
    shop, _ = await licensed(trade, quotas=quotas)
    order_id = uuid4()
    await claim(trade, shop, 2000, order_id=order_id, quantity=2)
    with pytest.raises(QuotaExhausted) as refused:
        await claim(trade, shop, 2000, quantity=2)
    assert refused.value.facts["quota"] == kind
    await claim(trade, shop, 1000)
    await free(trade, order_id)
    await claim(trade, shop, 2000, quantity=2)


async def test_an_order_that_expires_gives_back_what_it_claimed() -> None:
    trade = Trade()
    shop, _ = await licensed(trade, quotas=Quotas(units=1))
    (product,) = shop.products
    started = await trade.check_out((product.id, 1), key="first")
    with pytest.raises(SaleRefused) as refused:
        await trade.check_out((product.id, 1), key="second")
    assert "units_used_up" in str(refused.value.facts["reasons"])
    trade.clock.advance(timedelta(minutes=61))
    await reconcile_checkout(
        started.order_id,
        uow=trade.uow(),
        payments=trade.provider.payments,
        clock=trade.clock,
        hold=timedelta(days=7),
    )
    await trade.check_out((product.id, 1), key="third")
