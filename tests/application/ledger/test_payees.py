"""A payee opens one account, follows what it may do, and what is sold for it follows too."""

from datetime import timedelta
from uuid import UUID

import pytest

from application.ledger.payees import sweep_accounts
from application.ports.errors import OutcomeUnknown, Unavailable
from domain.catalogue.product import ProductStatus
from domain.identity.actor import Actor, Role
from domain.ledger.payee import PayeeStatus
from domain.shared.errors import NotFound
from tests.application.trade import Trade
from tests.builders import Market, actor

OWNER = Role.STORE_OWNER


async def a_store(trade: Trade, slug: str = "prints") -> tuple[UUID, Actor]:
    who = actor(OWNER)
    return (await trade.open_store(who, slug)).id, who


async def test_who_has_not_started_has_no_account() -> None:
    trade = Trade()
    store_id, who = await a_store(trade)

    view = await trade.show_payee(store_id, who=who)

    assert (view.status, view.account_id) == (PayeeStatus.NOT_STARTED, None)


async def test_asking_twice_opens_one_account_and_gives_a_new_link() -> None:
    trade = Trade()
    store_id, who = await a_store(trade)

    first = await trade.onboard(store_id, who=who)
    second = await trade.onboard(store_id, who=who)

    assert first.account_id == second.account_id
    assert first.url != second.url


async def test_after_a_lost_answer_the_same_account_is_found() -> None:
    trade = Trade()
    store_id, who = await a_store(trade)
    trade.provider.calls.fail("open_account", "lost_answer")
    with pytest.raises(OutcomeUnknown):
        await trade.onboard(store_id, who=who)
    trade.provider.calls.recover()

    onboarding = await trade.onboard(store_id, who=who)

    assert onboarding.account_id == "acct_1"
    other_id, other = await a_store(trade, "another")
    assert (await trade.onboard(other_id, who=other)).account_id == "acct_2"


async def test_what_is_missing_is_shown_until_the_account_is_active() -> None:
    trade = Trade()
    store_id, who = await a_store(trade)
    account_id = (await trade.onboard(store_id, who=who)).account_id

    before = await trade.show_payee(store_id, who=who)
    trade.provider.accounts.complete_onboarding(account_id)
    after = await trade.show_payee(store_id, who=who)

    assert before.status is PayeeStatus.RESTRICTED
    assert "tos_acceptance.date" in before.currently_due
    assert before.past_due == before.currently_due
    assert (after.status, after.currently_due, after.past_due) == (PayeeStatus.ACTIVE, [], [])


async def test_an_active_payee_is_shown_without_asking_the_provider() -> None:
    trade = Trade()
    store_id, who = await a_store(trade)
    trade.provider.accounts.complete_onboarding((await trade.onboard(store_id, who=who)).account_id)
    await trade.show_payee(store_id, who=who)
    trade.provider.calls.fail("account_state", "unavailable")

    assert (await trade.show_payee(store_id, who=who)).status is PayeeStatus.ACTIVE


async def test_while_the_provider_is_away_nothing_is_guessed() -> None:
    trade = Trade()
    store_id, who = await a_store(trade)
    account_id = (await trade.onboard(store_id, who=who)).account_id
    trade.provider.calls.fail("account_state", "unavailable")

    with pytest.raises(Unavailable):
        await trade.show_payee(store_id, who=who)
    with pytest.raises(Unavailable):
        await trade.refresh_account(account_id)


async def test_another_ones_payee_is_as_good_as_none() -> None:
    trade = Trade()
    store_id, _ = await a_store(trade)
    creator = await trade.become_creator(actor(Role.CREATOR))

    for payee_id in (store_id, creator.id, UUID(int=404)):
        with pytest.raises(NotFound):
            await trade.onboard(payee_id, who=actor(OWNER))
        with pytest.raises(NotFound):
            await trade.show_payee(payee_id, who=actor(Role.CREATOR))
    view = await trade.show_payee(store_id, who=actor(Role.ADMIN))
    assert view.status is PayeeStatus.NOT_STARTED


# What the account may do decides what is on sale.


