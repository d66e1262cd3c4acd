"""What every store of teams and staff promises."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from application.ports.repository import StaleVersion
from domain.identity.team import (
    INVITATION_LIFETIME,
    AlreadyMember,
    Invitation,
    Member,
    StaffMember,
    Team,
    TeamRole,
)
from domain.identity.user import User
from domain.shared.errors import NotFound
from tests.builders import NOON, store_of, user
from tests.contracts.units_of_work import NewUnitOfWork


def member(team: Team, of: User, role: TeamRole = TeamRole.MEMBER, *, minute: int = 0) -> Member:
    return Member(
        id=uuid4(),
        team_id=team.id,
        user_id=of.id,
        role=role,
        joined_at=NOON + timedelta(minutes=minute),
    )


async def people(new_uow: NewUnitOfWork, count: int) -> list[User]:
    made = [user() for _ in range(count)]
    async with new_uow() as uow:
        for one in made:
            uow.users.add(one)
        await uow.commit()
    return made


async def team_of(new_uow: NewUnitOfWork, *members: User) -> Team:
    team = Team(id=uuid4(), name="Studio", created_at=NOON)
    for number, one in enumerate(members):
        role = TeamRole.MEMBER if number else TeamRole.OWNER
        team.join(member(team, one, role, minute=number))
    async with new_uow() as uow:
        uow.teams.add(team)
        await uow.commit()
    return team


async def test_a_team_is_kept_with_its_members(new_uow: NewUnitOfWork) -> None:
    ada, grace = await people(new_uow, 2)
    made = await team_of(new_uow, ada, grace)
    async with new_uow() as uow:
        found = await uow.teams.get(made.id)
        assert [(m.user_id, m.role) for m in found.members] == [
            (ada.id, TeamRole.OWNER),
            (grace.id, TeamRole.MEMBER),
        ]
        assert [team.id for team in await uow.teams.of_user(grace.id)] == [made.id]
        assert await uow.teams.of_user(uuid4()) == []
        with pytest.raises(NotFound):
            await uow.teams.get(uuid4())


async def test_members_join_change_and_leave(new_uow: NewUnitOfWork) -> None:
    ada, grace, alan = await people(new_uow, 3)
    made = await team_of(new_uow, ada, grace)
    async with new_uow() as uow:
        team = await uow.teams.get(made.id, lock=True)
        team.join(member(team, alan, minute=9))
        team.members[0].role = TeamRole.OWNER
        team.leave(team.members[1].id, by=TeamRole.OWNER, self_leaving=False)
        await uow.commit()
    async with new_uow() as uow:
        assert [m.user_id for m in (await uow.teams.get(made.id)).members] == [ada.id, alan.id]


async def test_a_stale_team_is_not_renamed(new_uow: NewUnitOfWork) -> None:
    (ada,) = await people(new_uow, 1)
    made = await team_of(new_uow, ada)
    async with new_uow() as slow:
        team = await slow.teams.get(made.id)
        async with new_uow() as quick:
            (await quick.teams.get(made.id)).name = "Quick"
            await quick.commit()
        team.name = "Slow"
        with pytest.raises(StaleVersion):
            await slow.commit()


async def test_a_deleted_team_is_gone(new_uow: NewUnitOfWork) -> None:
    (ada,) = await people(new_uow, 1)
    made = await team_of(new_uow, ada)
    async with new_uow() as uow:
        await uow.teams.delete(await uow.teams.get(made.id, lock=True))
        await uow.commit()
    async with new_uow() as uow:
        assert await uow.teams.of_user(ada.id) == []
        with pytest.raises(NotFound):
            await uow.teams.get(made.id)


async def test_invitations_are_found_by_token_and_while_they_are_open(
    new_uow: NewUnitOfWork,
) -> None:
    (ada,) = await people(new_uow, 1)
    made = await team_of(new_uow, ada)
    async with new_uow() as uow:
        for number in range(3):
            uow.invitations.add(
                Invitation(
                    id=UUID(int=number + 1),
                    team_id=made.id,
                    email=f"{number}@example.com",
                    role=TeamRole.VIEWER,
                    token_hash=bytes([number]),
                    invited_by=ada.id,
                    created_at=NOON,
                    expires_at=NOON + INVITATION_LIFETIME * number,
                    ended_at=NOON if number == 1 else None,
                )
            )
        await uow.commit()
    async with new_uow() as uow:
        found = await uow.invitations.by_token(b"\x02")
        assert found is not None
        assert found.email == "2@example.com"
        assert await uow.invitations.by_token(b"\x09") is None
        still_open = await uow.invitations.open_of_team(made.id, now=NOON)
        assert [invitation.email for invitation in still_open] == ["2@example.com"]


def staff(store_id: UUID, of: User, role: TeamRole = TeamRole.MEMBER) -> StaffMember:
    return StaffMember(id=uuid4(), store_id=store_id, user_id=of.id, role=role, added_at=NOON)


async def test_roles_come_from_owning_from_teams_and_from_working(new_uow: NewUnitOfWork) -> None:
    ada, grace, alan = await people(new_uow, 3)
    team = await team_of(new_uow, ada, grace)
    shop, other = store_of(ada, team_id=team.id), store_of(alan)
    async with new_uow() as uow:
        uow.stores.add(shop)
        uow.stores.add(other)
        uow.staff.add(staff(other.id, grace, TeamRole.VIEWER))
        await uow.commit()
    async with new_uow() as uow:
        roles = {(r.store_id, r.role) for r in await uow.staff.roles(ada.id)}
        assert roles == {(shop.id, TeamRole.OWNER)}
        roles = {(r.store_id, r.role) for r in await uow.staff.roles(grace.id)}
        assert roles == {(shop.id, TeamRole.MEMBER), (other.id, TeamRole.VIEWER)}
        among = await uow.staff.roles(grace.id, among=[other.id])
        assert [role.store_id for role in among] == [other.id]
        assert list(await uow.staff.roles(uuid4())) == []


async def test_a_person_works_for_a_store_once_and_can_stop(new_uow: NewUnitOfWork) -> None:
    ada, grace = await people(new_uow, 2)
    shop = store_of(ada)
    async with new_uow() as uow:
        uow.stores.add(shop)
        uow.staff.add(staff(shop.id, grace))
        await uow.commit()
    with pytest.raises(AlreadyMember):
        async with new_uow() as uow:
            uow.staff.add(staff(shop.id, grace))
            await uow.commit()
    async with new_uow() as uow:
        (found,) = await uow.staff.of_store(shop.id)
        await uow.staff.remove(await uow.staff.get(found.id, lock=True))
        await uow.commit()
    async with new_uow() as uow:
        assert await uow.staff.of_store(shop.id) == []
        assert list(await uow.staff.roles(grace.id)) == []
