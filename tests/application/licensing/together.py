"""Creators who are shown together, and what each of them says."""

from collections.abc import Callable
from uuid import UUID

from application.licensing import approvals
from application.licensing.approvals import ApprovalView
from application.ports.clock import Clock
from application.ports.unit_of_work import UnitOfWork
from domain.licensing.approval import ApprovalNeeded
from domain.licensing.conditions import Collaborator
from tests.application.trade import creator_of
from tests.builders import Market, terms, terms_version_of

NewUnitOfWork = Callable[[], UnitOfWork]


async def name_together(
    new_uow: NewUnitOfWork, lead: Market, *partners: Market, **conditions: object
) -> None:
    """The lead's next terms name the partners as its collaborators, with equal parts."""
    every = (lead, *partners)
    each = 10_000 // len(every)
    bps = (10_000 - each * len(partners), *(each for _ in partners))
    parties = tuple(
        Collaborator(market.creator.id, part) for market, part in zip(every, bps, strict=True)
    )
    async with new_uow() as uow:
        creator = await uow.creators.get(lead.creator.id)
        version = terms_version_of(creator, terms(collaborators=parties, **conditions), version=2)
        uow.terms.add(version)
        creator.terms_id = version.id
        await uow.commit()
    lead.terms = version


def asked_in(needed: ApprovalNeeded) -> list[UUID]:
    fields: dict[str, list[str]] = needed.facts["fields"]  # type: ignore[assignment]
    assert len(fields["approval_id"]) == len(fields["deadline"])
    return [UUID(each) for each in fields["approval_id"]]


async def waiting_of(market: Market, new_uow: NewUnitOfWork, clock: Clock) -> list[ApprovalView]:
    """What this creator is asked, newest first."""
    return await approvals.list_of_creator(
        market.creator.id,
        state=None,
        actor=creator_of(market),
        uow=new_uow(),
        clock=clock,
        before=None,
        limit=50,
    )


async def say(
    market: Market,
    approval_id: UUID,
    new_uow: NewUnitOfWork,
    clock: Clock,
    *,
    approved: bool = True,
) -> None:
    await approvals.answer_approval(
        approval_id,
        approved=approved,
        reason="Because.",
        actor=creator_of(market),
        uow=new_uow(),
        clock=clock,
    )
