"""Who may act for a store, a creator, a payee or a project. Every use case that needs to know
asks here.

A store's people are its owner, the members of its team, and its staff; what each may do follows
from the role (`domain.identity.team.ACTS`). What an actor may not see is NotFound; what it may see
but not do is RankTooLow. Administrators of the platform may do everything, but for projects: those
are private work.
"""

from collections.abc import Collection
from enum import StrEnum
from uuid import UUID

from application.ports.unit_of_work import UnitOfWork
from domain.catalogue.store import Store
from domain.identity.actor import Actor
from domain.identity.team import ACTS, RankTooLow, StoreAct, TeamRole, highest
from domain.ledger.payee import Payee, PayeeKind
from domain.shared.errors import NotFound
from domain.studio.project import Project

__all__ = ["ProjectAct", "StoreAct", "payee_for", "project_for", "store_for", "stores_for"]


class ProjectAct(StrEnum):
    """What is done with a project, from the least to the most that must be trusted."""

    VIEW = "view"
    EDIT = "edit"
    DELETE = "delete"


_LEAST = {
    ProjectAct.VIEW: TeamRole.VIEWER,
    ProjectAct.EDIT: TeamRole.MEMBER,
    ProjectAct.DELETE: TeamRole.ADMIN,
}


async def store_for(store_id: UUID, act: StoreAct, *, actor: Actor, uow: UnitOfWork) -> Store:
    """The store, when the actor may do this for it. Raises NotFound, RankTooLow."""
    store = await uow.stores.get(store_id)
    if actor.is_admin or store.owner_id == actor.user_id:
        return store
    role = (await _roles(actor, uow=uow, among=[store_id])).get(store_id)
    if role is None:
        raise NotFound("store", store_id)
    if act not in ACTS[role]:
        raise RankTooLow(f"The role {role} does not allow this.", role=str(role), needed=str(act))
    return store


async def stores_for(act: StoreAct, *, actor: Actor, uow: UnitOfWork) -> list[Store]:
    """The stores for which the actor may do this, by id. An administrator's power lists none."""
    allowed = [i for i, role in (await _roles(actor, uow=uow)).items() if act in ACTS[role]]
    found = await uow.stores.many(allowed) if allowed else []
    return sorted(found, key=lambda store: store.id)


async def payee_for(payee_id: UUID, act: StoreAct, *, actor: Actor, uow: UnitOfWork) -> Payee:
    """The payee, when the actor may do this for the creator or store behind it."""
    payee = await uow.payees.get(payee_id)
    match payee.kind:
        case PayeeKind.STORE:
            await store_for(payee_id, act, actor=actor, uow=uow)
        case PayeeKind.CREATOR:
            if (await uow.creators.get(payee_id)).user_id != actor.user_id and not actor.is_admin:
                raise NotFound(payee.kind, payee_id)
    return payee


async def project_for(
    project_id: UUID, act: ProjectAct, *, actor: Actor, uow: UnitOfWork, lock: bool = False
) -> Project:
    """The actor's own, or one of a team in which the actor's role allows this, whoever made it.

    Raises NotFound, RankTooLow."""
    project = await uow.projects.get(project_id, lock=lock)
    if project.deleted_at is not None:
        raise NotFound("project", project_id)
    if project.team_id is None:
        if project.owner_id != actor.user_id:
            raise NotFound("project", project_id)
        return project
    team = await uow.teams.get(project.team_id)
    if team.role_of(actor.user_id) is None:
        raise NotFound("project", project_id)
    team.require(actor.user_id, _LEAST[act])
    return project


async def _roles(
    actor: Actor, *, uow: UnitOfWork, among: Collection[UUID] | None = None
) -> dict[UUID, TeamRole]:
    held: dict[UUID, list[TeamRole]] = {}
    for found in await uow.staff.roles(actor.user_id, among=among):
        held.setdefault(found.store_id, []).append(found.role)
    return {store_id: role for store_id, roles in held.items() if (role := highest(roles))}
