"""A grant: a store may sell some kinds of things in some countries for some time.

A sole grant shuts out every store but the creator's own, an exclusive one those as well. Two of
them never overlap: product types, countries and periods are three axes, and two grants overlap
where all three do. A store may hand on what it was granted, as a sublicence whose terms allow
nothing that its own do not.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.licensing import use as uses
from domain.licensing.conditions import Exclusivity
from domain.licensing.royalty import Royalty, Share
from domain.licensing.terms import LicenceTerms, ProductType
from domain.licensing.territories import COUNTRIES
from domain.shared.allocation import largest_remainder
from domain.shared.errors import Conflict, Invalid
from domain.shared.money import BASIS_POINTS_PER_UNIT, Currency


class GrantInvalid(Invalid):
    """The grant contradicts itself or the terms; `fields` says where."""

    code = "grant_invalid"


class GrantOverlaps(Conflict):
    """Another sole or exclusive grant covers some of it already."""

    code = "grant_overlaps"


class GrantEnded(Conflict):
    """The grant is over."""

    code = "grant_ended"


@dataclass(eq=False, kw_only=True)
class LicenceGrant:
    """`territories` are countries; `valid_until` is exclusive, None is until it is ended.

    A root grant (no `parent_id`) is sold under the creator's terms in force; a sublicence under
    its own `terms` as well: `root_id` is the grant that it all comes from, and `sublicensors` are
    the stores above the holder, nearest first, each with its part of the royalty.
    `guarantee_cents` is what the store pays in advance; royalties recoup it once it is paid.
    """

    id: UUID
    creator_id: UUID
    store_id: UUID
    parent_id: UUID | None = None
    root_id: UUID | None = None
    sublicensors: tuple[Share, ...] = ()
    kind: Exclusivity
    product_types: frozenset[ProductType]
    territories: frozenset[str] = COUNTRIES
    valid_from: datetime
    valid_until: datetime | None = None
    terms_id: UUID
    terms: LicenceTerms | None = None
    guarantee_cents: int = 0
    currency: Currency | None = None
    guarantee_paid_at: datetime | None = None
    created_at: datetime
    created_by: UUID
    ended_at: datetime | None = None
    version: int = 1

    def __post_init__(self) -> None:
        problems: dict[str, list[str]] = {}
        if not self.product_types:
            problems["product_types"] = ["must name at least one product type"]
        if not self.territories or not self.territories <= COUNTRIES:
            problems["territories"] = ["must cover at least one country"]
        ended = self.ended_at is not None
        if self.valid_until is not None and self.valid_until <= self.valid_from and not ended:
            problems["valid_until"] = ["must be after valid_from"]
        if self.guarantee_cents < 0 or (self.guarantee_cents > 0) != (self.currency is not None):
            problems["guarantee_cents"] = ["must be positive and have a currency"]
        if problems:
            raise GrantInvalid("This grant cannot stand.", fields=problems)

    @property
    def depth(self) -> int:
        return len(self.sublicensors)

    @property
    def shuts_out(self) -> bool:
        return self.kind is not Exclusivity.NONE

    def is_active(self, at: datetime) -> bool:
        return self.valid_from <= at and (self.valid_until is None or at < self.valid_until)

    def overlaps(self, other: "LicenceGrant") -> bool:
        """Whether some product type may be sold in some country at some time under both."""
        return (
            not self.product_types.isdisjoint(other.product_types)
            and not self.territories.isdisjoint(other.territories)
            and (other.valid_until is None or self.valid_from < other.valid_until)
            and (self.valid_until is None or other.valid_from < self.valid_until)
        )

    def end(self, *, at: datetime) -> None:
        """Over from now on. Raises GrantEnded."""
        if self.ended_at is not None or (self.valid_until is not None and self.valid_until <= at):
            raise GrantEnded("The grant is over already.")
        self.ended_at = at
        # A grant that never began is kept as an instant, so that it covers nothing.
        self.valid_from = min(self.valid_from, at)
        self.valid_until = max(at, self.valid_from)


def refuse_overlap(new: LicenceGrant, others: Iterable[LicenceGrant]) -> None:
    """Raises GrantOverlaps when a sole or exclusive grant would meet another of the creator's."""
    for other in others:
        if new.shuts_out and other.shuts_out and other.id != new.id and new.overlaps(other):
            raise GrantOverlaps(
                "Another sole or exclusive grant covers some of it.", grant_id=str(other.id)
            )


