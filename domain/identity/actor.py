"""Who is acting: passed to every use case, so that authorisation is a rule and not a route."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from domain.shared.errors import NotAllowed


class Role(StrEnum):
    """What a user may set up; one user may hold several."""

    FAN = "fan"
    CREATOR = "creator"
    STORE_OWNER = "store_owner"
    ADMIN = "admin"


class RoleRequired(NotAllowed):
    """The actor lacks the role that this needs."""

    code = "role_required"


@dataclass(frozen=True, slots=True)
class Actor:
    """A signed-in user, as its access token vouches."""

    user_id: UUID
    roles: frozenset[Role]
    session_id: UUID | None = None

    @property
    def is_admin(self) -> bool:
        return Role.ADMIN in self.roles

    def require(self, role: Role) -> None:
        """Raise RoleRequired unless the actor holds `role` (an admin holds them all)."""
        if role not in self.roles and not self.is_admin:
            raise RoleRequired(f"This needs the role {role}.", role=str(role))
