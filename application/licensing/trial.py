"""Ask terms what they would say to a use. Nothing is recorded."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from application.licensing.terms import Cents, Model, Territory
from application.ports.clock import Clock
from application.ports.unit_of_work import UnitOfWork
from domain.licensing.conditions import SubjectRight
from domain.licensing.decision import Decision
from domain.licensing.evaluate import evaluate
from domain.licensing.terms import Capability, ProductType, Purpose
from domain.licensing.use import Action, Grant, Price, Seller, Usage, Use

Count = Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000_000)]


class UsageInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was made and sold before, as far as it is known."""

    generations_today: Count | None = None
    units_sold: Count | None = None
    edition_sold: Count | None = None
    revenue_cents: Count | None = None


class ProposedUse(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A use to try out. What is left out counts as unknown, and unknown is refused where a
    condition needs it. `subject_rights` left out are those that the capability implies."""

    action: Action
    capability: Capability | None = None
    subject_rights: list[SubjectRight] | None = None
    model: Model | None = None
    takes_weights: bool = False
    trains_ai: bool = False
    product_type: ProductType | None = None
    purpose: Purpose | None = None
    store_id: UUID | None = None
    list_price_cents: Cents | None = None
    unit_price_cents: Cents | None = None
    currency: Annotated[str, msgspec.Meta(pattern="^[a-z]{3}$")] = "usd"
    quantity: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 1
    territories: Annotated[list[Territory], msgspec.Meta(max_length=300)] | None = None
    prompt: Annotated[str, msgspec.Meta(max_length=4000)] | None = None
    title: Annotated[str, msgspec.Meta(max_length=200)] | None = None
    description: Annotated[str, msgspec.Meta(max_length=5000)] | None = None
    by_creator: bool = False
    approved: bool | None = None
    derivative: bool = False
    usage: UsageInput = UsageInput()
    grant: Grant | None = None
    sublicence_depth: Annotated[int, msgspec.Meta(ge=0, le=100)] = 0
    revoked_from: datetime | None = None
    at: datetime | None = None


async def evaluate_use(
    terms_id: UUID, proposed: ProposedUse, *, uow: UnitOfWork, clock: Clock
) -> Decision:
    """The decision on a use under one version of terms. Raises NotFound."""
    async with uow:
        version = await uow.terms.get(terms_id)
        creator = await uow.creators.get(version.creator_id)
        seller = None
        if proposed.store_id is not None:
            store = await uow.stores.get(proposed.store_id)
            seller = Seller(store.id, store.owner_id == creator.user_id)
    use = _use(proposed, seller=seller, creator_name=creator.display_name, now=clock.now())
    return evaluate(version.terms, use)


def _use(proposed: ProposedUse, *, seller: Seller | None, creator_name: str, now: datetime) -> Use:
    unit = proposed.unit_price_cents
    listed = unit if proposed.list_price_cents is None else proposed.list_price_cents
    texts = {name: getattr(proposed, name) for name in ("prompt", "title", "description")}
    rights, territories = proposed.subject_rights, proposed.territories
    return Use(
        action=proposed.action,
        at=_zoned(proposed.at or now, now),
        capability=proposed.capability,
        subject_rights=None if rights is None else frozenset(rights),
        model=proposed.model,
        takes_weights=proposed.takes_weights,
        trains_ai=proposed.trains_ai,
        product_type=proposed.product_type,
        purpose=proposed.purpose,
        seller=seller,
        price=None if unit is None or listed is None else Price(listed, unit, proposed.currency),
        quantity=proposed.quantity,
        territories=None if territories is None else frozenset(t.upper() for t in territories),
        texts=tuple((name, text) for name, text in texts.items() if text),
        creator_name=creator_name,
        by_creator=proposed.by_creator,
        approved=proposed.approved,
        derivative=proposed.derivative,
        usage=Usage(**msgspec.structs.asdict(proposed.usage)),
        grant=proposed.grant,
        sublicence_depth=proposed.sublicence_depth,
        revoked_from=proposed.revoked_from and _zoned(proposed.revoked_from, now),
    )


def _zoned(instant: datetime, now: datetime) -> datetime:
    """Without a time zone it is in ours."""
    return instant if instant.tzinfo else instant.replace(tzinfo=now.tzinfo)
