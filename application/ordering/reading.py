"""What each party may read of an order: the buyer all, a seller and a creator their own lines."""

from datetime import datetime
from uuid import UUID

import msgspec

from application.identity.authority import StoreAct, stores_for
from application.ordering.deliveries import delivery_for
from application.ports.unit_of_work import UnitOfWork
from application.ports.views import (
    Delivery,
    OrderLineRecord,
    OrderRecord,
    OrderViews,
    RefundRecord,
    TransferRecord,
)
from domain.identity.actor import Actor
from domain.licensing.terms import ProductType
from domain.ordering.order import (
    DisputeState,
    FulfilmentState,
    OrderStatus,
    PaymentStatus,
    RefundState,
    refund_state_of,
    status_of,
)
from domain.ordering.refund import leg_reversals
from domain.ordering.split import LegKind, explain
from domain.shared.errors import NotFound


class LicenceReference(msgspec.Struct, frozen=True, kw_only=True):
    """The version of the terms under which the line was sold."""

    terms_id: UUID
    version: int
    hash: str


class OrderLineView(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    product_id: UUID
    store_id: UUID
    creator_id: UUID
    asset_id: UUID
    product_type: ProductType
    title: str
    unit_price_cents: int
    quantity: int
    discount_cents: int
    shipping_cents: int
    tax_cents: int
    total_cents: int
    refunded_cents: int
    refunded_quantity: int
    licence: LicenceReference


class OrderView(msgspec.Struct, frozen=True, kw_only=True):
    """`refunded_cents` has really gone back. `checkout_url` is there while it can be paid;
    `delivery` for the buyer and those who see to the orders of a store that ships some of it."""

    id: UUID
    status: OrderStatus
    payment_status: PaymentStatus
    fulfilment_status: FulfilmentState
    refund_status: RefundState
    dispute_status: DisputeState
    total_cents: int
    refunded_cents: int
    currency: str
    checkout_url: str | None
    created_at: datetime
    expires_at: datetime
    paid_at: datetime | None
    cancelled_at: datetime | None
    delivery: Delivery | None
    lines: list[OrderLineView]


class StatementLeg(msgspec.Struct, frozen=True, kw_only=True):
    """One party's part of a line, and why. `payee` is `creator:{id}`, `store:{id}` or
    `platform`; `amount_cents` is what was frozen at the sale, `returned_cents` what of it went
    back with refunds."""

    line_id: UUID
    kind: LegKind
    payee: str
    amount_cents: int
    returned_cents: int
    net_cents: int
    reason: str


class StatementFee(msgspec.Struct, frozen=True, kw_only=True):
    """A store's share of what the payment provider kept of the payment."""

    payee: str
    amount_cents: int
    reason: str


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """Where each cent went. `total_cents` is the sum of the legs shown.

    `processing_fees` are there where sellers bear them, for who bears; the sums are before them.
    """

    order_id: UUID
    currency: str
    payment_status: PaymentStatus
    legs: list[StatementLeg]
    total_cents: int
    returned_cents: int
    net_cents: int
    processing_fees: list[StatementFee]


async def show_order(
    order_id: UUID, *, actor: Actor, views: OrderViews, uow: UnitOfWork
) -> OrderView:
    """Raises NotFound, also for those who have no part in it."""
    order = await views.order(order_id)
    lines = await _visible_lines(order, actor, uow=uow)
    total = sum(line.total_cents for line in lines)
    returned = sum(line.returned_cents for line in lines)
    payable = order.payment_status is PaymentStatus.UNPAID and actor.user_id == (
        order.buyer_id or order.id
    )
    return OrderView(
        id=order.id,
        status=status_of(
            order.payment_status,
            order.fulfilment_status,
            cancelled=order.cancelled_at is not None,
        ),
        payment_status=order.payment_status,
        fulfilment_status=order.fulfilment_status,
        refund_status=refund_state_of(total_cents=total, returned_cents=returned),
        dispute_status=order.dispute_status,
        total_cents=total,
        refunded_cents=returned,
        currency=order.currency,
        checkout_url=order.checkout_url if payable else None,
        created_at=order.created_at,
        expires_at=order.expires_at,
        paid_at=order.paid_at,
        cancelled_at=order.cancelled_at,
        delivery=await delivery_for(order, actor=actor, views=views, uow=uow),
        lines=[_line_view(line) for line in lines],
    )


async def show_statement(
    order_id: UUID, *, actor: Actor, views: OrderViews, uow: UnitOfWork
) -> Statement:
    """Raises NotFound, also for those who have no part in the order."""
    order = await views.order(order_id)
    lines = await _visible_lines(order, actor, uow=uow)
    legs = [leg for line in lines for leg in _statement_legs(order, line)]
    total = sum(leg.amount_cents for leg in legs)
    returned = sum(leg.returned_cents for leg in legs)
    return Statement(
        order_id=order.id,
        currency=order.currency,
        payment_status=order.payment_status,
        legs=legs,
        total_cents=total,
        returned_cents=returned,
        net_cents=total - returned,
        processing_fees=await _fees(order, actor=actor, views=views, uow=uow),
    )


async def list_refunds(
    order_id: UUID, *, actor: Actor, views: OrderViews, uow: UnitOfWork
) -> list[RefundRecord]:
    """The refunds of an order, each with the lines that the actor may see."""
    order = await views.order(order_id)
    visible = {line.id for line in await _visible_lines(order, actor, uow=uow)}
    return [
        refund
        for refund in await views.refunds(order_id)
        if any(part.line_id in visible for part in refund.lines)
    ]


async def list_transfers(
    order_id: UUID, *, actor: Actor, views: OrderViews, uow: UnitOfWork
) -> list[TransferRecord]:
    """The transfers of an order to the payees whose money the actor may see."""
    order = await views.order(order_id)
    await _visible_lines(order, actor, uow=uow)
    async with uow:
        own = {store.id for store in await stores_for(StoreAct.MONEY, actor=actor, uow=uow)}
    own |= {line.creator_id for line in order.lines if line.creator_user_id == actor.user_id}
    return [
        transfer
        for transfer in await views.transfers(order_id)
        if actor.is_admin or transfer.payee_id in own
    ]


async def _fees(
    order: OrderRecord, *, actor: Actor, views: OrderViews, uow: UnitOfWork
) -> list[StatementFee]:
    shares = await views.fee_shares(order.id)
    if not shares:
        return []
    async with uow:
        own = {store.id for store in await stores_for(StoreAct.MONEY, actor=actor, uow=uow)}
    return [
        StatementFee(
            payee=f"store:{share.payee_id}",
            amount_cents=share.amount_cents,
            reason="its share of the payment provider's fee, by the stores' revenue",
        )
        for share in shares
        if actor.is_admin or share.payee_id in own
    ]


async def _visible_lines(
    order: OrderRecord, actor: Actor, *, uow: UnitOfWork
) -> list[OrderLineRecord]:
    """All for the buyer, or the guest whose token named the order; for others those of the stores
    they act for, or of their likeness."""
    if actor.is_admin or actor.user_id == (order.buyer_id or order.id):
        return list(order.lines)
    async with uow:
        own = {store.id for store in await stores_for(StoreAct.VIEW, actor=actor, uow=uow)}
    lines = [
        line
        for line in order.lines
        if line.store_id in own or line.creator_user_id == actor.user_id
    ]
    if not lines:
        raise NotFound("order", order.id)
    return lines


def _statement_legs(order: OrderRecord, line: OrderLineRecord) -> list[StatementLeg]:
    returned = leg_reversals(
        [leg.amount_cents for leg in line.legs],
        refunded_before_cents=0,
        refunded_after_cents=line.returned_cents + line.lost_cents,
    )
    return [
        StatementLeg(
            line_id=line.id,
            kind=leg.kind,
            payee=_payee(leg.payee_id, line),
            amount_cents=leg.amount_cents,
            returned_cents=back,
            net_cents=leg.amount_cents - back,
            reason=explain(leg.kind, leg.reason, order.currency),
        )
        for leg, back in zip(line.legs, returned, strict=True)
    ]


def _payee(payee_id: UUID | None, line: OrderLineRecord) -> str:
    if payee_id is None:
        return "platform"
    return f"store:{payee_id}" if payee_id == line.store_id else f"creator:{payee_id}"


def _line_view(line: OrderLineRecord) -> OrderLineView:
    return OrderLineView(
        id=line.id,
        product_id=line.product_id,
        store_id=line.store_id,
        creator_id=line.creator_id,
        asset_id=line.asset_id,
        product_type=line.product_type,
        title=line.title,
        unit_price_cents=line.unit_price_cents,
        quantity=line.quantity,
        discount_cents=line.discount_cents,
        shipping_cents=line.shipping_cents,
        tax_cents=line.tax_cents,
        total_cents=line.total_cents,
        refunded_cents=line.returned_cents,
        refunded_quantity=line.refunded_quantity,
        licence=LicenceReference(
            terms_id=line.terms_id, version=line.terms_version, hash=line.terms_hash
        ),
    )
