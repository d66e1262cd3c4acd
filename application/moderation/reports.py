"""Anybody may report what everybody can see. Enough people with accounts hide it at once; a
moderator looks at it in any case.

Reports of one thing gather in one case, under its lock. A person reports it once as long as nobody
has decided; guests are told apart by their address, of which a hash is kept until then.
"""

from typing import Annotated
from uuid import UUID

import msgspec

from application.moderation.subjects import SUBJECTS
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.repository import AlreadyExists, StaleVersion
from application.ports.unit_of_work import UnitOfWork
from domain.identity.actor import Actor
from domain.moderation.case import (
    ModerationCase,
    Origin,
    Report,
    ReportReason,
    SubjectKind,
    hides,
)
from domain.moderation.judgement import Category
from domain.moderation.record import digest
from domain.shared.errors import NotFound

_TRIES = 5


class FileReport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is wrong with what; `text` says more to the moderators."""

    subject_kind: SubjectKind
    subject_id: UUID
    reason: ReportReason
    text: Annotated[str, msgspec.Meta(max_length=2000)] = ""


class ReportReceipt(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID


async def file_report(
    command: FileReport,
    *,
    actor: Actor | None,
    address: str | None,
    uow: UnitOfWork,
    clock: Clock,
    ids: Ids,
) -> ReportReceipt:
    """Raises NotFound for what the reporter cannot see, AlreadyReported."""
    for attempt in range(_TRIES):
        try:
            return await _file(command, actor=actor, address=address, uow=uow, clock=clock, ids=ids)
        except (AlreadyExists, StaleVersion):  # somebody reported it first: join their case
            if attempt == _TRIES - 1:
                raise
    raise AssertionError


async def _file(
    command: FileReport,
    *,
    actor: Actor | None,
    address: str | None,
    uow: UnitOfWork,
    clock: Clock,
    ids: Ids,
) -> ReportReceipt:
    now, kind, subject_id = clock.now(), command.subject_kind, command.subject_id
    if kind not in SUBJECTS:
        raise NotFound(kind, subject_id)
    subject = SUBJECTS[kind]
    async with uow:
        standing = await subject.standing(subject_id, uow=uow)
        case = await uow.moderation_cases.waiting_for(kind, subject_id)
        if not standing.public and not (case is not None and case.hidden):
            raise NotFound(kind, subject_id)
        if case is None:
            case = ModerationCase(
                id=ids.new(),
                subject_kind=kind,
                subject_id=subject_id,
                owner_id=standing.owner_id,
                origin=Origin.REPORT,
                category=Category(command.reason.value),
                opened_at=now,
            )
            uow.moderation_cases.add(case)
        earlier = await uow.reports.open_of(case.id)
        report = Report(
            id=ids.new(),
            case_id=case.id,
            subject_kind=kind,
            subject_id=subject_id,
            reporter=_reporter(actor, address),
            reporter_id=actor.user_id if actor else None,
            reason=command.reason,
            text=command.text,
            created_at=now,
        )
        uow.reports.add(report)
        case.reports += 1
        accounts = {each.reporter_id for each in (*earlier, report)} - {None}
        if not case.hidden and hides(
            command.reason, by_account=actor is not None, accounts=len(accounts)
        ):
            case.hidden = True
            await subject.hide(subject_id, uow=uow, at=now)
            uow.audit.record(
                "moderation_case.hidden",
                actor="reports",
                on=("moderation_case", case.id),
                after={"reports": case.reports, "category": case.category},
            )
        await uow.commit()
    return ReportReceipt(id=report.id)


def _reporter(actor: Actor | None, address: str | None) -> str:
    if actor is not None:
        return f"user:{actor.user_id}"
    return f"guest:{digest(address or 'unknown')[:32]}"
