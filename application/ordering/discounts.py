"""Give discounts: a store on its own lines, the platform out of its own fee."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from application.catalogue.gates import Proposal, ask_gates, decided_on, load_offers
from application.identity.authority import StoreAct, store_for
from application.licensing.decisions import Decided, record_decisions
from application.moderation.judging import Moderation
from application.moderation.words import require_publishable
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.unit_of_work import UnitOfWork
from domain.catalogue.product import Product
from domain.identity.actor import Actor, Role
from domain.licensing.decision import Reason
from domain.licensing.record import DecisionPoint
from domain.licensing.use import Action
from domain.ordering.discount import (
    Discount,
    DiscountInvalid,
    DiscountKind,
    DiscountScope,
    discount_code,
)
from domain.ordering.fees import FeeSchedule
from domain.shared.errors import NotFound, RuleRefused
from domain.shared.money import Currency, currency

Title = Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
Value = Annotated[int, msgspec.Meta(ge=1, le=99_999_999)]
Limit = Annotated[int, msgspec.Meta(ge=1, le=1_000_000_000)]


class CreateDiscount(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Without `store_id` the platform gives it. Without `code` it applies by itself. `value` is
    basis points of a percentage, or minor units of `currency`: off each piece of a line, or once
    off the cart. Without `product_ids` it covers every line."""

    title: Title
    kind: DiscountKind
    value: Value
    scope: DiscountScope = DiscountScope.LINE
    store_id: UUID | None = None
    code: Annotated[str, msgspec.Meta(max_length=40, examples=["SPRING-26"])] | None = None
    currency: Annotated[str, msgspec.Meta(pattern="^[a-zA-Z]{3}$")] | None = None
    product_ids: Annotated[list[UUID], msgspec.Meta(max_length=100)] = []
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    usage_limit: Limit | None = None
    per_customer_limit: Limit | None = None


