"""A user: an address to reach them, a name to show, a way to prove it is them, and their roles."""

import unicodedata
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self
from uuid import UUID

from domain.identity.actor import Role
from domain.shared.errors import Invalid, NotAllowed

SELF_ASSIGNED_ROLES = frozenset({Role.FAN, Role.CREATOR, Role.STORE_OWNER})
"""What anybody may take up alone; an administrator is made on the machine itself."""

MAX_NAME_LENGTH = 80


class InvalidDisplayName(Invalid):
    """Empty, too long, or not printable."""

    code = "invalid_display_name"

    def __init__(self, message: str) -> None:
        super().__init__(message, fields={"display_name": [message]})


class RoleNotSelfAssigned(NotAllowed):
    """Nobody may give themselves this role."""

    code = "role_not_self_assigned"


@dataclass(eq=False, kw_only=True)
class User:
    """Personal data and credentials stay out of `repr`, hence out of logs."""

    id: UUID
    email: str = field(repr=False)
    display_name: str = field(repr=False)
    password_hash: str = field(repr=False)
    roles: frozenset[Role]
    created_at: datetime

    @classmethod
    def register(
        cls,
        *,
        user_id: UUID,
        email: str,
        display_name: str,
        password_hash: str,
        roles: frozenset[Role],
        now: datetime,
    ) -> Self:
        """A user who signs up alone; `email` and `display_name` are normalised already.

        Raises RoleNotSelfAssigned for a role that nobody may give themselves.
        """
        if refused := roles - SELF_ASSIGNED_ROLES:
            raise RoleNotSelfAssigned("Nobody may take this role.", roles=sorted(refused))
        return cls(
            id=user_id,
            email=email,
            display_name=display_name,
            password_hash=password_hash,
            roles=roles or frozenset({Role.FAN}),
            created_at=now,
        )


def normalised_display_name(raw: str) -> str:
    """`raw` with single spaces and composed characters (NFC). Raises InvalidDisplayName."""
    name = " ".join(unicodedata.normalize("NFC", raw).split())
    if not 1 <= len(name) <= MAX_NAME_LENGTH:
        raise InvalidDisplayName(f"A display name has 1 to {MAX_NAME_LENGTH} characters.")
    if any(unicodedata.category(character) in {"Cc", "Cs", "Co", "Cn"} for character in name):
        raise InvalidDisplayName("A display name has printable characters only.")
    return name