async def onboarded_market(trade: Trade) -> tuple[Market, str, str]:
    """A market whose payees have accounts at the provider: the creator's and the store's."""
    shop = await trade.market()
    accounts = []
    for payee_id in (shop.creator.id, shop.store.id):
        async with trade.uow() as uow:
            (await uow.payees.get(payee_id)).account_id = None
            await uow.commit()
        account_id = (await trade.onboard(payee_id, who=actor(Role.ADMIN))).account_id
        trade.provider.accounts.complete_onboarding(account_id)
        await trade.refresh_account(account_id)
        accounts.append(account_id)
    return shop, accounts[0], accounts[1]


async def status(trade: Trade, shop: Market) -> ProductStatus:
    async with trade.uow() as uow:
        return (await uow.products.get(shop.products[0].id)).status


async def test_a_lost_capability_suspends_products_and_its_return_brings_them_back() -> None:
    trade = Trade()
    shop, account_id, _ = await onboarded_market(trade)
    trade.provider.accounts.suspend(account_id, reason="under_review", due=("document",))
    await trade.refresh_account(account_id)

    view = await trade.show_payee(shop.creator.id, who=actor(Role.ADMIN))
    assert (view.status, view.disabled_reason) == (PayeeStatus.RESTRICTED, "under_review")
    assert view.currently_due == ["document"]
    assert await status(trade, shop) is ProductStatus.SUSPENDED

    trade.provider.accounts.complete_onboarding(account_id)
    await trade.refresh_account(account_id)
    assert await status(trade, shop) is ProductStatus.ACTIVE


async def test_products_come_back_when_both_payees_have() -> None:
    trade = Trade()
    shop, creators, stores = await onboarded_market(trade)
    for account_id in (creators, stores):
        trade.provider.accounts.suspend(account_id, reason="under_review")
        await trade.refresh_account(account_id)

    trade.provider.accounts.complete_onboarding(creators)
    await trade.refresh_account(creators)
    assert await status(trade, shop) is ProductStatus.SUSPENDED
    trade.provider.accounts.complete_onboarding(stores)
    await trade.refresh_account(stores)
    assert await status(trade, shop) is ProductStatus.ACTIVE


async def test_the_same_news_twice_changes_nothing() -> None:
    trade = Trade()
    shop, account_id, _ = await onboarded_market(trade)
    trade.provider.accounts.suspend(account_id, reason="under_review")
    for _ in range(2):
        await trade.refresh_account(account_id)

    assert await status(trade, shop) is ProductStatus.SUSPENDED


async def test_what_its_owner_took_off_sale_stays_off_sale() -> None:
    trade = Trade()
    shop, account_id, _ = await onboarded_market(trade)
    await trade.unpublish(shop.products[0].id, who=actor(Role.ADMIN))

    trade.provider.accounts.suspend(account_id, reason="under_review")
    await trade.refresh_account(account_id)
    trade.provider.accounts.complete_onboarding(account_id)
    await trade.refresh_account(account_id)

    assert await status(trade, shop) is ProductStatus.INACTIVE


async def test_an_answer_older_than_what_is_known_is_dropped() -> None:
    trade = Trade()
    shop, account_id, _ = await onboarded_market(trade)
    trade.provider.accounts.suspend(account_id, reason="under_review")
    trade.clock.advance(timedelta(seconds=-1))

    await trade.refresh_account(account_id)

    assert await status(trade, shop) is ProductStatus.ACTIVE


async def test_news_of_an_account_that_is_not_ours_is_ignored() -> None:
    trade = Trade()
    account_id = await trade.provider.accounts.open_account(
        payee_id=UUID(int=404), email=None, country=None
    )

    await trade.refresh_account(account_id)

    assert trade.database.table("payee").rows == {}


async def test_a_sweep_finds_out_what_no_event_told() -> None:
    trade = Trade()
    shop, account_id, _ = await onboarded_market(trade)
    trade.provider.accounts.suspend(account_id, reason="under_review", due=("document",))

    trade.clock.advance(timedelta(hours=25))
    asked = await sweep_accounts(
        uow=trade.uow(), accounts=trade.provider.accounts, clock=trade.clock
    )

    assert asked == 2
    assert await status(trade, shop) is ProductStatus.SUSPENDED


async def test_an_account_that_the_provider_does_not_know_cannot_be_paid() -> None:
    trade = Trade()
    shop = await trade.market()

    await trade.refresh_account(f"acct_{shop.creator.id.hex}")

    async with trade.uow() as uow:
        assert (await uow.payees.get(shop.creator.id)).status is PayeeStatus.RESTRICTED
    assert await status(trade, shop) is ProductStatus.SUSPENDED