def held_by(
    store_id: UUID, product_type: ProductType, grants: Iterable[LicenceGrant], *, at: datetime
) -> list[LicenceGrant]:
    """A store's own grants for a kind of thing, the nearest to the creator first."""
    held = [
        grant
        for grant in grants
        if grant.store_id == store_id
        and product_type in grant.product_types
        and grant.is_active(at)
    ]
    return sorted(held, key=lambda grant: (grant.depth, grant.id))


def sold_under(
    store_id: UUID, product_type: ProductType, grants: Iterable[LicenceGrant], *, at: datetime
) -> LicenceGrant | None:
    """The sublicence that a store sells under; None where it has the creator's own leave."""
    held = held_by(store_id, product_type, grants, at=at)
    return held[0] if held and held[0].terms is not None else None


def royalty_under(
    terms: LicenceTerms, sublicence: LicenceGrant | None, *, creator_id: UUID
) -> Royalty:
    """The royalty of a sale under the creator's terms, or under a sublicence of them.

    What a sublicence earns is shared with the stores that handed it on; the creator, or their
    collaborators in proportion, have the rest.
    """
    if sublicence is None or sublicence.terms is None:
        return terms.royalty
    royalty = sublicence.terms.royalty
    above = [share for share in sublicence.sublicensors if share.bps]
    if not above:
        return royalty
    own = terms.royalty.shares or (Share(creator_id, BASIS_POINTS_PER_UNIT),)
    rest = BASIS_POINTS_PER_UNIT - sum(share.bps for share in above)
    parts = largest_remainder(rest, [share.bps for share in own])
    creators = (Share(share.payee_id, bps) for share, bps in zip(own, parts, strict=True))
    return royalty._replace(shares=(*(share for share in creators if share.bps), *above))


def sublicensors_of(parent: LicenceGrant, *, pass_through_bps: int) -> tuple[Share, ...]:
    """The parts of a royalty under a sublicence of `parent`, nearest store first.

    The holder of the parent has its part of all; those above it their parts of what it leaves.
    """
    left = BASIS_POINTS_PER_UNIT - pass_through_bps
    above = (
        Share(share.payee_id, share.bps * left // BASIS_POINTS_PER_UNIT)
        for share in parent.sublicensors
    )
    return (Share(parent.store_id, pass_through_bps), *above)


def standing_of(
    seller: uses.Seller,
    product_type: ProductType,
    countries: frozenset[str],
    grants: Sequence[LicenceGrant],
    *,
    listing: bool,
    at: datetime,
) -> uses.Grant:
    """How the creator's grants stand to a sale in some countries, or to a listing.

    A sale is shut out when another's grant covers any of its countries; a listing when such grants
    leave none of them. Who was handed a part of such a grant holds it.
    """
    relevant = [g for g in grants if product_type in g.product_types and g.is_active(at)]
    mine = [grant for grant in relevant if grant.store_id == seller.store_id]
    taken = _union(
        grant.territories - _union(m.territories for m in mine if grant.id in (m.id, m.root_id))
        for grant in relevant
        if grant.shuts_out and not (seller.is_creators_own and grant.kind is Exclusivity.SOLE)
    )
    left = countries - taken
    if not left if listing else left != countries:
        return uses.Grant.TAKEN
    within = _union(grant.territories for grant in mine) & left
    return uses.Grant.HELD if within and (listing or within == countries) else uses.Grant.FREE


def _union(sets: Iterable[frozenset[str]]) -> frozenset[str]:
    return frozenset[str]().union(*sets)
