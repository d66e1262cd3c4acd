"""Who may sign up, and as what."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from domain.identity.actor import Role
from domain.identity.user import (
    InvalidDisplayName,
    RoleNotSelfAssigned,
    User,
    normalised_display_name,
)


def register(*roles: Role) -> User:
    return User.register(
        user_id=UUID(int=1),
        email="ada@example.org",
        display_name="Ada",
        password_hash="$argon2id$…",
        roles=frozenset(roles),
        now=datetime(2026, 3, 1, tzinfo=UTC),
    )


def test_one_user_may_take_several_roles() -> None:
    assert register(Role.CREATOR, Role.STORE_OWNER).roles == {Role.CREATOR, Role.STORE_OWNER}


def test_who_names_no_role_is_a_fan() -> None:
    assert register().roles == {Role.FAN}


def test_nobody_makes_themselves_an_administrator() -> None:
    with pytest.raises(RoleNotSelfAssigned):
        register(Role.FAN, Role.ADMIN)


def test_a_printed_user_shows_no_personal_data() -> None:
    printed = repr(register())

    assert not any(private in printed for private in ("ada@", "Ada", "argon2id"))


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("  Ada   Lovelace ", "Ada Lovelace"), ("Zoe\u0308", "Zo\u00eb"), ("小林", "小林")],
)
def test_a_display_name_is_tidied(typed: str, kept: str) -> None:
    assert normalised_display_name(typed) == kept


@pytest.mark.parametrize("typed", ["", "   ", "a" * 81, "Ada\x00", "Ada\x1b[31m", "\ud800"])
def test_a_display_name_is_short_and_printable(typed: str) -> None:
    with pytest.raises(InvalidDisplayName):
        normalised_display_name(typed)
