"""What a creator gives and takes back beside the terms: grants, approvals, revocations."""

from typing import Annotated
from uuid import UUID

from litestar import Router, get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from application.licensing import approvals, grants, sublicences
from application.licensing.approvals import AnswerApproval, ApprovalView, RejectApproval
from application.licensing.grants import GiveGrant, GrantView, InsufficientBalance, NoGuarantee
from application.licensing.standing import NoLicence
from application.licensing.sublicences import HandOn
from application.ordering import revocations
from application.ordering.revocations import RevocationView, Revoke
from domain.licensing.approval import ApprovalAnswered, ApprovalState
from domain.licensing.grant import GrantEnded, GrantInvalid, GrantOverlaps
from domain.licensing.revocation import AlreadyRevoked, NotRevocable
from domain.licensing.subset import SublicenceTooWide
from domain.shared.errors import NotFound
from entrypoints.http.dependencies import CurrentActor
from entrypoints.http.envelope import Data, Page
from entrypoints.http.errors import errors
from entrypoints.http.idempotency import idempotent
from entrypoints.http.paging import PageCursor, PageLimit, page_of, read_cursor
from entrypoints.http.parameters import TheClock, TheIds, TheUnitOfWork

StateFilter = Annotated[
    ApprovalState | None, QueryParameter(description="Only those that are in this state now.")
]


@post(
    "/{creator_id:uuid}/grants",
    responses=errors(NotFound, NoLicence, GrantInvalid, GrantOverlaps),
)
async def give_grant(
    creator_id: FromPath[UUID],
    data: JSONBody[GiveGrant],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
    ids: TheIds,
) -> Data[GrantView]:
    """Let a store sell: beside others, alone beside the creator (sole), or alone (exclusive)."""
    return Data(
        await grants.give_grant(creator_id, data, actor=actor, uow=uow, clock=clock, ids=ids)
    )


@get("/{creator_id:uuid}/grants", responses=errors(NotFound))
async def list_grants(
    creator_id: FromPath[UUID],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    limit: PageLimit = 20,
    cursor: PageCursor = None,
) -> Page[GrantView]:
    """The grants of the caller's likeness, with what was handed on from them, newest first."""
    found = await grants.list_grants_of_creator(
        creator_id, actor=actor, uow=uow, before=read_cursor(cursor, UUID), limit=limit + 1
    )
    return page_of(found, limit=limit, key=lambda grant: grant.id)


@get("/{store_id:uuid}/grants", responses=errors(NotFound))
async def list_store_grants(
    store_id: FromPath[UUID],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    limit: PageLimit = 20,
    cursor: PageCursor = None,
) -> Page[GrantView]:
    """What creators and other stores have granted to the store, newest first."""
    found = await grants.list_grants_of_store(
        store_id, actor=actor, uow=uow, before=read_cursor(cursor, UUID), limit=limit + 1
    )
    return page_of(found, limit=limit, key=lambda grant: grant.id)


@get("/{grant_id:uuid}", responses=errors(NotFound))
async def read_grant(
    grant_id: FromPath[UUID], actor: CurrentActor, uow: TheUnitOfWork
) -> Data[GrantView]:
    """A grant, for who gave it and who holds it."""
    return Data(await grants.show_grant(grant_id, actor=actor, uow=uow))


@post("/{grant_id:uuid}/end", status_code=200, responses=errors(NotFound, GrantEnded))
async def end_grant(
    grant_id: FromPath[UUID], actor: CurrentActor, uow: TheUnitOfWork, clock: TheClock
) -> Data[GrantView]:
    """End a grant, and what was handed on from it, now. Orders that are placed go on."""
    return Data(await grants.end_grant(grant_id, actor=actor, uow=uow, clock=clock))


@post(
    "/{grant_id:uuid}/guarantee",
    status_code=200,
    opt=idempotent(),
    responses=errors(NotFound, GrantEnded, NoGuarantee, InsufficientBalance),
)
async def pay_guarantee(
    grant_id: FromPath[UUID], actor: CurrentActor, uow: TheUnitOfWork, clock: TheClock
) -> Data[GrantView]:
    """Pay the guarantee out of what the store has available; later royalties recoup it."""
    return Data(await grants.pay_guarantee(grant_id, actor=actor, uow=uow, clock=clock))


