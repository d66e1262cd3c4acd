"""The sessions one has, and ending them."""

from uuid import UUID

import pytest

from application.identity import account
from domain.identity.actor import Actor, Role
from domain.identity.session import EndReason, RefreshTokenInvalid
from domain.shared.errors import NotFound
from tests.application.identity.house import House


async def test_logging_out_ends_this_session_and_no_other() -> None:
    house = House()
    laptop, phone = await house.register(), await house.login()

    await house.log_out(house.actor(laptop))

    with pytest.raises(RefreshTokenInvalid):
        await house.refresh(laptop.refresh_token)
    await house.refresh(phone.refresh_token)


async def test_logging_out_twice_changes_nothing() -> None:
    house = House()
    signed_in = await house.register()

    await house.log_out(house.actor(signed_in))
    await house.log_out(house.actor(signed_in))

    assert (await house.session(signed_in)).end_reason is EndReason.LOGGED_OUT


async def test_an_actor_without_a_session_has_none_to_end() -> None:
    await House().log_out(Actor(user_id=UUID(int=1), roles=frozenset({Role.FAN})))


async def test_a_lost_device_is_signed_out_from_another() -> None:
    house = House()
    lost, here = await house.register(), await house.login()
    lost_session = await house.session(lost)

    await account.end_session(
        lost_session.id, actor=house.actor(here), uow=house.uow(), clock=house.clock
    )

    assert (await house.session(lost)).end_reason is EndReason.REVOKED
    await house.refresh(here.refresh_token)


async def test_nobody_ends_or_discovers_another_users_session() -> None:
    house = House()
    ada, grace = await house.register(), await house.register("grace@example.org")
    session = await house.session(ada)

    with pytest.raises(NotFound) as foreign:
        await account.end_session(
            session.id, actor=house.actor(grace), uow=house.uow(), clock=house.clock
        )
    with pytest.raises(NotFound) as unknown:
        await account.end_session(
            UUID(int=404), actor=house.actor(grace), uow=house.uow(), clock=house.clock
        )

    assert (foreign.value.message, foreign.value.facts) == (
        unknown.value.message,
        unknown.value.facts,
    )
    await house.refresh(ada.refresh_token)
