"""A listing: one image on one kind of thing, at a price, in one store.

It can be sold only while every gate is open. The gates are asked when it is published and again
when it is bought; losing one suspends the listing, which comes back when the gate opens again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.licensing.decision import Decision, Outcome, Reason
from domain.licensing.terms import ProductType
from domain.shared.errors import Conflict, RuleRefused
from domain.shared.money import Currency


class ProductStatus(StrEnum):
    DRAFT = "draft"
    ACTIVE = "active"
    INACTIVE = "inactive"
    OUT_OF_STOCK = "out_of_stock"
    SUSPENDED = "suspended"


class ListingRefused(RuleRefused):
    """At least one gate is closed; `reasons` has all of them."""

    code = "listing_refused"

    def __init__(self, reasons: Sequence[Reason]) -> None:
        super().__init__(
            "It cannot be listed: " + " ".join(reason.message for reason in reasons),
            reasons=tuple(reasons),
        )
        self.reasons = tuple(reasons)


class NotForSale(Conflict):
    """The product is not active."""

    code = "not_for_sale"


class OutOfStock(Conflict):
    """Fewer pieces are left than were asked for."""

    code = "out_of_stock"


NOT_JUDGED = Decision(Outcome.DENY, ())
"""What a product carries until its gates have been asked: nothing is allowed by default."""


@dataclass(eq=False, kw_only=True)
class Product:
    """`stock` None means made to order. `reserved` pieces wait for their buyers' payment.

    `frozen_for` is why the licence took it off sale, if it did: it does not come back by itself.
    `prompt` is that of the generation: the licence looks at it whenever the product is judged.
    """

    id: UUID
    store_id: UUID
    creator_id: UUID
    generation_id: UUID
    asset_id: UUID
    product_type: ProductType
    title: str
    description: str
    prompt: str
    price_cents: int
    currency: Currency
    stock: int | None
    reserved: int = 0
    status: ProductStatus = ProductStatus.DRAFT
    frozen_for: str | None = None
    terms_id: UUID
    terms_version: int
    terms_hash: str
    decision: Decision = NOT_JUDGED
    created_at: datetime
    published_at: datetime | None = None
    version: int = 1

    def licence_under(self, terms_id: UUID, *, version: int, terms_hash: str) -> None:
        """From now on these terms are the ones that it is judged and sold by."""
        self.terms_id, self.terms_version, self.terms_hash = terms_id, version, terms_hash

    def publish(self, decision: Decision, *, closed_gates: Sequence[Reason], at: datetime) -> None:
        """Put it on sale, or among the sold out when no piece is left.

        Raises ListingRefused with every reason of licence and gates.
        """
        reasons = (*decision.reasons, *closed_gates)
        if reasons or not decision.allowed:
            raise ListingRefused(reasons)
        self.decision = decision
        self.status = ProductStatus.OUT_OF_STOCK if self.stock == 0 else ProductStatus.ACTIVE
        self.published_at = self.published_at or at
        self.frozen_for = None

    @property
    def is_listed(self) -> bool:
        """Buyers see it: what changes in it must pass the gates again."""
        return self.status in {ProductStatus.ACTIVE, ProductStatus.OUT_OF_STOCK}

    def unpublish(self) -> None:
        if self.status is not ProductStatus.DRAFT:
            self.status, self.frozen_for = ProductStatus.INACTIVE, None
