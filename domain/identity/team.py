"""Teams: people who own projects and stores together; and staff, who work for one store.

Both have the same roles. A team always has an owner: the last one can neither leave nor become
anything else.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from domain.shared.errors import Conflict, Gone, NotAllowed, NotFound

INVITATION_LIFETIME = timedelta(days=7)
MAX_MEMBERS = 200
"""Of a team, and of the staff of a store."""
MAX_TEAMS = 50
"""Of a person."""


class TeamRole(StrEnum):
    """From the most trusted to the least."""

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"
    VIEWER = "viewer"

    def outranks(self, other: "TeamRole") -> bool:
        order = list(TeamRole)
        return order.index(self) < order.index(other)


class StoreAct(StrEnum):
    """What is done for a store, from the least to the most that must be trusted."""

    VIEW = "view"
    EDIT = "edit"
    ORDERS = "orders"
    MONEY = "money"
    OWN = "own"


ACTS: dict[TeamRole, frozenset[StoreAct]] = {
    TeamRole.OWNER: frozenset(StoreAct),
    TeamRole.ADMIN: frozenset(StoreAct) - {StoreAct.OWN},
    TeamRole.MEMBER: frozenset({StoreAct.VIEW, StoreAct.EDIT, StoreAct.ORDERS}),
    TeamRole.VIEWER: frozenset({StoreAct.VIEW}),
}


class LastOwner(Conflict):
    """A team needs an owner: make somebody else one first."""

    code = "last_owner"


class RankTooLow(NotAllowed):
    """The actor's role in the team or store does not allow this."""

    code = "rank_too_low"


class AlreadyMember(Conflict):
    """The person belongs to the team or the staff already."""

    code = "already_member"


class TeamFull(Conflict):
    """A team, the staff of a store, and the teams of a person are bounded."""

    code = "team_full"


class InvitationEnded(Gone):
    """The invitation has expired, was taken back, or has been accepted."""

    code = "invitation_ended"


@dataclass(eq=False, kw_only=True)
class Member:
    """`id` is that of the membership."""

    id: UUID
    team_id: UUID
    user_id: UUID
    role: TeamRole
    joined_at: datetime


@dataclass(eq=False, kw_only=True)
class Team:
    id: UUID
    name: str
    created_at: datetime
    members: list[Member] = field(default_factory=list)
    version: int = 1

    def role_of(self, user_id: UUID) -> TeamRole | None:
        return next((m.role for m in self.members if m.user_id == user_id), None)

    def member(self, member_id: UUID) -> Member:
        """Raises NotFound."""
        for member in self.members:
            if member.id == member_id:
                return member
        raise NotFound("member", member_id)

    def require(self, user_id: UUID, least: TeamRole) -> TeamRole:
        """The user's role when it is `least` or higher. Raises NotFound, RankTooLow."""
        role = self.role_of(user_id)
        if role is None:
            raise NotFound("team", self.id)
        if least.outranks(role):
            raise RankTooLow(f"This needs the role {least}.", role=str(role), needed=str(least))
        return role

    def join(self, member: Member) -> None:
        """Raises AlreadyMember, TeamFull."""
        if self.role_of(member.user_id) is not None:
            raise AlreadyMember("That person is a member already.")
        if len(self.members) >= MAX_MEMBERS:
            raise TeamFull("The team is full.", max_members=MAX_MEMBERS)
        self.members.append(member)

    def change_role(self, member_id: UUID, role: TeamRole, *, by: TeamRole) -> Member:
        """Nobody gives or takes a role above their own. Raises LastOwner, RankTooLow, NotFound."""
        member = self.member(member_id)
        _require_rank(by, member.role, role)
        if member.role is TeamRole.OWNER and role is not TeamRole.OWNER:
            self._require_other_owner(member)
        member.role = role
        return member

    def leave(self, member_id: UUID, *, by: TeamRole, self_leaving: bool) -> None:
        """Anybody may leave; who removes another needs their rank. Raises LastOwner."""
        member = self.member(member_id)
        if not self_leaving:
            _require_rank(by, member.role)
        if member.role is TeamRole.OWNER:
            self._require_other_owner(member)
        self.members.remove(member)

    def _require_other_owner(self, leaving: Member) -> None:
        if not any(m.role is TeamRole.OWNER and m is not leaving for m in self.members):
            raise LastOwner("The team would have no owner.")


@dataclass(eq=False, kw_only=True)
class Invitation:
    """A word to somebody who need not have an account yet; the token is kept as its hash only."""

    id: UUID
    team_id: UUID
    email: str
    role: TeamRole
    token_hash: bytes
    invited_by: UUID
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None

    def accept(self, *, at: datetime) -> None:
        """Raises InvitationEnded."""
        if self.ended_at is not None or at >= self.expires_at:
            raise InvitationEnded("The invitation has ended: ask for a new one.")
        self.ended_at = at


@dataclass(eq=False, kw_only=True)
class StaffMember:
    """Works for one store; never its owner."""

    id: UUID
    store_id: UUID
    user_id: UUID
    role: TeamRole
    added_at: datetime


def highest(roles: "list[TeamRole]") -> TeamRole | None:
    """Who belongs in several ways has the most trusted of the roles."""
    return min(roles, key=list(TeamRole).index, default=None)


def _require_rank(by: TeamRole, *touched: TeamRole) -> None:
    if by not in (TeamRole.OWNER, TeamRole.ADMIN):
        raise RankTooLow("This needs the role admin.", role=str(by), needed="admin")
    for role in touched:
        if role.outranks(by):
            raise RankTooLow(f"This needs the role {role}.", role=str(by), needed=str(role))
