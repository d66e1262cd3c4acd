"""Grants: a creator lets a store sell, alone or beside others; and ends it.

A sole or exclusive grant shuts others out from its first moment: what they list there is frozen
then. The guarantee of a grant is paid by the store from what it has earned here, once.
"""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from application.creators.profile import own_creator
from application.identity.authority import StoreAct, store_for
from application.licensing.standing import standing_terms
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.unit_of_work import UnitOfWork
from domain.identity.actor import Actor
from domain.ledger import effects
from domain.licensing import use as uses
from domain.licensing.conditions import Exclusivity
from domain.licensing.grant import (
    GrantEnded,
    GrantInvalid,
    LicenceGrant,
    refuse_overlap,
    standing_of,
)
from domain.licensing.royalty import Share
from domain.licensing.terms import LicenceTerms, ProductType
from domain.licensing.territories import CODES, COUNTRIES, permitted
from domain.shared.allocation import largest_remainder
from domain.shared.errors import Conflict, NotFound, RuleRefused
from domain.shared.money import BASIS_POINTS_PER_UNIT, Currency, currency

FREEZE_LISTINGS = "licensing.freeze_listings"
FROZEN_FOR = "granted_to_another"

Code = Annotated[str, msgspec.Meta(pattern="^[A-Z]{2,7}$", examples=["US", "EU"])]


class FreezeListings(msgspec.Struct, frozen=True, kw_only=True):
    grant_id: UUID


