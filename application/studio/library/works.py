"""What templates, characters and presets have in common: an owner, and perhaps a publication."""

from datetime import datetime
from typing import Annotated, Protocol, TypeVar
from uuid import UUID

import msgspec

from application.ports.repository import Repository, StaleVersion
from application.ports.unit_of_work import UnitOfWork
from domain.identity.actor import Actor
from domain.shared.errors import NotFound
from domain.studio.publication import Publication, PublicationState, Work

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=120, pattern=r"\S")]
Description = Annotated[str, msgspec.Meta(max_length=2000)]
Category = Annotated[
    str, msgspec.Meta(pattern=r"^([a-z][a-z0-9_]{0,39})?\Z", description="Empty, or a word: a-z.")
]
Version = Annotated[int, msgspec.Meta(ge=1, description="The version that is to be changed.")]


class Publicity(msgspec.Struct, frozen=True, kw_only=True):
    """`reason` says why it was rejected. `favourites` and `uses` count from when it was first
    published; `favourite` is the caller's own word."""

    state: PublicationState
    reason: str | None
    published_at: datetime | None
    favourites: int
    uses: int
    favourite: bool


class Kept(Work, Protocol):
    """A work as it is stored."""

    updated_at: datetime
    deleted_at: datetime | None
    version: int


W = TypeVar("W", bound=Kept)


async def own_work(
    works: Repository[W], work_id: UUID, kind: str, *, actor: Actor, lock: bool = False
) -> W:
    """The actor's own; an administrator's are also those of the platform. Raises NotFound."""
    work = await works.get(work_id, lock=lock)
    if work.deleted_at is not None or not is_own(work, actor):
        raise NotFound(kind, work_id)
    return work


async def usable_work(
    works: Repository[W], work_id: UUID, kind: str, *, actor: Actor, uow: UnitOfWork
) -> tuple[W, Publication | None]:
    """The actor's own, or one that is published; for an administrator also one that waits for
    their decision. Raises NotFound."""
    work = await works.get(work_id)
    publication = await uow.publications.find(work_id)
    shown = publication is not None and (
        publication.is_published
        or (actor.is_admin and publication.state is PublicationState.IN_REVIEW)
    )
    if work.deleted_at is not None or not (shown or is_own(work, actor)):
        raise NotFound(kind, work_id)
    return work, publication


def is_own(work: Work, actor: Actor) -> bool:
    return work.owner_id == actor.user_id or (work.owner_id is None and actor.is_admin)


def require_version(kept: "Kept | Versioned", version: int | None) -> None:
    """Raises StaleVersion."""
    if version is not None and version != kept.version:
        raise StaleVersion("It was changed meanwhile: load it again.")


class Versioned(Protocol):
    version: int


async def changed(work: Kept, *, actor: Actor, uow: UnitOfWork, at: datetime) -> None:
    """After a change by its owner it is shown no more, until somebody has looked at it again; an
    administrator has."""
    work.updated_at = at
    publication = await uow.publications.find(work.id, lock=True)
    if publication is None:
        return
    if actor.is_admin:
        publication.copy(work)
    else:
        publication.withdraw()


async def unlisted(work: Work, *, uow: UnitOfWork) -> None:
    """Of what is deleted, nothing is shown and nobody's word is kept."""
    publication = await uow.publications.find(work.id, lock=True)
    if publication is not None:
        await uow.publications.remove(publication)


async def publicity_of(
    publication: Publication | None, *, own: bool, actor: Actor, uow: UnitOfWork
) -> Publicity:
    if publication is None:
        return Publicity(
            state=PublicationState.PRIVATE,
            reason=None,
            published_at=None,
            favourites=0,
            uses=0,
            favourite=False,
        )
    return Publicity(
        state=publication.state,
        reason=publication.reason if own else None,
        published_at=publication.published_at,
        favourites=publication.favourites,
        uses=publication.uses,
        favourite=await uow.publications.is_favourite(publication.id, actor.user_id),
    )
