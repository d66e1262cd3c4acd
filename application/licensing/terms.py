"""Publish licence terms, and ask them what they would say to a use.

Publishing makes a new version; older ones stay readable for ever, because sales point at them.
"""

from datetime import datetime
from typing import Annotated, TypeVar
from uuid import UUID

import msgspec

from application.creators.profile import own_creator
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.unit_of_work import UnitOfWork
from domain.identity.actor import Actor
from domain.licensing.conditions import SubjectRight
from domain.licensing.decision import Decision
from domain.licensing.evaluate import evaluate
from domain.licensing.terms import (
    Capability,
    LicenceTerms,
    MinimumPrice,
    ProductType,
    Purpose,
    TermsInvalid,
)
from domain.licensing.use import Action, Price, Seller, Use
from domain.licensing.version import TermsVersion
from domain.shared.errors import NotFound
from domain.shared.money import SUPPORTED_CURRENCIES

T = TypeVar("T")

Bps = Annotated[int, msgspec.Meta(ge=0, le=10_000)]
Cents = Annotated[int, msgspec.Meta(ge=0, le=99_999_999)]
Keyword = Annotated[str, msgspec.Meta(min_length=1, max_length=80)]


class MinimumPriceInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    amount_cents: Cents
    product_type: ProductType | None = None
    currency: Annotated[str, msgspec.Meta(pattern="^[a-zA-Z]{3}$")] | None = None


