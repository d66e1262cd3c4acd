"""List a generated image on a kind of product, and put it on sale when every gate is open."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from application.catalogue.gates import Proposal, Verdict, ask_gates, decided_on, load_offers
from application.identity.authority import StoreAct, store_for
from application.licensing.approvals import ask_creators
from application.licensing.circumstances import product_questions
from application.licensing.decisions import Decided, record_decisions
from application.licensing.standing import standing_terms
from application.moderation.judging import Moderation
from application.moderation.subjects import require_not_held
from application.moderation.words import require_publishable
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.unit_of_work import UnitOfWork
from domain.catalogue.product import ListingRefused, Product, ProductStatus
from domain.identity.actor import Actor
from domain.licensing.approval import ApprovalNeeded
from domain.licensing.decision import Outcome, Reason
from domain.licensing.record import DecisionPoint
from domain.licensing.shared import waiting_for
from domain.licensing.terms import ProductType
from domain.licensing.use import Action
from domain.moderation.case import SubjectKind
from domain.ordering.fees import FeeSchedule
from domain.shared.errors import Conflict, Invalid, NotFound, RuleRefused
from domain.shared.money import currency

Title = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Description = Annotated[str, msgspec.Meta(max_length=5000)]
PriceCents = Annotated[int, msgspec.Meta(ge=0, le=99_999_999)]
Stock = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]


class CreateProduct(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`stock` left out means made to order, without a limit."""

    generation_id: UUID
    product_type: ProductType
    title: Title
    description: Description = ""
    price_cents: PriceCents
    currency: Annotated[str, msgspec.Meta(pattern="^[a-zA-Z]{3}$", examples=["usd"])]
    stock: Stock | None = None