@post(
    "/{grant_id:uuid}/sublicences",
    responses=errors(NotFound, GrantEnded, GrantInvalid, SublicenceTooWide),
)
async def hand_on(
    grant_id: FromPath[UUID],
    data: JSONBody[HandOn],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
    ids: TheIds,
) -> Data[GrantView]:
    """Hand on a part of a grant to another store, under terms that are no wider in any field."""
    return Data(
        await sublicences.hand_on(grant_id, data, actor=actor, uow=uow, clock=clock, ids=ids)
    )


@get("/{creator_id:uuid}/approvals", responses=errors(NotFound))
async def list_approvals(
    creator_id: FromPath[UUID],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
    status: StateFilter = None,
    limit: PageLimit = 20,
    cursor: PageCursor = None,
) -> Page[ApprovalView]:
    """What the creator is and was asked to approve, newest first."""
    found = await approvals.list_of_creator(
        creator_id,
        state=status,
        actor=actor,
        uow=uow,
        clock=clock,
        before=read_cursor(cursor, UUID),
        limit=limit + 1,
    )
    return page_of(found, limit=limit, key=lambda approval: approval.id)


@get("/")
async def list_own_approvals(
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
    limit: PageLimit = 20,
    cursor: PageCursor = None,
) -> Page[ApprovalView]:
    """What the caller has asked creators to approve, newest first."""
    found = await approvals.list_own(
        actor=actor, uow=uow, clock=clock, before=read_cursor(cursor, UUID), limit=limit + 1
    )
    return page_of(found, limit=limit, key=lambda approval: approval.id)


@post("/{approval_id:uuid}/approve", status_code=200, responses=errors(NotFound, ApprovalAnswered))
async def approve(
    approval_id: FromPath[UUID],
    data: JSONBody[AnswerApproval],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
) -> Data[ApprovalView]:
    """Say yes: who asked may do it now."""
    return Data(
        await approvals.answer_approval(
            approval_id, approved=True, reason=data.reason, actor=actor, uow=uow, clock=clock
        )
    )


@post("/{approval_id:uuid}/reject", status_code=200, responses=errors(NotFound, ApprovalAnswered))
async def reject(
    approval_id: FromPath[UUID],
    data: JSONBody[RejectApproval],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
) -> Data[ApprovalView]:
    """Say no, and why. It stands until other terms are published."""
    return Data(
        await approvals.answer_approval(
            approval_id, approved=False, reason=data.reason, actor=actor, uow=uow, clock=clock
        )
    )


@post(
    "/{creator_id:uuid}/revocations",
    responses=errors(NotFound, NoLicence, NotRevocable, AlreadyRevoked),
)
async def revoke(
    creator_id: FromPath[UUID],
    data: JSONBody[Revoke],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
    ids: TheIds,
) -> Data[RevocationView]:
    """End the licence in force, as its terms allow. What follows is carried out step by step."""
    return Data(
        await revocations.revoke(creator_id, data, actor=actor, uow=uow, clock=clock, ids=ids)
    )


@get("/{creator_id:uuid}/revocations", responses=errors(NotFound))
async def list_revocations(
    creator_id: FromPath[UUID], actor: CurrentActor, uow: TheUnitOfWork
) -> Data[list[RevocationView]]:
    """The revocations of the caller's licences, with how far each has been carried out."""
    return Data(await revocations.list_revocations(creator_id, actor=actor, uow=uow))


ROUTER = Router(
    "/api/v1/creators",
    route_handlers=[give_grant, list_grants, list_approvals, revoke, list_revocations],
    tags=["Licensing"],
)
GRANTS_ROUTER = Router(
    "/api/v1/grants",
    route_handlers=[read_grant, end_grant, pay_guarantee, hand_on],
    tags=["Licensing"],
)
STORES_ROUTER = Router("/api/v1/stores", route_handlers=[list_store_grants], tags=["Licensing"])
APPROVALS_ROUTER = Router(
    "/api/v1/approvals", route_handlers=[list_own_approvals, approve, reject], tags=["Licensing"]
)
