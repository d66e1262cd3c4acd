"""Uses that need creators' own words: asked once, answered or not in time, good afterwards.

Who would list or generate is told `approval_needed` with the id of the request, and does the same
again when it has been approved, by everybody whom the likeness shows and who wants to be asked.
No answer by the deadline is a no; another try asks anew, while a
rejection stands until the terms change.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

import msgspec

from application.creators.profile import own_creator
from application.licensing.questions import Question
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.unit_of_work import UnitOfWork
from domain.identity.actor import Actor
from domain.licensing.approval import ApprovalNeeded, ApprovalRequest, ApprovalState
from domain.licensing.decision import Decision
from domain.licensing.use import Action, Use
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


async def ask_creators(
    questions: Sequence[Question],
    use: Use,
    decision: Decision,
    *,
    actor: Actor,
    uow: UnitOfWork,
    ids: Ids,
    store_id: UUID | None = None,
    product_id: UUID | None = None,
) -> ApprovalNeeded:
    """Commit a request for each question, or find the one that is open; answers the error to raise.

    `questions` are those whose word is missing. All are asked at once, so that nobody waits for
    another; each has until their own deadline.
    """
    answers = await uow.approvals.latest([question.key for question in questions])
    open_requests = [
        found for found in answers.values() if found.state_at(use.at) is ApprovalState.PENDING
    ]
    asked = {(request.creator_id, request.subject): request for request in open_requests}
    if len(asked) < len(questions):
        await uow.approvals.expire(now=use.at, limit=1000)
    for question in questions:
        if question.key in asked:
            continue
        request = ApprovalRequest(
            id=ids.new(),
            creator_id=question.version.creator_id,
            requester_id=actor.user_id,
            subject=question.subject,
            store_id=store_id,
            product_id=product_id,
            once=question.once,
            use=use,
            decision=decision,
            terms_id=question.version.id,
            terms_version=question.version.version,
            created_at=use.at,
            deadline=use.at + timedelta(hours=question.version.terms.approval_hours),
        )
        uow.approvals.add(request)
        asked[question.key] = request
    await uow.commit()
    requests = [asked[question.key] for question in questions]
    who = "The creator has" if len(requests) == 1 else "The creators have"
    return ApprovalNeeded(
        f"{who} been asked to approve this: try again when they have.",
        fields={
            "approval_id": [str(request.id) for request in requests],
            "deadline": [request.deadline.isoformat() for request in requests],
        },
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
