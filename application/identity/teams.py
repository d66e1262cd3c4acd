"""Make a team, invite people into it, and change or end their part in it.

An invitation's token is shown once, to who invites, and handed on by them; whoever is signed in
with the invited address may use it.
"""

import hashlib
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.secrets import Secrets
from application.ports.unit_of_work import UnitOfWork
from domain.identity.actor import Actor
from domain.identity.email import normalised_email
from domain.identity.team import (
    INVITATION_LIFETIME,
    MAX_TEAMS,
    Invitation,
    Member,
    Team,
    TeamFull,
    TeamRole,
)
from domain.shared.errors import NotFound

TeamName = Annotated[str, msgspec.Meta(min_length=1, max_length=120)]


class MakeTeam(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: TeamName


class Invite(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    email: Annotated[str, msgspec.Meta(min_length=3, max_length=254)]
    role: TeamRole = TeamRole.MEMBER


class ChangeRole(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    role: TeamRole


class MemberView(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    user_id: UUID
    role: TeamRole
    joined_at: datetime


class InvitationView(msgspec.Struct, frozen=True, kw_only=True):
    """`token` is there once, in the answer to the invitation."""

    id: UUID
    email: str
    role: TeamRole
    expires_at: datetime
    token: str | None = None


class TeamView(msgspec.Struct, frozen=True, kw_only=True):
    """`role` is the caller's own."""

    id: UUID
    name: str
    role: TeamRole | None
    created_at: datetime


class TeamMembers(msgspec.Struct, frozen=True, kw_only=True):
    members: list[MemberView]
    invitations: list[InvitationView]


async def make_team(
    command: MakeTeam, *, actor: Actor, uow: UnitOfWork, clock: Clock, ids: Ids
) -> TeamView:
    """The actor becomes its owner. Raises TeamFull for who has very many."""
    now = clock.now()
    team = Team(id=ids.new(), name=command.name, created_at=now)
    team.join(
        Member(
            id=ids.new(),
            team_id=team.id,
            user_id=actor.user_id,
            role=TeamRole.OWNER,
            joined_at=now,
        )
    )
    async with uow:
        if len(await uow.teams.of_user(actor.user_id)) >= MAX_TEAMS:
            raise TeamFull("You have as many teams as one can have.", max_teams=MAX_TEAMS)
        uow.teams.add(team)
        uow.audit.record("team.made", actor=actor, on=("team", team.id))
        await uow.commit()
    return _view(team, actor)


async def list_teams(*, actor: Actor, uow: UnitOfWork) -> list[TeamView]:
    async with uow:
        return [_view(team, actor) for team in await uow.teams.of_user(actor.user_id)]


async def show_team(team_id: UUID, *, actor: Actor, uow: UnitOfWork) -> TeamView:
    """Raises NotFound."""
    async with uow:
        return _view(await _team(team_id, TeamRole.VIEWER, actor=actor, uow=uow), actor)


async def rename_team(
    team_id: UUID, command: MakeTeam, *, actor: Actor, uow: UnitOfWork
) -> TeamView:
    """Raises NotFound, RankTooLow."""
    async with uow:
        team = await _team(team_id, TeamRole.ADMIN, actor=actor, uow=uow, lock=True)
        team.name = command.name
        await uow.commit()
    return _view(team, actor)


async def delete_team(team_id: UUID, *, actor: Actor, uow: UnitOfWork) -> None:
    """Its stores stay with their owners. Raises NotFound, RankTooLow."""
    async with uow:
        team = await _team(team_id, TeamRole.OWNER, actor=actor, uow=uow, lock=True)
        await uow.teams.delete(team)
        uow.audit.record("team.deleted", actor=actor, on=("team", team.id))
        await uow.commit()


async def list_members(
    team_id: UUID, *, actor: Actor, uow: UnitOfWork, clock: Clock
) -> TeamMembers:
    """Members by when they joined, and the invitations that can still be accepted."""
    async with uow:
        team = await _team(team_id, TeamRole.VIEWER, actor=actor, uow=uow)
        invitations = await uow.invitations.open_of_team(team_id, now=clock.now())
    return TeamMembers(
        members=[_member(member) for member in team.members],
        invitations=[_invitation(invitation) for invitation in invitations],
    )


async def invite(
    team_id: UUID,
    command: Invite,
    *,
    actor: Actor,
    uow: UnitOfWork,
    clock: Clock,
    ids: Ids,
    secrets: Secrets,
) -> InvitationView:
    """Raises NotFound, RankTooLow, Invalid for an address that is none."""
    token, now = secrets.token(), clock.now()
    async with uow:
        team = await _team(team_id, TeamRole.ADMIN, actor=actor, uow=uow)
        if command.role is TeamRole.OWNER:
            team.require(actor.user_id, TeamRole.OWNER)
        invitation = Invitation(
            id=ids.new(),
            team_id=team.id,
            email=normalised_email(command.email),
            role=command.role,
            token_hash=_hash(token),
            invited_by=actor.user_id,
            created_at=now,
            expires_at=now + INVITATION_LIFETIME,
        )
        uow.invitations.add(invitation)
        uow.audit.record(
            "team.invited", actor=actor, on=("team", team.id), after={"role": command.role}
        )
        await uow.commit()
    return _invitation(invitation, token=token)


async def accept_invitation(
    token: str, *, actor: Actor, uow: UnitOfWork, clock: Clock, ids: Ids
) -> TeamView:
    """Raises NotFound (also for who was not invited), InvitationEnded, AlreadyMember, TeamFull."""
    now = clock.now()
    async with uow:
        invitation = await uow.invitations.by_token(_hash(token))
        user = await uow.users.get(actor.user_id)
        if invitation is None or invitation.email != user.email:
            raise NotFound("invitation")
        invitation.accept(at=now)
        team = await uow.teams.get(invitation.team_id, lock=True)
        team.join(
            Member(
                id=ids.new(),
                team_id=team.id,
                user_id=actor.user_id,
                role=invitation.role,
                joined_at=now,
            )
        )
        uow.audit.record(
            "team.joined", actor=actor, on=("team", team.id), after={"role": invitation.role}
        )
        await uow.commit()
    return _view(team, actor)


async def change_role(
    team_id: UUID, member_id: UUID, command: ChangeRole, *, actor: Actor, uow: UnitOfWork
) -> MemberView:
    """Raises NotFound, RankTooLow, LastOwner."""
    async with uow:
        team = await _team(team_id, TeamRole.VIEWER, actor=actor, uow=uow, lock=True)
        by = team.require(actor.user_id, TeamRole.ADMIN)
        member = team.change_role(member_id, command.role, by=by)
        uow.audit.record(
            "team.role_changed",
            actor=actor,
            on=("team", team.id),
            after={"member_id": str(member.id), "role": member.role},
        )
        await uow.commit()
    return _member(member)


async def remove_member(team_id: UUID, member_id: UUID, *, actor: Actor, uow: UnitOfWork) -> None:
    """Leave the team, or be made to. Raises NotFound, RankTooLow, LastOwner."""
    async with uow:
        team = await _team(team_id, TeamRole.VIEWER, actor=actor, uow=uow, lock=True)
        own = team.member(member_id).user_id == actor.user_id
        by = team.require(actor.user_id, TeamRole.VIEWER)
        team.leave(member_id, by=by, self_leaving=own)
        uow.audit.record(
            "team.member_removed",
            actor=actor,
            on=("team", team.id),
            before={"member_id": str(member_id)},
        )
        await uow.commit()


async def _team(
    team_id: UUID, least: TeamRole, *, actor: Actor, uow: UnitOfWork, lock: bool = False
) -> Team:
    team = await uow.teams.get(team_id, lock=lock)
    team.require(actor.user_id, least)
    return team


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _view(team: Team, actor: Actor) -> TeamView:
    return TeamView(
        id=team.id, name=team.name, role=team.role_of(actor.user_id), created_at=team.created_at
    )


def _member(member: Member) -> MemberView:
    return MemberView(
        id=member.id, user_id=member.user_id, role=member.role, joined_at=member.joined_at
    )


def _invitation(invitation: Invitation, *, token: str | None = None) -> InvitationView:
    return InvitationView(
        id=invitation.id,
        email=invitation.email,
        role=invitation.role,
        expires_at=invitation.expires_at,
        token=token,
    )