class PublishTerms(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is left out has its default, not the value of the version before."""

    royalty_bps: Bps = 1000
    min_price_cents: Cents = 500
    min_prices: Annotated[list[MinimumPriceInput], msgspec.Meta(max_length=100)] = []
    max_discount_bps: Bps = 2000
    allow_third_party_stores: bool = True
    allowed_stores: Annotated[list[UUID], msgspec.Meta(max_length=500)] | None = None
    denied_stores: Annotated[list[UUID], msgspec.Meta(max_length=500)] = []
    product_types: list[ProductType] | None = None
    purposes: list[Purpose] | None = None
    capabilities: list[Capability] | None = None
    blocked_keywords: Annotated[list[Keyword], msgspec.Meta(max_length=500)] = []
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    sell_off_days: Annotated[int, msgspec.Meta(ge=0, le=365)] = 0


class TermsView(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    creator_id: UUID
    version: int
    hash: str
    created_at: datetime
    capabilities: list[Capability]
    product_types: list[ProductType]
    purposes: list[Purpose]
    allow_third_party_stores: bool
    allowed_stores: list[UUID] | None
    denied_stores: list[UUID]
    valid_from: datetime
    valid_until: datetime | None
    sell_off_days: int
    blocked_keywords: list[str]
    min_price_cents: int
    min_prices: list[MinimumPrice]
    max_discount_bps: int
    royalty_bps: int


class ProposedUse(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A use to try out. What is left out counts as unknown, and unknown is refused."""

    action: Action
    capability: Capability | None = None
    subject_rights: list[SubjectRight] | None = None
    product_type: ProductType | None = None
    purpose: Purpose | None = None
    store_id: UUID | None = None
    list_price_cents: Cents | None = None
    unit_price_cents: Cents | None = None
    currency: Annotated[str, msgspec.Meta(pattern="^[a-z]{3}$")] = "usd"
    prompt: Annotated[str, msgspec.Meta(max_length=4000)] | None = None
    title: Annotated[str, msgspec.Meta(max_length=200)] | None = None
    description: Annotated[str, msgspec.Meta(max_length=5000)] | None = None
    at: datetime | None = None


async def publish_terms(
    creator_id: UUID,
    command: PublishTerms,
    *,
    actor: Actor,
    uow: UnitOfWork,
    clock: Clock,
    ids: Ids,
) -> TermsView:
    """Raises TermsInvalid, NotFound."""
    now = clock.now()
    terms = _terms(command, now=now)
    async with uow:
        creator = await own_creator(creator_id, actor=actor, uow=uow)
        latest = await uow.terms.latest(creator.id)
        version = TermsVersion(
            id=ids.new(),
            creator_id=creator.id,
            version=latest.version + 1 if latest else 1,
            hash=terms.hash,
            terms=terms,
            created_at=now,
            created_by=actor.user_id,
        )
        uow.terms.add(version)
        creator.terms_id = version.id
        uow.audit.record(
            "terms.published",
            actor=actor,
            on=("creator", creator.id),
            before={"version": latest.version, "hash": latest.hash} if latest else None,
            after={"version": version.version, "hash": version.hash},
        )
        await uow.commit()
    return view_of(version)


async def show_terms(creator_id: UUID, *, version: int | None, uow: UnitOfWork) -> TermsView:
    """A version of the terms; None for those in force. Public. Raises NotFound."""
    async with uow:
        creator = await uow.creators.get(creator_id)
        if version is not None:
            found = await uow.terms.by_version(creator_id, version)
        else:
            found = await uow.terms.get(creator.terms_id) if creator.terms_id else None
    if found is None:
        raise NotFound("licence terms", version)
    return view_of(found)


async def evaluate_use(
    terms_id: UUID, proposed: ProposedUse, *, uow: UnitOfWork, clock: Clock
) -> Decision:
    """The decision on a use under one version of terms; nothing is recorded. Raises NotFound."""
    async with uow:
        version = await uow.terms.get(terms_id)
        seller = None
        if proposed.store_id is not None:
            creator = await uow.creators.get(version.creator_id)
            store = await uow.stores.get(proposed.store_id)
            seller = Seller(store.id, store.owner_id == creator.user_id)
    return evaluate(version.terms, _use(proposed, seller=seller, now=clock.now()))


def view_of(version: TermsVersion) -> TermsView:
    terms = version.terms
    return TermsView(
        id=version.id,
        creator_id=version.creator_id,
        version=version.version,
        hash=version.hash,
        created_at=version.created_at,
        capabilities=sorted(terms.capabilities),
        product_types=sorted(terms.product_types),
        purposes=sorted(terms.purposes),
        allow_third_party_stores=terms.allow_third_party_stores,
        allowed_stores=None if terms.allowed_stores is None else sorted(terms.allowed_stores),
        denied_stores=sorted(terms.denied_stores),
        valid_from=terms.valid_from,
        valid_until=terms.valid_until,
        sell_off_days=terms.sell_off_days,
        blocked_keywords=list(terms.blocked_keywords),
        min_price_cents=terms.min_price_cents,
        min_prices=list(terms.min_prices),
        max_discount_bps=terms.max_discount_bps,
        royalty_bps=terms.royalty_bps,
    )


def _terms(command: PublishTerms, *, now: datetime) -> LicenceTerms:
    for name in ("valid_from", "valid_until"):
        instant = getattr(command, name)
        if instant is not None and instant.tzinfo is None:
            raise TermsInvalid(
                "These licence terms cannot stand.", fields={name: ["must say its time zone"]}
            )
    for price in command.min_prices:
        if price.currency and price.currency.lower() not in SUPPORTED_CURRENCIES:
            raise TermsInvalid(
                "These licence terms cannot stand.",
                fields={"min_prices": [f"{price.currency!r} is not a supported currency"]},
            )
    defaults = LicenceTerms(valid_from=now)
    return LicenceTerms(
        capabilities=_set(command.capabilities, defaults.capabilities),
        product_types=_set(command.product_types, defaults.product_types),
        purposes=_set(command.purposes, defaults.purposes),
        allow_third_party_stores=command.allow_third_party_stores,
        allowed_stores=None
        if command.allowed_stores is None
        else frozenset(command.allowed_stores),
        denied_stores=frozenset(command.denied_stores),
        valid_from=command.valid_from or now,
        valid_until=command.valid_until,
        sell_off_days=command.sell_off_days,
        blocked_keywords=tuple(dict.fromkeys(command.blocked_keywords)),
        min_price_cents=command.min_price_cents,
        min_prices=tuple(
            MinimumPrice(p.amount_cents, p.product_type, p.currency and p.currency.lower())
            for p in command.min_prices
        ),
        max_discount_bps=command.max_discount_bps,
        royalty_bps=command.royalty_bps,
    )


def _set(given: list[T] | None, default: frozenset[T]) -> frozenset[T]:
    return default if given is None else frozenset(given)


def _use(proposed: ProposedUse, *, seller: Seller | None, now: datetime) -> Use:
    unit = proposed.unit_price_cents
    listed = unit if proposed.list_price_cents is None else proposed.list_price_cents
    texts = {name: getattr(proposed, name) for name in ("prompt", "title", "description")}
    at = proposed.at or now
    return Use(
        action=proposed.action,
        at=at if at.tzinfo else at.replace(tzinfo=now.tzinfo),
        capability=proposed.capability,
        subject_rights=None
        if proposed.subject_rights is None
        else frozenset(proposed.subject_rights),
        product_type=proposed.product_type,
        purpose=proposed.purpose,
        seller=seller,
        price=None if unit is None or listed is None else Price(listed, unit, proposed.currency),
        texts=tuple((name, text) for name, text in texts.items() if text),
    )
