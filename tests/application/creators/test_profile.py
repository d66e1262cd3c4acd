"""Becoming a creator, and the page that others see."""

from uuid import UUID

import pytest

from application.creators.profile import UpdateCreator, own_creator, show_own, update_creator
from domain.creators.creator import AlreadyCreator, SlugInvalid, SlugTaken
from domain.identity.actor import Role, RoleRequired
from domain.ledger.payee import PayeeKind, PayeeStatus
from domain.shared.errors import NotFound
from tests.application.trade import Trade
from tests.builders import actor

CREATOR = Role.CREATOR


async def test_a_new_creator_is_published_and_a_payee_that_has_not_started() -> None:
    trade, ada = Trade(), actor(CREATOR)

    profile = await trade.become_creator(ada)

    assert (profile.slug, profile.published, profile.version) == ("ada-lace", True, 1)
    assert await show_own(actor=ada, uow=trade.uow()) == profile
    async with trade.uow() as uow:
        payee = await uow.payees.get(profile.id)
    assert (payee.kind, payee.status) == (PayeeKind.CREATOR, PayeeStatus.NOT_STARTED)


async def test_only_who_has_the_role_becomes_a_creator() -> None:
    with pytest.raises(RoleRequired):
        await Trade().become_creator(actor(Role.FAN))


@pytest.mark.parametrize("slug", ["balance", "-ada", "ada_lace", "ad"])
async def test_a_slug_is_plain_and_not_a_word_of_our_own(slug: str) -> None:
    with pytest.raises(SlugInvalid):
        await Trade().become_creator(actor(CREATOR), slug)


async def test_a_slug_is_given_once() -> None:
    trade = Trade()
    await trade.become_creator(actor(CREATOR))

    with pytest.raises(SlugTaken):
        await trade.become_creator(actor(CREATOR))


async def test_a_user_is_one_creator_and_a_second_attempt_leaves_no_payee() -> None:
    trade, ada = Trade(), actor(CREATOR)
    await trade.become_creator(ada)

    with pytest.raises(AlreadyCreator):
        await trade.become_creator(ada, "another")

    assert len(trade.database.table("payee").rows) == 1


async def test_what_is_left_out_of_an_update_stays() -> None:
    trade, ada = Trade(), actor(CREATOR)
    await trade.become_creator(ada)

    await update_creator(
        UpdateCreator(bio="Paints."), actor=ada, uow=trade.uow(), moderation=trade.moderation
    )
    profile = await update_creator(
        UpdateCreator(published=False), actor=ada, uow=trade.uow(), moderation=trade.moderation
    )

    assert (profile.display_name, profile.bio, profile.published) == ("Ada", "Paints.", False)
    assert profile.version == 3


async def test_who_is_no_creator_has_no_page() -> None:
    trade = Trade()
    with pytest.raises(NotFound):
        await show_own(actor=actor(CREATOR), uow=trade.uow())
    with pytest.raises(NotFound):
        await update_creator(
            UpdateCreator(bio="x"),
            actor=actor(CREATOR),
            uow=trade.uow(),
            moderation=trade.moderation,
        )


async def test_another_creator_is_as_good_as_none_but_not_for_an_admin() -> None:
    trade = Trade()
    profile = await trade.become_creator(actor(CREATOR))

    async with trade.uow() as uow:
        for creator_id in (profile.id, UUID(int=404)):
            with pytest.raises(NotFound):
                await own_creator(creator_id, actor=actor(CREATOR), uow=uow)
        assert (await own_creator(profile.id, actor=actor(Role.ADMIN), uow=uow)).id == profile.id
