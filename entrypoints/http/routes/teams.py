"""Teams: who owns projects and stores together."""

from uuid import UUID

from litestar import Router, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, SkipValidation

from application.identity import teams
from application.identity.teams import (
    ChangeRole,
    InvitationView,
    Invite,
    MakeTeam,
    MemberView,
    TeamMembers,
    TeamView,
)
from application.ports.secrets import Secrets
from domain.identity.email import InvalidEmail
from domain.identity.team import AlreadyMember, InvitationEnded, LastOwner, RankTooLow, TeamFull
from domain.shared.errors import NotFound
from entrypoints.http.dependencies import CurrentActor
from entrypoints.http.envelope import Data
from entrypoints.http.errors import errors
from entrypoints.http.parameters import TheClock, TheIds, TheUnitOfWork


@post("/", responses=errors(TeamFull))
async def make_team(
    data: JSONBody[MakeTeam],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
    ids: TheIds,
) -> Data[TeamView]:
    """Make a team; the caller becomes its owner."""
    return Data(await teams.make_team(data, actor=actor, uow=uow, clock=clock, ids=ids))


@get("/")
async def list_teams(actor: CurrentActor, uow: TheUnitOfWork) -> Data[list[TeamView]]:
    """The caller's teams."""
    return Data(await teams.list_teams(actor=actor, uow=uow))


@get("/{team_id:uuid}", responses=errors(NotFound))
async def read_team(
    team_id: FromPath[UUID], actor: CurrentActor, uow: TheUnitOfWork
) -> Data[TeamView]:
    """One of the caller's teams."""
    return Data(await teams.show_team(team_id, actor=actor, uow=uow))


@patch("/{team_id:uuid}", responses=errors(NotFound, RankTooLow))
async def rename_team(
    team_id: FromPath[UUID], data: JSONBody[MakeTeam], actor: CurrentActor, uow: TheUnitOfWork
) -> Data[TeamView]:
    """Give the team another name. Needs the role admin."""
    return Data(await teams.rename_team(team_id, data, actor=actor, uow=uow))


@delete("/{team_id:uuid}", responses=errors(NotFound, RankTooLow))
async def delete_team(team_id: FromPath[UUID], actor: CurrentActor, uow: TheUnitOfWork) -> None:
    """End the team. Its stores stay with their owners. Needs the role owner."""
    await teams.delete_team(team_id, actor=actor, uow=uow)


@get("/{team_id:uuid}/members", responses=errors(NotFound))
async def list_members(
    team_id: FromPath[UUID], actor: CurrentActor, uow: TheUnitOfWork, clock: TheClock
) -> Data[TeamMembers]:
    """The members, and the invitations that are still open."""
    return Data(await teams.list_members(team_id, actor=actor, uow=uow, clock=clock))


@post("/{team_id:uuid}/members/invite", responses=errors(NotFound, RankTooLow, InvalidEmail))
async def invite(
    team_id: FromPath[UUID],
    data: JSONBody[Invite],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
    ids: TheIds,
    secrets: NamedDependency[SkipValidation[Secrets]],
) -> Data[InvitationView]:
    """Invite somebody by address. The token in the answer is shown this once: hand it on."""
    return Data(
        await teams.invite(
            team_id, data, actor=actor, uow=uow, clock=clock, ids=ids, secrets=secrets
        )
    )


@patch(
    "/{team_id:uuid}/members/{membership_id:uuid}",
    responses=errors(NotFound, RankTooLow, LastOwner),
)
async def change_role(
    team_id: FromPath[UUID],
    membership_id: FromPath[UUID],
    data: JSONBody[ChangeRole],
    actor: CurrentActor,
    uow: TheUnitOfWork,
) -> Data[MemberView]:
    """Give a member another role, none above the caller's own."""
    return Data(await teams.change_role(team_id, membership_id, data, actor=actor, uow=uow))


@delete(
    "/{team_id:uuid}/members/{membership_id:uuid}",
    responses=errors(NotFound, RankTooLow, LastOwner),
)
async def remove_member(
    team_id: FromPath[UUID], membership_id: FromPath[UUID], actor: CurrentActor, uow: TheUnitOfWork
) -> None:
    """Leave the team, or make somebody leave it."""
    await teams.remove_member(team_id, membership_id, actor=actor, uow=uow)


@post(
    "/{token:str}/accept",
    status_code=200,
    responses=errors(NotFound, InvitationEnded, AlreadyMember, TeamFull),
)
async def accept_invitation(
    token: FromPath[str], actor: CurrentActor, uow: TheUnitOfWork, clock: TheClock, ids: TheIds
) -> Data[TeamView]:
    """Join the team. Works for the invited address only."""
    return Data(await teams.accept_invitation(token, actor=actor, uow=uow, clock=clock, ids=ids))


ROUTER = Router(
    "/api/v1/teams",
    route_handlers=[
        make_team,
        list_teams,
        read_team,
        rename_team,
        delete_team,
        list_members,
        invite,
        change_role,
        remove_member,
    ],
    tags=["Teams"],
)
INVITATIONS_ROUTER = Router(
    "/api/v1/invitations", route_handlers=[accept_invitation], tags=["Teams"]
)
