"""Short ways to the doors of grants, approvals and revocations, over dicts."""

from uuid import UUID

from application.licensing import approvals, grants, sublicences
from application.licensing.approvals import ApprovalView
from application.licensing.grants import GiveGrant, GrantView
from application.licensing.sublicences import HandOn
from application.ordering import revocations
from application.ordering.revocations import RevocationView, Revoke
from domain.identity.actor import Actor
from domain.licensing.revocation import RevocationCause
from tests.application.trade import Trade, creator_of, owner_of
from tests.builders import Market, store_of, user


async def second_store(trade: Trade, shop: Market) -> UUID:
    """Another store, of somebody else."""
    owner = user()
    store = store_of(owner)
    async with trade.uow() as uow:
        uow.users.add(owner)
        uow.stores.add(store)
        await uow.commit()
    return store.id


async def give(trade: Trade, shop: Market, **wish: object) -> GrantView:
    command = GiveGrant(**{"store_id": shop.store.id, **wish})  # type: ignore[arg-type]
    return await grants.give_grant(
        shop.creator.id,
        command,
        actor=creator_of(shop),
        uow=trade.uow(),
        clock=trade.clock,
        ids=trade.ids,
    )


async def end(trade: Trade, grant_id: UUID, *, who: Actor) -> GrantView:
    return await grants.end_grant(grant_id, actor=who, uow=trade.uow(), clock=trade.clock)


async def pay(trade: Trade, grant_id: UUID, *, who: Actor) -> GrantView:
    return await grants.pay_guarantee(grant_id, actor=who, uow=trade.uow(), clock=trade.clock)


async def freeze(trade: Trade, grant_id: UUID) -> None:
    await grants.freeze_listings(grant_id, uow=trade.uow(), clock=trade.clock)


async def answer(
    trade: Trade, shop: Market, approval_id: UUID, *, approved: bool = True
) -> ApprovalView:
    return await approvals.answer_approval(
        approval_id,
        approved=approved,
        reason="Because.",
        actor=creator_of(shop),
        uow=trade.uow(),
        clock=trade.clock,
    )


async def revoke(trade: Trade, shop: Market, cause: RevocationCause) -> RevocationView:
    return await revocations.revoke(
        shop.creator.id,
        Revoke(cause=cause),
        actor=creator_of(shop),
        uow=trade.uow(),
        clock=trade.clock,
        ids=trade.ids,
    )


async def carry_out(trade: Trade, revocation_id: UUID) -> None:
    """All of it, as the worker would; each step twice, for messages may come twice."""
    for _ in range(8):
        await revocations.carry_out_revocation(
            revocation_id, uow=trade.uow(), clock=trade.clock, ids=trade.ids
        )


async def hand_on(
    trade: Trade, shop: Market, grant_id: UUID, store_id: UUID, **wish: object
) -> GrantView:
    return await sublicences.hand_on(
        grant_id,
        HandOn(**{"store_id": store_id, **wish}),  # type: ignore[arg-type]
        actor=owner_of(shop),
        uow=trade.uow(),
        clock=trade.clock,
        ids=trade.ids,
    )