class UpdateDiscount(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is left out stays as it is; null takes an end or a limit away. What it takes off is not
    changed: end it and give another."""

    title: Title | None = None
    active: bool | None = None
    ends_at: datetime | msgspec.UnsetType | None = msgspec.UNSET
    usage_limit: Limit | msgspec.UnsetType | None = msgspec.UNSET
    per_customer_limit: Limit | msgspec.UnsetType | None = msgspec.UNSET


class DiscountView(msgspec.Struct, frozen=True, kw_only=True):
    """`used` counts the orders, paid or still to be paid, that hold a use of a limited discount."""

    id: UUID
    store_id: UUID | None
    code: str | None
    title: str
    kind: DiscountKind
    value: int
    scope: DiscountScope
    currency: str | None
    product_ids: list[UUID]
    starts_at: datetime
    ends_at: datetime | None
    usage_limit: int | None
    per_customer_limit: int | None
    used: int
    active: bool
    created_at: datetime


class DiscountTooDeep(RuleRefused):
    """A licence of a named product does not allow the price that the discount would leave."""

    code = "discount_refused"

    def __init__(self, reasons: list[Reason]) -> None:
        super().__init__(
            "It cannot be given: " + " ".join(reason.message for reason in reasons),
            reasons=tuple(reasons),
        )


_OF_PRICE = {"discount_too_deep", "below_minimum_price"}


async def create_discount(
    command: CreateDiscount,
    *,
    actor: Actor,
    uow: UnitOfWork,
    clock: Clock,
    ids: Ids,
    fees: FeeSchedule,
    moderation: Moderation,
) -> DiscountView:
    """Raises TextRefused, NotFound, NotAllowed, DiscountInvalid, CodeTaken, DiscountTooDeep."""
    now = clock.now()
    await require_publishable(command, "discount", actor=actor, uow=uow, moderation=moderation)
    async with uow:
        await _may_give(command.store_id, StoreAct.EDIT, actor=actor, uow=uow)
        discount = Discount(
            id=ids.new(),
            store_id=command.store_id,
            code=discount_code(command.code) if command.code is not None else None,
            title=command.title,
            scope=command.scope,
            kind=command.kind,
            value=command.value,
            currency=_currency(command.currency),
            product_ids=tuple(dict.fromkeys(command.product_ids)),
            starts_at=_aware(command.starts_at, "starts_at") or now,
            ends_at=_aware(command.ends_at, "ends_at"),
            usage_limit=command.usage_limit,
            per_customer_limit=command.per_customer_limit,
            created_at=now,
        )
        discount.check()
        named = await _named_products(discount, uow=uow)
        asked = await _check_licences(discount, named, at=now, uow=uow, fees=fees)
        record_decisions(asked, actor=actor, uow=uow, ids=ids, at=now)
        uow.discounts.add(discount)
        uow.audit.record(
            "discount.given", actor=actor, on=("discount", discount.id), after=_facts(discount)
        )
        await uow.commit()
    return _view(discount)


async def update_discount(
    discount_id: UUID,
    command: UpdateDiscount,
    *,
    actor: Actor,
    uow: UnitOfWork,
    moderation: Moderation,
) -> DiscountView:
    """Raises TextRefused, NotFound, NotAllowed, DiscountInvalid, DiscountUsedUp for a limit below
    what is used.

    What is placed already keeps its price.
    """
    await require_publishable(command, "discount", actor=actor, uow=uow, moderation=moderation)
    async with uow:
        discount = await _own(discount_id, actor=actor, uow=uow)
        before = _facts(discount)
        if command.title is not None:
            discount.title = command.title
        if command.active is not None:
            discount.active = command.active
        if command.ends_at is not msgspec.UNSET:
            discount.ends_at = _aware(command.ends_at, "ends_at")
        if command.usage_limit is not msgspec.UNSET:
            discount.usage_limit = command.usage_limit
        if command.per_customer_limit is not msgspec.UNSET:
            discount.per_customer_limit = command.per_customer_limit
        discount.check()
        discount.used = await uow.discounts.recount(discount.id) if discount.is_limited else 0
        uow.audit.record(
            "discount.changed",
            actor=actor,
            on=("discount", discount.id),
            before=before,
            after=_facts(discount),
        )
        await uow.commit()
    return _view(discount)


async def end_discount(discount_id: UUID, *, actor: Actor, uow: UnitOfWork) -> None:
    """It is gone from every list and applies no more; its code may be given again."""
    async with uow:
        discount = await _own(discount_id, actor=actor, uow=uow)
        discount.archived = True
        uow.audit.record(
            "discount.ended", actor=actor, on=("discount", discount.id), before=_facts(discount)
        )
        await uow.commit()


async def list_discounts(
    store_id: UUID | None, *, actor: Actor, uow: UnitOfWork, before: UUID | None, limit: int
) -> list[DiscountView]:
    """A store's, or the platform's for its administrators; newest first."""
    async with uow:
        await _may_give(store_id, StoreAct.VIEW, actor=actor, uow=uow)
        found = await uow.discounts.of_store(store_id, before=before, limit=limit)
        return [_view(discount) for discount in found]


async def _may_give(store_id: UUID | None, act: StoreAct, *, actor: Actor, uow: UnitOfWork) -> None:
    if store_id is None:
        actor.require(Role.ADMIN)
    else:
        await store_for(store_id, act, actor=actor, uow=uow)


async def _own(discount_id: UUID, *, actor: Actor, uow: UnitOfWork) -> Discount:
    """Locked. What another store, or the platform, gives is not there."""
    discount = await uow.discounts.get(discount_id, lock=True)
    if discount.archived or (discount.store_id is None and not actor.is_admin):
        raise NotFound("discount", discount_id)
    try:
        await _may_give(discount.store_id, StoreAct.EDIT, actor=actor, uow=uow)
    except NotFound:
        raise NotFound("discount", discount_id) from None
    return discount


async def _named_products(discount: Discount, *, uow: UnitOfWork) -> list[Product]:
    """The products it names: of its own store, where it is a store's. Raises NotFound."""
    found = {p.id: p for p in await uow.products.many(discount.product_ids)}
    for product_id in discount.product_ids:
        product = found.get(product_id)
        if product is None or discount.store_id not in (None, product.store_id):
            raise NotFound("product", product_id)
    return list(found.values())


async def _check_licences(
    discount: Discount, named: list[Product], *, at: datetime, uow: UnitOfWork, fees: FeeSchedule
) -> list[Decided]:
    """What it takes off a cart, or off lines not named, is known at checkout only."""
    if discount.store_id is None or (
        discount.scope is DiscountScope.CART and discount.kind is DiscountKind.AMOUNT
    ):
        return []
    refused: list[Reason] = []
    asked: list[Decided] = []
    for offer in (await load_offers(named, uow=uow, at=at)).values():
        product = offer.product
        if discount.currency not in (None, product.currency):
            continue
        off = discount.worth_cents(product.price_cents, quantity=1, currency=product.currency)
        proposal = Proposal(action=Action.LIST, at=at, unit_price_cents=product.price_cents - off)
        verdict = ask_gates(offer, proposal, fees=fees)
        refused += [r for r in verdict.decision.reasons if r.code in _OF_PRICE]
        if verdict.use is not None:
            asked.append(
                decided_on(
                    verdict,
                    DecisionPoint.DISCOUNT,
                    subject_id=product.id,
                    terms=offer.standing.terms_in_force(),
                )
            )
    if refused:
        raise DiscountTooDeep(refused)
    return asked


def _facts(discount: Discount) -> dict[str, object]:
    """What the audit log keeps of it."""
    return {name: getattr(discount, name) for name in _AUDITED}


_AUDITED = (
    *("store_id", "code", "scope", "kind", "value", "currency", "product_ids", "starts_at"),
    *("ends_at", "usage_limit", "per_customer_limit", "active"),
)


def _currency(code: str | None) -> Currency | None:
    if code is None:
        return None
    try:
        return currency(code)
    except ValueError as error:
        raise DiscountInvalid(str(error), fields={"currency": [str(error)]}) from error


def _aware(moment: datetime | None, field: str) -> datetime | None:
    if moment is not None and moment.tzinfo is None:
        raise DiscountInvalid("A moment needs its zone.", fields={field: ["needs a time zone"]})
    return moment


def _view(discount: Discount) -> DiscountView:
    return DiscountView(
        id=discount.id,
        store_id=discount.store_id,
        code=discount.code,
        title=discount.title,
        kind=discount.kind,
        value=discount.value,
        scope=discount.scope,
        currency=discount.currency,
        product_ids=list(discount.product_ids),
        starts_at=discount.starts_at,
        ends_at=discount.ends_at,
        usage_limit=discount.usage_limit,
        per_customer_limit=discount.per_customer_limit,
        used=discount.used,
        active=discount.active,
        created_at=discount.created_at,
    )
