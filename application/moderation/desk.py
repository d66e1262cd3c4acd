"""The moderators' desk: what waits, and one decision each, carried out at once.

The case's lock makes two moderators one after the other; the second is told. Blocked: it is hidden
and its owner has a strike. Approved: it is shown again, the strike is void.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec

from application.moderation.subjects import SUBJECTS
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.moderation import CaseRow, ModerationViews
from application.ports.storage import ObjectStorage
from application.ports.unit_of_work import UnitOfWork
from domain.identity.actor import Actor, Role
from domain.moderation.case import CaseState, ModerationCase, SubjectKind
from domain.moderation.judgement import Category
from domain.moderation.strikes import Strike, StrikeKind


class Ruling(StrEnum):
    APPROVE = "approve"
    BLOCK = "block"


class DecideCase(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`note` is shown to the owner."""

    decision: Ruling
    note: Annotated[str, msgspec.Meta(max_length=1000)] = ""


class CaseView(CaseRow, frozen=True, kw_only=True):
    """Of a picture or a film there are links, as long as it is there. Texts are not kept."""

    preview_url: str | None
    thumbnail_url: str | None


LOOK = timedelta(minutes=5)
"""How long a moderator's link lives."""


async def list_queue(
    *,
    state: CaseState | None,
    kind: SubjectKind | None,
    actor: Actor,
    before: UUID | None,
    limit: int,
    views: ModerationViews,
) -> list[CaseRow]:
    """What waits, or what is in another state, newest first. Raises RoleRequired."""
    actor.require(Role.ADMIN)
    return await views.queue(state=state, kind=kind, before=before, limit=limit)


async def read_case(
    case_id: UUID, *, actor: Actor, uow: UnitOfWork, storage: ObjectStorage
) -> CaseView:
    """What a moderator has to look at; that they did is kept, where it is a picture.

    Raises RoleRequired, NotFound."""
    actor.require(Role.ADMIN)
    async with uow:
        case = await uow.moderation_cases.get(case_id)
        shown = None
        if case.subject_kind is SubjectKind.ASSET:
            shown = next(iter(await uow.assets.many([case.subject_id])), None)
        if shown is not None:
            uow.audit.record("moderation_case.viewed", actor=actor, on=("moderation_case", case.id))
        await uow.commit()
    return CaseView(
        **msgspec.structs.asdict(row_of(case)),
        preview_url=await _link(shown.preview_key if shown else None, storage=storage),
        thumbnail_url=await _link(shown.thumbnail_key if shown else None, storage=storage),
    )


async def _link(key: str | None, *, storage: ObjectStorage) -> str | None:
    return None if key is None else await storage.signed_url(key, expires_in=LOOK)


async def decide_case(
    case_id: UUID,
    command: DecideCase,
    *,
    actor: Actor,
    uow: UnitOfWork,
    clock: Clock,
    ids: Ids,
) -> CaseRow:
    """Raises RoleRequired, NotFound, CaseDecided."""
    actor.require(Role.ADMIN)
    now, approved = clock.now(), command.decision is Ruling.APPROVE
    async with uow:
        case = await uow.moderation_cases.get(case_id, lock=True)
        before, was_hidden = case.state, case.hidden
        case.decide(approved=approved, note=command.note, by=actor.user_id, at=now)
        subject = SUBJECTS[case.subject_kind]
        if not approved:
            await subject.hide(case.subject_id, uow=uow, at=now)
        elif was_hidden:
            await subject.show(case.subject_id, uow=uow, at=now)
        await _strike(case, approved=approved, uow=uow, ids=ids, at=now)
        for report in await uow.reports.open_of(case.id):
            report.closed_at = now
        uow.audit.record(
            "moderation_case.decided",
            actor=actor,
            on=("moderation_case", case.id),
            before={"state": before},
            after={"state": case.state, "category": case.category},
        )
        await uow.commit()
    return row_of(case)


async def _strike(
    case: ModerationCase, *, approved: bool, uow: UnitOfWork, ids: Ids, at: datetime
) -> None:
    strike = await uow.strikes.of_case(case.id)
    if approved:
        if strike is not None:
            strike.voided_at = at
    elif strike is None:
        infringes = case.category is Category.INFRINGEMENT
        kind = StrikeKind.INFRINGEMENT if infringes else StrikeKind.BLOCK
        uow.strikes.add(
            Strike(id=ids.new(), user_id=case.owner_id, case_id=case.id, kind=kind, at=at)
        )


def row_of(case: ModerationCase) -> CaseRow:
    return msgspec.convert(case, CaseRow, from_attributes=True)
