"""Uses that need the creator's own word: asked once, answered or not in time, good afterwards.

Who would list or generate is told `approval_needed` with the id of the request, and does the same
again when it has been approved. No answer by the deadline is a no; another try asks anew, while a
rejection stands until the terms change.
"""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

import msgspec

from application.creators.profile import own_creator
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.unit_of_work import UnitOfWork
from domain.identity.actor import Actor
from domain.licensing.approval import ApprovalNeeded, ApprovalRequest, ApprovalState
from domain.licensing.decision import Decision
from domain.licensing.use import Action, Use
from domain.licensing.version import TermsVersion
from domain.shared.errors import NotFound


class AnswerApproval(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    reason: Annotated[str, msgspec.Meta(max_length=500)] = ""


class RejectApproval(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class ApprovalView(msgspec.Struct, frozen=True, kw_only=True):
    """`texts` are what the answer is about, by field."""

    id: UUID
    creator_id: UUID
    action: Action
    store_id: UUID | None
    product_id: UUID | None
    state: ApprovalState
    reason: str
    texts: dict[str, str]
    terms_version: int
    created_at: datetime
    deadline: datetime
    answered_at: datetime | None


async def ask_creator(
    subject: str,
    use: Use,
    decision: Decision,
    *,
    version: TermsVersion,
    actor: Actor,
    uow: UnitOfWork,
    ids: Ids,
    store_id: UUID | None = None,
    product_id: UUID | None = None,
    once: bool = False,
) -> ApprovalNeeded:
    """Commit the request, or find the one that is open; answers the error to raise."""
    found = (await uow.approvals.latest([(version.creator_id, subject)])).get(
        (version.creator_id, subject)
    )
    if found is None or found.state_at(use.at) is not ApprovalState.PENDING:
        await uow.approvals.expire(now=use.at, limit=1000)
        found = ApprovalRequest(
            id=ids.new(),
            creator_id=version.creator_id,
            requester_id=actor.user_id,
            subject=subject,
            store_id=store_id,
            product_id=product_id,
            once=once,
            use=use,
            decision=decision,
            terms_id=version.id,
            terms_version=version.version,
            created_at=use.at,
            deadline=use.at + timedelta(hours=version.terms.approval_hours),
        )
        uow.approvals.add(found)
    await uow.commit()
    return ApprovalNeeded(
        "The creator has been asked to approve this: try again when they have.",
        fields={"approval_id": [str(found.id)], "deadline": [found.deadline.isoformat()]},
        reasons=decision.reasons,
    )


async def answer_approval(
    approval_id: UUID,
    *,
    approved: bool,
    reason: str,
    actor: Actor,
    uow: UnitOfWork,
    clock: Clock,
) -> ApprovalView:
    """The creator's word. Raises NotFound, ApprovalAnswered."""
    now = clock.now()
    async with uow:
        request = await uow.approvals.get(approval_id, lock=True)
        try:
            await own_creator(request.creator_id, actor=actor, uow=uow)
        except NotFound:
            raise NotFound("approval", approval_id) from None
        request.answer(approved=approved, reason=reason, by=actor.user_id, at=now)
        uow.audit.record(
            "approval.answered",
            actor=actor,
            on=("approval", request.id),
            after={"state": request.state},
        )
        await uow.commit()
    return view_of(request, now)


async def list_of_creator(
    creator_id: UUID,
    *,
    state: ApprovalState | None,
    actor: Actor,
    uow: UnitOfWork,
    clock: Clock,
    before: UUID | None,
    limit: int,
) -> list[ApprovalView]:
    """What the creator is and was asked, newest first. Raises NotFound."""
    now = clock.now()
    async with uow:
        creator = await own_creator(creator_id, actor=actor, uow=uow)
        found = await uow.approvals.of_creator(
            creator.id, state=state, now=now, before=before, limit=limit
        )
    return [view_of(request, now) for request in found]


async def list_own(
    *, actor: Actor, uow: UnitOfWork, clock: Clock, before: UUID | None, limit: int
) -> list[ApprovalView]:
    """What the actor has asked creators for, newest first."""
    now = clock.now()
    async with uow:
        found = await uow.approvals.of_requester(actor.user_id, before=before, limit=limit)
    return [view_of(request, now) for request in found]


async def expire_approvals(*, uow: UnitOfWork, clock: Clock, limit: int = 500) -> int:
    """End the requests that nobody answered in time; answers how many."""
    async with uow:
        ended = await uow.approvals.expire(now=clock.now(), limit=limit)
        await uow.commit()
    return ended


def view_of(request: ApprovalRequest, now: datetime) -> ApprovalView:
    return ApprovalView(
        id=request.id,
        creator_id=request.creator_id,
        action=request.use.action,
        store_id=request.store_id,
        product_id=request.product_id,
        state=request.state_at(now),
        reason=request.reason,
        texts=dict(request.use.texts),
        terms_version=request.terms_version,
        created_at=request.created_at,
        deadline=request.deadline,
        answered_at=request.answered_at,
    )
