"""The people who work for a store: who they are, and in which role."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from application.identity.authority import StoreAct, store_for
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.unit_of_work import UnitOfWork
from domain.identity.actor import Actor
from domain.identity.email import normalised_email
from domain.identity.team import MAX_MEMBERS, AlreadyMember, StaffMember, TeamFull, TeamRole
from domain.shared.errors import Invalid, NotFound


class StaffRoleInvalid(Invalid):
    """A store has one owner, and staff is never that."""

    code = "staff_role_invalid"


class AddStaff(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """By the address of their account."""

    email: Annotated[str, msgspec.Meta(min_length=3, max_length=254)]
    role: TeamRole = TeamRole.MEMBER


class ChangeStaffRole(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    role: TeamRole


class StaffView(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    user_id: UUID
    role: TeamRole
    added_at: datetime


async def list_staff(store_id: UUID, *, actor: Actor, uow: UnitOfWork) -> list[StaffView]:
    """Raises NotFound."""
    async with uow:
        await store_for(store_id, StoreAct.VIEW, actor=actor, uow=uow)
        return [_view(member) for member in await uow.staff.of_store(store_id)]


async def add_staff(
    store_id: UUID, command: AddStaff, *, actor: Actor, uow: UnitOfWork, clock: Clock, ids: Ids
) -> StaffView:
    """Raises NotFound (also where nobody has that address), AlreadyMember, StaffRoleInvalid."""
    _check(command.role)
    async with uow:
        store = await store_for(store_id, StoreAct.OWN, actor=actor, uow=uow)
        user = await uow.users.by_email(normalised_email(command.email))
        if user is None:
            raise NotFound("user")
        if user.id == store.owner_id:
            raise AlreadyMember("The owner is no staff.")
        if len(await uow.staff.of_store(store.id)) >= MAX_MEMBERS:
            raise TeamFull("The store has as many staff as it can.", max_members=MAX_MEMBERS)
        member = StaffMember(
            id=ids.new(),
            store_id=store.id,
            user_id=user.id,
            role=command.role,
            added_at=clock.now(),
        )
        uow.staff.add(member)
        uow.audit.record(
            "staff.added",
            actor=actor,
            on=("store", store_id),
            after={"user_id": str(user.id), "role": command.role},
        )
        await uow.commit()
    return _view(member)


async def change_staff_role(
    store_id: UUID, member_id: UUID, command: ChangeStaffRole, *, actor: Actor, uow: UnitOfWork
) -> StaffView:
    """Raises NotFound, RankTooLow, StaffRoleInvalid."""
    _check(command.role)
    async with uow:
        await store_for(store_id, StoreAct.OWN, actor=actor, uow=uow)
        member = await _member(store_id, member_id, uow=uow)
        member.role = command.role
        uow.audit.record(
            "staff.role_changed",
            actor=actor,
            on=("store", store_id),
            after={"user_id": str(member.user_id), "role": member.role},
        )
        await uow.commit()
    return _view(member)


async def remove_staff(store_id: UUID, member_id: UUID, *, actor: Actor, uow: UnitOfWork) -> None:
    """The owner ends anybody's work, and everybody their own. Raises NotFound, RankTooLow."""
    async with uow:
        await store_for(store_id, StoreAct.VIEW, actor=actor, uow=uow)
        member = await _member(store_id, member_id, uow=uow)
        if member.user_id != actor.user_id:
            await store_for(store_id, StoreAct.OWN, actor=actor, uow=uow)
        await uow.staff.remove(member)
        uow.audit.record(
            "staff.removed",
            actor=actor,
            on=("store", store_id),
            before={"user_id": str(member.user_id), "role": member.role},
        )
        await uow.commit()


async def _member(store_id: UUID, member_id: UUID, *, uow: UnitOfWork) -> StaffMember:
    member = await uow.staff.get(member_id, lock=True)
    if member.store_id != store_id:
        raise NotFound("staff member", member_id)
    return member


def _check(role: TeamRole) -> None:
    if role is TeamRole.OWNER:
        raise StaffRoleInvalid(
            "Staff cannot own a store.", fields={"role": ["must be admin, member or viewer"]}
        )


def _view(member: StaffMember) -> StaffView:
    return StaffView(
        id=member.id, user_id=member.user_id, role=member.role, added_at=member.added_at
    )
