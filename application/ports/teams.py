"""Keeping teams, their invitations, and the staff of stores."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec

from application.ports.repository import Repository
from domain.identity.team import Invitation, StaffMember, Team, TeamRole


class Teams(Repository[Team], Protocol):
    """`get` loads a team with its members."""

    async def of_user(self, user_id: UUID) -> list[Team]:
        """With their members, by id."""
        ...

    async def delete(self, team: Team) -> None:
        """With its members and invitations; a store of the team stays its owner's."""
        ...


class Invitations(Repository[Invitation], Protocol):
    async def by_token(self, token_hash: bytes) -> Invitation | None:
        """Locked."""
        ...

    async def open_of_team(self, team_id: UUID, *, now: datetime) -> list[Invitation]: ...


class StoreRole(msgspec.Struct, frozen=True):
    """A role that a user has for a store, in one of the ways to have one."""

    store_id: UUID
    role: TeamRole


class StaffMembers(Repository[StaffMember], Protocol):
    async def of_store(self, store_id: UUID) -> list[StaffMember]: ...

    async def remove(self, member: StaffMember) -> None: ...

    async def roles(
        self, user_id: UUID, *, among: Collection[UUID] | None = None
    ) -> Sequence[StoreRole]:
        """The user's roles for stores: as owner, through teams, and as staff."""
        ...
