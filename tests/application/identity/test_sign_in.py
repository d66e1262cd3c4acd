"""Signing in and staying signed in."""

from datetime import timedelta

import pytest

from application.identity.sign_in import InvalidCredentials
from domain.identity.actor import Role
from domain.identity.session import (
    REFRESH_LIFETIME,
    EndReason,
    RefreshTokenInvalid,
    RefreshTokenReused,
)
from tests.application.identity.house import House


async def test_the_right_password_starts_a_session_of_its_own() -> None:
    house = House()
    registered = await house.register()

    signed_in = await house.login(" ADA@example.org")

    assert signed_in.user == registered.user
    assert house.actor(signed_in).session_id != house.actor(registered).session_id


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("ada@example.org", "another otter drums"),
        ("nobody@example.org", "velvet otter drums"),
        ("not an address", "velvet otter drums"),
        ("", "velvet otter drums"),
    ],
)
async def test_whatever_is_wrong_the_answer_is_the_same(email: str, password: str) -> None:
    house = House()
    await house.register()

    with pytest.raises(InvalidCredentials) as refused:
        await house.login(email, password=password)

    assert refused.value.message == "The email address or the password is wrong."


async def test_signing_in_renews_a_hash_of_outdated_parameters() -> None:
    house = House()
    registered = await house.register()
    house.password_hasher.generation = 2

    await house.login()

    assert not house.password_hasher.needs_rehash((await house.user(registered)).password_hash)
    await house.login()


async def test_a_password_changed_while_it_was_checked_does_not_sign_in() -> None:
    house = House()
    registered = await house.register()
    checked = house.password_hasher.verify

    async def change_after_check(password: str, password_hash: str | None) -> bool:
        matches = await checked(password, password_hash)
        async with house.uow() as uow:
            user = await uow.users.get(registered.user.id)
            user.password_hash = await house.password_hasher.hash("a brand new secret")
            await uow.commit()
        return matches

    house.password_hasher.verify = change_after_check  # type: ignore[method-assign]

    with pytest.raises(InvalidCredentials):
        await house.login()


async def test_a_refresh_token_is_exchanged_for_the_next() -> None:
    house = House()
    first = await house.register()

    second = await house.refresh(first.refresh_token)
    third = await house.refresh(second.refresh_token)

    sessions = {house.actor(signed_in).session_id for signed_in in (first, second, third)}
    assert len(sessions) == 1
    assert third.refresh_token not in {first.refresh_token, second.refresh_token}


async def test_using_a_token_twice_ends_the_session_for_both_holders() -> None:
    house = House()
    first = await house.register()
    second = await house.refresh(first.refresh_token)

    with pytest.raises(RefreshTokenReused):
        await house.refresh(first.refresh_token)

    with pytest.raises(RefreshTokenInvalid):
        await house.refresh(second.refresh_token)
    assert (await house.session(first)).end_reason is EndReason.TOKEN_REUSED


async def test_a_stolen_token_costs_no_other_session() -> None:
    house = House()
    stolen = await house.register()
    other = await house.login()
    await house.refresh(stolen.refresh_token)

    with pytest.raises(RefreshTokenReused):
        await house.refresh(stolen.refresh_token)

    await house.refresh(other.refresh_token)


async def test_a_session_unused_for_30_days_is_over() -> None:
    house = House()
    signed_in = await house.register()
    house.clock.advance(REFRESH_LIFETIME)

    with pytest.raises(RefreshTokenInvalid):
        await house.refresh(signed_in.refresh_token)


async def test_a_session_used_now_and_then_goes_on() -> None:
    house = House()
    signed_in = await house.register()
    for _ in range(5):
        house.clock.advance(timedelta(days=20))
        signed_in = await house.refresh(signed_in.refresh_token)


async def test_a_refresh_brings_the_roles_that_the_user_has_now() -> None:
    house = House()
    signed_in = await house.register()
    async with house.uow() as uow:
        user = await uow.users.get(signed_in.user.id)
        user.roles |= {Role.CREATOR}
        await uow.commit()

    refreshed = await house.refresh(signed_in.refresh_token)

    assert house.actor(refreshed).roles == {Role.FAN, Role.CREATOR}


async def test_an_unknown_token_is_refused() -> None:
    with pytest.raises(RefreshTokenInvalid):
        await House().refresh("made up")
