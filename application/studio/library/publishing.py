"""Showing a work to everybody: its owner asks, an administrator looks, only then it is shown."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from application.moderation.judging import Moderation
from application.moderation.subjects import require_not_held
from application.moderation.words import require_publishable
from application.ports.clock import Clock
from application.ports.library import LibraryViews, ReviewedWork
from application.ports.unit_of_work import UnitOfWork
from application.studio.library.characters import require_licence
from application.studio.library.works import (
    Publicity,
    own_work,
    publicity_of,
    require_version,
)
from domain.identity.actor import Actor
from domain.moderation.case import SubjectKind
from domain.shared.errors import Invalid, NotAllowed, NotFound
from domain.studio.character import Character
from domain.studio.preset import Preset
from domain.studio.publication import WorkKind, publication_of
from domain.studio.template import Template

_WORDS = ("name", "description", "prompt", "style", "variables")


class LikenessNotYours(NotAllowed):
    """A character with a creator's likeness is shown to everybody by that creator alone."""

    code = "likeness_not_yours"


class ReasonMissing(Invalid):
    """A rejection says why."""

    code = "reason_missing"


class DecidePublication(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rejection needs a `reason`, which the owner reads; what is published can be rejected."""

    approved: bool
    reason: Annotated[str, msgspec.Meta(max_length=1000)] = ""


async def publish(
    kind: WorkKind,
    work_id: UUID,
    *,
    actor: Actor,
    uow: UnitOfWork,
    clock: Clock,
    moderation: Moderation,
) -> Publicity:
    """Ask for a review; again is the same. Its words are judged once more, by the lists of today.

    Raises NotFound, TextRefused, HeldByModerators, LikenessNotYours, NoLicence, ConsentMissing;
    StaleVersion when it was changed meanwhile."""
    now, subject = clock.now(), SubjectKind(kind.value)
    async with uow:
        work = await _work(kind, work_id, actor=actor, uow=uow)
        version = work.version
        words = {name: getattr(work, name) for name in _WORDS if hasattr(work, name)}
        creator_id = work.creator_id if isinstance(work, Character) else None
    await require_publishable(
        words,
        subject,
        work_id,
        actor=actor,
        uow=uow,
        moderation=moderation,
        creator_id=creator_id,
    )
    async with uow:
        work = await _work(kind, work_id, actor=actor, uow=uow)
        require_version(work, version)
        await require_not_held(subject, work_id, uow=uow)
        creator_id = work.creator_id if isinstance(work, Character) else None
        if creator_id is not None:
            await _require_likeness(creator_id, actor=actor, uow=uow, at=now)
        publication = await uow.publications.find(work_id, lock=True)
        if publication is None:
            publication = publication_of(work, kind, creator_id=creator_id, at=now)
            uow.publications.add(publication)
        publication.submit(work, at=now)
        await uow.commit()
        return await publicity_of(publication, own=True, actor=actor, uow=uow)


async def unpublish(kind: WorkKind, work_id: UUID, *, actor: Actor, uow: UnitOfWork) -> Publicity:
    """Show it no more, or ask no more. Raises NotFound."""
    async with uow:
        await _work(kind, work_id, actor=actor, uow=uow)
        publication = await uow.publications.find(work_id, lock=True)
        if publication is not None:
            publication.withdraw()
            await uow.commit()
        return await publicity_of(publication, own=True, actor=actor, uow=uow)


async def decide_publication(
    work_id: UUID, command: DecidePublication, *, actor: Actor, uow: UnitOfWork, clock: Clock
) -> None:
    """Raises NotAllowed, NotFound, NotInReview, ReasonMissing; StaleVersion when it was changed or
    taken back meanwhile."""
    _require_admin(actor)
    if not command.approved and not command.reason.strip():
        raise ReasonMissing("Say why.", fields={"reason": ["is required to reject"]})
    now = clock.now()
    async with uow:
        publication = await uow.publications.find(work_id, lock=True)
        if publication is None:
            raise NotFound("publication", work_id)
        before = {"state": publication.state}
        if command.approved:
            publication.approve(by=actor.user_id, at=now)
        else:
            publication.reject(command.reason, by=actor.user_id, at=now)
        uow.audit.record(
            "publication.decided",
            actor=actor,
            on=("publication", work_id),
            before=before,
            after={"state": publication.state},
        )
        await uow.commit()


async def waiting_publications(
    *,
    actor: Actor,
    after: tuple[datetime, UUID] | None,
    limit: int,
    views: LibraryViews,
) -> list[ReviewedWork]:
    """Raises NotAllowed."""
    _require_admin(actor)
    return await views.waiting(after=after, limit=limit)


async def _work(
    kind: WorkKind, work_id: UUID, *, actor: Actor, uow: UnitOfWork
) -> Template | Character | Preset:
    """Locked, so that it is not changed while it is copied."""
    match kind:
        case WorkKind.TEMPLATE:
            return await own_work(uow.templates, work_id, kind, actor=actor, lock=True)
        case WorkKind.CHARACTER:
            return await own_work(uow.characters, work_id, kind, actor=actor, lock=True)
        case WorkKind.PRESET:
            return await own_work(uow.presets, work_id, kind, actor=actor, lock=True)


async def _require_likeness(
    creator_id: UUID, *, actor: Actor, uow: UnitOfWork, at: datetime
) -> None:
    if (await uow.creators.get(creator_id)).user_id != actor.user_id:
        raise LikenessNotYours("Only the creator shows their own likeness to everybody.")
    await require_licence(creator_id, uow=uow, at=at)


def _require_admin(actor: Actor) -> None:
    if not actor.is_admin:
        raise NotAllowed("Only administrators decide what is published.")
