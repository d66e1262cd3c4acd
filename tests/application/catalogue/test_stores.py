"""Opening a store and keeping its page."""

from uuid import UUID

import pytest

from application.catalogue.stores import UpdateStore, list_stores, show_store, update_store
from application.moderation.judging import TextRefused
from domain.creators.creator import SlugInvalid, SlugTaken
from domain.identity.actor import Role, RoleRequired
from domain.ledger.payee import PayeeKind, PayeeStatus
from domain.shared.errors import NotFound
from tests.application.trade import Trade
from tests.builders import actor

OWNER = Role.STORE_OWNER


async def test_a_new_store_is_a_payee_that_has_not_started() -> None:
    trade, ada = Trade(), actor(OWNER)

    store = await trade.open_store(ada)

    assert await show_store(store.id, actor=ada, uow=trade.uow()) == store
    async with trade.uow() as uow:
        payee = await uow.payees.get(store.id)
    assert (payee.kind, payee.status) == (PayeeKind.STORE, PayeeStatus.NOT_STARTED)


async def test_an_owner_has_as_many_stores_as_they_like() -> None:
    trade, ada = Trade(), actor(OWNER)
    stores = [await trade.open_store(ada, slug) for slug in ("prints", "mugs")]
    await trade.open_store(actor(OWNER), "another")

    assert await list_stores(actor=ada, uow=trade.uow()) == stores


async def test_only_who_has_the_role_opens_a_store() -> None:
    with pytest.raises(RoleRequired):
        await Trade().open_store(actor(Role.FAN))


async def test_a_slug_is_plain_and_given_once() -> None:
    trade = Trade()
    await trade.open_store(actor(OWNER))

    with pytest.raises(SlugTaken):
        await trade.open_store(actor(OWNER))
    with pytest.raises(SlugInvalid):
        await trade.open_store(actor(OWNER), "admin")


async def test_what_is_left_out_of_an_update_stays() -> None:
    trade, ada = Trade(), actor(OWNER)
    store = await trade.open_store(ada)

    changed = await update_store(
        store.id,
        UpdateStore(description="On paper."),
        actor=ada,
        uow=trade.uow(),
        moderation=trade.moderation,
    )

    assert (changed.name, changed.description, changed.version) == ("Prints", "On paper.", 2)


async def test_what_may_not_be_said_is_no_name_of_a_store() -> None:
    trade, ada = Trade(), actor(OWNER)
    with pytest.raises(TextRefused):
        await trade.open_store(ada, "nude-prints")
    store = await trade.open_store(ada)
    with pytest.raises(TextRefused) as refused:
        await update_store(
            store.id,
            UpdateStore(description="n u d e s"),
            actor=ada,
            uow=trade.uow(),
            moderation=trade.moderation,
        )
    assert refused.value.facts["fields"]["description"] == ["sexual"]  # type: ignore[index]
    assert (await show_store(store.id, actor=ada, uow=trade.uow())).description == ""


async def test_another_owners_store_is_as_good_as_none() -> None:
    trade, ada, grace = Trade(), actor(OWNER), actor(OWNER)
    store = await trade.open_store(ada)

    for store_id in (store.id, UUID(int=404)):
        with pytest.raises(NotFound):
            await show_store(store_id, actor=grace, uow=trade.uow())
        with pytest.raises(NotFound):
            await update_store(
                store_id,
                UpdateStore(name="Mine"),
                actor=grace,
                uow=trade.uow(),
                moderation=trade.moderation,
            )
    assert await show_store(store.id, actor=actor(Role.ADMIN), uow=trade.uow()) == store
