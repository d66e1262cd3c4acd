"""What sales and generations use up of a licence, and how it is counted.

Quotas are counted for a creator: pieces sold, pieces of one product, what buyers paid in a
currency, generations of a day. The way through royalty tiers is counted for a creator and a
store, in a currency, as the terms' period says. A guarantee is earned back for each grant. A
counter goes on over versions of the terms, and is kept only where the terms ask for it.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from domain.licensing.royalty import TierPeriod
from domain.licensing.terms import LicenceTerms
from domain.shared.errors import RuleRefused
from domain.shared.money import Currency


class CounterKind(StrEnum):
    UNITS = "units"
    EDITION = "edition"
    REVENUE = "revenue"
    TIER = "tier"
    GENERATIONS = "generations"
    RECOUPED = "recouped"


class Counter(NamedTuple):
    """What is counted: `subject` is the product, the day, the grant or the store and period.

    `currency` is empty for what is not money.
    """

    creator_id: UUID
    kind: CounterKind
    subject: str = ""
    currency: str = ""


class Claim(NamedTuple):
    """Count `amount` more; None is no limit, else the sum never exceeds `limit`."""

    counter: Counter
    amount: int
    limit: int | None = None


class QuotaExhausted(RuleRefused):
    """The licence allows no more than this: `limit`, of which `left` are left."""

    code = "quota_exhausted"

    def __init__(self, claim: Claim, *, left: int) -> None:
        super().__init__(
            f"The licence's quota of {claim.counter.kind} has not that much left.",
            quota=claim.counter.kind.value,
            limit=claim.limit,
            left=left,
            value=claim.amount,
        )


class SoldLine(NamedTuple):
    """A line, as far as it is counted; `base_cents` is what its royalty is taken of."""

    creator_id: UUID
    store_id: UUID
    product_id: UUID
    quantity: int
    base_cents: int
    currency: Currency


def quota_claims(terms: LicenceTerms, line: SoldLine) -> Iterator[Claim]:
    """What a line counts towards the quotas that its terms have."""
    quotas, creator = terms.quotas, line.creator_id
    if quotas.units is not None:
        yield Claim(Counter(creator, CounterKind.UNITS), line.quantity, quotas.units)
    if quotas.edition_size is not None:
        edition = Counter(creator, CounterKind.EDITION, str(line.product_id))
        yield Claim(edition, line.quantity, quotas.edition_size)
    if quotas.revenue_cents is not None:
        revenue = Counter(creator, CounterKind.REVENUE, "", line.currency)
        yield Claim(revenue, line.base_cents, quotas.revenue_cents)


def tier_claim(terms: LicenceTerms, line: SoldLine, *, at: datetime) -> Claim | None:
    """What a line counts towards the tiers; None where the terms have none."""
    if not terms.royalty_tiers:
        return None
    match terms.tier_period:
        case TierPeriod.LIFETIME:
            subject = f"{line.store_id}"
        case TierPeriod.CALENDAR_YEAR:
            subject = f"{line.store_id}:{at.year}"
        case TierPeriod.PRODUCT:
            subject = f"{line.store_id}:{line.product_id}"
    return Claim(
        Counter(line.creator_id, CounterKind.TIER, subject, line.currency), line.base_cents
    )


def generation_claim(terms: LicenceTerms, creator_id: UUID, *, at: datetime) -> Claim | None:
    """One generation of the day, in UTC; None where the terms do not count them."""
    if terms.quotas.generations_per_day is None:
        return None
    day = Counter(creator_id, CounterKind.GENERATIONS, at.date().isoformat())
    return Claim(day, 1, terms.quotas.generations_per_day)


def merged(claims: Iterable[Claim]) -> list[Claim]:
    """One claim for each counter, in the order in which counters are locked.

    Lines of one order may be sold under terms with different limits: the strictest holds.
    """
    sums: dict[Counter, Claim] = {}
    for claim in claims:
        before = sums.get(claim.counter, Claim(claim.counter, 0))
        limits = [limit for limit in (before.limit, claim.limit) if limit is not None]
        sums[claim.counter] = Claim(
            claim.counter, before.amount + claim.amount, min(limits, default=None)
        )
    return [sums[counter] for counter in sorted(sums)]
