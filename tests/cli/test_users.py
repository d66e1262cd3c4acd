"""Accounts made on the machine itself."""

import pytest

from application.ports.identity import EmailTaken
from domain.identity.actor import Role
from entrypoints.cli.users import create_admin
from tests.application.identity.house import PASSWORD, House


async def test_an_administrator_is_made_and_can_sign_in() -> None:
    house = House()

    user_id = await create_admin(
        "root@example.org", display_name="Root", password=PASSWORD, ports=house
    )

    signed_in = await house.login("root@example.org")
    assert signed_in.user.id == user_id
    assert signed_in.user.roles == [Role.ADMIN]


async def test_an_existing_account_is_not_taken_over() -> None:
    house = House()
    await house.register("root@example.org")

    with pytest.raises(EmailTaken):
        await create_admin("root@example.org", display_name="Root", password=PASSWORD, ports=house)
    assert (await house.login("root@example.org")).user.roles == [Role.FAN]
