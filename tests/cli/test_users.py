"""Accounts made on the machine itself."""

import subprocess
from pathlib import Path

import pytest

from application.ports.identity import EmailTaken
from domain.identity.actor import Role
from entrypoints.cli.users import create_admin
from tests.application.identity.house import PASSWORD, House
from tests.local.test_cli import likeness


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


def test_the_password_comes_through_a_pipe_and_weakness_is_a_sentence(tmp_path: Path) -> None:
    assert likeness("migrate", "up", data_dir=tmp_path).returncode == 0

    weak = create("root@example.org", "password\n", tmp_path)
    made = create("root@example.org", f"{PASSWORD}\n", tmp_path)
    again = create("Root@Example.org", f"{PASSWORD}\n", tmp_path)

    assert (weak.returncode, weak.stderr) == (1, "A password has 12 to 256 characters.\n")
    assert made.returncode == 0, made.stderr
    assert "root@example.org is an administrator now" in made.stdout
    assert PASSWORD not in made.stdout + made.stderr
    assert again.returncode == 1
    assert again.stderr == "An account with this email address exists already.\n"


def test_a_database_without_tables_is_a_sentence(tmp_path: Path) -> None:
    result = create("root@example.org", f"{PASSWORD}\n", tmp_path)

    assert result.returncode == 1
    assert "likeness migrate up" in result.stderr
    assert "Traceback" not in result.stderr


def create(email: str, typed: str, data_dir: Path) -> "subprocess.CompletedProcess[str]":
    return likeness("user", "create-admin", email, data_dir=data_dir, typed=typed)
