"""Teams and staff in dicts, for the tests of use cases."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from adapters.memory.catalogue import MemoryStores
from adapters.memory.repository import MemoryRepository, Table, UniqueKeys
from application.ports.teams import StoreRole
from domain.identity.team import AlreadyMember, Invitation, StaffMember, Team, TeamRole

STAFF_KEYS: UniqueKeys[StaffMember] = {
    lambda member: (member.store_id, member.user_id): lambda: AlreadyMember(
        "That person is a member already."
    )
}


class MemoryTeams(MemoryRepository[Team]):
    async def of_user(self, user_id: UUID) -> list[Team]:
        found = self._where(lambda team: team.role_of(user_id) is not None)
        return sorted(found, key=lambda team: team.id)

    async def delete(self, team: Team) -> None:
        self._delete(team)


class MemoryInvitations(MemoryRepository[Invitation]):
    async def by_token(self, token_hash: bytes) -> Invitation | None:
        return next(self._where(lambda invitation: invitation.token_hash == token_hash), None)

    async def open_of_team(self, team_id: UUID, *, now: datetime) -> list[Invitation]:
        found = self._where(
            lambda i: i.team_id == team_id and i.ended_at is None and i.expires_at > now
        )
        return sorted(found, key=lambda invitation: invitation.id)


class MemoryStaffMembers(MemoryRepository[StaffMember]):
    """See `application.ports.teams.StaffMembers`."""

    def __init__(
        self, table: Table[StaffMember], *, stores: MemoryStores, teams: MemoryTeams
    ) -> None:
        super().__init__(table)
        self._stores = stores
        self._teams = teams

    async def of_store(self, store_id: UUID) -> list[StaffMember]:
        found = self._where(lambda member: member.store_id == store_id)
        return sorted(found, key=lambda member: (member.added_at, member.id))

    async def remove(self, member: StaffMember) -> None:
        self._delete(member)

    async def roles(
        self, user_id: UUID, *, among: Collection[UUID] | None = None
    ) -> Sequence[StoreRole]:
        found = []
        for store in self._stores._where(lambda s: among is None or s.id in among):
            if store.owner_id == user_id:
                found.append(StoreRole(store.id, TeamRole.OWNER))
            team = self._teams._peek(store.team_id) if store.team_id else None
            if team is not None and (role := team.role_of(user_id)) is not None:
                found.append(StoreRole(store.id, role))
        found += [
            StoreRole(member.store_id, member.role)
            for member in self._where(lambda m: m.user_id == user_id)
            if among is None or member.store_id in among
        ]
        return sorted(found, key=lambda role: role.store_id)
