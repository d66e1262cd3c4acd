"""Opening an account."""

import pytest

from application.ports.identity import EmailTaken
from domain.identity.actor import Role
from domain.identity.email import InvalidEmail
from domain.identity.password import WeakPassword
from domain.identity.user import InvalidDisplayName
from tests.application.identity.house import PASSWORD, House


async def test_who_registers_is_signed_in() -> None:
    house = House()

    signed_in = await house.register("Ada@Example.org", roles=frozenset({"creator"}))

    assert signed_in.user.email == "ada@example.org"
    assert signed_in.user.roles == [Role.CREATOR]
    assert house.actor(signed_in).user_id == signed_in.user.id
    assert (await house.refresh(signed_in.refresh_token)).user == signed_in.user


async def test_the_password_is_stored_as_its_hash_only() -> None:
    house = House()

    user = await house.user(await house.register())

    assert PASSWORD not in user.password_hash
    assert await house.password_hasher.verify(PASSWORD, user.password_hash)


async def test_an_address_opens_one_account_however_it_is_written() -> None:
    house = House()
    await house.register("ada@example.org")

    with pytest.raises(EmailTaken):
        await house.register(" ADA@example.ORG")


async def test_what_is_refused_leaves_nothing_behind() -> None:
    house = House()

    with pytest.raises(InvalidEmail):
        await house.register("not an address")
    with pytest.raises(WeakPassword):
        await house.register(password="password1234")
    with pytest.raises(InvalidDisplayName):
        await house.register(display_name=" ")

    await house.register()


async def test_an_administrator_is_made_by_who_runs_the_machine() -> None:
    house = House()

    admin = await house.create_admin()

    assert admin.roles == {Role.ADMIN}
    assert house.actor(await house.login(admin.email)).is_admin


async def test_printing_a_command_or_an_answer_shows_no_secret() -> None:
    signed_in = await House().register()

    assert repr(signed_in) == "SignedIn(…)"