class GiveGrant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is left out is all that the terms in force permit; without `valid_until` it holds until
    it is ended. The guarantee left out is that of the terms, in `currency`."""

    store_id: UUID
    kind: Exclusivity = Exclusivity.NONE
    product_types: Annotated[list[ProductType], msgspec.Meta(min_length=1)] | None = None
    territories: Annotated[list[Code], msgspec.Meta(min_length=1, max_length=300)] | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    guarantee_cents: Annotated[int, msgspec.Meta(ge=0, le=99_999_999)] | None = None
    currency: Annotated[str, msgspec.Meta(pattern="^[a-z]{3}$")] = "usd"


class GrantView(msgspec.Struct, frozen=True, kw_only=True):
    """`parent_id` is the grant that a sublicence was handed on from. `territories` null is the
    whole world."""

    id: UUID
    creator_id: UUID
    store_id: UUID
    parent_id: UUID | None
    depth: int
    kind: Exclusivity
    product_types: list[ProductType]
    territories: list[str] | None
    valid_from: datetime
    valid_until: datetime | None
    guarantee_cents: int
    currency: str | None
    guarantee_paid_at: datetime | None
    ended_at: datetime | None
    created_at: datetime


class InsufficientBalance(RuleRefused):
    """The store has not that much available; `available_cents` is what it has."""

    code = "insufficient_balance"


class NoGuarantee(Conflict):
    """The grant has no guarantee to pay."""

    code = "no_guarantee"


async def give_grant(
    creator_id: UUID,
    command: GiveGrant,
    *,
    actor: Actor,
    uow: UnitOfWork,
    clock: Clock,
    ids: Ids,
) -> GrantView:
    """Raises NotFound, NoLicence, GrantInvalid, GrantOverlaps."""
    now = clock.now()
    async with uow:
        creator = await own_creator(creator_id, actor=actor, uow=uow)
        store = await uow.stores.get(command.store_id)
        version = (await standing_terms(uow, creator.id)).terms_in_force()
        starts = _aware(command.valid_from or now, "valid_from")
        if starts < now:
            raise invalid("valid_from", "must not lie in the past")
        guarantee_cents = (
            version.terms.guarantee_cents
            if command.guarantee_cents is None
            else command.guarantee_cents
        )
        grant = LicenceGrant(
            id=ids.new(),
            creator_id=creator.id,
            store_id=store.id,
            kind=command.kind,
            product_types=_types(command.product_types, version.terms.product_types),
            territories=countries_of(command.territories, _permitted(version.terms, now), at=now),
            valid_from=starts,
            valid_until=command.valid_until and _aware(command.valid_until, "valid_until"),
            terms_id=version.id,
            guarantee_cents=guarantee_cents,
            currency=_currency(command.currency) if guarantee_cents else None,
            created_at=now,
            created_by=actor.user_id,
        )
        if grant.shuts_out:
            refuse_overlap(grant, await uow.grants.shutting_out(creator.id))
            body = FreezeListings(grant_id=grant.id)
            uow.outbox.add(FREEZE_LISTINGS, body, due_at=grant.valid_from)
        uow.grants.add(grant)
        uow.audit.record(
            "grant.given", actor=actor, on=("grant", grant.id), after={"kind": grant.kind}
        )
        await uow.commit()
    return view_of(grant)


async def end_grant(grant_id: UUID, *, actor: Actor, uow: UnitOfWork, clock: Clock) -> GrantView:
    """End a grant and what was handed on from it. The creator may end any; a store the
    sublicences that it gave. What is frozen stays so until its store publishes it again.
    Raises NotFound, GrantEnded."""
    now = clock.now()
    async with uow:
        grant = await uow.grants.get(grant_id, lock=True)
        await _require_giver(grant, actor=actor, uow=uow)
        grant.end(at=now)
        for below in await uow.grants.below(grant.id):
            if below.valid_until is None or below.valid_until > now:
                below.end(at=now)
        uow.audit.record("grant.ended", actor=actor, on=("grant", grant.id))
        await uow.commit()
    return view_of(grant)


async def show_grant(grant_id: UUID, *, actor: Actor, uow: UnitOfWork) -> GrantView:
    """For the creator, the store that holds it and the one that gave it. Raises NotFound."""
    async with uow:
        grant = await uow.grants.get(grant_id)
        try:
            await _require_giver(grant, actor=actor, uow=uow)
        except NotFound:
            await _holder(grant, StoreAct.VIEW, actor=actor, uow=uow)
    return view_of(grant)


async def list_grants_of_creator(
    creator_id: UUID, *, actor: Actor, uow: UnitOfWork, before: UUID | None, limit: int
) -> list[GrantView]:
    async with uow:
        creator = await own_creator(creator_id, actor=actor, uow=uow)
        found = await uow.grants.of_creator(creator.id, before=before, limit=limit)
    return [view_of(grant) for grant in found]


async def list_grants_of_store(
    store_id: UUID, *, actor: Actor, uow: UnitOfWork, before: UUID | None, limit: int
) -> list[GrantView]:
    async with uow:
        store = await store_for(store_id, StoreAct.VIEW, actor=actor, uow=uow)
        found = await uow.grants.of_store(store.id, before=before, limit=limit)
    return [view_of(grant) for grant in found]


async def pay_guarantee(
    grant_id: UUID, *, actor: Actor, uow: UnitOfWork, clock: Clock
) -> GrantView:
    """Move the guarantee from what the store has available to the creator, once. Royalties recoup
    it from then on. Raises NotFound, GrantEnded, NoGuarantee, InsufficientBalance."""
    now = clock.now()
    async with uow:
        grant = await uow.grants.get(grant_id, lock=True)
        await _holder(grant, StoreAct.MONEY, actor=actor, uow=uow)
        if grant.guarantee_paid_at is not None:
            return view_of(grant)
        if grant.currency is None:
            raise NoGuarantee("The grant has no guarantee.")
        if grant.ended_at is not None or (grant.valid_until and grant.valid_until <= now):
            raise GrantEnded("The grant is over.")
        terms = (await uow.terms.get(grant.terms_id)).terms
        shares = terms.royalty.shares or (Share(grant.creator_id, BASIS_POINTS_PER_UNIT),)
        parts = largest_remainder(grant.guarantee_cents, [share.bps for share in shares])
        payees = {share.payee_id: cents for share, cents in zip(shares, parts, strict=True)}
        keys = [(payee, grant.currency) for payee in (*payees, grant.store_id)]
        available = (await uow.ledger.lock_balances(keys))[grant.store_id, grant.currency]
        if available.available_cents < grant.guarantee_cents:
            raise InsufficientBalance(
                "The store has not that much available.",
                guarantee_cents=grant.guarantee_cents,
                available_cents=available.available_cents,
            )
        effect = effects.guarantee_paid(
            grant_id=grant.id,
            store_id=grant.store_id,
            currency=grant.currency,
            amounts_cents=payees,
            at=now,
        )
        await uow.ledger.post([effect])
        grant.guarantee_paid_at = now
        uow.audit.record(
            "guarantee.paid",
            actor=actor,
            on=("grant", grant.id),
            after={"amount_cents": grant.guarantee_cents},
        )
        await uow.commit()
    return view_of(grant)


async def freeze_listings(grant_id: UUID, *, uow: UnitOfWork, clock: Clock) -> None:
    """Handles `licensing.freeze_listings`: a grant has begun, and others have to make room."""
    now = clock.now()
    async with uow:
        grant = await uow.grants.get(grant_id)
        if not grant.is_active(now):
            return
        standing = await standing_terms(uow, grant.creator_id)
        terms = standing.terms_in_force().terms
        countries = _permitted(terms, now)
        grants = await uow.grants.active([grant.creator_id], at=now)
        sellers = await uow.products.sellers(grant.creator_id)
        stores = {s.id: s for s in await uow.stores.many({store for store, _ in sellers})}
        shut_out = {
            (store_id, kind)
            for store_id, kind in sellers
            if standing_of(
                uses.Seller(store_id, stores[store_id].owner_id == standing.creator.user_id),
                kind,
                countries,
                grants,
                listing=True,
                at=now,
            )
            is uses.Grant.TAKEN
        }
        if shut_out:
            await uow.products.freeze(grant.creator_id, reason=FROZEN_FOR, sellers=shut_out)
        await uow.commit()


async def _require_giver(grant: LicenceGrant, *, actor: Actor, uow: UnitOfWork) -> None:
    creator = await uow.creators.get(grant.creator_id)
    if creator.user_id == actor.user_id or actor.is_admin:
        return
    try:
        if grant.sublicensors:
            giver = grant.sublicensors[0].payee_id
            await store_for(giver, StoreAct.OWN, actor=actor, uow=uow)
            return
    except NotFound:
        pass
    raise NotFound("grant", grant.id)


async def _holder(grant: LicenceGrant, act: StoreAct, *, actor: Actor, uow: UnitOfWork) -> None:
    try:
        await store_for(grant.store_id, act, actor=actor, uow=uow)
    except NotFound:
        raise NotFound("grant", grant.id) from None


def countries_of(
    codes: list[str] | None, within: frozenset[str], *, at: datetime
) -> frozenset[str]:
    """Countries and groups as countries, all of them within what is permitted.

    Raises GrantInvalid.
    """
    if codes is None:
        return within
    unknown = sorted(set(codes) - CODES)
    if unknown:
        raise invalid("territories", f"{', '.join(unknown)}: no country and no group")
    wanted = permitted(frozenset(codes), frozenset(), at)
    outside = sorted(wanted - within)
    if outside:
        raise invalid("territories", f"{', '.join(outside[:10])}: not permitted by the terms")
    return wanted


def _aware(instant: datetime, field: str) -> datetime:
    if instant.tzinfo is None:
        raise invalid(field, "must say its time zone")
    return instant


def invalid(field: str, message: str) -> GrantInvalid:
    return GrantInvalid("This grant cannot stand.", fields={field: [message]})


def _types(
    wanted: list[ProductType] | None, within: frozenset[ProductType]
) -> frozenset[ProductType]:
    types = within if wanted is None else frozenset(wanted)
    if not types <= within:
        raise invalid("product_types", "must be among those of the terms")
    return types


def _permitted(terms: LicenceTerms, at: datetime) -> frozenset[str]:
    return permitted(terms.territories_included, terms.territories_excluded, at)


def _currency(code: str) -> Currency:
    try:
        return currency(code)
    except ValueError as error:
        raise invalid("currency", str(error)) from error


def view_of(grant: LicenceGrant) -> GrantView:
    return GrantView(
        id=grant.id,
        creator_id=grant.creator_id,
        store_id=grant.store_id,
        parent_id=grant.parent_id,
        depth=grant.depth,
        kind=grant.kind,
        product_types=sorted(grant.product_types),
        territories=None if grant.territories == COUNTRIES else sorted(grant.territories),
        valid_from=grant.valid_from,
        valid_until=grant.valid_until,
        guarantee_cents=grant.guarantee_cents,
        currency=grant.currency,
        guarantee_paid_at=grant.guarantee_paid_at,
        ended_at=grant.ended_at,
        created_at=grant.created_at,
    )
