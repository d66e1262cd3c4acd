"""Sublicences: a store hands on a part of what it was granted, where the terms allow it.

The terms of a sublicence are those of the licence above it, narrowed to what is handed on. What it
earns is shared: each store above has the part that the terms above it pass through.
"""

from dataclasses import replace
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from application.identity.authority import StoreAct, store_for
from application.licensing.grants import Code, GrantView, countries_of, invalid, view_of
from application.licensing.standing import standing_terms
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.unit_of_work import UnitOfWork
from domain.identity.actor import Actor
from domain.licensing.conditions import Exclusivity
from domain.licensing.grant import GrantEnded, LicenceGrant, sublicensors_of
from domain.licensing.subset import SublicenceTooWide, subset_problems
from domain.licensing.terms import LicenceTerms, ProductType, Purpose
from domain.shared.errors import NotFound


class HandOn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is left out is as in the grant above. `depth` is how far it may be handed on again."""

    store_id: UUID
    product_types: Annotated[list[ProductType], msgspec.Meta(min_length=1)] | None = None
    territories: Annotated[list[Code], msgspec.Meta(min_length=1, max_length=300)] | None = None
    purposes: list[Purpose] | None = None
    valid_until: datetime | None = None
    royalty_bps: Annotated[int, msgspec.Meta(ge=0, le=10_000)] | None = None
    min_price_cents: Annotated[int, msgspec.Meta(ge=0, le=99_999_999)] | None = None
    max_discount_bps: Annotated[int, msgspec.Meta(ge=0, le=10_000)] | None = None
    depth: Annotated[int, msgspec.Meta(ge=0, le=5)] = 0
    pass_through_bps: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 0


async def hand_on(
    grant_id: UUID, command: HandOn, *, actor: Actor, uow: UnitOfWork, clock: Clock, ids: Ids
) -> GrantView:
    """Raises NotFound, GrantEnded, GrantInvalid, SublicenceTooWide."""
    now = clock.now()
    async with uow:
        parent = await uow.grants.get(grant_id, lock=True)
        try:
            await store_for(parent.store_id, StoreAct.OWN, actor=actor, uow=uow)
        except NotFound:
            raise NotFound("grant", grant_id) from None
        if not parent.is_active(now):
            raise GrantEnded("The grant is not in force.")
        store = await uow.stores.get(command.store_id)
        version = (await standing_terms(uow, parent.creator_id)).terms_in_force()
        above = parent.terms or version.terms
        until = command.valid_until or parent.valid_until
        if until is not None and until.tzinfo is None:
            raise invalid("valid_until", "must say its time zone")
        kinds = frozenset(command.product_types or parent.product_types)
        if not kinds <= parent.product_types:
            raise invalid("product_types", "must be among those of the grant")
        if parent.valid_until is not None and (until is None or until > parent.valid_until):
            raise invalid("valid_until", "must not be after that of the grant")
        territories = countries_of(command.territories, parent.territories, at=now)
        if store.id in above.denied_stores or store.id not in (above.allowed_stores or {store.id}):
            raise invalid("store_id", "is not permitted by the terms")
        terms = _narrowed(above, command, kinds=kinds, territories=territories, at=now, until=until)
        problems = subset_problems(terms, above)
        if problems:
            raise SublicenceTooWide(problems)
        grant = LicenceGrant(
            id=ids.new(),
            creator_id=parent.creator_id,
            store_id=store.id,
            parent_id=parent.id,
            root_id=parent.root_id or parent.id,
            sublicensors=sublicensors_of(
                parent, pass_through_bps=above.sublicence_pass_through_bps
            ),
            kind=Exclusivity.NONE,
            product_types=kinds,
            territories=territories,
            valid_from=now,
            valid_until=until,
            terms_id=version.id,
            terms=terms,
            created_at=now,
            created_by=actor.user_id,
        )
        uow.grants.add(grant)
        uow.audit.record("grant.handed_on", actor=actor, on=("grant", grant.id))
        await uow.commit()
    return view_of(grant)


def _narrowed(
    above: LicenceTerms,
    command: HandOn,
    *,
    kinds: frozenset[ProductType],
    territories: frozenset[str],
    at: datetime,
    until: datetime | None,
) -> LicenceTerms:
    """The terms above with what the command changes; `subset_problems` judges the outcome."""
    ends = [end for end in (until, above.valid_until) if end is not None]
    floor = command.min_price_cents
    return replace(
        above,
        product_types=kinds & above.product_types,
        territories_included=territories,
        territories_excluded=above.territories_excluded,
        purposes=above.purposes if command.purposes is None else frozenset(command.purposes),
        valid_from=max(at, above.valid_from),
        valid_until=min(ends, default=None),
        sell_off_days=above.sell_off_days if until is None or until == above.valid_until else 0,
        royalty_bps=above.royalty_bps if command.royalty_bps is None else command.royalty_bps,
        min_price_cents=above.min_price_cents if floor is None else floor,
        min_prices=above.min_prices if floor is None else (),
        max_discount_bps=(
            above.max_discount_bps if command.max_discount_bps is None else command.max_discount_bps
        ),
        sublicence_depth=command.depth,
        sublicence_pass_through_bps=command.pass_through_bps,
    )
