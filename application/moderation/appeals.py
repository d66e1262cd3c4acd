"""What was decided about one's own things, and the one appeal against it."""

from typing import Annotated
from uuid import UUID

import msgspec

from application.moderation.desk import row_of
from application.ports.clock import Clock
from application.ports.moderation import CaseRow, ModerationViews
from application.ports.unit_of_work import UnitOfWork
from domain.identity.actor import Actor
from domain.moderation.case import CaseState, Origin, SubjectKind
from domain.moderation.judgement import Category
from domain.shared.errors import NotFound


class Appeal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    text: Annotated[
        str, msgspec.Meta(min_length=1, max_length=2000, examples=["It is the name of a town."])
    ]


class OwnCase(msgspec.Struct, frozen=True, kw_only=True):
    """A case as its owner sees it. `excerpt` is the line in question, blacked out."""

    id: UUID
    subject_kind: SubjectKind
    subject_id: UUID
    origin: Origin
    category: Category
    hidden: bool
    appealable: bool
    excerpt: str
    state: CaseState
    note: str
    appeal: str


async def appeal_case(
    case_id: UUID, command: Appeal, *, actor: Actor, uow: UnitOfWork, clock: Clock
) -> OwnCase:
    """Raises NotFound for anybody but the owner, AlreadyAppealed, NotAppealable."""
    async with uow:
        case = await uow.moderation_cases.get(case_id, lock=True)
        if case.owner_id != actor.user_id:
            raise NotFound("moderation case", case_id)
        case.appeal_with(command.text, at=clock.now())
        uow.audit.record("moderation_case.appealed", actor=actor, on=("moderation_case", case.id))
        await uow.commit()
    return own_case(row_of(case))


async def list_own_cases(
    *, actor: Actor, before: UUID | None, limit: int, views: ModerationViews
) -> list[OwnCase]:
    """Newest first."""
    return [
        own_case(row) for row in await views.of_owner(actor.user_id, before=before, limit=limit)
    ]


def own_case(row: CaseRow) -> OwnCase:
    """Who has reported it, and how many, is not told."""
    unanswered = row.state is CaseState.BLOCKED and row.appealed_at is None
    return OwnCase(
        id=row.id,
        subject_kind=row.subject_kind,
        subject_id=row.subject_id,
        origin=row.origin,
        category=row.category,
        hidden=row.hidden,
        appealable=unanswered and not row.hard,
        excerpt=row.excerpt,
        state=row.state,
        note=row.note,
        appeal=row.appeal,
    )
