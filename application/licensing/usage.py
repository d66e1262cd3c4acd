"""What sales use up of a licence: quotas, the way through royalty tiers, a guarantee.

An order claims its part when it is placed, under lock, and gives it back when it is not paid. A
refund gives nothing back: the piece was sold. Licences that count nothing touch no counter.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from application.ports.unit_of_work import UnitOfWork
from domain.licensing.grant import LicenceGrant, held_by, royalty_under, sold_under
from domain.licensing.royalty import Royalty, royalty_cents
from domain.licensing.terms import ProductType
from domain.licensing.usage import (
    Claim,
    Counter,
    CounterKind,
    SoldLine,
    merged,
    quota_claims,
    tier_claim,
)
from domain.licensing.version import TermsVersion
from domain.shared.money import Currency


@dataclass(frozen=True, slots=True, kw_only=True)
class LineClaim:
    """A line about to be sold. `base_cents` is what its royalty is taken of; `parties` are the
    terms of everybody else whom it shows, whose quotas it counts towards as well."""

    line_id: UUID
    product_id: UUID
    store_id: UUID
    terms: TermsVersion
    quantity: int
    base_cents: int
    currency: Currency
    parties: tuple[TermsVersion, ...] = ()


async def claim_usage(
    order_id: UUID, claims: Sequence[LineClaim], *, uow: UnitOfWork, at: datetime
) -> Mapping[UUID, Royalty]:
    """Count these lines; answers each line's royalty rule with where it stands in it.

    Lines cross tiers one after the other, and recoup a guarantee one after the other.
    Raises QuotaExhausted.
    """
    sold = [_sold(claim) for claim in claims]
    tiers = [
        tier_claim(claim.terms.terms, line, at=at) for claim, line in zip(claims, sold, strict=True)
    ]
    quotas = (
        quota
        for claim, line in zip(claims, sold, strict=True)
        for version in (claim.terms, *claim.parties)
        for quota in quota_claims(version.terms, line._replace(creator_id=version.creator_id))
    )
    grants = await uow.grants.active({line.creator_id for line in sold}, at=at)
    kinds = await _kinds(claims, uow=uow) if grants else {}
    stores = {line.store_id for line in sold}
    paid = [g for g in grants if g.guarantee_paid_at is not None and g.store_id in stores]
    # Guarantees are locked with the others, in one order, before any is taken from. So are the
    # quotas of everybody: who shows others with them, and whom others show, meet in that order.
    guarantees = (_guarantee(grant, 0) for grant in paid)
    counted = merged([*quotas, *(tier for tier in tiers if tier is not None), *guarantees])
    reached = dict(await uow.usage.claim(counted, order_id=order_id)) if counted else {}
    royalties: dict[UUID, Royalty] = {}
    for claim, line, tier in zip(claims, sold, tiers, strict=True):
        royalty = claim.terms.terms.royalty
        held = [grant for grant in grants if grant.creator_id == line.creator_id]
        if held:
            kind = kinds[line.product_id]
            sublicence = sold_under(line.store_id, kind, held, at=at)
            royalty = royalty_under(claim.terms.terms, sublicence, creator_id=line.creator_id)
            held = held_by(line.store_id, kind, held, at=at)
        if tier is not None:
            royalty = royalty._replace(sold_before_cents=reached[tier.counter])
            reached[tier.counter] += tier.amount
        recouped = await _recoup(order_id, line, royalty, held, uow=uow)
        royalties[claim.line_id] = royalty._replace(recoup_cents=recouped) if recouped else royalty
    return royalties


async def free_usage(order_id: UUID, *, uow: UnitOfWork) -> None:
    """Give back what an order claimed that nobody paid. Doing it twice gives back once."""
    await uow.usage.free(order_id)


def _sold(claim: LineClaim) -> SoldLine:
    return SoldLine(
        claim.terms.creator_id,
        claim.store_id,
        claim.product_id,
        claim.quantity,
        claim.base_cents,
        claim.currency,
    )


async def _kinds(claims: Sequence[LineClaim], *, uow: UnitOfWork) -> Mapping[UUID, ProductType]:
    products = await uow.products.many({claim.product_id for claim in claims})
    return {product.id: product.product_type for product in products}


async def _recoup(
    order_id: UUID,
    line: SoldLine,
    royalty: Royalty,
    held: Sequence[LicenceGrant],
    *,
    uow: UnitOfWork,
) -> int:
    """What of the line's royalty was paid in advance by the store's guarantees."""
    owed = royalty_cents(royalty, line.base_cents, quantity=line.quantity)
    recouped = 0
    for grant in held:
        if grant.guarantee_paid_at is None or grant.currency != line.currency:
            continue
        recouped += await uow.usage.take(_guarantee(grant, owed - recouped), order_id=order_id)
    return recouped


def _guarantee(grant: LicenceGrant, amount_cents: int) -> Claim:
    counter = Counter(grant.creator_id, CounterKind.RECOUPED, str(grant.id), grant.currency or "")
    return Claim(counter, amount_cents, grant.guarantee_cents)
