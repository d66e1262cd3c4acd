"""The staff of a store."""

from uuid import UUID

from litestar import Router, delete, get, patch, post
from litestar.params import FromPath, JSONBody

from application.catalogue import staff
from application.catalogue.staff import AddStaff, ChangeStaffRole, StaffRoleInvalid, StaffView
from domain.identity.email import InvalidEmail
from domain.identity.team import AlreadyMember, RankTooLow, TeamFull
from domain.shared.errors import NotFound
from entrypoints.http.dependencies import CurrentActor
from entrypoints.http.envelope import Data
from entrypoints.http.errors import errors
from entrypoints.http.parameters import TheClock, TheIds, TheUnitOfWork


@get("/", responses=errors(NotFound))
async def list_staff(
    store_id: FromPath[UUID], actor: CurrentActor, uow: TheUnitOfWork
) -> Data[list[StaffView]]:
    """Who works for the store, in the order in which they came."""
    return Data(await staff.list_staff(store_id, actor=actor, uow=uow))


@post(
    "/",
    responses=errors(NotFound, RankTooLow, AlreadyMember, TeamFull, StaffRoleInvalid, InvalidEmail),
)
async def add_staff(
    store_id: FromPath[UUID],
    data: JSONBody[AddStaff],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
    ids: TheIds,
) -> Data[StaffView]:
    """Let somebody who has an account work for the store. Needs the owner."""
    return Data(await staff.add_staff(store_id, data, actor=actor, uow=uow, clock=clock, ids=ids))


@patch("/{member_id:uuid}", responses=errors(NotFound, RankTooLow, StaffRoleInvalid))
async def change_role(
    store_id: FromPath[UUID],
    member_id: FromPath[UUID],
    data: JSONBody[ChangeStaffRole],
    actor: CurrentActor,
    uow: TheUnitOfWork,
) -> Data[StaffView]:
    """Give somebody another role. Needs the owner."""
    return Data(await staff.change_staff_role(store_id, member_id, data, actor=actor, uow=uow))


@delete("/{member_id:uuid}", responses=errors(NotFound, RankTooLow))
async def remove_staff(
    store_id: FromPath[UUID], member_id: FromPath[UUID], actor: CurrentActor, uow: TheUnitOfWork
) -> None:
    """End somebody's work for the store, or one's own."""
    await staff.remove_staff(store_id, member_id, actor=actor, uow=uow)


ROUTER = Router(
    "/api/v1/stores/{store_id:uuid}/staff",
    route_handlers=[list_staff, add_staff, change_role, remove_staff],
    tags=["Stores"],
)