class UpdateProduct(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is left out stays as it is. A change of what is on sale is judged again."""

    title: Title | None = None
    description: Description | None = None
    price_cents: PriceCents | None = None
    stock: Stock | None = None


class DecisionView(msgspec.Struct, frozen=True, kw_only=True):
    """The licence's word and every other reason that keeps the product from being sold."""

    outcome: Outcome
    reasons: list[Reason]


class ProductView(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    store_id: UUID
    creator_id: UUID
    generation_id: UUID
    product_type: ProductType
    title: str
    description: str
    price_cents: int
    currency: str
    stock: int | None
    status: ProductStatus
    decision: DecisionView
    terms_version: int
    terms_hash: str
    version: int


class CurrencyUnknown(Invalid):
    """Nothing is priced in this currency here."""

    code = "currency_unknown"


class GenerationNotReady(Conflict):
    """The generation has no finished image to sell."""

    code = "generation_not_ready"


class NobodysLikeness(RuleRefused):
    """It shows an invented person: there is no creator whose licensed merchandise it could be."""

    code = "nobodys_likeness"


class StockBelowReserved(Conflict):
    """Buyers are paying for more pieces than the new stock has."""

    code = "stock_below_reserved"


async def create_product(
    store_id: UUID,
    command: CreateProduct,
    *,
    actor: Actor,
    uow: UnitOfWork,
    clock: Clock,
    ids: Ids,
    fees: FeeSchedule,
    moderation: Moderation,
) -> ProductView:
    """Keep a draft and say what the gates think of it.

    Raises TextRefused, NotFound, CurrencyUnknown, GenerationNotReady, NobodysLikeness, NoLicence.
    """
    try:
        code = currency(command.currency)
    except ValueError as error:
        raise CurrencyUnknown(str(error), fields={"currency": [str(error)]}) from error
    await require_publishable(
        command, SubjectKind.PRODUCT, actor=actor, uow=uow, moderation=moderation
    )
    async with uow:
        store = await store_for(store_id, StoreAct.EDIT, actor=actor, uow=uow)
        artwork = await uow.products.artwork(command.generation_id)
        if artwork is None:
            raise GenerationNotReady("There is no finished image of this generation.")
        if artwork.creator_id is None:
            raise NobodysLikeness("It shows an invented person, whom nobody can license.")
        terms = (await standing_terms(uow, artwork.creator_id)).terms_in_force()
        product = Product(
            id=ids.new(),
            store_id=store.id,
            creator_id=artwork.creator_id,
            generation_id=artwork.generation_id,
            asset_id=artwork.asset_id,
            product_type=command.product_type,
            title=command.title,
            description=command.description,
            prompt=artwork.prompt,
            price_cents=command.price_cents,
            currency=code,
            stock=command.stock,
            terms_id=terms.id,
            terms_version=terms.version,
            terms_hash=terms.hash,
            created_at=clock.now(),
        )
        verdict = await _judge(product, uow=uow, clock=clock, fees=fees)
        product.decision = verdict.decision
        uow.products.add(product)
        await uow.commit()
    return _view(product, verdict)


async def publish_product(
    product_id: UUID,
    *,
    actor: Actor,
    uow: UnitOfWork,
    clock: Clock,
    ids: Ids,
    fees: FeeSchedule,
) -> ProductView:
    """Put it on sale under the terms now in force.

    Raises HeldByModerators; ListingRefused with every reason; ApprovalNeeded when nothing but the
    creator's word is missing, for which they have then been asked.
    """
    now, asked = clock.now(), list[Decided]()
    try:
        async with uow:
            product = await _own_product(product_id, actor=actor, uow=uow)
            await require_not_held(SubjectKind.PRODUCT, product.id, uow=uow)
            verdict, decided = await _decide(
                product, DecisionPoint.LISTING, uow=uow, at=now, fees=fees
            )
            asked.append(decided)
            if verdict.waits_for_creator:
                record_decisions(asked, actor=actor, uow=uow, ids=ids, at=now)
                raise await _ask_creators(product, verdict, actor=actor, uow=uow, ids=ids)
            product.publish(verdict.decision, closed_gates=verdict.closed_gates, at=now)
            record_decisions(asked, actor=actor, uow=uow, ids=ids, at=now)
            await uow.commit()
    except ListingRefused:
        await _keep_refusal(asked, actor=actor, uow=uow, ids=ids, at=now)
        raise
    return _view(product, verdict)


async def unpublish_product(
    product_id: UUID, *, actor: Actor, uow: UnitOfWork, clock: Clock, fees: FeeSchedule
) -> ProductView:
    async with uow:
        product = await _own_product(product_id, actor=actor, uow=uow)
        product.unpublish()
        verdict = await _judge(product, uow=uow, clock=clock, fees=fees)
        await uow.commit()
    return _view(product, verdict)


async def update_product(
    product_id: UUID,
    command: UpdateProduct,
    *,
    actor: Actor,
    uow: UnitOfWork,
    clock: Clock,
    ids: Ids,
    fees: FeeSchedule,
    moderation: Moderation,
) -> ProductView:
    """Change a product; once listed, the change must pass the gates. New stock puts what is sold
    out on sale again. Raises TextRefused, NotFound, StockBelowReserved, ListingRefused."""
    now, asked = clock.now(), list[Decided]()
    await require_publishable(
        command, SubjectKind.PRODUCT, product_id, actor=actor, uow=uow, moderation=moderation
    )
    try:
        async with uow:
            product = await _own_product(product_id, actor=actor, uow=uow)
            point, old_cents = _point_of(command, product), product.price_cents
            _change(product, command)
            verdict, decided = await _decide(product, point, uow=uow, at=now, fees=fees)
            if product.is_listed:
                asked.append(decided)
                product.publish(verdict.decision, closed_gates=verdict.closed_gates, at=now)
                record_decisions(asked, actor=actor, uow=uow, ids=ids, at=now)
            if product.price_cents != old_cents:
                uow.audit.record(
                    "product.repriced",
                    actor=actor,
                    on=("product", product.id),
                    before={"price_cents": old_cents},
                    after={"price_cents": product.price_cents, "currency": product.currency},
                )
            await uow.commit()
    except ListingRefused:
        await _keep_refusal(asked, actor=actor, uow=uow, ids=ids, at=now)
        raise
    return _view(product, verdict)


def _point_of(command: UpdateProduct, product: Product) -> DecisionPoint:
    repriced = command.price_cents not in (None, product.price_cents)
    return DecisionPoint.PRICE_CHANGE if repriced else DecisionPoint.LISTING


def _change(product: Product, command: UpdateProduct) -> None:
    if command.title is not None:
        product.title = command.title
    if command.description is not None:
        product.description = command.description
    if command.price_cents is not None:
        product.price_cents = command.price_cents
    if command.stock is not None:
        if command.stock < product.reserved:
            raise StockBelowReserved(
                "Buyers are paying for more pieces than that.", reserved=product.reserved
            )
        product.stock = command.stock


async def show_product(
    product_id: UUID, *, actor: Actor, uow: UnitOfWork, clock: Clock, fees: FeeSchedule
) -> ProductView:
    """The store's own view, with what the gates say now. Raises NotFound."""
    async with uow:
        product = await _own_product(product_id, StoreAct.VIEW, actor=actor, uow=uow, lock=False)
        verdict = await _judge(product, uow=uow, clock=clock, fees=fees)
    return _view(product, verdict)


async def _own_product(
    product_id: UUID,
    act: StoreAct = StoreAct.EDIT,
    *,
    actor: Actor,
    uow: UnitOfWork,
    lock: bool = True,
) -> Product:
    product = await uow.products.get(product_id, lock=lock)
    try:
        await store_for(product.store_id, act, actor=actor, uow=uow)
    except NotFound:
        raise NotFound("product", product_id) from None
    return product


async def _ask_creators(
    product: Product, verdict: Verdict, *, actor: Actor, uow: UnitOfWork, ids: Ids
) -> ApprovalNeeded:
    standing = await standing_terms(uow, product.creator_id)
    terms = standing.terms_in_force().terms
    if verdict.use is None:
        raise ListingRefused(verdict.decision.reasons)
    waiting = waiting_for(product.creator_id, terms, verdict.parties, verdict.use)
    missing = [
        question
        for question in product_questions(product, standing)
        if question.version.creator_id in waiting
    ]
    if not missing:
        raise ListingRefused(verdict.decision.reasons)
    return await ask_creators(
        missing,
        verdict.use,
        verdict.decision,
        actor=actor,
        uow=uow,
        ids=ids,
        store_id=product.store_id,
        product_id=product.id,
    )


async def _judge(product: Product, *, uow: UnitOfWork, clock: Clock, fees: FeeSchedule) -> Verdict:
    """Ask the gates under the terms in force, which the product then carries."""
    verdict, _ = await _decide(product, DecisionPoint.LISTING, uow=uow, at=clock.now(), fees=fees)
    return verdict


async def _decide(
    product: Product, point: DecisionPoint, *, uow: UnitOfWork, at: datetime, fees: FeeSchedule
) -> tuple[Verdict, Decided]:
    """The gates' verdict, and the licence's part of it to be kept."""
    offer = (await load_offers([product], uow=uow, at=at))[product.id]
    terms = offer.standing.terms_in_force()
    product.licence_under(terms.id, version=terms.version, terms_hash=terms.hash)
    verdict = ask_gates(offer, Proposal(action=Action.LIST, at=at), fees=fees)
    return verdict, decided_on(verdict, point, subject_id=product.id, terms=terms)


async def _keep_refusal(
    asked: Sequence[Decided], *, actor: Actor, uow: UnitOfWork, ids: Ids, at: datetime
) -> None:
    """The change that was refused is not made; that it was refused is kept."""
    async with uow:
        record_decisions(asked, actor=actor, uow=uow, ids=ids, at=at)
        await uow.commit()


def _view(product: Product, verdict: Verdict) -> ProductView:
    outcome = verdict.decision.outcome if not verdict.closed_gates else Outcome.DENY
    return ProductView(
        id=product.id,
        store_id=product.store_id,
        creator_id=product.creator_id,
        generation_id=product.generation_id,
        product_type=product.product_type,
        title=product.title,
        description=product.description,
        price_cents=product.price_cents,
        currency=product.currency,
        stock=product.stock,
        status=product.status,
        decision=DecisionView(
            outcome=outcome, reasons=[*verdict.decision.reasons, *verdict.closed_gates]
        ),
        terms_version=product.terms_version,
        terms_hash=product.terms_hash,
        version=product.version,
    )
